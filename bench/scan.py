"""The scanner beside its referees: picklescan's fixtures, gitleaks on a corpus made from its own rules, false findings and speed on
Python sources. One JSON line a measure.

Without further words: secrets per second of one core on Python sources, with what is found a 10 MB, and pickles beside a plain read of the
same file, in turns; medians.

usage: scan.py [--picklescan CHECKOUT] [--gitleaks PROGRAM --rules gitleaks.toml] [--sources FOLDER] (HOLDFAST_PROGRAM names the program)
"""
import argparse
import json
import os
import pickle
import random
import re
import resource
import statistics
import subprocess
import tempfile
import time
import tomllib
from pathlib import Path

try:
    from re import _constants as codes, _parser as parser
except ImportError:  # Python 3.10
    import sre_constants as codes
    import sre_parse as parser

PROGRAM = os.environ.get("HOLDFAST_PROGRAM", "build/holdfast")
CLEAN = re.compile(r"benign|int_array|not_a_pickle|bad_pytorch|^new_pytorch_model|^pytorch_model\.bin|^object_array")
LETTERS = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"


def scan(path):
    return json.loads(subprocess.run([PROGRAM, "scan", str(path), "--json"], capture_output=True, text=True).stdout)


def tell(**row):
    print(json.dumps(row))


def pickles(checkout):
    files = [path for folder in ("data", "data2") for path in sorted((Path(checkout) / "tests" / folder).iterdir())]
    worst = {path.name: scan(path)["worst"] for path in files}
    malicious = [name for name in worst if not CLEAN.search(name)]
    tell(measure="picklescan's fixtures", malicious=len(malicious), missed=[name for name in malicious if worst[name] != "dangerous"],
         clean=len(worst) - len(malicious), called_dangerous=[name for name in worst if CLEAN.search(name) and worst[name] == "dangerous"])


def text_of(tree, chance):
    """A text that a parsed pattern matches."""
    out = ""
    for operation, argument in tree:
        name = str(operation)
        if name == "LITERAL":
            out += chr(argument)
        elif name == "ANY":
            out += chance.choice("abcdefgh")
        elif name == "IN":
            chosen, negated = [], False
            for kind, value in argument:
                negated = negated or str(kind) == "NEGATE"
                chosen += ([chr(value)] if str(kind) == "LITERAL" else [chr(c) for c in range(value[0], value[1] + 1)] if str(kind) == "RANGE"
                           else list(LETTERS if "WORD" in str(value) else " " if "SPACE" in str(value) else "0123456789") if str(kind) == "CATEGORY" else [])
            out += chance.choice([c for c in "qwertz" if c not in chosen] if negated else chosen)
        elif name in ("MAX_REPEAT", "MIN_REPEAT"):
            least, most, inner = argument
            most = least + 20 if most == codes.MAXREPEAT else min(most, least + 20)
            count = chance.randint(least, most) if least > 8 or most < 3 else least if least > 0 else chance.choice([0, min(most, 1)])
            out += "".join(text_of(inner, chance) for _ in range(count))
        elif name == "SUBPATTERN":
            out += text_of(argument[3], chance)
        elif name == "BRANCH":
            out += text_of(chance.choice(argument[1]), chance)
        elif name == "NOT_LITERAL":
            out += "q"
    return out


