#!/usr/bin/env bash
# usage: tools/build_ui.sh     Builds the pages of ui/ into build/ui/dist, which src/page embeds. Does nothing, and needs
# no network, when their sources have not changed.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
. tools/stages.sh

digest=$(find ui -path ui/node_modules -prune -o -type f -print0 | LC_ALL=C sort -z | xargs -0 sha256sum | sha256sum | cut -d' ' -f1)
if [ -f build/ui/dist/index.html ] && [ "$(cat build/ui/.stamp 2>/dev/null)" = "$digest" ]; then
  say "build/ui/dist: up to date"
  exit
fi
[ -x ui/node_modules/.bin/vite ] || die "ui/node_modules is missing: tools/setup.sh run installs it."
mkdir -p build/ui
rm -f build/ui/.stamp
(cd ui && run node_modules/.bin/vite build --logLevel warn) || die "the pages could not be built"
echo "$digest" >build/ui/.stamp
say "build/ui/dist: $(du -sh build/ui/dist | cut -f1)"
