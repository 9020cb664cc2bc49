#!/usr/bin/env python3
"""Banned spellings, each with what to write instead (STYLE.md). Comments and string literals do not count for code rules."""
import re
import sys
from dataclasses import dataclass, field
from typing import Callable

from tree import Tree, is_test, report


def in_rooms(*rooms):
    return lambda tree, path: path.parts[1] in rooms


def is_adapter(tree, path):
    """One file per throwing library may catch: NAME_adapter.cpp, or a file that the room's README names with `catches`."""
    if path.stem.endswith("_adapter"):
        return True
    readme = tree.root / "src" / path.parts[1] / "README.md"
    return readme.exists() and any(path.name in line and "catch" in line.lower() for line in readme.read_text().splitlines())


def nowhere(tree, path):
    return False


def either(*rules):
    return lambda tree, path: any(rule(tree, path) for rule in rules)


@dataclass
class Rule:
    pattern: str
    instead: str
    allowed: Callable = nowhere  # Where it is legal, as (tree, path) -> bool.
    tests_too: bool = False      # Otherwise tests, fuzz targets and benchmarks may.
    regex: re.Pattern = field(init=False)

    def __post_init__(self):
        self.regex = re.compile(self.pattern)


# Rules for C++ in src/, comments and literals taken out.
CODE = [
    Rule(r"_clock::now\s*\(", "take a Clock through the constructor (base/clock.h)", in_rooms("base")),
    Rule(r"\b(secure_)?getenv\s*\(", "take the value as an option; app/ reads the environment once (base/options.h)", in_rooms("base", "io")),
    Rule(r"std::(o|i|)fstream\b|\bf?open(at)?\s*\(\s*\"|\bfopen\s*\(", "use Disk (io/disk.h), which tests can replace and make fail", in_rooms("base", "io", "process", "app")),
    Rule(r"\bs?rand\s*\(|std::(random_device|mt19937)", "take Random through the constructor (base/random.h)", in_rooms("base")),
    Rule(r"\bcatch\s*\(", "return a Result; exceptions stop at base/guarded.h and in one NAME_adapter.cpp per throwing library", either(lambda tree, path: str(path) == "src/base/guarded.h", is_adapter)),
    Rule(r"#\s*include\s*<boost/(asio|beast)\b", "only net/ knows Asio and Beast: use net/message.h, net/client.h", in_rooms("net"), True),
    Rule(r"\bco_(await|return|yield)\b", "coroutines live in net/ only; services are synchronous and run on its pool", either(in_rooms("net"), lambda tree, path: str(path) == "src/base/result.h"), True),
    Rule(r"\bco_await\b.*\(\s*[A-Za-z_:]*\{", "name the aggregate first and move it: g++ 12 frees a temporary twice in a co_await call", nowhere, True),
    Rule(r"#\s*include\s*<(yaml-cpp|toml\+\+)/", "only the adapter file includes it: use codec/yaml.h", is_adapter, True),
    Rule(r"#\s*include\s*<(sqlite3\.h|libpq)", "use sql/database.h", in_rooms("sql"), True),
    Rule(r"#\s*include\s*<git2", "use git/", in_rooms("git"), True),
    Rule(r"#\s*include\s*<curl/", "use net/client.h", in_rooms("net"), True),
    Rule(r"\bfor\s*\(.*:.*\bquery\(\)\.", "name the query first: a range-for does not keep a temporary alive before C++23", nowhere, True),
    Rule(r"\bassert\s*\(", "use CHECK (base/check.h), which stays on in the product", nowhere, True),
    Rule(r"\bstd::sto(i|l|ul|ll|ull|f|d|ld)\b", "use std::from_chars: this one throws on input"),
    Rule(r"\bstd::(cout|cerr|clog)\b|(?<![\w:])printf\s*\(", "write to the Log (base/log.h), or to cli's World for people", in_rooms("app")),
    Rule(r"^\s*#\s*define\s+(?!HOLD_|TRY\b|TRY_DONE\b|CO_TRY\b|CO_TRY_DONE\b|CHECK\b|_GNU_SOURCE\b|TOML_|PCRE2_)", "a macro starts with HOLD_; better: no macro", nowhere, True),  # Libraries' own switches aside.
    Rule(r"^using\s+namespace\b(?!.*literals)", "name what you use: a using-directive leaks into every reader"),
]

# Rules for the text of every file in src/, tests/, ui/ and bench/, comments included.
MARKERS = re.compile(r"\b(TOD[O]|FIXM[E]|XX[X])\b|not implemente[d]|unimplemente[d]|placeholde[r]")
MARKERS_LEGAL = re.compile(r"placeholder=|::placeholder|More Information Needed", re.IGNORECASE)

# Rules for every text file: what only one machine knows has no place here.
MACHINE = re.compile(r"(?<![\w.])/(?:wor[k]|far[m]|roo[t])/|/tmp/(?:bash_job[s]|studi[o])|/home/[a-z]+/|(?<![\w/])\.librar[y]/")
NAMELESS = re.compile(r"(^|/)(utils?|helpers?|common|misc|manager)(\.|/|_)")

LITERALS = re.compile(r'R"(\w*)\((?:.|\n)*?\)\1"|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])\'|//[^\n]*|/\*(?:.|\n)*?\*/')


def bare_code(text):
    """The text with literals and comments emptied, line numbers kept. Include paths in <> stay."""
    def emptied(match):
        found = match[0]
        return ('""' if found[0] in "R\"'" else "") + "\n" * found.count("\n")
    return LITERALS.sub(emptied, text)


def code_violations(tree):
    for path in tree.sources:
        if len(path.parts) < 3:
            continue
        legal = {id(rule) for rule in CODE if (is_test(path) and not rule.tests_too) or rule.allowed(tree, path)}
        for number, line in enumerate(bare_code(tree.text(path)).splitlines(), 1):
            for rule in CODE:
                found = rule.regex.search(line)
                if found and id(rule) not in legal:
                    yield f"{path}:{number}: `{found[0].strip()}`: {rule.instead}"


def text_violations(tree):
    for path in tree.files:
        if NAMELESS.search(str(path)):
            yield f"{path}: this name says nothing: name it after the one thing it holds"
        text = tree.text(path)
        for number, line in enumerate(text.splitlines(), 1):
            if path.parts[0] in ("src", "tests", "ui", "bench") and "golden" not in path.parts:
                found = MARKERS.search(line)
                if found and not MARKERS_LEGAL.search(line):
                    yield f"{path}:{number}: `{found[0]}`: finish it, or file an issue and say in plain words what is missing"
            found = MACHINE.search(line)
            if found:
                yield f"{path}:{number}: `{found[0]}` is a path of one machine: make it relative to the tree, or take it as an option"


def violations(tree):
    yield from code_violations(tree)
    yield from text_violations(tree)


if __name__ == "__main__":
    sys.exit(1 if report(violations(Tree())) else 0)
