# SPDX-License-Identifier: MIT
"""Reads a trace of a run as a disk that loses power would: what was written counts once it was synced, a
name once its folder was.
"""
import os
import re

AT_FD = re.compile(r"^\d+<([^>]*)>")
NAMES = re.compile(r'"([^"]*)"')
JOURNALS = ("metrics.csv", "metrics.jsonl", "timing.csv")
# Which nothing rests on.
OTHERS = ("log.txt", "log.jsonl", "lock")


class Disk:
    """Files with bytes, and folders with names, that a loss of power may take."""

    def __init__(self, folder):
        self.folder = folder
        self.bytes, self.names, self.problems = set(), set(), []

    def ours(self, path):
        below = path == self.folder or path.startswith(self.folder + os.sep)
        return below and os.path.basename(path) not in OTHERS

    def named(self, path):
        self.names.add(os.path.dirname(path))

    def rename(self, old, new, event):
        if old in self.bytes:
            self.problems.append(f"{event}: {old} is not synced")
        name = os.path.basename(new)
        if name in ("last.ftc", "run.json"):
            self.must_be_safe(event)
        self.named(new)

    def must_be_safe(self, event):
        """A checkpoint rests on the rows before it, and on the folders that lead to it; run.json, which
        says that all is done, on everything."""
        self.problems += [f"{event}: {path} is not synced" for path in sorted(self.bytes)]
        self.problems += [f"{event}: names in {path} are not synced" for path in sorted(self.names)
                          if not path.endswith("/checkpoint")]


def look_at(disk, event):
    fd = AT_FD.match(event.text)
    names = [n for n in NAMES.findall(event.text) if disk.ours(n)]
    worked = not re.search(r"= -1 ", event.text)
    if event.call == "write" and fd and disk.ours(fd.group(1)):
        disk.bytes.add(fd.group(1))
    elif event.call == "fsync" and fd:
        disk.bytes.discard(fd.group(1))
        disk.names.discard(fd.group(1))
    elif event.call == "rename" and len(names) == 2 and worked:
        disk.rename(*names, event)
    elif event.call == "mkdir" and names and worked:
        disk.named(names[0])
    elif event.call == "openat" and names and worked and "O_CREAT" in event.text:
        if os.path.basename(names[0]) in JOURNALS:
            disk.named(names[0])


def at_risk(events, folder):
    """What a run renamed into place before what it rests on was on disk."""
    disk = Disk(folder)
    for event in events:
        look_at(disk, event)
    left = [f"names in {path} are never synced" for path in sorted(disk.names)
            if path.startswith(folder)]
    return disk.problems + left + [f"{path} is never synced" for path in sorted(disk.bytes)]
