#!/usr/bin/env bash
# Install what is missing, build, run every test, and end with one line: N passed, N failed.
#   scripts/test.sh              the whole suite
#   scripts/test.sh --sanitize   the suite again under ASan + UBSan, then under TSan
set -euo pipefail
cd "$(dirname "$0")/.."
scripts/setup.sh test

run() { # folder, meson options...
  local folder=$1
  shift
  # A folder that was configured before the tests' libraries were there looks for them again.
  meson setup "$folder" $([ -f "$folder/build.ninja" ] && echo --reconfigure) -Dtests=enabled "$@" >/dev/null
  ninja -C "$folder" --quiet
  meson test -C "$folder" --print-errorlogs || true
}

folders=(build)
run build
if [ "${1:-}" = --sanitize ]; then
  run build-asan -Db_sanitize=address,undefined -Dbuildtype=debugoptimized -Db_lundef=false
  TSAN_OPTIONS=halt_on_error=1 run build-tsan -Db_sanitize=thread -Dbuildtype=debugoptimized -Db_lundef=false
  folders+=(build-asan build-tsan)
fi
python3 tools/count_tests.py "${folders[@]/%//meson-logs/testlog.junit.xml}"
