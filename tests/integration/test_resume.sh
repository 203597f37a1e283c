#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Stopping a run and going on: signals, --max-time, the lock, what may have changed in between and what may
# not, damaged checkpoints, folders that go away, --verify-resume.
[ -w /dev/shm ] && export TMPDIR=/dev/shm # where an fsync costs nothing
source "$(dirname "$0")/../support/tap.sh"
cfg=$source_dir/tests/support/configs/resume.cfg
craft=(/usr/bin/python3 "$source_dir/tests/integration/craft_ftc.py")
cd "$scratch" || exit 1
slow=(-s ensemble.explore=1500ep -s epochs=1500) # a second or two

# start OUT OPTION...: a run in the background, with signals as a terminal's shell leaves them; its number is $pid.
start() {
    local out=$1
    shift
    /usr/bin/python3 -c 'import os, signal, sys
for number in signal.SIGINT, signal.SIGHUP, signal.SIGXCPU, signal.SIGPIPE:
    signal.signal(number, signal.SIG_DFL)
os.execv(sys.argv[1], sys.argv[1:])' "$program" run "$cfg" --out "$out" -q "$@" >"$out.txt" 2>&1 </dev/null &
    pid=$!
}
wait_for() { # wait_for SECONDS COMMAND...
    local i n=$(($1 * 50))
    shift
    for ((i = 0; i < n; i++)); do
        "$@" >/dev/null 2>&1 && return 0
        sleep 0.02
    done
    echo "not within $((n / 50)) s: $*"
    return 1
}
listens() { # once the program itself has taken the signals over; what starts it leaves SIGTERM (15) alone
    local caught
    caught=$(sed -n 's/^SigCgt:\t//p' "/proc/$pid/status") && ((0x$caught & 1 << 14))
}
same() { # same RUN RUN: all that is a function of config, seed and ISA
    local what
    for what in metrics.csv metrics.jsonl members preds eval; do
        diff -r "$1/$what" "$2/$what" || return 1
    done
}
run_in() { # run_in OUT OPTION...
    local out=$1
    shift
    "$program" run "$cfg" --out "$out" -q "$@"
}
killed_at_rename() ( # killed_at_rename N ARGUMENT...; in a shell of its own, which would tell of the kill
    exec >/dev/null 2>&1
    strace -qq -o /dev/null -e trace=rename -e "inject=rename:signal=KILL:when=$1" "$program" "${@:2}"
    true
)
cut() { # cut OUT OPTION...: a run stopped in its middle, with last and prev, without waiting for a moment
    local out=$1
    shift
    killed_at_rename 24 run "$cfg" --out "$out" -q --checkpoint-every 0s "$@"
    [ -s "$out/checkpoint/last.ftc" ] && [ -s "$out/checkpoint/prev.ftc" ] &&
        [ "$(jq -r .status "$out/run.json")" = unfinished ]
}
# which cannot be traced as well
export ASAN_OPTIONS=${ASAN_OPTIONS:+$ASAN_OPTIONS:}detect_leaks=0

run_in whole >/dev/null || exit 1
run_in slow "${slow[@]}" >/dev/null || exit 1

# ---- stopping ----------------------------------------------------------------------------------
stop_by() { # stop_by SIGNAL: 75, two lines, the first at once, and the same bytes in the end
    local out=by-$1 status
    start "$out" "${slow[@]}"
    wait_for 20 test -s "$out/metrics.csv" || return 1
    kill -"$1" "$pid"
    wait "$pid"
    status=$?
    cat "$out.txt"
    [ "$status" -eq 75 ] && [ "$(wc -l <"$out.txt")" -eq 2 ] && grep -q '^stopping, ' "$out.txt" &&
        grep -qE "^$out: stopped by SIG$1 after step [0-9]+ of [0-9]+; the same command continues it$" "$out.txt" &&
        [ "$(jq -r .stopped.why "$out/run.json")" = "SIG$1" ] &&
        [ "$(jq -r .status "$out/run.json")" = unfinished ] && run_in "$out" "${slow[@]}" && same slow "$out"
}
for signal in INT TERM USR2 HUP XCPU; do
    check "SIG$signal: 75, and continued to the same bytes" stop_by "$signal"
