"""A stranger tries every way to learn of, or read, bytes that are not his.

Everything he asks about alice's secret is asked a second time about something that does not exist at all; the two
answers must be the same: status, body and headers, but for what differs in every answer (date, request id) and for the
names themselves.
"""
import hashlib
import json
import os
import re
import subprocess
import sys
import urllib.error
import urllib.request

import pytest
from conftest import state
from huggingface_hub import HfApi

VARIES = {"date", "x-request-id", "connection", "keep-alive"}


def random_bytes(size, seed):
    out, block = bytearray(), hashlib.sha256(str(seed).encode()).digest()
    while len(out) < size:
        block = hashlib.sha256(block).digest()
        out += block
    return bytes(out[:size])


SECRET = random_bytes(600_000, "alice")
ABSENT = random_bytes(600_000, "nobody ever uploaded this")


class Asker:
    def __init__(self, url, token):
        self.url, self.token = url, token

    def ask(self, path, method="GET", body=None, kind="application/json", token=None, headers=None):
        url = path if path.startswith("http") else self.url + path
        data = body if body is None or isinstance(body, bytes) else json.dumps(body).encode()
        request = urllib.request.Request(url, data=data, method=method, headers={"Content-Type": kind, **(headers or {})})
        token = token if token is not None else self.token
        if token:
            request.add_header("Authorization", f"Bearer {token}")
        try:
            with urllib.request.urlopen(request) as answer:
                return answer.status, {k.lower(): v for k, v in answer.headers.items()}, answer.read()
        except urllib.error.HTTPError as refused:
            return refused.code, {k.lower(): v for k, v in refused.headers.items()}, refused.read()

    def json(self, *arguments, **keywords):
        status, _, body = self.ask(*arguments, **keywords)
        assert status == 200, (arguments, status, body)
        return json.loads(body)


def comparable(answer, *names):
    """What of an answer a stranger could learn from, with the names he asked for struck out."""
    status, headers, body = answer
    text = body.decode("latin-1")
    fields = {k: v for k, v in headers.items() if k not in VARIES}
    for name in names:
        text = text.replace(name, "NAME")
        fields = {k: v.replace(name, "NAME") for k, v in fields.items()}
    text = re.sub(r'"request_id":\s*"[^"]*"', '"request_id":"ID"', text)
    return status, fields, text


@pytest.fixture(scope="module")
def server():
    return state["server"]


@pytest.fixture(scope="module")
def make_user(server):
    """Creates a user; returns a write token."""
    def make(name):
        server.create_user(name)
        return server.create_token(name)
    return make


@pytest.fixture(scope="module")
def world(server, make_user):
    """alice's private repository with one large file, and bob who has a repository of his own."""
    alice, bob = make_user("alice"), make_user("bob")
    api = HfApi(endpoint=server.url, token=alice)
    api.create_repo("alice/secret", private=True)
    api.upload_file(repo_id="alice/secret", path_or_fileobj=SECRET, path_in_repo="model.safetensors.bin")
    HfApi(endpoint=server.url, token=bob).create_repo("bob/mine")
    asker = Asker(server.url, alice)
    status, headers, _ = asker.ask("/alice/secret/resolve/main/model.safetensors.bin", method="HEAD")
    assert status == 200 and headers.get("x-xet-hash"), headers
    read = asker.json("/api/models/alice/secret/xet-read-token/main")
    plan = asker.json(f"{read['casUrl']}/v2/reconstructions/{headers['x-xet-hash']}", token=read["accessToken"])
    return {
        "alice": asker, "bob": Asker(server.url, bob), "cas": read["casUrl"],
        "oid": hashlib.sha256(SECRET).hexdigest(), "file": headers["x-xet-hash"],
        "xorb": plan["terms"][0]["hash"], "plan": plan, "server": server,
        "no_oid": hashlib.sha256(ABSENT).hexdigest(), "no_hash": hashlib.sha256(b"no such hash").hexdigest(),
    }


def cas_token(world, kind):
    return world["bob"].json(f"/api/models/bob/mine/xet-{kind}-token/main")["accessToken"]


