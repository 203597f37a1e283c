#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# A strategy that saves a member twice, goes back to a slot that was never filled, or trains before
# there is a network: the same sentence from check, plan, the conformance kit and a run.
source "$(dirname "$0")/../support/tap.sh"
tiny=$source_dir/tests/support/configs/tiny.cfg
zoo=${FTK_BUILD_DIR:?set by tests/run}/zoo

# The experiment, with the plugin file $1 in a folder of its own and its algorithm $2 in use.
write_experiment() {
    mkdir -p "$scratch/$1"
    cp "$zoo/$1.so" "$scratch/$1/ensemble_$2.so"
    sed "s/^ensemble = .*/ensemble = { use = \"$2\"; members = 2; };/" "$tiny" >"$scratch/$1/x.cfg"
}

no_run_folder() { ! compgen -G "$1/out*"; }

# refused PLUGIN SENTENCE
refused() {
    local cfg=$scratch/$1/x.cfg
    local sentence=$2
    write_experiment "$1" bad_strategy
    export FREETICKETS_PLUGIN_PATH=$scratch/$1
    check "${1#bad/}: check says so" fails 78 "$sentence" "$program" check "$cfg"
    check "${1#bad/}: plan says so" fails 78 "$sentence" "$program" plan "$cfg"
    check "${1#bad/}: a run says so" fails 78 "$sentence" \
        "$program" run "$cfg" --out "$scratch/$1/out" --quiet
    check "${1#bad/}: and leaves no folder" no_run_folder "$scratch/$1"
    check "${1#bad/}: the kit says so" fails 1 "$sentence" \
        "$program" conform --only 'ENS-*' "$scratch/$1/ensemble_bad_strategy.so"
}

refused bad/ENS-03.twice 'operation 15 \(save\): member 0 was saved by operation 7'
refused bad/ENS-03.early 'operation 0 \(train\): the first operation is an init'
refused bad/ENS-08 'operation 4 \(rewind\): slot 1 was never remembered'

# The same strategy without the mistake trains.
write_experiment good/bad_strategy.right bad_strategy
export FREETICKETS_PLUGIN_PATH=$scratch/good/bad_strategy.right
right=$scratch/good/bad_strategy.right
check "without the mistake: check is content" "$program" check "$right/x.cfg"
check "without the mistake: it trains" "$program" run "$right/x.cfg" --out "$right/out" --quiet
check "without the mistake: its second member lies there" \
    test -s "$right/out/members/member-1.safetensors"
finish
