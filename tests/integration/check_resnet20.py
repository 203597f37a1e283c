#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Judges runs of the public ResNet-20 by their files.

    usage: check_resnet20.py figures RUN          how many are right, and the NLL
           check_resnet20.py logits RUN RUN       of the images that both have (256 or all), to 1e-4
           check_resnet20.py sparsity RUN         half of the maskable weights are active
           check_resnet20.py predictions RUN NPY  the class of every image
"""
import json
import os
import sys

import numpy as np

import safetensors_np

RIGHT, IMAGES, NLL, NEAR = 9173, 10000, 0.3727, 1e-4


def logits(run):
    return np.load(os.path.join(run, "preds", "test", "member-0.npy"))


def figures(run):
    labels = np.load(os.path.join(run, "preds", "test", "labels.npy"))
    right = int((logits(run).argmax(axis=1) == labels).sum())
    assert (right, len(labels)) == (RIGHT, IMAGES), f"{right} of {len(labels)} are right"
    with open(os.path.join(run, "eval", "report.json")) as f:
        report = json.load(f)["sets"]["test"]["ensemble"]
    assert report["accuracy"] == RIGHT / IMAGES, f"accuracy {report['accuracy']}"
    assert abs(report["nll"] - NLL) <= NEAR, f"NLL {report['nll']}"


def same_logits(one, other):
    a, b = logits(one), logits(other)
    n = min(len(a), len(b))
    assert n in (256, IMAGES), f"{n} images"
    gap = np.abs(a[:n] - b[:n]).max()
    assert gap <= NEAR, f"logits are {gap:.2e} apart"


def sparsity(run):
    path = os.path.join(run, "members", "member-0.masks.safetensors")
    masks = safetensors_np.load(path)[0].values()
    active, total = sum(int(m.sum()) for m in masks), sum(m.size for m in masks)
    assert 2 * active == total, f"{active} of {total} weights are active"
    weights = safetensors_np.load(path.replace(".masks", ""))[0].values()
    nonzero = sum(np.count_nonzero(w) for w in weights if w.ndim > 1)
    assert nonzero == active, f"{nonzero} weights are not 0, {active} active"


def predictions(run, golden):
    got, want = logits(run).argmax(axis=1), np.load(golden)
    assert len(got) == len(want) == IMAGES, f"{len(got)} images"
    other = np.flatnonzero(got != want)
    assert not len(other), f"{len(other)} images get another class, the first is {other[0]}"


{"figures": figures, "logits": same_logits, "sparsity": sparsity,
 "predictions": predictions}[sys.argv[1]](*sys.argv[2:])
