#!/bin/bash
# Publishes the guest's own programs (architekt-init, -agent, -liveness) into a folder, such as "guest" beside the published command.
# The same sources make the same executables, and so the same blueprints.
set -euo pipefail
shopt -s inherit_errexit

usage() {
  cat <<'TEXT'
Usage: programs.sh FOLDER

Does nothing when FOLDER already holds what would be published. Needs the .NET SDK, clang, lld and zlib1g-dev.

Environment:
  GUEST_CACHE  where published programs are kept (default: /var/cache/architekt/guest)
TEXT
}

fail() {
  echo "programs.sh: $*" >&2
  exit 1
}

case "${1:-}" in
  -h | --help) usage; exit 0 ;;
  "" | -*) usage >&2; exit 2 ;;
esac
[ $# -eq 1 ] || { usage >&2; exit 2; }

repository=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
output=$(realpath -m "$1")
cache=${GUEST_CACHE:-/var/cache/architekt/guest}
readonly repository output cache

require_tools() {
  local missing=()
  command -v dotnet >/dev/null || fail "the .NET SDK is missing: see https://dotnet.microsoft.com/download."
  command -v clang >/dev/null || missing+=(clang)
  command -v ld.lld >/dev/null || missing+=(lld)
  [ -e /usr/include/zlib.h ] || missing+=(zlib1g-dev)
  [ ${#missing[@]} -eq 0 ] || fail "tools are missing: apt-get install ${missing[*]}"
}

require_tools
umask 022
mkdir -p "$cache" "$output"
exec 9>"$cache/lock"
flock 9
stamp=$(cd "$repository" && {
  dotnet --version
  find guest-agents Directory.Build.props Directory.Packages.props global.json -type f \
    -not -path '*/bin/*' -not -path '*/obj/*' -print0 | sort -z | xargs -0 sha256sum
} | sha256sum | cut -c 1-32)
programs=$cache/programs-$stamp
if [ ! -e "$programs" ]; then
  echo "guest: publishing its programs"
  work=$(mktemp -d "$cache/publishing.XXXXXX")
  trap 'rm -rf "$work"' EXIT
  for name in Init Agent Liveness; do
    # Without the commit and in a folder that is always the same, so that the same sources make the same executable.
    dotnet publish "$repository/guest-agents/Architekt.$name" -c Release -r linux-x64 --artifacts-path "$cache/artifacts" \
      -p:IncludeSourceRevisionInInformationalVersion=false -p:RunAnalyzers=false -p:UseSharedCompilation=false \
      -o "$work/published" -nologo -v quiet --nodereuse:false -m:1 || fail "publishing Architekt.$name failed."
  done
  mkdir "$work/programs"
  install -m 755 "$work"/published/architekt-{init,agent,liveness} "$work/programs/"
  rm -rf "$cache"/programs-*
  mv -T "$work/programs" "$programs"
fi
for name in architekt-{init,agent,liveness}; do
  cmp -s "$programs/$name" "$output/$name" || install -m 755 "$programs/$name" "$output/"
done
