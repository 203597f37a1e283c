#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""What a checkpoint costs in bytes, memory and time: trains a few steps of a network twice, with a checkpoint
after every step and with hardly any, and prints size, overhead, peak memory and seconds beside each other.

    usage: bench_checkpoint.py [DEPTH WIDTH [DENSITY [BATCH [STEPS [REPETITIONS]]]]]

of a WRN; by default 16 2 0.2 32 8 3.
"""
import json
import os
import resource
import shutil
import struct
import subprocess
import sys
import tempfile

PROGRAM = os.environ.get("FTK_PROGRAM", "build/bin/freetickets")
CONFIG = """
schema = 1; name = "bench"; seed = 1; epochs = 1.0;
data = {{ use = "synthetic"; train = {train}; test = 16; batch = {batch}; }};
model = {{ use = "wrn"; depth = {depth}; width = {width}; }};
sparsity = {{ density = {density}; }};
topology = {{ grow = {{ use = "gradient"; }}; interval = "4it"; }};
ensemble = {{ use = "dst"; members = 1; }};
backend = {{ use = "cpu"; }};
eval = {{ on = ["test"]; }};
"""
FOOTER = 64


def peak_memory(command):
    """Bytes that the process had in memory at its most."""
    pid = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    _, status, usage = os.wait4(pid.pid, 0)
    if status != 0:
        sys.exit(pid.stderr.read().decode())
    return usage.ru_maxrss * 1024


def run(folder, every):
    out = os.path.join(folder, "run")
    shutil.rmtree(out, ignore_errors=True)
    memory = peak_memory([PROGRAM, "run", os.path.join(folder, "bench.cfg"), "--out", out,
                          "--checkpoint-every", every])
    with open(os.path.join(out, "run.json"), encoding="utf-8") as f:
        return out, memory, json.load(f)["checkpoints"]


def table(path):
    with open(path, "rb") as f:
        f.seek(-FOOTER, os.SEEK_END)
        offset, length, _ = struct.unpack("<QQQ", f.read(24))
        f.seek(offset)
        return json.loads(f.read(length))


def contents(arrays):
    """Bytes of weights, momentum, masks and `fired` of the sparse layers, and of all other tensors; and how many
    weights are active."""
    size = {a["name"]: a["bytes"] for a in arrays if a["name"].startswith("live/")}
    layers = [name[:-len(".bits")] for name in size if name.endswith(".bits")]
    of_layers = {"bits": 0, "weights": 0, "moment1": 0, "fired": size.pop("live/topology.fired")}
    for layer in layers:
        of_layers["weights"] += size.pop(layer)
        for part in ("bits", "moment1"):
            of_layers[part] += size.pop(f"{layer}.{part}", 0)
    dense = sum(n for name, n in size.items() if not name.startswith(("live/topology.", "live/counters")))
    return of_layers, dense, of_layers["weights"] // 4


def main(depth="16", width="2", density="0.2", batch="32", steps="8", repetitions="3"):
    with tempfile.TemporaryDirectory() as folder:
        with open(os.path.join(folder, "bench.cfg"), "w", encoding="utf-8") as f:
            f.write(CONFIG.format(depth=depth, width=width, density=density, batch=batch,
                                  train=int(batch) * int(steps)))
        often, seldom = [], []
        for _ in range(int(repetitions)):
            out, memory, cost = run(folder, "0s")
            often.append((memory, cost["seconds"] / cost["count"]))
            arrays = table(os.path.join(out, "checkpoint/last.ftc"))["arrays"]
            bytes_last = cost["bytes_last"]
            seldom.append(run(folder, "1d")[1])
    parts, dense, active = contents(arrays)
    limit = 12.5 * active + parts["fired"] + dense
    payload = sum(parts.values()) + dense
    print(f"WRN-{depth}-{width}, density {density}: {active} active weights, {bytes_last} bytes, "
          f"limit {limit:.0f} (12.5 a weight, fired, dense tensors)")
    print("  " + ", ".join(f"{name} {n}" for name, n in parts.items()) + f", dense tensors {dense}")
    print(f"  all else {bytes_last - payload} bytes, {100 * (bytes_last - payload) / payload:.2f} %")
    memory = min(m for m, _ in often), min(seldom)
    print(f"  peak memory {memory[0] / 2**20:.1f} MiB, without {memory[1] / 2**20:.1f} MiB: "
          f"{100 * (memory[0] / memory[1] - 1):+.2f} %")
    print(f"  seconds a checkpoint {min(s for _, s in often):.4f}")


main(*sys.argv[1:])
