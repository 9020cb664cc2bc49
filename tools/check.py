#!/usr/bin/env python3
"""usage: tools/check.py [--all] [--tidy]     The presubmit, ./dev check: what a machine can see of STYLE.md in a minute.

--all lays out-checks every file instead of the changed ones (CI); --tidy adds clang-tidy-19 on the changed files.
"""
import sys
import time

import check_layout
import check_links
import check_requirements
import check_rooms
import check_sizes
import check_tidy
import check_words
import tu_times
from tree import ROOT, Tree


def main(arguments):
    everything = "--all" in arguments
    tree = Tree()
    steps = [
        ("rooms", lambda: check_rooms.violations(tree)),
        ("words", lambda: check_words.violations(tree)),
        ("sizes", lambda: check_sizes.violations(tree)),
        ("links", lambda: check_links.violations(tree)),
        ("requirements", lambda: check_requirements.violations(tree)),
        ("layout", lambda: check_layout.violations(tree, everything)),
    ]
    if "--tidy" in arguments:
        steps.append(("tidy", lambda: check_tidy.violations(tree)))
    failures = 0
    for name, step in steps:
        began = time.monotonic()
        found = list(step())
        print(f"{name}: {len(found) or 'nothing'} to mend ({time.monotonic() - began:.1f} s)", flush=True)
        for violation in found:
            print(f"  {violation}")
        failures += len(found)
    for remark in check_sizes.longest(tree):
        print(remark)
    failures += tu_times.main([str(ROOT / "build/release"), "--fail"])
    print(f"\n{failures} to mend" if failures else "\nnothing to mend")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
