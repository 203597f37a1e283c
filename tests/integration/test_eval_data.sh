#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Predictions are of certain images and labels: what becomes of them where a test set is replaced by another
# or goes away.  By a named set, for files that a config names are part of its hash.
[ -w /dev/shm ] && export TMPDIR=/dev/shm # where an fsync costs nothing
source "$(dirname "$0")/../support/tap.sh"
cfg=$source_dir/tests/support/configs/resume.cfg
archive=/usr/share/datasets/fashion-mnist
cd "$scratch" || exit 1
[ -r $archive/t10k-images-idx3-ubyte.gz ] || { echo "1..0 # SKIP no $archive"; exit 0; }
export FREETICKETS_DATA=$scratch/data
set=$FREETICKETS_DATA/fashion_mnist
# Wherever a set may lie, none but ours must be found.
options=(-s "data={use=\"fashion_mnist\"; dir=\"$set\"; limit=96; batch=16; validation=32;}" -s eval.limit=48)

run_in() { # run_in OUT OPTION...: what it says is in out.txt and err.txt
    local out=$1 status
    shift
    "$program" run "$cfg" --out "$out" -q "${options[@]}" "$@" >out.txt 2>err.txt
    status=$?
    cat out.txt err.txt
    return $status
}
changed() { # changed FILE OFFSET NAME: a byte of the file is another one, which makes the set NAME
    zcat "$archive/$1.gz" >plain
    /usr/bin/python3 -c 'import sys
with open(sys.argv[1], "r+b") as f:
    f.seek(int(sys.argv[2])); byte = f.read(1)[0]; f.seek(-1, 1); f.write(bytes([byte ^ 1]))' plain "$2"
    cp -r original "$3"
    gzip -1 <plain >"$3/$1.gz"
}
use() { # use NAME: the set as the run finds it from now on
    rm -rf "$set"
    cp -r "$1" "$set"
}
same_results() {
    diff -r "$1/preds" "$2/preds" && diff -r "$1/eval" "$2/eval"
}
again() { # again NAME: the finished run, with that test set
    use "$1"
    rm -rf run
    cp -r finished run
}

mkdir -p original "$FREETICKETS_DATA"
cp $archive/*.gz original/
changed t10k-images-idx3-ubyte $((16 + 784 * 5 + 400)) images
changed t10k-labels-idx1-ubyte $((8 + 5)) labels
changed t10k-labels-idx1-ubyte $((8 + 48)) beyond
changed train-labels-idx1-ubyte $((8 + 59999)) split
for name in images labels original; do
    use $name
    run_in of-$name >/dev/null || { echo "Bail out! no run"; exit 1; }
done
cp -r of-original finished
use original
run_in finished -s 'metrics=({use="brier";})' >/dev/null || exit 1 # in the report beside the others

recorded() { # and the set that is predicted is the one after the limit
    local of
    for of in test validation; do
        jq -e '.data | test("^[0-9a-f]{64}$")' "finished/preds/$of/index.json" || return 1
    done
    ! cmp -s of-images/preds/test/index.json of-original/preds/test/index.json &&
        cmp of-images/preds/validation/index.json of-original/preds/validation/index.json
}
check "the index says of which images and labels predictions are" recorded
left_alone() {
    again "$1"
    run_in run && grep -q 'finished before' out.txt && [ ! -s err.txt ] && diff -r finished/preds run/preds &&
        cmp finished/log.txt run/log.txt
}
check "the same data: the run is left alone" left_alone original
check "so it is where the change is beyond the limit" left_alone beyond
made_again() { # made_again NAME: members, labels and metrics, those not asked for now gone
    again "$1"
    run_in run && same_results "of-$1" run && cmp finished/run.json run/run.json &&
        grep -qE 'warn predict .*test.* other images or labels.*SHA-256 [0-9a-f]{8}\.\.\. there, [0-9a-f]{8}\.\.\. here' \
            run/log.txt && ! grep -q 'predict set=validation' <(tail -n +"$(wc -l <finished/log.txt)" run/log.txt)
}
check "another test image: predictions and metrics are made again, and the log says why" made_again images
check "another test label: too" made_again labels
half_evaluated() { # stopped after the first member, of the set before
    again images
    rm run/preds/test/member-1.npy
    run_in run && same_results of-images run
}
check "members of two test sets are not mixed" half_evaluated
# which cannot be traced as well
export ASAN_OPTIONS=${ASAN_OPTIONS:+$ASAN_OPTIONS:}detect_leaks=0
killed_at_rename() ( # killed_at_rename N ARGUMENT...; in a shell of its own, which would tell of the kill
    exec >/dev/null 2>&1
    strace -qq -o /dev/null -e trace=rename -e "inject=rename:signal=KILL:when=$1" "$program" "${@:2}"
    true
)
killed() { # at each file of a set made again; then the former set is back
    local n before=0
    for n in 3 4 5 6 7 8 9 10 11; do # the first two are the validation split's
        again images
        killed_at_rename $n run "$cfg" --out run -q "${options[@]}"
        if cmp -s run/preds/test/index.json finished/preds/test/index.json; then
            before=$((before + 1))
        else
            jq -e '.sets | has("test") | not' run/eval/report.json || return 1
        fi
        cp -r run other
        run_in run && same_results of-images run || return 1
        use original
        run_in other && diff -r other/preds finished/preds || return 1
        rm -rf other
    done
    echo "$before kills before the index was written"
    [ "$before" -eq 2 ] # by the report's and its own
}
check "killed at any file: nothing is mixed, no metric is of the former set" killed
unknown() { # an index without the hash
    again images
    jq 'del(.data)' finished/preds/test/index.json >run/preds/test/index.json
    run_in run && same_results of-images run && grep -q 'of which images and labels it is, nothing says' run/log.txt
}
check "predictions of unknown data are made again" unknown
validation() { # which is read for a finished run where it is reported
    local on=(-s 'eval.on=["test", "validation"]')
    again split
    cp -r run of-split
    run_in run "${on[@]}" && ! cmp -s finished/preds/validation/labels.npy run/preds/validation/labels.npy &&
        diff -r finished/preds/test run/preds/test && jq -e .sets.validation run/eval/report.json
}
check "another validation label: that set alone is predicted again" validation
gone() {
    again original
    rm "$set"/t10k-images*
    run_in run && grep -q 'finished before' out.txt && [ "$(wc -l <err.txt)" -eq 1 ] &&
        grep -qE 'warn predict set=test .*not compared: .*t10k-images' err.txt && diff -r finished/preds run/preds
}
check "the data are gone: not compared, the reason said, everything kept" gone
members_gone() { # what cannot be made again is not thrown away
    again images
    rm run/members/member-1.safetensors
    run_in run && grep -qE 'warn predict .*are kept.*member-1' err.txt && diff -r finished/preds run/preds || return 1
    rm run/preds/test/member-0.npy
    cp run/preds/test/index.json before.json
    fails 66 'member-1' run_in run && cmp before.json run/preds/test/index.json
}
check "other data and a member's file gone: what is there is kept" members_gone
finish
