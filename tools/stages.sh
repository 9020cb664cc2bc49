# Sourced by ./dev and tools/setup.sh: every command is printed before it runs, every stage is timed.

say() { printf '%s\n' "$*"; }

die() {
  printf '\n%s\n' "$*" >&2
  exit 1
}

# Prints a command as one could type it, then runs it.
run() {
  printf '$'
  printf ' %q' "$@"
  printf '\n'
  "$@"
}

# stage NAME MINUTES COMMAND…: runs it, prints how long it took. Beyond MINUTES it says so; beyond four times that it is
# a failure where HOLDFAST_BUDGETS=1 (CI): a cold compiler cache doubles a build, and so does a slower processor.
stage_names=() stage_seconds=()
stage() {
  local name=$1 minutes=$2 began=$SECONDS took
  shift 2
  printf '\n== %s (budget %s min)\n' "$name" "$minutes"
  "$@" || die "$name failed after $((SECONDS - began)) s."
  took=$((SECONDS - began))
  stage_names+=("$name") stage_seconds+=("$took")
  printf '== %s: %d s\n' "$name" "$took"
  check_budget "$name" "$minutes" "$took"
}

check_budget() {
  local name=$1 minutes=$2 took=$3
  [ "$took" -le $((minutes * 60)) ] && return 0
  if [ "${HOLDFAST_BUDGETS:-0}" = 1 ] && [ "$took" -gt $((minutes * 240)) ]; then
    die "$name took $took s, its budget is $((minutes * 60)) s: make it faster, or argue for a larger budget in ./dev."
  fi
  say "   OVER ITS BUDGET of $((minutes * 60)) s; CI fails beyond four times that."
}

print_stages() {
  local i
  say ""
  for i in "${!stage_names[@]}"; do printf '   %-44s %5d s\n' "${stage_names[$i]}" "${stage_seconds[$i]}"; done
}

# Half the memory of a sanitized link or a heavy translation unit is about a gigabyte: no more jobs than fit.
job_count() {
  local cores memory_gib
  [ -n "${HOLDFAST_JOBS:-}" ] && { echo "$HOLDFAST_JOBS"; return; }
  cores=$(nproc)
  memory_gib=$(awk '/MemAvailable/ {print int($2 / 1048576)}' /proc/meminfo)
  [ "$memory_gib" -lt 2 ] && memory_gib=2
  echo $((cores < memory_gib / 2 ? cores : memory_gib / 2))
}
