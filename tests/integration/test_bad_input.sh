#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# What is wrong is refused in one sentence, with the place and a documented exit code.
source "$(dirname "$0")/../support/tap.sh"
tiny=$source_dir/tests/support/configs/tiny.cfg
mnist=/usr/share/datasets/fashion-mnist

run_tiny() {
    "$program" run "$tiny" --out "$scratch/out-$RANDOM$RANDOM" --quiet "$@"
}

# ---- the config --------------------------------------------------------------------------------
cat >"$scratch/ten.cfg" <<'CFG'
schema = 1;
epochs = -3.0;
sede = 3;
data = { use = "synthetic"; batch = "many"; augment = "mirror"; };
model = { use = "lenett5"; };
sparsity = { density = 1.5; };
topology = { preset = "papier"; rate = 2.0; interval = "10"; prune = { use = "magnitud"; }; };
ensemble = { use = "edst"; members = 0; };
optim = { lr = true; };
CFG
ten() {
    local n
    "$program" check "$scratch/ten.cfg" >"$scratch/ten.txt" 2>&1
    [ $? -eq 78 ] || return 1
    cat "$scratch/ten.txt"
    n=$(grep -cE 'ten\.cfg:[0-9]+:' "$scratch/ten.txt")
    [ "$n" -ge 10 ] && grep -q "seed" "$scratch/ten.txt" && grep -q "lenet5" "$scratch/ten.txt"
}
check "ten mistakes are ten messages" ten
check "ten mistakes as JSON" bash -c "'$program' check --json '$scratch/ten.cfg' | jq -e 'length >= 10'"

printf 'schema = 1;\n@include "inner.cfg"\n' >"$scratch/outer.cfg"
printf 'epochs = 1;\nmodel = ;\n' >"$scratch/inner.cfg"
check "a syntax error of an included file as JSON" bash -c "'$program' check --json '$scratch/outer.cfg' |
    jq -e 'length == 1 and (.[0].file | endswith(\"inner.cfg\")) and .[0].line == 2'"
crossed() { # what sections want of each other is told beside what is wrong in them
    cat >"$scratch/crossed.cfg" <<'CFG'
schema = 1;
epochs = "three";
data = { use = "synthetic"; };
model = { use = "mlp"; };
sparsity = { density = 0.5; };
ensemble = { use = "dst"; keep = "best_validation"; };
CFG
    fails 78 'crossed\.cfg:2: epochs' "$program" check "$scratch/crossed.cfg" &&
        fails 78 'crossed\.cfg:6: ensemble\.keep.*no validation split' "$program" check "$scratch/crossed.cfg"
}
check "a missing split is told beside other mistakes" crossed
check "an override without a value says so" fails 2 'name=: no value' "$program" check "$tiny" -s name=

head -c 4096 /dev/urandom >"$scratch/noise.cfg"
check "binary garbage is refused" fails 78 'noise\.cfg' "$program" check "$scratch/noise.cfg"
head -c 100000000 /dev/zero | tr '\0' 'x' >"$scratch/huge.cfg"
check "100 MB of text are refused" fails 78 'huge\.cfg.*(KiB|bytes)' "$program" check "$scratch/huge.cfg"
rm -f "$scratch/huge.cfg"
echo '@include "b.cfg"' >"$scratch/a.cfg"
echo '@include "a.cfg"' >"$scratch/b.cfg"
check "a cyclic @include is refused" fails 78 '(a|b)\.cfg:1' "$program" check "$scratch/a.cfg"
check "a config that is not there" fails 66 'nowhere\.cfg' "$program" check "$scratch/nowhere.cfg"
check "an unknown command names the nearest" fails 2 'check' "$program" chek "$tiny"
check "an unknown option is usage" fails 2 'frobnicate' "$program" run --frobnicate
check "an override that is no setting is usage" fails 2 'seed' "$program" run "$tiny" -s seed

# ---- data --------------------------------------------------------------------------------------
mkdir -p "$scratch/empty" "$scratch/data"
check "no data: 66 and the command that gets them" fails 66 'apt-get install dataset-fashion-mnist' \
    "$program" run "$source_dir/configs/quickstart.cfg" --out "$scratch/o1" -s "data.dir=$scratch/empty"
