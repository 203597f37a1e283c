#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Every shipped configuration passes `check` without a note and can be planned, without any data;
# `plan --compare paper` prints the paper's columns.
source "$(dirname "$0")/../support/tap.sh"
export FREETICKETS_DATA=$scratch/nothing

quiet_check() { # quiet_check FILE: an OK, nothing else
    local said
    said=$("$program" check "$1" 2>&1) || { echo "$said"; return 1; }
    [ "$said" = "OK $1" ] && return 0
    echo "$said"
    return 1
}

for config in "$source_dir"/configs/*.cfg "$source_dir"/configs/*/*.cfg; do
    name=${config#"$source_dir"/configs/}
    case $name in
    include/*) continue ;;
    esac
    check "$name passes check" quiet_check "$config"
    check "$name can be planned" "$program" plan "$config"
done

has_rows() {
    "$program" plan --compare paper >paper.txt || return 1
    cat paper.txt
    grep -qE '1 CIFAR-10 +DST M=3 S=0\.8 +1\.02x +1\.01x +1\.01x' paper.txt &&
        grep -qE '1 CIFAR-10 +LTR M=3 S=0\.8 +~[0-9.]+x +- +1\.75x' paper.txt &&
        grep -qE '2 CIFAR-100 +EDST M=7 S=0\.9 +0\.57x +0\.57x +0\.57x' paper.txt &&
        grep -qE '3 ImageNet +EDST M=4 S=0\.8 +0\.86x +0\.87x +0\.87x' paper.txt
}
document() {
    "$program" plan --compare paper --json |
        jq -e '.rows | length == 13 and (map(.paper) | add > 10)'
}
cd "$scratch" || exit 1
check "plan --compare paper prints the tables" has_rows
check "plan --compare paper --json" document
check "plan needs a file" fails 2 'plan needs CFG' "$program" plan
check "plan --compare takes no file" fails 2 'takes no CFG' "$program" plan --compare paper x.cfg
check "plan --compare takes no overrides" fails 2 'takes no overrides' \
    "$program" plan --compare paper -s seed=1
check "plan --compare knows the paper alone" fails 2 "knows paper, not 'rigl'" \
    "$program" plan --compare rigl
finish
