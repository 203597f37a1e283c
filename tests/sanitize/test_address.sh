#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Unit and conformance suites and a short run with the address, leak and undefined behaviour sanitizers.
. "$(dirname "$0")/sanitized.sh"
only_long
build=$FTK_BUILD_DIR/sanitize-address
export UBSAN_OPTIONS=halt_on_error=1:print_stacktrace=1

check "builds" build_sanitized -DFTK_SANITIZE=address,undefined
check "unit suites" suites tests/bin/
check "every plugin passes the conformance kit" suites test_conform.sh
check "writes that fail lose no memory" suites test_resume_faults
check "a run on two threads, resumed" short_run
finish
