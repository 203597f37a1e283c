#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Writes sdk/conform/golden_metrics.c: logits of three members and what numpy makes of them."""
import os

import numpy as np

M, N, C = 3, 24, 4
rng = np.random.default_rng(20220125)
logits = np.round(rng.normal(0, 2, (M, N, C)), 3).astype(np.float32)
label = rng.integers(0, C, N)

z = logits.astype(np.float64)
z -= z.max(axis=2, keepdims=True)
log_member = z - np.log(np.exp(z).sum(axis=2, keepdims=True))
member = np.exp(log_member)
ensemble = member.mean(axis=0)
top = ensemble.argmax(axis=1)
confidence = ensemble.max(axis=1)
rows = np.arange(N)

accuracy = (top == label).mean()
nll = -np.log(ensemble[rows, label]).mean()
one_hot = np.eye(C)[label]
brier = ((ensemble - one_hot) ** 2).sum(axis=1).mean()


def ece(bins):
    """Right-closed bins, 0 in the first (Guo et al. 2017)."""
    edges = np.linspace(0, 1, bins + 1)
    at = np.clip(np.searchsorted(edges, confidence, side="left") - 1, 0, bins - 1)
    total = 0.0
    for b in range(bins):
        inside = at == b
        if inside.any():
            total += inside.sum() / N * abs((top == label)[inside].mean() - confidence[inside].mean())
    return total


pairs = [(i, j) for i in range(M) for j in range(M) if i != j]
member_top = member.argmax(axis=2)
disagreement = np.mean([(member_top[i] != member_top[j]).mean() for i, j in pairs])
kl = np.mean([(member[i] * (log_member[i] - log_member[j])).sum(axis=1).mean() for i, j in pairs])

out = ["""/* SPDX-License-Identifier: MIT
 * conform/golden_metrics.c - written by tests/golden/make_kit_metrics.py with numpy.
 */
#include "conform/golden_metrics.h"

"""]
flat = ", ".join(f"{v:.9g}f" if "." in f"{v:.9g}" else f"{v:.9g}.0f" for v in logits.ravel())
out.append(f"const float ftk__golden_logits[FTK__GOLDEN_MEMBERS * FTK__GOLDEN_SAMPLES * "
           f"FTK__GOLDEN_CLASSES] = {{ {flat} }};\n")
out.append(f"const int32_t ftk__golden_labels[FTK__GOLDEN_SAMPLES] = "
           f"{{ {', '.join(str(v) for v in label)} }};\n")
out.append("const struct ftk__golden_metric ftk__golden_metrics[] = {\n")
for name, value in (("accuracy", accuracy), ("nll", nll), ("brier", brier), ("ece", ece(15)),
                    ("disagreement", disagreement), ("kl", kl)):
    out.append(f'    {{ "{name}", {value:.17g} }},\n')
out.append("    { 0 },\n};\n")
here = os.path.dirname(os.path.abspath(__file__))
with open(os.path.join(here, "..", "..", "sdk", "conform", "golden_metrics.c"), "w") as f:
    f.write("".join(out))
