#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Each of the program's own allocations fails in turn.  --long: again with the address sanitizer, which sees
# what is not freed, every 23rd of them.
set -uo pipefail
scratch=$(mktemp -d -p /dev/shm 2>/dev/null || mktemp -d)
trap 'rm -rf "$scratch"' EXIT
check=$(dirname "$0")/check_alloc_sweep.py

with_sanitizer() {
    local build=$FTK_BUILD_DIR/sanitized
    cmake -B "$build" -S "$FTK_SOURCE_DIR" -DFTK_TESTS=OFF -DFTK_SANITIZE=address >/dev/null &&
        cmake --build "$build" -j 2 >/dev/null || return 1
    mkdir "$scratch/sanitized"
    FTK_PROGRAM=$build/bin/freetickets /usr/bin/python3 "$check" "$scratch/sanitized" 23
}

mkdir "$scratch/plain"
if [ "${FTK_LONG:-0}" = 0 ]; then
    exec /usr/bin/python3 "$check" "$scratch/plain"
fi
/usr/bin/python3 "$check" "$scratch/plain" | sed -n '/^1\.\./!p'
plain=${PIPESTATUS[0]}
output=$(with_sanitizer 2>&1)
sanitized=$?
while IFS= read -r line; do echo "# $line"; done <<<"$output"
[ "$sanitized" -eq 0 ] && echo "ok 5 - nothing leaks" || echo "not ok 5 - nothing leaks"
echo "1..5"
exit $((plain || sanitized))
