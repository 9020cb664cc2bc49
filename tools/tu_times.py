#!/usr/bin/env python3
"""usage: tools/tu_times.py BUILD_FOLDER [--fail]

Prints the ten slowest translation units of a build from its .ninja_log. With --fail, units that took longer than the
budget are compiled once more, alone and without the compiler cache, and the processor time of that decides: times of
a parallel build on a busy machine prove nothing. Nor do seconds of one machine on another: the budget is so many times what
the headers that most units include take here, the same way. tools/tu_exempt.txt names the units that may take longer, and why.
"""
import json
import os
import re
import resource
import shlex
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
SUSPECT_SECONDS = 6.0  # Of the wall, in the build: what is asked again.
YARDSTICK = "".join(f"#include <{name}>\n" for name in (
    "algorithm chrono functional map memory mutex optional random set span string thread unordered_map variant vector fmt/format.h boost/json.hpp").split())
BUDGET = 4.6  # Times the yardstick: what was 6 s when this was counted in seconds.
SUSPECTS_MAX = 6  # Compiled again in one call, the slowest first, so that the check stays short.


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


def compile_alone(folder, obj):
    """Processor time of compiling one unit in yardsticks, cache off, result thrown away; None when it is not in the build."""
    for entry in json.loads((folder / "compile_commands.json").read_text()):
        words = shlex.split(entry["command"])
        if words[words.index("-o") + 1] != obj:
            continue
        start = next(i for i, word in enumerate(words) if re.search(r"(g\+\+|clang\+\+|gcc|cc|c\+\+)[-0-9.]*$", word))
        words = words[start:]
        words[words.index("-o") + 1] = os.devnull
        with tempfile.NamedTemporaryFile("w", suffix=".cpp") as yardstick:
            yardstick.write(YARDSTICK)
            yardstick.flush()
            alike = [yardstick.name if word.endswith(entry["file"]) else word for word in words]
            unit = seconds_of(words, entry["directory"])
            return unit / seconds_of(alike, entry["directory"])
    return None


def seconds_of(words, folder):
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(words, cwd=folder, check=True, stderr=subprocess.DEVNULL, env={**os.environ, "CCACHE_DISABLE": "1"})
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def too_slow(folder, times):
    """(source, yardsticks) of the units over the budget, measured alone; measurements are kept beside the build."""
    kept_path = folder / "tu_yardsticks.json"
    kept = json.loads(kept_path.read_text()) if kept_path.exists() else {}
    exempt = exempt_units()
    suspects = [obj for obj in sorted(times, key=lambda o: -times[o][0])
                if times[obj][0] > SUSPECT_SECONDS and source_of(obj) not in exempt and (folder / obj).exists()]
    slow = []
    for obj in suspects[:SUSPECTS_MAX]:
        key = f"{obj}@{times[obj][1]}"
        if key not in kept:
            kept[key] = compile_alone(folder, obj)
        if kept[key] is not None and kept[key] > BUDGET:
            slow.append((source_of(obj), kept[key]))
    if suspects:
        kept_path.write_text(json.dumps({key: kept[key] for key in kept if key.split("@")[0] in times}))
    return slow


def main(arguments):
    folder = Path(arguments[0])
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
    slow = too_slow(folder, times)
    for source, yardsticks in slow:
        print(f"{source}: to compile it alone takes {yardsticks:.1f} times what common headers take, the budget is {BUDGET:.1f}: include less (forward "
              "headers, no Beast, YAML or TOML outside their adapters), split the file, or name it in tools/tu_exempt.txt with its reason")
    return 1 if slow else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
