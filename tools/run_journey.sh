#!/usr/bin/env bash
# usage: tools/run_journey.sh FILE     runs one journey of tests/journeys against build/holdfast in a folder of its own.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
file=$1
data=$(mktemp -d "${TMPDIR:-/tmp}/holdfast-journey-XXXXXX")
trap 'rm -rf "$data"' EXIT
program=${HOLDFAST_PROGRAM:-build/holdfast}
[ -x "$program" ] || { echo "$program is not built: ./dev build"; exit 1; }
case $file in
  *.py) build/env/bin/python "$file" --program "$program" --data "$data/data" --once ;;
  *.sh) bash "$file" "$program" "$data/data" ;;
esac