done
under_nohup() { # what ignored a signal goes on doing so
    (trap '' HUP; exec "$program" run "$cfg" --out ignoring -q "${slow[@]}") >ignoring.txt 2>&1 </dev/null &
    pid=$!
    wait_for 20 test -s ignoring/metrics.csv || return 1
    kill -HUP "$pid"
    wait "$pid" && same slow ignoring
}
check "a SIGHUP that nohup ignores changes nothing" under_nohup
nobody_listens() { # the reader of its log and output is gone before it begins
    "$program" run "$cfg" --out unheard -v 2>&1 | true
    [ "${PIPESTATUS[0]}" -eq 74 ] && [ "$(jq -r .status unheard/run.json)" = finished ] && same whole unheard
}
check "a log that nobody reads does not end a run" nobody_listens
kept_account() {
    local json=by-TERM/run.json
    jq -e '.status == "finished" and (.stopped | not) and (.resumptions | length == 1) and
        .resumptions[0].step > 0 and (.resumptions[0] | has("time") and has("host")) and
        .checkpoints.count > 1 and .checkpoints.bytes_last > 0 and .checkpoints.seconds > 0' "$json" || return 1
    [ "$(grep -c ' info start ' by-TERM/log.txt)" -eq 2 ] && grep -q ' info stopped ' by-TERM/log.txt &&
        [ "$(jq -r 'select(.event == "start") | .event' by-TERM/log.jsonl | wc -l)" -eq 2 ]
}
check "run.json keeps resumptions and checkpoints, logs are appended to" kept_account
told_cost() { # of all processes of the run, in bytes and seconds
    "$program" run "$cfg" --out by-TERM "${slow[@]}" -q >told.txt && cat told.txt
    grep -qE '^checkpoints [0-9]+  the last [0-9.]+ [KM]?B  [0-9.]+ s in all, [0-9.]+ % of the run$' told.txt &&
        "$program" run "$cfg" --out by-TERM "${slow[@]}" -q --json |
        jq -e --slurpfile run by-TERM/run.json '.checkpoints == $run[0].checkpoints' &&
        "$program" run "$cfg" --out whole -q >told.txt && ! grep checkpoints told.txt
}
check "what checkpoints cost is printed, where there were any" told_cost
second_interrupt() { # while data are read, which takes a second: the first is looked at after them
    local status from
    start twice -s data.train=4000032 -s data.limit=2000
    wait_for 20 listens || return 1
    from=$(date +%s%N)
    kill -INT "$pid"
    wait_for 20 grep -q '^stopping, ' twice.txt || return 1
    kill -INT "$pid"
    wait "$pid"
    status=$?
    echo "status $status after $((($(date +%s%N) - from) / 1000000)) ms: $(cat twice.txt)"
    [ "$status" -eq 130 ] && tail -1 twice.txt | grep -q '^stopped at once'
}
check "a second SIGINT leaves at once, with 130" second_interrupt
while_reading() {
    local status
    start reading -s data.train=4000032 -s data.limit=2000
    wait_for 20 listens || return 1
    kill -INT "$pid"
    wait "$pid"
    status=$?
    cat reading.txt
    [ "$status" -eq 75 ] && grep -q 'before the first step' reading.txt && [ ! -e reading/run.json ]
}
check "stopped while data are read: 75, and nothing is left" while_reading
while_loading() { # a plugin: while its output is watched; what the handler says is none of it
    strace -qq -o /dev/null -e 'trace=?dup2,dup3' -e 'inject=?dup2,dup3:signal=TERM:when=2' \
        "$program" run "$cfg" --out loading -q >loading.txt 2>&1
    local status=$?
    cat loading.txt
    [ "$status" -eq 75 ] && grep -q '^stopping, ' loading.txt && grep -q 'before the first step' loading.txt
}
check "stopped while plugins are loaded: 75, and no plugin is blamed" while_loading
while_evaluating() {
    local many=(-s data.test=120000 -s ensemble.members=6 -s ensemble.use=static -s ensemble.train=0.1ep) status
    run_in evaluated "${many[@]}" >/dev/null || return 1
    start evaluating "${many[@]}"
    wait_for 20 test -s evaluating/preds/test/member-1.npy || return 1
    kill -TERM "$pid"
    wait "$pid"
    status=$?
    cat evaluating.txt
    [ "$status" -eq 75 ] && grep -q 'after the training' evaluating.txt && [ ! -e evaluating/preds/test/member-5.npy ] ||
        return 1
    cp evaluating/run.json before.json
    touch -d '2001-01-01' evaluating/preds/test/member-0.npy
    run_in evaluating "${many[@]}" && same evaluated evaluating && cmp before.json evaluating/run.json &&
        [ "$(stat -c %Y evaluating/preds/test/member-0.npy)" -lt 1000000000 ]
}
check "stopped between predictions: 75, those that are whole are kept" while_evaluating
max_time() {
    fails 75 'stopped by --max-time after step [0-9]+ of' run_in timed "${slow[@]}" --max-time 0.3s || return 1
    local i
    for ((i = 0; i < 40; i++)); do
        run_in timed "${slow[@]}" --max-time 0.7 && break
    done
    same slow timed && jq -e '.resumptions | length > 1' timed/run.json
}
check "--max-time: 75 each time, until the run is through" max_time
check "--max-time wants a length of time" fails 2 'is no length of time' run_in x --max-time 5w
check "--checkpoint-every too" fails 2 'is no length of time' run_in x --checkpoint-every soon
three_files() { # a finished one, one to be continued, one not begun
    local name
    mkdir three
    for name in a b c; do
        sed "s/\"resume\"/\"$name\"/" "$cfg" >"three/$name.cfg"
    done
    cd three || return 1
    "$program" run a.cfg -q >/dev/null || return 1
    killed_at_rename 24 run b.cfg -q --checkpoint-every 0s
    "$program" run a.cfg b.cfg c.cfg -q >out.txt || return 1
    cd ..
    grep -q 'finished before' three/out.txt && [ "$(grep -c '^cost' three/out.txt)" -eq 3 ] &&
        jq -e '.resumptions | length == 1' three/runs/b-*/seed-5/run.json &&
        jq -e '.resumptions | not' three/runs/c-*/seed-5/run.json && same whole "$(echo three/runs/b-*/seed-5)"
}
check "of several files the finished is skipped, the unfinished continued" three_files
before_the_first() {
    start early "${slow[@]}" --checkpoint-every 1h
    wait_for 20 test -s early/metrics.csv || return 1
    kill -KILL "$pid"
    wait "$pid"
    [ ! -e early/checkpoint/last.ftc ] || return 1
    run_in early "${slow[@]}" >early.txt 2>&1 || return 1
    cat early.txt
    [ "$(grep -c 'has no checkpoint: it starts over' early.txt)" -eq 1 ] && same slow early
}
check "killed before its first checkpoint: it starts over in its folder, and says so" before_the_first

