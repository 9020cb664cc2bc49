#!/usr/bin/env python3
"""usage: tools/check_tidy.py     clang-tidy-19 with the short error tier of .clang-tidy, on the changed sources only."""
import os
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import tu_times
from tree import Tree, report

TIDY = "clang-tidy-19"
BUILD = "build/dev"
# misc-include-cleaner of clang 19 cannot leave this half out: a header's own includes are part of what it gives us.
IGNORED = "no header providing"
FILES_MAX = 40  # More than this is no change but a tree: it would take longer than anyone waits.


def violations(tree):
    if not shutil.which(TIDY):
        print(f"tidy: left out, {TIDY} is not installed (tools/setup.sh test)")
        return
    if not (tree.root / BUILD / "compile_commands.json").exists():
        print(f"tidy: left out, {BUILD} is not configured (./dev build dev)")
        return
    sources = [str(path) for path in tree.changed() if path.parts[0] == "src" and path.suffix == ".cpp" and not path.stem.endswith("_fuzz")]
    if len(sources) > FILES_MAX:
        print(f"tidy: {len(sources)} changed sources, looking at the first {FILES_MAX}")

    def look(source):
        command = tu_times.alone_command(tree.root / BUILD, source)
        if not command:
            return []
        words, directory, file = command
        options = [word for word in words[1:] if word not in ("-c", "-o", os.devnull, file)]
        done = subprocess.run([TIDY, "--quiet", str(tree.root / source), "--", *options], cwd=directory, capture_output=True, text=True)
        return [line.replace(f"{tree.root}/", "") for line in done.stdout.splitlines() if ": error: " in line and IGNORED not in line]

    with ThreadPoolExecutor(os.cpu_count()) as pool:
        for found in pool.map(look, sources[:FILES_MAX]):
            yield from found


if __name__ == "__main__":
    sys.exit(1 if report(violations(Tree())) else 0)
