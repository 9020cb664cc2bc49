#!/usr/bin/env python3
"""Documents name what exists: relative links, the files that pages name in `code`, and the generated map."""
import re
import sys

import make_map
from tree import Tree, report

LINK = re.compile(r"\[[^\]]*\]\(([^)#\s]+)(?:#[^)]*)?\)")
FENCE = re.compile(r"^```.*?^```", re.MULTILINE | re.DOTALL)
NAMED = re.compile(r"`([^`\s]+)`")
# What a page may name in `code` and must then exist: a path below one of our own folders, or a file at the top.
OURS = re.compile(r"^(src|tests|tools|docs|cmake|bench|deploy|examples|ui|\.ci)/[\w./-]*$|^[A-Z]+\.md$")
# In ARCHITECTURE.md and STYLE.md also paths below src/, written as includes are: room/file.h
# A page may speak of any NAME; such a path need not exist.
PATTERN = re.compile(r"NAME|ROOM\b|NNNN|PRESET")
INCLUDED = re.compile(r"^[a-z_]+/[\w/-]+\.(h|cpp)$")


def pages(tree):
    return [path for path in tree.files if path.suffix == ".md" and "golden" not in path.parts and path.name != "requirements.md"]


def blank(match):
    return "\n" * match[0].count("\n")


def violations(tree):
    for page in pages(tree):
        text = FENCE.sub(blank, tree.text(page))
        for number, line in enumerate(text.splitlines(), 1):
            for target in LINK.findall(line):
                if "://" in target or target.startswith("mailto:"):
                    continue
                if not (tree.root / page.parent / target).exists():
                    yield f"{page}:{number}: the link to {target} leads nowhere: mend it or drop it"
            for name in NAMED.findall(line):
                if PATTERN.search(name):
                    continue
                candidate = re.sub(r":\d+$", "", name)
                if OURS.match(candidate):
                    found = (tree.root / candidate).exists() or (tree.root / page.parent / candidate).exists()
                elif INCLUDED.match(candidate):
                    found = candidate.split("/")[0] not in tree.rooms or (tree.root / "src" / candidate).exists()
                else:
                    continue
                if not found:
                    yield f"{page}:{number}: `{name}` does not exist: name the file that does this now"
    yield from make_map.violations(tree)


if __name__ == "__main__":
    sys.exit(1 if report(violations(Tree())) else 0)
