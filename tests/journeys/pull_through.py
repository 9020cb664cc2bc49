"""A hub in front of others: huggingface_hub asks it for what only an upstream has. The first request streams while the repository is
stored, scanned and pinned; then the upstream may change, cut, refuse or die. Upstreams: a second instance, and a fake one that none
of our code wrote (tests/clients/fake_upstream.py).

usage: pull_through.py (HOLDFAST_PROGRAM names the program)
"""
import hashlib
import hmac
import json
import os
import pickle
import random
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "clients"))
from fake_upstream import FakeUpstream, Repository  # noqa: E402
from holdfast_server import HoldfastServer, program  # noqa: E402

WORK = Path(tempfile.mkdtemp(prefix="holdfast-pull-"))
CARD = b"---\nlicense: apache-2.0\n---\n# A model\n"
SECRET = "upstream-token-of-the-test"
SNAPSHOT = "import sys; from huggingface_hub import snapshot_download; print(snapshot_download(sys.argv[1], revision=sys.argv[2], max_workers=4))"


class Evil:
    def __reduce__(self):
        return (os.system, ("id",))


def content(seed, size):
    return random.Random(seed).randbytes(size)


class Client:
    """huggingface_hub in a process and with a cache of its own."""

    def __init__(self, server, token=None):
        self.home = Path(tempfile.mkdtemp(dir=WORK))
        self.environment = {**os.environ, "HF_ENDPOINT": server.url, "HF_HOME": str(self.home), "HF_HUB_DISABLE_TELEMETRY": "1",
                            "HF_HUB_DISABLE_UPDATE_CHECK": "1", "HF_HUB_DISABLE_PROGRESS_BARS": "1"}
        self.environment.pop("HF_TOKEN", None)
        if token:
            self.environment["HF_TOKEN"] = token

    def start(self, repo, revision="main"):
        return subprocess.Popen([sys.executable, "-c", SNAPSHOT, repo, revision], env=self.environment, stdout=subprocess.PIPE,
                                stderr=subprocess.PIPE, text=True)

    def finish(self, process):
        out, err = process.communicate(timeout=300)
        assert process.returncode == 0, err
        folder = Path(out.strip().splitlines()[-1])
        return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}

    def snapshot(self, repo, revision="main"):
        return self.finish(self.start(repo, revision))

    def fails(self, repo, revision="main"):
        process = self.start(repo, revision)
        out, err = process.communicate(timeout=300)
        assert process.returncode != 0, out
        return err


class Here:
    """The hub in the middle, and what its administrator does with it."""

    def __init__(self):
        self.server = HoldfastServer(options=["--webhooks.private-addresses"])
        self.server.start()
        self.admin = next(event["token"] for event in self.server.events if event.get("event") == "first_admin")

    def ask(self, method, path, body=None, status=200):
        headers = {"Authorization": f"Bearer {self.admin}", "Content-Type": "application/json"}
        answer = self.server.http(method, path, body=json.dumps(body).encode() if body is not None else None, headers=headers)
        assert answer.status == status, (answer.status, answer.body)
        return json.loads(answer.body or b"null")

    def upstream(self, name, url, namespaces, **more):
        return self.ask("PUT", f"/api/upstreams/{name}", {"url": url, "namespaces": namespaces, **more})

    def snapshot(self, repo, revision="main"):
        """As Client.snapshot, without its process: what clients ask, in their order."""
        answer = self.server.http("GET", f"/api/models/{repo}/revision/{revision}")
        assert answer.status == 200, (answer.status, answer.body)
        info, files = json.loads(answer.body), {}
        for each in info["siblings"]:
            got = self.server.http("GET", f"/{repo}/resolve/{info['sha']}/{each['rfilename']}")
            if got.status in (302, 307):
                got = self.server.http("GET", got.headers["Location"].removeprefix(self.server.url))
            assert got.status == 200, (each, got.status, got.body[:500])
            files[each["rfilename"]] = got.body
        return files

    def revision(self, repo, state, seconds=60):
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            found = [each for each in self.ask("GET", "/api/mirror/revisions")["revisions"] if each["repository"] == repo]
            if found and found[0]["state"] == state:
                return found[0]
            time.sleep(0.05)
        raise AssertionError((repo, state, found, self.server.log(20)))


