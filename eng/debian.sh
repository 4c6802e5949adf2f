# shellcheck shell=bash
# Sourced by the scripts of this project: installing Debian packages on a machine that may have no init system.

# install_packages LOG PACKAGE...
#   Installs what is missing of PACKAGE...; apt's own output goes to the file LOG.
#   Returns 1, with the reason on stderr, where that cannot work.
install_packages() {
  local log=$1 package missing=()
  shift
  for package in "$@"; do
    dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q 'ok installed' || missing+=("$package")
  done
  [ ${#missing[@]} -gt 0 ] || return 0
  if ! command -v apt-get >/dev/null; then
    echo "These Debian packages are needed, and this machine has no apt-get: ${missing[*]}" >&2
    return 1
  fi
  if [ "$(id -u)" != 0 ]; then
    echo "These packages are needed, and only root can install them: apt-get install ${missing[*]}" >&2
    return 1
  fi

  # Without this, packages start their daemons while they are being installed.
  local policy=/usr/sbin/policy-rc.d ours=0 installed=0
  if [ ! -e $policy ]; then
    printf '#!/bin/sh\nexit 101\n' >$policy
    chmod +x $policy
    ours=1
  fi
  echo "installing ${missing[*]}" >&2
  local apt=(env DEBIAN_FRONTEND=noninteractive apt-get -qq -o DPkg::Lock::Timeout=120 -o Acquire::Retries=3)
  mkdir -p "$(dirname "$log")"
  if "${apt[@]}" install -y --no-install-recommends "${missing[@]}" >"$log" 2>&1 </dev/null; then
    installed=1
  elif "${apt[@]}" update >>"$log" 2>&1 </dev/null &&
    "${apt[@]}" install -y --no-install-recommends "${missing[@]}" >>"$log" 2>&1 </dev/null; then
    installed=1
  fi
  [ $ours = 0 ] || rm -f $policy
  if [ $installed = 0 ]; then
    tail -5 "$log" >&2
    echo "apt-get could not install ${missing[*]}; all it said is in $log" >&2
    return 1
  fi
}
