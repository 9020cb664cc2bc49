"""hf_xet over the CAS, and what a stranger can learn of another's bytes through it: nothing."""
import hashlib
import json
import os
import pickle
import random
import re
import struct
import subprocess
import sys
from urllib.parse import quote

import pytest
from huggingface_hub import CommitOperationAdd, hf_hub_download

pytest.importorskip("hf_xet")

MIB = 1 << 20
TAG = b"HFRepoMetaData" + bytes.fromhex("0055696745" "6A7B815783A5BDD95CCDD14AA9")


def noise(size, seed):
    return random.Random(seed).randbytes(size)


def stored_bytes(server):
    return float(re.search(r"^holdfast_content_stored_bytes_total (\S+)", server.http("GET", "/metrics").body.decode(), re.M)[1])


def access(server, repo, token, scope="read", revision="main"):
    """(CAS token, answer) for a repository."""
    answer = server.http("GET", f"/api/models/{repo}/xet-{scope}-token/{revision}", token)
    assert answer.status == 200, answer.body
    return answer.json()["accessToken"]


def told(answer):
    """Status and body, without the one thing that always differs."""
    return answer.status, re.sub(rb'"request_id":"[^"]*"', b"", answer.body)


def raw(text):
    """A hash as it stands in binary: its text form turns each group of eight bytes."""
    whole = bytes.fromhex(text)
    return b"".join(whole[i:i + 8][::-1] for i in range(0, 32, 8))


def shard_of(xorb, chunks, length):
    """One file of one term; hashes of our own making, which the server reaches only when the xorb may be named."""
    entry = raw("11" * 32) + struct.pack("<II8x", 1 << 31, 1)
    entry += raw(xorb) + struct.pack("<IIII", 0, length, 0, chunks) + bytes(48)
    bookend = b"\xff" * 32 + bytes(16)
    return TAG + struct.pack("<QQ", 2, 0) + entry + bookend + bookend


@pytest.fixture
def secret(api, server, tokens, name):
    """A private repository of ada's with one large file; what its owner can see of it."""
    api.create_repo(name, private=True)
    data = noise(3 * MIB, name)
    api.upload_file(path_or_fileobj=data, path_in_repo="secret.bin", repo_id=name)
    info = api.get_paths_info(name, ["secret.bin"])[0]
    token = access(server, name, tokens["ada"])
    made = server.http("GET", f"/cas/v2/reconstructions/{info.xet_hash}", token).json()
    return {"repo": name, "data": data, "file": info.xet_hash, "token": token, "made": made,
            "xorb": made["terms"][0]["hash"], "chunks": made["terms"][0]["range"]["end"], "oid": info.lfs.sha256}


@pytest.fixture
def stranger_repo(stranger, name):
    other = name.replace("ada/", "bea/")
    stranger.create_repo(other)
    return other


def test_the_real_client_sends_a_changed_file_in_part(api, server, repo, tmp_path):
    data = bytearray(noise(16 * MIB, repo))
    api.upload_file(path_or_fileobj=bytes(data), path_in_repo="model.bin", repo_id=repo)
    once = stored_bytes(server)
    data[5 * MIB:5 * MIB + 1000] = bytes(1000)
    api.upload_file(path_or_fileobj=bytes(data), path_in_repo="model.bin", repo_id=repo)
    assert stored_bytes(server) - once < MIB
    got = hf_hub_download(repo, "model.bin", cache_dir=tmp_path)
    with open(got, "rb") as file:
        assert hashlib.sha256(file.read()).digest() == hashlib.sha256(data).digest()
    assert '"route":"cas_put_xorb"' in server.log(400) and '"route":"cas_data"' in server.log(400)


def test_another_repository_with_the_same_bytes_stores_them_once(api, server, repo, name, tmp_path):
    data = noise(8 * MIB, name)
    api.upload_file(path_or_fileobj=data, path_in_repo="a.bin", repo_id=repo)
    once = stored_bytes(server)
    other = name + "-again"
    api.create_repo(other)
    api.upload_file(path_or_fileobj=data, path_in_repo="b.bin", repo_id=other)
    assert stored_bytes(server) - once < 100_000
    with open(hf_hub_download(other, "b.bin", cache_dir=tmp_path), "rb") as file:
        assert file.read() == data