def first_pull_and_after(here, fake):
    files = {"config.json": b'{"model_type": "bert"}', "README.md": CARD, "model.safetensors": safetensors(1, 20_000_000),
             "deep/down/vocab.txt": b"a\nb\n", ".gitattributes": b"*.safetensors filter=lfs diff=lfs merge=lfs -text\n"}
    first = fake.repositories["demo/bert"] = Repository(files)
    commit = first.refs["main"][-1]
    assert Client(here.server).snapshot("demo/bert") == files
    row = here.revision("demo/bert", "done")
    assert row["remoteCommit"] == commit and row["license"] == "apache-2.0" and row["digest"], row
    told = here.ask("GET", "/api/models/demo/bert/provenance")
    assert told["known"] and told["revisions"][0]["remoteCommit"] == commit, told
    # Pinned: what the upstream does from now on changes nothing here.
    first.put({**files, "config.json": b"{}"})
    assert here.snapshot("demo/bert") == files
    fake.moved["demo/bert"] = "demo/renamed"
    assert here.snapshot("demo/bert") == files
    del fake.moved["demo/bert"]
    fake.repositories.pop("demo/bert")
    assert here.snapshot("demo/bert") == files
    fake.down = True
    assert Client(here.server).snapshot("demo/bert") == files
    assert here.snapshot("demo/bert", commit) == files, "by the commit's name upstream"
    fake.down = False
    print("first pull, then changed, renamed, deleted, down: done")


def clone_starts_it(here, fake):
    files = {"README.md": CARD, "model.safetensors": safetensors(6, 12_000_000)}
    fake.repositories["demo/cloned"] = Repository(files)
    folder = WORK / "cloned"
    environment = {"PATH": os.environ["PATH"], "HOME": str(WORK), "GIT_TERMINAL_PROMPT": "0", "GIT_LFS_SKIP_SMUDGE": "1"}
    subprocess.run(["git", "clone", "-q", f"{here.server.url}/demo/cloned", str(folder)], env=environment, check=True, timeout=120)
    assert (folder / "README.md").read_bytes() == CARD
    assert hashlib.sha256(files["model.safetensors"]).hexdigest() in (folder / "model.safetensors").read_text(), "a pointer"
    refused = subprocess.run(["git", "clone", "-q", f"{here.server.url}/demo/nowhere-at-all", str(WORK / "no")], env=environment,
                             capture_output=True, timeout=120)
    assert refused.returncode != 0
    print("a clone by git starts it and waits: done")


def lfs_starts_it(here, fake):
    weights = safetensors(7, 12_000_000)
    fake.repositories["demo/by-lfs"] = Repository({"README.md": CARD, "model.safetensors": weights})
    oid = hashlib.sha256(weights).hexdigest()
    wanted = [{"oid": oid, "size": len(weights)}, {"oid": "0" * 64, "size": 5}]

    def batch(operation):
        return here.server.http("POST", "/demo/by-lfs.git/info/lfs/objects/batch",
                                body=json.dumps({"operation": operation, "transfers": ["basic"], "objects": wanted}).encode())

    assert batch("upload").status in (401, 404)
    assert fake.count("demo/by-lfs") == 0, "nobody uploads to an upstream"
    found, missing = json.loads(batch("download").body)["objects"]
    assert missing["error"]["code"] == 404, missing
    fetch = found["actions"]["download"]
    got = here.server.http("GET", fetch["href"].removeprefix(here.server.url), headers=fetch.get("header", {}))
    assert got.status == 200 and got.body == weights
    here.revision("demo/by-lfs", "done")
    # git-lfs itself, in a folder that was never cloned from here.
    other = safetensors(10, 12_000_000)
    fake.repositories["demo/by-git-lfs"] = Repository({"README.md": CARD, "model.safetensors": other})
    folder = WORK / "by-git-lfs"
    environment = {"PATH": os.environ["PATH"], "HOME": str(WORK), "GIT_TERMINAL_PROMPT": "0"}

    def git(*words):
        return subprocess.run(["git", "-c", "user.name=a", "-c", "user.email=a@b", *words], cwd=folder, env=environment, check=True, timeout=120)

    folder.mkdir()
    git("init", "-q", "-b", "main")
    (folder / ".gitattributes").write_text("*.safetensors filter=lfs diff=lfs merge=lfs -text\n")
    pointer = f"version https://git-lfs.github.com/spec/v1\noid sha256:{hashlib.sha256(other).hexdigest()}\nsize {len(other)}\n"
    (folder / "model.safetensors").write_text(pointer)
    git("add", ".")
    git("commit", "-q", "-m", "pointers from elsewhere")
    git("remote", "add", "origin", f"{here.server.url}/demo/by-git-lfs")
    git("lfs", "pull", "origin")
    assert (folder / "model.safetensors").read_bytes() == other
    here.revision("demo/by-git-lfs", "done")
    print("git-lfs alone starts it: done")


