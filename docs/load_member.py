#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Loads a member of a WRN run on CIFAR-10 into a PyTorch module, strictly, and compares.

usage: load_member.py RUN [MEMBER]

RUN is the folder of a finished run with data.use = "cifar10", normalised as by default, and
model.use = "wrn"; MEMBER counts from 0. The test images that the run predicted are read from
$FREETICKETS_DATA/cifar-10-batches-bin/test_batch.bin and predicted anew by PyTorch. Accuracy and
logits must be those of the run, and weights outside the mask (stray ones) zero: the exit status is
1 where they are not.

Needs NumPy and PyTorch 1.13 or later. The safetensors file is read with NumPy alone.
"""
import json
import os
import sys

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

# What data.normalise = "cifar10" stands for; channels red, green, blue.
MEAN = (0.4914, 0.4822, 0.4465)
STD = (0.2023, 0.1994, 0.2010)


def read_safetensors(path):
    """Name to array of a safetensors file: 8 bytes length, a JSON header, the bytes."""
    dtypes = {"F32": "<f4", "U8": "u1"}
    with open(path, "rb") as f:
        size = int.from_bytes(f.read(8), "little")
        header = json.loads(f.read(size))
        data = f.read()
    header.pop("__metadata__", None)
    arrays = {}
    for name, t in header.items():
        begin, end = t["data_offsets"]
        arrays[name] = np.frombuffer(data[begin:end], dtypes[t["dtype"]]).reshape(t["shape"])
    return arrays


def read_cifar10(path, count):
    """The first images of a CIFAR-10 binary file, normalised, and their labels."""
    rows = np.fromfile(path, np.uint8, count * 3073).reshape(count, 3073)
    images = rows[:, 1:].reshape(count, 3, 32, 32).astype(np.float32) / 255
    images -= np.array(MEAN, np.float32)[:, None, None]
    images /= np.array(STD, np.float32)[:, None, None]
    return torch.from_numpy(images), rows[:, 0]


class Block(nn.Module):
    """Pre-activation residual block.

    Where the width changes the shortcut is a convolution, of the activated input; elsewhere it is
    the input as it came.
    """

    def __init__(self, n_in, n_out, stride):
        super().__init__()
        self.bn1 = nn.BatchNorm2d(n_in)
        self.conv1 = nn.Conv2d(n_in, n_out, 3, stride, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(n_out)
        self.conv2 = nn.Conv2d(n_out, n_out, 3, 1, 1, bias=False)
        self.convShortcut = None
        if n_in != n_out:
            self.convShortcut = nn.Conv2d(n_in, n_out, 1, stride, bias=False)

    def forward(self, x):
        a = F.relu(self.bn1(x))
        y = self.conv2(F.relu(self.bn2(self.conv1(a))))
        return y + (x if self.convShortcut is None else self.convShortcut(a))


class Group(nn.Module):
    """The blocks of one width."""

    def __init__(self, n, n_in, n_out, stride):
        super().__init__()
        self.layer = nn.Sequential(*(Block(n_out if i else n_in, n_out, 1 if i else stride)
                                     for i in range(n)))

    def forward(self, x):
        return self.layer(x)


class WideResNet(nn.Module):
    """WRN-depth-width with the names of the member's file."""

    def __init__(self, depth, width, classes):
        super().__init__()
        n = (depth - 4) // 6
        c = (16, 16 * width, 32 * width, 64 * width)
        self.conv1 = nn.Conv2d(3, c[0], 3, 1, 1, bias=False)
        self.block1 = Group(n, c[0], c[1], 1)
        self.block2 = Group(n, c[1], c[2], 2)
        self.block3 = Group(n, c[2], c[3], 2)
        self.bn1 = nn.BatchNorm2d(c[3])
        self.fc = nn.Linear(c[3], classes)

    def forward(self, x):
        x = self.block3(self.block2(self.block1(self.conv1(x))))
        return self.fc(F.relu(self.bn1(x)).mean((2, 3)))


def main():
    if len(sys.argv) not in (2, 3) or "FREETICKETS_DATA" not in os.environ:
        sys.exit(__doc__)
    run, member = sys.argv[1], int(sys.argv[2]) if len(sys.argv) == 3 else 0

    with open(f"{run}/run.json") as f:
        identity = dict(line.split("=", 1) for line in json.load(f)["identity"])
    if (identity["data.use"] != '"cifar10"' or identity["model.use"] != '"wrn"'
            or identity.get("data.normalise") not in ('""', '"cifar10"')):
        sys.exit(f"{run} is no run of a WRN on CIFAR-10, normalised as by default")
    with open(f"{run}/eval/report.json") as f:
        reported = json.load(f)["sets"]["test"]["members"][member]["accuracy"]
    theirs = np.load(f"{run}/preds/test/member-{member}.npy")

    state = read_safetensors(f"{run}/members/member-{member}.safetensors")
    masks = read_safetensors(f"{run}/members/member-{member}.masks.safetensors")
    active = sum(int(m.sum()) for m in masks.values())
    total = sum(m.size for m in masks.values())
    stray = sum(int(np.count_nonzero(state[name][masks[name] == 0])) for name in masks)

    net = WideResNet(int(identity["model.depth"]), int(identity["model.width"]), theirs.shape[1])
    net.load_state_dict({k: torch.from_numpy(v.copy()) for k, v in state.items()}, strict=True)
    net.eval()

    images, labels = read_cifar10(
        os.path.join(os.environ["FREETICKETS_DATA"], "cifar-10-batches-bin", "test_batch.bin"),
        len(theirs))
    with torch.no_grad():
        ours = torch.cat([net(x) for x in images.split(250)]).numpy()
    accuracy = float((ours.argmax(1) == labels).mean())
    apart = float(np.abs(ours - theirs).max())

    print(f"member    {member}, {active} of {total} weights active, {stray} stray")
    print(f"images    {len(labels)}")
    print(f"accuracy  {accuracy:.4f} by PyTorch {torch.__version__}, {reported:.4f} reported")
    print(f"logits    at most {apart:.1e} apart")
    return int(abs(accuracy - reported) > 1e-9 or apart > 1e-3 or stray != 0)


if __name__ == "__main__":
    sys.exit(main())
