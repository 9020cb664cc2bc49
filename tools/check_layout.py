#!/usr/bin/env python3
"""usage: tools/check_layout.py [--write] [--all]     Layout of the changed C++ files (or all) by clang-format-19."""
import shutil
import subprocess
import sys

from tree import Tree

FORMATTER = "clang-format-19"
FILES_A_CALL = 40


def files(tree, everything):
    chosen = tree.files if everything else tree.changed()
    return [str(path) for path in chosen if path.suffix in (".h", ".cpp") and path.parts[0] in ("src", "tests", "bench")]


def violations(tree, everything):
    if not shutil.which(FORMATTER):
        yield f"{FORMATTER} is missing: tools/setup.sh test installs it"
        return
    names = files(tree, everything)
    for start in range(0, len(names), FILES_A_CALL):
        done = subprocess.run([FORMATTER, "--dry-run", "--ferror-limit=1", *names[start:start + FILES_A_CALL]],
                              cwd=tree.root, capture_output=True, text=True)
        for line in done.stderr.splitlines():
            if "[-Wclang-format-violations]" in line:
                yield f"{line.split(': ')[0]}: layout: run ./dev fmt"


def write(tree, everything):
    names = files(tree, everything)
    if names:
        subprocess.run([FORMATTER, "-i", *names], cwd=tree.root, check=True)
    print(f"laid out {len(names)} files")


if __name__ == "__main__":
    here = Tree()
    if "--write" in sys.argv:
        write(here, "--all" in sys.argv)
        sys.exit(0)
    found = list(violations(here, "--all" in sys.argv))
    print("\n".join(found))
    sys.exit(1 if found else 0)
