#!/usr/bin/env python3
"""usage: tools/tu_times.py BUILD_FOLDER [--fail|--alone]

Prints the ten slowest units of a build from its .ninja_log: files, or batches of them (cmake/batches.cmake). Batches hide
what one file costs and what it forgot to include, so --fail compiles files alone and without the compiler cache: the changed
ones, a few that the commit draws, and units of one file that took long. The processor time of that decides: times of
a parallel build on a busy machine prove nothing. Nor do seconds of one machine on another: the budget is so many times what
the headers that most units include take here, the same way. tools/tu_exempt.txt names the units that may take longer, and why.
--alone only asks of every file of the rooms whether it compiles alone (a quarter of an hour on two cores).
"""
import hashlib
import json
import os
import random
import re
import resource
import shlex
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tree import Tree, is_test

ROOT = Path(__file__).resolve().parent.parent
SUSPECT_SECONDS = 6.0  # Of the wall, in the build: what is asked again.
YARDSTICK = "".join(f"#include <{name}>\n" for name in (
    "algorithm chrono functional map memory mutex optional random set span string thread unordered_map variant vector fmt/format.h boost/json.hpp").split())
BUDGET = 4.6  # Times the yardstick: what was 6 s when this was counted in seconds.
SUSPECTS_MAX = 6  # Compiled again in one call, the slowest first, so that the check stays short.
CHANGED_MAX = 12
DRAWN = 4


def read_log(path):
    """Object file to (seconds, end of its last build), the latest entry of each."""
    times = {}
    for line in path.read_text().splitlines():
        fields = line.split("\t")
        if len(fields) == 5 and fields[3].endswith(".o"):
            times[fields[3]] = ((int(fields[1]) - int(fields[0])) / 1000, fields[2])
    return times


def source_of(obj):
    """src/net/server.cpp from the object path CMakeFiles/room_net.dir/src/net/server.cpp.o; the folder of its CMakeLists.txt before it."""
    match = re.search(r"^(.*?)CMakeFiles/[^/]*\.dir/(.*)\.o$", obj)
    return match[1] + match[2] if match else obj


def exempt_units():
    path = ROOT / "tools/tu_exempt.txt"
    if not path.exists():
        return {}
    rows = (line.split(maxsplit=1) for line in path.read_text().splitlines() if line and not line.startswith("#"))
    return {row[0]: row[1] if len(row) > 1 else "" for row in rows}


def alone_command(folder, source):
    """(words, working folder) that compile one file of the tree and throw the object away; None where the build has none for it."""
    in_batch = None
    for entry in json.loads((folder / "compile_commands.json").read_text()):
        if entry["file"].endswith(f"/{source}") and "/batches/" not in entry["file"]:
            break
        room = re.search(r"/batches/([a-z_]+)/", entry["file"])
        if room and source.startswith(f"src/{room[1]}/") and entry["file"].endswith("_test.cpp") == source.endswith("_test.cpp"):
            in_batch = entry  # The options are its room's.
    else:
        if not in_batch:
            return None
        entry = in_batch
    words = shlex.split(entry["command"])
    words = words[next(i for i, word in enumerate(words) if re.search(r"(g\+\+|clang\+\+|gcc|cc|c\+\+)[-0-9.]*$", word)):]
    words[words.index("-o") + 1] = os.devnull
    file = entry["file"] if entry is not in_batch else str(ROOT / source)
    return [file if word == entry["file"] else word for word in words], entry["directory"], file


def compile_alone(folder, source):
    """Processor time of compiling one file in yardsticks, infinite when it does not compile; None when it is not in the build."""
    command = alone_command(folder, source)
    if not command:
        return None
    words, directory, file = command
    with tempfile.NamedTemporaryFile("w", suffix=".cpp") as yardstick:
        yardstick.write(YARDSTICK)
        yardstick.flush()
        unit = seconds_of(words, directory)
        return unit and unit / seconds_of([yardstick.name if word == file else word for word in words], directory) or float("inf")


