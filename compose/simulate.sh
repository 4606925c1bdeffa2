#!/bin/bash
# Runs the simulation: random histories of migrations with everything that can go wrong, around the code that decides (docs/ownership.md).
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

usage() {
  cat <<'TEXT'
Usage: ./compose/simulate.sh --histories N [--seed S] [--bug NAME]

Runs N histories, those of the seeds S, S+1 and so on, and ends with a line "N histories, V violations"; fails if there is a violation.
Of the first of each kind, at most five, it shows the shortest history that still fails, and what happened in it. Without a seed it takes a new one and says which.
A BUG is a mistake the fabric does not make: the simulation must find it. An unknown NAME lists them.

Needs the .NET 10 SDK, and no root.

Environment:
  ARCHITEKT_OUT  folder for everything built, and for logs (default: out in the repository)
TEXT
}

case "${1:-}" in
  -h | --help) usage; exit 0 ;;
  '') usage >&2; exit 2 ;;
esac

logs=$out/logs/simulate
mkdir -p "$logs"
ensure_dotnet
exec 8>"$out/lock"
flock 8
publish tests/Architekt.Fabric.Simulation simulation >&2
exec 8>&-
exec "$out/simulation/Architekt.Fabric.Simulation" "$@"
