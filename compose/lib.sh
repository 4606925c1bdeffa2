# Functions shared by the scripts beside it; to be sourced by a bash script that has set -euo pipefail.
#
#   begin_run NAME       a folder for this run in $run, logs in $logs; everything below is undone when the script ends, however it ends
#   ensure_packages ...  installs what is missing
#   build_all            programs into $out, only if their sources have changed
#   hosts_up COUNT       COUNT hosts (host-a, host-b, ...), a Postgres and a client, each in a network namespace of its own
#   fabric ...           the command, run at the client
# shellcheck shell=bash
# What is named here is used by the scripts that source this.
# shellcheck disable=SC2034

repository=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
out=$(realpath -m "${ARCHITEKT_OUT:-$repository/out}")
readonly repository out

# The hosts' own network: nothing on it is reachable from outside, so the same addresses serve every run.
readonly network=10.77.0
readonly client_address=$network.9
readonly postgres_address=$network.254
readonly guest_address=$network.50
# What guests of one host may have together, in GiB; what they do not touch takes nothing.
host_memory_gib=1
readonly as_postgres=(setpriv --reuid=postgres --regid=postgres --init-groups --)

export DEBIAN_FRONTEND=noninteractive DOTNET_NOLOGO=1 DOTNET_CLI_TELEMETRY_OPTOUT=1 DOTNET_SYSTEM_GLOBALIZATION_INVARIANT=1
export HOME=${HOME:-/root} PATH=$PATH:/usr/local/sbin:/usr/sbin:/sbin
umask 022
exec </dev/null

say() {
  printf '\n== %s\n' "$*"
}

fail() {
  printf '%s: %s\n' "$(basename "$0")" "$*" >&2
  exit 1
}

require_root() {
  [ "$(id -u)" -eq 0 ] || fail "must run as root (network namespaces, bridges, QEMU as a user of its own): sudo $0"
}

# Runs a command so that a signal to this script ends it at once: bash answers signals only between foreground commands.
attended() {
  "$@" &
  wait "$!"
}

# --- What the machine needs -------------------------------------------------------------------------------------------

