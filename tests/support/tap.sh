# SPDX-License-Identifier: MIT
# Sourced by the shell suites: TAP, a scratch folder that goes away, the program under test.
set -uo pipefail
tap_n=0
tap_failed=0
program=${FTK_PROGRAM:?set by tests/run}
source_dir=${FTK_SOURCE_DIR:?set by tests/run}
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

# check TITLE COMMAND...: ok if the command succeeds; its output is shown only when it fails.
check() {
    local title=$1 output
    shift
    tap_n=$((tap_n + 1))
    if output=$("$@" 2>&1); then
        echo "ok $tap_n - $title"
    else
        tap_failed=1
        echo "not ok $tap_n - $title"
        tail -25 <<<"$output" | while IFS= read -r line; do echo "# $line"; done
    fi
}

skip() { # skip TITLE WHY
    tap_n=$((tap_n + 1))
    echo "ok $tap_n - $1 # SKIP $2"
}

# fails CODE PATTERN COMMAND...: the command must exit with CODE, and say PATTERN (extended regular
# expression) in one of its lines.
fails() {
    local code=$1 pattern=$2 output status
    shift 2
    output=$("$@" 2>&1 </dev/null)
    status=$?
    if [ "$status" -ne "$code" ]; then
        echo "exit $status, not $code: $output"
        return 1
    fi
    grep -qE "$pattern" <<<"$output" && return 0
    echo "no line like '$pattern' in: $output"
    return 1
}

finish() {
    echo "1..$tap_n"
    exit $tap_failed
}
