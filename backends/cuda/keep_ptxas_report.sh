#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Runs a compiler and moves what ptxas reports of each kernel into OBJECT.ptxas, for
# scripts/check_machine_code.py; everything else is shown.
for argument; do
  [ "${previous-}" = -o ] && object=$argument
  previous=$argument
done
"$@" >"$object.ptxas" 2>&1
code=$?
grep -v -e '^ptxas info ' -e '^    [0-9]* bytes stack frame' "$object.ptxas" >&2
exit $code
