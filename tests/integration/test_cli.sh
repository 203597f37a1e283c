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
plugins=$FTK_BUILD_DIR/plugins
check "describe of a file" bash -c "'$program' describe '$plugins/allot_none.so' | grep -q 'gets back what it lost'"
check "describe of a backend's file" bash -c "'$program' describe '$plugins/backend_ref.so' | grep -q 'oracle'"
check "describe of a file as JSON" bash -c \
    "'$program' describe '$plugins/prune_set.so' --json | jq -e 'length == 1 and .[0].name == \"set\"'"
check "describe of a file that is not there" fails 69 "nowhere.so" "$program" describe nowhere.so
check "help" bash -c "diff <('$program' help) <('$program' --help)"
check "help of a command" bash -c "diff <('$program' help plan) <('$program' plan --help)"
check "help of no command names the nearest" fails 2 "did you mean 'plan'" "$program" help pln
check "plan names the rules and the scope" bash -c "'$program' plan '$quick' -s topology.prune.use=set \
    -s topology.scope=network | grep -A4 '^rules' | tr -s ' \n' ' ' |
    grep -qE 'prune set freetickets.prune.set [0-9.]+ grow .* allot none .* scope network'"
check "describe of a built-in" bash -c "'$program' describe model.mlp | grep -q widths"
check "describe shows the program's own keys with their range" bash -c \
    "'$program' describe optim.sgd | grep -qE '^  momentum +float +0\.9 +at least 0, below 1 '"
completes() { # completes WANTED WORD...
    local wanted=$1
    shift
    # shellcheck source=/dev/null
    source <("$program" completion bash)
    COMP_WORDS=(freetickets "$@")
    COMP_CWORD=$#
    _freetickets
    echo "${COMPREPLY[*]}"
    [ "${COMPREPLY[*]}" = "$wanted" ]
}
check "completion of a command" completes check ch
check "completion of an option" completes "--dry-run --dense" run --d
check "completion of a kind" completes prune list pr
check "completion of a file" completes "$quick" check "${quick%ckstart.cfg}"
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
    for page in $("$program" completion fish | sed -nE 's/.* -f -a ([a-z]+) .*/freetickets-\1.1/p') \
        freetickets.1 freetickets-config.5; do
        [ -s "$FTK_BUILD_DIR/man/$page" ] || { echo "no $page"; return 1; }
    done
}
check "program, commands and experiment files have a man page each" man_pages
documented_keys() {
    local key n=0
    for key in $(sed -nE \
        's/.*(FTK_PARAM_[A-Z0-9]+|FLAGGED[A-Z_]*)\((TOP|DATA|TOPOLOGY|ENSEMBLE|OPTIM|EVAL|BACKEND), ([a-z_0-9]+),.*/\L\2\E.\3/p' \
        "$source_dir/core/config/cfgschema.c"); do
        n=$((n + 1))
        grep -qE "^(\*.*, )?\*${key#top.}\*" "$source_dir/core/cli/man/freetickets-config.5.scd" ||
            { echo "$key is not in freetickets-config(5)"; return 1; }
    done
    [ "$n" -gt 50 ] || { echo "only $n keys found"; return 1; }
}
check "every core key is in freetickets-config(5)" documented_keys
documented_builtins() {
    local name
    for name in $("$program" list --json |
        jq -r '.[] | select(.status == "built in") | .kind + "." + .name'); do
        grep -qE "^(\*.*, )?\*$name\*" "$source_dir/core/cli/man/freetickets-config.5.scd" ||
            { echo "$name is not in freetickets-config(5)"; return 1; }
    done
}
check "every built-in is in freetickets-config(5)" documented_builtins
finish
