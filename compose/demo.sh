#!/bin/bash
# A running Redis moves between two hosts, and a client that keeps writing to it does not notice.
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

usage() {
  cat <<'TEXT'
Usage: sudo ./compose/demo.sh

Needs Debian or Ubuntu and the .NET 10 SDK; installs the rest. Builds the fabric and a blueprint of an OCI image of Redis, brings up two hosts
(network namespaces) and a private Postgres, makes a package of the blueprint, resumes it, moves the running guest to and fro under load, checks that
nothing was lost, and removes it all again.

Environment:
  DEMO_RESULT    file to write the numbers to, as JSON
  ARCHITEKT_OUT  folder for everything built, and for logs (default: out in the repository)
TEXT
}

case "${1:-}" in
  "") ;;
  -h | --help) usage; exit 0 ;;
  *) usage >&2; exit 2 ;;
esac

start_client() {
  say "Starting the client at $client_address: numbered keys on one TCP connection, as fast as they are acknowledged"
  coproc client { at client dotnet "$out/demo/Architekt.Fabric.Demo.dll" "$guest_address:6379" 2>"$logs/client.log"; }
  # Copies: bash forgets the array when the client ends.
  exec {from_client}<&"${client[0]}" {to_client}>&"${client[1]}"
  hear
}

hear() { # sets answer to the client's next line
  answer=
  read -r -t 300 -u "$from_client" answer || fail "the client has ended or does not answer: $(tail -n 1 "$logs/client.log")"
}

ask() { # COMMAND...
  # In a subshell, because a client that has ended would end this script by SIGPIPE.
  (echo "$*" >&"$to_client") || fail "the client has ended: $(tail -n 1 "$logs/client.log")"
  hear
}

migrate() { # ID HOST OPTION...: moves the VM and notes the numbers
  local id=$1 to=$2
  shift 2
  say "Migration $id: redis to $to $*"
  ask begin "$id"
  attended fabric vm migrate redis --to "$to" --operation "$id" "$@" || fail "the migration failed; logs are in $logs."
  ask end "$id"
  within 30 show "$id" || fail "the fabric does not tell the result of $id; logs are in $logs."
  jq -c .result "$run/operation" >>"$logs/migrations.jsonl"
  jq -c --argjson client "$answer" --arg id "$id" '.result | {
    $id, from, to, epoch, totalMs, pauseMs, clientGapMs: $client.longestGapMs, rounds, bytesOnWire: .bytes.onWire, verified }' "$run/operation" >>"$run/migrations"
}

show() { # ID
  fabric operation show "$1" -o json >"$run/operation"
}

print_table() {
  local format='%-10s %-16s %6s %10s %10s %14s %7s %12s\n'
  # shellcheck disable=SC2059
  printf "$format" migration way epoch 'total ms' 'pause ms' 'client gap ms' rounds bytes
  jq -r '[.id, "\(.from) > \(.to)", .epoch, (.totalMs, .pauseMs, .clientGapMs | . * 10 | round / 10), .rounds, .bytesOnWire] | @tsv' \
    "$run/migrations" | while IFS=$'\t' read -r -a row; do
    # shellcheck disable=SC2059
    printf "$format" "${row[@]}"
  done
  jq -rs 'def median: sort | (.[((length - 1) / 2 | floor)] + .[(length / 2 | floor)]) / 2 * 10 | round / 10;
    map(select(.verified == null)) | "median of \(length): pause \(map(.pauseMs) | median) ms (goal: 15 or less), "
      + "client gap \(map(.clientGapMs) | median) ms (goal: below 100)"' "$run/migrations"
}

check() { # SENTENCE COMMAND...: one line, PASS if the command succeeds
  local sentence=$1
  shift
  if "$@"; then
    echo "PASS  $sentence"
  else
    echo "FAIL  $sentence"
    failures=$((failures + 1))
  fi
}

says() { # FILTER: whether a jq filter holds for the result
  jq -e "$1" "$run/result" >/dev/null
}

one_qemu_runs() {
  [ "$(qemus host-a | wc -l) $(qemus host-b | wc -l)" = '1 0' ]
}

guest_shuts_down() {
  fabric vm stop redis -q >"$run/stop" && fabric vm show redis -o json | jq -e '.state == "stopped"' >/dev/null
}

nothing_is_left() { # HOST
  local found
  found=$(leftovers "$1")
  [ -z "$found" ] || { echo "$found" && false; }
}

begin_run demo
if [ -n "${DEMO_RESULT:-}" ]; then
  [ -d "$(dirname "$DEMO_RESULT")" ] || fail "DEMO_RESULT: there is no folder '$(dirname "$DEMO_RESULT")'."
fi
ensure_packages "$packages_run" "$packages_build"
build_all tests/Architekt.Fabric.Demo demo
# shellcheck source-path=SCRIPTDIR source=guest/options.sh
. "$repository/compose/guest/options.sh"

say "Building a blueprint of an OCI image of Redis"
attended "$repository/compose/guest/build.sh" --image "$out/redis-image"
# Here, not at the client: the kernel comes from the distribution, which no namespace of this run can reach.
attended dotnet "$out/cli/fabric.dll" blueprint build "$out/redis-image" "$run/redis-blueprint" "${blueprint_options[@]}"

hosts_up 2
fabric host list

say "Making a package of it on host-a, and pulling it to host-b"
attended fabric package import "$run/redis-blueprint" --host host-a
attended fabric package create --from redis-blueprint --name redis --host host-a
attended fabric package pull redis --host host-b -q
fabric package list

say "Resuming Redis from its package on host-a"
attended fabric vm run redis --package redis --host host-a --ip "$guest_address/24" --wait
within 60 redis_answers "$guest_address" || fail "Redis does not answer at $guest_address; the guest's console: fabric vm logs redis"
start_client

for number in 1 2 3; do
  migrate "there-$number" host-b
  migrate "back-$number" host-a
done
migrate there-v host-b --verify
migrate back-v host-a --verify

say "Checking"
ask finish
jq -s --argjson client "$answer" '{
  migrations: map(select(.verified == null) | del(.id, .verified)),
  acknowledgedWrites: $client.acknowledgedWrites,
  lostWrites: $client.lostWrites,
  connectionSurvived: $client.connectionSurvived,
  verified: (map(.verified | values) == [true, true]) }' "$run/migrations" >"$run/result"
[ -z "${DEMO_RESULT:-}" ] || cp "$run/result" "$DEMO_RESULT"

failures=0
check "the same TCP connection lived throughout ($(jq -r .connection <<<"$answer"))" says .connectionSurvived
check "every acknowledged write is there ($(jq -r .acknowledgedWrites <<<"$answer") written, $(jq -r .lostWrites <<<"$answer") lost)" \
  says '.acknowledgedWrites > 0 and .lostWrites == 0'
check 'the digests of the RAM agreed, both times' says .verified
check 'exactly one QEMU runs, on host-a' one_qemu_runs
check 'nothing is left on host-b but the RAM it keeps for a return: no instance folder, no TAP, no process' nothing_is_left host-b
check 'the guest shuts down when it is asked to, after all its moves' guest_shuts_down
jq -r '"client: \(.all.writes / .all.seconds | round) writes/s, longest gap in all \(.all.longestGapMs | round) ms\(if .failure then ", ended by: " + .failure else "" end)"' <<<"$answer"
echo
print_table

say "Tearing down"
[ "$failures" -eq 0 ] || fail "$failures checks failed; logs are in $logs."
