#!/usr/bin/env bash
# MCTN + DDSP from end to end: train the separator of pitch and loudness and a decoder for each source,
# and measure what they make of songs that had no part in it (docs/mctn.md).
#   scripts/mctn.sh DATA OUT [options]
#     --stems "A B C"      the sources (default bass drums vocals)
#     --small              the small recipes, minutes on a processor (default: the published ones)
#     --tiny               networks of seconds, to try whether all steps work
#     --split NAME         that is scored: train, valid, test, or all (default test)
#     -j N                 threads (default 0: one for each core)
# DATA has splits train and test (and valid, which chooses the best epoch). Results: OUT/band.yaml, a
# model for ravel separate; OUT/eval.json, eval.csv; OUT/runs. Trainings that were stopped go on.
set -euo pipefail
tool=$(dirname "$0")/..
ravel=${RAVEL:-$tool/build/ravel}

usage() { sed -n '2,12s/^# \{0,1\}//p' "$0"; exit "$1"; }
case "${1:-}" in -h | --help) usage 0 ;; esac
[ $# -ge 2 ] && [ "${1:0:1}" != - ] && [ "${2:0:1}" != - ] || usage 2
data=$1 out=$2
shift 2

stems="bass drums vocals" size="" split=test threads=0
while [ $# -gt 0 ]; do
  case "$1" in
    --stems) stems=$2; shift 2 ;;
    --small) size=_small; shift ;;
    --tiny) size=tiny; shift ;;
    --split) split=$2; shift 2 ;;
    -j) threads=$2; shift 2 ;;
    *) echo "mctn: unknown option $1" >&2; usage 2 ;;
  esac
done
read -r -a names <<<"$stems"
list=$(IFS=,; echo "${names[*]}")
mkdir -p "$out"
step() { echo "mctn: $*" >&2; }

# What --tiny has in place of the published sizes.
recipe_end=$size separator=() decoder=()
if [ "$size" = tiny ]; then
  short=(data.segment=1 data.batch=1 data.features.f0_method=yin train.epochs=1 train.steps=4)
  recipe_end=""
  separator=("${short[@]}" "model.arguments={N: 8, B: 8, H: 8, X: 2, R: 1}")
  decoder=("${short[@]}" "model.arguments={n_harmonic: 4, n_bands: 5, hidden_size: 8, layers: 1, reverb: none}")
fi

train() { # RECIPE STEMS RUN OVERRIDE...
  "$ravel" train "$tool/configs/$1$recipe_end.yaml" data.root="$data" "data.stems=[$2]" \
    data.features.cache="$out/cache" train.out="$out/runs/$3" -j "$threads" "${@:4}"
}

step "training the separator"
train mctn "$list" mctn "${separator[@]}"
printf 'features: runs/mctn/best.safetensors\ndecoders:\n' >"$out/band.yaml"
for stem in "${names[@]}"; do
  step "training the decoder of $stem"
  train mctn_decoder "$stem" "$stem" "${decoder[@]}"
  printf '  %s: runs/%s/best.safetensors\n' "$stem" "$stem" >>"$out/band.yaml"
done

step "measuring"
splits=()
[ "$split" = all ] || splits=(--split "$split")
"$ravel" eval -r "$data" "${splits[@]}" --model mctn="$out/band.yaml" --stems "${names[@]}" \
  --oracles mix -m LD-L1 F0-L1 MSS SDR-MCTN SI-SDR SC --json "$out/eval.json" --csv "$out/eval.csv" \
  -j "$threads"
"$ravel" models info "$out/band.yaml"
