"""./dev bench tokenize: the tokenizers beside their peers, on the same bytes, in one run.

A corpus of documents of 8,000 characters: the first half warms up, the second, text not seen before, is timed once; special
tokens around a text are left out on both sides. Rounds of all programs follow each other and the median counts, by the time of
the processor, which other programs on the machine disturb least (with more than one thread, by the clock). Ids are compared with
the Rust library's. Peers are installed into build/env-tokenize from tests/clients/requirements-tokenize.txt; one that refuses a
file, or gives other ids, is said so and does not count as best.

usage: tokenize.py [--program build/holdfast] [--kinds mixed,english,code,multi] [--threads 1,2] [--only NAME,...] [--rounds 3]
                   [--instructions] [--whole] [--size BYTES] [--shared DIR]
A JSON line for each tokenizer, kind and number of threads, then a table, in which ! marks what misses its goal.
simplest_scan_mb_s: what a scan byte by byte with one hash and one read of a table a word reaches in the same run.
--instructions: per byte of text, counted by callgrind on a slice. --whole: a word of 10 MB against prose, memory for 100 MB at once.
"""
import argparse
import base64
import gzip
import hashlib
import json
import os
import re
import statistics
import struct
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
ENVIRONMENT = ROOT / "build" / "env-tokenize"
NAMES = ["gpt2", "cl100k-llama3style", "qwen3", "gpt4o-o200k", "deepseek-v3", "mistral-v1-spm", "bert-uncased-minilm",
         "pegasus-unigram", "barthez-spm-bpe"]
RUST = "tokenizers"
PEERS = [RUST, "tokenizers with offsets", "gigatoken", "fastokens", "fastokens flat", "snaptokens", "snaptokens flat", "tiktoken",
         "sentencepiece"]
SLICE = 200_000  # Bytes whose instructions are counted.
# At least, or where the name ends in _at_most, at most. Byte-level BPE has its goal in the best peer.
GOALS = {"to_rust": 25, "to_best_peer": 1.3, "offsets_x_at_most": 1.4, "two_threads_x": 1.8, "load_to_rust": 4, "word_of_10_mb_x_prose_at_most": 3,
         "peak_bytes_a_byte_of_100_mb_at_most": 12}
BY_CHARACTER = ["mistral-v1-spm", "bert-uncased-minilm", "pegasus-unigram", "barthez-spm-bpe"]
COLUMNS = {"tokenizer": "tokenizer", "kind": "kind", "threads": "thr", "ours_mb_s": "MB/s", "to_rust": "x Rust", "best_peer": "best peer",
           "to_best_peer": "x peer", "offsets_x": "offsets", "two_threads_x": "2 thr", "simplest_scan_mb_s": "scan MB/s",
           "instructions_a_byte": "instr/B", "load_to_rust": "load", "word_of_10_mb_x_prose": "10 MB word", "peak_bytes_a_byte_of_100_mb": "peak/B",
           "exact": "exact"}


def prepare():
    if (ENVIRONMENT / ".ready").exists():
        return
    subprocess.run([sys.executable, "-m", "venv", str(ENVIRONMENT)], check=True)
    subprocess.run([str(ENVIRONMENT / "bin/pip"), "install", "-q", "-r", str(ROOT / "tests/clients/requirements-tokenize.txt")], check=True)
    (ENVIRONMENT / ".ready").touch()


def documents(path):
    text = open(path, encoding="utf-8", newline="").read()
    return [text[i:i + 8000] for i in range(0, len(text), 8000)]


