#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""How long the conformance kit takes for each plugin of the build, at levels 2 and 3: seconds, least and median.

    usage: bench_kit.py [REPETITIONS]      default 3
"""
import glob
import os
import statistics
import subprocess
import sys
import time

BUILD = os.environ.get("FTK_BUILD_DIR", "build")


def seconds(plugin, level):
    start = time.monotonic()
    subprocess.run([os.path.join(BUILD, "bin/freetickets"), "conform", "--level", level, plugin],
                   check=True, stdout=subprocess.DEVNULL)
    return time.monotonic() - start


def main(repetitions="3"):
    plugins = sorted(glob.glob(os.path.join(BUILD, "plugins/*.so")))
    taken = {(plugin, level): [] for plugin in plugins for level in "23"}
    for _ in range(int(repetitions)):
        for plugin, level in taken:
            taken[plugin, level].append(seconds(plugin, level))
    print(f"{'plugin':32} {'level 2':>16} {'level 3':>16}")
    for plugin in plugins:
        columns = [f"{min(taken[plugin, level]):7.2f} {statistics.median(taken[plugin, level]):7.2f}" for level in "23"]
        print(f"{os.path.basename(plugin):32} {columns[0]:>16} {columns[1]:>16}")
    for level in "23":
        print(f"all of them, level {level}: {sum(min(taken[p, level]) for p in plugins):.1f} s")


main(*sys.argv[1:])
