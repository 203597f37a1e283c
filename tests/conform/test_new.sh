#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# `freetickets new` as a stranger uses it: the program installed, the prefix moved, a project of each
# kind made, built with CMake and with the one cc line of its README, its tests run.  And the path
# from an idea to a trained network, with a mistake that the conformance kit names.
set -u
source "$(dirname "$0")/../support/tap.sh"
: "${FTK_SOURCE_DIR:?}" "${FTK_BUILD_DIR:?}"
work=$scratch
prefix="$work/moved"
freetickets="$prefix/bin/freetickets"
unset PKG_CONFIG_PATH

install_and_move() {
    cmake --install "$FTK_BUILD_DIR" --prefix "$work/first" >/dev/null && mv "$work/first" "$prefix"
}
check "the program installs and the prefix moves" install_and_move

cmake_project() { # cmake_project DIR
    cmake -S "$1" -B "$1/build" -DCMAKE_PREFIX_PATH="$prefix" -DCMAKE_BUILD_TYPE=Release &&
        cmake --build "$1/build" && ctest --test-dir "$1/build" --output-on-failure >"$work/log" &&
        grep '100% tests passed.* out of 3' "$work/log"
}

# The line as the project's own README gives it.
cc_line() { # cc_line DIR
    (cd "$1" && rm -f build/plugins/*.so && mkdir -p build/plugins &&
        eval "$(sed -n '/^    export PKG/,/\.so$/p' README.md)" && ls build/plugins/*.so &&
        "$freetickets" run --quiet --new smoke.cfg)
}

project() { # project KIND [--level 2]
    local kind=$1 title=$* dir="$work/$1_mine${3:-}"
    shift
    check "new $title" "$freetickets" new "$kind" mine "$@" --out "$dir"
    check "$title: CMake builds it, known answers, conformance and smoke pass" cmake_project "$dir"
    check "$title: so does the cc line, and smoke.cfg trains with it" cc_line "$dir"
}
for kind in prune grow init allot ensemble metric backend; do
    project "$kind"
done
project prune --level 2
project grow --level 2

built_by_clang() {
    (cd "$work/prune_mine" && rm -f build/plugins/*.so &&
        eval "$(sed -n '/^    export PKG/,/\.so$/{s/^    cc /    clang /;p}' README.md)" &&
        "$freetickets" conform --level 3 build/plugins/prune_mine.so && cc_line "$work/prune_mine")
}
check "a plugin built by clang passes at level 3" built_by_clang

# What `new` prints, typed as it stands; from the build tree too, which nobody installed.
as_printed() { # as_printed PROGRAM NAME
    (cd "$work" && "$1" new prune "$2" >"$2.txt" &&
        sed -n 's/^  //p' "$2.txt" | bash -euo pipefail >"$2.log" 2>&1 &&
        grep '100% tests passed.* out of 3' "$2.log") || { cat "$work/$2.log"; return 1; }
}
check "the commands that new prints work" as_printed "$freetickets" printed
check "and where the program was only built" as_printed "$FTK_PROGRAM" in_the_tree

check "--level of a kind that has none (2)" fails 2 "is for prune and grow" "$freetickets" new init mine --level 2
check "a level that is none (2)" fails 2 "is 1 or 2, not '3'" "$freetickets" new prune mine --level 3
check "a folder that is there is left alone (73)" fails 73 "is there already" "$freetickets" new prune mine --out "$work/prune_mine"
check "an unknown kind names the nearest (2)" fails 2 "did you mean 'prune'" "$freetickets" new prun mine
check "a name that is none (2)" fails 2 "is no name" "$freetickets" new prune Mine
check "a name that is taken (2)" fails 2 "is taken by" "$freetickets" new prune magnitude
check "a built-in's name (2)" fails 2 "is built in" "$freetickets" new init file
check "a folder that cannot be made (74)" fails 74 "cannot make" "$freetickets" new prune mine --out "$work/none/there"

# From an idea to a trained network on real images.
idea="$work/prune_mine"
on_the_quickstart() {
    cp "$prefix/share/freetickets/configs/quickstart.cfg" "$work/" &&
        FREETICKETS_PLUGIN_PATH="$idea/build/plugins" "$freetickets" run --quiet \
            "$work/quickstart.cfg" --out "$work/run" -s topology.prune.use=mine \
            -s data.limit=1000 -s data.validation=0 -s epochs=1 -s ensemble.explore=1ep \
            -s ensemble.refine=1ep -s topology.interval=5it -s eval.limit=500
}
if [ -d /usr/share/datasets/fashion-mnist ] || [ -d "${FREETICKETS_DATA:-/none}/fashion_mnist" ] ||
    dpkg -L dataset-fashion-mnist >/dev/null 2>&1; then
    check "the quickstart trains with topology.prune.use=mine" on_the_quickstart
else
    skip "the quickstart trains with topology.prune.use=mine" "no data"
fi

# One candidate too few is scored: the kit names the rule.
off_by_one() {
    sed -i 's/i < c->count; i++/i + 1 < c->count; i++/' "$idea/prune_mine.c" && cc_line_only || return 1
    fails 1 'fail.*SCO-01' "$freetickets" conform "$idea/build/plugins/prune_mine.so"
}
cc_line_only() {
    (cd "$idea" && eval "$(sed -n '/^    export PKG/,/\.so$/p' README.md)")
}
check "an off-by-one in it is named by the kit" off_by_one

finish
