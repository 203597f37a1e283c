#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# What a finished run must show of the rules of training: presets, when the topology changes and by
# how much, what SAVE keeps, which steps and FLOPs are counted, networks from elsewhere.
source "$(dirname "$0")/../support/tap.sh"
tiny=$source_dir/tests/support/configs/tiny.cfg

train() { # train NAME [-s ...]
    local name=$1
    shift
    "$program" run "$tiny" --out "$scratch/$name" --quiet -s backend.use=cpu \
        -s backend.threads=2 "$@"
}

rule() { # rule RULE NAME [ARGUMENT...]
    local rule=$1 name=$2
    shift 2
    /usr/bin/python3 "$source_dir/tests/integration/check_rules.py" "$rule" "$scratch/$name" "$@"
}

plan() { # plan NAME [-s ...]: the plan as JSON beside the run
    local name=$1
    shift
    "$program" plan "$tiny" --json -s backend.use=cpu "$@" >"$scratch/$name.plan"
}

# Every preset with every strategy; planned FLOPs are those counted where all counts are exact.
for preset in paper freetickets rigl itop; do
    for strategy in dense static dst edst ltr pf; do
        name=$preset-$strategy
        use=(-s "topology.preset=$preset" -s "ensemble.use=$strategy" -s ensemble.members=2)
        within=0
        case $preset-$strategy in
        *-ltr | *-pf) within=0.01 ;;
        freetickets-dense | itop-dense) ;;
        freetickets-* | itop-*) within=0.03 ;;
        esac
        check "$name trains" train "$name" "${use[@]}"
        check "$name is planned" plan "$name" "${use[@]}"
        check "$name: planned FLOPs are counted FLOPs" \
            rule flops "$name" "$scratch/$name.plan" $within
    done
done

# Masks.
check "dst: exact counts never move, R_s grows" rule density_constant paper-dst
check "edst: exact counts never move, R_s grows" rule density_constant paper-edst
check "ltr: members share one mask and are two networks" rule one_mask paper-ltr
still=(-s topology.interval=10000it -s ensemble.members=3)
check "edst without updates trains" train still "${still[@]}"
check "an escape changes at most ceil(q nnz) a layer, in balance" rule escape still 0.8
check "edst with regrowth forbidden trains" train forbidden "${still[@]}" \
    -s topology.regrow=forbidden -s ensemble.escape_rate=0.3
check "an escape changes exactly ceil(q nnz) a layer" rule escape_exact forbidden 0.3
check "topology.enabled = false: no escape" train off -s topology.enabled=false
check "topology.enabled = false: one mask for all" rule one_mask off

# `regrow = forbidden` where the rate asks for more than is inactive.
crowded=(-s topology.regrow=forbidden -s sparsity.density=0.7 -s sparsity.init.use=uniform)
check "a crowded network trains" train crowded "${crowded[@]}"
check "its escapes take n - nnz" rule escape_exact forbidden 0.3
check "it is said once in the log" \
    test "$(grep -c "regrow is forbidden" "$scratch/crowded/log.txt")" = 1
check "and by plan" grep -q "^regrow  *forbidden" <("$program" plan "$tiny" "${crowded[@]}")
check "the roomy network says nothing" fails 1 "" grep "regrow" "$scratch/forbidden/log.txt"

# What SAVE keeps, and that the live network goes on from its last state.
long=(-s ensemble.explore=1ep -s ensemble.refine=5ep -s ensemble.refine_lr=0.3
    -s "eval.on=[\"test\",\"validation\"]")
check "keep = last trains" train last "${long[@]}"
check "keep = best_validation trains" train best "${long[@]}" -s ensemble.keep=best_validation
check "a member is the best epoch of its last TRAIN" rule best best
check "the live network goes on from its last state" rule same_training best "$scratch/last"

# The gradient of an escape: on the next TRAIN's first batch, or the last batch's.
escapes=(-s topology.interval=10000it -s ensemble.explore=0ep -s ensemble.refine=1ep)
check "a fresh gradient" train fresh "${escapes[@]}"
check "the last batch's gradient" train last_batch "${escapes[@]}" \
    -s topology.escape_gradient=last_batch
