"""What memory two versions of an endpoint need while one takes over from the other is shown before, and a switch that does not fit is refused."""
import os
import subprocess
import time
from pathlib import Path

import pytest
from holdfast_server import HoldfastServer, program
from huggingface_hub import HfApi
from many_calls import worker_pids

NAME = "ada/switched-model"
MIB = 1 << 20


@pytest.fixture(scope="module")
def hub():
    data = Path(os.environ.get("HOLDFAST_SHARED") or Path(__file__).resolve().parents[3] / "shared") / "data/models/pipelines/text-classification"
    if not data.is_dir():
        pytest.skip(f"SKIPPED: no reference data at {data}; set HOLDFAST_SHARED")
    server = HoldfastServer(options=["--limits.worker-memory", "64MiB"]).start()
    try:
        server.create_user("ada")
        server.token = server.create_token("ada")
        api = server.api = HfApi(endpoint=server.url, token=server.token)
        api.create_repo(NAME)
        api.upload_folder(repo_id=NAME, folder_path=data)
        server.first = api.model_info(NAME).sha
        api.upload_file(repo_id=NAME, path_or_fileobj=b"x" * (80 * MIB), path_in_repo="extra.safetensors")  # Only its size matters here.
        server.large = api.model_info(NAME).sha
        assert server.http("POST", "/api/endpoints/ada", server.token, {"name": "s", "model": NAME, "revision": server.first, "min_replicas": 1}).status == 201
        until(lambda: state(server) == "running")
        yield server
        server.stop()
    finally:
        server.kill()
        server.remove()


def until(reached):
    deadline = time.monotonic() + 60
    while not reached():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def state(hub):
    return hub.http("GET", "/api/endpoints/ada/s", hub.token).json()["state"]


def foresee(hub, revision):
    answer = hub.http("POST", "/api/endpoints/ada/s/foresee", hub.token, {"revision": revision})
    assert answer.status == 200, answer.body
    return answer.json()


def resident(pid):
    fields = dict(line.split(":", 1) for line in Path(f"/proc/{pid}/status").read_text().splitlines())
    return sum(int(fields[name].split()[0]) for name in ("RssAnon", "RssFile", "RssShmem")) << 10


def test_what_both_versions_need_is_shown_and_nothing_is_changed(hub):
    assert hub.http("POST", "/endpoints/ada/s", hub.token, {"inputs": "x"}).status == 200
    told = foresee(hub, hub.large)
    (pid,) = worker_pids(hub)
    memory = told["memory"]
    assert told["revision"] == hub.large and memory["standing_bytes"] == pytest.approx(resident(pid), rel=0.2)
    assert 80 * MIB < memory["next_bytes"] and memory["free_bytes"] < 64 * MIB - memory["standing_bytes"] * 0.8 and memory["fits"] is False
    own = foresee(hub, hub.first)["memory"]
    assert own["next_bytes"] == 0 and own["fits"] is True
    shown = subprocess.run([program(), "endpoint", "update", "ada/s", "--model", f"{NAME}@{hub.large}", "--foresee", "--endpoint", hub.url, "--token", hub.token], capture_output=True, text=True)
    assert shown.returncode == 0 and "both do not fit" in shown.stdout, shown
    assert state(hub) == "running" and hub.http("GET", "/api/endpoints/ada/s", hub.token).json()["revision"] == hub.first


def test_a_switch_that_does_not_fit_is_refused_by_every_door_and_the_old_version_goes_on(hub):
    for path, body in (("/api/endpoints/ada/s", {"revision": hub.large}), ("/api/inference-endpoints/v2/endpoint/ada/s", {"model": {"repository": NAME, "revision": hub.large}})):
        refused = hub.http("PUT", path, hub.token, body)
        assert refused.status == 503 and "both versions at once need" in refused.json()["error"], refused.body
    assert hub.http("PUT", "/api/endpoints/ada/s", hub.token, {"max_replicas": 2}).status == 200
    answer = hub.http("POST", "/endpoints/ada/s", hub.token, {"inputs": "x"})
    assert answer.status == 200 and answer.headers["X-Model-Revision"] == hub.first


