"""A hub in front of recorded exchanges (recorded_hub.py), which no code of ours produced: what the protocol's page says an upstream answers is what
the mirror takes over, and what it refuses is told as it was meant. The stock client reads the same recordings, so that they are a hub's."""
import hashlib
import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
from holdfast_server import HoldfastServer
from recorded_hub import RecordedHub

TOKEN = "token-of-the-recorded-hub"
COMMIT = "5f0d2a6e9b1c47d8a3e65b90c2d1f4e7a8b9c0d1"
FILES = {".gitattributes", "README.md", "config.json", "model.safetensors"}


@pytest.fixture(scope="module")
def recorded():
    hub = RecordedHub()
    yield hub
    hub.close()


class Here:
    def __init__(self, hub):
        self.hub, self.server = hub, HoldfastServer().start()
        self.admin = next(event["token"] for event in self.server.events if event.get("event") == "first_admin")
        self.server.command("secret", "set", "recorded", "--value-stdin", "--host", "127.0.0.1", stdin=TOKEN + "\n")
        self.ask("PUT", "/api/upstreams/recorded", {"url": hub.url, "namespaces": "acme", "secret": "recorded"})
        self.ask("PUT", "/api/upstreams/without-token", {"url": hub.url, "namespaces": "anonymous=acme"})

    def ask(self, method, path, body=None, statuses=(200, 202)):
        answer = self.server.http(method, path, self.admin, body)
        assert answer.status in statuses, (answer.status, answer.body)
        return json.loads(answer.body or b"null")

    def bring(self, repository, state="done", kind="model", seconds=60):
        row = self.ask("POST", "/api/mirror/revisions", {"repository": repository, "type": kind})
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            now = self.ask("GET", f"/api/mirror/revisions/{row['id']}")
            if now["state"] != "fetching":
                assert now["state"] == state, now
                return now
            time.sleep(0.05)
        raise AssertionError((repository, now, self.server.log(20)))

    def files(self, repository, kind="models", prefix=""):
        info = self.ask("GET", f"/api/{kind}/{repository}/revision/main")
        out = {}
        for each in info["siblings"]:
            got = self.server.http("GET", f"/{prefix}{repository}/resolve/main/{each['rfilename'].replace(' ', '%20')}")
            if got.status in (302, 307):
                got = self.server.http("GET", got.headers["Location"].removeprefix(self.server.url))
            assert got.status == 200, (each, got.status, got.body[:300])
            out[each["rfilename"]] = got.body
        return out


@pytest.fixture(scope="module")
def here(recorded):
    there = Here(recorded)
    try:
        yield there
    finally:
        there.server.stop()
        there.server.remove()


def check_tiny(files):
    assert set(files) == FILES
    assert b"# Tiny" in files["README.md"] and json.loads(files["config.json"])["model_type"] == "bert"
    assert hashlib.sha256(files["model.safetensors"]).hexdigest() == "02802b24e041655329c8294d23c07b45e5eb438d33c251601660e3bd188ce6ef"


@pytest.mark.parametrize("repository", ["acme/tiny", "acme/paged", "acme/old"])
def test_the_stock_client_reads_the_recordings(recorded, repository, tmp_path):
    before = len(recorded.unknown)
    environment = {**os.environ, "HF_ENDPOINT": recorded.url, "HF_HOME": str(tmp_path), "HF_HUB_DISABLE_TELEMETRY": "1"}
    environment.pop("HF_TOKEN", None)
    code = f"from huggingface_hub import snapshot_download; print(snapshot_download({repository!r}))"
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr[-2000:]
    folder = Path(done.stdout.strip().splitlines()[-1])
    check_tiny({path.name: path.read_bytes() for path in folder.iterdir()})
    assert recorded.unknown[before:] == []


def test_a_model_is_taken_over_whole(here, recorded):
    before = len(recorded.unknown)
    row = here.bring("acme/tiny")
    assert row["remoteCommit"] == COMMIT and row["license"] == "apache-2.0", row
    check_tiny(here.files("acme/tiny"))
    told = here.ask("GET", "/api/models/acme/tiny/provenance")
    assert told["known"] and told["revisions"][0]["remoteCommit"] == COMMIT, told
    assert recorded.unknown[before:] == [], "the token went on to the other host, or something was asked that the page does not know"


