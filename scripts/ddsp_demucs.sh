#!/usr/bin/env bash
# DDSP-Demucs from end to end: separate a data set, measure its stems, gate them, cut shards, train
# networks that refine the stems, and compare what they make with the separator's stems.
#   scripts/ddsp_demucs.sh DATA OUT [options]
#     --stem STEM          that is refined (default vocals)
#     --model NAME|FILE    the separator, as ravel separate takes it (default htdemucs)
#     --networks "A B C"   of decoder, residual and mask_eq (default all three)
#     --small              the small recipes, which start as the stem (default: the published ones)
#     --tiny               networks of seconds, to try whether all steps work
#     --gate "OPTIONS"     of ravel dataset gate; "none": shards of whole songs
#     --layout NAME        of DATA (default: found out)
#     --split NAME         that is scored: train, valid, test, or all (default test)
#     -j N                 threads (default 0: one for each core)
# DATA has splits train and test, mixtures and stems. Results: OUT/eval.json, eval.csv, report.html,
# gate.csv, tracks.csv, refined/NETWORK, runs/NETWORK. Steps whose result is there are not repeated;
# trainings go on.
set -euo pipefail
tool=$(dirname "$0")/..
ravel=${RAVEL:-$tool/build/ravel}

usage() { sed -n '2,18s/^# \{0,1\}//p' "$0"; exit "$1"; }
case "${1:-}" in -h | --help) usage 0 ;; esac
[ $# -ge 2 ] && [ "${1:0:1}" != - ] && [ "${2:0:1}" != - ] || usage 2
data=$1 out=$2
shift 2

stem=vocals model=htdemucs networks="decoder residual mask_eq" size="" gate="" split=test threads=0
layout=()
while [ $# -gt 0 ]; do
  case "$1" in
    --stem) stem=$2; shift 2 ;;
    --model) model=$2; shift 2 ;;
    --networks) networks=$2; shift 2 ;;
    --small) size=_small; shift ;;
    --tiny) size=tiny; shift ;;
    --gate) gate=$2; shift 2 ;;
    --layout) layout=(--layout "$2"); shift 2 ;;
    --split) split=$2; shift 2 ;;
    -j) threads=$2; shift 2 ;;
    *) echo "ddsp_demucs: unknown option $1" >&2; usage 2 ;;
  esac
done
mkdir -p "$out"
cache=$out/cache
jobs=()
[ "$threads" -eq 0 ] || jobs=(-j "$threads")
step() { echo "ddsp_demucs: $*" >&2; }

# Sizes of the published recipes, and what --tiny has in their place.
overrides=()
decoder_arguments="n_harmonics: 4, n_noise_bands: 5, rnn_units: 4, mlp_units: [4], reverb_length: 2"
declare -A tiny_arguments=(
  [decoder]="{$decoder_arguments}" [residual]="{identity_start: true, $decoder_arguments}"
  [mask_eq]="{identity_start: true, alpha: 1, enc_units: 8, mel_bins: 16}")
window=4
recipe_end=$size
if [ "$size" = tiny ]; then
  recipe_end="" window=1
  overrides=(data.segment=1 data.batch=2 train.epochs=2 train.steps=4
    'loss.terms=[{kind: l1, weight: 10}]')
fi

if [ ! -d "$out/separated/stem" ]; then
  step "separating with $model"
  "$ravel" eval -r "$data" "${layout[@]}" --model stem="$model" --stems "$stem" -m SI-SDR \
    --keep "$out/separated.part" -j "$threads"
  mv "$out/separated.part" "$out/separated"
fi

step "measuring the stems"
"$ravel" features "$out/separated/stem" -o "$out/features" --cache "$cache" --overwrite \
  --features f0,loudness,harmonicity,residual --sample-rate 22050 --frame-rate 100 >/dev/null

segments=()
if [ "$gate" != none ]; then
  step "gating"
  read -r -a gate_options <<<"$gate"
  "$ravel" dataset gate "$out/separated/stem" --stem "$stem" -o "$out/gate.csv" \
    --tracks "$out/tracks.csv" --cache "$cache" --overwrite "${jobs[@]}" "${gate_options[@]}"
  segments=(--segments "$out/gate.csv")
fi

step "cutting shards"
"$ravel" dataset shards "$data" "${layout[@]}" -o "$out/shards" --stem "$stem" --overwrite \
  --inputs "$out/separated/stem" --window "$window" "${segments[@]}"

methods=(stem="$out/separated/stem")
runs=()
for network in $networks; do
  step "training $network"
  own=("${overrides[@]}")
  [ "$size" != tiny ] || own+=("model.arguments=${tiny_arguments[$network]}")
  "$ravel" train "$tool/configs/ddsp_demucs_$network$recipe_end.yaml" data.root="$out/shards" \
    "data.stems=[$stem]" data.features.cache="$cache" train.out="$out/runs/$network" "${own[@]}" \
    -j "$threads"
  step "refining with $network"
  "$ravel" refine "$out/runs/$network/best.safetensors" "$out/separated/stem" --stem "$stem" \
    -o "$out/refined/$network" --cache "$cache" --window "$window" --overwrite -j "$threads" >/dev/null
  methods+=("$network=$out/refined/$network")
  runs+=("$out/runs/$network")
done

step "comparing"
splits=()
[ "$split" = all ] || splits=(--split "$split")
"$ravel" eval -r "$data" "${layout[@]}" "${splits[@]}" --stems "$stem" -e "${methods[@]}" \
  -m SI-SDR SC LSD SNR --json "$out/eval.json" --csv "$out/eval.csv" -j "$threads"
"$ravel" report -r "$data" "${layout[@]}" "${splits[@]}" -e "${methods[@]#*=}" \
  --eval "$out/eval.json" --run "${runs[@]}" -o "$out/report.html"
step "see $out/report.html"
