# SPDX-License-Identifier: MIT
# Sourced by the suites here: builds everything with sanitizers, and runs other suites from that build.
. "$(dirname "$0")/../support/tap.sh"

only_long() {
    [ "${FTK_LONG:-0}" != 0 ] && return
    echo "1..0 # SKIP only with --long: a build and a run of minutes"
    exit 0
}

build_sanitized() { # build_sanitized CMAKE-OPTION...
    cmake -B "$build" -S "$source_dir" -DFTK_TESTS=ON "$@" || return 1
    cmake --build "$build" -j "$(nproc)"
}

# The names as for tests/run.  What takes minutes there is hours here, so never with --long.
suites() {
    FTK_BUILD_DIR=$build "$source_dir/tests/run" "$@"
}

# Every phase of an EDST run on two threads, interrupted and continued on the way.
short_run() { # short_run OPTION...
    "$build/bin/freetickets" run "$source_dir/configs/quickstart.cfg" --out "$scratch/run" \
        --verify-resume 2 -s data.limit=400 -s data.validation=100 -s eval.limit=200 -s ensemble.explore=1ep \
        -s ensemble.refine=1ep -s topology.interval=2it -s backend.threads=2 "$@"
}