def secrets(program, rules):
    chance = random.Random(7)
    with tempfile.TemporaryDirectory() as folder:
        for rule in tomllib.loads(Path(rules).read_text())["rules"]:
            if "regex" not in rule:
                continue  # By the file's name alone.
            pattern = rule["regex"].replace("[[:alnum:]]", "[A-Za-z0-9]").replace(r"\z", r"\Z").replace("(?s:.)", ".")
            pattern = re.sub(r"\(\?-?i:", "(?:", pattern.replace("(?i)", ""))
            try:
                tree = parser.parse(pattern)
                texts = [text_of(tree, chance).strip("\n") for _ in range(6)]
            except (re.error, IndexError):
                continue
            forms = ["{}"] * 6 if rule["regex"].startswith(("(?i)[\\w", "[\\w")) else ['value = "{}"', "header: {} ", "export THING={}"] * 2
            Path(folder, rule["id"] + ".py").write_text("".join(f"# nothing\n{form.format(text)}\n\n" for form, text in zip(forms, texts)))
        report = Path(folder).with_suffix(".json")
        subprocess.run([program, "dir", folder, "-r", str(report), "-f", "json", "--no-banner"], capture_output=True)
        wanted = json.loads(report.read_text())
        report.unlink()
        found = {}
        for finding in scan(folder)["findings"]:
            if finding["topic"] == "secret":
                found.setdefault(finding["file"], set()).add(finding["line"])
        hits = sum(any(line in found.get(Path(each["File"]).name, ()) for line in range(each["StartLine"] - 1, each["EndLine"] + 2)) for each in wanted)
        tell(measure="gitleaks on texts made from its rules", findings=len(wanted), recall=round(hits / len(wanted), 4))


def seconds_of(path):
    """Of one core: the scanner's own threads, if any, count together."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    report = scan(path)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, report


def sources(folder, rounds=5):
    """One large text, so that opening files counts for nothing; the start of the program is taken off."""
    texts = [path for path in sorted(Path(folder).rglob("*.py")) if path.is_file()]
    content = b"".join(path.read_bytes() for path in texts)
    content = (content * (64_000_000 // max(len(content), 1) + 1))[:64_000_000]
    with tempfile.TemporaryDirectory() as work:
        large, empty = Path(work, "all.py"), Path(work, "empty.py")
        large.write_bytes(content)
        empty.write_bytes(b"")
        spent = []
        for _ in range(rounds):
            spent.append(seconds_of(large)[0] - seconds_of(empty)[0])
        rate = len(content) / statistics.median(spent) / 1e6
        copies = Path(work, "sources")
        copies.mkdir()
        for number, path in enumerate(texts):
            (copies / f"{number}.py").write_bytes(path.read_bytes())
        size = sum(path.stat().st_size for path in texts)
        found = [each for each in scan(copies)["findings"] if each["topic"] == "secret"]
    tell(bench="secrets", value=round(rate), target=">= 200", text=f"MB/s of one core on {len(content):,} bytes of Python sources")
    tell(bench="secrets found where there are none", value=round(len(found) / size * 1e7, 2), target="<= 2", text=f"a 10 MB of {size:,} bytes of {folder}")


def pickle_speed(rounds=5, size=200_000_000):
    """A pickle as torch's are, mostly bytes, and one of many small values, beside reading the same file."""
    with tempfile.TemporaryDirectory() as work:
        weights = Path(work, "weights.pkl")
        weights.write_bytes(pickle.dumps([os.urandom(1_000_000) for _ in range(size // 1_000_000)], protocol=4))
        small = Path(work, "small.pkl")
        small.write_bytes(pickle.dumps([{"a": index, "b": str(index), "c": [0.5, index]} for index in range(400_000)], protocol=4))
        for name, path in (("pickle of weights", weights), ("pickle of small values", small)):
            ours, read = [], []
            for _ in range(rounds):
                began = time.perf_counter()
                with open(path, "rb", buffering=0) as file:
                    while file.read(1 << 20):
                        pass
                read.append(time.perf_counter() - began)
                began = time.perf_counter()
                scan(path)
                ours.append(time.perf_counter() - began)
            length = path.stat().st_size
            tell(bench=name, value=round(length / statistics.median(ours) / 1e6), target="as fast as disks read, some 500 to 3000",
                 text=f"MB/s; a plain read of the cached file has {length / statistics.median(read) / 1e6:.0f} MB/s")


def main():
    arguments = argparse.ArgumentParser()
    for name in ("--picklescan", "--gitleaks", "--rules", "--sources"):
        arguments.add_argument(name)
    given = arguments.parse_args()
    if given.picklescan:
        pickles(given.picklescan)
    if given.gitleaks and given.rules:
        secrets(given.gitleaks, given.rules)
    if given.sources or not (given.picklescan or given.gitleaks):
        sources(given.sources or "/usr/lib/python3")
        pickle_speed()


if __name__ == "__main__":
    main()
