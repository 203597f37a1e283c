#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""What a finished run must show of the rules of training.

    usage: check_rules.py RULE RUN [ARGUMENT...]
"""
import csv
import glob
import json
import math
import os
import re
import sys

import numpy as np

import safetensors_np


def rows(run):
    with open(os.path.join(run, "metrics.csv")) as f:
        return list(csv.DictReader(f))


def masks(run, member):
    path = os.path.join(run, "members", f"member-{member}.masks.safetensors")
    return safetensors_np.load(path)[0]


def logits(run, member, split="test"):
    return np.load(os.path.join(run, "preds", split, f"member-{member}.npy"))


def planned(path):
    with open(path) as f:
        return json.load(f)


def flops(run, plan, within="0"):
    """What was counted is what was planned, to a share of it."""
    plan = planned(plan)
    got, want = float(rows(run)[-1]["flops"]), plan["flops"]["train"]
    assert abs(got / want - 1) <= float(within) + 1e-8, f"planned {want}, counted {got}"
    assert plan["approximate"] == (float(within) > 0), "approximate is not said, or for nothing"


def one_mask(run):
    first, second = masks(run, 0), masks(run, 1)
    for name in first:
        assert (first[name] == second[name]).all(), f"{name} differs between members"
    a, b = logits(run, 0), logits(run, 1)
    assert not np.allclose(a, b), "both members are the same network"


def dense(run):
    for name, mask in masks(run, 0).items():
        assert mask.all(), f"{name} is not dense"


def density_constant(run):
    """Exact counts: not one weight more or less from the first line to the last."""
    seen = {r["density"] for r in rows(run)}
    assert len(seen) == 1, seen
    explored = [float(r["r_s"]) for r in rows(run) if r["member"] == "0"]
    assert explored == sorted(explored) and explored[-1] > explored[0], explored


def escape(run, rate):
    """Refining without updates: masks of neighbours differ by the escape alone."""
    for member in range(2):
        before, after = masks(run, member), masks(run, member + 1)
        for name in before:
            a, b = before[name].astype(bool), after[name].astype(bool)
            if a.all():
                assert b.all(), f"{name} is dense and exempt"
                continue
            k = math.ceil(float(rate) * a.sum())
            # At most k leave, for a dropped weight may return; as many come as leave.
            left, came = (a & ~b).sum(), (b & ~a).sum()
            assert 0 < left == came <= k, f"{name}: {left} left, {came} came, k is {k}"


def escape_exact(run, rate):
    """With regrowth forbidden every dropped weight stays out."""
    for member in range(2):
        before, after = masks(run, member), masks(run, member + 1)
        for name in before:
            a, b = before[name].astype(bool), after[name].astype(bool)
            if a.all():
                continue
            k = min(math.ceil(float(rate) * a.sum()), (~a).sum())
            assert (a & ~b).sum() == k and (b & ~a).sum() == k, f"{name}: {(a & ~b).sum()}, not {k}"


def best(run):
    """A member is its last TRAIN's state of the highest validation accuracy."""
    labels = np.load(os.path.join(run, "preds", "validation", "labels.npy"))
    last_op = {}
    for r in rows(run):
        last_op[r["member"]] = r["op"]
    files = glob.glob(os.path.join(run, "members", "member-?.safetensors"))
    assert len(files) == len(last_op)
    worse_last = False
    for member, op in last_op.items():
        seen = [float(r["val_accuracy"]) for r in rows(run) if r["op"] == op]
        got = float((logits(run, member, "validation").argmax(axis=1) == labels).mean())
        assert abs(got - max(seen)) < 1e-6, f"member {member}: {got}, the epochs were {seen}"
        worse_last = worse_last or seen[-1] < max(seen)
    assert worse_last, "the last epoch is the best everywhere: nothing was shown"


def same_predictions(run, other, within="0"):
    def arrays(of):  # the index beside them holds hashes of members
        return sorted(f for f in os.listdir(os.path.join(of, "preds", "test")) if f.endswith(".npy"))

    files = arrays(run)
    assert files and files == arrays(other), files
    for name in files:
        a = np.load(os.path.join(run, "preds", "test", name))
        b = np.load(os.path.join(other, "preds", "test", name))
        assert np.abs(a - b).max() <= float(within) * np.abs(a).max(), f"{name} differs"


def same_training(run, other):
    """Every number that the state of the network decides; FLOPs may differ."""
    keep = ("op", "member", "epoch", "step", "train_loss", "val_loss", "density", "r_s")
    a, b = rows(run), rows(other)
    assert [[r[k] for k in keep] for r in a] == [[r[k] for k in keep] for r in b]


def last_batch(run, fresh):
    """Against the same run with a fresh gradient: the last step before each escape makes a dense
    weight gradient, and the extra step is gone."""
    images, last = 192, 32
    a, b = rows(run), rows(fresh)
    assert len(a) == len(b)
    # One escape lies between: 3 f_S and an extra 2 f_S + f_D there, 2 f_S + f_D here.
    saved = float(b[-1]["flops"]) - float(a[-1]["flops"])
    first = [r for r in a if r["op"] == "2"][-1]
    per_image = float(b[0]["flops"]) / images / 3
    assert abs(saved / (3 * per_image * last) - 1) < 1e-6, (saved, 3 * per_image * last)
    assert first["train_loss"] == [r for r in b if r["op"] == "2"][-1]["train_loss"]


def epoch_images(run, images):
    """Each line counts a whole pass and nothing else: an accuracy is a number of images over it."""
    for r in rows(run):
        right = float(r["train_accuracy"]) * int(images)
        assert abs(right - round(right)) < 1e-5, f"{right} of {images} images"


def epochs(run, *want):
    """op:epoch:step of each line."""
    got = [f"{r['op']}:{r['epoch']}:{r['step']}" for r in rows(run)]
    assert got == list(want), got


def column(run, name, *want):
    got = [r[name] for r in rows(run)]
    assert len(got) == len(want), got
    for g, w in zip(got, want):
        assert g == w or abs(float(g) - float(w)) < 1e-6, got


def trajectory(run, *want):
    """op:t:member of each snapshot."""
    pattern = re.compile(r"t-(\d+)-op-(\d+)-member-(\d+)\.safetensors")
    got = []
    for name in sorted(os.listdir(os.path.join(run, "trajectory"))):
        t, op, member = (int(v) for v in pattern.fullmatch(name).groups())
        got.append((op, t, member))
    assert [f"{o}:{t}:{m}" for o, t, m in sorted(got)] == list(want), sorted(got)


globals()[sys.argv[1]](*sys.argv[2:])
