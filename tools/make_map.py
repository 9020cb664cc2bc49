#!/usr/bin/env python3
"""usage: tools/make_map.py [--write]      The map of rooms in ARCHITECTURE.md, made from src/ROOMS between two markers."""
import sys

from tree import Tree

BEGIN, END = "<!-- map: tools/make_map.py --write -->", "<!-- end of map -->"
PAGE = "ARCHITECTURE.md"


def make(tree):
    rows = ["| room | what it is for | may include |", "|---|---|---|"]
    for room, (grants, purpose) in tree.rooms.items():
        name = f"[{room}/](src/{room}/README.md)" if (tree.root / "src" / room / "README.md").exists() else f"{room}/"
        rows.append(f"| {name} | {purpose} | {' '.join(grants) or '—'} |")
    return "\n".join(rows)


def with_map(tree, text):
    before, _, rest = text.partition(BEGIN)
    after = rest.partition(END)[2]
    return f"{before}{BEGIN}\n{make(tree)}\n{END}{after}"


def violations(tree):
    if not (tree.root / PAGE).exists():
        yield f"{PAGE} is missing"
        return
    text = tree.text(PAGE)
    if BEGIN not in text or END not in text:
        yield f"{PAGE}: the markers of the map are gone: {BEGIN} and {END}"
    elif with_map(tree, text) != text:
        yield f"{PAGE}: the map is older than src/ROOMS: run tools/make_map.py --write"


if __name__ == "__main__":
    here = Tree()
    if "--write" in sys.argv:
        path = here.root / PAGE
        path.write_text(with_map(here, path.read_text()))
    else:
        print(make(here))
