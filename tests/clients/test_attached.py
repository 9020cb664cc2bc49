"""Two engines that are not ours behind one endpoint: a second server of this kind answers for the stable release, a slower stranger for the
canary. Who is asked how often, what each costs, what is seen of either, and what happens when the stranger is gone."""
import json
import os
import time
from collections import Counter
from pathlib import Path

import pytest
from fake_engine import FakeEngine
from holdfast_server import HoldfastServer
from many_calls import ask_all, metric

RECORD = """record: demo/routing
use: Route messages.
owner: support
tier: prototype
model: demo/intents
task: text-classification
features: [routing]
monitoring: {p95_ms_max: 5000}
deployment: {kind: attached, canary_percent: 30}
"""
CALLS, PERCENT, PAUSE_SECONDS = 600, 30, 0.05
STRANGER = [[{"label": "stranger", "score": 1.0}]]


@pytest.fixture(scope="module")
def world():
    data = Path(os.environ.get("HOLDFAST_SHARED") or Path(__file__).resolve().parents[3] / "shared") / "data/models/pipelines"
    if not data.is_dir():
        pytest.skip(f"SKIPPED: no reference data at {data}; set HOLDFAST_SHARED")
    theirs, ours, stranger = HoldfastServer(), HoldfastServer(options=["--cost.worker-hour", "3600", "--cache.answers", "0"]), FakeEngine(STRANGER)
    try:
        theirs.start()
        theirs.create_user("sam")
        their_token = theirs.create_token("sam")
        from huggingface_hub import HfApi
        api = HfApi(endpoint=theirs.url, token=their_token)
        api.create_repo("sam/labels")
        api.upload_folder(repo_id="sam/labels", folder_path=data / "text-classification")
        ours.start()
        ours.create_user("ada")
        ours.command("org", "create", "demo")
        ours.command("org", "member", "add", "demo", "ada", "--role", "admin")
        ours.token = ours.create_token("ada")
        ours.admin = next(event["token"] for event in ours.events if event.get("event") == "first_admin")

        def call(method, path, body=None, status=200, token=None, headers=None):
            answer = ours.http(method, path, token or ours.token, body, headers or {})
            assert answer.status == status, (method, path, answer.status, answer.body[:400])
            return answer.json()

        ours.call = call
        hub = HfApi(endpoint=ours.url, token=ours.token)
        hub.create_repo("demo/intents")
        card = "---\nlicense: apache-2.0\n---\n# Intents\nRoutes messages.\n"
        for path, text in (("README.md", card), ("config.json", "{}"), ("tokenizer.json", '{"v": 1}')):
            hub.upload_file(repo_id="demo/intents", path_or_fileobj=text.encode(), path_in_repo=path)
        revisions = [hub.model_info("demo/intents").sha]
        hub.upload_file(repo_id="demo/intents", path_or_fileobj=b'{"second": true}', path_in_repo="config.json")
        revisions.append(hub.model_info("demo/intents").sha)
        call("PUT", "/api/registry/records/demo/routing", RECORD.encode(), 201, headers={"Content-Type": "application/yaml"})
        for number, (revision, url, token) in enumerate(((revisions[0], f"{theirs.url}/models/sam/labels", their_token), (revisions[1], stranger.url, "")), 1):
            call("POST", "/api/registry/records/demo/routing/releases", {"revision": revision}, 201)
            call("POST", "/api/endpoints/demo", {"name": "routing", "record": "demo/routing", "url": url, "engine": "tei", "token": token,
                                                 "model": "demo/intents", "revision": revision}, 201, ours.admin)
            wanted = "deployed" if number == 1 else "canary"
            for _ in range(4):
                state = call("POST", f"/api/registry/records/demo/routing/releases/{number}/promote", {"reason": "go"})["state"]
                if state == wanted:
                    break
            assert state == wanted
        ours.stranger, ours.theirs = stranger, theirs
        ours.truth = json.loads(theirs.http("POST", "/models/sam/labels/predict", their_token, {"inputs": "the sea"}).body)
        yield ours
        ours.stop()
    finally:
        stranger.close()
        for server in (ours, theirs):
            server.kill()
            server.remove()


