#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Lets the n-th of the program's own allocations fail (FREETICKETS_FAIL_ALLOC=n): each time a clean error
that speaks of memory, status 70, and a checkpoint from which the run is continued to the same bytes.

Every n for reading the configuration, the plan, resumption, the steps and the checkpoints; every 37th for
a whole run and for evaluation.

    usage: check_alloc_sweep.py SCRATCH-FOLDER [STEP]       STEP: every STEPth instead of every
"""
import itertools
import os
import shutil
import sys

import resume_driver as driver

SPARSE = 37


class Sweep:
    """Runs of one command that differ in n alone."""

    def __init__(self, scratch):
        self.scratch = scratch
        self.number = itertools.count()

    def folder(self):
        return os.path.join(self.scratch, f"r-{next(self.number)}")

    @staticmethod
    def run(args, n):
        return driver.run(args, env=dict(driver.ENVIRON, FREETICKETS_FAIL_ALLOC=str(n)))

    @staticmethod
    def judge(done, n):
        if done.returncode != 70 or "memory" not in done.stderr:
            return f"allocation {n}: status {done.returncode}: {done.stderr[-300:]}"
        return None

    @staticmethod
    def first(test):
        """The least n for which test(n) holds; it holds for all above."""
        high = 1
        while not test(high):
            high *= 2
        low = high // 2
        while high - low > 1:
            middle = (low + high) // 2
            low, high = (low, middle) if test(middle) else (middle, high)
        return high


class Plan(Sweep):
    args = [driver.PROGRAM, "plan", driver.CONFIG]

    def total(self):
        return self.first(lambda n: self.run(self.args, n).returncode == 0) - 1

    def fail(self, n):
        return self.judge(self.run(self.args, n), n)


class Whole(Sweep):
    def fail_in(self, n):
        out = self.folder()
        return out, self.run(driver.command(out, ["-v"]), n)

    def total(self):
        def ends(n):
            out, done = self.fail_in(n)
            shutil.rmtree(out, ignore_errors=True)
            return done.returncode == 0
        return self.first(ends) - 1

    def fail(self, n):
        out, done = self.fail_in(n)
        problem = self.judge(done, n)
        if not problem:
            problem = self.go_on(out, n)
        shutil.rmtree(out, ignore_errors=True)
        return problem

    def go_on(self, out, n):
        done = driver.run(driver.command(out, []))
        if done.returncode != 0:
            return f"allocation {n}, continued: status {done.returncode}: {done.stderr[-300:]}"
        problem = driver.difference(self.reference, out)
        return problem and f"allocation {n}: {problem}"


class Resumed(Whole):
    """From a run that was killed when its last member was to be saved."""

    def prepare(self):
        events = driver.trace(driver.command(self.folder(), ["-v"]), os.path.join(self.scratch, "trace"))
        last = [e for e in events if "code=save" in e.text][-1]
        self.cut = self.folder()
        if not driver.killed(driver.inject(driver.command(self.cut, ["-v"]), last, "signal=KILL")):
            raise RuntimeError("the run was not killed")
        self.checkpoint = driver.read(os.path.join(self.cut, "checkpoint/last.ftc"))

    def fail_in(self, n):
        out = self.folder()
        shutil.copytree(self.cut, out)
        return out, self.run(driver.command(out, ["-v"]), n)

    def go_on(self, out, n):
        # A checkpoint that was not touched is as good as it was; one in eight is tried all the same.
        if n % 8 and driver.read(os.path.join(out, "checkpoint/last.ftc")) == self.checkpoint:
            return None
        return super().go_on(out, n)

    def begins(self, words):
        """The least n that lets the program say `words`."""
        def said(n):
            out, done = self.fail_in(n)
            shutil.rmtree(out)
            return words in done.stderr
        return self.first(said)


def main(scratch, step="1"):
    tap = driver.Tap()
    step = int(step)

    plan = Plan(scratch)
    total = plan.total()
    tried = range(1, total + 1, step)
    tap.check(f"configuration and plan: {len(tried)} of {total} allocations",
              driver.in_parallel(plan.fail, tried) + ([] if total > 150 else ["so few?"]))

    whole = Whole(scratch)
    whole.reference = os.path.join(scratch, "whole")
    driver.run(driver.command(whole.reference, []))
    total_whole = whole.total()
    tried = range(1, total_whole + 1, SPARSE * step)
    tap.check(f"a whole run: {len(tried)} of {total_whole} allocations",
              driver.in_parallel(whole.fail, tried))

    resumed = Resumed(scratch)
    resumed.reference = whole.reference
    resumed.prepare()
    end = resumed.total()
    folder = resumed.begins(" start ")  # what comes before the folder is what `plan` does too
    predict = resumed.begins(" predict ")
    tried = range(total + 1, predict, step)
    tap.check(f"resumption, steps, checkpoints, a member: {len(tried)} of {predict - 1 - total} allocations, "
              f"the log begins at {folder}", driver.in_parallel(resumed.fail, tried)
              + ([] if folder < predict <= end else ["phases are out of order"]))
    tried = range(predict, end + 1, SPARSE * step)
    tap.check(f"evaluation of a resumed run: {len(tried)} of {end - predict + 1} allocations",
              driver.in_parallel(resumed.fail, tried))
    tap.finish()


main(*sys.argv[1:])
