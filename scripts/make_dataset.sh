#!/usr/bin/env bash
# Make the training set of the built-in model: songs from MIDI, and songs composed and sung here.
#   scripts/make_dataset.sh OUT [options of ravel dataset render]
#   scripts/make_dataset.sh data --compose 20        # fewer songs
#   scripts/make_dataset.sh --recorded data2         # 80 other composed songs, played by recorded drums, basses
#                                                    # and guitars, too: 1.8 GB to download
# On Debian it installs what it needs; recorded instruments come by scripts/make_sounds.sh, into build/sounds.
# All that goes into the audio allows weights trained on it to be given away: Freedoom's songs (BSD), the
# soundfonts FluidR3 and MuseScore (MIT), drum kits and instruments (CC0, CC BY), and what Ravel itself
# writes. OUT/README.md lists it with licences. A run that is interrupted goes on when it is started again.
set -euo pipefail
cd "$(dirname "$0")/.."

export LC_ALL=C # kits and instruments in one order everywhere
recorded=
[ "${1:-}" != --recorded ] || { recorded=1; shift; }
[ $# -ge 1 ] && [ "${1:0:1}" != - ] || { sed -n '2,10s/^# \{0,1\}//p' "$0"; exit 2; }
out=$1
shift

scripts/setup.sh dataset python3 fluid-soundfont-gm musescore-general-soundfont-small hydrogen-drumkits

[ -f build/build.ninja ] && meson setup --reconfigure build >/dev/null || meson setup build >/dev/null
ninja -C build ravel >/dev/null
kits=(/usr/share/hydrogen/data/drumkits/{Audiophob,rumpf_kit_z01_h2})
render() {
  build/ravel dataset render "$out" \
    --soundfont /usr/share/sounds/sf2/FluidR3_GM.sf2 /usr/share/sounds/sf3/MuseScore_General_Lite.sf3 \
    --drum-kit "${kits[@]}" --vary 0.3 --valid-fraction 0.1 "$@"
}

if [ -n "$recorded" ]; then
  scripts/make_sounds.sh build/sounds
  kits+=(build/sounds/kits/*)
  render --compose 80 --seed 1 --instrument build/sounds/instruments/*.sf2 --mix-drums "$@"
else
  # Freedoom is a game; only its songs are wanted, so the package is unpacked, not installed.
  songs=build/freedoom
  if [ ! -e "$songs/done" ]; then
    mkdir -p "$songs"
    (cd "$songs" && apt-get download -qq freedoom && dpkg-deb -x freedoom_*.deb unpacked) 2>/dev/null ||
      { echo "make_dataset: cannot download the package freedoom" >&2; exit 1; }
    for part in 1 2; do
      python3 tools/wad_songs.py "$songs/unpacked/usr/share/games/doom/freedoom$part.wad" \
        "$songs/midi/freedoom$part"
    done
    cp "$songs/unpacked/usr/share/doc/freedoom/copyright" "$songs/midi/"
    rm -rf "$songs/unpacked" "$songs"/*.deb
    touch "$songs/done"
  fi
  render --midi "$songs/midi" --compose 150 --test-fraction 0.1 "$@"
  cp "$songs/midi/copyright" "$out/FREEDOOM-COPYRIGHT"
fi
