#!/usr/bin/env bash
# usage: tools/run_fuzz.sh NAME        runs build/fuzz/bin/NAME_fuzz for HOLDFAST_FUZZ_SECONDS (default 10) from its
# committed corpus. New inputs go to build/fuzz/found/NAME, so a longer run goes on from an earlier one; a crash is
# kept in build/fuzz/crashes/ and the command that shows it again is printed. Exit 77: the target is not built.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
name=$1
seconds=${HOLDFAST_FUZZ_SECONDS:-10}
program=build/fuzz/bin/${name}_fuzz
corpus=tests/golden/fuzz/$name
if [ ! -x "$program" ]; then
  echo "SKIPPED: $program is not built; ./dev build fuzz makes it"
  exit $((${HOLDFAST_NO_SKIP:-0} ? 1 : 77))
fi
found=build/fuzz/found/$name
crashes=build/fuzz/crashes
mkdir -p "$found" "$crashes"
log=$found.log
echo "\$ $program $found $corpus -max_total_time=$seconds"
if ! "$program" "$found" "$corpus" -max_total_time="$seconds" -timeout=10 -rss_limit_mb=2048 -print_final_stats=1 \
    -artifact_prefix="$crashes/$name-" >"$log" 2>&1; then
  tail -60 "$log"
  echo "FAILED: $name. Show it again with: $program $crashes/$name-…   Then add the input to $corpus/ under a name that says what it is."
  exit 1
fi
runs=$(sed -n 's/^stat::number_of_executed_units: *//p' "$log")
echo "$name: ${runs:-0} inputs tried in $seconds s, no crash"
[ "${runs:-0}" -gt 0 ]
