#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# The cpu backend keeps the rules on each instruction set of this machine, not just on the best.
set -euo pipefail
build=${FTK_BUILD_DIR:-$(dirname "$0")/../../build}
program=$build/bin/freetickets
n=0
failed=0
for isa in portable avx2 avx512; do
    n=$((n + 1))
    out=$("$program" conform --level 3 --set "isa=$isa" "$build/plugins/backend_cpu.so") && code=0 || code=$?
    if [ "$code" = 0 ]; then
        echo "ok $n - cpu on $isa"
    elif ! "$program" conform --only BKD-09 --set "isa=$isa" "$build/plugins/backend_cpu.so" >/dev/null &&
        [ "$isa" != portable ] && ! grep -q "$isa" /proc/cpuinfo; then
        echo "ok $n - cpu on $isa # SKIP this machine lacks it"
    else
        failed=1
        echo "not ok $n - cpu on $isa"
        while IFS= read -r line; do echo "# $line"; done <<<"$out"
    fi
done
echo "1..$n"
exit $failed
