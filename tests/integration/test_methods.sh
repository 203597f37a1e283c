#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# The methods of configs/methods/ and every algorithm of the tree on a network of a second, on both
# backends; what a method costs is in its plan; what cannot go together is refused by `check`.
source "$(dirname "$0")/../support/tap.sh"
tiny=(-s data.use=synthetic -s 'data.shape=[3, 12, 12]' -s data.classes=4 -s data.train=192
    -s data.test=64 -s data.batch=32 -s data.validation=0 -s data.augment=none -s data.normalise=none
    -s model.depth=10 -s model.width=1 -s topology.interval=2it -s epochs=2
    -s 'optim.milestones=[0.5]' -s eval.limit=64)

trains() { # trains CONFIG OUT [-s ...]
    local config=$1 out=$2
    shift 2
    "$program" run "$config" --out "$out" --quiet "${tiny[@]}" "$@" || return 1
    [ "$(grep -c '' "$out/metrics.csv")" -eq 3 ]
}

# The step, its dense gradients: all of them, the updates alone, or none.
dense_gradients() { # dense_gradients CONFIG
    "$program" plan "$1" --json | jq -r '.flops.train_relative'
}

for config in "$source_dir"/configs/methods/*.cfg; do
    name=$(basename "$config" .cfg)
    check "$name trains on cpu" trains "$config" "$scratch/$name-cpu" -s backend.use=cpu
    check "$name trains on ref" trains "$config" "$scratch/$name-ref" -s backend.use=ref
done

costs_more() { # SNFS forms a dense gradient every step, SET never
    local snfs set
    snfs=$(dense_gradients "$source_dir/configs/methods/snfs.cfg")
    set=$("$program" plan "$source_dir/configs/methods/snfs.cfg" --json \
        -s topology.grow.use=random -s topology.allot.use=none -s topology.inactive_momentum=zero |
        jq -r '.flops.train_relative')
    echo "snfs $snfs, without momentum $set"
    # 2 f_S + f_D against 3 f_S: (2 x 0.2 + 1) / (3 x 0.2) at uniform density 0.2.
    awk -v a="$snfs" -v b="$set" 'BEGIN { r = a / b; exit !(r > 2.2 && r < 2.4) }'
}
check "plan charges SNFS a dense gradient every step" costs_more

base=$source_dir/configs/methods/rigl.cfg
for init in er erk erk_plus uniform uniform_plus; do
    check "init $init trains" trains "$base" "$scratch/init-$init" -s sparsity.init.use=$init \
        -s sparsity.density=0.5
done
for prune in magnitude set taylor random; do
    check "prune $prune trains" trains "$base" "$scratch/prune-$prune" -s topology.prune.use=$prune
done
for allot in none magnitude momentum nonzeros; do
    check "allot $allot trains" trains "$base" "$scratch/allot-$allot" -s topology.allot.use=$allot
done
for optim in adam adamw; do
    check "optim $optim trains" trains "$base" "$scratch/$optim" -s optim.use=$optim -s optim.lr=0.002
done

check "growth by momentum needs it gathered (78)" fails 78 'inactive_momentum' \
    "$program" check "$base" -s topology.grow.use=momentum
check "Adam gathers none of inactive weights (78)" fails 78 'goes with SGD' \
    "$program" check "$source_dir/configs/methods/snfs.cfg" -s optim.use=adam
check "a free count needs strict = false (78)" fails 78 'strict' \
    "$program" check "$base" -s topology.prune.use=threshold
finish
