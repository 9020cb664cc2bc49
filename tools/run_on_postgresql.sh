#!/usr/bin/env bash
# usage: tools/run_on_postgresql.sh TEST_PROGRAM [ARGUMENTS]
# Runs a room's tests with every database of theirs on a PostgreSQL server that the program starts for itself.
set -eu
if ! ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1; then
  echo "SKIPPED: there is no PostgreSQL here; install the Debian package postgresql" >&2
  [ "${HOLDFAST_NO_SKIP:-}" != 1 ] || exit 1
  exit 77
fi
HOLDFAST_TEST_ENGINE=postgresql exec "$@"
