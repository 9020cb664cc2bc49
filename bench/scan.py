"""The scanner beside its referees: picklescan's fixtures, gitleaks on a corpus made from its own rules, false findings and speed on
Python sources. One JSON line a measure.

Without further words: what gitleaks finds, where it is on the path; secrets per second of one core on Python sources, with what is found a
10 MB, and pickles beside a plain read of the same file, in turns; medians.

usage: scan.py [--picklescan CHECKOUT] [--gitleaks PROGRAM] [--sources FOLDER] (HOLDFAST_PROGRAM names the program)
"""
import argparse
import json
import os
import pickle
import re
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests" / "clients"))
import secret_corpus  # noqa: E402

PROGRAM = os.environ.get("HOLDFAST_PROGRAM", "build/holdfast")
CLEAN = re.compile(r"benign|int_array|not_a_pickle|bad_pytorch|^new_pytorch_model|^pytorch_model\.bin|^object_array")


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


def secrets(program, seeds):
    sizes = {}
    for seed in seeds:
        told = secret_corpus.compare(program, scan, seed)
        for each in told.pop("missed"):
            sizes[each["rule"]] = sizes.get(each["rule"], 0) + 1
        tell(bench="gitleaks' findings that we have", value=round(told["recall"], 4), target=">= 0.9",
             text=f"of {told['findings']} by {told['rules']} of its rules on {told['planted']} secrets planted by the seed {seed}")
    tell(measure="missed by rule", rules=dict(sorted(sizes.items(), key=lambda each: -each[1])))


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
    """A pickle as torch's are, mostly bytes, and one of many small values, beside reading the same file in turns. Of one core, the
    start of the program taken off, so that the file's size and what else the machine does count for nothing."""
    with tempfile.TemporaryDirectory() as work:
        weights, small, empty = (Path(work, f"{name}.pkl") for name in ("weights", "small", "empty"))
        weights.write_bytes(pickle.dumps([os.urandom(1_000_000) for _ in range(size // 1_000_000)], protocol=4))
        small.write_bytes(pickle.dumps([{"a": index, "b": str(index), "c": [0.5, index]} for index in range(1_900_000)], protocol=4))
        empty.write_bytes(pickle.dumps(None))
        for name, path in (("pickle of weights", weights), ("pickle of small values", small)):
            ours, read = [], []
            for _ in range(rounds):
                began = time.process_time()
                with open(path, "rb", buffering=0) as file:
                    while file.read(1 << 18):
                        pass
                read.append(time.process_time() - began)
                ours.append(seconds_of(path)[0] - seconds_of(empty)[0])
            length = path.stat().st_size
            tell(bench=name, value=round(length / statistics.median(ours) / 1e6), target="as fast as disks read, some 500 to 3000",
                 text=f"MB/s of one core; a plain read of the cached file has {length / statistics.median(read) / 1e6:.0f} MB/s")


def main():
    arguments = argparse.ArgumentParser()
    for name in ("--picklescan", "--gitleaks", "--sources"):
        arguments.add_argument(name)
    given = arguments.parse_args()
    if given.picklescan:
        pickles(given.picklescan)
    gitleaks = given.gitleaks or shutil.which("gitleaks")
    if gitleaks and not given.picklescan:
        secrets(gitleaks, range(1, 6))
    elif not given.picklescan:
        print("SKIPPED: gitleaks is not on the path, so nothing here says how many of its findings we have.", file=sys.stderr)
    if given.sources or not (given.picklescan or given.gitleaks):
        sources(given.sources or "/usr/lib/python3")
        pickle_speed()


if __name__ == "__main__":
    main()
