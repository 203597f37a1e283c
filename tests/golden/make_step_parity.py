#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Writes parity/*.safetensors: a masked WRN-10-1 trained by PyTorch in fp32, step by step.

CIFAR-10's shape, ERK masks of density 0.2, batches of 16, SGD with lr 0.1, momentum 0.9 and weight
decay 5e-4 on everything; the momentum of inactive weights stays 0.  Made with PyTorch 1.13 in one
thread.  Everything is PyTorch's own fp32 run.  The same step in fp64 from the same state says how
far that is off: a stored step must be within CLEAR of it, else some value lies within rounding of
ReLU's kink and no two programs agree on the gradient; then take another seed.

    usage: make_step_parity.py [FOLDER]      (of cifar-10-batches-bin; $FREETICKETS_DATA)

Two sets of images, S: "synthetic", made here and stored, and "cifar10", the first POOL training
images, of which only the numbers they give are stored: a test needs the images themselves.

    S_run.safetensors
        images     U8 [POOL][3][32][32], synthetic only
        labels     I32 [POOL]
        levels     F32 [3][256]: what byte v of channel c is after normalising
        batches    I32 [50][16]: the images of every step
        losses     F64 [50]: of a free run from the state before step 1, lr 0.001, with one update
                   after step 5
        nnz        I32 [layers]: active weights by layer, model order
    S_stepT.safetensors, T = 1, 10, 25, 50 (and 20, after which the topology is updated)
        mask.NAME        U8: active weights, eight a byte, the first in the highest bit
        before.NAME, after.NAME                      state, of a masked weight its active values
        before.NAME.velocity, after.NAME.velocity    SGD's momentum buffer, likewise
        loss             F64 [1]: mean over the batch
    S_update.safetensors
        gradient.NAME    F32: dense gradient of step 20's batch at the weights before that step
        mask.NAME        U8: active after the update of rate 0.5 that follows step 20, packed alike
        threshold.NAME   F32 [2]: largest |weight| dropped, smallest |gradient| grown
