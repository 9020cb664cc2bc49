"""A full disk and power cuts, met by the real program: what is refused leaves nothing, what was acknowledged stays.

The library of tests/simulate stands between the program and its data folder. usage: disk_faults.py
(HOLDFAST_PROGRAM, HOLDFAST_FAULTS name the program and the library)
"""
import base64
import hashlib
import json
import os
import random
import shutil
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests" / "clients"))
from holdfast_server import HoldfastServer  # noqa: E402

LIBRARY = os.environ.get("HOLDFAST_FAULTS") or str(ROOT / "build/dev/lib/fault_preload.so")
LFS = "application/vnd.git-lfs+json"
CUTS = 30 if os.environ.get("HOLDFAST_LONG") == "1" else 6


class Faulty:
    """A server whose disk obeys two switches: `full` and `cut`, files that a test makes and removes."""

    def __init__(self, work):
        self.work = work
        self.full, self.cut = work / "full", work / "cut"
        self.server = HoldfastServer(work)
        self.server.own_group = True

    def start(self, **more):
        os.environ.update({"LD_PRELOAD": LIBRARY, "HOLDFAST_FAULT_ROOT": str(self.work / "server"),
                           "HOLDFAST_FAULT_FULL_FILE": str(self.full), "HOLDFAST_FAULT_CUT_FILE": str(self.cut), "HOLDFAST_FAULT_DIRECTORIES": "strict", **more})
        try:
            self.server.start()
        finally:
            for name in ("LD_PRELOAD", *[name for name in os.environ if name.startswith("HOLDFAST_FAULT_")]):
                os.environ.pop(name, None)
        return self.server


def put_large(server, token, repo, content):
    """LFS batch and PUT; the status of the PUT (200 where the bytes were there already)."""
    digest = hashlib.sha256(content).hexdigest()
    batch = server.http("POST", f"/{repo}.git/info/lfs/objects/batch", token, json.dumps(
        {"operation": "upload", "transfers": ["basic"], "objects": [{"oid": digest, "size": len(content)}]}).encode(),
        {"Content-Type": LFS, "Accept": LFS})
    if batch.status != 200:
        return batch.status
    actions = batch.json()["objects"][0].get("actions")
    if not actions:
        return 200
    return server.http("PUT", actions["upload"]["href"][len(server.url):], None, content,
                       {"Content-Type": "application/octet-stream"}).status


def commit(server, token, repo, path, content, large):
    lines = [{"key": "header", "value": {"summary": path, "description": ""}}]
    if large:
        lines.append({"key": "lfsFile", "value": {"path": path, "algo": "sha256", "oid": hashlib.sha256(content).hexdigest(), "size": len(content)}})
    else:
        lines.append({"key": "file", "value": {"path": path, "content": base64.b64encode(content).decode(), "encoding": "base64"}})
    body = "".join(json.dumps(line) + "\n" for line in lines).encode()
    return server.http("POST", f"/api/models/{repo}/commit/main", token, body, {"Content-Type": "application/x-ndjson"})


def expect_clean(server):
    report = json.loads(server.command("fsck", "--json"))
    assert report["clean"], report["findings"][:5]


def full_disk(work):
    faulty = Faulty(work)
    server = faulty.start()
    try:
        server.create_user("ada")
        token = server.create_token("ada")
        assert server.http("POST", "/api/repos/create", token, {"name": "full", "organization": "ada"}).status == 200
        content, small = os.urandom(3_000_000), b"small text"
        assert put_large(server, token, "ada/full", content) == 200
        faulty.full.touch()
        other = os.urandom(3_000_000)
        assert put_large(server, token, "ada/full", other) == 507
        refused = commit(server, token, "ada/full", "small.txt", small, large=False)
        assert refused.status == 507 and refused.json()["code"] == "disk_full", (refused.status, refused.body)
        assert commit(server, token, "ada/full", "large.bin", content, large=True).status == 507
        assert server.http("GET", "/api/models/ada/full", token).status == 200, "reading must go on"
        faulty.full.unlink()
        assert put_large(server, token, "ada/full", other) == 200
        for path, body, large in (("large.bin", content, True), ("other.bin", other, True), ("small.txt", small, False)):
            assert commit(server, token, "ada/full", path, body, large).status == 200, path
            assert server.http("GET", f"/ada/full/resolve/main/{path}", token).body == body
        expect_clean(server)
        left = [path for path in (work / "server" / "content").rglob("*") if path.is_file() and "temp" in str(path.parent)]
        assert not left, f"refused uploads left {left}"
        server.stop()
        print("full disk: 507, nothing left behind, and everything works once there is room", flush=True)
    except BaseException:
        print(server.log(), flush=True)
        server.kill()
        raise


def power_cut(work, seed):
    chance = random.Random(seed)
    faulty = Faulty(work)
    server = faulty.start()
    acknowledged = {}
    try:
        server.create_user("ada")
        token = server.create_token("ada")
        assert server.http("POST", "/api/repos/create", token, {"name": "cut", "organization": "ada"}).status == 200
        # The rest runs under a disk that loses what is not synced; each start dies at a sync chosen by the seed.
        for round_ in range(3):
            server.stop() if server.process.poll() is None else None
            try:
                faulty.start(HOLDFAST_FAULT_CUT_SYNC=str(chance.randint(4, 120)))
            except (RuntimeError, OSError):
                continue  # The power went during the start.
            for number in range(40):
                path, large = f"f{chance.randint(0, 9)}", chance.random() < 0.5
                content = chance.randbytes(chance.randint(1, 300_000 if large else 3_000))
                try:
                    if large and put_large(server, token, "ada/cut", content) != 200:
                        break
                    answer = commit(server, token, "ada/cut", path, content, large)
                except OSError:
                    break  # The power went.
                if answer.status != 200:
                    break
                acknowledged[(answer.json()["commitOid"], path)] = hashlib.sha256(content).hexdigest()
            deadline = time.monotonic() + 5
            while server.process.poll() is None and time.monotonic() < deadline:
                time.sleep(0.02)
            if server.process.poll() is None:
                server.stop()
        server.start()
        for (oid, path), digest in acknowledged.items():
            answer = server.http("GET", f"/ada/cut/resolve/{oid}/{path}", token)
            assert answer.status == 200 and hashlib.sha256(answer.body).hexdigest() == digest, (oid, path, answer.status)
        expect_clean(server)
        server.stop()
        return len(acknowledged)
    except BaseException:
        print(f"seed {seed}:\n{server.log()}", flush=True)
        if server.process.poll() is None:
            server.kill()
        raise


def main():
    if not Path(LIBRARY).exists():
        raise SystemExit(f"{LIBRARY} is not built: ninja -C build/dev fault_preload")
    # Named seeds are power cuts; 0 is the full disk.
    for number in [int(text) for text in sys.argv[1:] if text.isdigit()] or range(CUTS + 1):
        work = Path(tempfile.mkdtemp(prefix="holdfast-disk-")).resolve()
        try:
            if number == 0:
                full_disk(work)
            else:
                print(f"power cuts, seed {number}: {power_cut(work, number)} acknowledged commits, all there", flush=True)
        finally:
            shutil.rmtree(work, ignore_errors=True)


if __name__ == "__main__":
    main()
