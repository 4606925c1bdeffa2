#!/bin/bash
# Builds everything with warnings as errors, checks the formatting and runs every test.
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
# shellcheck source-path=SCRIPTDIR source=docker.sh
. "$repository/compose/docker.sh"

usage() {
  cat <<'TEXT'
Usage: sudo ./compose/test.sh [NAME...]

Runs all test projects and the cells "ci" of faults.sh (by the name of faults), or those whose name contains one of the NAMEs, and ends with a line
"N passed, N failed, N skipped".
Installs the packages it needs, starts a Docker daemon if there is none, and builds the image of Postgres and the guest.

Environment:
  ARCHITEKT_REQUIRE_TESTCONTAINERS=1  fails tests that would use another Postgres than the one in a container
  TEST_ALLOWED_SKIPS                  extended regular expression; the run fails if the reason of a skipped test does not match it
  TEST_TIMEOUT                        seconds one project may take (default: 900)
  ARCHITEKT_OUT                       folder for everything built, and for logs (default: out in the repository)
TEXT
}

case "${1:-}" in
  -h | --help) usage; exit 0 ;;
  -*) usage >&2; exit 2 ;;
esac

before_end() {
  docker_stop
}

is_wanted() { # PROJECT NAME...
  local project=$1 name
  shift
  [ $# -gt 0 ] || return 0
  for name in "$@"; do
    [[ $project != *"$name"* ]] || return 0
  done
  return 1
}

declare -A started=() since=()

start_tests() { # PROJECT, or faults
  if [ "$1" = faults ]; then
    timeout -k 60 "${TEST_TIMEOUT:-900}" "$repository/compose/faults.sh" ci >"$logs/faults.log" 2>&1 &
  else
    timeout -k 30 "${TEST_TIMEOUT:-900}" "$repository/tests/$1/bin/Debug/net10.0/$1" \
      -noColor -noLogo -noAutoReporters -reporter quiet -diagnostics -longRunning 120 -result-ctrf "$logs/$1.json" >"$logs/$1.log" 2>&1 &
  fi
  started[$1]=$! since[$1]=$SECONDS
}

finish_tests() { # PROJECT, or faults: adds its counts to passed, failed and skipped, and names what did not pass
  local project=$1 report=$logs/$1.json status=0 counts
  wait "${started[$project]}" || status=$?
  echo "$project  $((SECONDS - since[$project])) s"
  if [ "$project" = faults ]; then
    count_faults "$status"
    return
  fi
  [ -s "$report" ] || echo '{}' >"$report"
  # "other" counts what broke outside of a test, such as the cleaning up of a class.
  read -r -a counts < <(jq -r '.results.summary // {} | "\(.passed // 0) \((.failed // 0) + (.other // 0)) \((.skipped // 0) + (.pending // 0))"' "$report")
  # Crashed, hung, or found nothing to run.
  if [ "${counts[1]}" -eq 0 ] && { [ "$status" -ne 0 ] || [ "$((counts[0] + counts[2]))" -eq 0 ]; }; then
    counts[1]=1
    echo "  FAILED  the run itself: it ended with status $status and $((counts[0] + counts[2])) tests; all of it is in $logs/$project.log"
    sed '/^ *at /d; s/^/    /' "$logs/$project.log" | tail -n 20
  fi
  jq -r '(.results.tests[]? | select(.status == "failed")), .results.extra.suites[]?.errors[]?
    | "  FAILED  \(.name)", ("\(.message // "")\n\(.trace // "")" | split("\n")[:15][] | "    " + .)' "$report"
  jq -r '.results.tests[]? | select(.status == "skipped" or .status == "pending")
    | "\(.name): \(.message // "no reason given" | gsub("\\s+"; " "))"' "$report" | tee -a "$logs/skipped" | sed 's/^/  skipped  /'
  passed=$((passed + counts[0])) failed=$((failed + counts[1])) skipped=$((skipped + counts[2]))
}

# Real processes, killed and cut off in the middle of migrations; each cell counts as a test.
count_faults() { # STATUS
  local counts
  read -r -a counts < <(sed -nE 's/^([0-9]+) passed, ([0-9]+) failed$/\1 \2/p' "$logs/faults.log" | tail -n 1)
  [ "${#counts[@]}" -eq 2 ] || counts=(0 1)
  [ "$1" -eq 0 ] || [ "${counts[1]}" -gt 0 ] || counts[1]=1
  if [ "${counts[1]}" -gt 0 ]; then
    echo "  FAILED  compose/faults.sh ci: it ended with status $1; all of it is in $logs/faults.log"
    tail -n 60 "$logs/faults.log" | sed 's/^/    /'
  fi
  passed=$((passed + counts[0])) failed=$((failed + counts[1]))
}

begin_run test
ensure_packages "$packages_run" "$packages_build" "$packages_test"
# shellcheck disable=SC2119 # It takes further projects, not the arguments of this script.
build_all

say 'Building the solution, warnings as errors'
cd "$repository"
attended quietly "$logs/build.log" dotnet build Architekt.Fabric.sln -warnaserror -nologo -v quiet -m:2 --nodereuse:false -p:UseSharedCompilation=false
# It takes one processor for a minute and a half, and what comes next takes little.
dotnet format Architekt.Fabric.sln --verify-no-changes --no-restore >"$logs/format.log" 2>&1 &
formatting=$!

say 'Preparing Docker and the image of Postgres'
docker_start
attended quietly "$logs/image.log" "$repository/compose/postgres/build-image.sh"

say 'Running the tests'
export ARCHITEKT_TEST_GUEST=$out/guest ARCHITEKT_TEST_PEER=$out/peer/architekt-peer ARCHITEKT_TEST_AGENTS=$out/cli/guest
passed=0 failed=0 skipped=0
: >"$logs/skipped"
# Beside one that waits more than it computes others take their turns.
declare -A meanwhile=(
  [Architekt.Fabric.Blueprints.Tests]='Architekt.Fabric.Grains.Tests Architekt.Fabric.Network.Tests Architekt.Fabric.Nbd.Tests'
  [Architekt.Fabric.Integration.Tests]='faults Architekt.Fabric.Peer.Tests'
  [Architekt.Fabric.Runner.Tests]='Architekt.Fabric.Client.Tests Architekt.Fabric.Database.Tests Architekt.Fabric.PackageTransfer.Tests Architekt.Fabric.Packages.Tests Architekt.Fabric.Simulation.Tests
    Architekt.Agent.Tests Architekt.Fabric.AgentClient.Tests Architekt.Fabric.Memory.Tests Architekt.Fabric.Qemu.Tests Architekt.Fabric.Silo.Tests'
)
# shellcheck disable=SC2046 # Names of projects have no spaces.
for project in "${!meanwhile[@]}" $(basename -a tests/*.Tests/) faults; do
  is_wanted "$project" "$@" && [ -z "${started[$project]:-}" ] || continue
  start_tests "$project"
  for beside in ${meanwhile[$project]:-}; do
    is_wanted "$beside" "$@" || continue
    start_tests "$beside"
    finish_tests "$beside"
  done
  finish_tests "$project"
done
wait "$formatting" || {
  echo '  FAILED  the formatting (dotnet format):'
  tail -n 40 "$logs/format.log" | sed 's/^/    /'
  failed=$((failed + 1))
}

echo
forbidden=
if [ -n "${TEST_ALLOWED_SKIPS:-}" ] && forbidden=$(grep -vE ": .*($TEST_ALLOWED_SKIPS)" "$logs/skipped"); then
  printf 'These tests may not be skipped here:\n%s\n' "$forbidden"
fi
echo "$passed passed, $failed failed, $skipped skipped"
if [ "$failed" -gt 0 ] || [ "$passed" -eq 0 ] || [ -n "$forbidden" ]; then
  exit 1
fi
