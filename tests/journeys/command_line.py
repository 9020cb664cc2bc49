"""An operator's and a user's day at the command line: upload, download, cache, fsck, gc, backup while writes go on,
restore into another folder, export and import elsewhere, and every byte the same.

usage: command_line.py (HOLDFAST_PROGRAM names the program)
"""
import hashlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
import threading
import urllib.request
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "clients"))
from holdfast_server import HoldfastServer, program  # noqa: E402

WORK = Path(tempfile.mkdtemp(prefix="holdfast-journey-"))


def random_file(path, size):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(os.urandom(size))
    return path


def digests(folder):
    return {path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
            for path in sorted(folder.rglob("*")) if path.is_file()}


class User:
    """A user's shell: HF_ENDPOINT, HF_TOKEN, HF_HOME."""

    def __init__(self, url, token, home):
        self.environment = {**os.environ, "HF_ENDPOINT": url, "HF_TOKEN": token, "HF_HOME": str(home)}

    def run(self, *words, code=0):
        done = subprocess.run([program(), *words, "--json"], env=self.environment, capture_output=True, text=True)
        assert done.returncode == code, f"holdfast {' '.join(words)} ended with {done.returncode}:\n{done.stdout}{done.stderr}"
        return json.loads(done.stdout)


def operator(data, *words, code=0):
    done = subprocess.run([program(), *words, "--json"], capture_output=True, text=True, cwd=WORK)
    assert done.returncode == code, f"holdfast {' '.join(words)} ended with {done.returncode}:\n{done.stdout}{done.stderr}"
    return json.loads(done.stdout)


def leave_and_arrive(data, ada, ours):
    """Everything as plain git, files and JSON, and into an empty instance elsewhere."""
    asked = urllib.request.Request(f"{ada.environment['HF_ENDPOINT']}/api/models/ada/model/discussions",
                                   json.dumps({"title": "Which data?", "description": "Say it in the card."}).encode(),
                                   {"Authorization": f"Bearer {ada.environment['HF_TOKEN']}", "Content-Type": "application/json"})
    with urllib.request.urlopen(asked) as answer:
        assert answer.status in (200, 201), answer.status
    left = WORK / "left"
    written = operator(data, "instance", "export", str(left), "--data", data)
    assert written["files"] > 10, written
    texts = [path for path in left.rglob("*") if path.is_file() and ada.environment["HF_TOKEN"].encode() in path.read_bytes()]
    assert not texts, f"an access token left with the export: {texts}"

    # Other people's programs read it: git and git-lfs clone a repository of the folder.
    clone = WORK / "clone"
    bare = left / "repositories" / "models" / "ada" / "model.git"
    environment = {**os.environ, "GIT_CONFIG_GLOBAL": "/dev/null", "HOME": str(WORK)}
    subprocess.run(["git", "clone", "--quiet", f"file://{bare}", str(clone)], env={**environment, "GIT_LFS_SKIP_SMUDGE": "1"}, check=True)
    subprocess.run(["git", "lfs", "pull"], cwd=clone, env=environment, check=True, capture_output=True)
    theirs = digests(clone)
    assert {path: theirs[path] for path in ours} == ours, "git and git-lfs read other bytes from the export"
    subprocess.run(["git", "fsck", "--strict"], cwd=bare, env=environment, check=True, capture_output=True)

    (WORK / "elsewhere").mkdir()
    there = str(WORK / "elsewhere" / "server")
    taken = operator(data, "instance", "import", str(left), "--data", there)
    assert taken == written, (taken, written)
    assert operator(data, "fsck", "--data", there)["clean"]
    operator(data, "instance", "export", str(WORK / "left-again"), "--data", there)
    first, second = lines_of(left), lines_of(WORK / "left-again")
    differ = {path for path in first.keys() | second.keys() if first.get(path) != second.get(path)}
    assert differ == {"tables/identity_audit.jsonl"}, f"an import is not what was exported: {differ}"
    refused = operator(data, "instance", "import", str(left), "--data", there, code=1)
    assert "not empty" in refused["error"], refused

    arrived = HoldfastServer(WORK / "elsewhere").start()
    try:
        copy = User(arrived.url, arrived.create_token("ada"), WORK / "home-elsewhere").run("download", "ada/model")
        theirs = digests(Path(copy["folder"]))
        assert {path: theirs[path] for path in ours} == ours, "imported bytes differ"
    finally:
        arrived.stop()
    print(f"export of {written['files']} files, read by git and git-lfs, and imported elsewhere: done")


def lines_of(folder):
    lines = [json.loads(line) for line in (folder / "manifest.jsonl").read_text().splitlines()]
    return {line["path"]: line["sha256"] for line in lines if "path" in line}


