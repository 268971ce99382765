#!/usr/bin/env bash
# Builds the web console into console/dist, when something it is made of has changed since. The new build takes the place of
# the old one in one step, so that a control plane that is running never finds half of it.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
PATH=$PWD/.tools/node_modules/.bin:$PWD/node_modules/.bin:$PATH

# The stamp lies in the build itself: `make clean` takes both.
made_of() {
  { find console/src core/src domains/src -type f -print0; printf '%s\0' console/index.html console/vite.config.ts console/package.json package-lock.json deploy/dev/build-console.sh deploy/dev/compress-files.ts; } |
    LC_ALL=C sort -z | xargs -0 sha256sum | sha256sum
}

is_built() { [[ -f console/dist/index.html && -f console/dist/.stamp && $(<console/dist/.stamp) == "$(made_of)" ]]; }

if is_built; then exit 0; fi
mkdir -p node_modules/.cache
exec 9>node_modules/.cache/console-build.lock
flock 9
if is_built; then exit 0; fi

echo 'bootstrap: building the console' >&2
stamp=$(made_of)
fresh=$PWD/node_modules/.cache/console-dist-new
old=$PWD/node_modules/.cache/console-dist-old
rm -rf "$fresh" "$old"
trap 'rm -rf "$fresh" "$old"' EXIT
# Whoever calls: a build for a browser is never one for tests.
if ! NODE_ENV=production vite build console --config console/vite.config.ts --outDir "$fresh" --emptyOutDir --logLevel error >node_modules/.cache/console-build.log 2>&1; then
  tail -n 20 node_modules/.cache/console-build.log >&2
  echo 'bootstrap: the console could not be built (all of it is in node_modules/.cache/console-build.log)' >&2
  exit 1
fi
node deploy/dev/compress-files.ts "$fresh/assets"
echo "$stamp" >"$fresh/.stamp"
if [[ -d console/dist ]]; then mv -T console/dist "$old"; fi
mv -T "$fresh" console/dist
