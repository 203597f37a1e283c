#!/bin/sh
# SPDX-License-Identifier: MIT
# Checkpoint containers: see fuzz_ftc.c and libfuzzer.sh.
set -eu
. "$(dirname "$0")/libfuzzer.sh"
fuzz ftc "base" -ljansson -lcrypto -lm -lpthread
