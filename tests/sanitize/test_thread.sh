#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Unit and conformance suites and a short run with clang's thread sanitizer.  Without oneDNN: the OpenMP that
# Debian's is linked with tells the sanitizer nothing of its barriers, so it would see races where none are.
. "$(dirname "$0")/sanitized.sh"
only_long
build=$FTK_BUILD_DIR/sanitize-thread
export TSAN_OPTIONS=halt_on_error=1:allocator_may_return_null=1

CC=clang CXX=clang++ check "builds" build_sanitized -DFTK_SANITIZE=thread -DFTK_ONEDNN=OFF
check "unit suites" suites tests/bin/
check "every plugin passes the conformance kit" suites test_conform.sh
check "a run on two threads, resumed" short_run -s 'backend={use="cpu";isa="portable";}'
finish
