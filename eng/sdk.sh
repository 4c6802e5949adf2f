# shellcheck shell=bash
# Sourced by start.sh and test.sh: is there a .NET SDK that global.json accepts?

# require_sdk DIRECTORY
#   DIRECTORY holds global.json. Returns 1, with the remedy on stderr, when no fitting SDK is installed.
require_sdk() {
  local wanted found
  wanted=$(sed -n 's/.*"version"[^"]*"\([^"]*\)".*/\1/p' "$1/global.json")
  if ! command -v dotnet >/dev/null; then
    found="no dotnet command was found"
  elif (cd "$1" && dotnet --version) >/dev/null 2>&1; then
    return 0
  else
    found="installed: $(dotnet --list-sdks | cut -d' ' -f1 | paste -sd' ')"
  fi
  cat >&2 <<TEXT
Deployer needs the .NET SDK $wanted or a later 10.0 one; $found.
Install it from https://dotnet.microsoft.com/download/dotnet/10.0 and run this again.
TEXT
  return 1
}