# Probe (a command or a path) and the package that brings it. The one list of what is used from outside.
packages_run='
qemu-system-x86_64 qemu-system-x86
qemu-img qemu-utils
/usr/lib/postgresql/*/bin/initdb postgresql
ip iproute2
setsid util-linux
setpriv util-linux
unshare util-linux
curl curl
jq jq
redis-cli redis-tools
/etc/ssl/certs/ca-certificates.crt ca-certificates'
packages_build='
clang clang
ld.lld lld
ld binutils
/usr/include/zlib.h zlib1g-dev
/usr/include/stdio.h libc6-dev
gzip gzip
xz xz-utils
zstd zstd
mke2fs e2fsprogs
modprobe kmod'
packages_test='
dockerd docker.io
docker docker.io
debootstrap debootstrap
nbdinfo libnbd-bin
nbdkit nbdkit
/usr/lib/python3/dist-packages/nbd.py python3-libnbd
fio fio
socat socat
nft nftables
busybox busybox-static
cpio cpio
redis-server redis-server'

ensure_packages() { # LIST...
  local probe package missing=()
  while read -r probe package; do
    [ -n "$probe" ] || continue
    case $probe in
      /*) compgen -G "$probe" >/dev/null || missing+=("$package") ;;
      *) command -v "$probe" >/dev/null || missing+=("$package") ;;
    esac
  done < <(printf '%s\n' "$@")
  [ ${#missing[@]} -gt 0 ] || return 0
  mapfile -t missing < <(printf '%s\n' "${missing[@]}" | sort -u)
  command -v apt-get >/dev/null || fail "these packages are missing, and there is no apt-get to install them: ${missing[*]}"
  say "Installing ${missing[*]}"
  quietly "$logs/apt.log" apt-get -o DPkg::Lock::Timeout=300 update
  without_services quietly "$logs/apt.log" apt-get -o DPkg::Lock::Timeout=300 -y --no-install-recommends install "${missing[@]}"
}

# Packages of servers start them when installed, and Debian's Postgres makes a cluster: none of that is wanted here.
without_services() (
  policy=/usr/sbin/policy-rc.d cluster=/etc/postgresql-common/createcluster.d/architekt.conf
  undo=()
  # Expanded when it runs: it removes what has been added by then.
  trap 'rm -f "${undo[@]}"; rmdir --ignore-fail-on-non-empty "${cluster%/*}" 2>/dev/null || true' EXIT
  if [ ! -e "$policy" ]; then
    undo+=("$policy")
    printf '#!/bin/sh\nexit 101\n' >"$policy"
    chmod 755 "$policy"
  fi
  if [ ! -e "$cluster" ]; then
    undo+=("$cluster")
    mkdir -p "${cluster%/*}"
    echo 'create_main_cluster = false' >"$cluster"
  fi
  "$@"
)

quietly() { # LOG COMMAND...: shows the output of a command only if it fails
  local log=$1
  shift
  "$@" >>"$log" 2>&1 || {
    tail -n 40 "$log" >&2
    fail "'$*' failed; all of its output is in $log."
  }
}

# sudo resets PATH, so look where the SDK usually is as well.
ensure_dotnet() {
  local folder
  for folder in "${DOTNET_ROOT:-}" /usr/share/dotnet /usr/lib/dotnet /usr/local/share/dotnet /opt/dotnet "$HOME/.dotnet" \
    "$(getent passwd "${SUDO_USER:-root}" | cut -d : -f 6)/.dotnet"; do
    ! command -v dotnet >/dev/null && [ -x "$folder/dotnet" ] && PATH=$PATH:$folder
  done
  command -v dotnet >/dev/null || fail "the .NET 10 SDK is missing: see https://dotnet.microsoft.com/download/dotnet/10.0."
  dotnet --list-sdks | grep -q '^10\.' ||
    fail "the .NET 10 SDK is missing (here: $(dotnet --list-sdks | cut -d ' ' -f 1 | paste -sd ' ')): see https://dotnet.microsoft.com/download/dotnet/10.0."
  DOTNET_ROOT=$(dirname "$(readlink -f "$(command -v dotnet)")")
  export DOTNET_ROOT
}

# --- Building ---------------------------------------------------------------------------------------------------------

publish() { # PROJECT FOLDER OPTION...: publishes into out/FOLDER unless that was made from the same sources
  local project=$1 folder=$out/$2 stamp sources=(interfaces grains silo client guest-agents Directory.Build.props Directory.Packages.props global.json)
  shift 2
  [[ $project != tests/* ]] || sources+=("$project" tests/Architekt.Fabric.Demo tests/Architekt.Fabric.Faults tests/Directory.Build.props)
  stamp=$({
    echo "$*"
    dotnet --version
    cd "$repository" && find "${sources[@]}" -type f -not -path '*/bin/*' -not -path '*/obj/*' -print0 | sort -zu | xargs -0 sha256sum
  } | sha256sum | cut -c 1-32)
  [ "$(cat "$folder.stamp" 2>/dev/null)" != "$stamp" ] || return 0
  echo "building $project"
  rm -rf "$folder" "$folder.stamp"
  # What an interrupted build has left half made would pass for whole.
  [ ! -e "$out/building" ] || rm -rf "$out/build"
  touch "$out/building"
  # Its own folder for intermediate files, so that nothing that belongs to root appears among the sources. The analyzers judge in test.sh.
  attended quietly "$logs/build.log" dotnet publish "$repository/$project" -c Release -o "$folder" --artifacts-path "$out/build" \
    -nologo -v quiet -m:1 --nodereuse:false -p:UseSharedCompilation=false -p:RunAnalyzers=false "$@"
  rm "$out/building"
  echo "$stamp" >"$folder.stamp"
}

build_all() { # PROJECT FOLDER...: the fabric, and further projects
  ensure_dotnet
  say "Building (in $out)"
  mkdir -p "$out"
  exec 8>"$out/lock"
  flock 8
  publish silo/Architekt.Fabric.Silo silo -r linux-x64 --self-contained false
  publish silo/Architekt.Fabric.Peer peer -r linux-x64
  publish client/Architekt.Fabric.Cli cli -r linux-x64 --self-contained false
  attended "$repository/compose/guest/programs.sh" "$out/cli/guest" 8>&-
  # fabric run has its own.
  rm -rf "$out/cli/peer"
  cp -r --reflink=auto "$out/peer" "$out/cli/peer"
  while [ $# -gt 0 ]; do
    publish "$1" "$2"
    shift 2
  done
  attended env FABRIC_CLI="$out/cli" "$repository/compose/guest/build.sh" "$out/guest" 8>&-
  exec 8>&-
}

# --- A run and what it leaves, which is nothing -------------------------------------------------------------------------

start_time() { # PID: field 22 of /proc/PID/stat; together they name a process for good (proc(5))
  local stat
  stat=$(cat "/proc/$1/stat" 2>/dev/null) || return 0
  echo "${stat##*) }" | cut -d ' ' -f 20
}

is_alive() { # PID START_TIME
  [ -n "$2" ] && [ "$(start_time "$1")" = "$2" ]
}

begin_run() { # NAME
  require_root
  logs=$out/logs/$1
  rm -rf "$logs"
  mkdir -p "$logs"
  clean_stale_runs
  # On a disk, where fsync means something, and where QEMU's user may pass, which it may not in somebody's home.
  run=$(mktemp -d /var/tmp/architekt.XXXXXX)
  echo "$$ $(start_time $$)" >"$run/owner"
  chmod 755 "$run"
  trap 'exit 130' INT
  trap 'exit 143' TERM
  trap 'exit 129' HUP
  trap 'end_script' EXIT
  # Otherwise a command that fails unexpectedly would end the script without a word.
  set -E
  trap 'echo "${BASH_SOURCE[0]##*/}, line $LINENO: status $? from: $BASH_COMMAND" >&2' ERR
}

