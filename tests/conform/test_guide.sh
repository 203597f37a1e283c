#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# The guide sdk/docs/writing-a-plugin.md, typed from top to bottom: its commands with the build tree for
# a prefix, its parts of files compared with what `freetickets new` writes, its C++ plugin built.
source "$(dirname "$0")/../support/tap.sh"
: "${FTK_BUILD_DIR:?}"
guide=$source_dir/sdk/docs/writing-a-plugin.md

# Blocks whose fence line begins with "```$1".
blocks() {
    awk -v fence="\`\`\`$1" '
        index($0, fence) == 1 { inside = 1; next }
        /^```/ { inside = 0 }
        inside' "$guide"
}

typed() {
    local stop='^cp "'
    [ -d /usr/share/datasets/fashion-mnist ] && stop='^$nothing'
    blocks sh | sed "s|^PREFIX=.*|PREFIX=$FTK_BUILD_DIR|; /$stop/,\$d" >"$scratch/typed.sh"
    (cd "$scratch" && bash -euo pipefail typed.sh)
}

parts() {
    python3 - "$guide" "$scratch" <<'PYTHON'
import re, sys
text = open(sys.argv[1], encoding="utf-8").read()
found = re.findall(r"```c part=(\S+)\n(.*?)```", text, re.S)
assert len(found) >= 3, "the guide shows no parts"
for name, part in found:
    if part not in open(f"{sys.argv[2]}/prune_mine/{name}", encoding="utf-8").read():
        sys.exit(f"not in {name}:\n{part}")
PYTHON
}

in_cxx() {
    local dir=$scratch/cxx
    mkdir "$dir" && blocks "cpp file=prune_square.cc" >"$dir/prune_square.cc" &&
        blocks "cmake file=CMakeLists.txt" >"$dir/CMakeLists.txt" &&
        cmake -S "$dir" -B "$dir/build" -DCMAKE_PREFIX_PATH="$FTK_BUILD_DIR" &&
        cmake --build "$dir/build" &&
        "$program" conform --level 3 "$dir/build/plugins/prune_square.so"
}

named() {
    local path missing=0
    for path in $(grep -oE 'examples/[a-z_/]+\.[ch]' "$guide"); do
        ls "$FTK_BUILD_DIR/share/freetickets/$path" || missing=1
    done
    return $missing
}

check "the guide's commands, typed in order" typed
check "the code that it shows is what new writes" parts
check "the C++ plugin builds and passes level 3" in_cxx
check "the examples that it names are there" named
finish
