"""One list of what is in use: on the hub, in this machine's cache, in folders; and what nobody manages."""
import json
import os
import shutil
import struct
import subprocess

from holdfast_server import program
from huggingface_hub import snapshot_download


def safetensors(seed):
    header = json.dumps({"w": {"dtype": "U8", "shape": [64], "data_offsets": [0, 64]}}).encode()
    return struct.pack("<Q", len(header)) + header + bytes((seed + i) % 256 for i in range(64))


def inventory(*words, token=None):
    environment = dict(os.environ, **({"HF_TOKEN": token} if token else {}))
    done = subprocess.run([program(), "inventory", *words], capture_output=True, text=True, env=environment)
    return done


def test_what_lies_on_this_machine_is_known_by_its_bytes_or_unmanaged(api, name, tmp_path):
    api.create_repo(name)
    api.upload_file(repo_id=name, path_or_fileobj=b"---\nlicense: mit\n---\n# Tiny\n", path_in_repo="README.md")
    api.upload_file(repo_id=name, path_or_fileobj=safetensors(1), path_in_repo="model.safetensors")
    kept = snapshot_download(name)
    for folder, files in {"copy": {"renamed.safetensors": safetensors(1)}, "stray": {"model.safetensors": safetensors(9)},
                          "mixed": {"a.safetensors": safetensors(1), "b.safetensors": safetensors(8)}}.items():
        (tmp_path / folder).mkdir()
        for file, content in files.items():
            (tmp_path / folder / file).write_bytes(content)

    done = inventory(str(tmp_path), "--json")
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    item, = [one for one in told["hub"] if one["repository"] == name]
    assert (item["licence"], item["owner"], item["usedBy"], item["validated"]) == ("mit", "ada", [], None)
    host = {one["folder"].rsplit("/", 1)[-1]: one for one in told["host"]}
    assert (host["copy"]["state"], host["copy"]["repository"]) == ("managed", name)
    assert (host["stray"]["state"], host["stray"]["repository"]) == ("unmanaged", "")
    assert (host["mixed"]["state"], host["mixed"]["filesKnown"]) == ("altered", 1)
    cached = host["models--" + name.replace("/", "--")]
    assert (cached["state"], cached["source"]) == ("managed", "cache") and cached["claims"] == f"{name}@{os.path.basename(kept)}"

    checked = inventory(str(tmp_path / "stray"), "--check")
    assert checked.returncode == 1 and "unmanaged" in checked.stdout, checked.stdout + checked.stderr
    assert inventory(str(tmp_path / "copy"), "--check").returncode == 0
    shutil.rmtree(tmp_path / "copy")
    assert inventory(str(tmp_path / "copy")).returncode == 1


def test_what_a_stranger_may_not_see_is_unmanaged_to_him(api, server, tokens, name, tmp_path):
    api.create_repo(name, private=True)
    api.upload_file(repo_id=name, path_or_fileobj=safetensors(33), path_in_repo="model.safetensors")
    (tmp_path / "model.safetensors").write_bytes(safetensors(33))
    mine = json.loads(inventory(str(tmp_path), "--json").stdout)
    theirs = json.loads(inventory(str(tmp_path), "--json", token=tokens["bea"]).stdout)
    here = str(tmp_path)
    assert [one["state"] for one in mine["host"] if one["folder"] == here] == ["managed"]
    assert [one["state"] for one in theirs["host"] if one["folder"] == here] == ["unmanaged"]
    assert name in json.dumps(mine) and name not in json.dumps(theirs)
    assert server.http("GET", "/api/inventory").status == 401


def test_an_endpoint_is_named_as_what_uses_a_model(api, server, tokens, name):
    api.create_repo(name)
    commit = api.upload_file(repo_id=name, path_or_fileobj=safetensors(5), path_in_repo="model.safetensors").oid
    made = server.http("POST", "/api/endpoints/ada", tokens["ada"], body=json.dumps(
        {"name": name.split("/")[1], "model": name, "revision": commit}).encode(),
        headers={"Content-Type": "application/json"})
    assert made.status in (200, 201), made.body
    items = server.http("GET", "/api/inventory?type=model", tokens["ada"]).json()["items"]
    item, = [one for one in items if one["repository"] == name]
    assert item["usedBy"] == [f"endpoint {name}"]


def test_what_lies_on_another_machine_is_told_and_judged_by_what_the_hub_holds_then(api, server, tokens, name, tmp_path):
    api.create_repo(name)
    api.upload_file(repo_id=name, path_or_fileobj=safetensors(71), path_in_repo="model.safetensors")
    for folder, seed in {"known": 71, "stray": 72}.items():
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "model.safetensors").write_bytes(safetensors(seed))
    host = name.split("/")[1]
    done = inventory(str(tmp_path), "--report", host)
    assert done.returncode == 0, done.stderr

    def told(token):
        return server.http("GET", f"/api/inventory/hosts/{host}", token)

    def states(token):
        return {one["folder"].rsplit("/", 1)[-1]: (one["state"], one["repository"]) for one in told(token).json()["models"]}

    ours = states(tokens["ada"])
    assert (ours["known"], ours["stray"]) == (("managed", name), ("unmanaged", ""))
    listed = server.http("GET", "/api/inventory/hosts", tokens["ada"]).json()["hosts"]
    assert [(one["host"], one["reportedBy"]) for one in listed if one["host"] == host] == [(host, "ada")]
    # What was a stranger is known once it is pushed: nothing is told again.
    api.upload_file(repo_id=name, path_or_fileobj=safetensors(72), path_in_repo="more.safetensors")
    assert states(tokens["ada"])["stray"] == ("managed", name)
    # A machine is its reporter's: others neither see nor overwrite nor forget it.
    assert told(tokens["bea"]).status == 404
    assert host not in json.dumps(server.http("GET", "/api/inventory/hosts", tokens["bea"]).json())
    refused = inventory(str(tmp_path), "--report", host, token=tokens["bea"])
    assert refused.returncode == 1 and "somebody else" in refused.stderr, refused.stderr
    assert server.http("DELETE", f"/api/inventory/hosts/{host}", tokens["bea"]).status == 404
    bad = {"models": [{"type": "model", "folder": "/x", "source": "folder", "claims": "", "files": [{"path": "a", "size": 1, "sha256": "no"}]}]}
    assert server.http("PUT", "/api/inventory/hosts/x", tokens["ada"], json.dumps(bad).encode()).status == 400
    assert server.http("PUT", "/api/inventory/hosts/a%20b", tokens["ada"], b'{"models": []}').status == 400
    assert server.http("DELETE", f"/api/inventory/hosts/{host}", tokens["ada"]).status == 200
    assert told(tokens["ada"]).status == 404
