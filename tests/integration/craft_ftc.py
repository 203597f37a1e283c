#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Changes a checkpoint and makes its digest right again, so that only what was changed can be refused.

    usage: craft_ftc.py FILE version N | swap | text OLD NEW     NEW is as long as OLD
"""
import hashlib
import struct
import sys

DIGEST = 32  # bytes, at the end of the file


def main(path, what, *args):
    with open(path, "rb") as f:
        body = f.read()[:-DIGEST]
    if what == "version":
        body = body[:4] + struct.pack("<I", int(args[0])) + body[8:]
    elif what == "swap":
        body = body[:4] + body[4:8][::-1] + body[8:]
    elif what == "text":
        old, new = (a.encode() for a in args)
        assert len(old) == len(new) and body.count(old) >= 1, f"{body.count(old)} times {old}"
        body = body.replace(old, new)
    else:
        sys.exit(__doc__)
    with open(path, "wb") as f:
        f.write(body + hashlib.sha256(body).digest())


main(*sys.argv[1:])
