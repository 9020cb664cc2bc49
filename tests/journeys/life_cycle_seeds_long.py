"""The life cycle with other seeds: the server and its workers are killed at other steps.

usage: life_cycle_seeds_long.py --program build/holdfast --data DIR [--once] [--seeds 8-13]
"""
import argparse
import subprocess
import sys
from pathlib import Path


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--program", required=True)
    parser.add_argument("--data", required=True)
    parser.add_argument("--once", action="store_true")
    parser.add_argument("--seeds", default="8-13")
    options = parser.parse_args()
    first, last = map(int, options.seeds.split("-"))
    for seed in range(first, last + 1):
        print(f"seed {seed}", flush=True)
        story = Path(__file__).with_name("life_cycle.py")
        done = subprocess.run([sys.executable, str(story), "--program", options.program, "--data", f"{options.data}-{seed}", "--seed", str(seed)])
        if done.returncode != 0:
            raise SystemExit(done.returncode if done.returncode == 77 else f"FAILED: seed {seed}; again by life_cycle.py --seed {seed}")


if __name__ == "__main__":
    main()
