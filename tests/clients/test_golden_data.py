"""Data folders that earlier versions wrote: this build opens, migrates, inspects and serves each, byte for byte."""
import hashlib
import json
import tarfile
from pathlib import Path

import pytest
from holdfast_server import HoldfastServer

KEPT = sorted((Path(__file__).resolve().parents[1] / "golden/data").glob("*.tar.gz"))
PREFIX = {"model": "", "dataset": "datasets/"}


def test_at_least_one_folder_is_kept():
    assert KEPT


@pytest.mark.parametrize("archive", KEPT, ids=[path.name for path in KEPT])
def test_a_kept_data_folder_still_works(archive, tmp_path):
    expected = json.loads(archive.with_name(archive.name.removesuffix(".tar.gz") + ".json").read_text())
    with tarfile.open(archive) as kept:
        kept.extractall(tmp_path / "server")
    old = HoldfastServer(data=tmp_path).start()
    try:
        assert old.http("GET", "/api/whoami-v2", expected["token"]).json()["name"] == "ada"
        for file in expected["files"]:
            for revision in (file["revision"].replace("/", "%2F"), file["commit"]):
                answer = old.http("GET", f"/{PREFIX[file['kind']]}{file['repo']}/resolve/{revision}/{file['path']}", expected["token"])
                assert answer.status == 200, (file, answer.body)
                assert hashlib.sha256(answer.body).hexdigest() == file["sha256"], file
                assert answer.headers["X-Repo-Commit"] == file["commit"]
        if "registry" in expected:
            the_registry_still_works(old, expected)
        # It can still be written to.
        made = old.http("POST", "/api/repos/create", expected["token"], {"name": "after", "organization": None})
        assert made.status == 200, made.body
        old.command("fsck")
    finally:
        old.stop()


def the_registry_still_works(old, expected):
    kept, token = expected["registry"], expected["token"]
    path = f"/api/registry/records/{kept['record']}"
    assert old.http("GET", path, token, headers={"Accept": "application/yaml"}).status == 200
    assert old.http("GET", path + "/yaml", token).body.decode() == kept["text"]
    release = old.http("GET", path + "/releases/1", token).json()
    assert (release["state"], release["revision"], len(release["approvals"])) == (kept["state"], kept["revision"], kept["approvals"])
    assert [{key: one[key] for key in ("id", "kind", "digest")} for one in release["evidence"]] == kept["evidence"]
    for one in kept["evidence"]:
        assert old.http("GET", f"/api/registry/evidence/{one['id']}?rows=true", token).json()["digest"] == one["digest"]
    old.command("audit", "verify")
    assert len(old.command("audit", "export").splitlines()) >= kept["audit_rows"]
    answer = old.http("POST", f"/endpoints/{kept['endpoint']}/predict", token, {"inputs": kept["question"]})
    assert answer.status == 200 and answer.headers["X-Model-Revision"] == kept["revision"], answer.body
