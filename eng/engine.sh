#!/usr/bin/env bash
# A private Docker engine with local registries, for trying Deployer and for its tests.
# It needs no init system and, once the packages are installed, no network. All it makes lies below one root
# directory; each process is stopped by the pid written there, after checking that the pid still is that program.
set -euo pipefail

usage() {
  cat >&2 <<'TEXT'
usage: eng/engine.sh COMMAND [PROFILE]

commands
  up        install what is missing, start the engine and its registries, build the images; repeating it is quick
  resume    start a killed engine again as its machine's init system would: its containers stay
  down      stop them; images and registry content stay on disk for the next `up`
  status    say what runs; exit code 0 when the engine does, 1 when not
  env       print, for `eval`, the variables that lead to them
  purge     down, then delete the root directory
  install   only install the packages

profiles
  dev       (default) engine and one registry with the sample image; `down` keeps the containers
  test      engine; open, password and throttled registry; images for every kind of failure; `down` removes containers
  bare      an engine alone, to be killed by a test; needs DEPLOYER_ENGINE_ROOT

environment
  DEPLOYER_ENGINE_ROOT       where everything lies (default /var/lib/deployer-engine/PROFILE)
  DEPLOYER_ENGINE_PORT       first port for the registries (default 5000, test 15000); the next free one is taken
  DEPLOYER_ENGINE_SLOW_RATE  throttled registry: bytes per second of each connection, as nginx writes it (default 5m)
  DEPLOYER_ENGINE_IPTABLES   true | false | auto (default: auto for dev, false for the others)
  DEPLOYER_ENGINE_ARGS       further arguments of dockerd
TEXT
  exit 2
}

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
command=${1:-}
profile=${2:-dev}
[ $# -le 2 ] || usage
case $command in up | resume | down | status | env | purge | install) ;; *) usage ;; esac
case $profile in dev | test) ;; bare) : "${DEPLOYER_ENGINE_ROOT:?the bare profile needs a root directory of its own}" ;; *) usage ;; esac

root=${DEPLOYER_ENGINE_ROOT:-/var/lib/deployer-engine/$profile}
socket=$root/docker.sock
endpoint=unix://$socket
registry_user=tester
registry_password=s3cret
# bcrypt of the password above, as `htpasswd -B` writes it
# shellcheck disable=SC2016 # the dollars are part of it
registry_htpasswd='tester:$2y$05$abcdefghijklmnopqrstuuLK7U1u6pVRmL7L1BBM2aS35PSZnDXlK'

export DOCKER_HOST=$endpoint DOCKER_BUILDKIT=0 DOCKER_CONFIG=$root/cli
unset DOCKER_CONTEXT DOCKER_TLS_VERIFY DOCKER_CERT_PATH
PATH=/usr/sbin:/sbin:/usr/bin:/bin:$PATH # Debian's own docker first; iptables and docker-proxy are in sbin

say() { printf 'engine (%s): %s\n' "$profile" "$*" >&2; }
die() {
  say "$*"
  exit 1
}

# ---------------------------------------------------------------------------------------------------- processes

alive() { # PROGRAM PIDFILE
  local pid
  pid=$(tr -d '[:space:]' 2>/dev/null <"$2") && [ -n "$pid" ] || return 1
  grep -qs '^State:.[^ZX]' "/proc/$pid/status" || return 1 # a zombie is gone
  # the kernel keeps 15 characters of a program's name
  [ "$(cat "/proc/$pid/comm" 2>/dev/null)" = "${1:0:15}" ]
} 2>/dev/null

stop() { # PROGRAM PIDFILE SECONDS
  if alive "$1" "$2"; then
    local pid rounds=0
    pid=$(tr -d '[:space:]' <"$2")
    kill -TERM "$pid" || true
    while alive "$1" "$2" && [ $rounds -lt $(($3 * 20)) ]; do
      sleep 0.05
      rounds=$((rounds + 1))
    done
    if alive "$1" "$2"; then
      say "$1 did not stop within $3 s and is killed"
      kill -KILL "$pid" || true
    fi
  fi
  rm -f "$2"
}

# start LOG PROGRAM...: in a session of its own, so that a Ctrl+C in this terminal does not reach it, and without the
# lock of this script (descriptor 9)
start() {
  local log=$1
  shift
  setsid nohup "$@" >>"$log" 2>&1 </dev/null 9>&- &
}

wait_until() { # TENTHS COMMAND...
  local left=$1
  shift
  until "$@"; do
    [ "$left" -gt 0 ] || return 1
    left=$((left - 1))
    sleep 0.1
  done
}

