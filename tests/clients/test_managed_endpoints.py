"""huggingface_hub's own management of Inference Endpoints against ours: made, waited for, paused, resumed, scaled to zero, deleted."""
import base64
import gzip
import json
import os
import subprocess
import threading
import time
import uuid
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import openai
import pytest
import requests
from fake_engine import FakeEngine
from huggingface_hub import HfApi, InferenceClient, constants
from huggingface_hub.errors import HfHubHTTPError, InferenceEndpointError

from holdfast_server import HoldfastServer, program

MASK = "pipelines/fill-mask"
SIZE = {"framework": "pytorch", "accelerator": "cpu", "instance_size": "x1", "instance_type": "local", "region": "local", "vendor": "holdfast"}
WAIT_SECONDS = 120


@pytest.fixture(autouse=True)
def ours(server, monkeypatch):
    """The address is a constant of the library, read at each call."""
    monkeypatch.setattr(constants, "INFERENCE_ENDPOINTS_ENDPOINT", server.url + "/api/inference-endpoints/v2")


@pytest.fixture(scope="module")
def model():
    api = HfApi()
    api.create_repo("ada/mask", exist_ok=True)
    return "ada/mask"


@pytest.fixture
def filled(shared, model, api):
    api.upload_folder(repo_id=model, folder_path=shared / "models" / MASK)
    return model


def fresh():
    return f"e-{uuid.uuid4().hex[:8]}"


def state(endpoint, wanted):
    deadline = time.monotonic() + WAIT_SECONDS
    while endpoint.fetch().status != wanted:
        assert time.monotonic() < deadline, endpoint.raw
        time.sleep(0.05)
    return endpoint


def text_of(shared):
    return next(case["args"][0] for case in json.loads((shared / "models" / MASK / "golden.json").read_text())["cases"] if isinstance(case["args"][0], str))


def test_made_waited_for_and_asked(api, filled, shared, server, stranger):
    commit = api.model_info(filled).sha
    endpoint = api.create_inference_endpoint(fresh(), repository=filled, task="fill-mask", min_replica=1, max_replica=2, tags=["a"], **SIZE)
    assert endpoint.status in ("pending", "initializing", "running") and endpoint.namespace == "ada"
    endpoint.wait(timeout=WAIT_SECONDS, refresh_every=1)
    assert endpoint.status == "running" and endpoint.url == f"{server.url}/endpoints/ada/{endpoint.name}"
    assert (endpoint.repository, endpoint.revision, endpoint.task, endpoint.framework, endpoint.type) == (filled, commit, "fill-mask", "pytorch", "authenticated")
    assert endpoint.raw["compute"]["scaling"] == {"minReplica": 1, "maxReplica": 2, "scaleToZeroTimeout": None} and endpoint.raw["tags"] == ["a"]
    assert endpoint.client.fill_mask(text_of(shared))[0].score > 0
    assert endpoint.name in [one.name for one in api.list_inference_endpoints()]
    assert api.get_inference_endpoint(endpoint.name).raw == endpoint.fetch().raw
    updated = endpoint.update(min_replica=0, scale_to_zero_timeout=15)
    assert updated.raw["compute"]["scaling"] == {"minReplica": 0, "maxReplica": 2, "scaleToZeroTimeout": 15} and updated.task == "fill-mask"
    with pytest.raises(HfHubHTTPError) as refused:
        stranger.pause_inference_endpoint(endpoint.name, namespace="ada")
    assert refused.value.response.status_code in (403, 404)
    endpoint.delete()
    with pytest.raises(HfHubHTTPError) as missing:
        endpoint.fetch()
    assert missing.value.response.status_code == 404


