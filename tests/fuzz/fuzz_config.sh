#!/bin/sh
# SPDX-License-Identifier: MIT
# Experiment files: see fuzz_config.c and libfuzzer.sh.
set -eu
. "$(dirname "$0")/libfuzzer.sh"
fuzz config "base plugin config" -lconfig -ljansson -lcrypto -lz -ldl -lm -lpthread
