#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Configurations drawn at random, killed and continued.  --long: 150 of them.
set -uo pipefail
scratch=$(mktemp -d -p /dev/shm 2>/dev/null || mktemp -d)
trap 'rm -rf "$scratch"' EXIT
/usr/bin/python3 "$(dirname "$0")/check_resume_configs.py" "$scratch"