def seconds_of(words, folder):
    """None when it fails."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run(words, cwd=folder, stderr=subprocess.DEVNULL, env={**os.environ, "CCACHE_DISABLE": "1"})
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return None if done.returncode else after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def room_sources(tree):
    return [str(path) for path in tree.sources if path.suffix == ".cpp" and not is_test(path) and not path.name.endswith("main.cpp")]


def chosen(tree):
    """The files whose cost alone is asked for whatever the build took: changed ones, and some that the commit draws."""
    sources = room_sources(tree)
    changed = {str(path) for path in tree.changed()}
    here = [source for source in sources if source in changed] if len(changed) < len(tree.files) else []
    commit = subprocess.run(["git", "rev-parse", "HEAD"], cwd=tree.root, capture_output=True, text=True).stdout
    return here[:CHANGED_MAX] + random.Random(commit).sample(sources, min(DRAWN, len(sources)))


def too_slow(folder, times, asked=()):
    """(source, yardsticks) of the files over the budget, measured alone; measurements are kept beside the build."""
    kept_path = folder / "tu_yardsticks.json"
    kept = json.loads(kept_path.read_text()) if kept_path.exists() else {}
    exempt = exempt_units()
    suspects = [source_of(obj) for obj in sorted(times, key=lambda o: -times[o][0])
                if times[obj][0] > SUSPECT_SECONDS and "/batches/" not in obj and (folder / obj).exists()]
    slow = []
    for source in dict.fromkeys([*asked, *[suspect for suspect in suspects if suspect not in exempt][:SUSPECTS_MAX]]):
        if not (ROOT / source).exists():
            continue
        key = f"{source}@{hashlib.sha256((ROOT / source).read_bytes()).hexdigest()[:16]}"
        if key not in kept:
            kept[key] = compile_alone(folder, source)
        if kept[key] == float("inf") or kept[key] is not None and kept[key] > BUDGET and source not in exempt:
            slow.append((source, kept[key]))
    kept_path.write_text(json.dumps({key: value for key, value in kept.items() if value != float("inf") and (ROOT / key.split("@")[0]).exists()}))
    return slow


def not_alone(folder):
    """Files of the rooms that do not compile alone."""
    def fails(source):
        command = alone_command(folder, source)
        return bool(command) and seconds_of([*command[0], "-fsyntax-only"], command[1]) is None

    sources = room_sources(Tree())
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        return [source for source, failed in zip(sources, pool.map(fails, sources)) if failed]


def main(arguments):
    folder = Path(arguments[0])
    if "--alone" in arguments:
        failed = not_alone(folder)
        print("\n".join(f"{source}: does not compile alone: include what it uses" for source in failed) or "every file compiles alone")
        return 1 if failed else 0
    log = folder / ".ninja_log"
    if not log.exists():
        print(f"translation units: {folder} is not built, so there is nothing to time")
        return 0
    times = read_log(log)
    print(f"slowest translation units of {folder} (wall seconds of their last build; a cache hit counts as fast)")
    for obj in sorted(times, key=lambda o: -times[o][0])[:10]:
        print(f"  {times[obj][0]:6.1f}  {source_of(obj)}")
    if "--fail" not in arguments:
        return 0
    slow = too_slow(folder, times, chosen(Tree()))
    for source, yardsticks in slow:
        if yardsticks == float("inf"):
            print(f"{source}: does not compile alone: include what it uses, and see what the compiler says ({' '.join(alone_command(folder, source)[0])})")
            continue
        print(f"{source}: to compile it alone takes {yardsticks:.1f} times what common headers take, the budget is {BUDGET:.1f}: include less (forward "
              "headers, no Beast, YAML or TOML outside their adapters), split the file, or name it in tools/tu_exempt.txt with its reason")
    return 1 if slow else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