check "the last batch's costs no step of its own" rule last_batch last_batch "$scratch/fresh"
check "the last batch's is planned" plan last_batch "${escapes[@]}" \
    -s topology.escape_gradient=last_batch
check "the last batch's is counted as planned" rule flops last_batch "$scratch/last_batch.plan"
check "the last batch's on ref" "$program" run "$tiny" --out "$scratch/last_batch-ref" --quiet \
    -s backend.use=ref "${escapes[@]}" -s topology.escape_gradient=last_batch
check "cpu kept the gradient that ref kept" /usr/bin/python3 \
    "$source_dir/tests/integration/compare_runs.py" "$scratch/last_batch" "$scratch/last_batch-ref"
check "a best state is saved without touching that gradient" train last_batch-best \
    "${escapes[@]}" -s topology.escape_gradient=last_batch -s ensemble.keep=best_validation
check "the same network goes on" rule same_training last_batch-best "$scratch/last_batch"
check "a fresh gradient is in no epoch's loss" rule epoch_images fresh 192

# Epoch lines: at the end of a pass and of a TRAIN; t and the pass run on through all phases.
check "edst: epochs and steps" rule epochs paper-edst 1:1:6 1:2:9 2:2:12 2:3:18 2:4:21 5:4:24 \
    5:5:30 5:6:33
check "ltr: REWIND sets t and the pass back" train ltr-epochs -s ensemble.use=ltr \
    -s ensemble.rewind=0.125 -s epochs=2.0
check "ltr: epochs and steps" rule epochs ltr-epochs 1:1:2 3:1:6 3:2:12 5:1:6 5:2:12 8:1:6 8:2:12
check "pf: t runs on after PRUNE" rule epochs paper-pf 1:1:6 1:2:12 1:3:18 1:4:24 3:5:30 3:6:36 \
    3:7:42 3:8:48 6:1:6 6:2:12 6:3:18 6:4:24 8:5:30 8:6:36 8:7:42 8:8:48

# Learning rates: of the last step of each line.
check "dst: milestones at half and three quarters" rule column paper-dst lr \
    0.1 0.1 0.01 0.001 0.1 0.1 0.01 0.001
check "ltr: retraining goes on in the dense run's schedule" rule column ltr-epochs lr \
    0.1 0.1 0.001 0.1 0.001 0.1 0.001
check "a cosine over two epochs" train cosine -s ensemble.use=static -s ensemble.members=1 \
    -s ensemble.train=2ep -s optim.schedule=cosine
check "it runs to the end of the TRAIN" rule column cosine lr 0.0629409523 0.0017037087
check "itop: explore and the first refine are one stretch of the rate" rule column itop-edst rate \
    0.406813726 0.307573931 0.197426069 0.0295102052 0.005 0.427508928 0.0774910717 0.005

# Snapshots of ltr's search and of its retraining have the same t and member.
check "a trajectory" train trajectory -s ensemble.use=ltr -s epochs=2.0 -s eval.trajectory=1ep
check "no snapshot replaces another" rule trajectory trajectory 3:6:0 3:12:0 5:6:0 5:12:0 \
    8:6:1 8:12:1

# Networks from elsewhere.
from=(-s "model.weights=\"$scratch/paper-edst/members/member-%d.safetensors\"")
check "dense, 0ep evaluates what an edst run left" train elsewhere -s ensemble.use=dense \
    -s ensemble.members=2 -s ensemble.train=0ep "${from[@]}"
check "with the same predictions" rule same_predictions elsewhere "$scratch/paper-edst" 1e-5
for strategy in dense static dst edst ltr pf; do
    zero=(-s epochs=0.0 -s "ensemble.use=$strategy" -s ensemble.members=2)
    [ $strategy = edst ] && zero+=(-s ensemble.explore=1x -s ensemble.refine=1x)
    check "$strategy: epochs = 0 makes no step" train "zero-$strategy" "${zero[@]}" "${from[@]}"
    check "$strategy: nor an epoch's line" rule epochs "zero-$strategy"
done
check "ltr: a ramp without a step cuts nothing" rule dense zero-ltr
finish
