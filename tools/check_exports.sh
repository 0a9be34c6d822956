#!/bin/sh
# Fail if the shared library exports a symbol that is not public (rv_ and marked RV_API).
#   check_exports.sh LIBRARY INCLUDE_FOLDER
set -eu
declared=$(cat "$2"/ravel/*.h)
status=0
for symbol in $(nm -D --defined-only "$1" | awk '$2 ~ /[TDRB]/ { print $3 }'); do
  case $symbol in
    rv_*) printf '%s' "$declared" | grep -q "\b$symbol\b" || { echo "$symbol is exported but not public"; status=1; } ;;
    _init | _fini) ;;
    __bss_start | _edata | _end) ;; # the linker's, exported if a library that we link names them
    *) echo "$symbol is exported"; status=1 ;;
  esac
done
exit $status
