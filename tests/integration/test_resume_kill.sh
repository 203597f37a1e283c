#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# A run that is killed and continued ends in the same bytes: at every system call of a checkpoint, in every
# phase, at random moments, for each strategy.  --long: 100 random kills a strategy.
set -uo pipefail
# Not on a disk, where the hundreds of fsyncs would take most of the time.
scratch=$(mktemp -d -p /dev/shm 2>/dev/null || mktemp -d)
trap 'rm -rf "$scratch"' EXIT
/usr/bin/python3 "$(dirname "$0")/check_resume_kill.py" "$scratch"
