#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Changes a checkpoint and makes its digest right again, so that only what was changed can be refused.

    usage: craft_ftc.py FILE version N | swap | text OLD NEW | seconds S     NEW is as long as OLD; S: of training
"""
import hashlib
import json
import struct
import sys

DIGEST = 32  # bytes, at the end of the file


def with_seconds(body, seconds):
    at, length = struct.unpack("<QQ", body[-32:-16])
    table = json.loads(body[at:at + length])
    (row,) = [a for a in table["arrays"] if a["name"] == "run/numbers"]
    start, end = row["offset"], row["offset"] + row["bytes"]
    numbers = struct.pack("<d", seconds) + body[start + 8:end]
    body = body[:start] + numbers + body[end:]
    return body.replace(row["sha256"].encode(), hashlib.sha256(numbers).hexdigest().encode())


def main(path, what, *args):
    with open(path, "rb") as f:
        body = f.read()[:-DIGEST]
    if what == "version":
        body = body[:4] + struct.pack("<I", int(args[0])) + body[8:]
    elif what == "swap":
        body = body[:4] + body[4:8][::-1] + body[8:]
    elif what == "seconds":
        body = with_seconds(body, float(args[0]))
    elif what == "text":
        old, new = (a.encode() for a in args)
        assert len(old) == len(new) and body.count(old) >= 1, f"{body.count(old)} times {old}"
        body = body.replace(old, new)
    else:
        sys.exit(__doc__)
    with open(path, "wb") as f:
        f.write(body + hashlib.sha256(body).digest())


main(*sys.argv[1:])