def test_paused_resumed_and_scaled_to_zero(api, filled, shared, tokens):
    endpoint = api.create_inference_endpoint(fresh(), repository=filled, **SIZE).wait(timeout=WAIT_SECONDS, refresh_every=1)
    client, text = endpoint.client, text_of(shared)
    wanted = client.fill_mask(text)
    assert endpoint.resume().status == "running"  # Already, which is no error to this client.
    with pytest.raises(HfHubHTTPError):
        api.resume_inference_endpoint(endpoint.name, running_ok=False)
    address = endpoint.url
    assert endpoint.pause().status == "paused" and endpoint.url is None
    asked = requests.post(address, json={"inputs": text}, headers={"Authorization": f"Bearer {tokens['ada']}"})
    assert asked.status_code == 503 and "paused" in asked.json()["error"]
    assert requests.get(address + "/health", headers={"Authorization": f"Bearer {tokens['ada']}"}).status_code == 503
    with pytest.raises(HfHubHTTPError):
        endpoint.scale_to_zero()
    endpoint.resume().wait(timeout=WAIT_SECONDS, refresh_every=1)
    assert client.fill_mask(text) == wanted
    assert endpoint.scale_to_zero().status == "scaledToZero" and endpoint.url == address
    assert client.fill_mask(text) == wanted  # The request woke it.
    state(endpoint, "running")
    endpoint.delete()


def test_what_cannot_be_loaded_fails_and_says_why(api, shared, server):
    name = f"ada/broken-{uuid.uuid4().hex[:6]}"
    api.create_repo(name)
    api.upload_file(repo_id=name, path_or_fileobj=b'{"model_type": "no-such-family"}', path_in_repo="config.json")
    endpoint = api.create_inference_endpoint(fresh(), repository=name, **SIZE)
    with pytest.raises(InferenceEndpointError):
        endpoint.wait(timeout=WAIT_SECONDS, refresh_every=1)
    assert endpoint.status == "failed" and endpoint.raw["status"]["message"]
    endpoint.delete()
    for bad in ({"repository": "ada/none-such"}, {"repository": name, "type": "public"}, {"repository": name, "custom_image": {"url": "x", "port": 1}},
                {"repository": name, "secrets": {"A": "b"}}, {"repository": name, "min_replica": 3, "max_replica": 2}):
        with pytest.raises(HfHubHTTPError) as refused:
            api.create_inference_endpoint(fresh(), **SIZE, **bad)
        assert 400 <= refused.value.response.status_code < 500
    assert api.list_inference_endpoints_hardware()[0].accelerator == "cpu"


def test_without_a_gpu_an_endpoint_that_asks_for_one_runs_and_says_so(api, filled, shared, server, tokens):
    endpoint = api.create_inference_endpoint(fresh(), repository=filled, **{**SIZE, "accelerator": "gpu"}).wait(timeout=WAIT_SECONDS, refresh_every=1)
    assert endpoint.raw["compute"]["accelerator"] == "cpu" and "no gpu" in endpoint.raw["status"]["message"]
    assert endpoint.client.fill_mask(text_of(shared))[0].score > 0
    endpoint.delete()
    plain = api.create_inference_endpoint(fresh(), repository=filled, **SIZE)
    assert "gpu" not in plain.raw["status"]["message"]
    plain.delete()
    address = f"{server.url}/api/capabilities"
    found = requests.get(address, headers={"Authorization": f"Bearer {tokens['ada']}"}).json()
    assert found["devices"][0]["kind"] == "cpu" and found["devices"][0]["used"] and found["cores"] >= 1 and found["memory_bytes"] > 1 << 28
    own = found["runtimes"][0]
    assert own["serves_endpoints"] and {"f32", "bf16", "int8"} <= set(own["dtypes"]) and {"bert", "modernbert"} <= set(own["families"]["encoder"])
    assert "GPU" in found["notices"][0] and requests.get(address).status_code == 401


