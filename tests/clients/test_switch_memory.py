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
