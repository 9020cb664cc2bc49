"""Taking repositories over: from a second instance that dies on the way and for good, from huggingface_hub's cache, from a
git-lfs checkout and from a folder; what is dangerous stays out; what came in says where it is from.

usage: mirror.py (HOLDFAST_PROGRAM names the program)
"""
import hashlib
import json
import os
import pickle
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "clients"))
from holdfast_server import HoldfastServer, program  # noqa: E402

WORK = Path(tempfile.mkdtemp(prefix="holdfast-mirror-"))
CARD = "---\nlicense: apache-2.0\nbase_model: google/bert\ndatasets:\n- demo/reviews\n---\n# A model\n"


class Evil:
    def __reduce__(self):
        return (os.system, ("id",))


class Shell:
    """A user's shell: HF_ENDPOINT, HF_TOKEN, HF_HOME."""

    def __init__(self, url, token, home):
        self.home = home
        self.environment = {**os.environ, "HF_ENDPOINT": url, "HF_TOKEN": token, "HF_HOME": str(home)}

    def run(self, *words, code=0, **environment):
        done = subprocess.run([program(), *words, "--json"], env={**self.environment, **environment}, capture_output=True, text=True)
        assert done.returncode == code, f"holdfast {' '.join(words)} ended with {done.returncode}:\n{done.stdout}{done.stderr}"
        assert not any(secret in done.stdout + done.stderr for secret in environment.values()), "a token was printed"
        return json.loads(done.stdout)


class Cut:
    """Passes TCP on to a port and ends every connection once `limit` bytes came back through it."""

    def __init__(self, port, limit):
        self.port, self.left = port, limit
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self.listener.getsockname()[1]}"
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            client, _ = self.listener.accept()
            upstream = socket.create_connection(("127.0.0.1", self.port))
            threading.Thread(target=self.up, args=(client, upstream), daemon=True).start()
            threading.Thread(target=self.down, args=(upstream, client), daemon=True).start()

    def up(self, client, upstream):
        try:
            while piece := client.recv(65536):
                upstream.sendall(piece)
        except OSError:
            pass

    def down(self, upstream, client):
        try:
            while piece := upstream.recv(65536):
                self.left -= len(piece)
                if self.left < 0:
                    break
                client.sendall(piece)
        except OSError:
            pass
        for each in (upstream, client):
            try:
                each.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass


def digests(folder):
    return {path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
            for path in sorted(Path(folder).rglob("*")) if path.is_file() and ".git/" not in path.as_posix()}


def downloaded(shell, repo):
    return digests(shell.run("download", repo)["folder"])


def from_upstream(upstream, ada, bob):
    model = WORK / "model"
    model.mkdir()
    (model / "weights.bin").write_bytes(os.urandom(9_000_000))
    (model / "config.json").write_text('{"model_type": "bert"}')
    (model / "README.md").write_text(CARD)
    ada.run("upload", "ada/model", str(model), "--create", "--private")
    theirs = downloaded(ada, "ada/model")
    token = ada.environment["HF_TOKEN"]

    refused = bob.run("mirror", "pull", "ada/model", "--from", upstream.url, "--as", "bob/model", code=1)
    assert refused["code"] == "repo_not_found", refused  # Private, and no token given.
    refused = bob.run("mirror", "pull", "ada/model", "--from", upstream.url, "--deny", "ada/*", code=1)
    assert refused["code"] == "policy_refused", refused

    # Ended half way: nothing is here, and what was fetched is not fetched again.
    cut = Cut(int(upstream.url.rsplit(":", 1)[1]), 4_000_000)
    broken = bob.run("mirror", "pull", "ada/model", "--from", cut.url, "--as", "bob/model", code=1, HOLDFAST_UPSTREAM_TOKEN=token)
    assert broken["code"] == "dependency_failed" and "does not answer" in broken["error"], broken
    assert bob.run("download", "bob/model", code=1)["code"] == "repo_not_found"
    half = sum(path.stat().st_size for path in Path(bob.home).rglob("*.incomplete"))
    assert half > 1_000_000, half

    done = bob.run("mirror", "pull", "ada/model", "--from", upstream.url, "--as", "bob/model", HOLDFAST_UPSTREAM_TOKEN=token)
    record = done["provenance"]
    assert record["source"] == "upstream" and record["license"] == "apache-2.0" and record["baseModels"] == ["google/bert"], record
    assert record["datasets"] == ["demo/reviews"] and len(record["revision"]) == 40, record
    assert downloaded(bob, "bob/model") == theirs
    again = bob.run("mirror", "pull", "ada/model", "--from", upstream.url, "--as", "bob/model", HOLDFAST_UPSTREAM_TOKEN=token)
    assert again["changed"] == 0 and again["commit"] == done["commit"] and again["provenance"]["digest"] == record["digest"], again

    # A file changed, one is gone, one is new: one commit of those alone.
    (model / "config.json").write_text('{"model_type": "bert", "layers": 2}')
    ada.run("upload", "ada/model", str(model / "config.json"))
    moved = bob.run("mirror", "pull", "ada/model", "--from", upstream.url, "--as", "bob/model", HOLDFAST_UPSTREAM_TOKEN=token)
    assert moved["changed"] == 1 and moved["bytesSent"] < 10_000, moved
    told = bob.run("mirror", "provenance", "bob/model")
    assert told["known"] and not told["changedSince"] and told["provenance"] == moved["provenance"], told

    upstream.kill()
    down = bob.run("mirror", "pull", "ada/model", "--from", upstream.url, "--as", "bob/model", code=1)
    assert down["code"] == "dependency_failed" and "served on" in down["error"], down
    shutil.rmtree(Path(bob.home) / "hub")
    assert downloaded(bob, "bob/model")["config.json"] == hashlib.sha256((model / "config.json").read_bytes()).hexdigest()
    print("a mirror of an instance that dies half way and for good: done")


