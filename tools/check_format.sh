#!/bin/sh
# Fail if a source is not formatted as .clang-format says.   check_format.sh CLANG_FORMAT ROOT
# Another major version formats differently: then there is nothing to compare with.
set -eu
"$1" --version | grep -q 'version 14\.' || { echo "needs clang-format 14"; exit 77; }
cd "$2"
find src include apps examples tests bench -name '*.[ch]' -exec "$1" --dry-run -Werror {} +
