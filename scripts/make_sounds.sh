#!/usr/bin/env bash
# Fetch recorded drums, basses and guitars for scripts/make_dataset.sh, and bring them into the forms that
# `ravel dataset render` plays: OUT/kits/* (Hydrogen) and OUT/instruments/*.sf2.
#   scripts/make_sounds.sh OUT
# 1.8 GB come over the network and 2.9 GB are kept, most of it in OUT/sources, a folder for each instrument. All
# may be used for anything: CC0 (Karoryfer Samples; Sonic Pi), and CC BY 4.0 (MuldjordKit, by Lars Muldjord).
# What is there already is not made again.
set -euo pipefail
cd "$(dirname "$0")/.."

[ $# -eq 1 ] && [ "${1:0:1}" != - ] || { sed -n '2,7s/^# \{0,1\}//p' "$0"; exit 2; }
out=$1
scripts/setup.sh build git ca-certificates python3-numpy python3-soundfile sonic-pi-samples
python=/usr/bin/python3 # Debian's, which has the packages
mkdir -p "$out/sources" "$out/kits" "$out/instruments"

fetch() { # repository, commit: into OUT/sources
  local to="$out/sources/$1"
  [ -e "$to/.done" ] && return
  echo "make_sounds: fetching $1"
  rm -rf "$to"
  git init -q "$to"
  git -C "$to" fetch -q --depth 1 "https://github.com/sfzinstruments/$1" "$2"
  git -C "$to" checkout -q FETCH_HEAD
  rm -rf "$to/.git"
  touch "$to/.done"
}

convert() { # file below OUT, then arguments of tools/sfz_sounds.py; a kit appears when it is whole
  [ -e "$out/$1" ] && return
  case $1 in
    *.sf2) "$python" tools/sfz_sounds.py "${@:2:1}" "$out/$1" "${@:3}" ;;
    *)
      rm -rf "$out/.kit"
      "$python" tools/sfz_sounds.py "${@:2:1}" "$out/.kit" --name "${1##*/}" "${@:3}"
      mv "$out/.kit" "$out/$1"
      ;;
  esac
}

karoryfer="CC0-1.0, Karoryfer Samples"
bass() { # name, commit, file
  fetch "karoryfer.$1" "$2"
  convert "instruments/$1.sf2" "$out/sources/karoryfer.$1/$3" --presets 32 33 34 35 36 37 --keys 20-67 \
    --license "$karoryfer"
}
bass growlybass 4f483268fc66b5a6d5781d421c0d11b8d08d3fc6 growlybass_clean.sfz
bass pastabass 90135cd026db5d4fa0fe538240b4203f085f5244 spaghetti.sfz
bass fashionbass 0703973b300a6bacb837602be9b588ab64732a72 fashionbass_clean.sfz
bass swagbass 9d10fcae71af1975988ddecd5af1c95d372c7355 swagbass_clean.sfz

fetch karoryfer.emilyguitar b4920dc662fd9cad6dcaccdeecffdd91c8725d8c
convert instruments/emilyguitar.sf2 "$out/sources/karoryfer.emilyguitar/emily_clean.sfz" --presets 26 27 28 \
  --keys 36-89 --license "$karoryfer"
fetch karoryfer.shinyguitar 57243cca85277dbcc120ce17c6178032f93c80f3
convert instruments/shinyguitar.sf2 "$out/sources/karoryfer.shinyguitar/Programs/main.sfz" --presets 24 25 26 \
  --keys 36-89 --license "$karoryfer" --define "\$sample_dir=../Samples"

fetch karoryfer.gogodze-phu-vol-ii 69a0274cdc39c99c3098cde1bc3789690de86d62
convert kits/GogodzePhu "$out/sources/karoryfer.gogodze-phu-vol-ii/Programs/Kit.sfz" --license "$karoryfer"
fetch DrumGizmo.MuldjordKit fc165714974aa843125ce88597f341b31376e1d5
convert kits/MuldjordKit \
  "$out/sources/DrumGizmo.MuldjordKit/DrumGizmo/MuldjordKit/Stereo/DrumGizmo MuldjordKit.sfz" \
  --license "CC BY 4.0, Lars Muldjord"

sonic_pi() { # name, kick, snare; soft and hard ones if there are two
  convert "kits/SonicPi$1" scripts/sounds/sonic_pi.sfz --license "CC0-1.0, sounds of Sonic Pi" --define \
    "\$KICK_SOFT=$2" "\$KICK_HARD=${2/soft/hard}" "\$SNARE_SOFT=$3" "\$SNARE_HARD=${3/soft/hard}"
}
sonic_pi Drums drum_bass_soft drum_snare_soft
sonic_pi Heavy drum_heavy_kick sn_generic
sonic_pi Dub bd_fat sn_dub
sonic_pi House bd_haus sn_dolf
sonic_pi 808 bd_808 elec_snare
sonic_pi Techno bd_tek elec_hi_snare
sonic_pi Club bd_klub elec_lo_snare
sonic_pi Zome bd_zome sn_zome
