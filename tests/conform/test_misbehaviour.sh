#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Plugins that crash, hang, exit, fork or throw inside a call: the kit ends with status 1 and says what
# happened, and nothing of them is left.
source "$(dirname "$0")/../support/tap.sh"
: "${FTK_BUILD_DIR:?}"
zoo="$FTK_BUILD_DIR/zoo/misbehaves"

told() { # told FILE PATTERN [OPTION...]: the pattern may reach over lines
    local file=$1 pattern=$2 output status
    shift 2
    output=$(timeout 60 "$program" conform "$@" "$zoo/$file.so" 2>&1 </dev/null)
    status=$?
    echo "exit $status, not 1 and '$pattern': $output"
    [ "$status" -eq 1 ] && tr '
' ' ' <<<"$output" | grep -qE "$pattern"
}

check "the plugin that misbehaves in no way passes" "$program" conform --level 3 "$zoo/nothing.so"
check "a crash" told crashes 'crash.*signal 11 .Segmentation fault. at address 0x40.*fix: a pointer is NULL'
check "an overrun in a rule about something else" told overruns 'fail  *SCO-04.*byte 16 was written, outside of it.*fix: compare each index' --only SCO-04
check "abort()" told aborts 'crash.*signal 6'
check "a recursion without end" told recurses 'crash.*signal 11'
check "SIGKILL" told killed 'crash.*killed by signal 9'
check "an exception, and what to do about it" told throws 'crash.*signal 6.*fix: let no exception leave a call'
check "a call that waits for ever" told hangs 'timeout.*no verdict within 1' --timeout 1
check "a call that counts for ever" told spins 'timeout.*no verdict within 1' --timeout 1
check "exit()" told exits 'fail.*ended with status 0 and no verdict'
check "_exit()" told exits_at_once 'fail.*ended with status 0 and no verdict'
check "all descriptors closed" told closes_all 'fail.*(no verdict|descriptors were opened or closed)'
check "a daemon" told forks 'fail.*child process was left'
check "a call that returns twice" told returns_in_child 'fail.*(child process was left|after its verdict|another process|fresh process)'
check "a verdict of its own making" told writes_verdict 'fail.*ended with status 0 and no verdict'
left() {
    local pids
    pids=$(pgrep -f "conform --child.*$zoo/")
    echo "left: $pids"
    [ -z "$pids" ]
}
check "nothing of them is left" left
finish