def test_a_tree_in_pages_stands_in_for_sizes_that_are_not_said(here, recorded):
    here.bring("acme/paged")
    check_tiny(here.files("acme/paged"))
    assert recorded.count("/api/models/acme/paged/tree/") >= 3


def test_a_renamed_repository_is_followed(here):
    here.bring("acme/old")
    check_tiny(here.files("acme/old"))


def test_a_data_set_has_its_own_addresses(here):
    here.bring("acme/rows", kind="dataset")
    assert here.files("acme/rows", "datasets", "datasets/")["data/train set.csv"] == b"text,label\nlate,refund\n"


@pytest.mark.parametrize("repository, revision, status, code", [
    ("acme/nowhere", "main", 404, "RepoNotFound"),
    ("acme/tiny", "v9", 404, "RevisionNotFound"),
    ("anonymous/nowhere", "main", 404, "RepoNotFound"),
    ("acme/private", "main", 502, None),
    ("acme/disabled", "main", 403, None),
    ("acme/limited", "main", 429, None),
    ("acme/unavailable", "main", 504, None),
    ("acme/internal", "main", 504, None),
])
def test_what_the_upstream_refuses_is_told_as_it_was_meant(here, repository, revision, status, code):
    got = here.server.http("GET", f"/api/models/{repository}/revision/{revision}")
    assert got.status == status, (got.status, got.body)
    assert got.headers.get("X-Error-Code") != "RepoNotFound" or code == "RepoNotFound", got.headers
    if code:
        assert got.headers.get("X-Error-Code") == code, got.headers
    assert repository != "acme/private" or "this hub's own token" in got.body.decode(), "the caller's own token is not the one that failed"
    assert "<html" not in got.body.decode(), "a gateway's page is nobody's message"
    absent = here.server.http("GET", f"/api/models/{repository}/refs", here.admin)
    assert repository == "acme/tiny" or absent.status == 404, "nothing of it is here"


def test_a_gated_repository_says_so(here):
    for path, token, status in (("README.md", None, 401), ("config.json", here.admin, 403)):
        got = here.server.http("GET", f"/acme/gated/resolve/main/{path}", token)
        assert (got.status, got.headers.get("X-Error-Code")) == (status, "GatedRepo"), (got.status, got.headers, got.body)
        assert "restricted" in got.body.decode() or "restricted" in got.headers.get("X-Error-Message", ""), got.body


def test_a_token_that_is_not_there_is_no_missing_repository(here, recorded):
    wish = {"url": recorded.url, "namespaces": "forgetful=acme", "secret": "taken-away"}
    refused = here.server.http("PUT", "/api/upstreams/forgetful", here.admin, json.dumps(wish).encode())
    assert refused.status == 400 and "there is no secret 'taken-away'" in refused.body.decode(), refused.body
    here.server.command("secret", "set", "taken-away", "--value-stdin", stdin="x\n")
    here.ask("PUT", "/api/upstreams/forgetful", wish)
    here.server.command("secret", "rm", "taken-away")
    got = here.server.http("GET", "/api/models/forgetful/tiny/revision/main")
    assert got.status == 502 and "taken-away" in got.body.decode(), (got.status, got.body)


def test_an_upstream_that_asks_to_wait_is_left_alone_that_long(here, recorded):
    began = time.monotonic()
    here.bring("acme/busy")
    assert time.monotonic() - began >= 2, "two seconds were asked for"
    assert recorded.count(f"/acme/busy/resolve/{COMMIT}/README.md") == 2
    assert set(here.files("acme/busy")) == {"README.md", "config.json"}


def test_what_is_not_what_its_name_says_is_never_served(here):
    row = here.ask("POST", "/api/mirror/revisions", {"repository": "acme/damaged", "type": "model"})
    until = time.monotonic() + 20
    while here.hub.count(f"/acme/damaged/resolve/{COMMIT}/config.json") < 2 and time.monotonic() < until:
        time.sleep(0.05)
    got = here.server.http("GET", "/acme/damaged/resolve/main/config.json")
    assert got.status >= 500, (got.status, got.body)
    assert here.ask("GET", f"/api/mirror/revisions/{row['id']}")["state"] != "done"
    assert here.server.http("GET", "/api/models/acme/damaged/refs", here.admin).status == 404
    here.ask("DELETE", f"/api/mirror/revisions/{row['id']}", statuses=(200, 204))