REPOSITORY_PATHS = [
    ("GET", "/api/models/{id}"), ("GET", "/api/models/{id}/revision/main"), ("GET", "/api/models/{id}?blobs=true"),
    ("GET", "/api/models/{id}/tree/main"), ("GET", "/api/models/{id}/commits/main"), ("GET", "/api/models/{id}/refs"),
    ("POST", "/api/models/{id}/paths-info/main"), ("POST", "/api/models/{id}/preupload/main"),
    ("POST", "/api/models/{id}/commit/main"), ("GET", "/api/models/{id}/auth-check"),
    ("GET", "/api/models/{id}/xet-read-token/main"), ("GET", "/api/models/{id}/xet-write-token/main"),
    ("GET", "/api/models/{id}/discussions"), ("POST", "/api/models/{id}/branch/dev"), ("POST", "/api/models/{id}/tag/main"),
    ("PUT", "/api/models/{id}/settings"), ("GET", "/{id}/resolve/main/model.safetensors.bin"),
    ("HEAD", "/{id}/resolve/main/model.safetensors.bin"), ("GET", "/{id}/resolve/main/no-such-file"),
    ("GET", "/{id}/raw/main/README.md"), ("GET", "/{id}.git/info/refs?service=git-upload-pack"),
    ("GET", "/{id}/info/refs?service=git-receive-pack"), ("POST", "/{id}.git/git-upload-pack"),
    ("POST", "/{id}.git/git-receive-pack"), ("POST", "/{id}.git/info/lfs/objects/batch"),
    ("POST", "/{id}.git/info/lfs/locks/verify"),
]


@pytest.mark.parametrize("method,path", REPOSITORY_PATHS, ids=lambda value: value)
@pytest.mark.parametrize("who", ["bob", "anonymous", "wrong token"])
def test_a_private_repository_answers_like_a_missing_one(world, who, method, path):
    token = {"bob": world["bob"].token, "anonymous": "", "wrong token": "hf_" + "x" * 34}[who]
    body = b"{}" if method in ("POST", "PUT") else None
    hidden = world["bob"].ask(path.format(id="alice/secret"), method, body, token=token)
    missing = world["bob"].ask(path.format(id="alice/absent"), method, body, token=token)
    assert hidden[0] in (401, 404), hidden
    assert comparable(hidden, "alice/secret", "secret") == comparable(missing, "alice/absent", "absent")


def test_lists_and_search_do_not_show_it(world):
    for path in ("/api/models?author=alice", "/api/models?search=secret", "/api/models?limit=1000&full=true"):
        assert "alice/secret" not in json.dumps(world["bob"].json(path)), path
    assert "alice/secret" in json.dumps(world["alice"].json("/api/models?author=alice"))


def lfs_batch(world, operation, oid):
    kind = "application/vnd.git-lfs+json"
    return world["bob"].ask("/bob/mine.git/info/lfs/objects/batch", "POST", {
        "operation": operation, "transfers": ["basic"], "objects": [{"oid": oid, "size": len(SECRET)}]}, kind=kind,
        headers={"Accept": kind})


@pytest.mark.parametrize("operation", ["upload", "download"])
def test_the_lfs_batch_tells_nothing_of_a_strangers_object(world, operation):
    answers = []
    for oid in (world["oid"], world["no_oid"]):
        status, headers, body = lfs_batch(world, operation, oid)
        parsed = json.loads(body)["objects"][0]
        if operation == "upload":
            assert "upload" in parsed.get("actions", {}), "he must be asked to send the bytes"
        else:
            assert "actions" not in parsed and parsed["error"]["code"] == 404, parsed
        answers.append((status, json.dumps(sorted(parsed)), sorted(parsed.get("actions", {})), json.dumps(parsed.get("error")).replace(oid, "OID")))
    assert answers[0] == answers[1]


def test_verify_tells_nothing(world):
    answers = [comparable(world["bob"].ask("/bob/mine.git/info/lfs/verify", "POST", {"oid": oid, "size": len(SECRET)}), oid)
               for oid in (world["oid"], world["no_oid"])]
    assert answers[0] == answers[1]
    assert answers[0][0] >= 400


def commit_lines(oid):
    lines = [{"key": "header", "value": {"summary": "steal", "description": ""}},
             {"key": "lfsFile", "value": {"path": "stolen.bin", "algo": "sha256", "oid": oid, "size": len(SECRET)}}]
    return "".join(json.dumps(line) + "\n" for line in lines).encode()


def test_a_commit_cannot_name_it(world):
    answers = [comparable(world["bob"].ask("/api/models/bob/mine/commit/main", "POST", commit_lines(oid), kind="application/x-ndjson"), oid)
               for oid in (world["oid"], world["no_oid"])]
    assert answers[0][0] in (400, 404), answers[0]
    assert answers[0] == answers[1]
    assert "stolen.bin" not in json.dumps(world["bob"].json("/api/models/bob/mine/tree/main"))


