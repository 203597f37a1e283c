#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Every strategy with every model, on both backends: it trains, members load in numpy, and the same
# bits come out for 1, 2, 3 and 7 threads and again from config.resolved.cfg.
source "$(dirname "$0")/../support/tap.sh"
tiny=$source_dir/tests/support/configs/tiny.cfg
strategies="dense static dst edst ltr pf snapshot"

train() { # train OUT [-s ...]
    local out=$1
    shift
    "$program" run "$tiny" --out "$out" --quiet "$@"
}

# Everything a run leaves that is a function of config, seed and ISA.
same_run() {
    local file
    for file in metrics.csv metrics.jsonl; do
        cmp "$1/$file" "$2/$file" || return 1
    done
    diff -r "$1/members" "$2/members" && diff -r "$1/preds" "$2/preds"
}

# train_runs NUMBER [-s ...]: complete trainings by the plan
train_runs() {
    local want=$1
    shift
    "$program" plan "$tiny" --json "$@" | jq -e ".train_runs == $want"
}
check "edst is one training" train_runs 1 -s ensemble.members=3
check "dst is one a member" train_runs 3 -s ensemble.use=dst -s ensemble.members=3
check "pf is two" train_runs 6 -s ensemble.use=pf -s ensemble.members=3
check "ltr searches once more" train_runs 4 -s ensemble.use=ltr -s ensemble.members=3
check "so where it rewinds to the start" train_runs 4 -s ensemble.use=ltr -s ensemble.members=3 \
    -s ensemble.rewind=0.0

for strategy in $strategies; do
    for model in mlp lenet5; do
        base=$scratch/$strategy-$model
        use=(-s "ensemble.use=$strategy" -s "ensemble.members=2" -s "model.use=$model")
        check "$strategy trains $model on ref" train "$base-ref" "${use[@]}" -s backend.use=ref
        check "$strategy trains $model on cpu" \
            train "$base-1" "${use[@]}" -s backend.use=cpu -s backend.threads=1
        check "$strategy $model again from config.resolved.cfg" \
            "$program" run "$base-1/config.resolved.cfg" --out "$base-again" --quiet
        check "$strategy $model: the same bits again" same_run "$base-1" "$base-again"
        for threads in 2 3 7; do
            check "$strategy $model on $threads threads" \
                train "$base-$threads" "${use[@]}" -s backend.use=cpu -s "backend.threads=$threads"
            check "$strategy $model: $threads threads, the bits of 1" \
                same_run "$base-1" "$base-$threads"
        done
        check "$strategy $model: cpu is close to ref" /usr/bin/python3 \
            "$source_dir/tests/integration/compare_runs.py" "$base-ref" "$base-1"
        check "$strategy $model: numpy agrees with members and metrics" /usr/bin/python3 \
            "$source_dir/tests/integration/check_run.py" "$base-1"
    done
done
finish