# A script may define before_end for what it alone knows of.
end_script() {
  local status=$? job
  trap '' INT TERM HUP
  trap - ERR
  set +e
  ! declare -F before_end >/dev/null || before_end
  for job in $(jobs -p); do
    end_tree "$job"
  done
  end_run "$run"
  wait
  exit "$status"
}

end_tree() { # PID: a process and all it has started
  local children child
  read -r -d '' -a children < <(cat "/proc/$1"/task/*/children 2>/dev/null)
  for child in "${children[@]}"; do
    end_tree "$child"
  done
  kill "$1" 2>/dev/null
}

clean_stale_runs() {
  local folder pid start
  for folder in /var/tmp/architekt.*/; do
    folder=${folder%/}
    [ -e "$folder/owner" ] || continue
    read -r pid start <"$folder/owner"
    is_alive "$pid" "$start" || {
      echo "cleaning up after a run that was killed ($folder)"
      (trap - ERR; set +e; end_run "$folder")
    }
  done
}

end_run() { # FOLDER: ends what is in it, step by step, and removes it
  local folder=$1 name mount
  if [ -e "$folder/namespaces" ]; then
    # The last that was made goes first; Postgres, which all others use, was made first.
    while read -r name; do
      [ -e "/run/netns/$name" ] || continue
      end_processes "$name"
      ip netns delete "$name"
    done < <(tac "$folder/namespaces")
  fi
  while read -r mount; do
    umount "$mount" || umount -l "$mount"
  done < <(awk -v folder="$folder/" 'index($2, folder) == 1 { print $2 }' /proc/self/mounts | sort -r)
  rm -rf "$folder"
}

end_processes() { # NAMESPACE: asks every process in it to end, and makes those that will not
  local pid round
  for round in {1..150}; do
    mapfile -t pids < <(ip netns pids "$1")
    [ ${#pids[@]} -gt 0 ] || return 0
    for pid in "${pids[@]}"; do
      case $round in
        # INT is the fast shutdown for Postgres (postgres(1)); its children are its own affair.
        1) if [ "$(cat "/proc/$pid/comm" 2>/dev/null)" = postgres ]; then kill -INT "$pid" 2>/dev/null; else kill "$pid" 2>/dev/null; fi ;;
        100) kill -KILL "$pid" 2>/dev/null ;;
      esac
    done
    sleep 0.1
  done
  echo "these processes do not end: ${pids[*]}" >&2
}

# --- Hosts --------------------------------------------------------------------------------------------------------------

namespace() { # NAME: a namespace's name in this run
  echo "${run#/var/tmp/}-$1"
}

at() { # NAME COMMAND...: runs a command in a namespace
  local name=$1
  shift
  ip netns exec "$(namespace "$name")" "$@"
}

add_namespace() { # NAME
  namespace "$1" >>"$run/namespaces"
  ip netns add "$(namespace "$1")"
  ip -n "$(namespace "$1")" link set lo up
}

add_bridge() { # NAME ADDRESS
  # An address of its own, or the bridge would take over that of the lowest TAP, and everybody's ARP entry would be wrong.
  ip -n "$(namespace "$1")" link add br0 address "$(printf '02:77:00:00:00:%02x' "${2##*.}")" type bridge mcast_snooping 0
  ip -n "$(namespace "$1")" address add "$2/24" dev br0
  ip -n "$(namespace "$1")" link set br0 up
}

plug() { # NAME INTERFACE: a cable from a namespace to the switch
  ip -n "$(namespace "$1")" link add "$2" type veth peer name "to-$1" netns "$(namespace switch)"
  ip -n "$(namespace switch)" link set "to-$1" master br0 up
  ip -n "$(namespace "$1")" link set "$2" up
}

host_name() { # NUMBER from 1
  local letters=abcdefghij
  echo "host-${letters:$1 - 1:1}"
}

hosts_up() { # COUNT
  local number host
  say "Bringing up $1 hosts and a Postgres (logs in $logs)"
  # Copies: what is built anew while they run is not theirs, and QEMU's user can read them wherever the sources are.
  cp -r --reflink=auto "$out/silo" "$out/cli" "$run/"
  cp -r --reflink=auto "$out/peer" "$run/silo/peer"
  add_namespace switch
  add_bridge switch "$postgres_address"
  postgres_up
  gateways=
  for number in $(seq "$1"); do
    host=$(host_name "$number")
    add_namespace "$host"
    add_bridge "$host" "$network.$number"
    plug "$host" uplink
    ip -n "$(namespace "$host")" link set uplink master br0
    start_silo "$host" "$network.$number"
    gateways+=${gateways:+,}$network.$number:30000
  done
  add_namespace client
  plug client uplink
  ip -n "$(namespace client)" address add "$client_address/24" dev uplink
  for number in $(seq "$1"); do
    wait_for_silo "$(host_name "$number")" "$network.$number"
  done
  within 60 hosts_are_ready "$1" || fail "the fabric does not show $1 hosts that are ready; logs are in $logs."
}

hosts_are_ready() { # COUNT
  fabric host list -o json 2>/dev/null | jq -e --argjson count "$1" 'map(select(.state == "ready")) | length == $count' >/dev/null
}

postgres_up() {
  local bin folder=$run/postgres
  bin=$(dirname "$(compgen -G '/usr/lib/postgresql/*/bin/initdb' | sort -V | tail -n 1)")
  password=$(od -An -N16 -tx1 /dev/urandom | tr -d ' \n')
  install -d -m 700 -o postgres -g postgres "$folder"
  install -m 600 -o postgres -g postgres /dev/null "$folder/password"
  echo "$password" >"$folder/password"
  quietly "$logs/postgres.log" "${as_postgres[@]}" "$bin/initdb" -D "$folder/data" -U fabric --auth=scram-sha-256 \
    --pwfile="$folder/password" --encoding=UTF8 --locale=C.UTF-8
  cat >>"$folder/data/postgresql.conf" <<CONF
listen_addresses = '$postgres_address'
unix_socket_directories = '$folder'
max_connections = 200
CONF
  echo "host all all $network.0/24 scram-sha-256" >>"$folder/data/pg_hba.conf"
  ip netns exec "$(namespace switch)" setsid "${as_postgres[@]}" "$bin/postgres" -D "$folder/data" >>"$logs/postgres.log" 2>&1 &
  # Not a job of this script: what is in a namespace ends with it, and in the right order.
  disown
  within 30 at switch "$bin/pg_isready" -q -h "$postgres_address" || fail "Postgres does not answer; see $logs/postgres.log"
  PGPASSWORD=$password quietly "$logs/postgres.log" at switch "$bin/createdb" -h "$postgres_address" -U fabric fabric
}

start_silo() { # HOST ADDRESS
  local folder=$run/$1
  mkdir -p "$folder/run"
  mount -t tmpfs -o mode=755,size=$((2 * host_memory_gib))g architekt "$folder/run"
  ip netns exec "$(namespace "$1")" env \
    Fabric__HostName="$1" Fabric__AdvertisedAddress="$2" Fabric__Bridge=br0 Fabric__MemoryBytes=$((host_memory_gib << 30)) \
    Fabric__StateFolder="$folder/state" Fabric__RuntimeFolder="$folder/run" \
    Fabric__Postgres="Host=$postgres_address;Database=fabric;Username=fabric;Password=$password" \
    setsid dotnet "$run/silo/Architekt.Fabric.Silo.dll" >"$logs/$1.log" 2>&1 &
  echo "$! $(start_time $!)" >"$folder/silo"
  disown
}

wait_for_silo() { # HOST ADDRESS
  within 90 silo_is_settled "$1" "$2" || true
  silo_answers "$2" || {
    tail -n 20 "$logs/$1.log" >&2
    fail "$1 has not joined; see $logs/$1.log"
  }
}

silo_is_settled() { # HOST ADDRESS: it has joined, or it never will
  local pid start
  read -r pid start <"$run/$1/silo"
  silo_answers "$2" || ! is_alive "$pid" "$start"
}

silo_answers() { # ADDRESS
  at client curl -fs -o /dev/null --max-time 2 "http://$1:8081/health"
}

within() { # SECONDS COMMAND...: until the command succeeds, but no longer
  local deadline=$((SECONDS + $1))
  shift
  until "$@"; do
    [ "$SECONDS" -lt "$deadline" ] || return 1
    sleep 0.2
  done
}

fabric() {
  local status
  # The command gives a silo 4 seconds to answer, which is little on a machine that emulates a guest; 6 says that it got no answer.
  for _ in 1 2 3; do
    status=0
    at client env FABRIC_GATEWAYS="$gateways" dotnet "$run/cli/fabric.dll" "$@" || status=$?
    [ "$status" -eq 6 ] || break
  done
  return "$status"
}

# QEMU as it is, but it writes down when its guest begins and ends to run: the history the checks go by, which asks neither silo nor peer.
trace_qemu() { # before hosts_up
  # QEMU has a user of its own.
  install -d -m 1777 "$run/history"
  cat >"$run/qemu-traced" <<SCRIPT
#!/bin/sh
read -r stat </proc/\$\$/stat
ticks() { shift 21; echo "\$1"; }
trace=$run/history/\$\$.\$(ticks \$stat)
printf '%s\n' "\$*" >"\$trace.new" && mv "\$trace.new" "\$trace.command"
exec qemu-system-x86_64 -msg timestamp=on -trace runstate_set -D "\$trace" "\$@"
SCRIPT
  chmod 755 "$run/qemu-traced"
  # Inherited by the silos.
  export Fabric__QemuBinary=$run/qemu-traced
}

redis_answers() { # ADDRESS
  [ "$(at client timeout 5 redis-cli -h "$1" ping 2>/dev/null)" = PONG ]
}

# --- What the fabric runs, from its own records ---------------------------------------------------------------------------

# Each running QEMU of a host, as its process id, found through the instance folders.
qemus() { # HOST
  local file pid start
  for file in "$run/$1"/run/*/peer.json; do
    [ -e "$file" ] || continue
    read -r pid start < <(jq -r '"\(.qemuPid) \(.qemuStartTicks)"' "$file")
    ! is_alive "$pid" "$start" || echo "$pid"
  done
}

# What a host has left of any VM: instance folders, TAPs, and processes other than its silo. The RAM it keeps of a guest that left, for its return, is meant to be there.
leftovers() { # HOST
  local silo pid
  find "$run/$1/run" -mindepth 1 -maxdepth 1 -not -name "*.kept" -printf 'folder %p\n'
  ip -n "$(namespace "$1")" -o link show type tun | awk -F ': ' '{ print "TAP " $2 }'
  read -r silo _ <"$run/$1/silo"
  for pid in $(ip netns pids "$(namespace "$1")"); do
    [ "$pid" = "$silo" ] || echo "process $pid $(tr '\0' ' ' <"/proc/$pid/cmdline" 2>/dev/null | cut -c 1-120)"
  done
}
