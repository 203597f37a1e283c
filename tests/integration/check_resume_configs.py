#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Strategies, rules, optimisers, networks and their settings combined at random: a run that is killed and
stopped a few times, on other numbers of threads, ends in the bytes of one that was left alone.

    usage: check_resume_configs.py SCRATCH-FOLDER [SEED]
"""
import os
import random
import shutil
import signal
import subprocess
import sys
import time

import resume_driver as driver

WANTED = 150 if driver.LONG else 20
CUTS = 5  # of each run at most, within its first half, so that some processes get far
REFUSED = 78  # the settings do not go together
DIVERGED = 76

# Each is drawn with its probability; a list is drawn from.
ALWAYS = {
    "model": ['{use="mlp";widths=[40,20];}', '{use="lenet5";}', '{use="wrn";depth=10;width=1;}',
              '{use="resnet_cifar";depth=20;}'],
    "ensemble": [f'{{use="{name}";members=2;}}' for name in ("dense", "static", "dst", "ltr", "pf", "snapshot")] +
                ['{use="edst";members=3;explore="1ep";refine="1ep";}'],
    "topology.interval": ["2it", "3it", "1ep"],
    "sparsity.density": ["0.1", "0.2", "0.5"],
    "sparsity.init.use": ["er", "erk", "erk_plus", "uniform", "uniform_plus"],
    "optim.use": ["sgd", "adam", "adamw"],
    "optim.schedule": ["step", "cosine", "constant"],
    "optim.nesterov": ["false", "true"],
    "data.augment": ["none", "standard"],
    "ensemble.keep": ["last", "best_validation"],
}
SOMETIMES = {
    "topology.preset": ["paper", "freetickets", "rigl", "itop"],
    "topology.prune.use": ["magnitude", "random", "set", "taylor"],
    "topology.grow.use": ["gradient", "momentum", "random", "random_unfired"],
    "topology.allot.use": ["magnitude", "momentum", "nonzeros"],
    "topology.scope": ["network"],
    "topology.inactive_momentum": ["accumulate"],
    "topology.regrow": ["forbidden"],
    "topology.grown_value": ["keep_if_regrown"],
    "topology.schedule": ["cosine"],
    "topology.update_step": ["replaces"],
    "topology.escape_gradient": ["last_batch"],
    "optim.warmup": ["4it"],
    "eval.trajectory": ["1ep"],
    "backend.use": ["ref"],
}
BASE = {
    "data.shape": "[3,16,16]",
    "optim.lr": "0.01",
    "epochs": "2",
}


def draw(rng):
    settings = dict(BASE, seed=str(rng.randrange(1 << 31)))
    settings.update((key, rng.choice(values)) for key, values in ALWAYS.items())
    settings.update((key, rng.choice(values)) for key, values in SOMETIMES.items() if rng.random() < 0.3)
    return [word for key, value in settings.items() for word in ("-s", f"{key}={value}")]


def with_threads(options, rng):
    return options + ["-s", f"backend.threads={rng.randint(1, 3)}"]


def cut(args, seconds, rng):
    """How a process ended that was given so many seconds, and what it said."""
    with subprocess.Popen(args, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
                          env=driver.ENVIRON, text=True) as process:
        time.sleep(seconds)
        process.send_signal(rng.choice([signal.SIGKILL, signal.SIGKILL, signal.SIGTERM]))
        said = process.communicate()[1]
    return process.returncode, said


def interrupted(options, out, seconds, rng):
    """(what went wrong, cuts) of a run that was cut off now and then, and then left alone."""
    cuts = 0
    for _ in range(CUTS):
        args = driver.command(out, with_threads(options, rng))
        status, said = cut(args, rng.uniform(0, seconds / 2), rng)
        # Before the program has taken SIGTERM over, it is the end as ever.
        if status not in (0, -signal.SIGKILL, -signal.SIGTERM, 75):
            return f"continued: status {status}: {said[-300:]}", cuts
        cuts += status != 0
    done = driver.run(driver.command(out, with_threads(options, rng), "1h"))
    return (f"in the end: status {done.returncode}: {done.stderr[-300:]}" if done.returncode else None), cuts


def main(scratch, seed="17"):
    rng = random.Random(int(seed))
    tap = driver.Tap()
    problems, tried, refused, diverged, cuts = [], 0, 0, 0, 0
    whole, out = os.path.join(scratch, "whole"), os.path.join(scratch, "cut")
    while tried < WANTED:
        options = draw(rng)
        start = time.monotonic()
        done = driver.run(driver.command(whole, options, "1h"))
        seconds = time.monotonic() - start
        if done.returncode == 0:
            problem, n = interrupted(options, out, seconds, rng)
            problem = problem or driver.difference(whole, out)
            problems.append(problem and f"{problem}: {' '.join(options)}")
            tried += 1
            cuts += n
        elif done.returncode in (REFUSED, DIVERGED):
            refused += done.returncode == REFUSED
            diverged += done.returncode == DIVERGED
        else:
            problems.append(f"status {done.returncode}: {done.stderr[-300:]}: {' '.join(options)}")
            tried += 1
        shutil.rmtree(whole, ignore_errors=True)
        shutil.rmtree(out, ignore_errors=True)
    tap.check(f"{tried} configurations, cut off {cuts} times, end in the same bytes", problems)
    tap.check("they were cut off", [None if cuts >= tried else f"only {cuts} times"])
    tap.note(f"seed {seed}: {refused} more were refused for settings that do not go together, {diverged} diverged")
    tap.finish()


main(*sys.argv[1:])