def ask(world, count, key):
    calls = [("/endpoints/demo/routing/predict", {"inputs": "the sea"})] * count
    return [answer for at, one in enumerate(calls) for answer in ask_all(world, world.token, [one], 1, **{"X-Holdfast-Key": f"{key}-{at}"})]


def version_of(headers):
    record, number, kind = headers["X-Deployment"].rsplit("/", 2)
    assert record == "demo/routing"
    return int(number), kind


def test_the_canary_has_its_share_and_each_release_its_own_engine_and_cost(world):
    world.stranger.pause_seconds = PAUSE_SECONDS
    answers = ask(world, CALLS, "one")
    assert Counter(status for status, _, _ in answers) == {200: CALLS}
    kinds = Counter(version_of(headers) for _, headers, _ in answers)
    share = 100 * kinds[2, "canary"] / CALLS
    # Six standard deviations: once in half a billion runs by chance.
    assert set(kinds) == {(1, "stable"), (2, "canary")} and abs(share - PERCENT) < 11.3, kinds
    for _, headers, body in answers:
        assert json.loads(body) == (STRANGER if version_of(headers)[0] == 2 else world.truth)
    # The same caller has the same release, whoever asks between.
    again = ask(world, 40, "one")
    assert [version_of(headers) for _, headers, _ in again] == [version_of(headers) for _, headers, _ in answers[:40]]
    counted = {number: metric(world, "holdfast_serve_requests_total", version=str(number), outcome="answered") for number in (1, 2)}
    assert sum(counted.values()) == CALLS + 40
    # An engine's time is paid as a worker's: 3600 an hour is one a second.
    seconds = {number: metric(world, "holdfast_serve_worker_seconds_total", version=str(number)) for number in (1, 2)}
    cost = {number: metric(world, "holdfast_serve_cost_total", version=str(number)) for number in (1, 2)}
    assert cost == pytest.approx(seconds, rel=1e-6) and cost[1] > 0
    assert cost[2] >= counted[2] * PAUSE_SECONDS, (cost, counted)
    text = world.http("GET", "/endpoints/demo/routing/metrics", world.token).body.decode()
    assert {f'version="{number}"' in text for number in (1, 2)} == {True}


def test_what_either_is_asked_is_watched_for_drift(world):
    deadline = time.monotonic() + 30
    while True:
        seen = world.call("GET", "/api/drift/demo/routing")
        if seen["reference_rows"] or seen["window_rows"] or seen["phase"] != "vocabulary":
            break
        assert time.monotonic() < deadline, seen
        time.sleep(0.2)
    assert seen["record"] == "demo/routing" and f'endpoint="{seen["endpoint"]}"' in world.http("GET", "/endpoints/demo/routing/metrics", world.token).body.decode()


def test_a_stranger_that_fails_fails_its_own_share_only_and_is_taken_back(world):
    """By the server itself: what it does to the objective stops the canary."""
    world.stranger.status = 500
    seen, deadline = [], time.monotonic() + 60
    while world.call("GET", "/api/registry/records/demo/routing/releases/2")["state"] == "canary":
        assert time.monotonic() < deadline, Counter(status for status, _, _ in seen)
        seen += ask(world, 20, f"two-{len(seen)}")
    assert {status for status, _, _ in seen} == {200, 500}, Counter(status for status, _, _ in seen)
    assert all(version_of(headers) == (1, "stable") for status, headers, _ in seen if status == 200)
    assert world.call("GET", "/api/registry/records/demo/routing/releases/2")["state"] == "rolled_back"
    after = ask(world, 100, "three")
    assert {(status, version_of(headers)) for status, headers, _ in after} == {(200, (1, "stable"))}