def one_transfer(here, fake):
    files = {"README.md": CARD, "model.safetensors": safetensors(2, 40_000_000)}
    fake.repositories["demo/crowd"] = Repository(files)
    before, fake.slow = fake.sent, 0.001
    clients = [Client(here.server) for _ in range(4)]
    running = [(client, client.start("demo/crowd")) for client in clients]
    for client, process in running:
        assert client.finish(process) == files
    fake.slow = 0
    sent = fake.sent - before
    total = sum(map(len, files.values()))
    assert sent <= total * 1.02, f"{sent} bytes for {total}"
    assert fake.count("/api/models/demo/crowd/revision/main") < 4, "each asks for itself"
    print(f"four at once, one transfer of {sent:,} bytes: done")


def cut_and_killed(here, fake):
    files = {"README.md": CARD, "model.safetensors": safetensors(3, 50_000_000)}
    fake.repositories["demo/cut"] = Repository(files)
    before = fake.sent
    fake.cut_after = before + 20_000_000
    client = Client(here.server)
    process = client.start("demo/cut")
    time.sleep(2)
    assert here.server.http("GET", "/api/models/demo/cut/refs").status == 404, "half of it is seen"
    here.server.kill()  # With the upstream cut, too.
    process.communicate()
    here.server.restart(int(here.server.url.rsplit(":", 1)[1]))
    fake.cut_after = None
    assert client.snapshot("demo/cut") == files
    here.revision("demo/cut", "done")
    sent = fake.sent - before
    assert sent < 50_000_000 + 3 * 16_777_216, f"{sent} bytes: it did not go on where it stopped"
    fake.repositories["demo/gone"] = Repository({"README.md": CARD, "model.safetensors": safetensors(4, 30_000_000)})
    fake.cut_after = fake.sent + 5_000_000
    process = Client(here.server).start("demo/gone")
    time.sleep(1)
    fake.down = True
    out, err = process.communicate(timeout=300)
    assert process.returncode != 0
    answer = here.server.http("GET", "/api/models/demo/gone/refs")
    assert answer.status == 404
    assert Client(here.server).snapshot("demo/cut") == files
    fake.down, fake.cut_after = False, None
    print("cut, killed on the way, killed for good: done")


