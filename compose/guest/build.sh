#!/bin/bash
# Builds the Redis guest: an OCI image out of the distribution's packages, and of it a blueprint, with "fabric blueprint build".
# Runs on Debian or Ubuntu (x86_64) and needs nothing but the configured apt sources and the published command.
set -euo pipefail
shopt -s inherit_errexit

usage() {
  cat <<'TEXT'
Usage: build.sh OUTPUT_FOLDER
       build.sh --image OUTPUT_FOLDER

Builds the blueprint of a small Redis guest, or only its image as an OCI layout. Does nothing when OUTPUT_FOLDER already holds what would be built.

Environment:
  FABRIC_CLI    folder of the published command (default: out/cli in the repository)
  GUEST_KERNEL  kernel package to use (default: what "fabric blueprint build" takes)
TEXT
}

fail() {
  echo "build.sh: $*" >&2
  exit 1
}

wants_image=false
case "${1:-}" in
  -h | --help) usage; exit 0 ;;
  --image) wants_image=true; shift ;;
esac
case "${1:-}" in
  "" | -*) usage >&2; exit 2 ;;
esac
[ $# -eq 1 ] || { usage >&2; exit 2; }
[ "$(id -u)" -eq 0 ] || fail "must run as root: apt-get downloads dependencies for nobody else."
[ "$(dpkg --print-architecture 2>/dev/null)" = amd64 ] || fail "needs Debian or Ubuntu on x86_64."

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
output=$(realpath -m "$1")
command=${FABRIC_CLI:-$here/../../out/cli}/fabric.dll
readonly here output command
readonly packages=(redis-server redis-tools busybox-static)
readonly kernels=(${GUEST_KERNEL:-linux-image-cloud-amd64 linux-image-virtual})
# shellcheck source-path=SCRIPTDIR source=options.sh
. "$here/options.sh"
export DOTNET_NOLOGO=1 DOTNET_SYSTEM_GLOBALIZATION_INVARIANT=1
umask 022

require_tools() {
  local missing=() tool package
  while read -r tool package; do
    command -v "$tool" >/dev/null || missing+=("$package")
  done <<'TOOLS'
jq jq
gzip gzip
flock util-linux
mke2fs e2fsprogs
modprobe kmod
xz xz-utils
TOOLS
  [ ${#missing[@]} -eq 0 ] || fail "tools are missing: apt-get install $(printf '%s\n' "${missing[@]}" | sort -u | tr '\n' ' ')"
  $wants_image || [ -e "$command" ] || fail "there is no $command: publish client/Architekt.Fabric.Cli, and name its folder in FABRIC_CLI."
}

candidates() { # PACKAGE...: the versions apt would take
  apt-cache policy "$@" 2>/dev/null | awk '/^[^ ]/ { name = $1 } /Candidate:/ && $2 != "(none)" { print name, $2 }'
}

download() { # FOLDER: the packages and all they depend on, as for a system that has none yet; nothing is installed
  mkdir -p "$1/partial"
  : >"$1/status"
  apt-get -q -q -y --no-install-recommends --download-only -o APT::Sandbox::User=root -o Debug::NoLocking=1 \
    -o Dir::State::status="$1/status" -o Dir::Cache::archives="$1" install "${packages[@]}" >/dev/null
}

first_file() { # PATH...: some releases have everything beneath /usr
  local path
  for path in "$@"; do
    [ ! -f "$path" ] || { echo "$path"; return; }
  done
  fail "the packages hold none of: $*"
}

# --- Layers -------------------------------------------------------------------------------------------------------------

redis_layer() { # ROOT: Redis and the libraries it needs, all from the packages
  local system=$work/system libraries loader package
  for package in "$work"/packages/*.deb; do
    dpkg -x "$package" "$system"
  done
  mkdir -p "$1"/{usr/bin,lib/x86_64-linux-gnu,lib64,var/lib/redis}
  install -m 755 "$system"/usr/bin/redis-{server,cli} "$1/usr/bin/"
  # One program under two names, as in the packages.
  ln -s redis-server "$1/usr/bin/redis-check-aof"
  loader=$(first_file "$system"/{,usr/}lib/x86_64-linux-gnu/ld-linux-x86-64.so.2)
  # Of the packages' own libraries: this machine's may be others.
  libraries=$("$loader" --library-path "$system/usr/lib/x86_64-linux-gnu:$system/lib/x86_64-linux-gnu" --list "$1/usr/bin/redis-server")
  install -m 755 "$loader" "$1/lib64/ld-linux-x86-64.so.2"
  awk '$2 == "=>" && $3 ~ /^\// { print $3 }' <<<"$libraries" | sort -u | while read -r library; do
    install -m 755 "$library" "$1/lib/x86_64-linux-gnu/"
  done
}

busybox_layer() { # ROOT: everything else a system has
  local busybox applet
  mkdir -p "$1"/{bin,sbin,usr/bin,usr/sbin,root}
  busybox=$(first_file "$work"/system/{,usr/}bin/busybox)
  install -m 755 "$busybox" "$1/bin/busybox"
  for applet in $("$busybox" --list); do
    [ "$applet" = busybox ] || ln -s busybox "$1/bin/$applet"
  done
}

configuration_layer() { # ROOT
  mkdir -p "$1"/{var/lib/diskcheck,etc/architekt/before-suspend.d,etc/architekt/after-resume.d}
  cp -r "$here/image/." "$1/"
}

# --- The image (image-spec: image-layout.md, manifest.md, config.md) ------------------------------------------------------

blob() { # FILE TYPE: moves a file among the blobs and prints its descriptor
  local digest
  digest=$(sha256sum "$1" | cut -d ' ' -f 1)
  mv "$1" "$built/blobs/sha256/$digest"
  jq -cn --arg type "$2" --arg digest "sha256:$digest" --argjson size "$(stat -c %s "$built/blobs/sha256/$digest")" \
    '{ mediaType: $type, $digest, $size }'
}

build_image() {
  local layer root epoch created
  mkdir -p "$built/blobs/sha256"
  download "$work/packages"
  for layer in redis busybox configuration; do
    root=$work/$layer
    mkdir "$root"
    "${layer}_layer" "$root"
    # The time of what the packages hold: the same packages make the same image.
    epoch=${SOURCE_DATE_EPOCH:-$(stat -L -c %Y "$work/system/usr/bin/redis-server")}
    tar --sort=name --mtime="@$epoch" --owner=0 --group=0 --numeric-owner --format=ustar -C "$root" -cf "$work/layer" .
    echo "sha256:$(sha256sum "$work/layer" | cut -d ' ' -f 1)" >>"$work/diff_ids"
    gzip -n "$work/layer"
    blob "$work/layer.gz" application/vnd.oci.image.layer.v1.tar+gzip >>"$work/layers"
  done
  created=$(date -u -d "@$epoch" +%Y-%m-%dT%H:%M:%SZ)
  jq -cn --arg created "$created" --rawfile ids "$work/diff_ids" '{
    $created, architecture: "amd64", os: "linux",
    config: { Entrypoint: ["/usr/sbin/start"], Env: ["PATH=/usr/sbin:/usr/bin:/sbin:/bin"], WorkingDir: "/var/lib/redis", ExposedPorts: { "6379/tcp": {} } },
    rootfs: { type: "layers", diff_ids: ($ids | split("\n") | map(select(. != ""))) } }' >"$work/config"
  jq -cn --argjson config "$(blob "$work/config" application/vnd.oci.image.config.v1+json)" --slurpfile layers "$work/layers" \
    '{ schemaVersion: 2, mediaType: "application/vnd.oci.image.manifest.v1+json", $config, $layers }' >"$work/manifest"
  blob "$work/manifest" application/vnd.oci.image.manifest.v1+json |
    jq -c '{ schemaVersion: 2, manifests: [. + {
      platform: { architecture: "amd64", os: "linux" }, annotations: { "org.opencontainers.image.ref.name": "latest" } }] }' >"$built/index.json"
  echo '{"imageLayoutVersion":"1.0.0"}' >"$built/oci-layout"
}

# --- Once, and again when something it is made of has changed ---------------------------------------------------------------

require_tools
[ -n "$(candidates busybox-static)" ] || apt-get -q -q update || fail "apt-get update failed, and there is no package index yet."
mkdir -p "$(dirname "$output")"
# The folder around it, so that no lock file is left beside it.
exec 9<"$(dirname "$output")"
flock 9
stamp=$({
  candidates "${packages[@]}" libc6
  cd "$here" && find build.sh options.sh image -type f -print0 | sort -z | xargs -0 sha256sum
  $wants_image || {
    candidates "${kernels[@]}"
    cd "$(dirname "$command")" && sha256sum Architekt.Fabric.Blueprints.dll Architekt.InitConfiguration.dll guest/*
  }
} | sha256sum | cut -c 1-32)
if [ "$(cat "$output/.stamp" 2>/dev/null)" = "$stamp" ]; then
  echo "guest: $output is up to date"
  exit 0
fi
for marker in manifest.json oci-layout; do
  [ ! -e "$output/$marker" ] || break
done
[ ! -e "$output" ] || [ -e "$output/$marker" ] || [ -z "$(ls -A "$output")" ] || fail "$output is not empty and holds nothing of this script; it is left alone."

work=$(mktemp -d "${TMPDIR:-/tmp}/architekt-guest.XXXXXX")
trap 'rm -rf "$work" "${built:-$work}"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM
built=$(mktemp -d "$output.building.XXXXXX")
if $wants_image; then
  build_image
else
  "${BASH_SOURCE[0]}" --image "$work/image" >/dev/null
  dotnet "$command" blueprint build "$work/image" "$built/blueprint" "${blueprint_options[@]}" ${GUEST_KERNEL:+--kernel "$GUEST_KERNEL"} -q >/dev/null
  mv "$built"/blueprint/* "$built/"
  rmdir "$built/blueprint"
fi
echo "$stamp" >"$built/.stamp"
chmod 755 "$built"
rm -rf "$output"
mv -T "$built" "$output"
echo "guest: built $output ($(du -sh "$output" | cut -f 1))"
