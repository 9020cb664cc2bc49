"""Endpoints that stay up: several workers of a model, killed, stopped and replaced under load; more and fewer of them; another
revision without a failed request; answers under load that are those of each request alone. HOLDFAST_LONG=1 does all of it at length."""
import json
import os
import random
import signal
import subprocess
import threading
import time
from collections import Counter
from pathlib import Path

import pytest
from holdfast_server import HoldfastServer, program
from huggingface_hub import HfApi
from many_calls import Caller, ask_all, metric, worker_pids

LONG = os.environ.get("HOLDFAST_LONG") == "1"
PATIENCE_SECONDS = 120
CHAT, VECTORS, LABELS, OTHER = "ada/writes", "ada/vectors", "ada/labels", "ada/other"
WORDS = "the sea town weather a small light house reads every letter that came by boat in spring".split()


@pytest.fixture(scope="module")
def hub():
    data = Path(os.environ.get("HOLDFAST_SHARED") or Path(__file__).resolve().parents[3] / "shared") / "data/models/pipelines"
    if not data.is_dir():
        pytest.skip(f"SKIPPED: no reference data at {data}; set HOLDFAST_SHARED")
    server = HoldfastServer(options=["--cache.answers", "0", "--limits.workers", "8", "--limits.worker-heartbeat", "500ms", "--limits.worker-threads", "1", "--limits.queue-delay", "0s",
                                     "--scaling.up-utilization", "1", "--scaling.up-after", "300ms", "--scaling.down-utilization", "0", "--scaling.down-after", "1500ms"]).start()
    try:
        server.create_user("ada")
        server.token = server.create_token("ada")
        api = HfApi(endpoint=server.url, token=server.token)
        for name, folder in ((CHAT, "text-generation"), (VECTORS, "feature-extraction"), (LABELS, "text-classification"), (OTHER, "text-classification")):
            api.create_repo(name)
            api.upload_folder(repo_id=name, folder_path=data / folder)
        server.api = api
        yield server
        server.stop()
    finally:
        server.kill()
        server.remove()


def until(reached, what):
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not (found := reached()):
        assert time.monotonic() < deadline, what
        time.sleep(0.05)
    return found


def endpoint(hub, name, model, **settings):
    made = hub.http("POST", "/api/endpoints/ada", hub.token, {"name": name, "model": model, **settings})
    assert made.status == 201, made.body
    least = settings.get("min_replicas", 0)
    until(lambda: state(hub, name) == "running" and replicas(hub, name)[0] >= least, f"{name} does not run")
    return f"/endpoints/ada/{name}"


def state(hub, name):
    return hub.http("GET", f"/api/endpoints/ada/{name}", hub.token).json()["state"]


def replicas(hub, name):
    status = hub.http("GET", f"/api/inference-endpoints/v2/endpoint/ada/{name}", hub.token).json()["status"]
    return status["readyReplica"], status["targetReplica"]


def remove(hub, *names):
    for name in names:
        assert hub.http("DELETE", f"/api/endpoints/ada/{name}", hub.token).status in (200, 204)


def sentence(dice, words):
    return " ".join(dice.choice(WORDS) for _ in range(dice.randint(1, words)))


def call(dice, bases):
    """A request of one of the kinds, the same for the same dice."""
    kind = dice.randrange(4)
    if kind == 0:
        return bases["vectors"] + "/embed", {"inputs": [sentence(dice, 24) for _ in range(dice.randint(1, 5))]}
    if kind == 1:
        return bases["labels"], {"inputs": sentence(dice, 5)}
    body = {"messages": [{"role": "user", "content": sentence(dice, 12)}], "max_tokens": dice.randint(1, 12)}
    body.update({"temperature": 0} if kind == 2 else {"temperature": 0.9, "top_p": 0.95, "seed": dice.randrange(1 << 30)})
    return bases["chat"] + "/v1/chat/completions", {**body, "model": CHAT}


def heart(path, body):
    """What of an answer is the model's."""
    answer = json.loads(body)
    if path.endswith("/chat/completions"):
        return [(choice["message"]["content"], choice["finish_reason"]) for choice in answer["choices"]], answer["usage"]
    return answer


@pytest.fixture(scope="module")
def bases(hub):
    made = {"vectors": endpoint(hub, "vectors", VECTORS, min_replicas=2, max_replicas=2), "labels": endpoint(hub, "labels", LABELS, min_replicas=1, max_replicas=1),
            "chat": endpoint(hub, "chat", CHAT, min_replicas=2, max_replicas=2)}
    yield made
    remove(hub, "vectors", "labels", "chat")