def faithful_errors(here, fake):
    def status(path):
        answer = here.server.http("HEAD" if "resolve" in path else "GET", path)
        return answer.status, answer.headers.get("X-Error-Code")

    assert status("/api/models/demo/nowhere") == (404, "RepoNotFound")
    fake.repositories["demo/some"] = Repository({"README.md": CARD})
    assert status("/api/models/demo/some/revision/nothing") == (404, "RevisionNotFound")
    assert status("/demo/some/resolve/main/absent.txt") == (404, "EntryNotFound")
    fake.down = True
    code, name = status("/api/models/demo/other")
    assert code == 504 and name != "RepoNotFound", (code, name)
    assert status("/demo/other/resolve/main/config.json")[0] == 504
    fake.down, fake.status = False, 503
    assert status("/api/models/demo/third")[0] == 504
    fake.status = None
    assert "504" in failing(here, fake), "the client hears of the gateway"
    here.upstream("fake", fake.url, "demo", secret="fake", deny="demo/secret*")
    assert status("/api/models/demo/secret-one") == (403, "PolicyRefused")
    assert here.server.http("GET", "/api/models/else/where").status == 404, "no upstream stands behind it"
    print("errors as the upstream means them: done")


def failing(here, fake):
    fake.down = True
    text = Client(here.server).fails("demo/fourth")
    fake.down = False
    return text


def quarantine(here, fake):
    files = {"README.md": CARD, "model.pkl": pickle.dumps(Evil()), "config.json": b"{}"}
    fake.repositories["demo/evil"] = Repository(files)
    answer = here.server.http("GET", "/demo/evil/resolve/main/model.pkl")
    assert answer.status == 403, (answer.status, answer.body)
    row = here.revision("demo/evil", "quarantined")
    assert "model.pkl" in row["detail"], row
    for path in ("/demo/evil/resolve/main/model.pkl", "/demo/evil/resolve/main/config.json", f"/demo/evil/resolve/{row['remoteCommit']}/model.pkl"):
        answer = here.server.http("GET", path)
        assert answer.status == 403 and answer.headers["X-Error-Code"] == "PolicyRefused", (path, answer.status, answer.body)
    # A large one is sent while it comes, but never its end.
    fake.repositories["demo/large-evil"] = Repository({"README.md": CARD, "model.pkl": pickle.dumps([content(5, 12_000_000), Evil()])})
    text = Client(here.server).fails("demo/large-evil")
    here.revision("demo/large-evil", "quarantined")
    assert not list(WORK.rglob("snapshots/*/model.pkl")), text
    here.ask("POST", f"/api/mirror/revisions/{row['id']}/release", {"reason": "looked at by ada, harmless in our sandbox"}, 202)
    here.revision("demo/evil", "done")
    assert here.snapshot("demo/evil") == files
    assert "mirror.released" in here.server.command("audit", "export")
    print("what is dangerous is quarantined, and let in with a reason only: done")


def who_may(here, fake):
    fake.repositories["closed/model"] = Repository({"README.md": CARD})
    here.upstream("closed", fake.url, "closed", secret="fake", visibility="private")
    here.server.create_user("eve")
    assert here.server.http("GET", "/api/models/closed/model").status == 404
    before = fake.count("closed/model")
    eve = here.server.create_token("eve")
    assert here.server.http("GET", "/api/models/closed/model", headers={"Authorization": f"Bearer {eve}"}).status == 404
    assert fake.count("closed/model") == before, "the upstream was asked for a stranger"
    assert Client(here.server, here.admin).snapshot("closed/model")
    here.revision("closed/model", "done")
    assert here.server.http("GET", "/api/models/closed/model").status == 404
    log = here.server.log(100_000)
    assert SECRET not in log and SECRET not in here.server.http("GET", "/metrics").body.decode()
    for path in Path(here.server.folder).rglob("*"):
        if path.is_file() and path.stat().st_size < 64 << 20:
            assert SECRET.encode() not in path.read_bytes(), path
    print("who may not read the namespace reaches no upstream; the token is nowhere in clear: done")


class Receiver:
    """Takes what webhooks are told; `statuses` are the next answers."""

    def __init__(self):
        self.got, self.statuses = [], []
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def log_message(self, *_):
                pass

            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                status = receiver.statuses.pop(0) if receiver.statuses else 200
                if status == 200:
                    receiver.got.append((dict(self.headers), body))
                self.send_response(status)
                self.send_header("Content-Length", "0")
                self.end_headers()

        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{server.server_port}/hook"
        threading.Thread(target=server.serve_forever, daemon=True).start()

    def wait(self, fits, seconds=30):
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            for headers, body in list(self.got):
                if fits(json.loads(body)):
                    return headers, body
            time.sleep(0.05)
        raise AssertionError([json.loads(body) for _, body in self.got])


