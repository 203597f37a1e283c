#!/bin/sh
# SPDX-License-Identifier: MIT
# test_sdk_install.sh - the SDK installed, moved, and used from outside the tree.  TAP.
#
# A plugin folder of the tree builds alone against it with CMake, and a plugin of a few lines
# with one cc line and pkg-config.  Needs FTK_SOURCE_DIR and FTK_BUILD_DIR, a configured build.
set -u

: "${FTK_SOURCE_DIR:?}" "${FTK_BUILD_DIR:?}"
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
prefix="$work/moved"
log="$work/log"
n=0
failed=0

# report NAME: the status of the command before it; shows the log of a failure.
report() {
    status=$?
    n=$((n + 1))
    if [ $status -eq 0 ]; then
        echo "ok $n - $1"
    else
        echo "not ok $n - $1"
        sed 's/^/# /' "$log"
        failed=1
    fi
}

skip() {
    n=$((n + 1))
    echo "ok $n - $1 # SKIP $2"
}

# exports FILE: the defined dynamic symbols, on one line.
exports() {
    nm -D --defined-only "$1" | awk '{ print $3 }' | sort | tr '\n' ' '
}

two_symbols() {
    found=$(exports "$1") || return 1
    echo "exports: $found" >"$log"
    [ "$found" = "ftk_plugin_register ftk_plugin_stamp " ]
}

# build_alone FOLDER: configures, builds and installs plugins/FOLDER against the moved SDK.
build_alone() {
    cmake -S "$FTK_SOURCE_DIR/plugins/$1" -B "$work/alone/$1" \
        -DCMAKE_PREFIX_PATH="$prefix" -DCMAKE_BUILD_TYPE=Release &&
        cmake --build "$work/alone/$1" &&
        cmake --install "$work/alone/$1" --prefix "$prefix"
} >"$log" 2>&1

install_sdk() {
    cmake --install "$FTK_BUILD_DIR" --component sdk --prefix "$work/first" &&
        mv "$work/first" "$prefix"
} >"$log" 2>&1

# The prefix that was must not be named in what was installed.
no_traces() {
    ! grep -r -e "$work/first" -e "$FTK_SOURCE_DIR" "$prefix" >"$log"
}

install_sdk
report "the SDK installs, and the prefix moves"
no_traces
report "no installed file names the old prefix or the source tree"

build_alone prune
report "plugins/prune builds alone"
two_symbols "$prefix/lib/freetickets/plugins/prune_magnitude.so"
report "prune_magnitude.so exports its two symbols alone"

if [ -f "$FTK_SOURCE_DIR/plugins/backend/ref/CMakeLists.txt" ]; then
    build_alone backend/ref
    report "plugins/backend/ref builds alone"
    two_symbols "$prefix/lib/freetickets/plugins/backend_ref.so"
    report "backend_ref.so exports its two symbols alone"
else
    skip "plugins/backend/ref builds alone" "it is not in this tree"
    skip "backend_ref.so exports its two symbols alone" "it is not in this tree"
fi

# A whole pruner, by pkg-config.
cat >"$work/prune_largest.c" <<'PLUGIN'
/* Drops the largest weights. */
#include <freetickets/plugin.h>
#include <freetickets/sparse.h>

static ftk_status score(const ftk_host *h, void *self, const ftk_layer *l, const ftk_cand *c,
                        ftk_update *u, float *score)
{
    (void)h, (void)self, (void)l, (void)u;
    for (uint64_t i = 0; i < c->count; i++)
        score[i] = c->weight[i] < 0 ? c->weight[i] : -c->weight[i];
    return FTK_OK;
}
static const ftk_prune_ops ops = { .size = sizeof(ops), .channels = FTK_CH_WEIGHT,
                                   .props = FTK_PROP_ELEMENTWISE, .score = score };
static const ftk_algo largest = {
    .size = sizeof(largest), .kind = FTK_KIND_PRUNE, .name = "largest",
    .summary = "drop the largest weights", .reference = "", .ops = &ops,
};
FTK_PLUGIN("org.example.largest", "1.0.0", "MIT", &largest);
PLUGIN

[ "$(wc -l <"$work/prune_largest.c")" -le 25 ]
report "the example has at most 25 lines"

one_line() {
    PKG_CONFIG_PATH="$prefix/lib/pkgconfig"
    export PKG_CONFIG_PATH
    flags=$(pkg-config --cflags --libs "freetickets-sdk = $version") || return 1
    # shellcheck disable=SC2086 # the flags are words
    cd "$work" && cc -shared -Wall -Werror prune_largest.c $flags -o prune_largest.so
}
version=$(sed -n 's/^#define FTK_ABI_M[AJIN]*OR \([0-9]*\)u.*/\1/p' \
    "$FTK_SOURCE_DIR/sdk/include/freetickets/abi.h" | paste -sd.)
(one_line) >"$log" 2>&1
report "one cc line with pkg-config freetickets-sdk $version builds it"
two_symbols "$work/prune_largest.so"
report "prune_largest.so exports its two symbols alone"

wrong_version() {
    mkdir -p "$work/wrong"
    printf '%s\n' 'cmake_minimum_required(VERSION 3.25)' 'project(wrong LANGUAGES C)' \
        'find_package(freetickets-sdk 0.99 EXACT REQUIRED)' >"$work/wrong/CMakeLists.txt"
    ! cmake -S "$work/wrong" -B "$work/wrong/build" -DCMAKE_PREFIX_PATH="$prefix" >"$log" 2>&1 &&
        grep -q 'version: ' "$log"
}
wrong_version
report "another version of the package is refused"

echo "1..$n"
exit $failed
