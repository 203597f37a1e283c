#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# `freetickets conform`: options, forms of output, exit codes, files that are no plugins, kept levels.
# shellcheck source=tests/support/tap.sh
source "$(dirname "$0")/../support/tap.sh"
good=$FTK_BUILD_DIR/zoo/good/good_no_params.so
many=$FTK_BUILD_DIR/zoo/good/good_40_params.so
bad=$FTK_BUILD_DIR/zoo/bad/ABI-06.extension.so
export XDG_CACHE_HOME=$scratch/cache
cp "$good" "$scratch/copy.so"

check "no file is usage" fails 2 'needs FILE' "$program" conform
check "an unknown level is usage" fails 2 'must be 1, 2, 3 or 4' "$program" conform --level 5 "$good"
check "no jobs is usage" fails 2 'jobs 0' "$program" conform --jobs 0 "$good"
check "no seconds is usage" fails 2 'timeout 0' "$program" conform --timeout 0 "$good"
check "a --skip without = is usage" fails 2 'KEY=VALUE' "$program" conform --skip SCO-06 "$good"
check "a rule that is none is usage" fails 2 'no rule is left' "$program" conform --only SCO-99 "$good"
check "--in-process wants one rule" fails 2 'one rule' "$program" conform --in-process "$good"
check "--in-process passes" fails 0 '^pass' "$program" conform --in-process --only SCO-01 "$good"
check "--in-process fails" fails 1 '^fail: get_extension' \
    "$program" conform --in-process --only ABI-06 "$bad"
check "a failure exits 1, says why and how to run it" fails 1 'run: .*--in-process --only ABI-06' \
    "$program" conform --only 'ABI-*' "$bad"
check "a waived rule does not fail" fails 0 'waived +ABI-06' \
    "$program" conform --only ABI-06 --skip "ABI-06=a test" "$bad"
check "a rule of level 3 runs if named" fails 0 'pass +SCO-08' "$program" conform --only SCO-08 "$good"
check "a glob keeps to the level" fails 0 '7 pass' "$program" conform --level 1 --only 'ABI-0?,ENV*' "$good"

# Files that are no plugins.
broken() { # broken FILE PATTERN: a single rule fails, ABI-01, and says so
    fails 1 "$2" "$program" conform "$1" &&
        [ "$("$program" conform --json "$1" | jq -r '.[0].verdicts[] | select(.verdict == "fail") | .rule')" = ABI-01 ]
}
: >"$scratch/empty.so"
echo "not a plugin" >"$scratch/text.so"
head -c 3000 "$good" >"$scratch/truncated.so"
mkdir "$scratch/folder.so"
mkfifo "$scratch/fifo.so"
cp "$good" "$scratch/machine.so"
printf '\x08\x00' | dd of="$scratch/machine.so" bs=1 seek=18 conv=notrunc status=none # MIPS
cp "$good" "$scratch/backend_named.so"
check "an empty file" broken "$scratch/empty.so" 'empty file'
check "a text file" broken "$scratch/text.so" 'no ELF header'
check "a truncated file" broken "$scratch/truncated.so" 'cut short'
check "a folder" broken "$scratch/folder.so" 'not a regular file'
check "a FIFO" broken "$scratch/fifo.so" 'not a regular file'
check "another machine" broken "$scratch/machine.so" 'machine 8'
check "no file at all" broken "$scratch/nothing.so" 'No such file'
check "what the loader refuses fails though no rule did" broken "$scratch/backend_named.so" 'backend_'
check "what does not load fails whatever was asked for" fails 1 'ABI-01' \
    "$program" conform --only SCO-06 "$scratch/text.so"
if [ "$(id -u)" -ne 0 ]; then
    cp "$good" "$scratch/unreadable.so"
    chmod 0 "$scratch/unreadable.so"
    check "an unreadable file" broken "$scratch/unreadable.so" 'Permission denied'
else
    skip "an unreadable file" "root reads everything"
fi

# Forms of output.
tap() {
    "$program" conform --tap --only 'ABI-*' "$good" "$bad" >"$scratch/tap"
    [ $? -eq 1 ] && grep -qx 'TAP version 14' "$scratch/tap" && grep -qx '1..16' "$scratch/tap" &&
        [ "$(grep -c '^ok ' "$scratch/tap")" -eq 15 ] &&
        [ "$(grep -cE '^not ok 1[0-9] .*ABI-06' "$scratch/tap")" -eq 1 ] &&
        grep -qx '  message: "get_extension(\\"none/9\\") is not NULL"' "$scratch/tap"
}
check "TAP 14 with a YAML block" tap
json() {
    "$program" conform --json --level 1 "$good" "$bad" >"$scratch/json"
    [ $? -eq 1 ] &&
        jq -e --arg sum "$(sha256sum "$good" | cut -d' ' -f1)" '
            length == 2 and .[0].sha256 == $sum and .[0].level == 1 and .[1].level == 0 and
            .[0].counts.fail == 0 and .[1].counts.fail == 1 and .[0].kit.interface == "0.1" and
            .[0].stamp == "org.freetickets.zoo.bare 1.0.0" and
            all(.[].verdicts[]; .rule and .verdict and .command and .seed == 17 and .ms >= 0)' \
            "$scratch/json"
}
check "JSON: hash, stamp, level, verdicts, counts" json
order() {
    "$program" conform --jobs 1 --level 1 "$many" "$good" | grep -E '^ +(pass|skip)' >"$scratch/one"
    "$program" conform --jobs 8 --level 1 "$many" "$good" | grep -E '^ +(pass|skip)' >"$scratch/eight"
    [ -s "$scratch/one" ] && cmp "$scratch/one" "$scratch/eight"
}
check "the order of output does not depend on --jobs" order

# Kept levels.
beside() {
    "$program" conform --level 1 "$scratch/copy.so" >/dev/null &&
        [ "$(jq .level "$scratch/copy.so.conform.json")" -eq 1 ]
}
listed() { # listed LEVEL: what `list --json` says of copy.so
    [ "$(FREETICKETS_PLUGIN_PATH=$scratch/listed "$program" list --json prune |
        jq -r '.[] | select(.name == "bare") | .conform_level')" = "$1" ]
}
mkdir "$scratch/listed"
check "a level is kept beside the plugin" beside
mv "$scratch/copy.so" "$scratch/copy.so.conform.json" "$scratch/listed/"
check "list shows it" listed 1
check "list -v shows it" fails 0 'level 1 .*copy.so' \
    env FREETICKETS_PLUGIN_PATH="$scratch/listed" "$program" list -v
partial() {
    "$program" conform --only ABI-01 "$scratch/listed/copy.so" >/dev/null && listed 1
}
check "some rules alone change no level" partial
echo >>"$scratch/listed/copy.so"
check "another content has none" listed null

check "sdk/docs/rules.md is what the rules say" \
    diff "$source_dir/sdk/docs/rules.md" <("$program" conform --rules-md)
finish
