#!/usr/bin/env python3
"""usage: tools/write_batches.py FOLDER     Joins files for the compiler as FOLDER/joinable.txt allows.

Each line of that list is a target and files, by semicolons; printed are the same lines with what to compile instead.
A batch is a written file of #include lines under FOLDER. Two files share one only where no name that one of them keeps to
itself (its unnamed namespace, its aliases) is a word of the other: so what a file means does not depend on its company, and
nobody has to invent names for a whole room. Files are cut into windows at places that their own names choose and not
by counting, so that a new file disturbs its window and not all that follow. cmake/batches.cmake calls this.
"""
import hashlib
import pickle
import re
import sys
from pathlib import Path

SRC = Path(__file__).resolve().parent.parent / "src"
BATCH_MAX = 8  # Files: what one edit compiles again, and a gigabyte of memory.
WINDOW_MIN = 24
WINDOW_MAX = 64

NOISE = re.compile(r'//[^\n]*|/\*.*?\*/|R"(\w*)\(.*?\)\1"|"(?:\\.|[^"\\\n])*"|(?<![0-9a-fA-F])\'(?:\\.|[^\'\\\n])+\'', re.S)
TOKEN = re.compile(r"\d[\w.']*|[A-Za-z_]\w*|::|->|[{}()\[\];=<>,:.&*]")
INCLUDED = re.compile(r"^[ \t]*#[^\n]*(?:\\\n[^\n]*)*", re.M)
# What would reach the next file of a batch.
MACROS = re.compile(r"^[ \t]*#[ \t]*(?:define|undef|pragma)", re.M)
EVERYTHING = "*"  # using namespace and using enum bring in names that are not written there.
DECLARED = ("(", "=", "{", "[", ";", ",", ":")  # What follows a declared name.
KEYWORDS = {"__attribute__", "alignas", "class", "const", "decltype", "enum", "final", "namespace", "noexcept", "operator", "override", "requires", "static", "struct", "using", "void"}


class Source:
    """A file's words, and the names it keeps to itself."""

    def __init__(self, path):
        text = path.read_text()
        self.path = path
        tokens = TOKEN.findall(INCLUDED.sub("", NOISE.sub(" ", text)))
        self.words = {word for before, word in zip([""] + tokens, tokens)
                      if (word[0].isalpha() or word[0] == "_") and before not in (".", "->", "::")}
        self.own = own_names(tokens)
        self.joinable = not MACROS.search(text) and EVERYTHING not in self.own

    def bears(self, other):
        return self.keeps_from(other) and other.keeps_from(self)

    def keeps_from(self, other):
        """No name of ours is a word of the other, unless it is the same alias there."""
        return all(name not in other.words or meaning and other.own.get(name) == meaning for name, meaning in self.own.items())


def own_names(tokens):
    """Words that an unnamed namespace declares, and aliases at namespace scope with what they mean. Rather too many than too few."""
    names = {}
    scopes = []  # What each open brace is: a "named" or "unnamed" namespace, or something "other".
    parens = 0
    opening = None
    for i, token in enumerate(tokens):
        before = tokens[i - 1] if i else ""
        following = tokens[i + 1] if i + 1 < len(tokens) else ""
        if token in ("using", "namespace") and "other" not in scopes and parens == 0 and following != "{":
            statement = tokens[i:tokens.index(";", i) if ";" in tokens[i:] else None]
            if token == "namespace" and "=" not in statement[:3]:
                opening = "named"
            elif before != ">":  # A template's alias is written out after its parameters.
                name = statement[1] if "=" in statement else EVERYTHING if following in ("enum", "namespace") else statement[-1]
                names[name] = "".join(statement)
        elif token == "namespace":
            opening = "unnamed"
        elif token == "{":
            scopes.append(opening or "other")
            opening = None
        elif token == "}":
            if scopes:
                scopes.pop()
        elif token in "([":
            parens += 1
        elif token in ")]":
            parens -= 1
        elif parens == 0 and "unnamed" in scopes and "other" not in scopes and following in DECLARED and before not in ("::", ":"):
            macro = token.isupper() and following == "("  # TEST(Shelf, Holds)
            if (token[0].isalpha() or token[0] == "_") and token not in KEYWORDS and not token.endswith("_t") and not macro:
                names.setdefault(token, None)
    return names


def windows(sources):
    window = []
    for source in sources:
        window.append(source)
        cut = hashlib.md5(source.path.name.encode()).digest()[0] < 32
        if len(window) >= WINDOW_MAX or len(window) >= WINDOW_MIN and cut:
            yield window
            window = []
    if window:
        yield window


def batches(sources):
    """First fit, neighbours by path first."""
    for window in windows(sources):
        open_batches = []
        for source in window:
            for batch in open_batches:
                if len(batch) < BATCH_MAX and all(source.bears(other) for other in batch):
                    batch.append(source)
                    break
            else:
                open_batches.append([source])
        yield from open_batches


def write(out, batch):
    """Paths are relative to src/, so that the compiler cache knows another checkout's batch again."""
    names = [source.path.relative_to(SRC).as_posix() for source in batch]
    text = "// Written by tools/write_batches.py: run cmake again where two of these do not bear each other.\n"
    text += "".join(f'#include "{name}"\n' for name in names)
    path = out / names[0]
    if not path.exists() or path.read_text() != text:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return path


def read_sources(out, names):
    """Path to Source; those of files that did not change since are remembered."""
    memory = out / "sources.pickle"
    rules = hashlib.sha256(Path(__file__).read_bytes()).hexdigest()
    try:
        known_rules, known = pickle.loads(memory.read_bytes())
    except (OSError, EOFError, pickle.UnpicklingError):
        known_rules, known = "", {}
    read = {}
    for name in names:
        state = Path(name).stat()
        stamp = (state.st_mtime_ns, state.st_size)
        kept = known.get(name) if known_rules == rules else None
        read[name] = kept if kept and kept[0] == stamp else (stamp, Source(Path(name)))
    memory.write_bytes(pickle.dumps((rules, read)))
    return {name: source for name, (stamp, source) in read.items()}


def main(arguments):
    out = Path(arguments[0])
    targets = [line.split(";") for line in (out / "joinable.txt").read_text().splitlines()]
    read = read_sources(out, [name for _, *names in targets for name in names])
    for target, *names in targets:
        sources = [read[name] for name in names]
        alone = [source.path for source in sources if not source.joinable]
        joined = [batch[0].path if len(batch) == 1 else write(out, batch) for batch in batches([source for source in sources if source.joinable])]
        print(target, *alone, *joined)


if __name__ == "__main__":
    main(sys.argv[1:])
