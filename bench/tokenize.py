"""./dev bench tokenize: the tokenizers beside their peers, on the same bytes, in one run.

A corpus of documents of 8,000 characters: the first half warms up, the second, text not seen before, is timed once. Ids are
compared with those of the Rust library. Peers are installed into build/env-tokenize from the pinned list
tests/clients/requirements-tokenize.txt; one that cannot be installed or refuses a file is left out and said so.

usage: tokenize.py [--program build/holdfast] [--corpus FILE] [--threads 1,2] [--only NAME,...] [--shared DIR]
"""
import argparse
import gzip
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
ENVIRONMENT = ROOT / "build" / "env-tokenize"
NAMES = ["gpt2", "cl100k-llama3style", "qwen3", "gpt4o-o200k", "deepseek-v3", "mistral-v1-spm", "bert-uncased-minilm",
         "pegasus-unigram", "barthez-spm-bpe"]
CHECKED = 100  # Documents whose ids are compared.


def prepare():
    if (ENVIRONMENT / ".ready").exists():
        return
    subprocess.run([sys.executable, "-m", "venv", str(ENVIRONMENT)], check=True)
    subprocess.run([str(ENVIRONMENT / "bin/pip"), "install", "-q", "-r", str(ROOT / "tests/clients/requirements-tokenize.txt")], check=True)
    (ENVIRONMENT / ".ready").touch()


def documents(path):
    text = open(path, encoding="utf-8", newline="").read()
    return [text[i:i + 8000] for i in range(0, len(text), 8000)]


def peer(name, path):
    """A function from texts to lists of ids."""
    if name == "tokenizers":
        from tokenizers import Tokenizer
        one = Tokenizer.from_file(path)
        one.no_truncation()
        one.no_padding()
        return lambda texts: [e.ids for e in one.encode_batch_fast(texts, add_special_tokens=False)]
    if name == "tokenizers with offsets":
        from tokenizers import Tokenizer
        one = Tokenizer.from_file(path)
        one.no_truncation()
        one.no_padding()
        return lambda texts: [e.ids for e in one.encode_batch(texts, add_special_tokens=False)]
    if name == "gigatoken":
        import gigatoken
        one = gigatoken.Tokenizer.from_json(open(path, encoding="utf-8").read())
        return one.encode_batch_list
    if name == "fastokens":
        import fastokens
        one = fastokens.Tokenizer.from_file(path)
        return lambda texts: [getattr(e, "ids", e) for e in one.encode_batch(texts, add_special_tokens=False)]
    if name == "snaptokens":
        import snaptokens
        one = snaptokens.Tokenizer.from_file(path)
        return lambda texts: [getattr(e, "ids", e) for e in one.encode_batch(texts, add_special_tokens=False)]
    raise KeyError(name)


def run_peer(name, path, corpus, threads):
    """In a process of its own, so that the number of threads can be set. Prints one JSON line."""
    texts = documents(corpus)
    half = len(texts) // 2
    encode = peer(name, path)
    encode(texts[:half])
    began = time.perf_counter()
    ids = encode(texts[half:])
    took = time.perf_counter() - began
    size = sum(len(t.encode()) for t in texts[half:])
    print(json.dumps({"speed": size / took, "tokens": sum(map(len, ids)), "ids": [list(map(int, i)) for i in ids[:CHECKED]]}))


def ask_peer(name, path, corpus, threads):
    environment = dict(os.environ, RAYON_NUM_THREADS=str(threads), TOKENIZERS_PARALLELISM="true" if threads > 1 else "false")
    done = subprocess.run([str(ENVIRONMENT / "bin/python"), __file__, "--peer", name, path, corpus, str(threads)],
                          env=environment, capture_output=True, text=True)
    if done.returncode != 0:
        return None, (done.stderr.strip().splitlines() or ["died"])[-1][:80]
    return json.loads(done.stdout.splitlines()[-1]), ""


def ask_ours(program, path, corpus, threads, *more):
    done = subprocess.run([program, "bench", "tokenize", "--tokenizer", path, "--input", corpus, "--threads", str(threads), "--json", *more],
                          check=True, capture_output=True, text=True)
    return json.loads(done.stdout)


def our_ids(program, path, texts):
    lines = "".join(json.dumps({"op": "encode", "text": t, "add_special": False}) + "\n" for t in texts)
    done = subprocess.run([program, "tokenize", path], input=lines, check=True, capture_output=True, text=True)
    return [json.loads(line).get("ids") for line in done.stdout.split("\n") if line]


def unpacked(shared, name, folder):
    plain = Path(shared) / "data/tokenizers" / name / "tokenizer.json"
    if plain.exists():
        return str(plain)
    target = Path(folder) / f"{name}.json"
    target.write_bytes(gzip.open(f"{plain}.gz").read())
    return str(target)


def compare(program, name, path, corpus, threads):
    texts = documents(corpus)
    ours = [ask_ours(program, path, corpus, threads)["fresh_bytes_per_second"] for _ in range(3)]
    speed = statistics.median(ours)
    rows = ask_ours(program, path, corpus, threads, "--offsets")["fresh_bytes_per_second"]
    rust, why = ask_peer("tokenizers", path, corpus, threads)
    if rust is None:
        raise SystemExit(f"the Rust library does not run: {why}")
    half = len(texts) // 2
    exact = our_ids(program, path, texts[half:half + CHECKED]) == rust["ids"][:CHECKED]
    row = {"tokenizer": name, "threads": threads, "ours_mb_s": round(speed / 1e6, 1), "with_offsets_mb_s": round(rows / 1e6, 1),
           "rust_mb_s": round(rust["speed"] / 1e6, 2), "to_rust": round(speed / rust["speed"], 1), "exact": exact}
    best = 0.0
    for other in ("gigatoken", "fastokens", "snaptokens"):
        found, why = ask_peer(other, path, corpus, threads)
        if found is None:
            row[other] = f"refuses: {why}"
            continue
        same = found["ids"] == rust["ids"]
        row[other] = f"{found['speed'] / 1e6:.1f}{'' if same else ' (other ids)'}"
        best = max(best, found["speed"] if same else 0.0)
    if best:
        row["to_best_peer"] = round(speed / best, 2)
    print(json.dumps(row), flush=True)


def main():
    if len(sys.argv) > 1 and sys.argv[1] == "--peer":
        run_peer(sys.argv[2], sys.argv[3], sys.argv[4], int(sys.argv[5]))
        return
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--program", default=str(ROOT / "build/holdfast"))
    arguments.add_argument("--corpus")
    arguments.add_argument("--threads", default="1")
    arguments.add_argument("--only", default="")
    arguments.add_argument("--shared", default=os.environ.get("HOLDFAST_SHARED", str(ROOT.parent / "shared")))
    given = arguments.parse_args()
    prepare()
    with tempfile.TemporaryDirectory() as folder:
        corpus = given.corpus or str(Path(folder) / "corpus.txt")
        if not given.corpus:
            subprocess.run([sys.executable, f"{given.shared}/tools/make_corpus.py", "--size", "20000000", "--out", corpus, "--kind", "mixed"],
                           check=True, stdout=subprocess.DEVNULL)
        for name in NAMES:
            if given.only and name not in given.only.split(","):
                continue
            path = unpacked(given.shared, name, folder)
            for threads in map(int, given.threads.split(",")):
                compare(given.program, name, path, corpus, threads)


if __name__ == "__main__":
    main()
