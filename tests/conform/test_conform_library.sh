#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# libfreetickets-conform from outside the tree: installed, the prefix moved, a CMocka program built with
# CMake and with one cc line, that asserts on a right plugin and on broken ones.
set -u
source "$(dirname "$0")/../support/tap.sh"
: "${FTK_BUILD_DIR:?}"
prefix="$scratch/moved"
zoo="$FTK_BUILD_DIR/zoo"
unset FREETICKETS
export CMOCKA_MESSAGE_OUTPUT=STDOUT

install_and_move() {
    cmake --install "$FTK_BUILD_DIR" --prefix "$scratch/first" >/dev/null && mv "$scratch/first" "$prefix"
}
mkdir "$scratch/cmake"
cat >"$scratch/cmake/test_it.c" <<'C'
#include <freetickets/conform.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdlib.h>

static void conforms(void **state)
{
    (void)state;
    ftk_conform_assert(getenv("PLUGIN"), getenv("ARGUMENTS"));
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(conforms) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
C
cat >"$scratch/cmake/CMakeLists.txt" <<'C'
cmake_minimum_required(VERSION 3.25)
project(it LANGUAGES C)
find_package(freetickets-sdk 0.1 EXACT REQUIRED COMPONENTS conform)
find_package(PkgConfig REQUIRED)
pkg_check_modules(CMOCKA REQUIRED IMPORTED_TARGET cmocka)
add_executable(test_it test_it.c)
target_link_libraries(test_it PRIVATE freetickets::conform PkgConfig::CMOCKA)
C

by_cmake() {
    cmake -S "$scratch/cmake" -B "$scratch/build" -DCMAKE_PREFIX_PATH="$prefix" &&
        cmake --build "$scratch/build"
}
by_cc() {
    local flags
    flags=$(PKG_CONFIG_PATH="$prefix/lib/pkgconfig" pkg-config --cflags --libs freetickets-conform) || return 1
    # shellcheck disable=SC2086 # the flags are words
    (cd "$scratch" && cc -Wall -Werror cmake/test_it.c $flags -o test_it)
}
asserts() { # asserts PLUGIN [ARGUMENTS]
    PLUGIN=$1 ARGUMENTS=${2:-} "$scratch/build/test_it"
}

if [ ! -f "$FTK_BUILD_DIR/lib/libfreetickets-conform.so" ]; then
    skip "libfreetickets-conform" "it was not built"
    finish
fi
check "everything installs and the prefix moves" install_and_move
check "CMake finds freetickets::conform and builds a test" by_cmake
check "so does one cc line with pkg-config" by_cc
check "a right plugin passes" asserts "$prefix/lib/freetickets/plugins/prune_magnitude.so"
check "the cc line's program says the same" \
    env PLUGIN="$prefix/lib/freetickets/plugins/prune_magnitude.so" ARGUMENTS="--level 1" "$scratch/test_it"
check "arguments reach the kit: one rule alone" \
    asserts "$prefix/lib/freetickets/plugins/prune_magnitude.so" "--level 3 --only THR-02"
check "a broken one fails, and the rule is named" fails 1 '^ *fail DET-05 prune.common: ' asserts "$zoo/bad/DET-05.so"
check "with the likely fix" fails 1 'fix: .*stream' asserts "$zoo/bad/DET-05.so"
check "and the place of the assertion" fails 1 'test_it\.c:12' asserts "$zoo/bad/DET-05.so"
check "a rule that is waived does not count" asserts "$zoo/bad/DET-05.so" "--skip DET-05=wanted\\ so"
check "a rule of a higher level is not run" asserts "$zoo/bad/THR-01.so" "--level 2"
check "a file that is not there fails" fails 1 'fail ABI-01' asserts "$scratch/none.so"
check "no rule at all fails" fails 1 'no rule is left to run' asserts "$zoo/bad/DET-05.so" "--only XYZ-1"
check "a wrong option fails" fails 1 'ended with status 2' asserts "$zoo/bad/DET-05.so" "--levle 3"
check "\$FREETICKETS names the program" fails 1 'is no JSON array' \
    env FREETICKETS=/bin/true PLUGIN="$zoo/bad/DET-05.so" "$scratch/build/test_it"
check "a program that is not there fails" fails 1 'none: No such file' \
    env FREETICKETS="$scratch/none" PLUGIN="$zoo/bad/DET-05.so" "$scratch/build/test_it"
on_path() { # the library where no program lies beside it
    mkdir -p "$scratch/alone/lib" && cp "$prefix/lib/libfreetickets-conform.so" "$scratch/alone/lib/" &&
        cc "$scratch/cmake/test_it.c" -I"$prefix/include/freetickets-conform" -L"$scratch/alone/lib" \
            -lfreetickets-conform -lcmocka -Wl,-rpath,"$scratch/alone/lib" -o "$scratch/test_alone" || return 1
    export PLUGIN="$prefix/lib/freetickets/plugins/prune_magnitude.so"
    fails 1 'freetickets: No such file' env PATH=/usr/bin:/bin "$scratch/test_alone" &&
        env PATH="$prefix/bin:/usr/bin:/bin" "$scratch/test_alone"
}
check "else the one on PATH is taken" on_path
check "exports its one function alone" \
    test "$(nm -D --defined-only "$prefix/lib/libfreetickets-conform.so" | awk '{ print $3 }')" = ftk_conform_assert_at
finish
