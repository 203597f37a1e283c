#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Helps suites that interrupt runs: traces a run's system calls by strace, kills it or lets a call fail at
the n-th of them, continues it, and compares what two runs left byte for byte.

The n-th call is counted in the program's main thread, which alone writes files.
"""
import concurrent.futures
import os
import re
import signal
import subprocess
import sys

CALLS = ["openat", "write", "pwrite64", "fsync", "fdatasync", "close", "ftruncate", "mkdir", "mkdirat",
         "link", "linkat", "rename", "renameat", "renameat2", "unlink", "unlinkat"]
LINE = re.compile(r"^(\w+)\((.*)$")
SOURCE = os.environ["FTK_SOURCE_DIR"]
PROGRAM = os.environ["FTK_PROGRAM"]
LONG = os.environ.get("FTK_LONG", "0") != "0"
CONFIG = os.path.join(SOURCE, "tests/support/configs/resume.cfg")
ENVIRON = dict(os.environ)
# A leak checker cannot work on a process that is traced.
TRACED = dict(ENVIRON, ASAN_OPTIONS=ENVIRON.get("ASAN_OPTIONS", "") + ":detect_leaks=0")

STRATEGIES = {
    "dense": ["-s", "ensemble.use=dense"],
    "static": ["-s", "ensemble.use=static"],
    "dst": ["-s", "ensemble.use=dst"],
    "edst": [],
    "ltr": ["-s", "ensemble.use=ltr"],
    "pf": ["-s", "ensemble.use=pf"],
    "freetickets": ["-s", "topology.preset=freetickets"],
}
if os.path.exists(os.path.join(os.environ["FTK_TEST_PLUGINS"], "ensemble_snapshot.so")):
    STRATEGIES["snapshot"] = ["-s", "ensemble.use=snapshot"]


class Event:
    """The nth call of a name, in the main thread, and the text of its arguments."""

    def __init__(self, index, call, nth, text):
        self.index, self.call, self.nth, self.text = index, call, nth, text

    def __str__(self):
        return f"{self.call} {self.nth}: {self.text[:120]}"


def command(out, options, every="0s"):
    return [PROGRAM, "run", CONFIG, "--out", out, "--checkpoint-every", every] + options


def run(args, env=None, **more):
    return subprocess.run(args, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                          stderr=subprocess.PIPE, env=env or ENVIRON, text=True, errors="replace",
                          timeout=300, **more)


def trace(args, log, also=()):
    """The events of one undisturbed run; `also`: expressions for strace."""
    wanted = ",".join("?" + call for call in CALLS)
    options = ["-qq", "-y", "-s", "160", "-o", log, "-e", "trace=" + wanted] + expressions(also)
    done = run(["strace"] + options + args, env=TRACED)
    if done.returncode != 0:
        raise RuntimeError(f"traced run: status {done.returncode}: {done.stderr}")
    events, count = [], {}
    with open(log, errors="replace") as lines:
        for line in lines:
            found = LINE.match(line)
            if not found or found.group(1) not in CALLS:
                continue
            call = found.group(1)
            count[call] = count.get(call, 0) + 1
            events.append(Event(len(events), call, count[call], found.group(2)))
    os.remove(log)
    return events


def expressions(also):
    return [word for expression in also for word in ("-e", expression)]


def inject(args, event, what, also=()):
    """Runs `args`; the event's call gets `what`: "signal=KILL" before it is made, "error=ENOSPC"."""
    options = ["-qq", "-o", "/dev/null"] + expressions(also)
    return run(["strace"] + options + ["-e", f"inject={event.call}:{what}:when={event.nth}"] + args,
               env=TRACED)


def killed(done):
    return done.returncode == -signal.SIGKILL


RESULTS = ["metrics.csv", "metrics.jsonl", "eval/report.json", "members", "preds", "trajectory"]


def files_of(folder):
    found = {}
    for name in RESULTS:
        top = os.path.join(folder, name)
        if os.path.isfile(top):
            found[name] = top
        for where, _, names in os.walk(top):
            for file in names:
                path = os.path.join(where, file)
                found[os.path.relpath(path, folder)] = path
    return found


def leftovers(folder):
    """Temporary files anywhere in it."""
    return [os.path.join(where, file) for where, _, names in os.walk(folder)
            for file in names if file.endswith(".tmp")]


def read(path):
    with open(path, "rb") as f:
        return f.read()


def difference(a, b):
    """None, or what differs between the results in two folders."""
    x, y = files_of(a), files_of(b)
    if set(x) != set(y):
        return f"files of one only: {sorted(set(x) ^ set(y))}"
    if "metrics.csv" not in x or len(x) < 8:
        return f"too few files: {sorted(x)}"
    for name in sorted(x):
        if read(x[name]) != read(y[name]):
            return f"{name} differs"
    return None


def in_parallel(work, items):
    """The results of work(item), two at a time, in order."""
    with concurrent.futures.ThreadPoolExecutor(max_workers=2) as pool:
        return list(pool.map(work, items))


class Tap:
    def __init__(self):
        self.n, self.failed = 0, False

    def check(self, title, problems):
        """`problems`: a list of what went wrong; empty is ok."""
        self.n += 1
        problems = [p for p in problems if p]
        print(f"{'not ok' if problems else 'ok'} {self.n} - {title}")
        for problem in problems[:10]:
            print("# " + str(problem).strip().replace("\n", "\n# "))
        self.failed |= bool(problems)
        sys.stdout.flush()

    def skip(self, title, why):
        self.n += 1
        print(f"ok {self.n} - {title} # SKIP {why}")

    def note(self, text):
        print("# " + text)
        sys.stdout.flush()

    def finish(self):
        print(f"1..{self.n}")
        sys.exit(1 if self.failed else 0)
