#!/usr/bin/env bash
# Install what is missing, build, and take a song apart:
#   scripts/demo.sh              a rock song that Debian distributes (Sectoid, MIT licence)
#   scripts/demo.sh SONG...      your own files
# The stems are written to separated/, and a page to listen to them is separated/report.html.
set -euo pipefail
cd "$(dirname "$0")/.."
scripts/setup.sh demo
[ -f build/build.ninja ] || meson setup build >/dev/null
ninja -C build --quiet

# Fetch the package without installing it; the song's guitar is a file of its own, so mix it in.
demo_song() {
  local package=fretsonfire-songs-sectoid folder=build/demo song=build/demo/Feelings.flac
  if [ ! -f "$song" ]; then
    mkdir -p "$folder"
    (cd "$folder" && apt-get download -qq "$package" && dpkg -x "$package"_*.deb unpacked) >/dev/null 2>&1 ||
      { echo "demo: cannot download $package; give a song of your own: scripts/demo.sh SONG" >&2; exit 1; }
    local source=$folder/unpacked/usr/share/games/fretsonfire/data/songs/sectoid/Feelings
    sox -m -v 0.5 "$source/song.ogg" -v 0.5 "$source/guitar.ogg" "$folder/part.flac" gain -n -1
    mv "$folder/part.flac" "$song"
  fi
  echo "$song"
}

if [ $# -eq 0 ]; then
  song=$(demo_song)
  set -- "$song"
fi
build/ravel separate -m ravel_s --overwrite "$@"
mix=()
[ $# -eq 1 ] && [ -f "$1" ] && mix=(--mix "$1" separated/ravel_s/"$(basename "${1%.*}")")
build/ravel report "${mix[@]:-separated/ravel_s}" -o separated/report.html
echo "open separated/report.html in a browser to listen"