def main():
    (WORK / "one").mkdir()
    (WORK / "two").mkdir()
    server = HoldfastServer(WORK / "one").start()
    data = server.folder
    server.create_user("ada")
    ada = User(server.url, server.create_token("ada"), WORK / "home")
    try:
        assert ada.run("whoami")["name"] == "ada"
        model = WORK / "model"
        random_file(model / "weights.bin", 12_000_000)
        (model / "config.json").write_text('{"model_type": "bert"}')
        (model / "deep" / "er").mkdir(parents=True)
        (model / "deep" / "er" / "notes.txt").write_text("small\n")

        sent = ada.run("upload", "ada/model", str(model), "--create", "--private")
        assert sent["files"] == 3 and sent["bytes_sent"] >= 12_000_000, sent
        again = ada.run("upload", "ada/model", str(model))
        assert again["bytes_sent"] < 1000, "bytes that are there were sent again"

        got = ada.run("download", "ada/model")
        ours = digests(model)
        theirs = digests(Path(got["folder"]))
        assert {path: theirs[path] for path in ours} == ours
        cached = ada.run("cache", "list")["repositories"]
        assert [repo["name"] for repo in cached] == ["ada/model"] and cached[0]["bytes"] > 12_000_000
        assert ada.run("cache", "verify")["damaged"] == []
        blob = max((WORK / "home" / "hub" / "models--ada--model" / "blobs").iterdir(), key=lambda path: path.stat().st_size)
        blob.write_bytes(b"x" + blob.read_bytes()[1:])
        assert len(ada.run("cache", "verify", code=1)["damaged"]) == 1
        missing = ada.run("download", "ada/absent", code=1)
        assert missing["code"] == "repo_not_found", missing
        print("upload, download and cache: done")

        # Backup while commits go on.
        stop = threading.Event()
        commits = []

        def keep_writing():
            number = 0
            while not stop.is_set() and number < 200:
                number += 1
                path = random_file(WORK / "stream" / f"{number}.bin", 300_000)
                commits.append(ada.run("upload", "ada/model", str(path), f"stream/{number}.bin")["commit"])

        writer = threading.Thread(target=keep_writing)
        writer.start()
        copied = operator(data, "backup", str(WORK / "backup"), "--data", data)
        stop.set()
        writer.join()
        assert copied["files"] > 3 and commits, copied
        operator(data, "backup", str(WORK / "backup"), "--verify", "--data", data)
        print(f"backup of {copied['bytes']} bytes while {len(commits)} commits were made: done")

        assert operator(data, "fsck", "--data", data)["clean"]
        operator(data, "restore", str(WORK / "backup"), "--data", str(WORK / "two" / "server"))
        restored = HoldfastServer(WORK / "two").start()
        try:
            assert operator(data, "fsck", "--data", restored.folder)["clean"]
            copy = User(restored.url, ada.environment["HF_TOKEN"], WORK / "home-two").run("download", "ada/model")
            theirs = digests(Path(copy["folder"]))
            assert {path: theirs[path] for path in ours} == ours, "restored bytes differ"
            for path, digest in theirs.items():
                if path.startswith("stream/"):
                    assert digest == hashlib.sha256((WORK / path).read_bytes()).hexdigest(), path
        finally:
            restored.stop()
        print("restore, fsck and download from it: done")

        leave_and_arrive(data, ada, ours)

        # A damaged backup is noticed; nothing is left of the attempt.
        victim = max((WORK / "backup").rglob("*"), key=lambda path: path.stat().st_size if path.is_file() else 0)
        with open(victim, "r+b") as file:
            file.seek(1000)
            file.write(b"damage")
        refused = operator(data, "restore", str(WORK / "backup"), "--data", str(WORK / "three"), code=1)
        assert "not what the manifest says" in refused["error"], refused
        assert not any((WORK / "three").iterdir())

        # What nobody names any more is given back; what is named stays.
        before = operator(data, "gc", "--grace", "0s", "--data", data)
        assert operator(data, "fsck", "--data", data)["clean"], before
        ada.run("repo", "delete", "ada/model")
        freed = operator(data, "gc", "--grace", "0s", "--data", data)
        stored = sum(path.stat().st_size for path in (Path(data) / "content").rglob("*") if path.is_file())
        assert freed["bytes"] == 0 and stored > 12_000_000, "ada's token may name for 24 h what it uploaded: it must stay"
        assert operator(data, "fsck", "--data", data)["clean"]
        print("gc keeps what a recent upload may still name: done")
    finally:
        server.stop()
        shutil.rmtree(WORK, ignore_errors=True)


if __name__ == "__main__":
    main()
