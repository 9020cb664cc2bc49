"""What an endpoint stands on is taken away in turn: the hub's folders, writing to the database, the collector of traces. Endpoints that
were deployed go on answering, also when their worker dies meanwhile, and the server says what does not work."""
import os
import signal
import sqlite3
import time
from pathlib import Path

import pytest
from holdfast_server import HoldfastServer
from huggingface_hub import HfApi
from many_calls import Caller, metric, worker_pids

PATIENCE_SECONDS = 120
NOWHERE = "http://127.0.0.1:9"  # The discard port, where nobody listens.


def until(reached, what):
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not (found := reached()):
        assert time.monotonic() < deadline, what
        time.sleep(0.1)
    return found


@pytest.fixture(scope="module")
def hub():
    data = Path(os.environ.get("HOLDFAST_SHARED") or Path(__file__).resolve().parents[3] / "shared") / "data/models/pipelines"
    if not data.is_dir():
        pytest.skip(f"SKIPPED: no reference data at {data}; set HOLDFAST_SHARED")
    server = HoldfastServer(options=["--cache.answers", "0", "--traces.endpoint", NOWHERE]).start()
    try:
        server.create_user("ada")
        server.token = server.create_token("ada")
        api = HfApi(endpoint=server.url, token=server.token)
        api.create_repo("ada/labels")
        api.upload_folder(repo_id="ada/labels", folder_path=data / "text-classification")
        assert server.http("POST", "/api/endpoints/ada", server.token, {"name": "stands", "model": "ada/labels", "min_replicas": 1}).status == 201
        until(lambda: server.http("GET", "/endpoints/ada/stands/health", server.token).status == 200, "the endpoint does not run")
        yield server
        server.stop()
    finally:
        server.kill()
        server.remove()


def degraded(hub):
    answer = hub.http("GET", "/readyz")
    assert answer.status == 200 and answer.json()["status"] == "ready"
    return [part.split(":")[0] for part in answer.json().get("degraded", [])]


def assert_answers(hub):
    caller = Caller(hub, hub.token)
    assert [caller.ask("/endpoints/ada/stands", {"inputs": "the sea"})[0] for _ in range(5)] == [200] * 5
    for pid in worker_pids(hub):
        os.kill(pid, signal.SIGKILL)
    assert [caller.ask("/endpoints/ada/stands", {"inputs": "the sea"})[0] for _ in range(5)] == [200] * 5


def test_without_a_collector_of_traces(hub):
    assert_answers(hub)
    until(lambda: metric(hub, "holdfast_degraded", function="traces") == 1, "the collector is not missed")
    assert degraded(hub) == []


def test_without_the_hubs_folders(hub):
    folders = [Path(hub.folder) / name for name in ("git", "content")]
    for folder in folders:
        folder.rename(folder.with_suffix(".away"))
    try:
        assert_answers(hub)
        until(lambda: degraded(hub) == ["hub"], "the hub's folders are not missed")
        assert metric(hub, "holdfast_degraded", function="hub") == 1
    finally:
        for folder in folders:
            folder.with_suffix(".away").rename(folder)
    until(lambda: degraded(hub) == [], "the hub does not come back")
    assert_answers(hub)


def test_without_writing_to_the_database(hub):
    holder = sqlite3.connect(Path(hub.folder) / "holdfast.db", isolation_level=None, timeout=60)
    holder.execute("BEGIN IMMEDIATE")
    try:
        assert_answers(hub)
        until(lambda: degraded(hub) == ["database"], "the database is not missed")
        assert_answers(hub)
    finally:
        holder.execute("ROLLBACK")
        holder.close()
    until(lambda: degraded(hub) == [], "the database does not come back")
