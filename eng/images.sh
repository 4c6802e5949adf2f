# shellcheck shell=bash
# Sourced by engine.sh: builds the images that the sample app and the tests run, and pushes them to the open registry.
# Each is made from busybox and a recipe of eng/images; the engine keeps no copy, so that a pull really pulls.

# build_images PROFILE REGISTRY ROOT
#   Does nothing when the recipes are those of the last time. Needs DOCKER_HOST, die and say.
build_images() {
  local profile=$1 registry=$2 root=$3
  local recipes=${BASH_SOURCE[0]%/*}/images context=$root/context stamp=$root/images-$1 recipe
  recipe=$(find "${BASH_SOURCE[0]}" "$recipes" -type f -print0 | sort -z | xargs -0 sha256sum | cut -d" " -f1 | sha256sum)
  [ "$(cat "$stamp" 2>/dev/null)" != "$recipe" ] || return 0

  say "building the images"
  rm -rf "$context"
  mkdir -p "$context"
  cp -r "$recipes/root" "$recipes/web.sh" "$context/"
  cp "$(command -v busybox)" "$context/busybox"
  docker build --quiet --tag deployer-base --file "$recipes/base.Dockerfile" "$context" >/dev/null || die "the base image could not be built"

  local version
  for version in v1 v2; do build hello-web:$version hello-web --build-arg VERSION=$version; done
  [ "$profile" != test ] || build_test_images

  docker rmi deployer-base >/dev/null 2>&1 || true
  rm -rf "$context"
  echo "$recipe" >"$stamp"
}

build_test_images() {
  local version name
  for version in v1 v2 v3 latest; do build web:$version web --build-arg VERSION=$version; done
  build layers:latest web --build-arg VERSION=layers # of one test alone, which wants to see it come
  build nohealth:v1 nohealth
  for name in patient crash crashlate badcmd unhealthy flood chatty stubborn longlines; do build $name:latest $name; done
  build_big
  build_static
  # One manifest of another platform, and a list of manifests in which ours is missing: engines answer differently.
  build_arm_images
}

# build NAME:TAG RECIPE [ARGUMENT OF docker build...]
build() {
  local image=$registry/$1 recipe=$2
  shift 2
  docker build --quiet --tag "$image" "$@" - <"$recipes/$recipe.Dockerfile" >/dev/null || die "$image could not be built"
  publish "$image"
}

publish() {
  docker push --quiet "$1" >/dev/null || die "$1 could not be pushed"
  docker rmi "$1" >/dev/null 2>&1 || true # a container of the dev engine may run it
}

# 6 layers of 25 MB that do not compress: a pull that lasts long enough to be watched, canceled and broken.
build_big() {
  local image=$registry/big:latest layer
  mkdir "$context/big"
  for layer in 1 2 3 4 5 6; do head -c 25000000 /dev/urandom >"$context/big/layer$layer"; done
  docker build --quiet --tag "$image" --file "$recipes/big.Dockerfile" "$context/big" >/dev/null || die "$image could not be built"
  publish "$image"
}

# A web server that is quick: what the proxy costs shows only beside one that costs little itself.
build_static() {
  local image=$registry/static:v1 context_dir=$context/static library
  mkdir -p "$context_dir/libraries"
  cp "$(command -v nginx)" "$context_dir/nginx"
  ldd "$context_dir/nginx" | grep -o '/[^ ]*' | while read -r library; do cp --parents -L "$library" "$context_dir/libraries"; done
  docker build --quiet --tag "$image" --file "$recipes/static.Dockerfile" "$context_dir" >/dev/null || die "$image could not be built"
  publish "$image"
}

# The classic builder gives an image without a base the engine's own platform, whatever is asked for; so the
# configuration of a saved image is rewritten. The engine names what it loads by its content.
build_arm_images() {
  local single=$registry/armsingle:latest member=$registry/armlist:arm list=$registry/armlist:latest
  local unpacked=$context/arm
  tar -C "$context/root" -c . | docker import --change 'CMD ["/bin/web"]' - "$single" >/dev/null || die "$single could not be made"
  mkdir "$unpacked"
  docker save "$single" | tar -C "$unpacked" -x
  docker rmi "$single" >/dev/null
  sed -i 's/"architecture":"[^"]*"/"architecture":"arm64"/' "$unpacked"/*.json
  tar -C "$unpacked" -c . | docker load >/dev/null || die "$single could not be loaded"
  docker tag "$single" "$member"
  publish "$single"
  publish "$member"
  rm -rf "$DOCKER_CONFIG/manifests" # a list of an earlier build would be amended
  {
    DOCKER_CLI_EXPERIMENTAL=enabled docker manifest create --insecure "$list" "$member"
    DOCKER_CLI_EXPERIMENTAL=enabled docker manifest push --insecure --purge "$list"
  } >/dev/null || die "$list could not be pushed"
}
