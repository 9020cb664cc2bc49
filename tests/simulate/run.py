"""Power cuts and kills by seed; what fails is repeated with the seed it prints.

A seed plays three things: the content store on a disk in memory that loses what was not synced (C++, many turns), the whole
program killed while commits come in, and the whole program under the fault library that takes back unsynced writes.

usage: run.py [--seed N] [--count K]     without --seed: a seed of the day's chance
"""
import argparse
import os
import random
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def play(name, command, seed, **environment):
    started = time.monotonic()
    result = subprocess.run(command, cwd=ROOT, env={**os.environ, **environment}, text=True, capture_output=True)
    verdict = "holds" if result.returncode == 0 else "FAILED"
    print(f"seed {seed}: {name} {verdict} ({time.monotonic() - started:.0f} s)", flush=True)
    if result.returncode != 0:
        print(result.stdout + result.stderr, flush=True)
        print(f"repeat: ./dev simulate --seed {seed}", flush=True)
    return result.returncode == 0


def main():
    parser = argparse.ArgumentParser(description="power cuts and kills by seed")
    parser.add_argument("--seed", type=int)
    parser.add_argument("--count", type=int, default=1)
    arguments = parser.parse_args()
    first = arguments.seed if arguments.seed is not None else random.SystemRandom().randrange(1, 1_000_000)
    python = sys.executable
    for seed in range(first, first + arguments.count):
        whole = (
            play("the store on a simulated disk", ["build/dev/bin/content_test", "--gtest_filter=Crash.WhatWas*"], seed,
                 HOLDFAST_SEED=str(seed), HOLDFAST_SEEDS="10"),
            play("the program killed during commits", [python, "tests/journeys/kill_nine.py", str(seed)], seed),
            play("the program losing unsynced writes", [python, "tests/journeys/disk_faults.py", str(max(seed, 1))], seed),
        )
        if not all(whole):
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
