"""What an endpoint stands on is taken away in turn: the hub's folders, writing to the database, the database itself, the collector of
traces. Endpoints that were deployed go on answering, also when their worker dies meanwhile, and the server says what does not work."""
import json
import os
import shutil
import signal
import sqlite3
import subprocess
import tempfile
import threading
import time
from collections import Counter
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
    assert Caller(hub, hub.token).ask("/models/ada/labels", {"inputs": "the sea"})[0] == 200
    folders = [Path(hub.folder) / name for name in ("git", "content")]
    for folder in folders:
        folder.rename(folder.with_suffix(".away"))
    try:
        assert_answers(hub)
        assert Caller(hub, hub.token).ask("/models/ada/labels", {"inputs": "the sea"})[0] == 200
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


FAULTS = Path(os.environ.get("HOLDFAST_FAULTS") or Path(__file__).resolve().parents[2] / "build/dev/lib/fault_preload.so")


@pytest.fixture
def alone(shared, tmp_path):
    """A server whose disk can be made full, with an endpoint that runs; a fresh one, as its database does not come back."""
    if not FAULTS.exists():
        if os.environ.get("HOLDFAST_NO_SKIP") == "1":
            pytest.fail(f"{FAULTS} is not built: ninja -C build/dev fault_preload")
        pytest.skip(f"SKIPPED: {FAULTS} is not built: ninja -C build/dev fault_preload")
    data = tmp_path / "data"
    data.mkdir()
    server = HoldfastServer(data, options=["--cache.answers", "0"])
    server.full = tmp_path / "disk-is-full"
    server.environment = {"LD_PRELOAD": str(FAULTS), "HOLDFAST_FAULT_ROOT": server.folder, "HOLDFAST_FAULT_FULL_FILE": str(server.full)}
    server.own_group = True
    try:
        server.start()
        server.create_user("ada")
        server.create_user("bea")
        server.token, server.stranger = server.create_token("ada"), server.create_token("bea")
        server.api = HfApi(endpoint=server.url, token=server.token)
        server.api.create_repo("ada/labels")
        server.api.upload_folder(repo_id="ada/labels", folder_path=shared / "models/pipelines/text-classification")
        assert server.http("POST", "/api/endpoints/ada", server.token, {"name": "stands", "model": "ada/labels", "min_replicas": 1}).status == 201
        until(lambda: server.http("GET", "/endpoints/ada/stands/health", server.token).status == 200, "the endpoint does not run")
        assert Caller(server, server.token).ask("/endpoints/ada/stands", {"inputs": "the sea"})[0] == 200
        yield server
    finally:
        server.kill()


def test_with_a_full_disk(alone):
    alone.full.touch()
    assert_answers(alone)
    until(lambda: "disk" in degraded(alone), "the disk is not missed")
    assert metric(alone, "holdfast_degraded", function="disk") == 1
    assert_answers(alone)
    refused = alone.http("POST", "/api/repos/create", alone.token, {"name": "another"})
    assert refused.status in (500, 502, 503, 507) and refused.json()["error"], refused.body
    assert_answers(alone)
    alone.full.unlink()
    until(lambda: degraded(alone) == [], "the disk does not come back")
    assert alone.http("POST", "/api/repos/create", alone.token, {"name": "another"}).status == 200
    assert_answers(alone)
    alone.stop()


def test_with_a_database_that_cannot_be_read(alone):
    """Its file is overwritten under the running server. Its connections know for a while what they have read, so nobody can say how much of it is
    missed when; what holds at every moment is that those who were let in are answered, and that the damage is told."""
    for name in ("holdfast.db", "holdfast.db-wal"):
        file = Path(alone.folder) / name
        if file.exists():
            with open(file, "r+b") as text:
                text.write(os.urandom(file.stat().st_size))
    for _ in range(3):
        assert_answers(alone)
        # Others by what of it is still known.
        assert Caller(alone, alone.stranger).ask("/endpoints/ada/stands", {"inputs": "the sea"})[0] in (200, 500, 502)
        assert alone.http("GET", "/api/models", alone.token).status in (200, 500, 502)
    until(lambda: "database" in degraded(alone), "the damage is not told")
    assert metric(alone, "holdfast_degraded", function="database") == 1
    assert_answers(alone)


