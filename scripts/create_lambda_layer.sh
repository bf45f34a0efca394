#!/bin/sh
# Build the function's zip and its layer's into a folder (build/ unless another is named): the same as
# `energy package --out DIR`, whose further options may follow.
set -eu
scripts=$(cd "$(dirname "$0")" && pwd)
out=build
case "${1-}" in
    "" | -*) ;;
    *) out=$1 && shift ;;
esac
exec "${PYTHON:-python3}" -c '
import sys
sys.path.insert(0, sys.argv.pop(1))
from hand_over import hand_over
hand_over("package")' "$scripts" --out "$out" "$@"
