"""serve --model: one program and a name on a bare machine; afterwards the hub it came from may be gone."""
import json
import os
import shutil
import signal
import subprocess
import time
from pathlib import Path

import pytest
from fake_upstream import FakeUpstream, Repository
from holdfast_server import HoldfastServer, program

GOLDEN = Path(__file__).resolve().parents[1] / "golden/models/feature-extraction"


@pytest.fixture
def bare(monkeypatch):
    """Servers of their own that know of no hub but by what they are told."""
    made = []

    def start(options, data=None, **environment):
        with monkeypatch.context() as alone:
            for name in ("HF_ENDPOINT", "HF_TOKEN"):
                alone.delenv(name, raising=False)
            for name, value in environment.items():
                alone.setenv(name, value)
            made.append(HoldfastServer(data=data, options=options))
            return made[-1].start()

    yield start
    for server in made:
        if server.process and server.process.poll() is None:
            server.kill()
        server.remove()


def admin_of(server):
    return next(event["token"] for event in server.events if event.get("event") == "first_admin")


def embed(server, token, model):
    answer = server.http("POST", "/v1/embeddings", token, {"model": model, "input": "a quiet river"})
    assert answer.status == 200, answer.body
    own = server.http("POST", f"/endpoints/{model}/embed", token, {"inputs": "a quiet river"})
    assert own.status == 200, own.body
    return answer.json()["data"][0]["embedding"], own.json()[0]


def test_a_model_is_taken_over_once_and_served_without_its_hub(server, api, tokens, name, bare):
    api.create_repo(name, private=True)
    api.upload_folder(repo_id=name, folder_path=GOLDEN)
    commit = api.model_info(name).sha
    wanted = ["--model", f"{name}@{commit}", "--model-from", server.url]
    first = bare(wanted, HF_TOKEN=tokens["ada"])
    token, data = admin_of(first), first.data
    assert first.http("GET", "/readyz").status == 200
    vectors = embed(first, token, name)
    endpoint, = first.http("GET", "/api/endpoints", token).json()["endpoints"]
    assert first.http("GET", f"/api/models/{name}/revision/main", token).json()["sha"] == endpoint["revision"]
    assert first.http("GET", f"/api/models/{name}/revision/{commit}", token).status == 200
    first.stop()
    # Nothing answers at that address any more, and no token is there.
    second = bare(["--model", f"{name}@{commit}", "--model-from", "http://127.0.0.1:1"], data=data)
    assert embed(second, token, name) == vectors
    second.stop()


def test_what_is_not_there_ends_the_start_and_says_why(server, bare, tmp_path):
    for model, source, word in (("ada/absent", server.url, "not found"), ("ada/absent", "", "--model-from"), ("no name", server.url, "name")):
        done = subprocess.run([program(), "serve", "--listen", "127.0.0.1:0", "--data", str(tmp_path / "data"), "--model", model,
                               *(["--model-from", source] if source else [])], capture_output=True, text=True, timeout=60,
                              env={key: value for key, value in os.environ.items() if not key.startswith("HF_")})
        assert done.returncode != 0 and word.lower() in done.stderr.lower(), (model, source, done.stderr)


def test_a_start_that_waits_for_its_model_can_be_stopped(tmp_path):
    """Signals are held back until the server waits for them: while the model comes it must look for itself."""
    fake = FakeUpstream()
    head = json.dumps({"w": {"dtype": "U8", "shape": [8_000_000], "data_offsets": [0, 8_000_000]}}).encode()
    fake.repositories["lab/slow"] = Repository({"model.safetensors": len(head).to_bytes(8, "little") + head + bytes(8_000_000)})
    fake.slow = 1  # Seconds a piece: longer than this test waits.
    log = tmp_path / "log"
    with log.open("wb") as out:
        server = subprocess.Popen([program(), "serve", "--listen", "127.0.0.1:0", "--data", str(tmp_path / "data"), "--model", "lab/slow", "--model-from",
                                   fake.url], stdout=subprocess.DEVNULL, stderr=out, env={key: value for key, value in os.environ.items() if not key.startswith("HF_")})
    try:
        deadline = time.monotonic() + 60
        while b"model_comes" not in log.read_bytes():
            assert server.poll() is None and time.monotonic() < deadline, log.read_text()
            time.sleep(0.05)
        server.send_signal(signal.SIGTERM)
        assert server.wait(60) != 0 and "stopped while the model came" in log.read_text()
    finally:
        server.kill()
        fake.close()


def test_a_folder_is_served_and_another_takes_its_place(bare, tmp_path):
    first, second = "a" * 40, "b" * 40
    folder = tmp_path / "model"
    shutil.copytree(GOLDEN, folder)
    server = bare(["--model", f"lab/bert@{first}", "--model-from", str(folder)])
    token, data = admin_of(server), server.data
    vectors = embed(server, token, "lab/bert")
    assert server.http("GET", f"/api/models/lab/bert/revision/{first}", token).json()["private"]
    server.stop()
    # The folder may go: its files are here.
    shutil.rmtree(folder)
    server = bare(["--model", f"lab/bert@{first}", "--model-from", str(folder)], data=data)
    assert embed(server, token, "lab/bert") == vectors
    server.stop()
    shutil.copytree(GOLDEN, folder)
    (folder / "README.md").write_text("---\nlicense: mit\n---\n# The next\n")
    server = bare(["--model", f"lab/bert@{second}", "--model-from", str(folder)], data=data)
    assert embed(server, token, "lab/bert") == vectors
    endpoint, = server.http("GET", "/api/endpoints", token).json()["endpoints"]
    now = server.http("GET", "/api/models/lab/bert/revision/main", token).json()
    assert now["sha"] == endpoint["revision"] and "README.md" in {row["rfilename"] for row in now["siblings"]}
    assert server.http("GET", f"/api/models/lab/bert/revision/{first}", token).status == 200
    server.stop()


def test_a_folder_that_may_not_come_in_ends_the_start_and_leaves_nothing(bare, tmp_path):
    folder, data = tmp_path / "model", tmp_path / "data/server"
    data.parent.mkdir()
    shutil.copytree(GOLDEN, folder)
    (folder / "pytorch_model.bin").write_bytes(b"\x80\x04cos\nsystem\n\x8c\x02idR.")
    for model, source, word in ((f"lab/bert@{'a' * 40}", folder, "pytorch_model.bin"), ("lab/bert", folder, "40 hexadecimal"),
                                (f"lab/bert@{'a' * 40}", tmp_path / "absent", "neither")):
        done = subprocess.run([program(), "serve", "--listen", "127.0.0.1:0", "--data", str(data), "--model", model, "--model-from", str(source)],
                              capture_output=True, text=True, timeout=60, env={key: value for key, value in os.environ.items() if not key.startswith("HF_")})
        assert done.returncode != 0 and word in done.stderr, done.stderr
    server = bare([], data=str(data.parent))
    token = server.create_token("admin")
    assert server.http("GET", "/api/models", token).json() == []
    server.stop()
