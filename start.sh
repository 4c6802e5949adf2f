#!/usr/bin/env bash
# Builds Deployer and starts it; arguments go to the app: ./start.sh --urls http://127.0.0.1:9000
# The engine is the one of Engine:Endpoint or DOCKER_HOST, else the one at the default socket, else a private one that
# this script brings up (eng/engine.sh), together with a sample app that needs no network.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"

# shellcheck source=eng/sdk.sh
. eng/sdk.sh
require_sdk .

default_socket=/var/run/docker.sock

endpoint_is_set() {
  [ -z "${Engine__Endpoint:-}${DOCKER_HOST:-}" ] || return 0
  [[ " $* " != *Engine:Endpoint* ]] || return 0
  grep -Eq '"Endpoint" *: *"[^"]' appsettings.json
}

default_engine_answers() {
  [ -S $default_socket ] || return 1
  # A socket may outlive its engine; without a client to ask with, its presence has to do.
  if command -v curl >/dev/null; then
    curl --silent --fail --max-time 5 --unix-socket $default_socket http://engine/_ping >/dev/null
  elif command -v docker >/dev/null; then
    DOCKER_HOST=unix://$default_socket timeout 5 docker version >/dev/null 2>&1
  fi
}

if endpoint_is_set "$@"; then
  : # the app says so when it does not answer
elif ! default_engine_answers; then
  echo "No engine answers at $default_socket: starting a private one."
  eng/engine.sh up dev
  settings=$(eng/engine.sh env dev)
  eval "$settings"
  echo "It goes on running, with what you deployed, when Deployer ends; eng/engine.sh down stops it."
fi

published=artifacts/deployer
stamp=$published/published

sources_changed() {
  [ -e $stamp ] || return 0
  # A deleted file shows by its directory.
  [ -n "$(find Deployer.Core Deployer.Web appsettings.json global.json Directory.*.props \
    \( -name bin -o -name obj \) -prune -o -newer $stamp -print -quit)" ]
}

if sources_changed; then
  echo "Building Deployer ..."
  mkdir -p $published
  touch $published/started
  # Published, because outside of development the static assets of packages are served from there. No build server is
  # left behind.
  DOTNET_NOLOGO=1 DOTNET_CLI_TELEMETRY_OPTOUT=1 MSBUILDDISABLENODEREUSE=1 UseSharedCompilation=false \
    dotnet publish Deployer.Web --configuration Release --output $published --verbosity quiet
  mv $published/started $stamp
fi

# The app keeps its data beside itself unless told otherwise, and what is published here may be deleted at any time.
if [ -z "${Data__Directory:-}" ] && grep -Eq '"Directory" *: *"data"' appsettings.json; then
  export Data__Directory=$PWD/data
fi
exec dotnet $published/Deployer.Web.dll "$@"
