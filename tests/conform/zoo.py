#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Runs the conformance kit over the zoo and over the plugins of the build, and speaks TAP.

A file zoo/bad/RULE[.variant].so must fail that rule, and no other: others pass, skip or are blocked.
By default a bad plugin sees its own rule, what that rule needs, and level 1; with FTK_LONG=1 all
rules.  A file of zoo/good/ and every plugin of the build must reach level 3 without a word.  A rule
without a bad plugin is a failure, and so is a bad plugin of no rule.
"""
import concurrent.futures
import json
import os
import subprocess
import sys

PROGRAM = os.environ["FTK_PROGRAM"]
BUILD = os.environ["FTK_BUILD_DIR"]
LONG = os.environ.get("FTK_LONG") == "1"
BAD = {"fail", "crash", "timeout"}


def conform(*arguments):
    """The documents of `freetickets conform --json`, and its exit code."""
    done = subprocess.run([PROGRAM, "conform", "--json", *arguments], capture_output=True, text=True)
    if not done.stdout:
        raise RuntimeError(f"exit {done.returncode}: {done.stderr.strip()}")
    return json.loads(done.stdout), done.returncode


def needs_of(rules, name):
    """The rule, all it needs by others' needs too, and level 1."""
    wanted, todo = set(), [name]
    while todo:
        one = todo.pop()
        if one not in wanted:
            wanted.add(one)
            todo += [n for n in rules[one]["needs"] if n in rules]
    return wanted | {r for r in rules if rules[r]["level"] == 1}


def line(verdict):
    text = f"{verdict['verdict']} {verdict['algorithm']} {verdict['rule']}: {verdict['message']}"
    return text + (f" | at {verdict['note']}" if verdict["note"] else "")


def judge_bad(path, rules):
    """What is wrong with the kit's verdicts on a bad plugin; empty: nothing."""
    name = os.path.basename(path).split(".")[0]
    if name not in rules:
        return [f"there is no rule {name}"]
    options = ["--jobs", "1", "--level", "3"]
    if not LONG:
        options += ["--only", ",".join(sorted(needs_of(rules, name)))]
    if os.path.basename(path).startswith("BKD"):
        options += ["--timeout", "60"]
    documents, code = conform(*options, path)
    wanted = {"warn"} if rules[name]["warns"] else BAD | {"warn"}
    own, wrong = False, []
    for verdict in documents[0]["verdicts"]:
        told = verdict["verdict"] in BAD | {"warn"}
        if verdict["rule"] == name:
            own = own or verdict["verdict"] in wanted
        elif told:
            wrong.append("not its rule: " + line(verdict))
    if not own:
        wrong.append(f"{name} says nothing: "
                     + "; ".join(line(v) for v in documents[0]["verdicts"] if v["rule"] == name))
    counts = documents[0]["counts"]
    if (code == 1) != (sum(counts[v] for v in BAD) > 0):
        wrong.append(f"exit {code} does not go with {counts}")
    return wrong


def judge_good(path):
    documents, code = conform("--jobs", "1", "--level", "3", path)
    wrong = [line(v) for v in documents[0]["verdicts"] if v["verdict"] not in {"pass", "skip"}]
    if code != 0:
        wrong.append(f"exit {code}")
    if documents[0]["level"] != 3:
        wrong.append(f"level {documents[0]['level']}, not 3")
    return wrong


def cases(rules, which):
    """(title, function) in the order of the output."""
    with open(os.path.join(BUILD, "zoo", "names.txt"), encoding="utf-8") as names:
        zoo = sorted(n for n in names.read().split("\n") if n)
    if which == "zoo":
        for name in zoo:
            path = os.path.join(BUILD, "zoo", name)
            if name.startswith("bad/"):
                yield f"{name} breaks its rule alone", lambda p=path: judge_bad(p, rules)
            else:
                yield f"{name} passes level 3", lambda p=path: judge_good(p)
        bad = {os.path.basename(n).split(".")[0] for n in zoo if n.startswith("bad/")}
        for rule in rules:
            yield f"{rule} has a plugin that breaks it", lambda r=rule: [] if r in bad else [
                "none in tests/conform/bad"]
        return
    folder = os.path.join(BUILD, "plugins")
    for name in sorted(n for n in os.listdir(folder) if n.endswith(".so")):
        yield f"{name} passes level 3", lambda p=os.path.join(folder, name): judge_good(p)


def guarded(function):
    try:
        return function()
    except (RuntimeError, OSError, ValueError) as error:
        return [str(error)]


def main():
    rules = {r["rule"]: r for r in json.loads(subprocess.run(
        [PROGRAM, "conform", "--list", "--json"], capture_output=True, check=True).stdout)}
    part = sys.argv[2] if len(sys.argv) > 2 else ""
    titles, functions = [], []
    for title, function in cases(rules, sys.argv[1]):
        if part in title:
            titles.append(title)
            functions.append(function)
    failed = 0
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        for n, (title, wrong) in enumerate(zip(titles, pool.map(guarded, functions)), 1):
            print(f"{'not ' if wrong else ''}ok {n} - {title}", flush=True)
            for text in wrong:
                print("# " + text.replace("\n", " "))
            failed += bool(wrong)
    print(f"1..{len(titles)}")
    bad = sum(t.startswith("bad/") for t in titles)
    print(f"# {len(rules)} rules, {bad} broken plugins, {len(titles) - failed} of {len(titles)} as"
          " they should be")
    return failed > 0


if __name__ == "__main__":
    sys.exit(main())
