"""Tokenization beside the Rust library in one run: medians of processor time over rounds that follow each other, against floors far below
what is reached, so that a machine under load passes and a fast way that is lost fails. Prints the figures.

usage: tokenizer_speed_long.py --program P --data FOLDER --once
"""
import argparse
import importlib.util
import json
import os
import statistics
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
SHARED = Path(os.environ.get("HOLDFAST_SHARED", ROOT.parent / "shared"))
ROUNDS = 3
TO_RUST = {"gpt2": 10, "cl100k-llama3style": 8, "qwen3": 8, "mistral-v1-spm": 5, "bert-uncased-minilm": 8, "pegasus-unigram": 6, "barthez-spm-bpe": 5}
OFFSETS_AT_MOST, WORD_AT_MOST, PEAK_AT_MOST = 2.5, 15, 12


def bench():
    spec = importlib.util.spec_from_file_location("bench_tokenize", ROOT / "bench/tokenize.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    module.ENVIRONMENT = ROOT / "build/env"  # Which has the Rust library; other peers are not asked.
    return module


def measure(module, program, name, path, corpus):
    ours, rows, rust = [], [], []
    for _ in range(ROUNDS):
        ours.append(module.ask_ours(program, path, corpus, 1)["speed"])
        rows.append(module.ask_ours(program, path, corpus, 1, "--offsets")["speed"])
        found, why = module.ask_peer(module.RUST, path, corpus, 1)
        assert found is not None, why
        rust.append(found["speed"])
    ours, rows, rust = map(statistics.median, (ours, rows, rust))
    return {"tokenizer": name, "ours_mb_s": round(ours / 1e6, 1), "to_rust": round(ours / rust, 1), "offsets_x": round(ours / rows, 2)}


def main():
    arguments = argparse.ArgumentParser()
    arguments.add_argument("--program", default=str(ROOT / "build/holdfast"))
    arguments.add_argument("--data", required=True)
    arguments.add_argument("--once", action="store_true")
    given = arguments.parse_args()
    if not (SHARED / "data/tokenizers/gpt2").exists():
        print(f"skipped: no tokenizers in {SHARED}")
        sys.exit(77)
    folder = Path(given.data)
    folder.mkdir(parents=True)
    corpus = str(folder / "mixed.txt")
    subprocess.run([sys.executable, str(SHARED / "tools/make_corpus.py"), "--size", "6000000", "--out", corpus], check=True)
    module = bench()
    failed = []
    for name, floor in TO_RUST.items():
        path = module.unpacked(SHARED, name, folder)
        line = measure(module, given.program, name, path, corpus)
        if line["to_rust"] < floor or line["offsets_x"] > OFFSETS_AT_MOST:
            failed.append(line)
        if name in ("gpt2", "mistral-v1-spm"):
            line |= module.measure_more(given, name, path, corpus, folder)
            if line["word_of_10_mb_x_prose"] > WORD_AT_MOST or line["peak_bytes_a_byte_of_100_mb"] > PEAK_AT_MOST:
                failed.append(line)
        print(json.dumps(line), flush=True)
    assert not failed, f"slower than the floors {TO_RUST}: {failed}"


if __name__ == "__main__":
    main()
