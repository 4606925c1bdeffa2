#!/bin/sh
# First start: a cluster with one superuser and one database, as the environment says. Then Postgres itself, as process 1.
set -eu

PATH=$(ls -d /usr/lib/postgresql/*/bin | sort -V | tail -n 1):$PATH
export PATH

if [ "$(id -u)" -eq 0 ]; then
  mkdir -p "$PGDATA" /run/postgresql
  chown postgres:postgres "$PGDATA" /run/postgresql
  chmod 0700 "$PGDATA"
  exec setpriv --reuid postgres --regid postgres --init-groups "$0" "$@"
fi

# As with the official image: options alone are for the server, anything else is a command of its own.
case ${1:-} in
  postgres) shift ;;
  -* | "") ;;
  *) exec "$@" ;;
esac

if [ ! -s "$PGDATA/PG_VERSION" ]; then
  user=${POSTGRES_USER:-postgres}
  database=${POSTGRES_DB:-$user}
  if [ -z "${POSTGRES_PASSWORD:-}" ]; then
    echo "Set POSTGRES_PASSWORD: the server listens on the network and does not start without a password." >&2
    exit 1
  fi

  password=$(mktemp)
  printf '%s' "$POSTGRES_PASSWORD" >"$password"
  initdb --pgdata "$PGDATA" --username "$user" --pwfile "$password" --auth-local trust --auth-host scram-sha-256 --encoding UTF8 --locale C.UTF-8
  rm -f "$password"
  echo "host all all all scram-sha-256" >>"$PGDATA/pg_hba.conf"

  # The database is made before the server can be reached from outside, so that whoever reaches it finds it.
  if [ "$database" != postgres ]; then
    pg_ctl --pgdata "$PGDATA" --wait --options "-c listen_addresses='' -c unix_socket_directories=/run/postgresql -c logging_collector=off" start
    psql --host /run/postgresql --username "$user" --dbname postgres --set ON_ERROR_STOP=1 --quiet \
      --set name="$database" <<'SQL'
CREATE DATABASE :"name";
SQL
    pg_ctl --pgdata "$PGDATA" --wait --mode fast stop
  fi
fi

exec postgres -D "$PGDATA" -c listen_addresses='*' -c unix_socket_directories=/run/postgresql "$@"
