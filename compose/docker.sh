# Functions for scripts that need a Docker daemon; to be sourced.
#
#   . "$(dirname "$0")/docker.sh"
#   docker_start      # starts a daemon if none answers
#   docker_stop       # ends the daemon if, and only if, docker_start of this state folder has started it
#
# The state folder, /run/architekt-docker unless DOCKER_STATE says otherwise, holds the daemon's log and who it is.

DOCKER_STATE=${DOCKER_STATE:-/run/architekt-docker}

docker_answers() {
  docker version --format '{{.Server.Version}}' >/dev/null 2>&1
}

# A process id alone may have been given to somebody else since; with its start time (field 22 of /proc/PID/stat) it cannot.
docker__start_time() {
  sed 's/^.*) //' "/proc/$1/stat" 2>/dev/null | cut -d' ' -f20
}

docker_start() {
  if docker_answers; then
    return 0
  fi
  if ! command -v dockerd >/dev/null 2>&1; then
    echo "There is no Docker daemon here: install one with 'apt-get install docker.io'." >&2
    return 1
  fi
  if [ "$(id -u)" -ne 0 ]; then
    echo "No Docker daemon answers, and only root can start one." >&2
    return 1
  fi

  mkdir -p "$DOCKER_STATE"
  setsid dockerd >"$DOCKER_STATE/dockerd.log" 2>&1 </dev/null &
  docker__pid=$!
  echo "$docker__pid $(docker__start_time "$docker__pid")" >"$DOCKER_STATE/dockerd.started"

  docker__left=300
  until docker_answers; do
    docker__left=$((docker__left - 1))
    if [ "$docker__left" -eq 0 ] || ! kill -0 "$docker__pid" 2>/dev/null; then
      echo "The Docker daemon did not come up; the end of $DOCKER_STATE/dockerd.log:" >&2
      tail -n 5 "$DOCKER_STATE/dockerd.log" >&2
      docker_stop
      return 1
    fi
    sleep 0.1
  done
}

docker_stop() {
  [ -f "$DOCKER_STATE/dockerd.started" ] || return 0
  read -r docker__pid docker__since <"$DOCKER_STATE/dockerd.started"
  if [ -n "$docker__since" ] && [ "$(docker__start_time "$docker__pid")" = "$docker__since" ]; then
    kill "$docker__pid"
    while [ "$(docker__start_time "$docker__pid")" = "$docker__since" ]; do
      sleep 0.1
    done
  fi
  rm -f "$DOCKER_STATE/dockerd.started"
}
