#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# What README.md shows is extracted and run: every block marked `sh`, every file it prints, and the two
# commands of its first section.
source "$(dirname "$0")/../support/tap.sh"
readme=$source_dir/README.md

# Writes the n-th block whose fence line is exactly "```$1" to standard output.
block() {
    awk -v fence="\`\`\`$1" -v want="$2" '
        $0 == fence { n++; inside = n == want; next }
        /^```/ { inside = 0 }
        inside' "$readme"
}

# A folder that looks like the root of the tree, so that runs/ of the tree stays as it is.
lay_out() {
    local name
    for name in configs README.md sdk plugins; do
        ln -s "$source_dir/$name" "$scratch/$name" || return 1
    done
    ln -s "$FTK_BUILD_DIR" "$scratch/build"
}

write_files() {
    local file
    grep -oE '^```c file=[a-z_]+\.c$' "$readme" | sed 's/.*file=//' | while IFS= read -r file; do
        block "c file=$file" 1 >"$scratch/$file"
        [ -s "$scratch/$file" ] || exit 1
        [ "$(grep -c '' "$scratch/$file")" -le 26 ] || { echo "$file is no small plugin"; exit 1; }
    done
}

run_block() {
    block sh "$1" >"$scratch/block.sh"
    [ -s "$scratch/block.sh" ] && cd "$scratch" && bash -euo pipefail block.sh
}

# The quickstart: a table with every metric, the cost line, and the accuracy that is claimed.
quickstart() {
    (cd "$source_dir" && ./bootstrap run) >"$scratch/quickstart.txt" 2>"$scratch/quickstart.err" ||
        { tail -20 "$scratch/quickstart.err"; return 1; }
    cat "$scratch/quickstart.txt"
    grep -qE '^cost +EDST M=3 S=0\.8' "$scratch/quickstart.txt" || return 1
    awk '$1 == "ensemble" { found = 1; if ($2 < 0.905) exit 1 } END { exit !found }' \
        "$scratch/quickstart.txt"
}

check "README's commands have a place to run" lay_out
check "README's files are written" write_files
blocks=$(grep -c '^```sh$' "$readme")
for i in $(seq "$blocks"); do
    check "README's commands, block $i of $blocks" run_block "$i"
done
check "./bootstrap run ends with the quickstart's table and cost line" quickstart
finish
