#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# The ledger of FLOPs: by operation and by layer it adds up to the whole, and a run counts what its
# plan counted, event for event.
source "$(dirname "$0")/../support/tap.sh"
tiny=$source_dir/tests/support/configs/tiny.cfg

# both NAME [-s ...]: the plan of tiny.cfg and its run.json, as plans/NAME and runs/NAME
mkdir "$scratch/plans"
both() {
    local name=$1
    shift
    "$program" plan "$tiny" --json "$@" >"$scratch/plans/$name" &&
        "$program" run "$tiny" --out "$scratch/runs/$name" --quiet "$@"
}

sums='def same(a; b): (a - b | fabs) <= 1e-12 * b;
    .flops | same([.by_operation[].train] | add; .train) and same([.by_layer[].train] | add; .train)
    and same([.by_layer[].share] | add; 1)'
# adds_up FILE: both lists are the total
adds_up() { jq -e "$sums" "$1"; }

# Everything but FLOPs is whole numbers; densities are exact counts, so FLOPs are equal too.
# as_planned NAME
as_planned() {
    jq -en --slurpfile plan "$scratch/plans/$1" --slurpfile run "$scratch/runs/$1/run.json" '
        def same(a; b): (a - b | fabs) <= 1e-12 * b;
        def events: map(del(.train, .executed));
        $plan[0].flops as $p | $run[0].flops as $r |
        ($p.by_operation | events) == ($r.by_operation | events) and
        ([$p.by_layer[].name] == [$r.by_layer[].name]) and
        all([$p.by_operation, $r.by_operation] | transpose[]; same(.[1].train; .[0].train)) and
        all([$p.by_layer, $r.by_layer] | transpose[]; same(.[1].train; .[0].train)) and
        same($r.train; $p.train) and $r.train == $run[0].train.flops_theory and
        same([$r.by_layer[].executed] | add; $r.executed) and
        same([$r.by_operation[].executed] | add; $r.executed)'
}

# events NAME KEY NUMBER...: of the operations in their order
events() {
    local name=$1 key=$2 want
    shift 2
    want=$(printf '%s,' "$@")
    jq -ec --arg key "$key" "[.flops.by_operation[][\$key]] == [${want%,}]" "$scratch/plans/$name"
}

try() { # try TITLE NAME [-s ...]
    local title=$1 name=$2
    shift 2
    check "$title: plan and run" both "$name" "$@"
    check "$title: the plan adds up" adds_up "$scratch/plans/$name"
    check "$title: the run adds up" adds_up "$scratch/runs/$name/run.json"
    check "$title: the run is as planned" as_planned "$name"
}

# 6 steps an epoch, an update every 3; explore 9 steps, 2 x 12 of refining, an escape.
try "edst" edst
check "no layer executes less than in theory" jq -e \
    'all(.flops.by_layer[]; .executed >= (1 - 1e-12) * .train)' "$scratch/runs/edst/run.json"
check "its operations" jq -e '[.flops.by_operation[].op] ==
    ["init", "train", "train", "save", "escape", "train", "save"]' "$scratch/plans/edst"
check "its steps, with that of the escape" events edst steps 0 9 12 0 1 12 0
check "every update's step forms dense gradients" \
    jq -e '[.flops.by_operation[] | .dense_gradient_steps == .updates + .escapes] | all' \
    "$scratch/plans/edst"
check "one escape with a fresh gradient" events edst escapes 0 0 0 0 1 0 0
check "is the only extra step" events edst fresh_gradients 0 0 0 0 1 0 0
check "the updates of the plan are the ledger's" jq -e '.updates ==
    ([.flops.by_operation[] | .updates + .escapes + .cuts] | add)' "$scratch/plans/edst"

try "edst by the last batch's gradient" last_batch -s topology.escape_gradient=last_batch
check "no fresh gradient" events last_batch fresh_gradients 0 0 0 0 0 0 0

# Where an update takes the place of a step and reads no gradient nothing is computed.
try "rigl with random growth" skipped -s topology.preset=rigl -s topology.grow.use=random
check "skipped steps are the updates" jq -e '
    ([.flops.by_operation[].skipped_steps] | add) > 0 and
    all(.flops.by_operation[]; .skipped_steps == .updates and .dense_gradient_steps == 0)' \
    "$scratch/plans/skipped"

try "a dense layer" dense_layer -s 'sparsity.dense=["fc1*"]'
layers=$("$program" plan "$tiny" --json | jq '.flops.by_layer | length')
check "it is a row like the others" jq -e --argjson n "$layers" '
    (.flops.by_layer | length) == $n and (.layers | length) == $n - 1' "$scratch/plans/dense_layer"
check "and is marked as text" bash -c \
    "'$program' plan '$tiny' -s 'sparsity.dense=[\"fc1*\"]' | grep -qE '^  fc1 .*% +not maskable'"

# A ramp: the layers' shares of the cuts show in the run, the events are known.
check "ltr: plan and run" both ltr -s ensemble.use=ltr
check "ltr: the run adds up" adds_up "$scratch/runs/ltr/run.json"
check "ltr: its cuts are as planned" jq -en --slurpfile plan "$scratch/plans/ltr" \
    --slurpfile run "$scratch/runs/ltr/run.json" '
    ($plan[0].flops.by_operation | map(.cuts)) == ($run[0].flops.by_operation | map(.cuts)) and
    ([$plan[0].flops.by_operation[].cuts] | add) > 0'

# A sparse run costs less in theory than on kernels that compute densely.
check "executed by dense kernels: as a dense network" both on_ref -s backend.use=ref
check "more than in theory" jq -e '.flops.executed > .flops.train and
    all(.flops.by_layer[]; .executed >= .train)' "$scratch/runs/on_ref/run.json"

check "no step, no section" bash -c \
    "! '$program' plan '$tiny' -s epochs=0.0 -s ensemble.use=dense | grep -q 'FLOPs of training'"
finish
