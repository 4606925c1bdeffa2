#!/bin/bash
# Builds the Redis guest as a blueprint folder: manifest.json, kernel, initramfs, disk.
# Runs as root on Debian or Ubuntu (x86_64) and needs nothing but the configured apt sources and the .NET SDK.
set -euo pipefail
shopt -s inherit_errexit

usage() {
  cat <<'TEXT'
Usage: build.sh OUTPUT_FOLDER

Builds a small Redis guest from the distribution's packages. Does nothing when OUTPUT_FOLDER already holds what would be built.

Environment:
  GUEST_CACHE    where published agents are kept (default: /var/cache/architekt/guest)
  GUEST_AGENTS   folder with architekt-agent and architekt-liveness to use as they are, instead of publishing them
  GUEST_KERNEL   kernel package to use (default: linux-image-cloud-amd64, else linux-image-virtual)
  GUEST_REDIS    "download" takes Redis from the package even when it is installed
  GUEST_DISK_MB  size of the disk in MiB (default: 96)
TEXT
}

fail() {
  echo "build.sh: $*" >&2
  exit 1
}

case "${1:-}" in
  -h | --help) usage; exit 0 ;;
  "" | -*) usage >&2; exit 2 ;;
esac
[ $# -eq 1 ] || { usage >&2; exit 2; }
[ "$(id -u)" -eq 0 ] || fail "must run as root: it makes a file system whose files belong to root."
[ "$(dpkg --print-architecture 2>/dev/null)" = amd64 ] || fail "needs Debian or Ubuntu on x86_64."

readonly here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
readonly repository=$(cd "$here/../.." && pwd)
readonly output=$(realpath -m "$1")
readonly cache=${GUEST_CACHE:-/var/cache/architekt/guest}
readonly disk_mb=${GUEST_DISK_MB:-96}
readonly modules=(virtio_pci virtio_mmio virtio_blk virtio_net virtio_console virtio_rng ext4 button evdev)

require_tools() {
  local missing=() tool package
  while read -r tool package; do
    command -v "$tool" >/dev/null || missing+=("$package")
  done <<'TOOLS'
cpio cpio
gzip gzip
mke2fs e2fsprogs
debugfs e2fsprogs
modprobe kmod
depmod kmod
flock util-linux
zstd zstd
xz xz-utils
TOOLS
  if [ -z "${GUEST_AGENTS:-}" ]; then
    command -v clang >/dev/null || missing+=(clang)
    command -v ld.lld >/dev/null || missing+=(lld)
    [ -e /usr/include/zlib.h ] || missing+=(zlib1g-dev)
    command -v dotnet >/dev/null || fail "the .NET SDK is missing: see https://dotnet.microsoft.com/download."
  fi
  [ ${#missing[@]} -eq 0 ] || fail "tools are missing: apt-get install $(printf '%s\n' "${missing[@]}" | sort -u | tr '\n' ' ')"
}

candidate() {
  apt-cache policy "$1" 2>/dev/null | awk '/Candidate:/ && $2 != "(none)" { print $2 }'
}

dependency() { # PACKAGE PATTERN: the first dependency whose name matches
  apt-cache depends "$1" | awk -v pattern="$2" '/^ *Depends:/ && $2 ~ pattern { print $2; exit }'
}

fetch() { # FOLDER PACKAGE...: downloads and unpacks packages
  local folder=$1
  shift
  mkdir -p "$work/debs" "$folder"
  (cd "$work/debs" && rm -f ./*.deb && apt-get -q -q -o APT::Sandbox::User=root download "$@")
  local package
  for package in "$work"/debs/*.deb; do
    dpkg -x "$package" "$folder"
  done
}

choose_kernel() { # sets kernel_package to the package that holds the kernel itself
  local name
  for name in ${GUEST_KERNEL:-linux-image-cloud-amd64 linux-image-virtual}; do
    [ -n "$(candidate "$name")" ] || continue
    kernel_package=$(dependency "$name" '^linux-image-[0-9]')
    kernel_package=${kernel_package:-$name}
    return
  done
  fail "no kernel package: apt knows neither linux-image-cloud-amd64 nor linux-image-virtual (is there a package index? apt-get update)."
}

publish_agents() { # sets agents to a folder with both executables, and agents_stamp to what they were made of
  if [ -n "${GUEST_AGENTS:-}" ]; then
    agents=$GUEST_AGENTS
    [ -x "$agents/architekt-agent" ] || fail "GUEST_AGENTS=$agents does not hold architekt-agent."
    [ -x "$agents/architekt-liveness" ] || fail "GUEST_AGENTS=$agents does not hold architekt-liveness."
    agents_stamp=$(cat "$agents/architekt-agent" "$agents/architekt-liveness" | sha256sum | cut -c 1-32)
    return
  fi
  agents_stamp=$(cd "$repository" && {
    dotnet --version
    find guest-agents Directory.Build.props global.json -type f \
      -not -path '*/bin/*' -not -path '*/obj/*' -print0 | sort -z | xargs -0 sha256sum
  } | sha256sum | cut -c 1-32)
  agents=$cache/agents-$agents_stamp
  [ ! -e "$agents/complete" ] || return 0
  echo "guest: publishing the agents"
  local name
  for name in Agent Liveness; do
    # Without the commit and in a folder that is always the same, so that the same sources make the same executable.
    dotnet publish "$repository/guest-agents/Architekt.$name" -c Release -r linux-x64 --artifacts-path "$cache/artifacts" \
      -p:IncludeSourceRevisionInInformationalVersion=false \
      -o "$work/agents" -nologo -v quiet --nodereuse:false -m:1 || fail "publishing Architekt.$name failed."
  done
  rm -rf "$cache"/agents-*
  mkdir -p "$agents"
  install -m 755 "$work/agents/architekt-agent" "$work/agents/architekt-liveness" "$agents/"
  touch "$agents/complete"
}

make_initramfs() { # KERNEL_ROOT VERSION BUSYBOX
  local root=$work/initramfs command file
  mkdir -p "$root"/{bin,dev,proc,sys,root,modules}
  install -m 755 "$here/initramfs/init" "$root/init"
  install -m 755 "$3" "$root/bin/busybox"
  for command in sh mount insmod usleep switch_root poweroff echo; do
    ln -s busybox "$root/bin/$command"
  done
  mknod "$root/dev/console" c 5 1
  depmod -b "$1" "$2"
  # One module at a time, each after the ones it needs; what the kernel has built in is listed as "builtin".
  for command in "${modules[@]}"; do
    modprobe -d "$1" -S "$2" --show-depends "$command" 2>/dev/null || true
  done | awk '$1 == "insmod" && !seen[$2]++ { print $2 }' | while read -r file; do
    local name
    name=$(basename "$file")
    case "$name" in
      *.zst) name=${name%.zst}; zstd -q -d -c "$file" >"$root/modules/$name" ;;
      *.xz) name=${name%.xz}; xz -d -c "$file" >"$root/modules/$name" ;;
      *.gz) name=${name%.gz}; gzip -d -c "$file" >"$root/modules/$name" ;;
      *) cp "$file" "$root/modules/$name" ;;
    esac
    echo "$name" >>"$root/modules/order"
  done
  [ -e "$root/modules/order" ] || : >"$root/modules/order"
  find "$root" -exec touch -h -d "@$epoch" {} +
  (cd "$root" && find . -print0 | LC_ALL=C sort -z | cpio --null --create --format=newc --reproducible --quiet | gzip -n -9) >"$built/initramfs"
}

find_redis() { # sets redis_root to where /usr/bin/redis-server is
  redis_root=
  if [ "${GUEST_REDIS:-}" != download ] && [ -x /usr/bin/redis-server ]; then
    return
  fi
  redis_root=$work/redis
  # What Redis needs and this machine does not have; nothing is installed.
  mkdir -p "$work/archives/partial"
  apt-get -q -q -y --no-install-recommends --download-only -o APT::Sandbox::User=root -o Dir::Cache::archives="$work/archives" \
    install redis-server redis-tools >/dev/null
  fetch "$redis_root" redis-server redis-tools
  local package
  for package in "$work"/archives/*.deb; do
    [ ! -e "$package" ] || dpkg -x "$package" "$redis_root"
  done
}

make_disk() { # BUSYBOX
  local root=$work/disk applet library libraries
  mkdir -p "$root"/{bin,sbin,usr/bin,usr/sbin,lib64,dev,proc,sys,run,tmp,root,var/lib/redis,var/lib/diskcheck,etc/architekt}
  mkdir -p "$root"/etc/architekt/{before-suspend,after-resume}.d
  cp -r "$here/disk/." "$root/"
  install -m 755 "$1" "$root/bin/busybox"
  for applet in $("$1" --list); do
    [ "$applet" = busybox ] || ln -sf /bin/busybox "$root/bin/$applet"
  done
  for applet in init poweroff reboot halt acpid; do
    ln -sf /bin/busybox "$root/sbin/$applet"
  done
  install -m 755 "$agents/architekt-agent" "$agents/architekt-liveness" "$root/usr/sbin/"

  local path
  find_redis
  path=$redis_root/usr/lib/x86_64-linux-gnu:$redis_root/lib/x86_64-linux-gnu
  install -m 755 "$redis_root/usr/bin/redis-server" "$redis_root/usr/bin/redis-cli" "$root/usr/bin/"
  libraries=$(LD_LIBRARY_PATH=$path ldd "$root/usr/bin/redis-server" "$root/usr/bin/redis-cli")
  ! grep -q 'not found' <<<"$libraries" || fail "Redis needs libraries that were not found: $(grep 'not found' <<<"$libraries" | tr '\n' ' ')"
  # All in one folder that the loader searches anyway.
  mkdir -p "$root/lib/x86_64-linux-gnu"
  awk '$2 == "=>" && $3 ~ /^\// { print $3 }' <<<"$libraries" | sort -u | while read -r library; do
    install -m 755 "$library" "$root/lib/x86_64-linux-gnu/"
  done
  install -m 755 /lib64/ld-linux-x86-64.so.2 "$root/lib64/"

  chmod 1777 "$root/tmp"
  find "$root" -exec touch -h -d "@$epoch" {} +
  # A fixed identity and fixed times: the same inputs make the same disk, and so the same package.
  E2FSPROGS_FAKE_TIME=$epoch mke2fs -q -F -t ext4 -b 4096 -m 0 -J size=4 -L redis -U 8d8f4f6e-7c1b-4a3e-9c55-6a7263686974 \
    -E hash_seed=5f0c6a1e-2b7d-4e8f-8a11-6a7263686974,lazy_itable_init=0,lazy_journal_init=0,root_owner=0:0 \
    -d "$root" "$built/disk" "${disk_mb}M" >/dev/null
  # The time of an inode's change is the one thing mke2fs copies that nobody can set on the original.
  (cd "$root" && find . -mindepth 1 -printf "set_inode_field /%P ctime @$epoch\n") >"$work/times"
  E2FSPROGS_FAKE_TIME=$epoch debugfs -w -f "$work/times" "$built/disk" >/dev/null 2>&1 || fail "debugfs could not set the times on the disk."
}

write_manifest() { # STAMP KERNEL_VERSION
  local name entries=
  for name in kernel initramfs disk; do
    entries+="${entries:+,}
    { \"name\": \"$name\", \"size\": $(stat -c %s "$built/$name"), \"sha256\": \"$(sha256sum "$built/$name" | cut -d ' ' -f 1)\" }"
  done
  cat >"$built/manifest.json" <<JSON
{
  "formatVersion": 1,
  "name": "redis",
  "kind": "blueprint",
  "architecture": "x86_64",
  "machineType": "q35",
  "cpuFeatures": [],
  "vcpus": 1,
  "memoryBytes": 268435456,
  "kernelCommandLine": "console=ttyS0 quiet panic=-1",
  "agentPorts": { "liveness": "org.architekt.liveness", "agent": "org.architekt.agent" },
  "entries": [$entries
  ],
  "createdAt": "$(date -u -d "@$epoch" +%Y-%m-%dT%H:%M:%SZ)",
  "labels": { "stamp": "$1", "kernel": "$2" }
}
JSON
}

require_tools
mkdir -p "$cache"
exec 9>"$cache/lock"
flock 9

work=$(mktemp -d "${TMPDIR:-/tmp}/architekt-guest.XXXXXX")
trap 'rm -rf "$work" "${built:-$work}"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

[ -n "$(candidate busybox-static)" ] || apt-get -q -q update || fail "apt-get update failed, and there is no package index yet."
kernel_package=''
agents=''
agents_stamp=''
redis_root=''
choose_kernel
publish_agents
stamp=$({
  echo "$agents_stamp $disk_mb $kernel_package $(candidate "$kernel_package") $(candidate busybox-static)"
  if [ "${GUEST_REDIS:-}" != download ] && [ -x /usr/bin/redis-server ]; then
    sha256sum </usr/bin/redis-server
  else
    candidate redis-server
  fi
  cd "$here" && find . -type f -print0 | sort -z | xargs -0 sha256sum
} | sha256sum | cut -c 1-32)
if grep -q "\"stamp\": \"$stamp\"" "$output/manifest.json" 2>/dev/null && [ -s "$output/kernel" ] && [ -s "$output/initramfs" ] && [ -s "$output/disk" ]; then
  echo "guest: $output is up to date"
  exit 0
fi
[ ! -e "$output" ] || [ -e "$output/manifest.json" ] || [ -z "$(ls -A "$output")" ] || fail "$output is not empty and holds no blueprint; it is left alone."

echo "guest: building from $kernel_package"
mkdir -p "$(dirname "$output")"
built=$(mktemp -d "$output.building.XXXXXX")
fetch "$work/busybox" busybox-static
busybox=$work/busybox/bin/busybox
[ -x "$busybox" ] || busybox=$work/busybox/usr/bin/busybox
packages=("$kernel_package")
extra=$(dependency "$kernel_package" '^linux-modules-[0-9]')
[ -z "$extra" ] || packages+=("$extra")
fetch "$work/kernel" "${packages[@]}"
kernel=$(echo "$work"/kernel/boot/vmlinuz-*)
[ -f "$kernel" ] || fail "$kernel_package holds no boot/vmlinuz."
version=${kernel##*/vmlinuz-}
[ -d "$work/kernel/lib" ] || ln -s usr/lib "$work/kernel/lib"
epoch=${SOURCE_DATE_EPOCH:-$(stat -c %Y "$kernel")}
install -m 644 "$kernel" "$built/kernel"
make_initramfs "$work/kernel" "$version" "$busybox"
make_disk "$busybox"
write_manifest "$stamp" "$version"
chmod 755 "$built"
rm -rf "$output"
mv -T "$built" "$output"
echo "guest: built $output ($(du -sh "$output" | cut -f 1))"
