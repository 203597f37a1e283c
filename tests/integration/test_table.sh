#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Several experiments in one command, and their finished runs in one table.
source "$(dirname "$0")/../support/tap.sh"
cd "$scratch" || exit 1
cp "$source_dir/tests/support/configs/tiny.cfg" edst.cfg
sed 's/^name = .*/name = "dense";/
     s/^ensemble = .*/ensemble = { use = "dense"; };/
     s/{ use = "ece"; }, .*/{ use = "ece"; },/
     s/^ *{ use = "kl"; } );/            { use = "kl"; } );/' edst.cfg >dense.cfg
run=("$program" run)
table=("$program" table)
folder() { ls -d runs/"$1"-????????/seed-"$2"; }

# The lines that begin a table, each behind the one that names its run.
runs_in() { sed -nE 's/^run   (runs\/[^ ]*)(.*)/\1\2/p' "$1"; }

in_order() {
    "${run[@]}" edst.cfg dense.cfg -q >out.txt || return 1
    [ "$(runs_in out.txt)" = "$(folder tiny 3)
$(folder dense 3)" ] || { cat out.txt; return 1; }
    [ "$(grep -c '^ensemble ' out.txt)" -eq 2 ] && [ "$(grep -c '^cost ' out.txt)" -eq 2 ]
}
check "run A B trains both in order, a table and a cost line each" in_order

skipped() {
    local edst dense
    edst=$(folder tiny 3)
    dense=$(folder dense 3)
    cp "$edst/run.json" edst.json
    cp "$dense/run.json" dense.json
    sed 's/^name = .*/name = "static";/
         s/^ensemble = .*/ensemble = { use = "static"; };/' edst.cfg \
        >static.cfg
    "${run[@]}" dense.cfg static.cfg edst.cfg -q >out2.txt || return 1
    [ "$(runs_in out2.txt)" = "$dense (finished before)
$(folder static 3)
$edst (finished before)" ] || { cat out2.txt; return 1; }
    cmp "$edst/run.json" edst.json && cmp "$dense/run.json" dense.json &&
        [ "$(grep -c '^ensemble ' out2.txt)" -eq 3 ]
}
check "finished ones are skipped, their tables printed all the same" skipped

same_numbers() { # of `run --json` and of the table
    "${run[@]}" edst.cfg dense.cfg -q --json >runs.json || return 1
    "${table[@]}" "$(folder tiny 3)" "$(folder dense 3)" --format json >table.json || return 1
    jq -e --slurpfile runs runs.json '.set == "test" and (.rows | length == 2) and
        ([.rows[].sets.test] == [$runs[0][].sets.test]) and
        ([.rows[].diversity] == [$runs[0][].diversity]) and
        ([.rows[].cost] == [$runs[0][].cost]) and
        ([.rows[] | .run_dir, .train_runs, .test_passes, .status] ==
         [$runs[0][] | .run_dir, .train_runs, .test_passes, .status]) and
        ([.rows[].strategy] == ["edst", "dense"]) and .rows[1].sparsity == null and
        .rows[0].train_images == 192 and .rows[0].keep == "last"' table.json
}
check "the table has the numbers of run --json" same_numbers
compared() {
    jq -e --arg dense "$(folder dense 3)" '.rows[0].cost.wall > 0 and
        .rows[0].cost.dense_run == $dense' table.json
}
check "seconds are compared with the dense run" compared

text() {
    "${table[@]}" "$(folder tiny 3)" "$(folder dense 3)" >table.txt || return 1
    cat table.txt
    [ "$(wc -l <table.txt)" -eq 3 ] &&
        head -1 table.txt | grep -qE '^run +strategy +members +sparsity .* accuracy +nll +ece ' &&
        sed -n 2p table.txt | grep -qE '^runs/tiny-.* edst +2 +0\.7 .*x +[0-9.]+ +[0-9.]+x ' &&
        sed -n 3p table.txt | grep -qE '^runs/dense-.* dense +1 +- .* +1\.00x +1\.00x +[0-9.]+ +- '
}
check "aligned text" text
markdown() {
    "${table[@]}" "$(folder tiny 3)" "$(folder dense 3)" --format md >table.md || return 1
    [ "$(wc -l <table.md)" -eq 4 ] && [ "$(tr -cd '|\n' <table.md | sort -u | wc -l)" -eq 1 ] &&
        sed -n 2p table.md | grep -qE '^(\| (---|---:) )+\|$'
}
check "Markdown has as many cells in each row" markdown
csv() {
    "${table[@]}" "$(folder tiny 3)" "$(folder dense 3)" --format csv >table.csv || return 1
    /usr/bin/python3 - <<'PY'
import csv, json
rows = list(csv.DictReader(open("table.csv", newline="")))
docs = json.load(open("table.json"))["rows"]
assert len(rows) == 2
for row, doc in zip(rows, docs):
    assert row["run"] == doc["run_dir"] and int(row["members"]) == doc["members"]
    for name, value in doc["sets"]["test"]["ensemble"].items():
        assert float(row[name]) == value, name
    for name in ("theory", "executed", "wall_s", "params"):
        assert float(row[name]) == doc["cost"][name], name
    assert (row["wall"] == "") == (doc["cost"]["wall"] is None)
assert rows[1]["sparsity"] == "" and rows[1]["disagreement"] == ""
PY
}
check "CSV gives back every digit" csv

seeds() {
    "${run[@]}" edst.cfg -q -s seed=12 >/dev/null || return 1
    "${table[@]}" runs/tiny-???????? --json | jq -e '[.rows[].seed] == [3, 12]'
}
check "the folder above gives a row a seed" seeds

unfinished() {
    cp -r "$(folder tiny 3)" runs/cut
    jq '.status = "unfinished" | .error = "the disk is full"' runs/cut/run.json >cut.json
    mv cut.json runs/cut/run.json
    local both=("$(folder dense 3)" runs/cut)
    fails 66 'runs/cut is unfinished: the disk is full' "${table[@]}" "${both[@]}" &&
        [ -z "$("${table[@]}" "${both[@]}" 2>/dev/null)" ]
}
check "an unfinished run is refused and named, nothing printed" unfinished
killed() {
    local pid i dir
    "${run[@]}" edst.cfg -q -s seed=5 -s epochs=9000 -s ensemble.explore=9000ep >/dev/null 2>&1 &
    pid=$!
    for ((i = 0; i < 200; i++)); do
        dir=$(folder tiny 5 2>/dev/null)
        [ -n "$dir" ] && [ -s "$dir/metrics.csv" ] && break
        sleep 0.05
    done
    kill -9 "$pid"
    wait "$pid" 2>/dev/null
    fails 66 "$dir is unfinished: started .* and not ended" "${table[@]}" "$dir"
}
check "a killed run is refused" killed
no_report() {
    cp -r "$(folder dense 3)" runs/lacks
    rm runs/lacks/eval/report.json
    fails 66 'runs/lacks/eval/report.json' "${table[@]}" runs/lacks
}
check "a run without a report is refused" no_report
check "a folder without runs is refused" fails 66 'holds no run' "${table[@]}" .
mkdir runs/junk
echo '{' >runs/junk/run.json
check "a run.json that is none is refused" fails 65 'runs/junk/run.json' "${table[@]}" runs/junk
check "an incomparable --dense is refused" fails 78 'its strategy is edst' \
    "${table[@]}" "$(folder dense 3)" --dense "$(folder tiny 3)"
check "table needs a run" fails 2 'table needs RUN' "${table[@]}"
check "an unknown format" fails 2 "md, csv and json, not 'tex'" "${table[@]}" x --format tex
check "two formats" fails 2 'exclude each other' "${table[@]}" x --json --format csv

stops() {
    sed 's/^epochs = .*/epochs = -1.0;/; s/^name = .*/name = "bad";/' edst.cfg >bad.cfg
    fails 78 'epochs' "${run[@]}" dense.cfg bad.cfg edst.cfg -q -s seed=77 &&
        ! ls -d runs/*/seed-77
}
check "a mistake in any file is told before the first is trained" stops

completes_format() {
    # shellcheck source=/dev/null
    source <("$program" completion bash)
    COMP_WORDS=(freetickets table --f)
    COMP_CWORD=2
    _freetickets
    [ "${COMPREPLY[*]}" = "--format" ]
}
check "completion of --format" completes_format
reads_two_files() { # beside libraries: run.json and eval/report.json of the run, run.json of others
    strace -f -e trace=openat -o opened "${table[@]}" "$(folder tiny 3)" >/dev/null || return 1
    grep -q '/eval/report.json"' opened || return 1
    ! grep -E '"runs/[^"]*"' opened | grep -vE 'O_DIRECTORY|/run\.json"|/eval/report\.json"'
}
title="only run.json and eval/report.json are read"
if command -v strace >/dev/null; then
    check "$title" reads_two_files
else
    skip "$title" "no strace"
fi
finish
