#!/usr/bin/env bash
# Install what building and testing need, on Debian and its relatives; elsewhere say what is missing.
# Packages are only installed when something is missing. `setup.sh dataset` adds what rendering data
# sets needs, `setup.sh test` that and what the tests use; further packages may be named behind it
# (`setup.sh build PACKAGE...`: what building needs, and those).
set -euo pipefail

packages=(build-essential meson ninja-build pkg-config libsndfile1-dev libsoxr-dev libfftw3-dev
          libjansson-dev libzip-dev zlib1g-dev libyaml-dev librubberband-dev
          libavformat-dev libavcodec-dev libavutil-dev libswresample-dev)
rendering=(libfluidsynth-dev libebur128-dev libexpat1-dev espeak-ng)
if [ "${1:-}" = test ]; then
  packages+=("${rendering[@]}" libcmocka-dev python3 python3-numpy python3-soundfile clang-format)
elif [ "${1:-}" = dataset ]; then
  packages+=("${rendering[@]}")
elif [ "${1:-}" = demo ]; then
  packages+=(sox libsox-fmt-base)
fi
packages+=("${@:2}")

if ! command -v dpkg-query >/dev/null || ! command -v apt-get >/dev/null; then
  echo "setup: not a Debian system; please install the equivalents of: ${packages[*]}" >&2
  exit 0
fi

missing=()
for package in "${packages[@]}"; do
  dpkg-query -W -f='${Status}' "$package" 2>/dev/null | grep -q 'ok installed' || missing+=("$package")
done
[ ${#missing[@]} -eq 0 ] && exit 0

sudo=()
if [ "$(id -u)" -ne 0 ]; then
  command -v sudo >/dev/null || { echo "setup: as root, run: apt-get install ${missing[*]}" >&2; exit 1; }
  sudo=(sudo)
fi
echo "setup: installing ${missing[*]}"
"${sudo[@]}" apt-get update -qq
DEBIAN_FRONTEND=noninteractive "${sudo[@]}" apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
