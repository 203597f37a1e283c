#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Every call by which a checkpoint or a member is written fails in turn, with ENOSPC and with EIO: the run
ends with status 74 and the reason, nothing half-written is left, the last good checkpoint is whole, and the
run that is continued ends in the bytes of one that was left alone.  Then disks that are really full, and
one that cannot be read.

    usage: check_resume_faults.py SCRATCH-FOLDER
"""
import json
import os
import resource
import shutil
import subprocess
import sys

import resume_driver as driver

REASON = {"ENOSPC": "No space left on device", "EIO": "Input/output error"}
WRITING = ("openat", "write", "pwrite64", "fsync", "fdatasync", "ftruncate", "rename", "renameat",
           "renameat2")
# What a checkpoint can be written without: the second name of the former one, the removal of what is not
# there, the making of a folder that is.
OPTIONAL = ("link", "linkat", "unlink", "unlinkat", "mkdir", "mkdirat")


class Case:
    def __init__(self, name, scratch):
        self.name, self.options = name, driver.STRATEGIES[name]
        self.dir = os.path.join(scratch, name)
        os.makedirs(self.dir)
        self.whole = os.path.join(self.dir, "whole")
        done = driver.run(self.command(self.whole))
        if done.returncode != 0:
            raise RuntimeError(f"{name}: status {done.returncode}: {done.stderr[-500:]}")
        self.events = driver.trace(self.command(os.path.join(self.dir, "traced")),
                                   os.path.join(self.dir, "trace"))

    def command(self, out):
        return driver.command(out, self.options + ["-q"])

    def written(self, part, calls=WRITING):
        """The writing calls that touch files with `part` in their names, and closing what was written."""
        return [e for e in self.events
                if part in e.text and (e.call in calls or (e.call == "close" and ".tmp>" in e.text))
                and not (e.call == "openat" and "O_RDONLY" in e.text and "O_DIRECTORY" not in e.text)]

    def continued(self, out):
        """None where the run can be continued from a checkpoint, to the same bytes."""
        done = driver.run(self.command(out))
        if done.returncode != 0:
            return f"continued: status {done.returncode}: {done.stderr[-300:]}"
        return driver.difference(self.whole, out)

    def survives(self, item):
        """The run goes on as if nothing had failed."""
        number, event, error = item
        out = os.path.join(self.dir, f"fault-{number}")
        done = driver.inject(self.command(out), event, "error=" + error)
        problem = driver.difference(self.whole, out) if done.returncode == 0 else done.stderr[-300:]
        shutil.rmtree(out)
        return problem and f"{self.name}, {error} at {event}: {problem}"

    def fail_at(self, item):
        number, event, error = item
        out = os.path.join(self.dir, f"fault-{number}")
        done = driver.inject(self.command(out), event, "error=" + error)
        what = f"{self.name}, {error} at {event}"
        if done.returncode != 74 or REASON[error] not in done.stderr:
            return f"{what}: status {done.returncode}: {done.stderr[-300:]}"
        left = driver.leftovers(out)
        problem = f"left behind: {left}" if left else self.continued(out)
        if not problem:
            with open(os.path.join(out, "run.json")) as f:
                steps = [r["step"] for r in json.load(f)["resumptions"]]
            if steps != [s for s in steps if s > 0]:
                problem = f"it began anew: {steps}"
        shutil.rmtree(out)
        return problem and f"{what}: {problem}"


def middle_checkpoint(case, calls=WRITING):
    """The calls of one checkpoint, in the middle of the run."""
    events = case.written("/checkpoint", calls + ("openat",))
    starts = [i for i, e in enumerate(events) if e.call == "openat" and "last.ftc.tmp" in e.text]
    at = len(starts) // 2
    return [e for e in events[starts[at]:starts[at + 1]] if e.call in calls + ("close",)]


def unreadable(case):
    """last.ftc cannot be read when a run goes on: the one before is used, and that is said."""
    out = os.path.join(case.dir, "unreadable")
    driver.inject(case.command(out), middle_checkpoint(case)[0], "signal=KILL")
    last = os.path.join(out, "checkpoint/last.ftc")
    done = driver.run(["strace", "-qq", "-o", "/dev/null", "-P", last, "-e", "inject=pread64:error=EIO"]
                      + case.command(out), env=driver.TRACED)
    said = [line for line in done.stderr.splitlines() if "last.ftc: Input/output error" in line]
    if done.returncode != 0 or len(said) != 1 or "the one before is used" not in said[0]:
        return f"status {done.returncode}: {done.stderr[-500:]}"
    return driver.difference(case.whole, out)


def injected(tap, scratch):
    for name in ("edst", "ltr"):
        case = Case(name, scratch)
        for title, events in (("a checkpoint", middle_checkpoint(case)),
                              ("a member", case.written("/members/member-1"))):
            items = [(f"{title[2:]}-{error}-{i}", e, error) for error in REASON
                     for i, e in enumerate(events)]
            tap.check(f"{name}: each of the {len(events)} writing calls of {title} fails with "
                      + " and ".join(REASON), driver.in_parallel(case.fail_at, items)
                      + ([] if len(events) >= 5 else ["too few calls"]))
        events = [e for e in middle_checkpoint(case, OPTIONAL) if e.call != "close"]
        items = [(f"optional-{error}-{i}", e, error) for error in REASON for i, e in enumerate(events)]
        tap.check(f"{name}: {len(events)} calls that a checkpoint can do without fail",
                  driver.in_parallel(case.survives, items)
                  + ([] if len(events) >= 3 else ["too few calls"]))
        tap.check(f"{name}: the last checkpoint cannot be read", [unreadable(case)])
        shutil.rmtree(case.dir)


def on_small_disk(case, mount):
    """A file system of a few KiB, then of enough."""
    out = os.path.join(mount, "run")
    done = driver.run(case.command(out))
    if done.returncode != 74 or REASON["ENOSPC"] not in done.stderr:
        return f"a full disk: status {done.returncode}: {done.stderr[-300:]}"
    if "the same command continues the run" not in done.stderr:
        return f"a full disk: it does not say how the run goes on: {done.stderr[-300:]}"
    subprocess.run(["mount", "-o", "remount,size=16m", mount], check=True)
    return case.continued(out)


def full_tmpfs(tap, case, scratch, kib):
    title = f"a disk of {kib} KiB is full: 74, and continued once there is room"
    mount = os.path.join(scratch, f"disk-{kib}")
    os.makedirs(mount)
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={kib}k", "tmpfs", mount],
                             capture_output=True, text=True)
    if mounted.returncode != 0:
        tap.skip(title, "nothing can be mounted here")
        return
    try:
        tap.check(title, [on_small_disk(case, mount)])
    finally:
        subprocess.run(["umount", mount], check=True)


def limited(case, limit):
    """No file may grow beyond `limit` bytes; where one would have, the run is continued without the limit."""
    out = os.path.join(case.dir, f"limited-{limit}")
    done = driver.run(case.command(out),
                      preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit)))
    left = driver.leftovers(out)
    problem = None
    if done.returncode == 74 and "File too large" in done.stderr and not left:
        problem = case.continued(out)
    elif done.returncode == 0:
        problem = driver.difference(case.whole, out)
    else:
        problem = f"status {done.returncode}, left behind {left}: {done.stderr[-300:]}"
    shutil.rmtree(out)
    return done.returncode, problem and f"limit {limit}: {problem}"


def small_files(tap, case):
    """Every 211th limit, up to one that is none."""
    limits = range(200, 16000, 211)
    results = driver.in_parallel(lambda limit: limited(case, limit), limits)
    failed = sum(code == 74 for code, _ in results)
    tap.check(f"files that may not grow: {failed} of {len(results)} limits end a run with 74, which is continued",
              [problem for _, problem in results] + ([] if 20 < failed < len(results) else ["no limit, or all?"]))


def main(scratch):
    tap = driver.Tap()
    injected(tap, scratch)
    case = Case("dst", scratch)
    for kib in (32, 64, 96):
        full_tmpfs(tap, case, scratch, kib)
    small_files(tap, case)
    tap.finish()


main(*sys.argv[1:])
