#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""kill -9 at chosen system calls and at random moments: the run that is continued ends in the bytes of one
that was left alone.  For each strategy; every second one goes on with three threads instead of one.

    usage: check_resume_kill.py SCRATCH-FOLDER
"""
import collections
import itertools
import os
import random
import shutil
import subprocess
import sys
import time

import resume_driver as driver
import resume_trace

THOROUGH = ("edst", "ltr")  # every call of a checkpoint
PHASES = ("init", "train", "save", "escape", "remember", "rewind", "prune")
PLACES = PHASES + ("update", "member", "evaluation", "write", "fsync", "before rename", "after rename",
                   "without links", "random moment")
NO_LINKS = ("inject=link:error=EPERM",)  # a file system that has none
RANDOM_KILLS = 100 if driver.LONG else 5


class Strategy:
    def __init__(self, name, scratch):
        self.name, self.options = name, driver.STRATEGIES[name]
        self.dir = os.path.join(scratch, name)
        os.makedirs(self.dir)
        self.whole = os.path.join(self.dir, "whole")
        self.number = itertools.count()

    def command(self, out, every="0s"):
        return driver.command(out, self.options + ["-v"], every)

    def prepare(self):
        """The run left alone, and a traced one: that tracing changes nothing is part of the test."""
        done = driver.run(self.command(self.whole))
        if done.returncode != 0:
            raise RuntimeError(f"{self.name}: status {done.returncode}: {done.stderr[-500:]}")
        traced = os.path.join(self.dir, "traced")
        self.events = driver.trace(self.command(traced), os.path.join(self.dir, "trace"))
        self.risks = resume_trace.at_risk(self.events, traced) + self.rare_risks()
        return driver.difference(self.whole, traced)

    def rare_risks(self):
        """Where no checkpoint syncs what was written just before."""
        rare = os.path.join(self.dir, "rare")
        events = driver.trace(self.command(rare, "1h"), os.path.join(self.dir, "trace"))
        return resume_trace.at_risk(events, rare)

    def out(self):
        return os.path.join(self.dir, f"cut-{next(self.number)}")

    def finish(self, out, n):
        """Continues a killed run to its end and compares it; sometimes without another checkpoint, which
        would have taken the place of one that was cut off."""
        threads = ["-s", "backend.threads=3"] if n % 2 else []
        done = driver.run(self.command(out, "1h" if n % 4 < 2 else "0s") + threads)
        if done.returncode != 0:
            return f"continued: status {done.returncode}: {done.stderr[-300:]}"
        left = driver.leftovers(out)
        problem = driver.difference(self.whole, out) or (left and f"left behind: {left}")
        if not problem:
            shutil.rmtree(out)
        return problem

    def kill_at(self, event, n, also=()):
        """None where all is well."""
        out = self.out()
        done = driver.inject(self.command(out), event, "signal=KILL", also)
        if not driver.killed(done):
            return f"{self.name}, {event}: not killed but {done.returncode}: {done.stderr[-300:]}"
        problem = self.finish(out, n)
        return problem and f"{self.name}, killed before {event}: {problem}"


def of(events, part):
    return [e for e in events if part in e.text]


def checkpoints(events):
    """The events of each checkpoint: what touches the folder of checkpoints from the creation of
    last.ftc.tmp to the next such, and what is made and synced right before."""
    groups = []
    for e in events:
        if "/checkpoint" not in e.text:
            continue
        if e.call == "openat" and "last.ftc.tmp" in e.text:
            first = e.index
            while events[first - 1].call in ("fsync", "mkdir"):
                first -= 1
            groups.append(events[first:e.index])
        if groups:
            groups[-1].append(e)
    return groups


def is_rename(event):
    return event.call.startswith("rename")


def place_of(strategy, event):
    if is_rename(event):
        return "before rename"
    return "after rename" if is_rename(strategy.events[event.index - 1]) else event.call


def cuts_of_checkpoint(strategy):
    """(kind, event) of one checkpoint in the middle of the run; for some strategies of the first too."""
    groups = checkpoints(strategy.events)
    if len(groups) < 5:
        raise RuntimeError(f"{strategy.name}: only {len(groups)} checkpoints in the trace")
    middle = groups[len(groups) // 2]
    if strategy.name in THOROUGH or driver.LONG:
        for group in (groups[0], middle):
            # The one after the last call too: it is before whatever the program does next.
            after = strategy.events[group[-1].index + 1]
            yield from ((place_of(strategy, e), e) for e in group + [after])
        return
    writes = [e for e in middle if e.call in ("write", "pwrite64")]
    syncs = [e for e in middle if e.call in ("fsync", "fdatasync")]
    yield "write", writes[0]
    yield "fsync", syncs[0]
    for e in middle:
        if is_rename(e):
            yield "before rename", e
            yield "after rename", strategy.events[e.index + 1]


def cuts_without_links(strategy):
    """Where last.ftc is renamed before the new one takes its place: there is none for a moment."""
    args = strategy.command(strategy.out())
    events = driver.trace(args, os.path.join(strategy.dir, "trace"), NO_LINKS)
    groups = checkpoints(events)
    middle = groups[len(groups) // 2]
    return [e for e in middle + [events[middle[-1].index + 1]] if e.call != "link"]


def cuts_of_phases(strategy):
    """(kind, event): when an operation begins and after what it did; updates, members, evaluation."""
    events = strategy.events
    for phase in PHASES:
        lines = [e for e in events if e.call == "write" and f" op i=" in e.text and f"code={phase} " in e.text]
        if not lines:
            continue
        line = lines[len(lines) // 2]
        yield phase, line
        yield phase, events[line.index + 1]
    updates = [e for e in events if e.call == "write" and " topology step=" in e.text]
    if updates:
        yield "update", updates[len(updates) // 2]
        yield "update", events[updates[len(updates) // 2].index + 1]
    members = [e for e in of(events, "/members/member-1") if e.call != "close"]
    for e in members if strategy.name in THOROUGH else members[:1] + members[-2:]:
        yield "member", e
    evaluation = [e for e in of(events, "/preds/") + of(events, "/eval/")
                  if e.call not in ("close", "mkdir") and "O_RDONLY" not in e.text]
    for e in evaluation if strategy.name in THOROUGH else evaluation[:: max(1, len(evaluation) // 4)]:
        yield "evaluation", e


def random_kills(strategy, seed):
    """Kills of untraced processes at random moments, one after another, until a run is through."""
    rng = random.Random(seed)
    problems, kills = [], 0
    while kills < RANDOM_KILLS and not problems:
        out = strategy.out()
        left = RANDOM_KILLS - kills
        for _ in range(min(left, rng.randint(1, 4))):
            with subprocess.Popen(strategy.command(out), stdin=subprocess.DEVNULL,
                                  stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                                  env=driver.ENVIRON) as process:
                time.sleep(rng.uniform(0.0, strategy.seconds))
                process.kill()
            kills += process.returncode == -9
        problem = strategy.finish(out, kills)
        if problem:
            problems.append(f"{strategy.name}, random kill {kills}, seed {seed}: {problem}")
    return problems, kills


def main(scratch):
    tap = driver.Tap()
    counts = collections.Counter()
    for name in driver.STRATEGIES:
        strategy = Strategy(name, scratch)
        problem = strategy.prepare()
        tap.check(f"{name}: a traced run leaves the bytes of one left alone", [problem])
        tap.check(f"{name}: what a checkpoint and run.json rest on is on disk before them", strategy.risks)
        start = time.monotonic()
        driver.run(strategy.command(os.path.join(strategy.dir, "timed")))
        strategy.seconds = time.monotonic() - start
        for title, cuts in (("a checkpoint", list(cuts_of_checkpoint(strategy))),
                            ("each phase", list(cuts_of_phases(strategy)))):
            numbered = list(enumerate(event for _, event in cuts))
            problems = driver.in_parallel(lambda x: strategy.kill_at(x[1], x[0]), numbered)
            tap.check(f"{name}: killed at {len(cuts)} places in {title}", problems)
            counts.update(kind for kind, _ in cuts)
        if name == THOROUGH[0]:
            numbered = list(enumerate(cuts_without_links(strategy)))
            problems = driver.in_parallel(lambda x: strategy.kill_at(x[1], x[0], NO_LINKS), numbered)
            tap.check(f"{name}: killed at {len(numbered)} places where there are no hard links", problems)
            counts["without links"] += len(numbered)
        problems, kills = random_kills(strategy, 17)
        tap.check(f"{name}: killed at {kills} random moments", problems)
        counts["random moment"] += kills
        shutil.rmtree(strategy.dir)
    tap.check("each place was hit", [f"{place}: not once" for place in PLACES if not counts[place]])
    tap.note("kills by place: " + ", ".join(f"{k} {n}" for k, n in sorted(counts.items())))
    tap.finish()


main(*sys.argv[1:])
