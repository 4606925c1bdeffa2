#!/bin/sh
# Builds the Docker image architekt-postgres:local from Debian packages, for machines that reach no registry. Elsewhere postgres:17
# does as well. What exists already is kept; --force builds anew.
#
#   sudo ./compose/postgres/build-image.sh [--force]
#
# DEBIAN_MIRROR and DEBIAN_SUITE choose where packages come from; by default, where this machine's own come from.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
. "$here/../docker.sh"

image=architekt-postgres:local
base=architekt-postgres-base:local

force=
[ "${1:-}" = --force ] && force=yes

docker_start

# The label tells whether these very files are what the image was built from.
recipe=$(cat "$here/Dockerfile" "$here/entrypoint.sh" "$here/build-image.sh" | sha256sum | cut -d' ' -f1)
if [ -z "$force" ] && [ "$(docker image inspect --format '{{index .Config.Labels "architekt.recipe"}}' "$image" 2>/dev/null || true)" = "$recipe" ]; then
  echo "$image is up to date."
  exit 0
fi

if [ -n "$force" ] || ! docker image inspect "$base" >/dev/null 2>&1; then
  if [ "$(id -u)" -ne 0 ]; then
    echo "debootstrap needs root; run this with sudo." >&2
    exit 1
  fi
  if ! command -v debootstrap >/dev/null 2>&1; then
    echo "There is no debootstrap here: install it with 'apt-get install debootstrap'." >&2
    exit 1
  fi

  suite=${DEBIAN_SUITE:-bookworm}
  mirror=${DEBIAN_MIRROR:-}
  if [ -z "$mirror" ]; then
    # An Ubuntu machine's mirror has no Debian on it.
    mirror=$(apt-get indextargets --format '$(ORIGIN) $(SUITE) $(CODENAME) $(REPO_URI)' 2>/dev/null \
      | awk -v suite="$suite" '$1 == "Debian" && ($2 == suite || $3 == suite) && $NF !~ /security/ { print $NF; exit }')
    mirror=${mirror:-http://deb.debian.org/debian}
  fi

  work=$(mktemp -d)
  trap 'rm -rf "$work"' EXIT
  trap 'exit 130' INT TERM

  echo "Installing Debian $suite with PostgreSQL from $mirror ..."
  # The packages' own scripts would create a cluster nobody wants.
  debootstrap --variant=minbase --include=ca-certificates,postgresql-common "$suite" "$work/root" "$mirror" >"$work/log" 2>&1 || {
    tail -n 20 "$work/log" >&2
    exit 1
  }
  sed -i 's/^#\?create_main_cluster.*/create_main_cluster = false/' "$work/root/etc/postgresql-common/createcluster.conf"
  [ -f /etc/apt/apt.conf ] && cp /etc/apt/apt.conf "$work/root/etc/apt/apt.conf"
  cp -L /etc/resolv.conf "$work/root/etc/resolv.conf" 2>/dev/null || true
  DEBIAN_FRONTEND=noninteractive chroot "$work/root" apt-get install --yes --quiet --no-install-recommends postgresql >>"$work/log" 2>&1 || {
    tail -n 20 "$work/log" >&2
    exit 1
  }
  rm -rf "$work/root/var/cache/apt/archives" "$work/root/var/lib/apt/lists" "$work/root/usr/share/doc" "$work/root/usr/share/man"
  tar --directory "$work/root" --create --one-file-system . | docker import - "$base" >/dev/null
fi

DOCKER_BUILDKIT=${DOCKER_BUILDKIT:-0} docker build --quiet --build-arg "BASE=$base" --label "architekt.recipe=$recipe" --tag "$image" "$here"
echo "$image is ready."