def test_states_outlive_the_server_and_the_command_line_speaks_of_the_same(shared, tmp_path):
    import os
    import subprocess

    from holdfast_server import program
    server = HoldfastServer().start()
    try:
        server.create_user("ada")
        token = server.create_token("ada")
        api = HfApi(endpoint=server.url, token=token)
        api.create_repo("ada/mask")
        api.upload_folder(repo_id="ada/mask", folder_path=shared / "models" / MASK)

        def run(*words):
            done = subprocess.run([program(), "endpoint", *words], capture_output=True, text=True, cwd=tmp_path,
                                  env={**os.environ, "HF_ENDPOINT": server.url, "HF_TOKEN": token, "HF_HOME": str(tmp_path)})
            assert done.returncode == 0, done.stderr
            return done.stdout

        (tmp_path / "endpoint.yaml").write_text("name: ada/from-file\nmodel: ada/mask@main\nmin_replicas: 0\nmax_replicas: 2\nscale_to_zero_after: 15m\n")
        run("create", "--file", "endpoint.yaml")
        assert " running " in run("wait", "ada/from-file")
        assert " paused " in run("pause", "ada/from-file")
        server.stop()
        server.restart(int(server.url.rsplit(":", 1)[1]))
        assert " paused " in run("list")
        run("resume", "ada/from-file")
        assert " running " in run("wait", "ada/from-file")
        assert InferenceClient(base_url=f"{server.url}/endpoints/ada/from-file", token=token).fill_mask(text_of(shared))
        api.upload_file(repo_id="ada/mask", path_or_fileobj=b"another revision", path_in_repo="NOTES.md")
        changed = json.loads(run("update", "ada/from-file", "--model", "ada/mask@main", "--max-replicas", "3", "--queue-delay", "400ms", "--json"))
        assert changed["revision"] == api.model_info("ada/mask").sha
        assert changed["settings"] == {"min_replicas": 0, "max_replicas": 3, "scale_to_zero_minutes": 15, "queue_delay_ms": 400}
        assert " running " in run("wait", "ada/from-file")
        for body, why in (({"engine": "tei"}, "engine"), ({}, "nothing"), ({"max_replicas": 0}, "replicas"), ({"model": 5}, "model")):
            refused = server.http("PUT", "/api/endpoints/ada/from-file", token, body)
            assert refused.status == 400 and why in refused.json()["error"], refused.body
        assert " scaledToZero " in run("scale-to-zero", "ada/from-file")
        steps = ["model:ada/mask@main", 'answer:{"message": "later"}']
        assert run("fallback", "ada/from-file", *steps, "--timeout", "2s").splitlines() == [
            "ada/from-file breaker closed timeout 2000 ms", "model:ada/mask@main", 'answer:{"message":"later"}']
        told = server.http("GET", "/api/endpoints/ada/from-file/fallback", token).json()
        assert told["steps"] == [{"model": "ada/mask@main"}, {"answer": {"message": "later"}}] and json.loads(run("fallback", "ada/from-file", "--json")) == told
        assert run("fallback", "ada/from-file", "none").splitlines() == ["ada/from-file breaker closed timeout 0 ms"]
        for words in (["mask:x"], ["model:x"], ["answer:{"], ["endpoint:ada/from-file"]):
            wrong = subprocess.run([program(), "endpoint", "fallback", "ada/from-file", *words], capture_output=True, text=True, cwd=tmp_path,
                                   env={**os.environ, "HF_ENDPOINT": server.url, "HF_TOKEN": token, "HF_HOME": str(tmp_path)})
            assert wrong.returncode != 0 and wrong.stderr, words
        run("delete", "ada/from-file")
        server.stop()
    finally:
        server.kill()
        server.remove()


@pytest.fixture(scope="module")
def admin():
    from conftest import state as running
    running["server"].create_user("endpoints-admin", "--admin")
    return running["server"].create_token("endpoints-admin")


@pytest.fixture
def engine():
    made = FakeEngine()
    yield made
    made.close()


def attach(server, admin, model, engine, **more):
    name = fresh()
    made = server.http("POST", "/api/endpoints/ada", admin, {"name": name, "model": model, "url": engine.url, "engine": "openai", **more})
    assert made.status == 201, made.body
    return name


CALL = {"model": "m", "messages": [{"role": "user", "content": "Count."}], "stream": True}


def told_of(server, name, wanted=1):
    """The log's lines on requests through this endpoint's door that have ended."""
    deadline = time.monotonic() + WAIT_SECONDS
    while True:
        lines = [json.loads(line) for line in server.log_path.read_text().splitlines() if '"model_request"' in line and name in line]
        if len(lines) >= wanted:
            return lines
        assert time.monotonic() < deadline, "nothing was told"
        time.sleep(0.05)