def test_answers_under_mixed_load_are_those_of_each_request_alone(hub, bases):
    calls = [call(random.Random(seed), bases) for seed in range(10_000 if LONG else 400)]
    mixed = ask_all(hub, hub.token, calls, threads=24)
    assert Counter(status for status, _, _ in mixed) == {200: len(calls)}, [a for a in mixed if a[0] != 200][:3]
    assert metric(hub, "holdfast_serve_batch_inputs_sum") > metric(hub, "holdfast_serve_batch_inputs_count"), "nothing went together"
    together = metric(hub, "holdfast_serve_writing_at_once_count") - metric(hub, "holdfast_serve_writing_at_once_bucket", le="1")
    assert together > 0 and metric(hub, "holdfast_serve_prompt_tokens_reused_total") > 0, "no answers were written together, or no prompt's beginning was known"
    alone = Caller(hub, hub.token)
    different = [path for (path, body), (_, _, was) in zip(calls, mixed) if heart(path, alone.ask(path, body)[2]) != heart(path, was)]
    print(f"{len(calls)} answers under load replayed alone: {len(calls) - len(different)} equal")
    assert not different, Counter(different)


def test_workers_killed_all_the_while_fail_no_request(hub, bases):
    deaths, requests, pause = (30, 2000, 2.0) if LONG else (6, 300, 1.0)
    calls = [call(random.Random(seed), bases) for seed in range(40)]
    truth = [heart(path, body) for (path, _), (_, _, body) in zip(calls, ask_all(hub, hub.token, calls, threads=1))]
    over, counts, wrong, mutex = threading.Event(), Counter(), [], threading.Lock()

    def ask(number):
        caller, dice = Caller(hub, hub.token), random.Random(number)
        while not over.is_set():
            at = dice.randrange(len(calls))
            status, _, body = caller.ask(*calls[at])
            with mutex:
                counts[status] += 1
                if status != 200 or heart(calls[at][0], body) != truth[at]:
                    wrong.append((calls[at][0], status, body[:300]))

    askers = [threading.Thread(target=ask, args=(number,)) for number in range(8)]
    for asker in askers:
        asker.start()
    dice, killed, end = random.Random(1), 0, time.monotonic() + PATIENCE_SECONDS + deaths * pause
    try:
        while killed < deaths or counts.total() < requests:
            assert time.monotonic() < end, (killed, counts)
            time.sleep(pause)
            if pids := worker_pids(hub):
                os.kill(dice.choice(pids), signal.SIGKILL)
                killed += 1
    finally:
        over.set()
        for asker in askers:
            asker.join()
    good = counts[200] / counts.total()
    print(f"{killed} workers killed, {counts.total()} requests, {100 * good:.3f} % answered, {metric(hub, 'holdfast_serve_asked_again_total'):.0f} asked again")
    assert good >= 0.999 and len(wrong) <= counts.total() / 1000, wrong[:5]


def test_a_silent_worker_is_replaced_and_its_requests_are_answered(hub, bases):
    caller = Caller(hub, hub.token)
    path, body = bases["labels"], {"inputs": "the sea"}
    truth = caller.ask(path, body)[2]
    before = set(worker_pids(hub))
    for pid in before:
        os.kill(pid, signal.SIGSTOP)
    status, _, answer = caller.ask(path, body)
    assert status == 200 and answer == truth
    until(lambda: not before & set(worker_pids(hub)), "the stopped workers are still there")


def test_streams_go_on_when_their_worker_dies(hub, bases):
    body = {"model": CHAT, "messages": [{"role": "user", "content": "the sea"}], "max_tokens": 200, "temperature": 0.8, "seed": 5, "stream": True}
    path = bases["chat"] + "/v1/chat/completions"

    def text(raw):
        events = [json.loads(line[6:]) for line in raw.decode().splitlines() if line.startswith("data: {")]
        assert not any("error" in event for event in events) and raw.rstrip().endswith(b"data: [DONE]"), raw[-300:]
        return "".join(choice["delta"].get("content") or "" for event in events for choice in event["choices"])

    truth = text(Caller(hub, hub.token).ask(path, body)[2])
    answers = []
    threads = [threading.Thread(target=lambda: answers.append(Caller(hub, hub.token).ask(path, body)[2])) for _ in range(8)]
    for thread in threads:
        thread.start()
    for pid in worker_pids(hub)[:3]:
        os.kill(pid, signal.SIGKILL)
    for thread in threads:
        thread.join()
    assert [text(answer) for answer in answers] == [truth] * 8


