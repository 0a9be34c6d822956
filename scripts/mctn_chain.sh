#!/usr/bin/env bash
# Separate songs, and play each stem anew with the decoder that was trained on it: the first
# alternative of MCTN + DDSP (docs/mctn.md).
#   scripts/mctn_chain.sh MODEL DECODERS OUT SONG... [-- options of ravel synth]
# MODEL is what `ravel separate -m` takes. DECODERS is a folder with a checkpoint STEM.safetensors for
# each stem that is to be played, say bass.safetensors. The separated stems are in OUT/stems/SONG, those
# played anew in OUT/played/SONG. Pitch and loudness are measured as each decoder's training data was;
# for CREPE: -- --f0-method crepe --crepe tiny.pth
set -euo pipefail

[ $# -ge 4 ] || { sed -n '2,8s/^# \{0,1\}//p' "$0"; exit 2; }
ravel=${RAVEL:-$(dirname "$0")/../build/ravel}
model=$1 decoders=$2 out=$3
shift 3
songs=()
while [ $# -gt 0 ] && [ "$1" != -- ]; do
  songs+=("$1")
  shift
done
[ $# -eq 0 ] || shift

for decoder in "$decoders"/*.safetensors; do
  [ -e "$decoder" ] || { echo "mctn_chain: no STEM.safetensors in $decoders" >&2; exit 2; }
done
for song in "${songs[@]}"; do
  name=$(basename "${song%.*}")
  "$ravel" separate -m "$model" --bits float --overwrite --progress none -o "$out/separated" \
    "$song" | while read -r stem; do
    mkdir -p "$out/stems/$name" "$out/played/$name"
    mv "$stem" "$out/stems/$name/"
  done
  for stem in "$out/stems/$name"/*.wav; do
    decoder=$decoders/$(basename "${stem%.wav}").safetensors
    [ -e "$decoder" ] || continue
    "$ravel" synth "$decoder" "$stem" -o "$out/played/$name/$(basename "$stem")" --bits float \
      --overwrite --progress none "$@"
  done
done
rm -rf "$out/separated"
