#!/usr/bin/env python3
"""docs/requirements.md keeps its word: every row of the ledger stands there once, the counts are true, and whatever the table
"What is shown" names as a test is there: a file, or FILE::NAME with NAME a test or a step of it."""
import re
import sys
from collections import Counter

from tree import Tree, report

PAGE = "docs/requirements.md"
SHOWN = "## What is shown"
ROW = re.compile(r"^\|\s*([A-Z]{3}-\d{2})\s*\|")
NAMED = re.compile(r"`([^`]+)`")
WEIGHTS = ("core", "important", "nice")


def section(lines, heading):
    """The numbered lines from a heading to the next one of its kind."""
    inside = False
    for number, line in enumerate(lines, 1):
        if line.startswith("## "):
            inside = line.strip() == heading
        elif inside:
            yield number, line


def is_named(text, name):
    """As a function of Python, a test of Node, or TEST(Suite, Name) of GoogleTest written Suite.Name."""
    if "." in name:
        suite, _, test = name.partition(".")
        return re.search(rf"TEST(_F|_P)?\(\s*{re.escape(suite)}\s*,\s*{re.escape(test)}\s*\)", text) is not None
    return re.search(rf"def {re.escape(name)}\b", text) is not None or f'test("{name}"' in text


def ledger(lines):
    ids, weights = Counter(), Counter()
    for _, line in section(lines, "## Ledger"):
        match = ROW.match(line)
        if match:
            ids[match[1]] += 1
            weights[line.rstrip().rstrip("|").rsplit("|", 1)[1].strip()] += 1
    return ids, weights


def violations(tree):
    lines = tree.text(PAGE).splitlines()
    ids, weights = ledger(lines)
    for name, count in ids.items():
        if count > 1:
            yield f"{PAGE}: {name} stands {count} times in the ledger"
    total = next((line for _, line in section(lines, "## Counts") if line.startswith("| **all**")), "")
    said = [int(number) for number in re.findall(r"\d+", total)]
    if said != [*(weights[one] for one in WEIGHTS), sum(ids.values())]:
        yield f"{PAGE}: the counts say {said}, the ledger {[*(weights[one] for one in WEIGHTS), sum(ids.values())]}"
    seen = Counter()
    for number, line in section(lines, SHOWN):
        match = ROW.match(line)
        if not match:
            continue
        seen[match[1]] += 1
        if match[1] not in ids:
            yield f"{PAGE}:{number}: {match[1]} is no row of the ledger"
        if seen[match[1]] > 1:
            yield f"{PAGE}:{number}: {match[1]} is shown twice: one row each"
        columns = [column.strip() for column in line.strip().strip("|").split("|")]
        if len(columns) != 3 or not columns[2]:
            yield f"{PAGE}:{number}: a row is the requirement, the tests that show it, what is still open"
            continue
        tests = NAMED.findall(columns[1])
        if not tests:
            yield f"{PAGE}:{number}: {match[1]} names no test"
        for test in tests:
            path, _, name = test.partition("::")
            if not (tree.root / path).is_file():
                yield f"{PAGE}:{number}: there is no {path}"
            elif name and not is_named(tree.text(path), name):
                yield f"{PAGE}:{number}: {path} has no test {name}"


if __name__ == "__main__":
    sys.exit(1 if report(violations(Tree())) else 0)
