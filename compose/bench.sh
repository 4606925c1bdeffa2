#!/bin/bash
# Measures the fabric on this machine, beside what there was before.
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

usage() {
  cat <<'TEXT'
Usage: sudo ./compose/bench.sh BENCHMARK

Benchmarks:
  migrate [COUNT]  COUNT live migrations (default: 10) of a Redis guest under load by the fabric, and as many by stock QEMU told a downtime
                   of 5 ms and left at its default of 300 ms, in turn: pause, total, bytes, and whether the guest came through intact.
                   Also what a peer costs (start, memory, and CPU while nothing moves), and what a guest that was resumed from its package
                   sends to a host that has the package, idle and with 20 MB of fresh data, beside stock QEMU.
  start [COUNT]    a Redis guest of 256 MiB and of 4 GiB until it answers: booted, and COUNT times (default: 10) each resumed from its
                   package by the command and by a peer alone. Also how much of its RAM is there then.

Environment:
  ARCHITEKT_OUT    folder for everything built, and for logs (default: out in the repository)
TEXT
}

bench_migrate() { # [COUNT]
  readonly stock_address=$network.60 wire_address=$network.61 wire_package=redis-resumed
  hosts_up 2
  for host in host-a host-b; do
    attended fabric package import "$out/guest" --host "$host" --name redis -q
  done
  attended fabric package create --from redis --name "$wire_package" --host host-a --ip "$wire_address/24" -q
  attended fabric package pull "$wire_package" --host host-b -q
  attended fabric vm run redis --package redis --host host-a --append "architekt.ip=$guest_address/24 architekt.hostname=redis" --wait -q
  within 60 redis_answers "$guest_address" || fail "Redis does not answer at $guest_address; logs are in $logs."
  say 'Measuring'
  attended at client dotnet "$out/bench/Benchmarks.dll" migrate "$run" "$(namespace '')" "$gateways" "$out/guest" \
    "$guest_address" "$stock_address" "$wire_package" "$wire_address" "${1:-10}"
}

bench_start() { # [COUNT]
  host_memory_gib=6
  hosts_up 1
  # For the peers that no silo knows of.
  mkdir "$run/peers"
  mount -t tmpfs -o mode=755,size=6g architekt "$run/peers"
  attended fabric package import "$out/guest" --host host-a --name redis -q
  say 'Measuring'
  attended at client dotnet "$out/bench/Benchmarks.dll" start "$run" "$(namespace '')" "$gateways" redis "$run/peers" "$guest_address" "${1:-10}"
}

case "${1:-}" in
  migrate | start) ;;
  "" | -h | --help) usage; exit 0 ;;
  *) usage >&2; exit 2 ;;
esac
if ! [[ ${2:-10} =~ ^[1-9][0-9]{0,2}$ ]] || [ $# -gt 2 ]; then
  usage >&2
  exit 2
fi

begin_run bench
ensure_packages "$packages_run" "$packages_build"
build_all tests/Benchmarks bench
"bench_$1" "${@:2}"
