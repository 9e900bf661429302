#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Sees to it that axe-core, which judges whether everybody can use a page, is in the user's cache: for a test
# of HTML reports. Needs npm and network where it is not there yet.
set -euo pipefail

cache=${XDG_CACHE_HOME:-$HOME/.cache}/steelyard
[[ ! -e $cache/node_modules/axe-core/axe.min.js ]] || exit 0
if ! command -v npm >/dev/null; then
  echo "axe_core.sh: there is no npm; install it (package npm), then try again" >&2
  exit 2
fi
mkdir -p "$cache"
npm install --silent --no-audit --no-fund --prefix "$cache" axe-core@4.14.1 >&2
