#!/usr/bin/env python3
"""usage: tools/run_docs.py PAGE…       Runs the marked blocks of pages; CONTRIBUTING.md says how a block is marked.

All blocks of a page run in order in one temporary folder, each under `bash -euo pipefail`. `sh run server` blocks share
one fresh server a page. A `text output` block must equal what the block before it printed; … stands for anything.
"""
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from tree import ROOT

sys.path.insert(0, str(ROOT / "tests/clients"))
from holdfast_server import HoldfastServer, program  # noqa: E402

FENCE = re.compile(r"^```(sh run(?: server)?|text output)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
BLOCK_SECONDS = 300


def blocks(text):
    """(line, mark, body, expected output or None) of each block to run."""
    found = []
    for match in FENCE.finditer(text):
        line = text.count("\n", 0, match.start()) + 1
        if match[1] != "text output":
            found.append([line, match[1], match[2], None])
        elif found:
            found[-1][3] = match[2]
    return found


def matches(expected, printed):
    pattern = ".*?".join(re.escape(part) for part in expected.strip().split("…"))
    return re.fullmatch(pattern, printed.strip(), re.DOTALL) is not None


class Page:
    """One page being run: its folder, its environment, its server once a block needs one."""

    def __init__(self):
        self.folder = tempfile.mkdtemp(prefix="holdfast-docs-")
        self.server = None
        home = Path(self.folder) / ".home"
        home.mkdir()
        paths = [str(Path(program()).resolve().parent), str(ROOT / "build/env/bin"), os.environ["PATH"]]
        self.environment = {**os.environ, "HOME": str(home), "HF_HOME": str(home / "hf"), "PATH": os.pathsep.join(paths),
                            "HF_HUB_DISABLE_PROGRESS_BARS": "1", "HF_HUB_DISABLE_UPDATE_CHECK": "1", "NO_PROXY": "127.0.0.1"}
        for name in ("HF_ENDPOINT", "HF_TOKEN"):
            self.environment.pop(name, None)

    def need_server(self):
        if self.server is None:
            self.server = HoldfastServer().start()
            self.server.create_user("ada")
            self.environment.update(HF_ENDPOINT=self.server.url, HF_TOKEN=self.server.create_token("ada"), HOLDFAST_DATA=self.server.folder)

    def run(self, mark, body):
        if mark.endswith("server"):
            self.need_server()
        return subprocess.run(["bash", "-euo", "pipefail", "-c", body], cwd=self.folder, env=self.environment, text=True,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL, timeout=BLOCK_SECONDS)

    def close(self):
        if self.server is not None:
            self.server.stop()
            self.server.remove()
        shutil.rmtree(self.folder, ignore_errors=True)


def run_page(path):
    """What went wrong on a page, and how many blocks ran."""
    found = blocks(path.read_text())
    page = Page() if found else None
    faults = []
    for line, mark, body, expected in found:
        where = f"{path.name}:{line}"
        done = page.run(mark, body)
        if done.returncode != 0:
            faults.append(f"{where}: this block ended with {done.returncode} and printed:\n{done.stdout}")
            break  # The blocks after it stand on it.
        if expected is not None and not matches(expected, done.stdout):
            faults.append(f"{where}: printed\n{done.stdout}\nwhere the page promises\n{expected}")
    if page:
        page.close()
    return faults, len(found)


def main(arguments):
    pages = [Path(argument) for argument in arguments]
    failed = ran = 0
    for path in pages:
        faults, count = run_page(path)
        ran += count
        failed += len(faults)
        for fault in faults:
            print(fault)
    print(f"{ran} blocks of {len(pages)} pages run, {failed} failed")
    return 1 if failed or ran == 0 else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
