#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# The zoo of the conformance kit: see zoo.py.  test_zoo.sh PART runs those whose title has PART in it.
exec python3 "$(dirname "$0")/zoo.py" zoo "$@"
