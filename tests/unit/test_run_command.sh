#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# `freetickets run` and its folder: what is printed and kept, what a second run does, what is refused.
source "$(dirname "$0")/../support/tap.sh"
cd "$scratch" || exit 1
cat >tiny.cfg <<'CFG'
schema = 1;
name = "tiny";
seed = 3;
epochs = 2.0;
data = { use = "synthetic"; shape = [1, 12, 12]; classes = 4; train = 200; test = 60;
         validation = 40; batch = 32; };
model = { use = "mlp"; widths = [16]; };
sparsity = { density = 0.3; };
topology = { interval = "3it"; };
ensemble = { use = "edst"; members = 2; explore = "1ep"; refine = "1ep"; };
eval = { on = ["test"]; };
metrics = ( { use = "accuracy"; }, { use = "nll"; }, { use = "disagreement"; } );
backend = { use = "ref"; };
CFG
sed 's/"edst"; members = 2; explore = "1ep"; refine = "1ep"/"dense"/; s/"tiny"/"tiny-dense"/' \
    tiny.cfg >dense.cfg
run=(env NO_COLOR=1 "$program" run)

folder() { ls -d runs/"$1"-????????/seed-"$2"; }

first_run() {
    "${run[@]}" tiny.cfg >out.txt 2>err.txt || { cat err.txt; return 1; }
    cat out.txt
    grep -q '^run   runs/tiny-' out.txt && grep -q '^ensemble ' out.txt &&
        grep -q '^member 1 ' out.txt && grep -q '^train runs 1  test passes 2$' out.txt &&
        grep -qE '^cost  EDST M=2 S=0\.7  theory .*x  executed .*x  wall .* s \(no dense run' out.txt
}
check "a run prints table and cost line" first_run
check "a line an epoch goes to stderr" grep -qE '^[0-9:]+ info epoch .*member=1' err.txt
check "no control characters where there is no terminal" bash -c '! grep -q "$(printf "\033")" err.txt'
dir=$(folder tiny 3)

all_files() {
    local file
    for file in config.cfg config.resolved.cfg run.json plan.txt log.txt log.jsonl metrics.csv \
        metrics.jsonl timing.csv members/member-1.safetensors members/member-0.masks.safetensors \
        preds/test/member-1.npy preds/test/labels.npy preds/validation/member-0.npy \
        eval/report.json; do
        [ -s "$dir/$file" ] || { echo "$file is missing"; return 1; }
    done
    [ ! -e "$dir/lock" ] && cmp tiny.cfg "$dir/config.cfg"
}
check "all files are there and the lock is gone" all_files
check "run.json tells plugins, hashes and cost" jq -e '.status == "finished" and
    ([.plugins[].sha256] | all(length == 64)) and (.plugins | map(.kind) | index("prune")) and
    .backend.name == "ref" and .backend.plugin.sha256 and .data.sha256 and .train.wall_s > 0 and
    .train.flops_theory < .train.flops_executed and (.identity | length > 20) and .hash8' "$dir/run.json"

cp -r "$dir" kept
again() {
    "${run[@]}" tiny.cfg -q >out2.txt 2>&1 || return 1
    grep -q 'finished before' out2.txt && cmp "$dir/run.json" kept/run.json &&
        cmp "$dir/log.txt" kept/log.txt && cmp <(tail -n +3 out.txt) <(tail -n +3 out2.txt)
}
check "a finished run says so and is left alone" again
missing() {
    rm "$dir/preds/test/member-1.npy"
    "${run[@]}" tiny.cfg -q -s 'metrics=({use="ece";})' >out3.txt 2>&1 || return 1
    cmp "$dir/preds/test/member-1.npy" kept/preds/test/member-1.npy || return 1
    jq -e '.sets.test.ensemble | has("accuracy") and has("ece")' "$dir/eval/report.json"
}
check "predictions and metrics that it lacks are added" missing