cp "$mnist"/*.gz "$scratch/data/"
cp "$mnist/train-labels-idx1-ubyte.gz" "$scratch/data/train-images-idx3-ubyte.gz"
check "swapped files: the first bad byte" fails 65 'train-images.*byte' \
    "$program" run "$source_dir/configs/quickstart.cfg" --out "$scratch/o2" -s "data.dir=$scratch/data"
head -c 100000 "$mnist/train-images-idx3-ubyte.gz" >"$scratch/data/train-images-idx3-ubyte.gz"
check "a truncated file" fails 65 'train-images' \
    "$program" run "$source_dir/configs/quickstart.cfg" --out "$scratch/o3" -s "data.dir=$scratch/data"
cp "$mnist/train-images-idx3-ubyte.gz" "$scratch/data/"
zcat "$mnist/train-labels-idx1-ubyte.gz" | { head -c 8; head -c 1 >/dev/null; printf '\031'; cat; } |
    gzip >"$scratch/data/train-labels-idx1-ubyte.gz"
check "a label out of range" fails 65 'label' \
    "$program" run "$source_dir/configs/quickstart.cfg" --out "$scratch/o4" -s "data.dir=$scratch/data"
check "a batch larger than the data" fails 78 'batch' run_tiny -s data.batch=1000
check "a split larger than the data" fails 78 'validation' run_tiny -s data.validation=224

# What a run would refuse before its first step, `check` refuses too, and no folder is left behind.
refused_by_both() { # refused_by_both PATTERN OPTION...
    local pattern=$1
    shift
    fails 78 "$pattern" "$program" check "$tiny" "$@" &&
        fails 78 "$pattern" "$program" run "$tiny" --out "$scratch/no-run" --quiet "$@" &&
        [ ! -e "$scratch/no-run/run.json" ]
}
check "check sees a batch larger than the data" refused_by_both \
    '^-s: data\.batch: batch = 193 is above the 192 training images' -s data.batch=193
check "check sees a split larger than the data, at its key" refused_by_both \
    '^-s: data\.validation: .*leaves none' -s data.validation=224
check "check sees densities of layers that are not there" refused_by_both \
    "^-s: sparsity\.layers: 'nolayer' .*matches no layer" -s 'sparsity.layers=({match="nolayer";density=0.5;})'
check "check sees densities that cannot be met" refused_by_both \
    '^-s: sparsity\.layers: .*density 0\.3' -s 'sparsity.layers=({match="*";density=0;})'
check "check sees an optimiser that gathers no inactive momentum" refused_by_both 'goes with SGD' \
    -s optim.use=adam -s topology.inactive_momentum=accumulate
check "check sees a precision that the backend lacks" refused_by_both \
    'precision' -s backend.precision=bf16 -s backend.use=ref
check "an output folder without a name is refused" refused_by_both '^-s: output: ' -s 'output=""'

# ---- the run -----------------------------------------------------------------------------------
check "a loss that is not finite: 76, step and layer" fails 76 'step [0-9]+.*(fc|loss|lr)' \
    run_tiny -s ensemble.explore_lr=10 -s model.widths='[64,64]' -s optim.momentum=0.99 \
    -s ensemble.explore=40ep -s optim.weight_decay=1.0
mkdir "$scratch/kept"
fails_keeps() {
    "$program" run "$tiny" --out "$scratch/kept" --quiet && "$program" run "$tiny" --out "$scratch/kept" &&
        fails 78 'seed|members|density' "$program" run "$tiny" --out "$scratch/kept" -s sparsity.density=0.5
}
check "a finished run is skipped, another config in its folder refused" fails_keeps
# The n-th fsync, or a write to one file, finds no space; the program itself has no test hook.
export ASAN_OPTIONS=${ASAN_OPTIONS:+$ASAN_OPTIONS:}detect_leaks=0 # which cannot be traced as well
full_disk() {
    strace -f -qq -o /dev/null -e trace=fsync -e inject=fsync:error=ENOSPC:when="$1" \
        "$program" run "$tiny" --out "$scratch/full-$1" --quiet
}
full_metrics() {
    mkdir -p "$scratch/full"
    strace -f -qq -o /dev/null -P "$scratch/full/metrics.csv" -e trace=write \
        -e inject=write:error=ENOSPC:when=2+ "$program" run "$tiny" --out "$scratch/full" --quiet
}
for n in 1 3 6 9; do
    check "a full disk at fsync $n: 74" fails 74 'No space left' full_disk "$n"
done
check "a full disk while metrics.csv grows: 74" fails 74 'metrics\.csv.*No space left' full_metrics

# ---- plugins -----------------------------------------------------------------------------------
: >"$scratch/prune_empty.so"
echo "no plugin" >"$scratch/prune_text.so"
head -c 3000 "$FTK_TEST_PLUGINS/prune_magnitude.so" >"$scratch/prune_cut.so"
mkdir -p "$scratch/plugins"
cp "$scratch"/prune_*.so "$scratch/plugins/"
refused() {
    FREETICKETS_PLUGIN_PATH=$scratch/plugins "$program" list -v >"$scratch/list.txt" || return 1
    cat "$scratch/list.txt"
    local name
    for name in empty text cut; do
        grep -A1 "prune_$name.so" "$scratch/list.txt" | grep -q 'refused' || return 1
    done
}
check "every refused file is listed with its reason" refused
named_and_refused() {
    fails 78 'plugins: .*prune_text\.so: not a shared object' \
        "$program" check "$tiny" -s "plugins=[\"$scratch/prune_text.so\"]" &&
        ! "$program" check "$tiny" -s "plugins=[\"$scratch/prune_text.so\"]" 2>&1 | grep -q 'unknown'
}
check "a plugin that is named and refused is one mistake, with its reason" named_and_refused
check "an unknown rule names the nearest" fails 78 'magnitude' \
    "$program" check "$tiny" -s topology.prune.use=magnitud
twice=$FTK_TEST_BAD_PLUGINS
check "a name that two files offer: both, and how to pick" fails 78 \
    "offered by both .*prune_twin_a\\.so and .*prune_twin_b\\.so .*use = \"org\\.a\\.twin:twin\"" \
    env FREETICKETS_PLUGIN_PATH="$twice" "$program" check "$tiny" -s topology.prune.use=twin
check "a place of plugins that is neither folder nor file is one mistake" bash -c \
    "'$program' check --json '$tiny' -s 'plugins=[\"/etc/passwd\"]' | jq -e 'length == 1'"
check "an unknown backend" fails 78 "backend|ref" run_tiny -s backend.use=reff
finish
