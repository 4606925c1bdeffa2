#!/bin/bash
# Breaks things in every phase of a migration, with real processes, and looks whether what must hold still does.
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

usage() {
  cat <<'TEXT'
Usage: sudo ./compose/faults.sh [PHASE[,PHASE...]|all|ci [FAULT]]

Brings up two hosts, a Postgres and a Redis guest, holds a migration in the phase, does the fault, and looks at what became of it (docs/faults.md).
Prints the matrix and ends with a line "N passed, N failed". Without arguments it tries every fault in every phase, which takes about an hour.

Phases: check prepare copy suspend switch commit run clean rollback done, or one of their stages; all; ci: the cells that test.sh runs.
Faults: kill-source-silo kill-destination-silo kill-source-peer kill-destination-peer kill-source-qemu kill-destination-qemu cut-link stop-postgres
        freeze-source-silo freeze-destination-silo freeze-source-peer freeze-destination-peer lose-destination-silo

Environment:
  ARCHITEKT_OUT  folder for everything built, and for logs (default: out in the repository)
TEXT
}

case "${1:-}" in
  -h | --help) usage; exit 0 ;;
  -*) usage >&2; exit 2 ;;
esac
[ $# -le 2 ] || { usage >&2; exit 2; }

begin_run "faults-${1:-all}"
ensure_packages "$packages_run" "$packages_build"
build_all tests/Architekt.Fabric.Faults faults
install -d -m 755 "$run/gates"
trace_qemu
# Inherited by the silos, and by the peers from them.
export ASPNETCORE_ENVIRONMENT=Test Fabric__FaultGateFolder=$run/gates
hosts_up 2
say 'Breaking things: how the migration ended, how long after the fault, and how long until nothing was left of it'
status=0
attended at client dotnet "$out/faults/Architekt.Fabric.Faults.dll" "$run" "$logs" "$(namespace '')" "$gateways" \
  "Host=$postgres_address;Database=fabric;Username=fabric;Password=$password" "$out/guest" "$guest_address" "${@:-all}" > >(tee "$logs/matrix") 2>"$logs/driver.log" || status=$?
[ "$status" -eq 0 ] || {
  tail -n 20 "$logs/driver.log"
  echo "logs are in $logs"
}
exit "$status"