stale() { # logits that are damaged, or of another member than the one that is there
    local logits=$dir/preds/test/member-0.npy
    printf 'x' | dd of="$logits" bs=1 seek=200 conv=notrunc status=none
    "${run[@]}" tiny.cfg -q >/dev/null && cmp "$logits" kept/preds/test/member-0.npy || return 1
    cp "$dir/members/member-1.safetensors" "$dir/members/member-0.safetensors"
    cp "$dir/members/member-1.masks.safetensors" "$dir/members/member-0.masks.safetensors"
    "${run[@]}" tiny.cfg -q >/dev/null && cmp "$logits" kept/preds/test/member-1.npy || return 1
    cp kept/members/* "$dir/members/"
    "${run[@]}" tiny.cfg -q >/dev/null && cmp "$logits" kept/preds/test/member-0.npy || return 1
    mv "$dir/members" gone # to save space: what they predicted is still good
    "${run[@]}" tiny.cfg -q >/dev/null && cmp "$logits" kept/preds/test/member-0.npy || return 1
    mv gone "$dir/members"
    echo '{' >"$dir/eval/report.json"
    "${run[@]}" tiny.cfg -q 2>&1 >/dev/null | grep 'report.json is made anew' && jq -e .sets.test "$dir/eval/report.json"
}
check "predictions and reports that are damaged or of other members are made anew" stale

resolved() {
    "${run[@]}" "$dir/config.resolved.cfg" --out copy -q >/dev/null || return 1
    cmp "$dir/members/member-0.safetensors" copy/members/member-0.safetensors &&
        cmp "$dir/members/member-1.safetensors" copy/members/member-1.safetensors &&
        cmp "$dir/metrics.csv" copy/metrics.csv
}
check "config.resolved.cfg with --out gives the same bytes" resolved

compared() {
    "${run[@]}" dense.cfg -q >/dev/null || return 1
    "${run[@]}" tiny.cfg -q --json >doc.json || return 1
    jq -e --arg dense "$(folder tiny-dense 3)" '.cost.dense_run == $dense and .cost.wall > 0 and
        .status == "finished" and .train_runs == 1 and .test_passes == 2 and
        (.sets.test.members | length == 2) and .diversity.disagreement >= 0' doc.json
}
check "a dense run is found and compared with; --json" compared
check "--dense of another model is refused, and no folder made" fails 78 'differs in model.widths' \
    "${run[@]}" tiny.cfg -q -s 'model.widths=[9]' -s seed=8 --dense "$(folder tiny-dense 3)"
no_folder() { ! ls -d runs/*/seed-8; }
check "nothing is left of it" no_folder

check "--out with another config: the keys that differ" fails 78 'topology.rate: 0.5 there, 0.25 here' \
    "${run[@]}" tiny.cfg -q -s topology.rate=0.25 --out "$dir"
check "--out with other files" fails 73 'holds no run' "${run[@]}" tiny.cfg -q --out .
check "--out wants a name" fails 2 'names no folder' "${run[@]}" tiny.cfg -q --out ''
check "--out is for one run" fails 2 'one run' "${run[@]}" tiny.cfg dense.cfg --out x

killed() {
    "${run[@]}" tiny.cfg -q -s epochs=2000 -s ensemble.explore=2000ep -s seed=4 >/dev/null 2>&1 &
    local pid=$! i
    for ((i = 0; i < 100; i++)); do
        [ -s "$(folder tiny 4 2>/dev/null)/metrics.csv" ] && break
        sleep 0.05
    done
    fails 73 "in use by process $pid" "${run[@]}" tiny.cfg -q -s epochs=2000 \
        -s ensemble.explore=2000ep -s seed=4 || return 1
    kill -9 "$pid"
    wait "$pid"
    [ $? -eq 137 ]
}
check "a run at work is refused" killed
check "an unfinished run of another config stands in the way" fails 78 'epochs: 2000 there, 2 here' \
    "${run[@]}" tiny.cfg -q -s seed=4
check "--new starts all the same" "${run[@]}" tiny.cfg -q -s seed=4 --new

dry() {
    rm -rf dry
    "${run[@]}" tiny.cfg --dry-run -s 'output="dry"' >a.txt && "$program" plan tiny.cfg >b.txt &&
        cmp a.txt b.txt && [ ! -e dry ]
}
check "--dry-run is plan and touches nothing" dry
check "a precision that the backend lacks leaves no folder" fails 78 'precision' \
    "${run[@]}" tiny.cfg -q -s backend.precision=bf16 -s seed=9
full() { "$program" list >/dev/full; [ $? -eq 74 ]; }
check "a full standard output is 74" full
check "several runs, one document" bash -c "'$program' run tiny.cfg dense.cfg -q --json | jq -e 'length == 2'"
finish