def from_folders(bob):
    files = WORK / "plain"
    files.mkdir()
    (files / "data.bin").write_bytes(os.urandom(200_000))
    (files / "README.md").write_text(CARD)
    assert bob.run("mirror", "import", str(files), "--as", "bob/plain")["provenance"]["source"] == "folder"
    assert downloaded(bob, "bob/plain") == digests(files)

    bob.run("download", "bob/plain")
    cached = bob.run("mirror", "import", str(Path(bob.home) / "hub" / "models--bob--plain"), "--as", "bob/from-cache")
    assert cached["provenance"]["source"] == "hub-cache" and len(cached["provenance"]["revision"]) == 40, cached
    assert downloaded(bob, "bob/from-cache") == digests(files)

    checkout = WORK / "checkout"
    checkout.mkdir()
    large = os.urandom(300_000)
    digest = hashlib.sha256(large).hexdigest()
    objects = checkout / ".git" / "lfs" / "objects" / digest[:2] / digest[2:4]
    pointer = f"version https://git-lfs.github.com/spec/v1\noid sha256:{digest}\nsize {len(large)}\n"
    objects.mkdir(parents=True)
    (checkout / "model.bin").write_text(pointer)
    (checkout / ".git" / "HEAD").write_text("0123456789" * 4 + "\n")
    missing = bob.run("mirror", "import", str(checkout), "--as", "bob/checkout", code=1)
    assert missing["code"] == "object_missing" and "model.bin" in missing["error"], missing
    (objects / digest).write_bytes(large)
    taken = bob.run("mirror", "import", str(checkout), "--as", "bob/checkout")
    assert taken["provenance"]["source"] == "git-lfs" and taken["provenance"]["revision"] == "0123456789" * 4, taken
    assert downloaded(bob, "bob/checkout")["model.bin"] == digest

    (files / "weights.pkl").write_bytes(pickle.dumps(Evil()))
    evil = bob.run("mirror", "import", str(files), "--as", "bob/evil", code=1)
    assert evil["code"] == "policy_refused" and "weights.pkl" in evil["error"], evil
    assert bob.run("download", "bob/evil", code=1)["code"] == "repo_not_found"

    bob.run("upload", "bob/plain", str(files / "README.md"), "NOTES.md")
    assert bob.run("mirror", "provenance", "bob/plain")["changedSince"]
    bob.run("upload", "bob/by-hand", str(files / "README.md"), "--create")
    assert bob.run("mirror", "provenance", "bob/by-hand", code=1)["risk"] == "unknown source"
    print("imports of a folder, a cache and a checkout: done")


def main():
    upstream, here = HoldfastServer(), HoldfastServer()
    try:
        upstream.start()
        here.start()
        upstream.create_user("ada")
        here.create_user("bob")
        ada = Shell(upstream.url, upstream.create_token("ada"), WORK / "ada")
        bob = Shell(here.url, here.create_token("bob"), WORK / "bob")
        from_upstream(upstream, ada, bob)
        from_folders(bob)
    finally:
        for server in (upstream, here):
            if server.process and server.process.poll() is None:
                server.kill()
            server.remove()
        shutil.rmtree(WORK, ignore_errors=True)


if __name__ == "__main__":
    main()
