#!/bin/bash
# Several guests move among three hosts at random, under load and under faults, and nothing may be lost.
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

usage() {
  cat <<'TEXT'
Usage: sudo ./compose/soak.sh [--minutes N] [--vms N] [--seed N] [--harm two-copies|lost-writes|lost-guest]

Brings up three hosts, a Postgres and some Redis guests (default: 3), each with a client that keeps writing, and for N minutes (default: 5) migrates
them at random while silos, peers, QEMUs, links and Postgres fail at random. Then it waits until all is quiet, and looks: did two copies of a VM ever
run at once, did one run without being the owner, did every operation end, is every acknowledged write there, is anything left.
Ends with a line of counts: migrations, faults, violations, lost writes, and the median and 99th percentile of the pauses.
Exit code 1 if there is a violation or a lost write.

--harm does that on purpose, for once, to show that it is found: the run must then end with a violation or with lost writes.

A fault may end a guest on purpose (kill -9 of the QEMU that runs it): it is started again, and is no violation; what Redis held in memory is gone then.

Environment:
  ARCHITEKT_OUT  folder for everything built, and for logs (default: out in the repository)
TEXT
}

minutes=5 vms=3 seed=$RANDOM harm=none
while [ $# -gt 0 ]; do
  case $1 in
    -h | --help) usage; exit 0 ;;
    --minutes | --vms | --seed) [[ ${2:-} =~ ^[0-9]{1,5}$ ]] || { usage >&2; exit 2; } ;;&
    --minutes) minutes=$2 ;;
    --vms) vms=$2 ;;
    --seed) seed=$2 ;;
    --harm)
      case ${2:-} in two-copies | lost-writes | lost-guest) harm=$2 ;; *) usage >&2; exit 2 ;; esac ;;
    *) usage >&2; exit 2 ;;
  esac
  shift 2
done

begin_run soak
ensure_packages "$packages_run" "$packages_build"
build_all tests/Architekt.Fabric.Soak soak
trace_qemu
export ASPNETCORE_ENVIRONMENT=Test
hosts_up 3
say "$vms guests under load and faults for $minutes minutes (seed $seed)"
status=0
attended at client dotnet "$out/soak/Architekt.Fabric.Soak.dll" "$run" "$logs" "$(namespace '')" "$gateways" \
  "Host=$postgres_address;Database=fabric;Username=fabric;Password=$password" "$out/guest" "$network" 3 "$vms" "$((minutes * 60))" "$seed" "$harm" \
  > >(tee "$logs/soak") || status=$?
[ "$status" -eq 0 ] || echo "logs are in $logs"
exit "$status"
