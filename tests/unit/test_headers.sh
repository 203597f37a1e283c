#!/bin/sh
# SPDX-License-Identifier: MIT
# test_headers.sh - every public header compiles alone, in C and in C++, with gcc and clang.
# TAP.  Needs FTK_SOURCE_DIR; a compiler that is not installed is skipped.
set -u

include="${FTK_SOURCE_DIR:?}/sdk/include"
warnings="-Wall -Wextra -pedantic -Wconversion -Wshadow -Werror"
n=0
failed=0

# check LANGUAGE COMPILER STANDARD HEADER
check() {
    n=$((n + 1))
    extra=
    [ "$1" = c ] && extra="-Wstrict-prototypes -Wmissing-prototypes"
    # shellcheck disable=SC2086 # the warnings are words
    if ! command -v "$2" >/dev/null; then
        echo "ok $n - $4 $2 $3 # SKIP $2 is not installed"
    elif errors=$(echo "#include <freetickets/$4>" |
        "$2" -x "$1" -std="$3" $warnings $extra -fsyntax-only -I"$include" - 2>&1); then
        echo "ok $n - $4 $2 $3"
    else
        echo "not ok $n - $4 $2 $3"
        echo "$errors" | sed 's/^/# /'
        failed=1
    fi
}

for path in "$include"/freetickets/*.h; do
    header=$(basename "$path")
    for standard in c11 c17 c2x; do
        check c gcc $standard "$header"
        check c clang $standard "$header"
    done
    for standard in c++17 c++20; do
        check c++ g++ $standard "$header"
        check c++ clang++ $standard "$header"
    done
done
echo "1..$n"
[ "$n" -ge 100 ] || echo "Bail out! only $n checks: headers are missing in $include"
exit $failed
