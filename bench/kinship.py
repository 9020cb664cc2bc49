"""./dev bench kinship: who holds whose weights, asked over HTTP of a release build that has ten thousand repositories.

A base model of a hundred tensors and a copy are pushed as clients push; the other repositories are rows written beside them, a hundred
tensors each, every hundredth with half of the base's. Asked in turns with a plain question about the same repository; medians.

usage: kinship.py [--repositories 10000] [--rounds 21] (HOLDFAST_PROGRAM names the program)
"""
import argparse
import http.client
import json
import os
import random
import sqlite3
import statistics
import sys
import time
import urllib.parse
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests" / "clients"))
from holdfast_server import HoldfastServer  # noqa: E402

TENSORS, TENSOR_BYTES = 100, 4200


def report(name, value, target, text):
    print(json.dumps({"bench": name, "value": round(value, 3), "target": target, "text": text}), flush=True)


def safetensors(tensors, first="layer"):
    head, at = {}, 0
    for index, data in enumerate(tensors):
        head[f"{first}.{index}"] = {"dtype": "F16", "shape": [len(data) // 2], "data_offsets": [at, at + len(data)]}
        at += len(data)
    text = json.dumps(head).encode()
    text += b" " * (-len(text) % 8)
    return len(text).to_bytes(8, "little") + text + b"".join(tensors)


def push(server, token, name, content):
    os.environ["HF_HUB_DISABLE_PROGRESS_BARS"] = "1"
    from huggingface_hub import CommitOperationAdd, HfApi
    api = HfApi(endpoint=server.url, token=token)
    api.create_repo(name)
    card = b"---\nlicense: mit\n---\n"
    api.create_commit(name, [CommitOperationAdd("README.md", card), CommitOperationAdd("model.safetensors", content)], commit_message="weights")


def fill(database, count, chance):
    """Rows as maintenance would have written them; returns how many share tensors with the base."""
    db = sqlite3.connect(database)
    base = [row[0] for row in db.execute(
        "SELECT t.digest FROM repo_file_tensors t JOIN repo_objects o ON o.sha256 = t.sha256 JOIN repo_repositories r ON r.id = o.repo "
        "WHERE r.name = 'base'")]
    assert len(base) == TENSORS, f"{len(base)} tensors of the base are known"
    kin = 0
    for index in range(count):
        number, sha256, name = 100_000 + index, chance.randbytes(32).hex(), f"r{index}"
        db.execute("INSERT INTO repo_repositories (id, type, ns, name, place, visibility, gate, sdk, creator, created, updated) "
                   "VALUES (?, 'model', 'ada', ?, ?, 'public', 'none', '', 'ada', 1, 1)", (number, name, f"model:ada/{name}"))
        db.execute("INSERT INTO repo_objects (repo, sha256, file_hash, size, path, at) VALUES (?, ?, '', ?, 'model.safetensors', 1)",
                   (number, sha256, TENSORS * TENSOR_BYTES))
        db.execute("INSERT INTO repo_indexed_files (sha256, tensors) VALUES (?, ?)", (sha256, TENSORS))
        shares = index % 100 == 0
        kin += shares
        db.executemany("INSERT INTO repo_file_tensors (sha256, digest, bytes) VALUES (?, ?, ?)",
                       [(sha256, base[i] if shares and i < TENSORS // 2 else chance.randbytes(16), TENSOR_BYTES) for i in range(TENSORS)])
    db.commit()
    db.close()
    return kin


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--repositories", type=int, default=10_000)
    parser.add_argument("--rounds", type=int, default=21)
    options = parser.parse_args()
    chance = random.Random(5)
    server = HoldfastServer().start()
    try:
        server.create_user("ada")
        token = server.create_token("ada")
        tensors = [chance.randbytes(TENSOR_BYTES) for _ in range(TENSORS)]
        push(server, token, "ada/base", safetensors(tensors))
        push(server, token, "ada/copy", safetensors(tensors[10:], "other"))
        server.http("GET", "/api/models/ada/copy/relatives", token)  # What is asked about is indexed at once.
        first = server.http("GET", "/api/models/ada/base/relatives", token).json()
        assert [each["repository"] for each in first["relatives"]] == ["ada/copy"], first
        sha256 = next(each["lfs"]["sha256"] for each in server.http("GET", "/api/models/ada/base?blobs=true", token).json()["siblings"]
                      if each["rfilename"] == "model.safetensors")
        server.stop()
        kin = fill(Path(server.folder) / "holdfast.db", options.repositories - 2, chance)
        server.start()
        connection = http.client.HTTPConnection(urllib.parse.urlsplit(server.url).netloc, timeout=60)

        def ask(path):
            began = time.perf_counter()
            connection.request("GET", path, headers={"Authorization": f"Bearer {token}"})
            answer = connection.getresponse()
            body = answer.read()
            assert answer.status == 200, body
            return (time.perf_counter() - began) * 1000, body

        questions = {"info": "/api/models/ada/base", "relatives": "/api/models/ada/base/relatives",
                     "blast radius by repository": "/api/blast-radius?repository=ada/base", "blast radius by digest": f"/api/blast-radius?sha256={sha256}"}
        times = {name: [] for name in questions}
        for _ in range(options.rounds):
            for name, path in questions.items():
                spent, body = ask(path)
                times[name].append(spent)
                if name == "relatives":
                    found = len(json.loads(body)["relatives"])
                    assert found == kin + 1, f"{found} relatives of {kin + 1}"
        middle = {name: statistics.median(spent) for name, spent in times.items()}
        for name in list(questions)[1:]:
            report(name, middle[name], 50, f"ms of {options.repositories} repositories with {TENSORS} tensors each, {kin + 1} of them kin; "
                                           f"{middle[name] / middle['info']:.1f} times a repository's info")
        return 0 if max(middle.values()) < 50 else 1
    finally:
        server.kill()
        server.remove()


if __name__ == "__main__":
    sys.exit(main())
