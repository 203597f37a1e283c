#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Opens a run folder with numpy and recomputes what it reports, to 1e-6.

    usage: check_run.py RUN
"""
import glob
import json
import os
import sys

import numpy as np

import safetensors_np


def softmax(z):
    z = z.astype(np.float64)
    z = z - z.max(axis=1, keepdims=True)
    e = np.exp(z)
    return e / e.sum(axis=1, keepdims=True)


def ece(prob, y, bins=15):
    confidence = prob.max(axis=1)
    right = prob.argmax(axis=1) == y
    where = np.clip(np.ceil(confidence * bins), 1, bins)
    gaps = [abs((right[where == b] - confidence[where == b]).sum()) for b in range(1, bins + 1)]
    return sum(gaps) / len(y)


def scores(prob, y):
    return {
        "accuracy": float((prob.argmax(axis=1) == y).mean()),
        "nll": float(-np.log(prob[np.arange(len(y)), y]).mean()),
        "ece": float(ece(prob, y)),
    }


def assert_close(what, got, want):
    for key, value in want.items():
        assert abs(got[key] - value) <= 1e-6, f"{what} {key}: reported {got[key]}, numpy {value}"


def check_members(run):
    files = sorted(glob.glob(os.path.join(run, "members", "member-?.safetensors")))
    assert files, "no members"
    for path in files:
        arrays, meta = safetensors_np.load(path)
        masks, _ = safetensors_np.load(path.replace(".safetensors", ".masks.safetensors"))
        assert meta.get("seed") and meta.get("member"), f"{path}: metadata {meta}"
        for name, mask in masks.items():
            assert mask.shape == arrays[name].shape, name
            assert not arrays[name][mask == 0].any(), f"{name}: an inactive weight is not zero"
        assert all(np.isfinite(a).all() for a in arrays.values())
    return len(files)


def main(run):
    members = check_members(run)
    with open(os.path.join(run, "eval", "report.json")) as f:
        report = json.load(f)["sets"]["test"]
    preds = os.path.join(run, "preds", "test")
    y = np.load(os.path.join(preds, "labels.npy"))
    probs = [softmax(np.load(os.path.join(preds, f"member-{m}.npy"))) for m in range(members)]
    for m, prob in enumerate(probs):
        assert_close(f"member {m}", report["members"][m], scores(prob, y))
    assert_close("ensemble", report["ensemble"], scores(np.mean(probs, axis=0), y))
    top = [p.argmax(axis=1) for p in probs]
    if members > 1:
        pairs = [(a, b) for a in range(members) for b in range(members) if a != b]
        want = {
            "disagreement": np.mean([(top[a] != top[b]).mean() for a, b in pairs]),
            "kl": np.mean([(probs[a] * np.log(probs[a] / probs[b])).sum(axis=1).mean()
                           for a, b in pairs]),
        }
        assert_close("diversity", report["diversity"], want)


main(sys.argv[1])