def test_an_attached_engines_stream_is_passed_on_and_ends_with_its_reader(filled, server, tokens, admin, engine):
    name = attach(server, admin, filled, engine)
    client = openai.OpenAI(base_url=f"{server.url}/endpoints/ada/{name}/v1", api_key=tokens["ada"], max_retries=0, timeout=60)
    stream = iter(client.chat.completions.create(max_tokens=3, **CALL))
    assert next(stream).choices[0].delta.content == "0 "  # Before the engine may say more.
    engine.go_on.release(2)
    assert [chunk.choices[0].delta.content for chunk in stream if chunk.choices] == ["1 ", "2 "]
    left = client.chat.completions.create(max_tokens=10_000_000, user="endless", **CALL)
    next(iter(left))
    left.close()
    assert engine.left.wait(WAIT_SECONDS)
    with pytest.raises(openai.BadRequestError) as refused:
        client.chat.completions.create(**{**CALL, "stream": False})
    assert refused.value.body["message"] == "only streams here"


def test_a_character_split_over_pieces_is_whole_and_an_engine_that_dies_says_so(filled, server, tokens, admin, engine):
    name = attach(server, admin, filled, engine)
    client = openai.OpenAI(base_url=f"{server.url}/endpoints/ada/{name}/v1", api_key=tokens["ada"], max_retries=0, timeout=60)
    split = client.chat.completions.create(max_tokens=2, user="split", **CALL)
    assert [chunk.choices[0].delta.content for chunk in split if chunk.choices] == ["naïve 🦦 "] * 2
    got = []
    with pytest.raises(openai.APIError) as failed:
        for chunk in client.chat.completions.create(max_tokens=3, user="dies", **CALL):
            got.append(chunk.choices[0].delta.content)
    assert got == ["0 "] and failed.value.body["type"] == "server_error", failed.value.body


def test_what_an_engine_streams_is_measured_and_its_receipt_is_sound(filled, server, tokens, admin, engine, tmp_path):
    name = attach(server, admin, filled, engine)
    assert server.http("PUT", f"/api/quotas/endpoint/ada/{name}", admin, {"tokens_day": 1000}).status == 200
    engine.go_on.release(10)
    answer = server.http("POST", f"/endpoints/ada/{name}/v1/chat/completions", tokens["ada"], {**CALL, "max_tokens": 4}, {"X-Holdfast-Receipt": "1"})
    *events, receipt, _ = answer.body.split(b"\n\n")
    assert events[-1] == b"data: [DONE]" and receipt.startswith(b": holdfast-receipt "), answer.body
    request = answer.headers["X-Request-Id"]
    line, = told_of(server, request)
    assert (line["tokens"], line["written_tokens"], line["status"]) == (9, 4, 200) and line["first_token_ms"] > 0
    assert line["output_bytes"] == answer.body.index(b": holdfast-receipt")
    assert server.http("GET", f"/api/quotas/endpoint/ada/{name}", admin).json()["limits"]["tokens_day"]["used"] == 9
    saved, key = tmp_path / "stream", server.http("GET", "/api/receipts/key").json()["key"]
    saved.write_bytes(answer.body)
    words = [program(), "receipt", "verify", str(saved), "--key", key, "--replay", str(saved), "--json"]
    sound = subprocess.run(words, capture_output=True, text=True)
    assert sound.returncode == 0 and json.loads(sound.stdout)["model"] == filled, sound.stderr
    saved.write_bytes(answer.body.replace(b"2 ", b"3 ", 1))
    assert subprocess.run(words, capture_output=True).returncode != 0
    figures = server.http("GET", "/metrics").body.decode()
    assert "holdfast_serve_time_to_first_token_seconds_bucket" in figures and "holdfast_serve_time_between_tokens_seconds_count" in figures


