#!/usr/bin/env bash
# Makes the pictures of docs/screens.md anew: a small team with its apps over a real engine, seen in Chromium, each
# picture reduced to 256 colours. Needs what ./test.sh needs, and ImageMagick (installed from Debian's packages).
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

command -v convert >/dev/null || { apt-get update -q && apt-get install -y -q --no-install-recommends imagemagick; }
made=$(mktemp -d)
trap 'rm -rf "$made"; eng/engine.sh down test' EXIT
eng/engine.sh up test
eval "$(eng/engine.sh env test)"
dotnet run --project Deployer.E2E -c Release -- screens "$made"
mkdir -p docs/screens
for picture in "$made"/*.png; do
  convert "$picture" -strip -dither None -colors 256 -define png:compression-level=9 "PNG8:docs/screens/$(basename "$picture")"
done
du -h docs/screens