# ---- the lock ----------------------------------------------------------------------------------
locked() {
    start held "${slow[@]}"
    wait_for 20 test -s held/metrics.csv || return 1
    fails 73 "in use by process $pid" run_in held "${slow[@]}" || return 1
    kill -KILL "$pid"
    wait "$pid"
    [ -e held/lock ] || return 1
    # The number may be another process's by now, or be of another machine.
    printf '%s otherhost\n' $$ >held/lock
    run_in held "${slow[@]}" && same slow held && [ ! -e held/lock ]
}
check "a second process is told who holds the folder; a dead one's lock is taken over" locked

# ---- what may have changed ---------------------------------------------------------------------
cut cut || { echo "Bail out! no run was cut"; exit 1; }
cp -r cut cut.kept
check "a run that was killed goes on to the same bytes" bash -c \
    "'$program' run '$cfg' --out cut -q && diff -r cut/members whole/members && cmp cut/metrics.csv whole/metrics.csv"
seconds_add_up() { # a checkpoint that says that a thousand lie behind
    rm -rf again
    cp -r cut.kept again
    "${craft[@]}" again/checkpoint/last.ftc seconds 1000 && run_in again && same whole again &&
        jq -e '.train.wall_s > 1000 and .train.wall_s < 1100' again/run.json
}
check "seconds of training of all processes add up" seconds_add_up
refused() { # refused CODE PATTERN OPTION...: and the folder stays as it was
    local code=$1 pattern=$2
    shift 2
    rm -rf again
    cp -r cut.kept again
    fails "$code" "$pattern" run_in again "$@" && diff -r -x lock cut.kept again
}
check "another config: 78 and the key" refused 78 'topology.rate: 0.5 there, 0.25 here' -s topology.rate=0.25
check "another seed: 78" refused 78 'seed: 5 there, 6 here' -s seed=6
check "another precision: 78" refused 78 'backend.precision' -s backend.precision=bf16 -s backend.use=ref
allowed() { # allowed PATTERN OPTION...: it goes on, and PATTERN is among its warnings; "" : it warns of nothing
    local pattern=$1
    shift
    rm -rf again
    cp -r cut.kept again
    run_in again "$@" >again.txt 2>again.err || return 1
    cat again.err
    if [ -n "$pattern" ]; then
        grep -qE "warn resume .*$pattern" again.err
    else
        [ ! -s again.err ]
    fi
}
told_threads() { # in the log, for it changes no bit
    allowed '' -s backend.threads=2 -s 'output="elsewhere"' -s 'metrics=({use="nll";})' -s 'eval.protocol=["ub"]' &&
        grep -qE ' info resume .*2 threads after 1: the same bits' again/log.txt
}
check "threads, output, metrics, eval do not matter; threads are logged" told_threads
check "another ISA is allowed, and warned of" allowed 'another ISA, portable after .*bits may differ' \
    -s backend.isa=portable
