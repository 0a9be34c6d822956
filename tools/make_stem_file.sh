#!/usr/bin/env bash
# Write tests/golden/tones.stem.mp4: a file like those of MUSDB18, of four tones and their sum.
#   tools/make_stem_file.sh [FILE]
set -euo pipefail
out=${1:-$(dirname "$0")/../tests/golden/tones.stem.mp4}
tone() { echo "aevalsrc=0.2*sin(2*PI*$1*t):s=8000:d=0.5"; }
ffmpeg -loglevel error -y -bitexact \
  -f lavfi -i "$(tone 200)" -f lavfi -i "$(tone 400)" -f lavfi -i "$(tone 800)" -f lavfi -i "$(tone 1600)" \
  -filter_complex '[0][1][2][3]amix=inputs=4:normalize=0[mix]' \
  -map '[mix]' -map 0 -map 1 -map 2 -map 3 -map_metadata -1 -c:a aac -b:a 24k -fflags +bitexact "$out"