def test_an_engines_deterministic_answers_are_kept_and_given_again(filled, server, tokens, admin):
    engine = FakeEngine(whole={"object": "list", "data": [{"index": 0, "embedding": [0.5]}], "model": "m", "usage": {"prompt_tokens": 3, "total_tokens": 3}})
    try:
        name = attach(server, admin, filled, engine)
        own = f"/endpoints/ada/{name}/v1"

        def ask(path, body, token=tokens["ada"], **headers):
            answer = server.http("POST", f"{own}/{path}", token, body, headers)
            assert answer.status == 200, answer.body
            return answer.headers.get("X-Holdfast-Cache"), answer.body
        first, again = ask("embeddings", {"model": "m", "input": "kept?"}), ask("embeddings", {"model": "m", "input": "kept?"})
        assert (first[0], again[0]) == ("miss", "hit") and first[1] == again[1] and len(engine.seen) == 1
        assert ask("embeddings", {"model": "m", "input": "other"})[0] == "miss"
        assert ask("embeddings", {"model": "m", "input": "kept?"}, **{"Cache-Control": "no-cache"})[0] is None
        assert ask("embeddings", {"model": "m", "input": "kept?"}, tokens["bea"])[0] == "miss"  # Nobody learns what another asked.
        chat = {"model": "m", "messages": [{"role": "user", "content": "x"}]}
        assert [ask("chat/completions", {**chat, "temperature": 0})[0] for _ in range(2)] == ["miss", "hit"]
        assert [ask("chat/completions", {**chat, "temperature": 0.5})[0] for _ in range(2)] == [None, None]
        other = attach(server, admin, filled, engine)
        assert server.http("POST", f"/endpoints/ada/{other}/v1/embeddings", tokens["ada"], {"model": "m", "input": "kept?"}).headers["X-Holdfast-Cache"] == "miss"
    finally:
        engine.close()


def test_an_endpoint_that_is_deleted_leaves_no_fallbacks_behind(api, filled, server, tokens):
    name = fresh()
    api.create_inference_endpoint(name, repository=filled, **SIZE).wait(timeout=WAIT_SECONDS, refresh_every=1)
    chain = f"/api/endpoints/ada/{name}/fallback"
    assert server.http("PUT", chain, tokens["ada"], {"steps": [{"answer": {"later": True}}]}).status == 200
    api.delete_inference_endpoint(name)
    api.create_inference_endpoint(name, repository=filled, **SIZE)
    assert server.http("GET", chain, tokens["ada"]).json()["steps"] == []
    api.delete_inference_endpoint(name)


class Vault:
    """HashiCorp Vault's KV version 2, as much as reading one field takes."""

    def __init__(self, token, secrets):
        vault = self
        self.asked = []

        class Handler(BaseHTTPRequestHandler):
            def log_message(self, *arguments):
                pass

            def do_GET(self):
                vault.asked.append(self.path)
                found = secrets.get(self.path) if self.headers.get("X-Vault-Token") == token else None
                status, body = (200, {"data": {"data": found, "metadata": {"version": 3}}}) if found else (403, {"errors": ["permission denied"]})
                text = json.dumps(body).encode()
                self.send_response(status)
                self.send_header("Content-Length", str(len(text)))
                self.end_headers()
                self.wfile.write(text)

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()


