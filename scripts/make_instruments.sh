#!/usr/bin/env bash
# Make a small set of solo instruments, for configs/ddsp_*.yaml: melodies for violin, flute and
# trumpet, played without effects at 16 kHz.
#   scripts/make_instruments.sh OUT [options of ravel dataset render]
# The data sets are OUT/violin, OUT/flute and OUT/trumpet, about 37 minutes each. Their
# sounds are those of MuseScore_General (MIT), one sample for a note and not two that differ, as
# FluidR3 has; what is learned from them may be given away.
set -euo pipefail
cd "$(dirname "$0")/.."

[ $# -ge 1 ] && [ "${1:0:1}" != - ] || { sed -n '2,7s/^# \{0,1\}//p' "$0"; exit 2; }
out=$1
shift

scripts/setup.sh dataset musescore-general-soundfont-small
soundfont=/usr/share/sounds/sf3/MuseScore_General_Lite.sf3

[ -f build/build.ninja ] && meson setup --reconfigure build >/dev/null || meson setup build >/dev/null
ninja -C build ravel >/dev/null
instrument() { # name, program, lowest note, highest note
  python3 tools/melodies.py "$out/midi/$1" "$1" "$2" "$3" "$4" 40 55
  build/ravel dataset render "$out/$1" --midi "$out/midi/$1" --soundfont "$soundfont" --dry \
    --sample-rate 16000 --valid-fraction 0.05 "${@:5}"
}
instrument violin 40 55 91 "$@"
instrument flute 73 60 93 "$@"
instrument trumpet 56 54 84 "$@"
