# SPDX-License-Identifier: MIT
# Sourced by the suites here.  Builds one fuzz_NAME.c with clang's libFuzzer and sanitizers and lets it run on its
# corpus for FTK_FUZZ_SECONDS, by default 60; new inputs go to the build folder, never into the tree.  TAP.
seconds=${FTK_FUZZ_SECONDS:-60}
source_dir=$(cd "$(dirname "$0")/../.." && pwd)
export LSAN_OPTIONS=print_suppressions=0

fuzz() { # fuzz NAME "FOLDER-OF-CORE..." LIBRARY...
    name=$1 folders=$2
    shift 2
    work=${FTK_BUILD_DIR:-$source_dir/build}/fuzz/$name
    echo 1..1
    if ! command -v clang > /dev/null; then
        echo "ok 1 - fuzz $name # SKIP no clang"
        return
    fi
    mkdir -p "$work/found"
    sources=$source_dir/tests/fuzz/fuzz_$name.c
    for folder in $folders; do
        sources="$sources $(echo "$source_dir/core/$folder"/*.c)"
    done
    # shellcheck disable=SC2086  # sources are words
    clang -std=c11 -g -O1 -fsanitize=fuzzer,address,undefined -fno-sanitize-recover=undefined \
        -D_GNU_SOURCE -DFTK_VERSION=\"fuzz\" -I"$source_dir/core" -I"$source_dir/sdk/include" \
        $sources -o "$work/fuzz_$name" "$@"
    cd "$work"
    if "./fuzz_$name" -max_total_time="$seconds" -max_len=4096 -timeout=10 -print_final_stats=1 \
        found "$source_dir/tests/fuzz/corpus/$name" > log.txt 2>&1; then
        runs=$(sed -n 's/^stat::number_of_executed_units: *//p' log.txt)
        echo "ok 1 - fuzz $name: $runs inputs in $seconds s"
    else
        tail -n 40 log.txt | sed 's/^/# /'
        echo "not ok 1 - fuzz $name"
        exit 1
    fi
}