def test_an_engines_secret_lies_in_the_store_a_variable_a_file_or_vault(shared, tmp_path, monkeypatch):
    values = {place: f"very-secret-{place}-7391" for place in ("stored", "environment", "file", "vault")}
    vault = Vault("vault-token-5512", {"/v1/kv/data/engines/one": {"key": values["vault"], "other": "x"}})
    (tmp_path / "vault-token").write_text("vault-token-5512\n")
    (tmp_path / "engine-key").write_text(values["file"] + "\n")
    monkeypatch.setenv("ENGINE_KEY_7391", values["environment"])
    engine = FakeEngine(whole={"choices": []})
    server = HoldfastServer(options=("--secrets.vault-url", vault.url, "--secrets.vault-token-file", str(tmp_path / "vault-token"))).start()
    try:
        for user, options in (("root", ("--admin",)), ("ada", ())):
            server.create_user(user, *options)
        root, ada = server.create_token("root"), server.create_token("ada")
        api = HfApi(endpoint=server.url, token=ada)
        api.create_repo("ada/mask")
        api.upload_folder(repo_id="ada/mask", folder_path=shared / "models" / MASK)
        reference = {"environment": "ENGINE_KEY_7391", "file": str(tmp_path / "engine-key"), "vault": "kv/engines/one#key"}
        for place, value in values.items():
            wish = {"place": place, "host": "127.0.0.1", **({"value": value} if place == "stored" else {"reference": reference[place]})}
            assert server.http("PUT", f"/api/secrets/{place}", root, wish).status == 200
            made = server.http("POST", "/api/endpoints/ada", root, {"name": place, "model": "ada/mask", "url": engine.url, "engine": "vllm", "secret": place})
            assert made.status == 201 and made.json()["attachments"][0]["secret"] == place, made.body
            answer = server.http("POST", f"/endpoints/ada/{place}/v1/chat/completions", ada, {"messages": []})
            assert answer.status == 200, answer.body
            assert engine.seen[-1][1]["Authorization"] == f"Bearer {value}"
        for host, wanted in (("elsewhere.example", 403), ("127.0.0.1", 200)):  # A secret goes to its own host only.
            assert server.http("PUT", "/api/secrets/stored", root, {"place": "stored", "host": host, "value": values["stored"]}).status == 200
            assert server.http("POST", "/endpoints/ada/stored/v1/chat/completions", ada, {"messages": []}).status == wanted
        assert server.http("PUT", "/api/secrets/vault", root, {"place": "vault", "reference": "kv/engines/none#key"}).status == 200
        lost = server.http("POST", "/endpoints/ada/vault/v1/chat/completions", ada, {"messages": []})
        assert lost.status >= 500 and "error" in lost.json() and "kv/" not in lost.body.decode()
        assert server.http("POST", "/api/endpoints/ada", ada, {"name": "mine", "model": "ada/mask", "url": "https://engine.example", "engine": "openai", "secret": "stored"}).status == 403
        described = tmp_path / "endpoint.yaml"
        described.write_text(f"name: ada/by-file\nmodel: ada/mask\nurl: {engine.url}\nengine: tgi\nsecret: file\n")
        made = subprocess.run([program(), "endpoint", "create", "--file", str(described), "--json"], capture_output=True, text=True,
                              env={**os.environ, "HF_ENDPOINT": server.url, "HF_TOKEN": root})
        assert made.returncode == 0 and json.loads(made.stdout)["engine"] == "tgi", made.stderr
        shown = server.http("GET", "/api/secrets", root).body.decode() + server.http("GET", "/api/endpoints", ada).body.decode()
        command_line = Path(f"/proc/{server.process.pid}/cmdline").read_bytes()
        server.stop()
        # What `strings` finds in an image of the machine's disk, of a backup, of what is exported and of the program: in clear, and as what keeps texts writes them.
        for command, folder in (("backup", tmp_path / "saved"), ("instance", tmp_path / "left")):
            words = [command, str(folder)] if command == "backup" else [command, "export", str(folder)]
            done = subprocess.run([program(), *words, "--data", server.folder], capture_output=True, text=True)
            assert done.returncode == 0, done.stderr
        images = [file for folder in (Path(server.data), tmp_path / "saved", tmp_path / "left") for file in folder.rglob("*") if file.is_file()]
        assert len(images) > 20 and any("holdfast.db" in file.name for file in images) and server.log_path.exists()
        for value in [*values.values(), "vault-token-5512"]:
            assert value not in shown and value.encode() not in command_line
            raw = value.encode()
            forms = [raw, value.encode("utf-16-le"), raw.hex().encode(), raw.hex().upper().encode(), raw[::-1], *(base64.b64encode(b"x" * shift + raw)[4:-4] for shift in range(3))]
            for file in [*images, server.log_path, Path(program())]:
                content = file.read_bytes()
                if file.suffix == ".gz":
                    content += gzip.decompress(content)
                assert not any(form in content for form in forms), (value, file)
    finally:
        server.kill()
        server.remove()
        engine.close()
        vault.server.shutdown()
