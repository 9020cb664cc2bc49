#!/usr/bin/env python3
"""Small files, small functions (STYLE.md 2), nothing large in git, nothing dead. Lists the ten longest files and functions."""
import re
import sys
from collections import defaultdict

from tree import Tree, is_test, report

LINES_WARN, LINES_MAX = 400, 800
FUNCTION_LINES_AIM = 60
TRACKED_BYTES_MAX = 1 << 20
LARGE_LEGAL = ("ui/package-lock.json",)
CORPUS_FILES_MIN = 5
README_LINES_MAX = 30

OPENING = re.compile(r"^( *)(?![:,])(?!.*\b(namespace|class|struct|enum|union|if|for|while|switch|else|do|catch|extern)\b)(.*[)>\w]) \{$")
INCLUDE = re.compile(r'#\s*include\s+"([^"]+)"')


def exempt(tree):
    rows = tree.text("tools/size_exempt.txt").splitlines() if (tree.root / "tools/size_exempt.txt").exists() else []
    return {line.split()[0] for line in rows if line and not line.startswith("#")}


def functions(text):
    """(first line, lines, words) of each function, found by the layout clang-format gives: it ends at a brace of the
    same indentation. Good enough to list the longest."""
    lines = text.splitlines()
    for start, line in enumerate(lines):
        match = OPENING.match(line)
        if not match:
            continue
        head = start
        while "(" not in "".join(lines[head:start + 1]) and head > 0 and start - head < 6:
            head -= 1
        if "(" not in "".join(lines[head:start + 1]):
            continue
        closing = match[1] + "}"
        for end in range(start + 1, len(lines)):
            if lines[end].rstrip(";,)") == closing:
                yield start + 1, end - start + 1, line.strip()[:70]
                break


def size_violations(tree):
    legal = exempt(tree)
    for path in tree.files:
        size = (tree.root / path).stat().st_size
        if size > TRACKED_BYTES_MAX and str(path) not in LARGE_LEGAL:
            yield f"{path}: {size >> 10} KiB: nothing above 1 MiB is kept in git; make it in the test, or read it from the shared data"
        if path.suffix in (".h", ".cpp", ".py", ".sh", ".ts", ".svelte") and "golden" not in path.parts:
            count = tree.text(path).count("\n")
            if count > LINES_MAX and str(path) not in legal:
                yield f"{path}: {count} lines, the limit is {LINES_MAX}: it holds more than one concept; give each a file (a generated file or a table is named in tools/size_exempt.txt)"


def dead_violations(tree):
    """Headers nobody includes, corpora without a target, targets without a corpus."""
    includers = defaultdict(set)
    for path in [*tree.sources, *(p for p in tree.files if p.suffix in (".h", ".cpp") and p.parts[0] != "src")]:
        for match in INCLUDE.finditer(tree.text(path)):
            includers[match[1]].add(path)
    for path in tree.sources:
        if path.suffix == ".h" and not includers[str(path.relative_to("src"))]:
            yield f"{path}: nobody includes it: delete it, or include it where it is used"
    fuzzers = {path.stem.removesuffix("_fuzz") for path in tree.sources if path.stem.endswith("_fuzz")}
    corpora = defaultdict(int)
    for path in tree.files:
        if path.parts[:3] == ("tests", "golden", "fuzz") and len(path.parts) > 4:
            corpora[path.parts[3]] += 1
    for name in sorted(set(corpora) - fuzzers):
        yield f"tests/golden/fuzz/{name}: no {name}_fuzz.cpp reads this corpus: delete it or name it after its target"
    for name in sorted(fuzzers):
        if corpora[name] < CORPUS_FILES_MIN:
            yield f"{name}_fuzz.cpp: {corpora[name]} inputs in tests/golden/fuzz/{name}/, at least {CORPUS_FILES_MIN} are wanted: good, empty, cut short, over a limit, lying about a length"


def readme_violations(tree):
    for room in sorted({path.parts[1] for path in tree.sources if len(path.parts) > 2}):
        readme = tree.root / "src" / room / "README.md"
        if not readme.exists():
            yield f"src/{room}: no README.md: purpose, three to five main types, threads, invariants, what is not here ({README_LINES_MAX} lines)"
        elif (count := readme.read_text().count("\n")) > README_LINES_MAX:
            yield f"src/{room}/README.md: {count} lines, the limit is {README_LINES_MAX}: if the room needs more words it is two rooms"


def longest(tree):
    files = sorted(((tree.text(path).count("\n"), path) for path in tree.sources), reverse=True)
    over = sum(1 for count, path in files if count > LINES_WARN)
    yield f"longest files ({over} above {LINES_WARN} lines):"
    for count, path in files[:10]:
        yield f"  {count:5}  {path}{'   split it before it reaches ' + str(LINES_MAX) if count > LINES_WARN else ''}"
    found = sorted(((length, str(path), number, words) for path in tree.sources if not is_test(path)
                    for number, length, words in functions(tree.text(path))), reverse=True)
    over = sum(1 for row in found if row[0] > FUNCTION_LINES_AIM)
    yield f"longest functions ({over} above {FUNCTION_LINES_AIM} lines):"
    for length, path, number, words in found[:10]:
        yield f"  {length:5}  {path}:{number}  {words}"


def violations(tree):
    yield from size_violations(tree)
    yield from dead_violations(tree)
    yield from readme_violations(tree)


if __name__ == "__main__":
    for remark in longest(Tree()):
        print(remark)
    sys.exit(1 if report(violations(Tree())) else 0)