"""
import json
import math
import os
import struct
import sys

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

HERE = os.path.dirname(os.path.abspath(__file__))
POOL, BATCH, STEPS, UPDATE_AFTER = 128, 16, 50, 20
STORED = (1, 10, UPDATE_AFTER, 25, 50)
LR, MOMENTUM, DECAY, DENSITY, RATE = 0.1, 0.9, 5e-4, 0.2, 0.5
FREE_LR, FREE_UPDATE_AFTER = 0.001, 5
CLEAR = 5e-6
MEAN, STD = (0.4914, 0.4822, 0.4465), (0.2023, 0.1994, 0.2010)
KINDS = {"float32": "F32", "float64": "F64", "int32": "I32", "uint8": "U8"}


def save(name, arrays):
    """Widest numbers first, so that every array is aligned."""
    header, data = {}, b""
    for key, a in sorted(arrays.items(), key=lambda item: -item[1].itemsize):
        raw = np.ascontiguousarray(a).tobytes()
        header[key] = {"dtype": KINDS[a.dtype.name], "shape": list(a.shape),
                       "data_offsets": [len(data), len(data) + len(raw)]}
        data += raw
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    with open(os.path.join(HERE, "parity", name + ".safetensors"), "wb") as f:
        f.write(struct.pack("<Q", len(text)) + text + data)


class Block(nn.Module):
    """The shortcut of unequal widths reads the activated input."""

    def __init__(self, width_in, width, stride):
        super().__init__()
        self.bn1 = nn.BatchNorm2d(width_in)
        self.conv1 = nn.Conv2d(width_in, width, 3, stride, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(width)
        self.conv2 = nn.Conv2d(width, width, 3, 1, 1, bias=False)
        if width != width_in:
            self.convShortcut = nn.Conv2d(width_in, width, 1, stride, 0, bias=False)

    def forward(self, x):
        active = F.relu(self.bn1(x))
        out = self.conv2(F.relu(self.bn2(self.conv1(active))))
        return out + (self.convShortcut(active) if hasattr(self, "convShortcut") else x)


class Group(nn.Module):
    def __init__(self, *blocks):
        super().__init__()
        self.layer = nn.Sequential(*blocks)

    def forward(self, x):
        return self.layer(x)


class Wrn10(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(3, 16, 3, 1, 1, bias=False)
        self.block1 = Group(Block(16, 16, 1))
        self.block2 = Group(Block(16, 32, 2))
        self.block3 = Group(Block(32, 64, 2))
        self.bn1 = nn.BatchNorm2d(64)
        self.fc = nn.Linear(64, 10)
        for m in self.modules():
            if isinstance(m, nn.Conv2d):
                fan_out = m.kernel_size[0] * m.kernel_size[1] * m.out_channels
                m.weight.data.normal_(0, math.sqrt(2 / fan_out))
        self.fc.bias.data.zero_()

    def forward(self, x):
        x = self.block3(self.block2(self.block1(self.conv1(x))))
        return self.fc(F.relu(self.bn1(x)).mean((2, 3)))


def maskable(net):
    return {name: p for name, p in net.named_parameters() if p.dim() > 1}


def erk(shapes):
    """Densities proportional to (sum of dimensions) / (their product), at most 1."""
    n = {name: int(np.prod(shape)) for name, shape in shapes.items()}
    raw = {name: sum(shape) / n[name] for name, shape in shapes.items()}
    dense = set()
    while True:
        budget = DENSITY * sum(n.values()) - sum(n[name] for name in dense)
        eps = budget / sum(raw[name] * n[name] for name in n if name not in dense)
        top = max(raw[name] for name in n if name not in dense)
        if eps * top <= 1:
            return {name: 1.0 if name in dense else eps * raw[name] for name in n}
        dense |= {name for name in n if raw[name] == top}


class Trainer:
    """A masked network and its momentum."""

    def __init__(self, seed, dtype=torch.float32):
        torch.manual_seed(seed)
        self.net = Wrn10().to(dtype)
        layers = maskable(self.net)
        density = erk({name: tuple(p.shape) for name, p in layers.items()})
        self.exempt = {name for name, d in density.items() if d == 1}
        self.masks = {}
        for name, p in layers.items():
            mask = torch.zeros(p.numel())
            mask[torch.randperm(p.numel())[:round(density[name] * p.numel())]] = 1
            self.masks[name] = mask.reshape(p.shape)
            p.data *= self.masks[name]
        self.velocity = {name: torch.zeros_like(p) for name, p in self.net.named_parameters()}

    def copy(self, dtype):
        other = Trainer(0, dtype)
        other.net.load_state_dict(self.net.state_dict())
        other.masks = {name: m.clone() for name, m in self.masks.items()}
        other.velocity = {name: v.to(dtype, copy=True) for name, v in self.velocity.items()}
        return other

    def step(self, x, y, lr):
        optimiser = torch.optim.SGD(self.net.parameters(), lr=lr, momentum=MOMENTUM,
                                    weight_decay=DECAY)
        for name, p in self.net.named_parameters():
            optimiser.state[p]["momentum_buffer"] = self.velocity[name]
        self.net.train()
        self.net.zero_grad()
        loss = F.cross_entropy(self.net(x), y)
        loss.backward()
        optimiser.step()
        for name, p in maskable(self.net).items():
            p.data *= self.masks[name]
            self.velocity[name] *= self.masks[name]
        return loss.item()

    def update(self):
        """The lowest ceil(rate nnz) magnitudes go, as many of the largest gradients come, at 0."""
        thresholds = {}
        for name, p in maskable(self.net).items():
            if name in self.exempt:
                continue
            mask, w = self.masks[name].flatten().numpy(), p.data.flatten().abs().numpy()
            grad = p.grad.flatten().abs().numpy()
            k = math.ceil(RATE * mask.sum())
            active = np.flatnonzero(mask)
            dropped = active[np.argsort(w[active], kind="stable")[:k]]
            mask[dropped] = 0
            free = np.flatnonzero(mask == 0)
            grown = free[np.argsort(-grad[free], kind="stable")[:k]]
            thresholds[name] = np.array([w[dropped].max(), grad[grown].min()], np.float32)
            kept = torch.tensor(mask.copy()).reshape(p.shape)
            p.data *= kept
            self.velocity[name] *= kept
            mask[grown] = 1
            self.masks[name] = torch.tensor(mask).reshape(p.shape)
        return thresholds

    def packed(self):
        return {"mask." + name: np.packbits(m.flatten().numpy() > 0)
                for name, m in self.masks.items()}

    def state(self, when):
        out = {f"{when}.{name}": v for name, v in self.net.state_dict().items() if v.dim()}
        out.update({f"{when}.{name}.velocity": v for name, v in self.velocity.items()})
        arrays = {}
        for key, v in out.items():
            name = key[len(when) + 1:].replace(".velocity", "")
            v = v[self.masks[name] > 0] if name in self.masks else v
            arrays[key] = v.detach().numpy().astype(np.float32).copy()
        return arrays


def synthetic(rng):
    """Ten coarse patterns, each image one of them under noise."""
    patterns = rng.integers(40, 216, (10, 3, 4, 4)).repeat(8, 2).repeat(8, 3)
    labels = rng.integers(0, 10, POOL).astype(np.int32)
    noise = rng.normal(0, 40, (POOL, 3, 32, 32))
    return np.clip(patterns[labels] + noise, 0, 255).astype(np.uint8), labels


def cifar10(folder):
    path = os.path.join(folder, "cifar-10-batches-bin", "data_batch_1.bin")
    raw = np.fromfile(path, np.uint8, POOL * 3073).reshape(POOL, 3073)
    return raw[:, 1:].reshape(POOL, 3, 32, 32), raw[:, 0].astype(np.int32)


def worst(a, b):
    gap = {key: np.linalg.norm(v.astype(float) - b[key]) / np.linalg.norm(b[key])
           for key, v in a.items()}
    name = max(gap, key=gap.get)
    return name, gap[name]


def write(name, images, labels, seed, keep_images):
    rng = np.random.default_rng(seed)
    levels = ((np.arange(256) / 255)[None] - np.array(MEAN)[:, None]) / np.array(STD)[:, None]
    levels = levels.astype(np.float32)
    x = torch.tensor(np.stack([levels[c][images[:, c]] for c in range(3)], 1))
    y = torch.tensor(labels).long()
    batches = np.concatenate([rng.permutation(POOL) for _ in range(7)])
    batches = batches[:STEPS * BATCH].reshape(STEPS, BATCH).astype(np.int32)

    run = {"labels": labels, "levels": levels, "batches": batches}
    if keep_images:
        run["images"] = images
    t = Trainer(17)
    run["nnz"] = np.array([int(m.sum()) for m in t.masks.values()], np.int32)
    free = t.copy(torch.float32)
    for step, batch in enumerate(batches, 1):
        stored = {**t.packed(), **t.state("before")}
        double = t.copy(torch.float64)
        loss = t.step(x[batch], y[batch], LR)
        stored.update(t.state("after"))
        stored["loss"] = np.array([loss])
        if step in STORED:
            save(f"{name}_step{step}", stored)
            truth = double.step(x[batch].double(), y[batch], LR)
            key, gap = worst(t.state("after"), double.state("after"))
            print(f"{name} step {step}: loss {loss:.6f}, off fp64 by {abs(loss - truth):.1e}, "
                  f"{key} by {gap:.1e}")
            assert gap < CLEAR, "a kink"
        if step == UPDATE_AFTER:
            gradient = {"gradient." + key: p.grad.numpy().copy()
                        for key, p in maskable(t.net).items()}
            thresholds = {"threshold." + key: v for key, v in t.update().items()}
            save(f"{name}_update", {**gradient, **thresholds, **t.packed()})

    losses = []
    for step, batch in enumerate(batches, 1):
        losses.append(free.step(x[batch], y[batch], FREE_LR))
        if step == FREE_UPDATE_AFTER:
            free.update()
    run["losses"] = np.array(losses)
    save(f"{name}_run", run)
    print(f"{name} free run: loss {losses[0]:.6f} to {losses[-1]:.6f}")


def main(folder):
    torch.set_num_threads(1)
    os.makedirs(os.path.join(HERE, "parity"), exist_ok=True)
    write("synthetic", *synthetic(np.random.default_rng(5)), 3, True)
    write("cifar10", *cifar10(folder), 4, False)


main(sys.argv[1] if len(sys.argv) > 1 else os.environ["FREETICKETS_DATA"])