def byte_of_letter():
    """The bytes that the letters of byte-level vocabularies stand for."""
    printable = [*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    others = [byte for byte in range(256) if byte not in printable]
    return {**{chr(byte): byte for byte in printable}, **{chr(256 + i): byte for i, byte in enumerate(others)}}


def tiktoken_of(path):
    import tiktoken
    document = json.load(open(path, encoding="utf-8"))
    letters, added = byte_of_letter(), {token["content"] for token in document["added_tokens"]}
    ranks = {bytes(letters[letter] for letter in token): id for token, id in document["model"]["vocab"].items() if token not in added}
    parts = (document["pre_tokenizer"] or {}).get("pretokenizers", [document["pre_tokenizer"]])
    patterns = [part["pattern"]["Regex"] for part in parts if part["type"] == "Split"]
    if len(patterns) > 1:
        raise ValueError("more than one pattern")
    gpt2 = r"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+"
    return tiktoken.Encoding("of the file", pat_str=(patterns or [gpt2])[0], mergeable_ranks=ranks, special_tokens={})


def field(number, value):
    """A field of a protobuf message: a number, a float, or bytes."""
    def varint(value):
        out = bytearray()
        while value > 0x7F:
            out.append(value & 0x7F | 0x80)
            value >>= 7
        return bytes(out) + bytes([value])
    if isinstance(value, float):
        return varint(number << 3 | 5) + struct.pack("<f", value)
    if isinstance(value, int):
        return varint(number << 3) + varint(value)
    return varint(number << 3 | 2) + varint(len(value)) + value


def sentencepiece_of(path):
    """The model that a tokenizer.json was made from, as far as the file tells: pieces, their scores or the order of the merges, charsmap."""
    import sentencepiece
    document = json.load(open(path, encoding="utf-8"))
    model, normalizer = document["model"], document["normalizer"] or {}
    special = {token["content"] for token in document["added_tokens"]}
    unigram = isinstance(model["vocab"], list)  # Older files do not name the kind.
    parts = normalizer.get("normalizers", [normalizer])
    charsmap = next((part["precompiled_charsmap"] for part in parts if part.get("type") == "Precompiled"), None)
    if unigram:
        pieces, unknown = [tuple(piece) for piece in model["vocab"]], model["unk_id"]
    elif "merges" in model and "▁" in model["vocab"]:
        ranks = {}
        for rank, merge in enumerate(model["merges"]):
            ranks.setdefault("".join(merge.split(" ", 1) if isinstance(merge, str) else merge), rank)
        pieces = [(piece, -float(ranks.get(piece, len(ranks)))) for piece in sorted(model["vocab"], key=model["vocab"].get)]
        unknown = model["vocab"][model["unk_token"]]
    else:
        raise ValueError("no SentencePiece model")
    def kind(at, piece):
        if at == unknown:
            return 2
        return 3 if piece in special else 6 if re.fullmatch(r"<0x[0-9A-F]{2}>", piece) else 1
    out = b"".join(field(1, field(1, piece.encode()) + field(2, float(score)) + field(3, kind(at, piece))) for at, (piece, score) in enumerate(pieces))
    out += field(2, field(3, 1 if unigram else 2) + field(35, int(bool(model.get("byte_fallback")))) + field(40, unknown))
    spaces = field(3, 1) + field(4, int(charsmap is not None)) + field(5, 1)
    out += field(3, (field(2, base64.b64decode(charsmap)) if charsmap else b"") + spaces)
    return sentencepiece.SentencePieceProcessor(model_proto=out)


def peer(name, path, threads):
    """A function from texts to what the peer returns for them, and one from that to lists of ids, which is not timed."""
    if name.startswith("tokenizers"):
        from tokenizers import Tokenizer
        one = Tokenizer.from_file(path)
        one.no_truncation()
        one.no_padding()
        encode = one.encode_batch if "offsets" in name else one.encode_batch_fast
        return lambda texts: encode(texts, add_special_tokens=False), lambda out: [row.ids for row in out]
    if name == "gigatoken":
        import gigatoken
        one = gigatoken.Tokenizer.from_json(open(path, encoding="utf-8").read())
        return one.encode_batch, lambda out: [list(map(int, row)) for row in out]
    if name.startswith(("fastokens", "snaptokens")):
        module = __import__(name.split()[0])
        one = module.Tokenizer.from_file(path)
        encode = one.encode_batch_flat if "flat" in name else one.encode_batch
        rows = lambda out: [list(map(int, getattr(row, "ids", row))) for row in out]
        return lambda texts: encode(texts, add_special_tokens=False), (flat_ids if "flat" in name else rows)
    if name == "tiktoken":
        one = tiktoken_of(path)
        return lambda texts: one.encode_ordinary_batch(texts, num_threads=threads), lambda out: out
    if name == "sentencepiece":
        one = sentencepiece_of(path)
        return lambda texts: one.encode(texts, num_threads=threads), lambda out: out
    raise ValueError(name)


def flat_ids(out):
    """One list of all ids, from a pair of ids and lengths in whatever form."""
    parts = list(out) if isinstance(out, tuple) else [getattr(out, "ids", out)]
    first = parts[0]
    if isinstance(first, (bytes, bytearray, memoryview)):
        first = memoryview(first).cast("B").cast("I")
    return [list(map(int, first))]


def digest_of(ids):
    return hashlib.sha256(b"".join(id.to_bytes(4, "little") for row in ids for id in row)).hexdigest()


def run_peer(name, path, corpus, threads):
    """In a process of its own, so that the number of threads can be set. Prints one JSON line."""
    texts = documents(corpus)
    half = len(texts) // 2
    __import__(name.split()[0])  # Not a part of loading a file.
    loading = time.process_time()
    encode, ids_of = peer(name, path, threads)
    loading = time.process_time() - loading
    encode(texts[:half])
    clock, processor = time.perf_counter(), time.process_time()
    out = encode(texts[half:])
    clock, processor = time.perf_counter() - clock, time.process_time() - processor
    size = sum(len(text.encode()) for text in texts[half:])
    print(json.dumps({"speed": size / (processor if threads == 1 else clock), "load": loading, "digest": digest_of(ids_of(out))}))


def ask_peer(name, path, corpus, threads):
    environment = dict(os.environ, RAYON_NUM_THREADS=str(threads), TOKENIZERS_PARALLELISM="true" if threads > 1 else "false")
    done = subprocess.run([str(ENVIRONMENT / "bin/python"), "-P", __file__, "--peer", name, path, corpus, str(threads)],
                          env=environment, capture_output=True, text=True)
    if done.returncode != 0:
        return None, (done.stderr.strip().splitlines() or ["died"])[-1][:80]
    return json.loads(done.stdout.splitlines()[-1]), ""


def ask_ours(program, path, corpus, threads, *more):
    done = subprocess.run([program, "bench", "tokenize", "--tokenizer", path, "--input", corpus, "--threads", str(threads), "--json", *more],
                          check=True, capture_output=True, text=True)
    found = json.loads(done.stdout)
    found["speed"] = found["fresh_bytes_per_processor_second" if threads == 1 else "fresh_bytes_per_second"]
    return found


def our_digest(program, path, corpus):
    """Of the second half's ids, by `holdfast tokenize`."""
    texts = documents(corpus)
    lines = "".join(json.dumps({"op": "encode", "text": text, "add_special": False}) + "\n" for text in texts[len(texts) // 2:])
    done = subprocess.run([program, "tokenize", path], input=lines, check=True, capture_output=True, text=True)
    return digest_of(json.loads(line)["ids"] for line in done.stdout.split("\n") if line)


def unpacked(shared, name, folder):
    plain = Path(shared) / "data/tokenizers" / name / "tokenizer.json"
    if plain.exists():
        return str(plain)
    target = Path(folder) / f"{name}.json"
    target.write_bytes(gzip.open(f"{plain}.gz").read())
    return str(target)


def instructions(program, path, corpus, folder):
    """Of encoding alone, per byte of text not seen before: what a slice twice as long takes more, so that making the tables does not count."""
    text = Path(corpus).read_bytes()
    totals, sizes = [], []
    for times in (1, 2):
        cut = text[len(text) // 2:len(text) // 2 + times * SLICE].decode("utf-8", "ignore")
        file = Path(folder) / "slice.txt"
        file.write_text(cut, encoding="utf-8", newline="")
        done = subprocess.run(["valgrind", "--tool=callgrind", f"--callgrind-out-file={folder}/callgrind.out", "--collect-atstart=no",
                               "--toggle-collect=*Tokenizer::append_ids*", program, "bench", "tokenize", "--tokenizer", path, "--input", str(file)],
                              capture_output=True, text=True)
        found = re.search(r"Collected : (\d+)", done.stderr)
        if not found:
            return None
        totals.append(int(found.group(1)))
        sizes.append(len(cut.encode()))
    return round((totals[1] - totals[0]) / (sizes[1] - sizes[0]), 1)


def compare(given, name, path, corpus, kind, threads, folder):
    rows = {who: [] for who in ["ours", "ours with offsets", *PEERS]}
    refused = {}
    for _ in range(given.rounds):  # Side by side, so that what disturbs the machine disturbs all.
        rows["ours"].append(ask_ours(given.program, path, corpus, threads))
        rows["ours with offsets"].append(ask_ours(given.program, path, corpus, threads, "--offsets"))
        for who in PEERS:
            if who in refused:
                continue
            found, why = ask_peer(who, path, corpus, threads)
            if found is None:
                refused[who] = why
            else:
                rows[who].append(found)
    if RUST in refused:
        raise SystemExit(f"the Rust library does not run: {refused[RUST]}")
    speed = {who: statistics.median(one["speed"] for one in found) for who, found in rows.items() if found}
    right = rows[RUST][0]["digest"]
    exact = our_digest(given.program, path, corpus) == right
    same = [who for who in PEERS[2:] if rows[who] and rows[who][0]["digest"] == right]
    best = max(same, key=lambda who: speed[who], default=None)
    line = {"tokenizer": name, "kind": kind, "threads": threads, "ours_mb_s": round(speed["ours"] / 1e6, 1), "exact": exact,
            "offsets_x": round(speed["ours"] / speed["ours with offsets"], 2), "rust_mb_s": round(speed[RUST] / 1e6, 2),
            "to_rust": round(speed["ours"] / speed[RUST], 1), "best_peer": best,
            "to_best_peer": round(speed["ours"] / speed[best], 2) if best else None,
            "simplest_scan_mb_s": round(statistics.median(one["simplest_scan_bytes_per_processor_second"] for one in rows["ours"]) / 1e6),
            "load_ms": round(statistics.median(one["load_ms"] for one in rows["ours"]), 1),
            "load_to_rust": round(statistics.median(one["load"] for one in rows[RUST]) * 1000 /
                                  max(0.1, statistics.median(one["load_ms"] for one in rows["ours"])), 1)}
    if given.instructions and threads == 1:
        line["instructions_a_byte"] = instructions(given.program, path, corpus, folder)
    line["peers_mb_s"] = {who: f"{speed[who] / 1e6:.1f}" + ("" if who in same or who.startswith(RUST) else " (other ids)")
                          for who in PEERS if who in speed}
    line["refused"] = refused
    return line


def peak_of(command):
    """Bytes of memory that a program had at most."""
    pid = os.posix_spawn(command[0], command, os.environ, file_actions=[(os.POSIX_SPAWN_OPEN, 1, os.devnull, os.O_WRONLY, 0)])
    _, status, usage = os.wait4(pid, 0)
    if status != 0:
        raise SystemExit(f"{command} failed")
    return usage.ru_maxrss * 1024


def measure_more(given, name, path, corpus, folder):
    text = Path(corpus).read_bytes().decode()
    word = Path(folder) / "word.txt"
    letters = "".join(letter for letter in text if letter.isalpha() and letter.isascii())
    word.write_text((letters * (10_000_000 // len(letters) + 1))[:10_000_000])
    long = ask_ours(given.program, path, str(word), 1, "--whole")
    prose = ask_ours(given.program, path, corpus, 1)
    big = Path(folder) / "big.txt"
    big.write_text((text * (100_000_000 // len(text) + 1))[:100_000_000], encoding="utf-8", newline="")
    size = big.stat().st_size
    peak = peak_of([given.program, "bench", "tokenize", "--tokenizer", path, "--input", str(big), "--whole"])
    big.unlink()
    return {"word_of_10_mb_x_prose": round(prose["speed"] / long["speed"], 2), "peak_bytes_a_byte_of_100_mb": round(peak / size, 1)}


def misses(line, key):
    """Whether a figure of a line is beyond its goal."""
    value = line.get(key)
    if value is None or (key == "to_rust" and line["tokenizer"] not in BY_CHARACTER):
        return False
    return value < GOALS[key] if key in GOALS else value > GOALS.get(f"{key}_at_most", value)


def table(lines):
    rows = [list(COLUMNS.values())]
    for line in lines:
        rows.append(["-" if line.get(key) is None else f"{line[key]}{'!' if misses(line, key) else ''}" for key in COLUMNS])
    widths = [max(len(row[i]) for row in rows) for i in range(len(COLUMNS))]
    return "\n".join("  ".join(cell.ljust(width) for cell, width in zip(row, widths)).rstrip() for row in rows)


def main():
    if len(sys.argv) > 1 and sys.argv[1] == "--peer":
        run_peer(sys.argv[2], sys.argv[3], sys.argv[4], int(sys.argv[5]))
        return
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--program", default=str(ROOT / "build/holdfast"))
    arguments.add_argument("--kinds", default="mixed,english,code,multi")
    arguments.add_argument("--threads", default="1")
    arguments.add_argument("--only", default="")
    arguments.add_argument("--rounds", type=int, default=3)
    arguments.add_argument("--size", type=int, default=20_000_000)
    arguments.add_argument("--instructions", action="store_true")
    arguments.add_argument("--whole", action="store_true")
    arguments.add_argument("--shared", default=os.environ.get("HOLDFAST_SHARED", str(ROOT.parent / "shared")))
    given = arguments.parse_args()
    prepare()
    lines = []
    with tempfile.TemporaryDirectory() as folder:
        for kind in given.kinds.split(","):
            corpus = str(Path(folder) / f"{kind}.txt")
            subprocess.run([sys.executable, f"{given.shared}/tools/make_corpus.py", "--size", str(given.size), "--out", corpus, "--kind", kind],
                           check=True, stderr=subprocess.DEVNULL)
            for name in NAMES:
                if given.only and name not in given.only.split(","):
                    continue
                path = unpacked(given.shared, name, folder)
                alone = None
                for threads in map(int, given.threads.split(",")):
                    line = compare(given, name, path, corpus, kind, threads, folder)
                    alone = line["ours_mb_s"] if threads == 1 else alone
                    if threads == 2 and alone:
                        line["two_threads_x"] = round(line["ours_mb_s"] / alone, 2)
                    if given.whole and threads == 1 and kind == given.kinds.split(",")[0]:
                        line |= measure_more(given, name, path, corpus, folder)
                    lines.append(line)
                    print(json.dumps(line), flush=True)
    print(table(lines))


if __name__ == "__main__":
    main()
