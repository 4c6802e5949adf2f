#!/bin/sh
# A small web server whose bad habits are set by variables: PORT, VERSION, BOOT_DELAY (seconds before it listens),
# DRAIN (seconds between SIGTERM and its end), FAIL_HEALTH=1.
PORT=${PORT:-8080}
echo "web $VERSION starting on port $PORT"
mkdir -p /www
echo "$VERSION" >/www/version
[ -e /www/index.html ] || echo "hello from $VERSION" >/www/index.html
server=
trap 'echo "SIGTERM, draining ${DRAIN:-1}s" >&2; sleep "${DRAIN:-1}"; [ -z "$server" ] || kill "$server"; echo bye; exit 0' TERM INT
sleep "${BOOT_DELAY:-0}"
[ "${FAIL_HEALTH:-0}" = 1 ] || echo ok >/www/healthz
httpd -f -p "$PORT" -h /www &
server=$!
echo "listening"
while :; do
  wait "$server" && exit 0
  kill -0 "$server" 2>/dev/null || exit 1
done