def test_a_git_push_cannot_name_it(world, tmp_path):
    outcomes = []
    for oid in (world["oid"], world["no_oid"]):
        folder = tmp_path / oid[:8]
        url = world["server"].url.replace("http://", f"http://bob:{world['bob'].token}@")
        environment = {**os.environ, "GIT_LFS_SKIP_SMUDGE": "1", "GIT_TERMINAL_PROMPT": "0", "GIT_CONFIG_GLOBAL": os.devnull,
                       "HOME": str(tmp_path)}
        git = lambda *words: subprocess.run(["git", *words], cwd=folder, env=environment, capture_output=True, text=True)
        folder.mkdir()
        assert git("clone", "-q", url + "/bob/mine", ".").returncode == 0
        (folder / "stolen.bin").write_text(f"version https://git-lfs.github.com/spec/v1\noid sha256:{oid}\nsize {len(SECRET)}\n")
        git("add", "stolen.bin")
        git("-c", "user.name=b", "-c", "user.email=b@b", "commit", "-qm", "steal")
        pushed = git("push", "-q", "origin", "HEAD:main")
        assert pushed.returncode != 0
        outcomes.append(re.sub(r"[0-9a-f]{7,64}", "HASH", pushed.stderr))
    assert outcomes[0] == outcomes[1]


def test_the_cas_does_not_rebuild_a_strangers_file(world):
    for kind in ("read", "write"):
        token = cas_token(world, kind)
        for version in ("v1", "v2"):
            answers = [comparable(world["bob"].ask(f"{world['cas']}/{version}/reconstructions/{name}", token=token), name)
                       for name in (world["file"], world["no_hash"])]
            assert answers[0][0] == 404, answers[0]
            assert answers[0] == answers[1]


def test_the_cas_does_not_say_whether_a_xorb_is_there(world):
    token = cas_token(world, "write")
    for method in ("HEAD", "GET"):
        answers = [comparable(world["bob"].ask(f"{world['cas']}/v1/xorbs/default/{name}", method, token=token), name)
                   for name in (world["xorb"], world["no_hash"])]
        assert answers[0] == answers[1]
        assert answers[0][0] >= 400


def test_the_dedup_query_finds_only_what_he_may_use(world):
    # The first chunk of a file is always asked for. With one chunk a xorb's hash is the chunk's own, so ask for that too.
    token = cas_token(world, "write")
    for name in (world["xorb"], world["file"]):
        answers = [comparable(world["bob"].ask(f"{world['cas']}/v1/chunks/default/{asked}", token=token), asked)
                   for asked in (name, world["no_hash"])]
        assert answers[0] == answers[1]
        assert answers[0][0] == 404


def test_addresses_handed_to_alice_cannot_be_bent(world):
    fetch = next(iter(world["plan"]["xorbs"].values()))[0]
    whole = {"Range": f"bytes={fetch['ranges'][0]['bytes']['start']}-{fetch['ranges'][0]['bytes']['end']}"}
    status, _, body = world["bob"].ask(fetch["url"], token="", headers=whole)
    assert status == 206 and body, "the address authorises itself"
    bent = re.sub(r"[0-9a-f]{64}", world["no_hash"], fetch["url"], count=1)
    assert world["bob"].ask(bent, token="", headers=whole)[0] in (403, 404)
    half = fetch["url"][: len(fetch["url"]) // 2 + 20]
    assert world["bob"].ask(half, token="", headers=whole)[0] in (400, 403, 404)


UPLOAD = """
import sys
from huggingface_hub import HfApi
HfApi().upload_file(repo_id="carol/copy", path_or_fileobj=sys.argv[1], path_in_repo="same.bin")
"""


def test_sending_bytes_that_are_there_already_works_like_any_upload(server, make_user, tmp_path):
    """Carol holds the same bytes herself. She is on a machine of her own: hf_xet remembers in HF_HOME what was uploaded
    from there, whoever did it, and would name alice's xorb (docs/compatibility.md)."""
    carol = make_user("carol")
    HfApi(endpoint=server.url, token=carol).create_repo("carol/copy")
    (tmp_path / "same.bin").write_bytes(SECRET)
    done = subprocess.run([sys.executable, "-c", UPLOAD, str(tmp_path / "same.bin")], capture_output=True, text=True,
                          env={**os.environ, "HF_HOME": str(tmp_path / "home"), "HF_TOKEN": carol})
    assert done.returncode == 0, done.stderr
    status, _, body = Asker(server.url, carol).ask("/carol/copy/resolve/main/same.bin")
    assert status == 200 and body == SECRET
