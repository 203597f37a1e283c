#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# What cannot be written ends a run with status 74 and leaves the last good checkpoint, from which it is
# continued to the same bytes: each call in turn, full disks, files that may not grow.
set -uo pipefail
scratch=$(mktemp -d -p /dev/shm 2>/dev/null || mktemp -d)
trap 'rm -rf "$scratch"' EXIT
/usr/bin/python3 "$(dirname "$0")/check_resume_faults.py" "$scratch"