def changes_and_webhooks(here, fake):
    receiver = Receiver()
    made = here.ask("POST", "/api/settings/webhooks", {"url": receiver.url, "watched": [{"type": "org", "name": "demo"}, {"type": "user", "name": "admin"}],
                                                       "domains": ["repo"], "secret": "sign-with-this"})["webhook"]
    files = {"README.md": CARD, "config.json": b"{}", "tokenizer.json": b"{}"}
    base = fake.repositories["demo/base"] = Repository(files)
    here.snapshot("demo/base")
    here.revision("demo/base", "done")
    headers, body = receiver.wait(lambda told: told["repo"]["name"] == "demo/base" and told["event"]["scope"] == "repo.content")
    stamp, _, mark = headers["X-Holdfast-Signature"].partition(",v1=")
    seconds = stamp.removeprefix("t=")
    assert hmac.new(b"sign-with-this", f"{seconds}.".encode() + body, hashlib.sha256).hexdigest() == mark
    assert headers["X-Webhook-Secret"] == "sign-with-this"
    here.ask("POST", "/api/repos/create", {"name": "tuned", "type": "model"})
    tuned = "---\nlicense: mit\nbase_model: demo/base\n---\n# Tuned\n"
    lines = [{"key": "header", "value": {"summary": "card"}}, {"key": "file", "value": {"path": "README.md", "content": tuned}}]
    answer = here.server.http("POST", "/api/models/admin/tuned/commit/main", here.admin, "\n".join(map(json.dumps, lines)).encode(),
                              {"Content-Type": "application/x-ndjson"})
    assert answer.status == 200, answer.body
    base.put({**files, "README.md": CARD.replace(b"apache-2.0", b"cc-by-nc-4.0"), "tokenizer.json": b"[]"})
    said = here.ask("POST", "/api/mirror/sync", {"repository": "demo/base"})
    assert {"card", "license", "tokenizer"} <= set(said["what"].split(", ")), said
    assert not here.ask("POST", "/api/mirror/sync", {"repository": "demo/base"})["changed"], "told twice"
    receiver.wait(lambda told: told["repo"]["name"] == "demo/base" and "upstream_changed" in told.get("updatedConfig", {}))
    _, body = receiver.wait(lambda told: told["repo"]["name"] == "admin/tuned" and "dependency_changed" in told.get("updatedConfig", {}))
    assert "license" in json.loads(body)["updatedConfig"]["dependency_changed"]["what"], body
    assert here.snapshot("demo/base") == files, "a pinned repository moved"
    fake.repositories.pop("demo/base")
    assert here.ask("POST", "/api/mirror/sync", {"repository": "demo/base"})["what"] == "removed"
    # An upstream that is followed.
    here.upstream("followed", fake.url, "live", secret="fake", follow=True, everySeconds=1)
    live = fake.repositories["live/model"] = Repository(files)
    here.snapshot("live/model")
    here.revision("live/model", "done")
    newer = {**files, "config.json": b'{"layers": 2}'}
    live.put(newer)
    until = time.monotonic() + 30
    while here.snapshot("live/model") != newer:
        assert time.monotonic() < until, "the schedule did not bring it"
    until = time.monotonic() + 60
    while True:
        deliveries = here.ask("GET", f"/api/settings/webhooks/{made['id']}/deliveries")["deliveries"]
        if all(each["state"] == "delivered" for each in deliveries) or time.monotonic() > until:
            break
        time.sleep(0.05)
    assert all(each["state"] == "delivered" and each["status"] == 200 for each in deliveries), deliveries
    again = here.ask("POST", f"/api/settings/webhooks/{made['id']}/deliveries/{deliveries[0]['id']}/replay", {}, 202)
    assert again["id"] > deliveries[0]["id"]
    print("upstream changes, the schedule and webhooks: done")


