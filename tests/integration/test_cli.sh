#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Commands a person types first: what they print, as text and as JSON, and how quickly.
source "$(dirname "$0")/../support/tap.sh"
quick=$source_dir/configs/quickstart.cfg

plan_of_quickstart() {
    "$program" plan "$quick" --json >"$scratch/plan.json" || return 1
    jq -e '[.operations[].op] == ["init", "train", "train", "save", "escape", "train", "save", "escape",
        "train", "save"]' "$scratch/plan.json" || return 1
    jq -e '(.layers | length) == 4 and (.flops.train_relative < 1) and
        ([.layers[] | .nnz] | add) == ([.layers[] | .n] | add) * 0.2' "$scratch/plan.json"
}
check "plan prints Algorithm 1, no escape after the last member" plan_of_quickstart
check "plan as text" bash -c "'$program' plan '$quick' | grep -q 'escape'"
check "check says it is fine" "$program" check "$quick"
check "version names the compiler" bash -c "'$program' version | grep -qiE 'gcc|clang'"
check "list is JSON" bash -c "'$program' list --json | jq -e 'length > 10'"
check "list backend opens backends" bash -c "'$program' list backend | grep -q cpu"
check "describe shows a parameter" bash -c "'$program' describe ensemble.edst | grep -q refine_milestones"
check "describe --cfg gives a stanza" bash -c "'$program' describe ensemble.edst --cfg | grep -q 'use = \"edst\"'"
check "describe as JSON" bash -c "'$program' describe ensemble.edst --json | jq -e '.params | length > 5'"
check "describe of a built-in" bash -c "'$program' describe model.mlp | grep -q widths"
check "bash completion is valid" bash -c "'$program' completion bash | bash -n"
check "help" bash -c "'$program' --help | grep -q run"

# Figures, not timed tests: printed as notes.
for command in "list" "describe prune.magnitude" "check $quick"; do
    best=999999
    for _ in 1 2 3 4 5; do
        from=$(date +%s%N)
        # shellcheck disable=SC2086
        "$program" $command >/dev/null
        took=$((($(date +%s%N) - from) / 1000))
        [ "$took" -lt "$best" ] && best=$took
    done
    echo "# $command: $best us"
done

man_pages() {
    local page
    for page in "$FTK_BUILD_DIR"/man/*.1; do
        [ -s "$page" ] || return 1
    done
}
check "every command has a man page" man_pages
finish
