#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Writes metrics.txt: logits, labels and what every metric must say about them.

Values are computed here by the textbook definitions in double, from float32 logits.
The formulas are written apart from the plugins': KL by pairs, ECE by searching edges.
Format, one item a line: case NAME MEMBERS CLASSES COUNT / label ... / logit ... (member by
member, row by row) / METRIC VALUE ... / end
    usage: make_metrics.py > metrics.txt
"""
import numpy as np


def log_softmax(z):
    z = z - z.max(axis=-1, keepdims=True)
    return z - np.log(np.exp(z).sum(axis=-1, keepdims=True))


def ece(prob, label, bins, closed):
    confidence = prob.max(axis=1)
    right = (prob.argmax(axis=1) == label).astype(float)
    edges = np.arange(1, bins) / bins
    where = np.searchsorted(edges, confidence, side="right" if closed == "left" else "left")
    total = 0.0
    for b in range(bins):
        inside = where == b
        total += abs(right[inside].sum() - confidence[inside].sum())
    return total / len(label)


def brier(prob, label):
    return ((prob - np.eye(prob.shape[1])[label]) ** 2).sum(axis=1).mean()


def disagreement(top):
    members = len(top)
    pairs = [(top[i] != top[j]).mean() for i in range(members) for j in range(members) if i != j]
    return float(np.mean(pairs)) if pairs else 0.0


def kl(log_prob):
    members = len(log_prob)
    pairs = [(np.exp(log_prob[i]) * (log_prob[i] - log_prob[j])).sum(axis=1).mean()
             for i in range(members) for j in range(members) if i != j]
    return float(np.mean(pairs)) if pairs else 0.0


def values(logit, label):
    log_prob = log_softmax(logit.astype(np.float64))
    log_mean = np.logaddexp.reduce(log_prob, axis=0) - np.log(len(log_prob))
    mean = np.exp(log_prob).mean(axis=0)
    known = label >= 0
    m, lm, y = mean[known], log_mean[known], label[known]
    right = m.argmax(axis=1) == y
    top = log_prob.argmax(axis=2)
    yield "accuracy", right.mean()
    yield "nll", -lm[np.arange(len(y)), y].mean()
    yield "brier", brier(m, y)
    for bins, closed in ((15, "left"), (15, "right"), (14, "right"), (1, "left"), (1000, "left")):
        yield f"ece:{bins}:{closed}", ece(m, y, bins, closed)
    yield "disagreement", disagreement(top)
    if not right.all():
        yield "disagreement:normalised", disagreement(top[:, known]) / (1 - right.mean())
    yield "kl", kl(log_prob)


def write(name, logit, label):
    members, count, classes = logit.shape
    print("case", name, members, classes, count)
    print("label", *label)
    print("logit", *(f"{x:.9g}" for x in logit.ravel()))
    for metric, value in values(logit, label):
        print(metric, f"{value:.17g}")
    print("end")


def case(name, rng, members, classes, count, scale, unknown=0.0):
    """Members that agree somewhat: a common part, a part of each, and labels that follow."""
    common = rng.normal(size=(1, count, classes))
    own = rng.normal(size=(members, count, classes))
    logit = (scale * (common + 0.7 * own)).astype(np.float32)
    noisy = common[0] + 0.8 * rng.normal(size=(count, classes))
    label = np.where(rng.random(count) < unknown, -1, noisy.argmax(axis=1))
    write(name, logit, label)


def main():
    rng = np.random.default_rng(20220401)
    case("three_members", rng, 3, 5, 40, 1.0)
    case("confident", rng, 2, 4, 40, 30.0)
    case("unknown_labels", rng, 3, 3, 40, 1.5, unknown=0.3)
    case("one_member", rng, 1, 10, 20, 1.0)
    case("one_class", rng, 2, 1, 5, 1.0)
    case("many_members", rng, 25, 3, 4, 1.0)
    case("many_classes", rng, 2, 200, 2, 2.0)
    same = np.repeat(rng.normal(size=(1, 10, 4)).astype(np.float32), 3, axis=0)
    write("copies", same, rng.integers(0, 4, 10))
    write("uniform", np.zeros((2, 10, 5), np.float32), np.arange(10) % 5)
    extreme = np.array([[[0, 80], [200, 0]], [[100, 0], [0, 90]]], np.float32)
    write("certain", extreme, np.array([0, 0]))


if __name__ == "__main__":
    main()
