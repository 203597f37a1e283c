#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Writes sdk/conform/golden_erk.c from the tables of published densities beside this file."""
import csv
import os

HERE = os.path.dirname(os.path.abspath(__file__))
TARGETS = ("0.8", "0.9")  # sparsities that both tables have
NETS = (("wrn_28_10", "WRN-28-10", "erk_wrn28_10.csv", "10"),
        ("resnet_50", "ResNet-50", "erk_resnet50.csv", "1000"))

HEAD = """/* SPDX-License-Identifier: MIT
 * conform/golden_erk.c - written by tests/golden/make_golden_erk.py from the published densities.
 */
#include "conform/golden_erk.h"

const double ftk__golden_targets[FTK__GOLDEN_TARGETS] = { 0.2, 0.1 };
"""


def rows(path, classes, sparsity):
    with open(os.path.join(HERE, path), newline="") as f:
        return [r for r in csv.DictReader(f)
                if r["classes"] == classes and r["sparsity"] == sparsity]


def main():
    out = [HEAD]
    for ident, name, path, classes in NETS:
        tables = [rows(path, classes, t) for t in TARGETS]
        out.append(f"\nstatic const struct ftk__golden_layer {ident}[] = {{\n")
        for layers in zip(*tables):
            dims = layers[0]["shape"].split("x")
            conv = "true" if len(dims) == 4 else "false"
            dims = ", ".join((dims + ["1"])[:3])
            density = ", ".join(r["density"] for r in layers)
            out.append(f'    {{ "{layers[0]["layer"]}", {conv}, {{ {dims} }}, {{ {density} }} }},\n')
        out.append("};\n")
        out.append(f"const struct ftk__golden_erk ftk__golden_{ident} = {{\n"
                   f'    "{name}", {ident}, sizeof({ident}) / sizeof({ident}[0])\n}};\n')
    target = os.path.join(HERE, "..", "..", "sdk", "conform", "golden_erk.c")
    with open(target, "w") as f:
        f.write("".join(out))


main()
