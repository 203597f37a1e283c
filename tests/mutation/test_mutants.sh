#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Plants the mistakes of selection.mutants, one at a time, and expects a unit test to fail: the file is
# compiled from a copy by the build's own command and put before the library it came from.
# A handful of them, with --long all.
source "$(dirname "$0")/../support/tap.sh"
build=${FTK_BUILD_DIR:?set by tests/run}
list=$source_dir/tests/mutation/selection.mutants
tests=(test_budget test_select test_topology test_topk) # the quick ones first
seconds=30               # a mistake may hang; it is caught then
export CMOCKA_TEST_ABORT=1 # the first failure will do
read -ra libraries < <(pkg-config --libs libconfig jansson libcrypto zlib libcurl libarchive cmocka |
    tr '\n' ' ')

# compile SOURCE COPY OBJECT: as the build compiles SOURCE, but COPY.
compile() {
    local command words i
    command=$(jq -er --arg path "/$1" 'first(.[] | select(.file | endswith($path)) | .command)' \
        "$build/compile_commands.json") || return 1
    eval "words=($command)"
    for i in "${!words[@]}"; do
        case "${words[i]}" in
        */"$1") words[i]=$2 ;;
        -o) words[i + 1]=$3 ;;
        -fsanitize=*) instrument=${words[i]} ;;
        esac
    done
    (cd "$build" && "${words[@]}" -w -g0)
}

link() { # link TEST OBJECT...
    local test=$1
    shift
    cc ${instrument:+"$instrument"} -o "$scratch/$test" \
        "$build/tests/CMakeFiles/$test.dir/unit/$test.c.o" "$@" "$build/tests/libftk-test-support.a" \
        "$build/core/libftk-core.a" "${libraries[@]}" -ldl -lm -pthread
}

# mutate SOURCE FROM TO COPY: FROM must stand in SOURCE once.
mutate() {
    local text rest
    text=$(<"$source_dir/$1")
    rest=${text#*"$2"}
    if [ "$rest" = "$text" ]; then
        echo "nothing in $1 is '$2'"
        return 1
    fi
    if [ "${rest#*"$2"}" != "$rest" ]; then
        echo "more than one place of $1 is '$2'"
        return 1
    fi
    printf '%s\n' "${text%%"$2"*}$3$rest" >"$4"
}

passes() { # passes TEST
    (timeout "$seconds" "$scratch/$1") >"$scratch/output" 2>&1
}

# Every file as it is, in every test.
control() {
    local source test objects=()
    for source in $(sed -n 's/^@ //p' "$list" | sort -u); do
        objects+=("$scratch/$(basename "$source").o")
        compile "$source" "$source_dir/$source" "${objects[-1]}" || return 1
    done
    for test in "${tests[@]}"; do
        link "$test" "${objects[@]}" || return 1
        passes "$test" || { cat "$scratch/output"; return 1; }
    done
}

caught() { # caught SOURCE FROM TO
    local test copy=$scratch/mutant.c
    mutate "$1" "$2" "$3" "$copy" && compile "$1" "$copy" "$scratch/mutant.o" || return 1
    for test in "${tests[@]}"; do
        link "$test" "$scratch/mutant.o" || return 1
        passes "$test" || return 0
    done
    echo "no test fails where '$2' is '$3'"
    return 1
}

check "unchanged files pass" control
check "what stands nowhere is refused" fails 1 'nothing in' \
    mutate core/base/topk.c 'no such text' '' "$scratch/mutant.c"
check "what stands twice is refused" fails 1 'more than one' \
    mutate core/base/topk.c 'uint64_t' '' "$scratch/mutant.c"
source="" from="" wanted=""
while IFS= read -r line; do
    case "$line" in
    "@ "*) source=${line#@ } ;;
    "! "*) from=${line#! } wanted=1 ;;
    "- "*) from=${line#- } wanted=${FTK_LONG:-0} ;;
    "+"*)
        to=${line#+}
        to=${to# }
        [ "$wanted" = 0 ] ||
            check "$(basename "$source"): '$from' as '$to' is caught" caught "$source" "$from" "$to"
        ;;
    esac
done <"$list"
finish