other_backend() { # and back
    cut ref -s backend.use=ref || return 1
    killed_at_rename 12 run "$cfg" --out ref -q --checkpoint-every 0s -s backend.use=cpu -s backend.threads=2
    run_in ref -s backend.use=ref 2>ref.txt || return 1
    cat ref.txt ref/log.txt
    grep -q 'another backend, cpu after ref: bits may differ' ref/log.txt &&
        grep -q 'another backend, ref after cpu: bits may differ' ref.txt && [ -s ref/members/member-1.safetensors ] &&
        jq -e '.backend.name == "ref" and .status == "finished" and
            ([.resumptions[].step] | length == 2 and .[0] > 0 and .[1] > .[0])' ref/run.json &&
        jq -e '[.resumptions[] | .backend, .threads] == ["cpu", 2, "ref", 1] and
            (.resumptions | (.[0].isa | type == "string") and (.[1] | has("isa")))' ref/run.json
}
check "a run that began on ref goes on on cpu and then on ref, and warns each time" other_backend

# Plugins and data that change in between: an installation of our own, and arrays of our own.
mkdir -p own/bin own/lib/freetickets/plugins
cp "$program" own/bin/ && cp "$FTK_TEST_PLUGINS"/*.so own/lib/freetickets/plugins/
changed_plugin() { # changed_plugin FILE STRATEGY
    rm -rf plugged
    cp "$FTK_TEST_PLUGINS"/*.so own/lib/freetickets/plugins/
    program=own/bin/freetickets cut plugged -s ensemble.use="$2" || return 1
    echo >>"own/lib/freetickets/plugins/$1.so"
    own/bin/freetickets run "$cfg" --out plugged -q -s ensemble.use="$2"
}
check "a rule's file that changed: 69, its name and both hashes" fails 69 \
    "began with another file of prune plugin 'magnitude': SHA-256 [0-9a-f]+\.\.\. there, [0-9a-f]+\.\.\. here" \
    changed_plugin prune_magnitude dst
check "a strategy's file that changed: 69" fails 69 "ensemble plugin 'dst'" changed_plugin ensemble_dst dst
check "a rule that the run does not use may change" changed_plugin prune_magnitude dense
check "a backend of another build is warned of" bash -c "$(declare -f changed_plugin cut killed_at_rename)
    program='$program' FTK_TEST_PLUGINS='$FTK_TEST_PLUGINS' cfg='$cfg' changed_plugin backend_cpu dst 2>&1 |
    grep 'another build of backend cpu: bits may differ'"
changed_data() { # of a named set; files that a config names count by content, so theirs would be 78
    local set=(-s "data={use=\"fashion_mnist\"; dir=\"$scratch/mnist\"; limit=96; batch=16;}" -s eval.limit=48)
    local images=train-images-idx3-ubyte
    mkdir -p mnist
    cp /usr/share/datasets/fashion-mnist/*.gz mnist/
    cut data "${set[@]}" || return 1
    zcat "mnist/$images.gz" >"$images"
    /usr/bin/python3 -c 'import sys
with open(sys.argv[1], "r+b") as f:
    f.seek(5000); byte = f.read(1)[0]; f.seek(5000); f.write(bytes([byte ^ 1]))' "$images"
    gzip -1 <"$images" >"mnist/$images.gz"
    fails 65 'began with other training data: SHA-256 [0-9a-f]+\.\.\. of fashion_mnist there' run_in data "${set[@]}"
}
check "training data that changed by one bit: 65" changed_data

# ---- checkpoints that are damaged, or others ---------------------------------------------------
flip() { # flip FILE: a byte in the middle
    /usr/bin/python3 -c 'import sys
b = bytearray(open(sys.argv[1], "rb").read()); b[len(b) // 2] ^= 1; open(sys.argv[1], "wb").write(b)' "$1"
}
prev_is_used() {
    rm -rf again
    cp -r cut.kept again
    flip again/checkpoint/last.ftc
    run_in again 2>again.err || return 1
    cat again.err
    grep -qE 'warn resume .*last\.ftc.*prev\.ftc' again.err && same whole again
}
check "the last checkpoint is damaged: the one before is used, and that is said" prev_is_used
both_damaged() {
    rm -rf again
    cp -r cut.kept again
    flip again/checkpoint/last.ftc
    truncate -s -1 again/checkpoint/prev.ftc
    cp -r again damaged
    run_in again >again.err 2>&1
    [ $? -eq 65 ] || return 1
    cat again.err
    grep -q 'last\.ftc' again.err && grep -q 'prev\.ftc' again.err && diff -r -x lock damaged again || return 1
    run_in again --new && same whole again && diff -r -x lock damaged again.old-1
}
check "both are damaged: 65, both reasons, nothing is deleted; --new starts anew beside" both_damaged
crafted() { # crafted CODE PATTERN WHAT...: in both, so that neither can be used
    local code=$1 pattern=$2
    shift 2
    rm -rf again
    cp -r cut.kept again
    "${craft[@]}" again/checkpoint/last.ftc "$@" && "${craft[@]}" again/checkpoint/prev.ftc "$@" &&
        fails "$code" "$pattern" run_in again
}
check "a checkpoint of another version: 65" crafted 65 'version 7' version 7
check "a checkpoint of the other byte order: 65" crafted 65 'byte order' swap
check "a checkpoint of another config: 78 and the key" crafted 78 'topology.rate: 0.9 there, 0.5 here' \
    text topology.rate=0.5 topology.rate=0.9
check "a checkpoint of another seed: 78" crafted 78 'seed: 6 there, 5 here' text '"seed": 5' '"seed": 6'
check "a checkpoint made with another plugin: 69" bash -c "$(declare -f crafted fails run_in)
    craft=(${craft[*]@Q}); program='$program' cfg='$cfg'
    hash=\$(jq -r '.plugins[] | select(.kind == \"grow\") | .sha256' cut.kept/run.json)
    crafted 69 \"grow plugin\" text \"\$hash\" \"0000\${hash:4}\""

# ---- rows that were written before -------------------------------------------------------------
rows() { # rows CODE PATTERN FILE COMMAND...: after COMMAND on FILE nothing is done; the file put back is enough
    local code=$1 pattern=$2 file=$3
    shift 3
    rm -rf again again.before
    cp -r cut.kept again
    "$@" "again/$file" && cp -r again again.before || return 1
    fails "$code" "again/$file $pattern" run_in again && diff -r -x lock again.before again &&
        fails "$code" 'put it back as it was, or start anew with --new' run_in again || return 1
    cp "cut.kept/$file" again/ && run_in again && same whole again
}
for file in metrics.csv metrics.jsonl timing.csv; do
    check "$file was edited: 65" rows 65 'was changed: CRC-32' "$file" sed -i '$s/,/;/'
    check "$file grew in its middle: 65" rows 65 'was changed: CRC-32' "$file" sed -i '1s/^/# mine\n/'
    check "$file was cut short: 65" rows 65 'has [0-9]+ bytes, but [0-9]+ when' "$file" truncate -s -20
    check "$file is missing: 66" rows 66 'is missing' "$file" rm
done

# ---- members that were saved before ------------------------------------------------------------
# Member 0 is saved and in the checkpoint, member 1 is being saved.
save_1() { # the number of the rename that ends it
    strace -qq -o late.trace -e trace=rename "$program" run "$cfg" --out late/traced -q --checkpoint-every 0s \
        >/dev/null && sed -n '/members\/member-1\.masks\.safetensors"/=' late.trace
}
killed_at_rename "$(save_1)" run "$cfg" --out late/kept -q --checkpoint-every 0s
late() { # late FILE...: the run with those files of members damaged or, after "-", removed
    local file
    rm -rf late/run
    cp -r late/kept late/run
    [ ! -e late/run/members/member-1.safetensors ] || { echo "nothing was cut"; return 1; }
    for file; do
        case $file in
        -*) rm "late/run/members/${file#-}" ;;
        *) flip "late/run/members/$file" ;;
        esac
    done
    rm -rf late/before
    cp -r late/run late/before
}
unsaved() { # unsaved CODE PATTERN FILE: refused before anything is done, and the file put back is enough
    late "$3" && fails "$1" "run/members/${3#-} $2" run_in late/run && diff -r -x lock late/before late/run &&
        fails "$1" 'put it back as it was, or start anew with --new' run_in late/run || return 1
    cp "late/kept/members/${3#-}" late/run/members/ && run_in late/run && same whole late/run
}
check "a saved member is missing when a run goes on: 66 at once" unsaved 66 'is missing' -member-0.safetensors
check "so is its mask: 66" unsaved 66 'is missing' -member-0.masks.safetensors
check "a saved member is damaged: 65 at once" unsaved 65 'is damaged: SHA-256 [0-9a-f]+\.\.\.' member-0.safetensors
check "so is its mask: 65" unsaved 65 'is damaged' member-0.masks.safetensors
unrecorded() { # a checkpoint as they were before members were recorded
    late && "${craft[@]}" late/run/checkpoint/last.ftc text '"saved"' '"sawed"' &&
        fails 65 'last.ftc: it does not record the members saved before it' run_in late/run
}
check "a checkpoint that records no members is refused by name: 65" unrecorded
finished_without() { # finished_without PATTERN FILE: warned of until it is put back
    rm -rf late/run
    cp -r whole late/run
    mv "late/run/members/$2" put-back
    [ "$1" = 'is missing' ] || { cp put-back "late/run/members/$2" && flip "late/run/members/$2"; }
    run_in late/run 2>late.err || return 1
    cat late.err
    grep -qE "warn members .*members/$2 $1" late.err && mv put-back "late/run/members/$2" &&
        run_in late/run 2>late.err && [ ! -s late.err ] && same whole late/run
}
check "a finished run that lacks a member warns" finished_without 'is missing' member-1.safetensors
check "and one with a member of other bytes" finished_without 'is damaged' member-1.safetensors

# ---- folders that refuse or go away ------------------------------------------------------------
as_nobody() { # as_nobody COMMAND...
    if [ "$(id -u)" -eq 0 ]; then
        setpriv --reuid=65534 --regid=65534 --clear-groups "$@"
    else
        "$@"
    fi
}
no_permission() {
    mkdir -p locked
    chmod 555 locked
    chmod 755 "$scratch"
    as_nobody test -x "$program" || { echo "nobody cannot start $program"; return 1; }
    fails 74 'Permission denied' as_nobody "$program" run "$cfg" --out locked/run -q
}
read_only_run() { # an unfinished run of somebody else
    rm -rf again
    cp -r cut.kept again
    chmod -R a-w again
    fails 74 'Permission denied' as_nobody "$program" run "$cfg" --out again -q || return 1
    chmod -R u+w again
    diff -r -x lock cut.kept again
}
if [ "$(id -u)" -eq 0 ] && ! setpriv --reuid=65534 --regid=65534 --clear-groups test -x "$program"; then
    skip "a folder without permission to write: 74" "the build cannot be reached by nobody"
    skip "an unfinished run without permission to write: 74, untouched" "the build cannot be reached by nobody"
else
    check "a folder without permission to write: 74" no_permission
    check "an unfinished run without permission to write: 74, untouched" read_only_run
fi
removed() {
    local status
    start gone "${slow[@]}" --checkpoint-every 0.05s
    wait_for 20 test -s gone/checkpoint/last.ftc || return 1
    wait_for 20 rm -rf gone || return 1 # which fails when a file appears beside those it has read
    wait "$pid"
    status=$?
    cat gone.txt
    [ "$status" -eq 74 ] && grep -q 'error: gone: the folder was moved or removed while the run wrote to it' gone.txt
}
check "a folder removed under a run: 74 and its name" removed
start_other() { # is held still in the middle, with a lock of its own
    local ours=$pid
    start moved "${slow[@]}" --checkpoint-every 0.3s
    other=$pid
    pid=$ours
    wait_for 20 test -s moved/checkpoint/last.ftc || return 1
    kill -STOP "$other"
    cp -r moved moved.then
}
moved() { # and another process runs under the old name
    local status
    start moved "${slow[@]}" --checkpoint-every 0.3s
    wait_for 20 test -s moved/checkpoint/last.ftc || return 1
    kill -STOP "$pid" # long before the next checkpoint
    mv moved elsewhere
    start_other && kill -CONT "$pid" && wait "$pid"
    status=$?
    cat moved.txt
    [ "$status" -eq 74 ] && grep -q 'error: moved: the folder was moved or removed while' moved.txt || return 1
    diff -r moved.then moved || return 1
    kill -KILL "$other"
    wait "$other"
    run_in moved "${slow[@]}" && same slow moved && run_in elsewhere "${slow[@]}" && same slow elsewhere
}
check "a folder moved under a run: 74, and what stands in its place is left alone" moved

# ---- clocks ------------------------------------------------------------------------------------
# The time of day jumps by years at every look; --max-time and checkpoints go by the monotonic clock.
jumping() {
    cat >jump.c <<'C'
#define _GNU_SOURCE
#include <sys/time.h>
#include <time.h>
#include <unistd.h>
#include <sys/syscall.h>
static long years;
static long jump(void) { years += 3; return (years % 2 ? -1 : 1) * years * 31536000L; }
int clock_gettime(clockid_t id, struct timespec *t)
{
    long failed = syscall(SYS_clock_gettime, id, t);
    if (!failed && id == CLOCK_REALTIME) t->tv_sec += jump();
    return (int)failed;
}
time_t time(time_t *ret)
{
    struct timespec t;
    clock_gettime(CLOCK_REALTIME, &t);
    if (ret) *ret = t.tv_sec;
    return t.tv_sec;
}
int gettimeofday(struct timeval *tv, void *zone)
{
    struct timespec t;
    (void)zone;
    clock_gettime(CLOCK_REALTIME, &t);
    tv->tv_sec = t.tv_sec;
    tv->tv_usec = t.tv_nsec / 1000;
    return 0;
}
C
    cc -shared -fPIC jump.c -o jump.so || return 1
    fails 75 'stopped by --max-time' env LD_PRELOAD="$scratch/jump.so" "$program" run "$cfg" --out jumped -q \
        "${slow[@]}" --max-time 0.5s || return 1
    [ "$(wc -l <jumped/log.txt)" -gt 10 ] || return 1
    env LD_PRELOAD="$scratch/jump.so" "$program" run "$cfg" --out jumped -q "${slow[@]}" --max-time 60s &&
        same slow jumped && jq -e '.train.wall_s >= 0 and .train.wall_s < 60' jumped/run.json
}
if ldd "$program" | grep -q libasan; then
    skip "a clock that jumps changes nothing" "the sanitizer wants to be loaded first"
else
    check "a clock that jumps changes nothing" jumping
fi

# ---- the proof for anybody's config ------------------------------------------------------------
verified() {
    "$program" run "$cfg" --out proof/run -q --verify-resume 3 "${slow[@]}" >proof.txt 2>&1 || { cat proof.txt; return 1; }
    cat proof.txt
    grep -qE '^compared .* 1[0-9] files, [0-9]+ bytes$' proof.txt && grep -q '^the same ' proof.txt &&
        grep -q '^went on      from step [1-9]' proof.txt && [ -z "$(ls proof)" ]
}
check "--verify-resume 3 compares every byte and cleans up" verified
check "--verify-resume wants a number" fails 2 'is no number of interruptions' run_in x --verify-resume 0
check "--verify-resume is for one file" fails 2 'takes one CFG' "$program" run "$cfg" "$cfg" --verify-resume 1
check "--verify-resume goes without --new" fails 2 'goes with none of' run_in x --verify-resume 1 --new
finish