def test_who_knows_better_or_pauses_it_first_changes_it(hub):
    changed = hub.http("PUT", "/api/endpoints/ada/s?memory=unchecked", hub.token, {"revision": hub.large})
    assert changed.status == 200
    until(lambda: state(hub) in ("running", "updateFailed"))
    assert hub.http("PUT", "/api/endpoints/ada/s", hub.token, {"revision": hub.first}).status == 200
    until(lambda: state(hub) == "running")
    assert hub.http("POST", "/api/endpoints/ada/s/pause", hub.token).status == 200
    until(lambda: foresee(hub, hub.large)["memory"]["standing_bytes"] == 0)
    assert hub.http("PUT", "/api/endpoints/ada/s", hub.token, {"revision": hub.large}).status == 200


RECORD = """record: ada/sorter
use: Sort messages.
owner: support
tier: prototype
model: ada/released-model
task: text-classification
features: [sorting]
deployment: {kind: local, canary_percent: 50}
"""


def test_a_release_that_does_not_fit_beside_the_one_that_answers_is_refused(hub):
    """Of a server that has the endpoint's worker too, which takes its part of the memory."""
    data = Path(os.environ.get("HOLDFAST_SHARED") or Path(__file__).resolve().parents[3] / "shared") / "data/models/pipelines/text-classification"
    name, call = "ada/released-model", lambda method, path, body=None, **headers: hub.http(method, path, hub.token, body, headers)
    hub.api.create_repo(name)
    hub.api.upload_folder(repo_id=name, folder_path=data)
    hub.api.upload_file(repo_id=name, path_or_fileobj=b"---\nlicense: apache-2.0\n---\n# Sorter\nSorts messages.\n", path_in_repo="README.md")
    first = hub.api.model_info(name).sha
    hub.api.upload_file(repo_id=name, path_or_fileobj=b"x" * (80 * MIB), path_in_repo="extra.safetensors")
    large = hub.api.model_info(name).sha
    made = call("PUT", "/api/registry/records/ada/sorter", RECORD.encode(), **{"Content-Type": "application/yaml"})
    assert made.status == 201, made.body
    releases = "/api/registry/records/ada/sorter/releases"
    assert call("POST", releases, {"revision": first}).status == 201
    told = call("GET", f"{releases}/1/foresee").json()
    assert told == {"record": "ada/sorter", "release": 1, "memory": None}, "nothing stands beside it"
    for _ in range(4):
        state = call("POST", f"{releases}/1/promote", {"reason": "go"})
        assert state.status == 200, state.body
        if state.json()["state"] == "deployed":
            break
    assert call("POST", releases, {"revision": large}).status == 201
    told = call("GET", f"{releases}/2/foresee").json()["memory"]
    # Nothing asked the first one yet: its files count, as they are loaded with the next request.
    assert told["standing"] == 1 and told["standing_bytes"] > 0 and told["next_bytes"] > 80 * MIB and told["fits"] is False
    shown = subprocess.run([program(), "release", "foresee", "ada/sorter", "2", "--endpoint", hub.url, "--token", hub.token], capture_output=True, text=True)
    assert shown.returncode == 1 and "both do not fit" in shown.stdout, shown
    for verb in ("promote", "canary", "deploy"):
        refused = call("POST", f"{releases}/2/{verb}", {"reason": "go"})
        assert refused.status == 503 and "both versions at once need" in refused.json()["error"], refused.body
    assert call("GET", f"{releases}/2").json()["state"] == "candidate"
    assert call("POST", f"{releases}/2/promote?memory=unchecked", {"reason": "go"}).status == 200
    assert call("GET", f"{releases}/2").json()["state"] != "candidate"
