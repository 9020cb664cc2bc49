"""The LFS door as its clients use it: bytes put without any header, large objects in parts by huggingface_hub and by its
agent inside git-lfs, and no bytes for those who may not name them."""
import hashlib
import io
import os
import random
import re
import subprocess
import sys
import urllib.parse
from pathlib import Path

import pytest
from holdfast_server import HoldfastServer

PART = 128 << 10
BASIC, IN_PARTS = 10_200_000, 81 * PART + 12345  # Above 10 MB, so that both are LFS files; parts start above 80 of them: 10.5 MB.


def noise(size, seed):
    return random.Random(seed).randbytes(size)


@pytest.fixture(scope="module")
def lfs_server():
    """A server of its own, whose parts are small."""
    server = HoldfastServer(options=["--limits.lfs-part", str(PART)]).start()
    try:
        for name in ("ada", "bea"):
            server.create_user(name)
        server.tokens = {name: server.create_token(name) for name in ("ada", "bea")}
        yield server
        server.stop()
    finally:
        server.remove()


@pytest.fixture
def lfs_api(lfs_server):
    from huggingface_hub import HfApi
    return HfApi(endpoint=lfs_server.url, token=lfs_server.tokens["ada"])


@pytest.fixture
def lfs_repo(lfs_api, name):
    lfs_api.create_repo(name)
    return name


def batch(server, repo, token, operation, *contents, transfers=("basic",)):
    objects = [{"oid": hashlib.sha256(data).hexdigest(), "size": len(data)} for data in contents]
    return server.http("POST", f"/{repo}.git/info/lfs/objects/batch", token,
                       {"operation": operation, "transfers": list(transfers), "objects": objects, "hash_algo": "sha256"})


def local(server, href):
    assert href.startswith(server.url), href
    return href[len(server.url):]


def routes_of(server):
    return set(re.findall(r'"route":"(lfs_[a-z_]+)"', server.log(10_000)))


@pytest.mark.parametrize("size", [BASIC, IN_PARTS], ids=["whole", "in parts"])
def test_an_open_file_goes_by_lfs_and_comes_back(lfs_server, lfs_api, lfs_repo, tmp_path, size):
    data = noise(size, size)
    lfs_api.upload_file(path_or_fileobj=io.BytesIO(data), path_in_repo="m.bin", repo_id=lfs_repo)
    assert Path(lfs_api.hf_hub_download(lfs_repo, "m.bin", local_dir=tmp_path)).read_bytes() == data
    assert ("lfs_complete" if size == IN_PARTS else "lfs_upload") in routes_of(lfs_server)
    assert not list((lfs_server.data / "server/uploads").glob("*"))


def test_a_put_needs_no_header_and_its_address_opens_nothing_else(lfs_server, lfs_repo):
    data, token = b"a few bytes" * 100, lfs_server.tokens["ada"]
    [entry] = batch(lfs_server, lfs_repo, token, "upload", data).json()["objects"]
    href = local(lfs_server, entry["actions"]["upload"]["href"])
    assert lfs_server.http("PUT", href, body=data[:-1] + b"!").status == 400
    assert lfs_server.http("PUT", href, body=data[:-1]).status == 400
    assert lfs_server.http("PUT", href.replace(entry["oid"], "0" * 64), body=data).status == 403
    assert lfs_server.http("PUT", urllib.parse.urlsplit(href).path, body=data, token=token).status == 403
    assert lfs_server.http("GET", href).status == 403
    assert "actions" in batch(lfs_server, lfs_repo, token, "upload", data).json()["objects"][0]
    assert lfs_server.http("PUT", href, body=data).status == 200
    assert "actions" not in batch(lfs_server, lfs_repo, token, "upload", data).json()["objects"][0]


def test_nobody_is_told_of_bytes_that_others_have(lfs_server, lfs_repo, lfs_api, name):
    data = noise(BASIC, 7)
    secret = f"{name}-secret"
    lfs_api.create_repo(secret, private=True)
    lfs_api.upload_file(path_or_fileobj=io.BytesIO(data), path_in_repo="m.bin", repo_id=secret)
    bea = lfs_server.tokens["bea"]
    assert batch(lfs_server, secret, bea, "download", data).status == 404
    assert batch(lfs_server, lfs_repo, bea, "download", data).json()["objects"][0]["error"]["code"] == 404
    assert "actions" in batch(lfs_server, lfs_repo, bea, "upload", data).json()["objects"][0]
    assert batch(lfs_server, lfs_repo, None, "upload", data).status == 401


@pytest.mark.parametrize("size", [BASIC, IN_PARTS], ids=["whole", "in parts"])
def test_git_lfs_pushes_and_fetches_objects(lfs_server, lfs_api, lfs_repo, tmp_path, size):
    home = tmp_path / "home"
    home.mkdir()
    tools = Path(sys.executable).parent
    environment = {**os.environ, "HOME": str(home), "GIT_CONFIG_NOSYSTEM": "1", "GIT_TERMINAL_PROMPT": "0", "LC_ALL": "C",
                   "PATH": f"{tools}:{os.environ['PATH']}", "HF_ENDPOINT": lfs_server.url}
    for who in ("AUTHOR", "COMMITTER"):
        environment |= {f"GIT_{who}_NAME": "Ada", f"GIT_{who}_EMAIL": "ada@example.org"}

    def run(*words, at=None):
        done = subprocess.run([str(word) for word in words], cwd=at, env=environment, capture_output=True, text=True, timeout=300)
        assert done.returncode == 0, f"{words}: {done.stdout}{done.stderr}"
        return done.stdout

    address = lfs_server.url.replace("://", f"://ada:{lfs_server.tokens['ada']}@") + "/" + lfs_repo
    run("git", "lfs", "install", "--skip-repo")
    work, data = tmp_path / "work", noise(size, size + 1)
    run("git", "clone", address, work)
    run("hf", "lfs-enable-largefiles", ".", at=work)
    (work / "m.safetensors").write_bytes(data)
    run("git", "add", "-A", at=work)
    run("git", "commit", "-m", "weights", at=work)
    run("git", "push", "origin", "HEAD:main", at=work)
    assert ("lfs_complete" if size == IN_PARTS else "lfs_upload") in routes_of(lfs_server)
    run("git", "clone", address, tmp_path / "other")
    assert (tmp_path / "other/m.safetensors").read_bytes() == data
