#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Every family trains on both backends, which agree: an epoch and a half on a few synthetic images,
# with topology updates and an escape; and what does not fit is refused by the node's name.
source "$(dirname "$0")/../support/tap.sh"
cd "$scratch" || exit 1
cat >family.cfg <<'CFG'
schema = 1;
name = "family";
seed = 5;
epochs = 1.5;
data = { use = "synthetic"; shape = [3, 8, 8]; classes = 4; train = 24; test = 12; batch = 8;
         augment = "flip"; };
model = { use = "wrn"; depth = 10; width = 1; };
sparsity = { density = 0.4; };
topology = { interval = "2it"; rate = 0.3; };
ensemble = { use = "edst"; members = 2; explore = "1ep"; refine = "0.5ep"; explore_lr = 0.01;
             refine_lr = 0.001; };
metrics = ( { use = "accuracy"; }, { use = "nll"; } );
CFG

train() { # train OUT BACKEND [-s ...]
    local out=$1 backend=$2
    shift 2
    "$program" run family.cfg --out "$out" --quiet -s "backend.use=$backend" "$@"
}

family() { # family NAME [-s ...]
    local name=$1
    shift
    check "$name trains on ref" train "$name-ref" ref "$@"
    check "$name trains on cpu" train "$name-cpu" cpu "$@"
    check "$name: cpu is close to ref" /usr/bin/python3 \
        "$source_dir/tests/integration/compare_runs.py" "$name-ref" "$name-cpu"
}

family wrn
family wrn-dropout -s model.dropout=0.3
family resnet_cifar-A -s 'model={ use = "resnet_cifar"; depth = 20; }'
family resnet_cifar-B -s 'model={ use = "resnet_cifar"; depth = 20; shortcut = "B"; }'
family resnet -s 'model={ use = "resnet"; depth = 18; stem = "small"; width = 0.0625; }'
# Batch norm over eight values of a 1x1 map blows up any rounding: here only small steps compare.
calm=(-s ensemble.explore_lr=1e-6 -s ensemble.refine_lr=1e-6 -s 'data.shape=[3, 32, 32]')
family resnet-50 "${calm[@]}" -s 'model={ use = "resnet"; depth = 50; width = 0.0625; }'
family vgg-11 -s 'model={ use = "vgg"; variant = "11"; width = 0.0625; }' \
    -s 'data.shape=[3, 32, 32]'
family vgg-c "${calm[@]}" -s 'model={ use = "vgg"; variant = "c"; width = 0.0625; }'

vgg=(-s 'model={ use = "vgg"; variant = "16"; }' -s 'data.shape=[1, 28, 28]')
check "vgg on 28x28 is refused by the node" fails 78 \
    "node 'pool' of model 'vgg': a 2x2 window does not fit its 1x1 input" \
    "$program" check family.cfg "${vgg[@]}"
check "a depth that no network has is refused" fails 78 'depth 12 is not 6 n \+ 4' \
    "$program" check family.cfg -s model.depth=12
check "a family without its depth is refused" fails 78 'model.depth' \
    "$program" check family.cfg -s 'model={ use = "wrn"; width = 1; }'
finish
