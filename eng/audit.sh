#!/usr/bin/env bash
# usage: eng/audit.sh
# Looks for known vulnerabilities in every package of the solution, direct or not. Says whether the package source has
# such data at all, by asking it about an old package with a published one: where it is silent about that, it would be
# silent about ours, too, and nothing was scanned. Exit codes: 0 scanned and none found, 1 some found, 3 not scanned.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
export DOTNET_NOLOGO=1 DOTNET_CLI_TELEMETRY_OPTOUT=1

# GHSA-5crp-9r3c-p9vr, high.
canary=$(mktemp -d)
trap 'rm -rf "$canary"' EXIT
cat >"$canary/canary.csproj" <<'PROJECT'
<Project Sdk="Microsoft.NET.Sdk">
  <PropertyGroup><TargetFramework>net10.0</TargetFramework></PropertyGroup>
  <ItemGroup><PackageReference Include="Newtonsoft.Json" Version="12.0.1" /></ItemGroup>
</Project>
PROJECT
if ! (cd "$canary" && dotnet restore --verbosity quiet -p:NuGetAudit=false >/dev/null 2>&1); then
  echo "NOT SCANNED: the package source does not answer."
  exit 3
fi
if ! (cd "$canary" && dotnet list package --vulnerable 2>&1) | grep -q "GHSA-5crp-9r3c-p9vr"; then
  echo "NOT SCANNED: the package source has no data about vulnerabilities. Run eng/audit.sh where the source in use has them."
  exit 3
fi

found=$(dotnet list Deployer.sln package --vulnerable --include-transitive 2>&1)
if grep -q "GHSA-" <<<"$found"; then
  echo "$found"
  exit 1
fi
echo "Scanned: no package of the solution has a known vulnerability."