def test_replicas_follow_the_load_and_cold_starts_are_marked(hub):
    base = endpoint(hub, "elastic", OTHER, min_replicas=1, max_replicas=3)
    assert replicas(hub, "elastic") == (1, 1)
    over = threading.Event()

    def ask():
        caller = Caller(hub, hub.token)
        while not over.is_set():
            status, headers, _ = caller.ask(base, {"inputs": "the sea town"})
            assert status == 200 and "X-Holdfast-Cold-Start" not in headers, (status, headers)

    askers = [threading.Thread(target=ask) for _ in range(24)]
    for asker in askers:
        asker.start()
    try:
        until(lambda: replicas(hub, "elastic") == (3, 3), "no more replicas under load")
    finally:
        over.set()
        for asker in askers:
            asker.join()
    until(lambda: replicas(hub, "elastic") == (1, 1), "no fewer replicas without load")
    assert hub.http("POST", "/api/inference-endpoints/v2/endpoint/ada/elastic/scale-to-zero", hub.token).status == 200
    until(lambda: replicas(hub, "elastic")[0] == 0, "still loaded")
    starts = metric(hub, "holdfast_serve_cold_starts_total")
    status, headers, _ = Caller(hub, hub.token).ask(base, {"inputs": "wake"})
    assert status == 200 and int(headers["X-Holdfast-Cold-Start"]) > 0
    assert metric(hub, "holdfast_serve_cold_starts_total") == starts + 1
    assert "X-Holdfast-Cold-Start" not in Caller(hub, hub.token).ask(base, {"inputs": "warm"})[1]
    remove(hub, "elastic")


def test_a_schedule_keeps_workers_warm_in_its_hours_and_nobody_waits(hub):
    base = endpoint(hub, "scheduled", OTHER, max_replicas=1, scale_to_zero_minutes=60)
    assert hub.http("POST", "/api/inference-endpoints/v2/endpoint/ada/scheduled/scale-to-zero", hub.token).status == 200
    until(lambda: replicas(hub, "scheduled")[0] == 0, "still loaded")
    file = Path(hub.folder) / "hours.yaml"
    file.write_text("schedule:\n  - {from: '00:00', until: '24:00', time_zone: Europe/Berlin, min_replicas: 2}\n")
    said = subprocess.run([program(), "endpoint", "schedule", "ada/scheduled", "--file", str(file), "--endpoint", hub.url, "--token", hub.token], capture_output=True, text=True)
    assert said.returncode == 0 and json.loads(said.stdout)["days"] == "mon,tue,wed,thu,fri,sat,sun", said
    until(lambda: replicas(hub, "scheduled")[0] == 2, "its hours did not wake it")
    starts = metric(hub, "holdfast_serve_cold_requests_total")
    assert "X-Holdfast-Cold-Start" not in Caller(hub, hub.token).ask(base, {"inputs": "warm"})[1]
    assert metric(hub, "holdfast_serve_cold_requests_total") == starts
    kept = hub.http("GET", "/api/endpoints/ada/scheduled/schedule", hub.token).json()
    assert kept["min_replicas_now"] == 2 and kept["schedule"][0]["time_zone"] == "Europe/Berlin"
    for bad in ({"from": "00:00", "until": "24:00", "time_zone": "Nowhere/Else"}, {"from": "0", "until": "24:00"}):
        assert hub.http("PUT", "/api/endpoints/ada/scheduled/schedule", hub.token, {"schedule": [bad]}).status == 400
    assert hub.http("PUT", "/api/endpoints/ada/scheduled/schedule", hub.token, {"schedule": []}).json()["min_replicas_now"] == 0
    until(lambda: replicas(hub, "scheduled")[0] <= 1, "the second worker stayed")
    remove(hub, "scheduled")


def test_another_revision_takes_over_without_a_failed_request(hub):
    base = endpoint(hub, "switched", OTHER, min_replicas=1, max_replicas=1)
    old = hub.api.model_info(OTHER).sha
    hub.api.upload_file(repo_id=OTHER, path_or_fileobj=b"another revision", path_in_repo="NOTES.md")
    new = hub.api.model_info(OTHER).sha
    over, seen, mutex = threading.Event(), [], threading.Lock()

    def ask():
        caller = Caller(hub, hub.token)
        while not over.is_set():
            began = time.monotonic()
            status, headers, body = caller.ask(base, {"inputs": "the sea"})
            with mutex:
                seen.append((began, time.monotonic(), status, headers.get("X-Model-Revision"), headers.get("X-Holdfast-Cold-Start")))

    askers = [threading.Thread(target=ask) for _ in range(4)]
    for asker in askers:
        asker.start()
    try:
        for revision in (new, old) * (5 if LONG else 1):
            changed = hub.http("PUT", "/api/inference-endpoints/v2/endpoint/ada/switched", hub.token, {"model": {"repository": OTHER, "revision": revision}})
            assert changed.status == 200, changed.body
            until(lambda: seen and seen[-1][3] == revision, "the other revision does not answer")
    finally:
        over.set()
        for asker in askers:
            asker.join()
    assert Counter(one[2] for one in seen) == {200: len(seen)}
    assert not any(one[4] for one in seen), "somebody waited for the other revision to load"
    print(f"{len(seen)} requests across the switches, none failed, none cold")
    remove(hub, "switched")