def imports(here, fake):
    files = {"README.md": CARD, "weights.safetensors": safetensors(8, 20_000_000)}
    fake.repositories["demo/job"] = Repository(files)
    fake.repositories["demo/job"].put({**files, "extra.txt": b"1"}, "v1.0")
    fake.slow = 0.02  # Until progress was seen.
    started = here.ask("POST", "/api/mirror/revisions", {"repository": "demo/job", "revision": "v1.0"}, 202)
    seen = set()
    while (now := here.ask("GET", f"/api/mirror/revisions/{started['id']}"))["state"] == "fetching":
        seen.add(now["bytesHere"])
        if len(seen) > 2:
            fake.slow = 0
        time.sleep(0.05)
    fake.slow = 0
    assert now["state"] == "done" and len(seen) > 2, (now, seen)
    fake.down = True
    assert "extra.txt" in here.snapshot("demo/job", "v1.0")
    fake.down = False
    assert here.snapshot("demo/job") == files, "main is the upstream's own, not the tag's"
    print("an import in the background with progress: done")


def second_instance(here):
    upstream = HoldfastServer()
    try:
        upstream.start()
        upstream.create_user("ada")
        token = upstream.create_token("ada")
        model = WORK / "second"
        model.mkdir()
        (model / "README.md").write_bytes(CARD)
        (model / "weights.safetensors").write_bytes(safetensors(9, 30_000_000))
        environment = {**os.environ, "HF_ENDPOINT": upstream.url, "HF_TOKEN": token, "HF_HOME": str(WORK / "second-home")}
        subprocess.run([program(), "upload", "ada/model", str(model), "--create", "--private"], env=environment, check=True, capture_output=True)
        here.server.command("secret", "set", "second", "--value-stdin", "--host", "127.0.0.1", stdin=token + "\n")
        relay = SlowRelay(upstream.url)
        here.upstream("second", relay.url, "mirror=ada", secret="second")
        relay.pause = 0
        files = {path.name: path.read_bytes() for path in model.iterdir()}
        client = Client(here.server)
        process = client.start("mirror/model")
        got = client.finish(process)
        assert {name: got[name] for name in files} == files
        here.revision("mirror/model", "done")
        relay.pause = 0.01
        killed_half_way(here, upstream, relay, token)
        upstream.kill()
        again = Client(here.server).snapshot("mirror/model")
        assert {name: again[name] for name in files} == files
    finally:
        if upstream.process.poll() is None:
            upstream.kill()
        upstream.remove()
    print("a second instance, killed half way, back, then killed for good: done")


class SlowRelay:
    """Between two servers: passes bytes on, slowly from the upstream while `pause` says so."""

    def __init__(self, url):
        host, _, port = url.removeprefix("http://").partition(":")
        self.target, self.pause = (host, int(port)), 0.01
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self.listener.getsockname()[1]}"
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self):
        while True:
            try:
                near, _ = self.listener.accept()
            except OSError:
                return
            try:
                far = socket.create_connection(self.target)
            except OSError:
                near.close()
                continue
            threading.Thread(target=self.relay, args=(near, far, 0), daemon=True).start()
            threading.Thread(target=self.relay, args=(far, near, 1), daemon=True).start()

    def relay(self, source, sink, slow):
        try:
            while data := source.recv(65536):
                sink.sendall(data)
                if slow and self.pause:
                    time.sleep(self.pause)
        except OSError:
            pass
        for each in (source, sink):
            try:
                each.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass


