"""The tree as the checks see it: its files, their text, their rooms."""
import os
import subprocess
from functools import cached_property
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


class Tree:
    """A checkout. Files are paths relative to it, tracked or new, never ignored ones."""

    def __init__(self, root=ROOT):
        self.root = Path(root)

    @cached_property
    def files(self):
        listed = subprocess.run(["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"],
                                cwd=self.root, capture_output=True, check=True).stdout
        names = (os.fsdecode(name) for name in listed.split(b"\0") if name)
        return sorted({Path(name) for name in names if (self.root / name).is_file()})

    def text(self, path):
        """The file's text, empty for a binary one."""
        data = (self.root / path).read_bytes()
        return "" if b"\0" in data[:8000] else data.decode("utf-8", "replace")

    @cached_property
    def sources(self):
        """C++ files of src/."""
        return [path for path in self.files if path.parts[0] == "src" and path.suffix in (".h", ".cpp")]

    @cached_property
    def rooms(self):
        """Room to (rooms it may include, purpose), in the order of src/ROOMS."""
        rooms = {}
        for line in self.text("src/ROOMS").splitlines():
            if line and not line.startswith("#") and ":" in line:
                name, rest = line.split(":", 1)
                grants, _, purpose = rest.partition("|")
                rooms[name.strip()] = (grants.split(), purpose.strip())
        return rooms

    def changed(self):
        """Files that differ from main (or origin/main), and new ones; all of them when this is main itself."""
        def git(*words):
            return subprocess.run(["git", *words], cwd=self.root, capture_output=True, text=True)
        for base in ("origin/main", "main"):
            fork = git("merge-base", "HEAD", base).stdout.strip()
            if fork:
                names = set(git("diff", "--name-only", fork).stdout.splitlines())
                names |= set(git("ls-files", "--others", "--exclude-standard").stdout.splitlines())
                return [path for path in self.files if str(path) in names] or self.files
        return self.files


def is_test(path):
    """Tests, fuzz targets and benchmarks may do what the product may not."""
    return path.parts[0] != "src" or path.stem.endswith(("_test", "_fuzz", "_bench")) or path.name.startswith("test_")


def report(violations):
    """Prints each violation; the number of them is what a check returns."""
    count = 0
    for violation in violations:
        print(violation)
        count += 1
    return count
