#!/usr/bin/env python3
"""Includes point down, and src/ROOMS says how (STYLE.md 1): a room may name only what its line grants, and a line may
grant only rooms above it, so that a cycle cannot be written. Test files obey too."""
import re
import sys

from tree import Tree, report

INCLUDE = re.compile(r'\s*#\s*include\s+"([^"]+)"')


def table_violations(tree):
    """What is wrong with src/ROOMS itself."""
    seen = []
    for number, line in enumerate(tree.text("src/ROOMS").splitlines(), 1):
        if not line or line.startswith("#"):
            continue
        where = f"src/ROOMS:{number}"
        if not re.match(r"[a-z_]+:[^|]*\|.*\S", line):
            yield f"{where}: write `room: granted rooms | what it is for`"
            continue
        room = line.split(":")[0]
        if room in seen:
            yield f"{where}: {room} is listed twice: keep one line"
        for grant in tree.rooms[room][0]:
            if grant not in seen:
                yield f"{where}: {room} is granted {grant}, which is not above it: move the lower room up, or turn the dependency round by an interface that {room} declares and app/ fills"
        seen.append(room)
    folders = {path.parts[1] for path in tree.sources if len(path.parts) > 2}
    for folder in sorted(folders - set(seen)):
        yield f"src/{folder}: not a room of src/ROOMS: add a line there with its grants and purpose"
    for room in sorted(set(seen) - folders):
        yield f"src/ROOMS: {room} has no files: a room that has nothing to do yet is not listed"


def include_violations(tree):
    for path in tree.sources:
        if len(path.parts) < 3:
            yield f"{path}: no room: source files live in src/ROOM/"
            continue
        room = path.parts[1]
        allowed = {room, *tree.rooms.get(room, ((), ""))[0]}
        for number, line in enumerate(tree.text(path).splitlines(), 1):
            match = INCLUDE.match(line)
            if not match:
                continue
            target = match[1].split("/")[0]
            if "/" not in match[1] or target not in tree.rooms:
                yield f'{path}:{number}: "{match[1]}" starts at no room: write the full path from src/ in quotes, libraries in <>'
            elif target not in allowed:
                yield (f"{path}:{number}: {room}/ may not include {target}/: src/ROOMS does not grant it. Declare a small interface in "
                       f"{room}/ that app/ fills, or move the code to a room that may")


def violations(tree):
    yield from table_violations(tree)
    yield from include_violations(tree)


if __name__ == "__main__":
    sys.exit(1 if report(violations(Tree())) else 0)
