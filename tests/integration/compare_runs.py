#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Compares two runs of one config on different backends: the same counts of active weights, and first
members that are close.  Rounding may part the two at a tie, so single masks may differ.

    usage: compare_runs.py RUN RUN
"""
import os
import sys

import numpy as np

import safetensors_np


def member(run, kind=""):
    return safetensors_np.load(os.path.join(run, "members", f"member-0{kind}.safetensors"))[0]


def main(a, b):
    masks_a, masks_b = member(a, ".masks"), member(b, ".masks")
    for name in masks_a:
        assert masks_a[name].sum() == masks_b[name].sum(), f"{name}: another count"
        same = (masks_a[name] == masks_b[name]).mean()
        assert same > 0.97, f"{name}: only {same:.3f} of the mask agrees"
    x, y = member(a), member(b)
    for name in x:
        norm = np.linalg.norm(x[name].astype(float) - y[name]) / (np.linalg.norm(x[name]) + 1e-12)
        assert norm < 0.1, f"{name}: {norm:.2e} apart"


main(*sys.argv[1:])
