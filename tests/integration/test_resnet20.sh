#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# A network that nobody here trained: a public ResNet-20 from its file, on the whole CIFAR-10 test
# set, with both backends, and pruned; against what PyTorch makes of it
# (tests/golden/make_resnet20.py).  Needs pretrained/ and CIFAR-10 in $FREETICKETS_DATA.
source "$(dirname "$0")/../support/tap.sh"
cd "$scratch" || exit 1
weights=${FREETICKETS_DATA:-}/pretrained/resnet20-12fca82f.safetensors
images=${FREETICKETS_DATA:-}/cifar-10-batches-bin/test_batch.bin
if [ ! -r "$weights" ] || [ ! -r "$images" ]; then
    skip "a public ResNet-20" "skipped: no data"
    finish
fi
cat >resnet20.cfg <<CFG
schema = 1;
name = "resnet20";
epochs = 0.0;
data = { use = "cifar10"; normalise = { mean = [0.485, 0.456, 0.406];
                                        std = [0.229, 0.224, 0.225]; }; };
model = { use = "resnet_cifar"; depth = 20; weights = "$weights"; };
ensemble = { use = "dense"; train = "0ep"; };
metrics = ( { use = "accuracy"; }, { use = "nll"; } );
CFG

evaluate() { # evaluate OUT BACKEND [-s ...]
    local out=$1 backend=$2
    shift 2
    "$program" run resnet20.cfg --out "$out" --quiet -s "backend.use=$backend" "$@"
}

judge() { # judge WHAT RUN [OTHER]
    /usr/bin/python3 "$source_dir/tests/integration/check_resnet20.py" "$@"
}

pruned=(-s sparsity.density=0.5 -s 'ensemble={ use = "pf"; train = "0ep"; finetune = "0ep"; }')
check "it is evaluated on cpu" evaluate whole cpu
check "9,173 of 10,000 are right, NLL 0.3727" judge figures whole
check "it is evaluated on ref, the first 256 images" evaluate some ref -s eval.limit=256
check "both give the same logits to 1e-4" judge logits some whole
check "it is evaluated by the dense kernels" evaluate dense cpu -s backend.format=dense
check "they are named in run.json" grep -q 'dense-onednn' dense/run.json
check "9,173 are right in dense format too" judge figures dense
check "dense and sparse format: the same logits to 1e-4" judge logits dense whole
check "half of it is pruned by global magnitude" evaluate half cpu "${pruned[@]}"
check "half of the weights are left" judge sparsity half
check "it predicts what PyTorch predicts, image for image" judge predictions half \
    "$source_dir/tests/golden/resnet20_pruned.npy"
finish