def killed_half_way(here, upstream, relay, token):
    """A second instance dies in the middle of a file: what is pinned goes on, of the other nothing is seen; it comes back, and so does the rest."""
    files = {"README.md": CARD, "weights.safetensors": safetensors(11, 40_000_000)}
    folder = WORK / "half"
    folder.mkdir()
    for name, content in files.items():
        (folder / name).write_bytes(content)
    environment = {**os.environ, "HF_ENDPOINT": upstream.url, "HF_TOKEN": token, "HF_HOME": str(WORK / "second-home")}
    subprocess.run([program(), "upload", "ada/half", str(folder), "--create"], env=environment, check=True, capture_output=True)
    port = int(upstream.url.rsplit(":", 1)[1])
    row = here.ask("POST", "/api/mirror/revisions", {"repository": "mirror/half"}, 202)
    until = time.monotonic() + 60
    while not 2_000_000 < here.ask("GET", f"/api/mirror/revisions/{row['id']}")["bytesHere"]:
        assert time.monotonic() < until, "nothing comes"
        time.sleep(0.01)
    upstream.kill()
    now = here.ask("GET", f"/api/mirror/revisions/{row['id']}")
    assert now["state"] == "fetching" and now["bytesHere"] < now["bytes"], now
    absent = here.server.http("GET", "/api/models/mirror/half/refs", here.admin)
    assert absent.status == 404, "half of it is seen"
    listed = json.loads(here.server.http("GET", "/api/models?author=mirror", here.admin).body)
    assert "mirror/half" not in [each["id"] for each in listed]
    got = here.server.http("GET", "/mirror/half/resolve/main/weights.safetensors", here.admin, headers={"Range": "bytes=-1000"})
    assert got.status in (502, 504), (got.status, got.body[:200])
    other = here.server.http("GET", "/api/models/mirror/nothing", here.admin)
    assert other.status in (502, 504), (other.status, other.body)
    relay.pause = 0
    upstream.restart(port)
    here.revision("mirror/half", "done")
    assert here.snapshot("mirror/half")["weights.safetensors"] == files["weights.safetensors"]


def ranges_while_it_comes(here, fake):
    weights = safetensors(12, 24_000_000)
    fake.repositories["demo/ranges"] = Repository({"README.md": CARD, "model.safetensors": weights})
    before, fake.slow = fake.sent, 0.002
    parts = [(0, 999), (5_000_000, 11_999_999), (12_000_000, 19_999_999), (20_000_000, len(weights) - 1)]
    got = {}

    def fetch(first, last):
        answer = here.server.http("GET", "/demo/ranges/resolve/main/model.safetensors", headers={"Range": f"bytes={first}-{last}"})
        got[first] = (answer.status, answer.body)

    threads = [threading.Thread(target=fetch, args=part) for part in parts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    fake.slow = 0
    for first, last in parts:
        assert got[first][0] == 206 and got[first][1] == weights[first:last + 1], (first, got[first][0], len(got[first][1]))
    here.revision("demo/ranges", "done")
    assert fake.sent - before <= (len(weights) + len(CARD)) * 1.02, "fetched twice"
    print("four ranges at once while it comes, one transfer: done")


def safetensors(seed, size):
    """A file of random numbers that its format's rules accept."""
    count = size // 2
    head = json.dumps({"weight": {"dtype": "F16", "shape": [count], "data_offsets": [0, count * 2]}}).encode()
    head += b" " * (-len(head) % 8)
    return len(head).to_bytes(8, "little") + head + content(seed, count * 2)


def main():
    here, fake = Here(), FakeUpstream(token=SECRET)
    try:
        here.server.command("secret", "set", "fake", "--value-stdin", stdin=SECRET + "\n")
        assert SECRET not in here.server.command("secret", "list")
        here.upstream("fake", fake.url, "demo", secret="fake")
        first_pull_and_after(here, fake)
        clone_starts_it(here, fake)
        lfs_starts_it(here, fake)
        one_transfer(here, fake)
        ranges_while_it_comes(here, fake)
        cut_and_killed(here, fake)
        quarantine(here, fake)
        imports(here, fake)
        who_may(here, fake)
        changes_and_webhooks(here, fake)
        second_instance(here)
        faithful_errors(here, fake)
    except BaseException:
        print(here.server.log(30))
        raise
    finally:
        fake.close()
        if here.server.process.poll() is None:
            here.server.kill()
        here.server.remove()
        shutil.rmtree(WORK, ignore_errors=True)


if __name__ == "__main__":
    main()
