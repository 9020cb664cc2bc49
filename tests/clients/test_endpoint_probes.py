"""An endpoint without a record has questions that the server itself puts to it, outside of all other figures."""
import os
import time
from pathlib import Path

import pytest
from fake_engine import FakeEngine
from holdfast_server import HoldfastServer
from huggingface_hub import HfApi
from many_calls import metric, worker_pids

NAME = "ada/probed"


@pytest.fixture(scope="module")
def hub():
    data = Path(os.environ.get("HOLDFAST_SHARED") or Path(__file__).resolve().parents[3] / "shared") / "data/models/pipelines/text-classification"
    if not data.is_dir():
        pytest.skip(f"SKIPPED: no reference data at {data}; set HOLDFAST_SHARED")
    server = HoldfastServer(options=["--probes.every", "200ms"]).start()
    try:
        server.create_user("root", "--admin")
        server.root = server.create_token("root")
        for user in ("ada", "bea"):
            server.create_user(user)
            setattr(server, user, server.create_token(user))
        api = HfApi(endpoint=server.url, token=server.ada)
        api.create_repo(NAME)
        api.upload_folder(repo_id=NAME, folder_path=data)
        yield server
        server.stop()
    finally:
        server.kill()
        server.remove()


def until(reached):
    deadline = time.monotonic() + 60
    while not (found := reached()):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    return found


def probed(hub, outcome):
    return metric(hub, "holdfast_probe_answers_total", outcome=outcome)


def test_the_servers_own_questions_are_answered_and_counted_nowhere_else(hub):
    assert hub.http("POST", "/api/endpoints/ada", hub.ada, {"name": "p", "model": NAME, "min_replicas": 1}).status == 201
    address = "/api/endpoints/ada/p/probes"
    wish = {"probes": [{"path": "predict", "body": {"inputs": "the sea"}}, {"path": "predict", "body": {"inputs": "the sea"}, "expect": [{"label": "NEU"}, {}, {}]}]}
    assert hub.http("PUT", address, hub.bea, wish).status in (403, 404)
    for bad in ({"path": "../x", "body": {}}, {"path": "predict"}, {"path": "v1/chat/completions", "body": {"stream": True}}, {"body": {}, "wanted": 1}):
        assert hub.http("PUT", address, hub.ada, {"probes": [bad]}).status == 400, bad
    assert hub.http("PUT", address, hub.ada, wish).status == 200
    until(lambda: probed(hub, "right") >= 6)
    known = hub.http("GET", address, hub.ada).json()["probes"]
    assert known[0]["revision"] == HfApi(endpoint=hub.url, token=hub.ada).model_info(NAME).sha and len(known[0]["answer"]) == 3 and "expect" in known[1]
    assert metric(hub, "holdfast_serve_requests_total") == 0 and metric(hub, "holdfast_serve_items_total") == 0
    assert probed(hub, "wrong") == probed(hub, "failed") == 0 and metric(hub, "holdfast_probe_sound") == 1
    # Nothing is woken by a probe.
    assert hub.http("POST", "/api/inference-endpoints/v2/endpoint/ada/p/scale-to-zero", hub.ada).status == 200
    until(lambda: not worker_pids(hub))
    asked = probed(hub, "right")
    time.sleep(1)
    assert not worker_pids(hub) and probed(hub, "right") == asked
    assert hub.http("DELETE", "/api/endpoints/ada/p", hub.ada).status == 200


def test_an_engine_that_changes_its_mind_or_falls_silent_is_found(hub):
    engine = FakeEngine(whole=[[{"label": "a", "score": 0.9}]])
    made = hub.http("POST", "/api/endpoints/root", hub.root, {"name": "engine", "model": NAME, "url": engine.url, "engine": "tei"})
    assert made.status == 201, made.body
    assert hub.http("PUT", "/api/endpoints/root/engine/probes", hub.root, {"probes": [{"path": "predict", "body": {"inputs": "x"}}]}).status == 200
    right = probed(hub, "right")
    until(lambda: probed(hub, "right") >= right + 2)
    engine.whole = [[{"label": "b", "score": 0.9}]]
    until(lambda: probed(hub, "wrong") > 0)
    engine.status = 500
    until(lambda: probed(hub, "failed") > 0)
    lines = [line for line in hub.log_path.read_text().splitlines() if "probe_found_unsound" in line]
    assert lines and "root/engine" in lines[-1]
    assert metric(hub, "holdfast_serve_requests_total") == 0