# A killed dockerd leaves its containers running below shims of ours; only dockerd would have stopped them.
stop_orphans() {
  local process pid children
  for process in /proc/[0-9]*; do
    pid=${process#/proc/}
    tr '\0' ' ' <"$process/cmdline" | grep -q "^[^ ]*containerd-shim.* -address $root/exec/" || continue
    read -r -a children <"$process/task/$pid/children" || true
    kill -KILL "${children[@]}" "$pid" || true
  done
} 2>/dev/null # what ended by itself meanwhile is no error

# ------------------------------------------------------------------------------------------------------ network

listening() { (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null; }

# claim_port NAME FIRST: the port NAME had the last time, or the first free one from FIRST on
claim_port() {
  local port
  port=$(cat "$root/$1.port" 2>/dev/null) || port=$2
  while listening "$port"; do port=$((port + 1)); done
  echo "$port" >"$root/$1.port"
}

address_of() { echo "127.0.0.1:$(cat "$root/$1.port")"; }

# Two engines in one network namespace would flush each other's iptables rules and share docker0.
other_dockerd() {
  local process
  for process in /proc/[0-9]*; do
    [ "$(cat "$process/comm" 2>/dev/null)" = dockerd ] || continue
    [ "${process#/proc/}" != "$(cat "$root/dockerd.pid" 2>/dev/null)" ] || continue
    grep -qs '^State:.[^ZX]' "$process/status" || continue
    [ "$(readlink "$process/ns/net")" = "$(readlink /proc/self/ns/net)" ] && return 0
  done
  return 1
}

# Prints true or false: may this engine write NAT rules? Without them published ports are served by docker-proxy
# alone, and containers do not reach the outside.
choose_iptables() {
  local wanted=${DEPLOYER_ENGINE_IPTABLES:-}
  [ -n "$wanted" ] || { [ "$profile" = dev ] && wanted=auto || wanted=false; }
  if [ "$wanted" != auto ]; then
    echo "$wanted"
  elif other_dockerd; then
    say "another dockerd runs here: this one writes no iptables rules, so its containers do not reach the outside"
    echo false
  elif iptables -t nat -S >/dev/null 2>&1; then
    echo true
  else
    say "iptables has no NAT table here: containers do not reach the outside"
    echo false
  fi
}

# Every engine of this script has a bridge and address ranges of its own, found by its root directory, so that any
# number of them can run side by side.
make_bridge() {
  local hash octet
  hash=$(printf %s "$root" | cksum | cut -d' ' -f1)
  bridge=$(printf 'dpl%08x' "$hash")
  octet=$((hash % 120))
  if ! ip link show "$bridge" >/dev/null 2>&1; then
    while ip -4 -o addr show | grep -q " 10\.$((octet + 100))\."; do octet=$(((octet + 1) % 120)); done
    ip link add name "$bridge" type bridge
    ip addr add "10.$((octet + 100)).0.1/24" dev "$bridge"
  fi
  ip link set "$bridge" up
  octet=$(ip -4 -o addr show dev "$bridge" | sed -n 's/.* 10\.\([0-9]*\)\..*/\1/p')
  address_pool="base=10.$octet.128.0/17,size=24"
}

remove_bridge() {
  local name
  name=$(printf 'dpl%08x' "$(printf %s "$root" | cksum | cut -d' ' -f1)")
  ip link del "$name" 2>/dev/null || true
}

# ------------------------------------------------------------------------------------------------------- engine

install() {
  local packages=(docker.io iptables iproute2)
  [ "$profile" = bare ] || packages+=(docker-registry busybox-static)
  [ "$profile" != test ] || packages+=(nginx-light)
  # shellcheck source=eng/debian.sh
  . "$here/debian.sh"
  install_packages "$root/apt.log" "${packages[@]}"
}

require_able() {
  local remedy="Or set DOCKER_HOST to an engine that runs already, for example DOCKER_HOST=unix:///run/user/1000/docker.sock"
  [ "$profile" = dev ] || remedy="The tests need an engine of their own: run them on Debian 12 or later as root, for example in a virtual machine."
  [ "$(uname -s)" = Linux ] || die "a private engine needs Linux, and this is $(uname -s). $remedy"
  [ "$(id -u)" = 0 ] || die "a private engine needs root. $remedy"
  grep -Eqs '^ID(_LIKE)?=.*debian' /etc/os-release || die "a private engine is set up with Debian's packages, and this is not Debian. $remedy"
  # a unix socket's path holds 107 characters, and containerd's lies below the root
  [ ${#root} -le 70 ] || die "the path $root is too long for unix sockets; set DEPLOYER_ENGINE_ROOT to one of at most 70 characters"
}

# On a machine without an init system nobody has mounted the control groups.
mount_cgroups() {
  mountpoint -q /sys/fs/cgroup && return
  if mount -t cgroup2 none /sys/fs/cgroup 2>/dev/null; then
    grep -qw memory /sys/fs/cgroup/cgroup.controllers && return
    umount /sys/fs/cgroup # the kernel has bound its controllers to version 1
  fi
  local controller enabled
  mount -t tmpfs -o mode=755 cgroup_root /sys/fs/cgroup
  while read -r controller _ _ enabled; do
    [ "$enabled" = 1 ] || continue
    mkdir -p "/sys/fs/cgroup/$controller"
    mount -t cgroup -o "$controller" cgroup "/sys/fs/cgroup/$controller" || rmdir "/sys/fs/cgroup/$controller"
  done </proc/cgroups
  mkdir -p /sys/fs/cgroup/systemd
  mount -t cgroup -o none,name=systemd cgroup /sys/fs/cgroup/systemd || true
}

engine_answers() { [ -S "$socket" ] && docker version >/dev/null 2>&1; }

start_engine() {
  if alive dockerd "$root/dockerd.pid"; then
    wait_until 300 engine_answers || die "dockerd runs but does not answer; see $root/dockerd.log"
    return
  fi
  rm -f "$root/dockerd.pid" "$socket"
  # A killed dockerd leaves its containerd behind, and the next dockerd could not start one.
  stop_orphans
  stop containerd "$root/exec/containerd/containerd.pid" 10
  mount_cgroups
  local bridge address_pool iptables
  make_bridge
  iptables=$(choose_iptables)
  [ -e "$root/daemon.json" ] || echo '{}' >"$root/daemon.json" # else dockerd would read the machine's /etc/docker
  # shellcheck disable=SC2086 # several arguments in one variable are wanted
  start "$root/dockerd.log" dockerd --config-file "$root/daemon.json" --data-root "$root/data" --exec-root "$root/exec" \
    --pidfile "$root/dockerd.pid" --host "$endpoint" --bridge "$bridge" --default-address-pool "$address_pool" \
    --iptables="$iptables" --ip6tables=false --shutdown-timeout 5 --max-concurrent-downloads 3 --log-level warn \
    ${DEPLOYER_ENGINE_ARGS:-}
  if ! wait_until 300 engine_answers; then
    tail -20 "$root/dockerd.log" >&2
    die "dockerd did not come up; see $root/dockerd.log"
  fi
  say "dockerd is up at $endpoint"
}

remove_containers() { docker ps --all --quiet | xargs -r docker rm --force --volumes >/dev/null; }

# What an earlier test run pulled and created: a test's first pull must find nothing.
remove_leftovers() {
  remove_containers
  docker system prune --force --all --volumes >/dev/null
}

# --------------------------------------------------------------------------------------------------- registries

start_registry() { # NAME FIRST_PORT
  alive docker-registry "$root/$1.pid" && return
  claim_port "$1" "$2"
  {
    cat <<YAML
version: 0.1
log: {level: warn, accesslog: {disabled: true}}
storage: {filesystem: {rootdirectory: $root/registry}, delete: {enabled: true}, maintenance: {uploadpurging: {enabled: false}}}
http: {addr: '$(address_of "$1")'}
YAML
    [ "$1" != auth ] || echo "auth: {htpasswd: {realm: deployer, path: $root/htpasswd}}"
  } >"$root/$1.yml"
  start "$root/$1.log" docker-registry serve "$root/$1.yml"
  echo $! >"$root/$1.pid"
  wait_until 100 listening "$(cat "$root/$1.port")" || die "the registry '$1' did not come up; see $root/$1.log"
}

# The same content through nginx: layers at a limited rate, and two paths that fail as large registries do.
start_slow_registry() { # FIRST_PORT
  alive nginx "$root/slow.pid" && return
  claim_port slow "$1"
  local temporary=$root/nginx kind directories=""
  mkdir -p "$temporary"
  for kind in client_body proxy fastcgi uwsgi scgi; do directories+="${kind}_temp_path $temporary; "; done
  cat >"$root/slow.conf" <<NGINX
pid $root/slow.pid; error_log $root/slow.log; worker_processes 1;
events { worker_connections 256; }
http {
  access_log off; client_max_body_size 0; proxy_max_temp_file_size 0; $directories
  server {
    listen $(address_of slow);
    location ~ ^/v2/limited/ { return 429 '{"errors":[{"code":"TOOMANYREQUESTS","message":"You have reached your pull rate limit."}]}'; }
    location ~ ^/v2/broken/ { return 503; }
    location / { proxy_pass http://$(address_of open); proxy_set_header Host \$http_host; proxy_buffering off; }
    location ~ /blobs/ { proxy_pass http://$(address_of open); proxy_set_header Host \$http_host; limit_rate ${DEPLOYER_ENGINE_SLOW_RATE:-5m}; proxy_buffers 8 64k; }
  }
}
NGINX
  nginx -e "$root/slow.log" -c "$root/slow.conf" 9>&-
  wait_until 50 listening "$(cat "$root/slow.port")" || die "the throttled registry did not come up; see $root/slow.log"
}

# ----------------------------------------------------------------------------------------------------- commands

up() {
  require_able
  mkdir -p "$root/cli"
  chmod 700 "$root" # whoever reaches the engine's socket is root on this machine
  touch "$root/.deployer-engine"
  exec 9>"$root/lock"
  flock 9
  install || die "set DOCKER_HOST to an engine that runs already, or install the packages"
  start_engine
  [ "$profile" = dev ] || remove_leftovers
  if [ "$profile" != bare ]; then
    local port=${DEPLOYER_ENGINE_PORT:-}
    [ -n "$port" ] || { [ "$profile" = dev ] && port=5000 || port=15000; }
    start_registry open "$port"
    if [ "$profile" = test ]; then
      echo "$registry_htpasswd" >"$root/htpasswd"
      start_registry auth $((port + 1))
      start_slow_registry $((port + 2))
    fi
    # shellcheck source=eng/images.sh
    . "$here/images.sh"
    build_images "$profile" "$(address_of open)" "$root"
  fi
  say "ready: DOCKER_HOST=$endpoint"
}

resume() {
  [ -e "$root/.deployer-engine" ] || die "not here: run eng/engine.sh up $profile first"
  exec 9>"$root/lock"
  flock 9
  start_engine
}

down() {
  [ -d "$root" ] || return 0
  exec 9>"$root/lock"
  flock 9
  if alive dockerd "$root/dockerd.pid" && [ "$profile" != dev ]; then remove_containers || true; fi
  stop dockerd "$root/dockerd.pid" 30
  stop_orphans
  stop containerd "$root/exec/containerd/containerd.pid" 10
  stop nginx "$root/slow.pid" 5
  stop docker-registry "$root/auth.pid" 5
  stop docker-registry "$root/open.pid" 5
  remove_bridge
  rm -f "$socket"
  say "down"
}

status() {
  local part program state running=1
  for part in dockerd open auth slow; do
    case $part in dockerd) program=dockerd ;; slow) program=nginx ;; *) program=docker-registry ;; esac
    [ $part = dockerd ] || [ -e "$root/$part.port" ] || continue
    if alive $program "$root/$part.pid"; then state="up, pid $(cat "$root/$part.pid")"; else state=down; fi
    case $part in
      dockerd)
        echo "engine $endpoint: $state"
        [ "$state" = down ] || running=0
        ;;
      *) echo "$part registry $(address_of $part): $state" ;;
    esac
  done
  return $running
}

print_env() {
  alive dockerd "$root/dockerd.pid" || die "not running: run eng/engine.sh up $profile first"
  case $profile in
    bare) echo "export DOCKER_HOST=$endpoint" ;;
    dev)
      echo "export DOCKER_HOST=$endpoint"
      echo "export Samples__Image=$(address_of open)/hello-web:v1"
      ;;
    test)
      cat <<TEXT
export DEPLOYER_TEST_DOCKER_HOST=$endpoint
export DEPLOYER_TEST_REGISTRY=$(address_of open)
export DEPLOYER_TEST_REGISTRY_AUTH=$(address_of auth)
export DEPLOYER_TEST_REGISTRY_SLOW=$(address_of slow)
export DEPLOYER_TEST_REGISTRY_USER=$registry_user
export DEPLOYER_TEST_REGISTRY_PASSWORD=$registry_password
export DEPLOYER_TEST_ENGINE_SCRIPT=$here/engine.sh
TEXT
      ;;
  esac
}

purge() {
  [ -d "$root" ] || return 0
  [ -e "$root/.deployer-engine" ] || die "$root was not made by this script and is left alone"
  down
  awk -v below="$root/" 'index($2, below) == 1 { print $2 }' /proc/mounts | sort -r | xargs -r -n1 umount --lazy || true
  rm -rf --one-file-system "$root"
  say "deleted $root"
}

case $command in
  env) print_env ;;
  *) "$command" ;;
esac
