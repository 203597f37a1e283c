#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Writes sdk/conform/ops/*.safetensors: what PyTorch says about every node op.

    apt-get install -y --no-install-recommends python3-torch
    /usr/bin/python3 sdk/conform/make_ops.py [PART]     (in the repository's root)

With PART only files whose name starts with it: another PyTorch may round a last bit otherwise.
Each file is one small network with its data; PyTorch runs it in float64 from float32 inputs.
The arrays (all numbers of a node list are as in graph.h):
    nodes      I32 [n][14]  op, in[2], out_shape[3], kernel[2], stride[2], pad[2], flags, sparse
    scalars    F32 [n][2]
    run        F64 [7]      lr, momentum, weight decay, nesterov (0, 1), dense momentum (0, 1),
                            dropout: key[0] of every step, key[1] of the first (then + 100)
    counts     I32 [steps]  samples of each step, taken from x one after the other
    x, y                    F32 [samples][c][h][w], I32 [samples]
    mask.N                  U8: active weights of sparse node N
    start.N.R, end.N.R      arrays before the first and after the last step; R is weight, bias,
                            mean or var; dense, inactive weights 0
    adam       F64 [3]      optimiser (2 Adam, 3 AdamW), beta2, eps; absent: SGD
    velocity.N.R            SGD's momentum buffer, Adam's first moment, after the last step
    square.N.R              Adam's second moment
    grad.N.R                gradient of the first step, dense, without decay
    logits, end_logits      predict() of the first step's samples, before and after all steps
    grad_input              of the mean loss of these, evaluation mode, before
    loss       F64 [steps]  sum over a step's samples
"""
import json
import os
import struct
import sys

import numpy as np
import torch
import torch.nn.functional as F

(INPUT, LINEAR, CONV, NORM, RELU, ADD, MAXPOOL, AVGPOOL, DROPOUT, XENT, FLATTEN, CONCAT,
 PAD_CHANNELS) = range(1, 14)
BIAS, NO_DECAY, NO_DECAY_BIAS = 1, 2, 4
ADAM, ADAMW = 2, 3
PART = sys.argv[1] if len(sys.argv) > 1 else ""
FOLDER = os.path.join(os.path.dirname(os.path.abspath(__file__)), "ops")
KINDS = {"float32": "F32", "float64": "F64", "int32": "I32", "uint8": "U8"}


def save(path, arrays):
    """Widest numbers first, so that every array is aligned."""
    header, data = {}, b""
    for name, a in sorted(arrays.items(), key=lambda item: -item[1].itemsize):
        raw = np.ascontiguousarray(a).tobytes()
        header[name] = {"dtype": KINDS[a.dtype.name], "shape": list(a.shape),
                        "data_offsets": [len(data), len(data) + len(raw)]}
        data += raw
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    with open(path, "wb") as f:
        f.write(struct.pack("<Q", len(text)) + text + data)


def philox(block, key):
    """Philox 4x32-10 as host.h has it: block and key[1] count, key[0] is the key."""
    low = 0xFFFFFFFF
    c = [block & low, block >> 32, key[1] & low, key[1] >> 32]
    k = [key[0] & low, key[0] >> 32]
    for _ in range(10):
        p0, p1 = 0xD2511F53 * c[0], 0xCD9E8D57 * c[2]
        c = [(p1 >> 32) ^ c[1] ^ k[0], p1 & low, (p0 >> 32) ^ c[3] ^ k[1], p0 & low]
        k = [(k[0] + 0x9E3779B9) & low, (k[1] + 0xBB67AE85) & low]
    return [c[1] << 32 | c[0], c[3] << 32 | c[2]]


def uniforms(n, key):
    u = [philox(i // 2, key)[i % 2] for i in range(n)]
    return np.array([(v >> 11) * 2.0 ** -53 for v in u])


class Graph:
    """A node list, its float64 parameters, and PyTorch's opinion of it."""

    def __init__(self, seed, shape):
        self.rng = np.random.default_rng(seed)
        self.nodes, self.params, self.masks, self.stats = [], {}, {}, {}
        self.node(INPUT, -1, shape)

    def node(self, op, a, shape, b=-1, kernel=(0, 0), stride=(0, 0), pad=(0, 0), flags=0,
             sparse=0, scalar=(0, 0)):
        self.nodes.append(dict(op=op, a=a, b=b, shape=tuple(shape), kernel=kernel, stride=stride,
                               pad=pad, flags=flags, sparse=sparse,
                               scalar=tuple(float(np.float32(s)) for s in scalar)))
        return len(self.nodes) - 1

    def shape(self, i):
        return self.nodes[i]["shape"]

    def draw(self, shape, scale, offset=0.0):
        v = (offset + scale * self.rng.standard_normal(shape)).astype(np.float32)
        return torch.tensor(v, dtype=torch.float64, requires_grad=True)

    def weights(self, i, shape, sparse, flags):
        w = self.draw(shape, 1 / np.sqrt(np.prod(shape[1:])))
        if sparse:
            mask = (self.rng.random(shape) < sparse).astype(np.uint8)
            mask.flat[0] = 1
            self.masks[i] = mask
            w.data *= torch.tensor(mask)
        self.params[i, "weight"] = w
        if flags & BIAS:
            self.params[i, "bias"] = self.draw(shape[:1], 0.1)

    def linear(self, a, out, flags=BIAS, density=0.0):
        width = int(np.prod(self.shape(a)))
        i = self.node(LINEAR, a, (out, 1, 1), flags=flags, sparse=int(density > 0))
        self.weights(i, (out, width), density, flags)
        return i

    def window(self, a, channels, kernel, stride, pad):
        sides = [(s + 2 * p - k) // t + 1
                 for s, k, t, p in zip(self.shape(a)[1:], kernel, stride, pad)]
        return (channels, *sides)

    def conv(self, a, out, kernel, stride=(1, 1), pad=(0, 0), flags=BIAS, density=0.0):
        i = self.node(CONV, a, self.window(a, out, kernel, stride, pad), kernel=kernel,
                      stride=stride, pad=pad, flags=flags, sparse=int(density > 0))
        self.weights(i, (out, self.shape(a)[0], *kernel), density, flags)
        return i

    def norm(self, a, momentum=0.1, eps=1e-5, flags=0):
        i = self.node(NORM, a, self.shape(a), scalar=(momentum, eps), flags=flags)
        channels = self.shape(a)[:1]
        self.params[i, "weight"] = self.draw(channels, 0.2, 1.0)
        self.params[i, "bias"] = self.draw(channels, 0.1)
        self.stats[i, "mean"] = self.draw(channels, 0.1).detach()
        self.stats[i, "var"] = self.draw(channels, 0.1, 1.0).detach().abs()
        return i

    def same(self, op, a, **more):
        return self.node(op, a, self.shape(a), **more)

    def pool(self, op, a, kernel, stride, pad=(0, 0)):
        shape = self.window(a, self.shape(a)[0], kernel, stride, pad)
        return self.node(op, a, shape, kernel=kernel, stride=stride, pad=pad)

    def flatten(self, a):
        return self.node(FLATTEN, a, (int(np.prod(self.shape(a))), 1, 1))

    def concat(self, a, b):
        return self.node(CONCAT, a, (self.shape(a)[0] + self.shape(b)[0], *self.shape(a)[1:]), b=b)

    def pad_channels(self, a, channels, stride):
        return self.node(PAD_CHANNELS, a, self.window(a, channels, (1, 1), stride, (0, 0)),
                         kernel=(1, 1), stride=stride)

    def end(self, a, smoothing=0.0):
        return self.node(XENT, a, self.shape(a), scalar=(smoothing, 0))

    def evaluate(self, i, values, train, key):
        n, x = self.nodes[i], values[self.nodes[i]["a"]]
        w, bias = self.params.get((i, "weight")), self.params.get((i, "bias"))
        op, size = n["op"], (len(x), *n["shape"])
        if op == LINEAR:
            return F.linear(x.flatten(1), w, bias).reshape(size)
        if op == CONV:
            return F.conv2d(x, w, bias, n["stride"], n["pad"])
        if op == NORM:
            return F.batch_norm(x, self.stats[i, "mean"], self.stats[i, "var"], w, bias, train,
                                *n["scalar"])
        if op == RELU:
            return F.relu(x)
        if op == ADD:
            return x + values[n["b"]]
        if op == MAXPOOL:
            return F.max_pool2d(x, n["kernel"], n["stride"], n["pad"])
        if op == AVGPOOL:
            return F.avg_pool2d(x, n["kernel"], n["stride"], n["pad"])
        if op == DROPOUT:
            if not train:
                return x
            keep = uniforms(x.numel(), (key[0], key[1] + i)) >= n["scalar"][0]
            return x * torch.tensor(keep).reshape(x.shape) / (1 - n["scalar"][0])
        if op == FLATTEN:
            return x.reshape(size)
        if op == CONCAT:
            return torch.cat([x, values[n["b"]]], 1)
        assert op == PAD_CHANNELS
        front = (n["shape"][0] - x.shape[1]) // 2
        back = n["shape"][0] - x.shape[1] - front
        return F.pad(x[:, :, ::n["stride"][0], ::n["stride"][1]], (0, 0, 0, 0, front, back))

    def logits(self, x, train, key=(0, 0)):
        values = [x]
        for i in range(1, len(self.nodes) - 1):
            values.append(self.evaluate(i, values, train, key))
        return values[self.nodes[-1]["a"]].flatten(1)

    def loss(self, x, y, train, key=(0, 0)):
        return F.cross_entropy(self.logits(x, train, key), y,
                               label_smoothing=self.nodes[-1]["scalar"][0])

    def decays(self, i, role):
        flags = self.nodes[i]["flags"]
        return not flags & NO_DECAY and not (role == "bias" and flags & NO_DECAY_BIAS)


def single(t):
    return t.detach().numpy().astype(np.float32)


def describe(g):
    rows = [[n["op"], n["a"], n["b"], *n["shape"], *n["kernel"], *n["stride"], *n["pad"],
             n["flags"], n["sparse"]] for n in g.nodes]
    return {"nodes": np.array(rows, np.int32),
            "scalars": np.array([n["scalar"] for n in g.nodes], np.float32)}


def snapshot(g, when):
    arrays = {**g.params, **g.stats}
    return {f"{when}.{i}.{role}": single(v) for (i, role), v in arrays.items()}


def optimiser_of(g, lr, momentum, decay, nesterov, adam):
    groups = [{"params": [v], "weight_decay": decay if g.decays(i, role) else 0.0}
              for (i, role), v in g.params.items()]
    if adam is None:
        return torch.optim.SGD(groups, lr=lr, momentum=momentum, nesterov=bool(nesterov))
    kind, beta2, eps = adam
    make = {ADAM: torch.optim.Adam, ADAMW: torch.optim.AdamW}[kind]
    return make(groups, lr=lr, betas=(momentum, beta2), eps=eps)


def moments(g, optimiser, adam, out):
    names = {"velocity": "momentum_buffer"}
    if adam is not None:
        names = {"velocity": "exp_avg", "square": "exp_avg_sq"}
    for (i, role), v in g.params.items():
        for name, torchs in names.items():
            out[f"{name}.{i}.{role}"] = single(optimiser.state[v][torchs])


def train(g, x, y, counts, key, lr, momentum, decay, nesterov, dense, adam, out):
    optimiser = optimiser_of(g, lr, momentum, decay, nesterov, adam)
    masks = {i: torch.tensor(m) for i, m in g.masks.items()}
    first, losses = 0, []
    for step, count in enumerate(counts):
        optimiser.zero_grad()
        part = slice(first, first + count)
        loss = g.loss(x[part], y[part], True, (key[0], key[1] + 100 * step))
        loss.backward()
        losses.append(loss.item() * count)
        first += count
        for (i, role), v in g.params.items():
            if step == 0:
                out[f"grad.{i}.{role}"] = single(v.grad)
            if role == "weight" and i in masks and not dense:
                v.grad *= masks[i]
        optimiser.step()
        for i, mask in masks.items():
            g.params[i, "weight"].data *= mask
    moments(g, optimiser, adam, out)
    out["loss"] = np.array(losses)


def write(name, g, counts, lr=0.1, momentum=0.9, decay=0.0, nesterov=0, dense=0, adam=None):
    if not name.startswith(PART):
        return
    samples, classes = sum(counts), int(np.prod(g.shape(g.nodes[-1]["a"])))
    out, key = describe(g), (7, 40)
    out["run"] = np.array([lr, momentum, decay, nesterov, dense, *key], np.float64)
    if adam is not None:
        out["adam"] = np.array(adam, np.float64)
    out["counts"] = np.array(counts, np.int32)
    out["x"] = g.rng.standard_normal((samples, *g.shape(0))).astype(np.float32)
    out["y"] = g.rng.integers(0, classes, samples).astype(np.int32)
    out.update({f"mask.{i}": m for i, m in g.masks.items()})
    out.update(snapshot(g, "start"))
    x, y = torch.tensor(out["x"]).double(), torch.tensor(out["y"]).long()
    head = x[:counts[0]].clone().requires_grad_(True)
    out["logits"] = single(g.logits(head, False))
    g.loss(head, y[:counts[0]], False).backward()
    out["grad_input"] = single(head.grad)
    train(g, x, y, counts, key, lr, momentum, decay, nesterov, dense, adam, out)
    out.update(snapshot(g, "end"))
    out["end_logits"] = single(g.logits(x[:counts[0]], False))
    save(os.path.join(FOLDER, name + ".safetensors"), out)


def conv_cases():
    for name, shape, out, how in [
            ("conv_rectangle", (3, 7, 6), 4, dict(kernel=(3, 2), stride=(2, 1), pad=(1, 0),
                                                  density=0.4)),
            ("conv_wide_pad", (2, 5, 8), 3, dict(kernel=(5, 5), stride=(3, 2), pad=(4, 3),
                                                 flags=0)),
            ("conv_point", (5, 3, 4), 6, dict(kernel=(1, 1), stride=(2, 2), density=0.5)),
            ("conv_whole", (3, 4, 5), 7, dict(kernel=(4, 5), flags=0, density=0.3))]:
        g = Graph(len(name), shape)
        g.end(g.flatten(g.conv(0, out, **how)))
        write(name, g, [5, 2])


def pool_cases():
    for name, op, kernel, stride, pad in [
            ("maxpool", MAXPOOL, (3, 2), (2, 1), (1, 1)),
            ("maxpool_gaps", MAXPOOL, (2, 2), (3, 3), (0, 0)),
            ("avgpool", AVGPOOL, (2, 3), (1, 2), (0, 1)),
            ("avgpool_global", AVGPOOL, (6, 7), (1, 1), (0, 0))]:
        g = Graph(30 + len(name), (2, 6, 7))
        a = g.conv(0, 4, (3, 3), pad=(1, 1))
        g.end(g.flatten(g.pool(op, a, kernel, stride, pad)))
        write(name, g, [3, 4])


def small_cases():
    g = Graph(1, (3, 2, 3))
    g.end(g.linear(0, 7, density=0.5))
    write("linear", g, [5, 3])
    g = Graph(2, (9, 1, 1))
    g.end(g.linear(0, 6, flags=0), 0.15)
    write("xent_smoothing", g, [6])
    g = Graph(3, (4, 3, 3))
    g.end(g.flatten(g.norm(g.conv(0, 5, (2, 2), flags=0), 0.3, 1e-3)))
    write("norm_conv", g, [4, 3, 4], lr=0.05)
    g = Graph(4, (6, 1, 1))
    g.end(g.norm(g.linear(0, 5, flags=0), flags=NO_DECAY), 0.1)
    write("norm_linear", g, [7, 2], decay=0.01)
    g = Graph(5, (2, 4, 5))
    a = g.same(RELU, g.conv(0, 3, (3, 3), pad=(1, 1)))
    a = g.same(DROPOUT, a, scalar=(0.3, 0))
    g.end(g.linear(g.same(DROPOUT, a, scalar=(0.75, 0)), 6))
    write("dropout", g, [5, 3])


def join_cases():
    g = Graph(6, (3, 6, 5))
    a = g.same(RELU, g.conv(0, 3, (3, 3), pad=(1, 1), density=0.6))
    b = g.conv(a, 3, (1, 1), flags=0)
    g.end(g.linear(g.same(ADD, g.same(ADD, a, b=b), b=0), 4))
    write("add", g, [4, 4])
    g = Graph(7, (2, 5, 5))
    a = g.conv(0, 3, (2, 3), pad=(0, 1))
    b = g.conv(0, 2, (2, 3), pad=(0, 1), flags=0)
    g.end(g.flatten(g.concat(g.concat(a, b), a)))
    write("concat", g, [3, 2])
    g = Graph(8, (3, 5, 4))
    a = g.conv(0, 4, (3, 3), pad=(1, 1))
    b = g.conv(a, 7, (3, 3), stride=(2, 2), pad=(1, 1))
    g.end(g.flatten(g.same(ADD, g.pad_channels(a, 7, (2, 2)), b=b)))
    write("pad_channels", g, [3, 3])


def shared_case():
    """One node with a user of every op: gradients add, whatever the op."""
    g = Graph(9, (2, 4, 5))
    a = g.conv(0, 3, (3, 3), pad=(1, 1), density=0.7)
    near = dict(kernel=(3, 3), stride=(1, 1), pad=(1, 1))
    users = [g.norm(a), g.same(RELU, a), g.pool(MAXPOOL, a, **near), g.pool(AVGPOOL, a, **near),
             g.same(DROPOUT, a, scalar=(0.5, 0)), g.conv(a, 3, (1, 1), flags=0),
             g.pad_channels(a, 3, (1, 1))]
    total = a
    for user in users:
        total = g.same(ADD, total, b=user)
    linear = g.linear(a, 4)
    g.end(g.same(ADD, g.linear(g.concat(total, a), 4), b=g.same(ADD, linear, b=g.linear(a, 4))))
    write("shared", g, [4, 3])


def net(seed, density):
    g = Graph(seed, (2, 8, 9))
    a = g.same(RELU, g.norm(g.conv(0, 5, (3, 3), pad=(1, 1), flags=0, density=density),
                            flags=NO_DECAY_BIAS))
    a = g.pool(MAXPOOL, a, (2, 2), (2, 2))
    a = g.same(RELU, g.norm(g.conv(a, 6, (3, 3), flags=NO_DECAY, density=density)))
    a = g.pool(AVGPOOL, a, (2, 2), (1, 1))
    g.end(g.linear(a, 5, flags=BIAS | NO_DECAY_BIAS, density=density), 0.1)
    return g


def adam_cases():
    """Numbers that are nobody's defaults; eps is large enough to show where it stands."""
    how = dict(lr=0.02, momentum=0.8, decay=0.1)
    write("adam", net(16, 0.0), [6, 4, 6], adam=(ADAM, 0.95, 1e-3), **how)
    write("adam_masked", net(17, 0.3), [6, 5, 6, 4], adam=(ADAM, 0.95, 1e-3), **how)
    write("adamw", net(18, 0.0), [6, 4, 6], adam=(ADAMW, 0.95, 1e-3), **how)
    write("adamw_masked", net(19, 0.3), [6, 5, 6, 4], adam=(ADAMW, 0.95, 1e-3), **how)


def main():
    os.makedirs(FOLDER, exist_ok=True)
    conv_cases()
    pool_cases()
    small_cases()
    join_cases()
    shared_case()
    write("sgd_momentum", net(11, 0.0), [6] * 5, momentum=0.9, decay=0.02)
    write("sgd_nesterov", net(12, 0.0), [6, 4, 6], momentum=0.8, decay=0.05, nesterov=1)
    write("sgd_masked", net(13, 0.4), [6] * 5, momentum=0.9, decay=0.05)
    write("sgd_masked_nesterov", net(14, 0.3), [6, 5, 6], decay=0.02, nesterov=1)
    write("sgd_dense_momentum", net(15, 0.3), [6] * 4, decay=0.05, dense=1)
    adam_cases()


main()
