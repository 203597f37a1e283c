#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Writes resnet20_pruned.npy, U8 [10000]: the class that a public ResNet-20, pruned, gives to each
CIFAR-10 test image by PyTorch; and prints how the network does before and after.

Half of all convolutional and linear weights go, the smallest magnitudes of the whole network, by
torch.nn.utils.prune.global_unstructured; nothing is trained.  Two classes whose logits are within
rounding of each other could be told apart by no test: the script refuses such an image.  Made with
PyTorch 1.13, fp32, in one thread; images as x / 255 with ImageNet's means and deviations.

    usage: make_resnet20.py [FOLDER]     (of pretrained/resnet20-12fca82f.safetensors and
                                          cifar-10-batches-bin; $FREETICKETS_DATA)
"""
import json
import os
import struct
import sys

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn
from torch.nn.utils import prune

HERE = os.path.dirname(os.path.abspath(__file__))
MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
IMAGES, RECORD, CLEAR = 10000, 3073, 1e-4


class Block(nn.Module):
    def __init__(self, width_in, width):
        super().__init__()
        self.halves = width != width_in
        self.conv1 = nn.Conv2d(width_in, width, 3, 2 if self.halves else 1, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        self.conv2 = nn.Conv2d(width, width, 3, 1, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(width)

    def forward(self, x):
        out = self.bn2(self.conv2(F.relu(self.bn1(self.conv1(x)))))
        if self.halves:
            side = x.shape[1] // 2
            x = F.pad(x[:, :, ::2, ::2], (0, 0, 0, 0, side, side))
        return F.relu(out + x)


class ResNet20(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(3, 16, 3, 1, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(16)
        self.layer1 = nn.Sequential(Block(16, 16), Block(16, 16), Block(16, 16))
        self.layer2 = nn.Sequential(Block(16, 32), Block(32, 32), Block(32, 32))
        self.layer3 = nn.Sequential(Block(32, 64), Block(64, 64), Block(64, 64))
        self.linear = nn.Linear(64, 10)

    def forward(self, x):
        x = F.relu(self.bn1(self.conv1(x)))
        return self.linear(self.layer3(self.layer2(self.layer1(x))).mean((2, 3)))


def read_weights(path):
    with open(path, "rb") as f:
        header = json.loads(f.read(struct.unpack("<Q", f.read(8))[0]))
        data = f.read()
    header.pop("__metadata__", None)
    return {name: torch.tensor(np.frombuffer(data[slice(*a["data_offsets"])], np.float32).copy()
                               ).reshape(a["shape"])
            for name, a in header.items() if a["dtype"] == "F32"}


def read_images(path):
    raw = np.fromfile(path, np.uint8).reshape(IMAGES, RECORD)
    x = torch.tensor(raw[:, 1:].reshape(IMAGES, 3, 32, 32)).float() / 255
    mean, std = (torch.tensor(v).reshape(3, 1, 1) for v in (MEAN, STD))
    return (x - mean) / std, torch.tensor(raw[:, 0]).long()


def predict(net, x):
    net.eval()
    with torch.no_grad():
        return torch.cat([net(part) for part in x.split(250)])


def report(what, z, y):
    right = int((z.argmax(1) == y).sum())
    print(f"{what}: {right} right, NLL {F.cross_entropy(z.double(), y):.6f}")


def main(folder):
    torch.set_num_threads(1)
    net = ResNet20()
    weights = read_weights(os.path.join(folder, "pretrained", "resnet20-12fca82f.safetensors"))
    missing, extra = net.load_state_dict(weights, strict=False)
    assert not extra and all(name.endswith("num_batches_tracked") for name in missing)
    x, y = read_images(os.path.join(folder, "cifar-10-batches-bin", "test_batch.bin"))
    report("dense", predict(net, x), y)

    layers = [m for m in net.modules() if isinstance(m, (nn.Conv2d, nn.Linear))]
    prune.global_unstructured([(m, "weight") for m in layers], prune.L1Unstructured, amount=0.5)
    active = sum(int(m.weight_mask.sum()) for m in layers)
    z = predict(net, x)
    report(f"pruned to {active} of {sum(m.weight.numel() for m in layers)} weights", z, y)
    best = z.topk(2).values
    closest = float((best[:, 0] - best[:, 1]).min())
    print(f"the closest decision has a margin of {closest:.2e}")
    assert closest > CLEAR
    np.save(os.path.join(HERE, "resnet20_pruned.npy"), z.argmax(1).numpy().astype(np.uint8))


main(sys.argv[1] if len(sys.argv) > 1 else os.environ["FREETICKETS_DATA"])