class PostgreSQL:
    """A server of our own in a folder that everybody may enter, on a socket only."""

    def __init__(self):
        found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
        if not found:
            if os.environ.get("HOLDFAST_NO_SKIP") == "1":
                pytest.fail("there is no PostgreSQL here; install the Debian package postgresql")
            pytest.skip("SKIPPED: there is no PostgreSQL here; install the Debian package postgresql")
        self.programs, self.folder = found[-1].parent, tempfile.mkdtemp(prefix="holdfast-pg-")
        self.runner = ["runuser", "-u", "nobody", "--"] if os.geteuid() == 0 else []
        if self.runner:
            shutil.chown(self.folder, "nobody")
        self.run("initdb", "-A", "trust", "-U", "holdfast", "-D", f"{self.folder}/data")
        self.url = f"postgresql://holdfast@/postgres?host={self.folder}"

    def run(self, program, *words):
        subprocess.run([*self.runner, str(self.programs / program), *words], check=True, cwd="/", stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def start(self):
        options = f"-c listen_addresses= -c unix_socket_directories={self.folder} -c fsync=off"
        self.run("pg_ctl", "-w", "-D", f"{self.folder}/data", "-l", f"{self.folder}/log", "-o", options, "start")

    def stop(self):
        self.run("pg_ctl", "-w", "-m", "immediate", "-D", f"{self.folder}/data", "stop")


def test_without_the_database(shared):
    """PostgreSQL is stopped under load: who was let in before is let in, who was not is not, and all comes back with it."""
    postgresql = PostgreSQL()
    postgresql.start()
    server = HoldfastServer(options=["--database", postgresql.url, "--cache.answers", "0"])
    running = True
    try:
        for name in ("ada", "bea"):
            server.command("user", "create", name, "--database", postgresql.url)
        made = [json.loads(server.command("token", "create", "--user", name, "--name", "test", "--role", "write", "--json", "--database", postgresql.url))
                for name in ("ada", "bea", "ada")]
        ada, bea, again = (one["token"] for one in made)
        server.start()
        api = HfApi(endpoint=server.url, token=ada)
        api.create_repo("ada/labels")
        api.upload_folder(repo_id="ada/labels", folder_path=shared / "models/pipelines/text-classification")
        assert server.http("POST", "/api/endpoints/ada", ada, {"name": "stands", "model": "ada/labels", "min_replicas": 1}).status == 201
        until(lambda: server.http("GET", "/endpoints/ada/stands/health", ada).status == 200, "the endpoint does not run")
        path, body = "/endpoints/ada/stands", {"inputs": "the sea"}
        assert [Caller(server, token).ask(path, body)[0] for token in (ada, again)] == [200, 200]
        by_name = "/models/ada/labels"
        assert Caller(server, ada).ask(by_name, body)[0] == 200
        seen, stop = [], threading.Event()

        def ask():
            caller = Caller(server, ada)
            while not stop.is_set():
                seen.append(caller.ask(path, body)[0])

        asking = [threading.Thread(target=ask) for _ in range(4)]
        for thread in asking:
            thread.start()
        postgresql.stop()
        running = False
        before = len(seen)
        until(lambda: [part.split(":")[0] for part in server.http("GET", "/healthz").json().get("degraded", [])] == ["database"], "the database is not missed")
        assert degraded(server) == ["database"] and metric(server, "holdfast_degraded", function="database") == 1
        until(lambda: len(seen) >= before + 40, "nothing is answered")
        assert Caller(server, bea).ask(path, body)[0] == 502, "a caller whom it does not know"
        assert Caller(server, "hf_" + "x" * 34).ask(path, body)[0] == 502
        # A model by its own name answers whom it answered; for others nobody can look.
        assert Caller(server, ada).ask(by_name, body)[0] == 200
        assert Caller(server, again).ask(by_name, body)[0] == 502 and Caller(server, ada).ask(by_name + "/predict", {"inputs": "x"})[0] == 200
        assert Caller(server, ada).ask("/models/ada/unknown", body)[0] == 502
        for pid in worker_pids(server):
            os.kill(pid, signal.SIGKILL)
        reached = len(seen)
        until(lambda: len(seen) >= reached + 40, "nothing is answered without a worker that was there")
        postgresql.start()
        running = True
        until(lambda: degraded(server) == [], "the database does not come back")
        stop.set()
        for thread in asking:
            thread.join()
        assert set(seen) == {200}, Counter(seen)
        # What was known does not outlive the database's word.
        server.command("token", "revoke", str(made[2]["id"]), "--database", postgresql.url)
        until(lambda: Caller(server, again).ask(path, body)[0] == 401, "a revoked token lives on")
        assert Caller(server, ada).ask(path, body)[0] == 200
        server.stop()
    finally:
        server.kill()
        if running:
            postgresql.stop()
        server.remove()
        shutil.rmtree(postgresql.folder, ignore_errors=True)
