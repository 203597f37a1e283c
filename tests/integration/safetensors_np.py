# SPDX-License-Identifier: MIT
"""Reads a safetensors file with numpy alone, by the format's description."""
import json

import numpy as np

DTYPES = {"F32": np.float32, "F64": np.float64, "U8": np.uint8, "I32": np.int32, "I64": np.int64}


def load(path):
    with open(path, "rb") as f:
        size = int.from_bytes(f.read(8), "little")
        header = json.loads(f.read(size))
        data = f.read()
    meta = header.pop("__metadata__", {})
    arrays = {}
    for name, a in header.items():
        start, end = a["data_offsets"]
        arrays[name] = np.frombuffer(data[start:end], DTYPES[a["dtype"]]).reshape(a["shape"])
    return arrays, meta