def shapes(seed):
    """Bytes that are cut often, seldom, at the limits, and hardly at all."""
    source = random.Random(seed)
    pattern = source.randbytes(48)
    return {
        "noise": source.randbytes(5 * MIB + 17), "zeros": bytes(3 * MIB + 5), "period": pattern * (2 * MIB // 48),
        "one chunk": source.randbytes(9000), "smallest": source.randbytes(8192), "largest": bytes([7]) * 131072, "a byte": b"x",
        "text": b"".join(b"line %d of a table\n" % source.randrange(1000) for _ in range(120_000)),
        "runs": b"".join(source.randbytes(source.randrange(70_000)) + bytes(source.randrange(300_000)) for _ in range(12)),
    }


def test_every_door_makes_the_same_chunks(api, server, repo, name):
    """The server cuts what LFS brings, hf_xet cuts on its own side: one file hash, stored once."""
    files = shapes(name)
    script = ("import sys, pickle; from huggingface_hub import HfApi, CommitOperationAdd as Add; files, repo = pickle.load(sys.stdin.buffer);"
              "HfApi().create_commit(repo, [Add(f'{n}.bin', d) for n, d in files.items()], commit_message='lfs')")
    subprocess.run([sys.executable, "-c", script], input=pickle.dumps((files, repo)), check=True, env={**os.environ, "HF_HUB_DISABLE_XET": "1"})
    once = stored_bytes(server)
    other = name + "-xet"
    api.create_repo(other)
    api.create_commit(other, [CommitOperationAdd(f"{n}.bin", data) for n, data in files.items()], commit_message="xet")
    # hf_xet asks only for some chunks whether they are there: a repeated small one may come again, by the race of its threads.
    assert stored_bytes(server) - once < 10_000
    paths = [f"{n}.bin" for n in files]
    hashes = [{info.path: info.xet_hash for info in api.get_paths_info(where, paths)} for where in (repo, other)]
    assert hashes[0] == hashes[1] and len(hashes[0]) == len(files) and all(hashes[0].values())
    for n, data in files.items():
        assert server.http("GET", f"/{other}/resolve/main/{quote(n)}.bin").body == data, n


def test_a_plain_get_rebuilds_what_xet_brought(server, tokens, secret):
    path = f"/{secret['repo']}/resolve/main/secret.bin"
    assert server.http("GET", path, tokens["ada"]).body == secret["data"]
    part = server.http("GET", path, tokens["ada"], headers={"Range": "bytes=1000000-1999999"})
    assert part.status == 206 and part.body == secret["data"][1000000:2000000]


def test_both_versions_rebuild_any_range(server, secret):
    size = len(secret["data"])
    for first, last in [(0, size - 1), (0, 0), (size - 1, size + 100), (1_234_567, 2_345_678)]:
        headers = {"Range": f"bytes={first}-{last}"}
        for version, key in (("v1", "fetch_info"), ("v2", "xorbs")):
            made = server.http("GET", f"/cas/{version}/reconstructions/{secret['file']}", secret["token"], headers=headers).json()
            assert made["terms"] and set(made[key]) == {term["hash"] for term in made["terms"]}
            unpacked = sum(term["unpacked_length"] for term in made["terms"])
            assert unpacked >= min(last, size - 1) - first + 1 + made["offset_into_first_range"]
            entry = made[key][made["terms"][0]["hash"]][0]
            span = entry["url_range"] if version == "v1" else entry["ranges"][0]["bytes"]
            got = server.http("GET", entry["url"].removeprefix(server.url), headers={"Range": f"bytes={span['start']}-{span['end']}"})
            assert got.status == 206 and len(got.body) == span["end"] - span["start"] + 1
    past = server.http("GET", f"/cas/v2/reconstructions/{secret['file']}", secret["token"], headers={"Range": f"bytes={size}-{size + 5}"})
    assert past.status == 416


def test_a_data_address_is_for_its_bytes_and_nothing_else(server, secret):
    entry = secret["made"]["xorbs"][secret["xorb"]][0]
    address, span = entry["url"].removeprefix(server.url), entry["ranges"][0]["bytes"]
    inside = {"Range": f"bytes={span['start']}-{span['end']}"}
    assert server.http("GET", address, headers=inside).status == 206
    assert server.http("GET", address.replace("last=", "last=9"), headers=inside).status == 403
    assert server.http("GET", address.split("?")[0], headers=inside).status == 403
    assert server.http("GET", address.replace(secret["xorb"], "0" * 64), headers=inside).status == 403
    assert server.http("GET", address[:-1] + ("0" if address[-1] != "0" else "1"), headers=inside).status == 403


def test_a_stranger_learns_nothing(server, tokens, secret, stranger_repo):
    for scope in ("read", "write"):
        hidden = server.http("GET", f"/api/models/{secret['repo']}/xet-{scope}-token/main", tokens["bea"])
        missing = server.http("GET", f"/api/models/ada/nothing-here/xet-{scope}-token/main", tokens["bea"])
        assert told(hidden) == told(missing) and hidden.status in (401, 404)
    token = access(server, stranger_repo, tokens["bea"], "write")
    unknown = "ab" * 32

    def same(method, path, body=None):
        """The answer about what is ada's and about what nobody has."""
        hers, nobodys = [server.http(method, path.format(**names), token, body=body and body(names["xorb"])) for names in
                         ({"file": secret["file"], "xorb": secret["xorb"]}, {"file": unknown, "xorb": unknown})]
        assert told(hers) == told(nobodys)
        return hers.status

    assert same("GET", "/cas/v2/reconstructions/{file}") == 404
    assert same("GET", "/cas/v1/reconstructions/{file}") == 404
    assert same("GET", "/cas/v1/reconstructions?file_id={file}") == 200  # Both are left out of the answer.
    assert same("HEAD", "/cas/v1/files/{file}") == 404
    assert same("HEAD", "/cas/v1/xorbs/default/{xorb}") == 404
    assert same("GET", "/cas/v1/chunks/default/{xorb}") == 404
    for version in ("v1", "v2"):
        assert same("POST", f"/cas/{version}/shards", lambda xorb: shard_of(xorb, secret["chunks"], len(secret["data"]))) == 400

    # A commit that names ada's object is refused like one that names nothing.
    def commit(oid):
        lines = [{"key": "header", "value": {"summary": "steal"}},
                 {"key": "lfsFile", "value": {"path": "x.bin", "algo": "sha256", "oid": oid, "size": len(secret["data"])}}]
        return server.http("POST", f"/api/models/{stranger_repo}/commit/main", tokens["bea"],
                           body="\n".join(json.dumps(line) for line in lines).encode(), headers={"Content-Type": "application/x-ndjson"})

    stolen, nothing = commit(secret["oid"]), commit(unknown)
    assert stolen.status >= 400 and told(stolen)[1].replace(secret["oid"].encode(), unknown.encode()) == told(nothing)[1]
    assert stolen.status == nothing.status


def test_who_has_the_bytes_may_upload_them_and_hears_no_more_than_others(server, tokens, secret, stranger_repo):
    entry = secret["made"]["xorbs"][secret["xorb"]][0]
    xorb = server.http("GET", entry["url"].removeprefix(server.url)).body
    token = access(server, stranger_repo, tokens["bea"], "write")
    put = server.http("POST", f"/cas/v1/xorbs/default/{secret['xorb']}", token, body=xorb)
    assert put.status == 200 and put.json() == {"was_inserted": True}
    assert server.http("HEAD", f"/cas/v1/xorbs/default/{secret['xorb']}", token).status == 200


def test_wrong_uploads_are_refused(server, tokens, secret, stranger_repo):
    entry = secret["made"]["xorbs"][secret["xorb"]][0]
    xorb = server.http("GET", entry["url"].removeprefix(server.url)).body
    token = access(server, stranger_repo, tokens["bea"], "write")
    path = f"/cas/v1/xorbs/default/{secret['xorb']}"
    before = stored_bytes(server)
    for body in (xorb[:-1], xorb[:1000], b"", b"\0" * 100, xorb + b"x", xorb + xorb[:2000]):
        assert server.http("POST", path, token, body=body).status == 400, len(body)
    assert server.http("POST", "/cas/v1/xorbs/default/nonsense", token, body=xorb).status == 404
    for body in (b"", b"nonsense", TAG, shard_of("ab" * 32, 1, 1)[:-1], shard_of("ab" * 32, 1, 1) + b"x"):
        assert server.http("POST", "/cas/v1/shards", token, body=body).status == 400, body[:20]
    assert stored_bytes(server) == before


def test_tokens_are_asked_for_and_scopes_hold(server, tokens, secret, stranger_repo):
    reading = access(server, stranger_repo, tokens["bea"])
    assert server.http("POST", f"/cas/v1/xorbs/default/{secret['xorb']}", reading, body=b"x").status == 403
    assert server.http("POST", "/cas/v1/shards", reading, body=b"x").status == 403
    for token in (None, "nonsense", reading[:-2] + "AA", tokens["bea"]):
        assert server.http("GET", f"/cas/v2/reconstructions/{secret['file']}", token).status == 401
    forbidden = server.http("GET", f"/api/models/{stranger_repo}/xet-write-token/main", tokens["ada"])
    assert forbidden.status == 403
    assert server.http("GET", f"/api/models/{stranger_repo}/xet-write-token/main?create_pr=1", tokens["ada"]).status == 200


def test_what_the_cas_does_not_have_is_exactly_404(server, secret):
    grant = json.dumps({"length": 1, "checksum": {"algo": "crc64nvme", "value": "1"}}).encode()
    for method, path in [("POST", f"/cas/v1/xorb-grants/default/{secret['xorb']}"), ("POST", "/cas/v3/shards"), ("PUT", "/cas/v1/anything"),
                         ("GET", f"/cas/v2/file-chunk-hashes/{secret['file']}"), ("GET", "/cas"), ("GET", "/cas/")]:
        assert server.http(method, path, secret["token"], body=grant if method == "POST" else None).status == 404, path
    assert os.environ["HF_ENDPOINT"] == server.url


def lz4_bomb(size):
    """An LZ4 frame of about size / 255 bytes that says nothing of its length and unpacks to `size` zeros."""
    frame = bytes.fromhex("04224d18607073")
    while size > 0:
        count = min(size, 4 << 20) - 25
        block = b"\x1f\x00\x01\x00" + b"\xff" * (count // 255) + bytes([count % 255]) + b"\x50" + bytes(5)
        frame += struct.pack("<I", len(block)) + block
        size -= 4 << 20
    return frame + bytes(4)


@pytest.mark.parametrize("scheme", [1, 2])
def test_a_chunk_that_unpacks_to_more_than_it_says_is_refused(server, tokens, repo, scheme):
    token = access(server, repo, tokens["ada"], "write")
    bomb = lz4_bomb(32 * MIB)
    assert len(bomb) < 140_000
    chunk = bytes([0]) + struct.pack("<I", len(bomb))[:3] + bytes([scheme]) + struct.pack("<I", 128 * 1024)[:3] + bomb
    memory = resident_bytes(server)
    for xorb in (chunk, chunk * 100):
        answer = server.http("POST", f"/cas/v1/xorbs/default/{'ab' * 32}", token, body=xorb)
        assert answer.status in (400, 413), answer.body
    assert resident_bytes(server) < memory + 32 * MIB
    assert server.http("HEAD", f"/cas/v1/xorbs/default/{'ab' * 32}", token).status == 404


def resident_bytes(server):
    return float(re.search(r"^holdfast_process_resident_bytes (\S+)", server.http("GET", "/metrics").body.decode(), re.M)[1])
