#!/usr/bin/env bash
# usage: tools/check_ui.sh     Types and accessibility of the pages, as svelte-check sees them. 77 when it is not installed.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../ui"
if [ ! -x node_modules/.bin/svelte-check ]; then
  echo "ui/node_modules is missing: tools/setup.sh installs it"
  [ "${HOLDFAST_NO_SKIP:-0}" = 1 ] && exit 1 || exit 77
fi
exec node_modules/.bin/svelte-check --tsconfig ./tsconfig.json --fail-on-warnings
