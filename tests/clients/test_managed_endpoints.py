"""huggingface_hub's own management of Inference Endpoints against ours: made, waited for, paused, resumed, scaled to zero, deleted."""
import time
import uuid

import pytest
import requests
from huggingface_hub import HfApi, InferenceClient, constants
from huggingface_hub.errors import HfHubHTTPError, InferenceEndpointError

from holdfast_server import HoldfastServer

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
    import json
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
        assert " scaledToZero " in run("scale-to-zero", "ada/from-file")
        run("delete", "ada/from-file")
        server.stop()
    finally:
        server.kill()
        server.remove()


class Engine:
    """Somebody else's server: sends a piece when it is told to, and notes when its reader has left."""

    def __init__(self):
        import http.server
        import threading
        engine = self
        self.go_on, self.left = threading.Semaphore(0), threading.Event()

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *arguments):
                pass

            def do_POST(self):
                import json
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                if not body.get("stream"):
                    text = json.dumps({"error": {"message": "only streams here", "type": "invalid_request_error", "param": None, "code": None}}).encode()
                    self.send_response(400)
                    self.send_header("Content-Type", "application/json")
                    self.send_header("Content-Length", str(len(text)))
                    self.end_headers()
                    self.wfile.write(text)
                    return
                self.send_response(200)
                self.send_header("Content-Type", "text/event-stream")
                self.send_header("Connection", "close")
                self.end_headers()
                try:
                    for number in range(body["max_tokens"]):
                        if number and body.get("user") != "endless":
                            engine.go_on.acquire()
                        elif number:
                            time.sleep(0.01)
                        chunk = {"id": "x", "object": "chat.completion.chunk", "created": 1, "model": "m",
                                 "choices": [{"index": 0, "delta": {"content": f"{number} "}, "finish_reason": None}]}
                        self.wfile.write(f"data: {json.dumps(chunk)}\n\n".encode())
                        self.wfile.flush()
                    self.wfile.write(b"data: [DONE]\n\n")
                except OSError:
                    engine.left.set()
                self.close_connection = True

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()


def test_an_attached_engines_stream_is_passed_on_and_ends_with_its_reader(filled, server, tokens):
    import openai
    engine, name = Engine(), fresh()
    admin_name = f"admin-{uuid.uuid4().hex[:6]}"
    server.create_user(admin_name, "--admin")
    admin = server.create_token(admin_name)
    made = server.http("POST", "/api/endpoints/ada", admin, {"name": name, "model": filled, "url": engine.url, "engine": "openai"})
    assert made.status == 201, made.body
    client = openai.OpenAI(base_url=f"{server.url}/endpoints/ada/{name}/v1", api_key=tokens["ada"], max_retries=0, timeout=60)
    call = {"model": "m", "messages": [{"role": "user", "content": "Count."}], "stream": True}
    stream = iter(client.chat.completions.create(max_tokens=3, **call))
    assert next(stream).choices[0].delta.content == "0 "  # Before the engine may say more.
    engine.go_on.release(2)
    assert [chunk.choices[0].delta.content for chunk in stream] == ["1 ", "2 "]
    left = client.chat.completions.create(max_tokens=10_000_000, user="endless", **call)
    next(iter(left))
    left.close()
    assert engine.left.wait(WAIT_SECONDS)
    with pytest.raises(openai.BadRequestError) as refused:
        client.chat.completions.create(**{**call, "stream": False})
    assert refused.value.body["message"] == "only streams here"
    engine.server.shutdown()
