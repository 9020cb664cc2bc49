"""`holdfast gc` with hardly any grace, again and again, beside uploads by every door: what was acknowledged is whole, and
an upload that lost bytes to it is told so and goes through when it is tried again.

usage: gc_beside_upload.py (HOLDFAST_PROGRAM names the program)
"""
import hashlib
import http.client
import json
import os
import random
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests" / "clients"))
sys.path.insert(0, str(ROOT / "tests" / "journeys"))
from disk_faults import LFS, commit  # noqa: E402
from holdfast_server import HoldfastServer  # noqa: E402

LONG = os.environ.get("HOLDFAST_LONG") == "1"
ROUNDS = 8 if LONG else 2
PIECE = 1 << 20
ATTEMPTS_MAX = 40
SECONDS_MAX = 12  # Of collecting, a round.


class Collector:
    """The command line's gc, one run after the other, until `end`, and no longer than an attempt may be unlucky."""

    def __init__(self, server, grace):
        self.server, self.grace, self.ended, self.runs, self.failed = server, grace, False, 0, []
        self.until = time.monotonic() + SECONDS_MAX
        self.thread = threading.Thread(target=self._run)
        self.thread.start()

    def _run(self):
        while not self.ended and time.monotonic() < self.until:
            try:
                self.server.command("gc", "--grace", self.grace, "--json")
                self.runs += 1
            except RuntimeError as error:
                self.failed.append(str(error)[-300:])

    def end(self):
        self.ended = True
        self.thread.join()
        assert self.runs and not self.failed, (self.runs, self.failed[:3])


def put_slowly(server, token, repo, content, seconds):
    """One LFS object in pieces over `seconds`; the status."""
    digest = hashlib.sha256(content).hexdigest()
    batch = server.http("POST", f"/{repo}.git/info/lfs/objects/batch", token, json.dumps(
        {"operation": "upload", "transfers": ["basic"], "objects": [{"oid": digest, "size": len(content)}]}).encode(), {"Content-Type": LFS, "Accept": LFS})
    actions = batch.json()["objects"][0].get("actions")
    if not actions:
        return 200

    def pieces():
        for at in range(0, len(content), PIECE):
            yield content[at:at + PIECE]
            time.sleep(seconds * PIECE / len(content))

    connection = http.client.HTTPConnection(server.url.removeprefix("http://"), timeout=60)
    try:
        connection.request("PUT", actions["upload"]["href"].removeprefix(server.url), pieces(), {"Content-Length": str(len(content))})
        answer = connection.getresponse()
        answer.read()
        return answer.status
    except OSError:
        return 0  # The server answered, and closed, before all was sent.
    finally:
        connection.close()


def by_lfs(server, token, repo, path, content):
    """How many attempts it took."""
    for attempt in range(1, ATTEMPTS_MAX):
        status = put_slowly(server, token, repo, content, 1.5)
        assert status in (0, 200) or 400 <= status < 600, status
        if status == 200:
            answer = commit(server, token, repo, path, content, large=True)
            if answer.status == 200:
                return attempt
            assert answer.json()["error"], answer.body
    raise AssertionError(f"{path} never went through")


def by_hub(server, token, repo, work, path, content, xet):
    file = work / f"{path}.sent"
    file.write_bytes(content)
    script = ("import sys, time; from huggingface_hub import HfApi\n"
              f"for attempt in range(1, {ATTEMPTS_MAX}):\n"
              "    try:\n"
              "        HfApi().upload_file(path_or_fileobj=sys.argv[1], path_in_repo=sys.argv[3], repo_id=sys.argv[2]); print(attempt); break\n"
              "    except Exception as error:\n"
              "        print(repr(error)[:300], file=sys.stderr); time.sleep(0.5)\n"
              "else: sys.exit('never went through')")
    done = subprocess.run([sys.executable, "-c", script, str(file), repo, path], capture_output=True, text=True, env={
        **os.environ, "HF_ENDPOINT": server.url, "HF_TOKEN": token, "HF_HOME": str(work / f"home-{path}"), "HF_HUB_DISABLE_XET": "0" if xet else "1",
        "HF_HUB_DISABLE_PROGRESS_BARS": "1", "NO_PROXY": "127.0.0.1"})
    assert done.returncode == 0, done.stderr[-2000:]
    return int(done.stdout)


def one_round(server, token, work, number, grace):
    repo, chance = f"ada/beside-{number}", random.Random(number)
    assert server.http("POST", "/api/repos/create", token, {"name": repo[4:], "organization": "ada"}).status == 200
    contents = {f"{name}.bin": chance.randbytes(chance.randint(6, 12) * PIECE + 7) for name in ("lfs", "xet", "plain")}
    attempts, lost = {}, []

    def upload(path, how, *more):
        try:
            attempts[path] = how(server, token, repo, *more)
        except BaseException as error:  # noqa: BLE001: told by the main thread
            lost.append(error)

    collector = Collector(server, grace)
    threads = [threading.Thread(target=upload, args=arguments) for arguments in (
        ("lfs.bin", by_lfs, "lfs.bin", contents["lfs.bin"]), ("xet.bin", by_hub, work, "xet.bin", contents["xet.bin"], True),
        ("plain.bin", by_hub, work, "plain.bin", contents["plain.bin"], False))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    collector.end()
    if lost:
        raise lost[0]
    for path, content in contents.items():
        answer = server.http("GET", f"/{repo}/resolve/main/{path}", token)
        assert answer.status == 200 and answer.body == content, f"{path} was acknowledged and is not whole: {answer.status}"
    report = json.loads(server.command("fsck", "--json"))
    assert report["clean"], report["findings"][:5]
    print(f"round {number}, grace {grace}: {collector.runs} collections, attempts {attempts}, all whole", flush=True)


def main():
    work = Path(tempfile.mkdtemp(prefix="holdfast-gc-"))
    server = HoldfastServer(work)
    try:
        server.start()
        server.create_user("ada")
        token = server.create_token("ada")
        for number in range(ROUNDS):
            one_round(server, token, work, number, ("30s", "2s", "300ms", "0s")[number % 4] if LONG else ("1s", "0s")[number])
        server.stop()
    except BaseException:
        print(server.log(), flush=True)
        if server.process and server.process.poll() is None:
            server.kill()
        raise
    finally:
        shutil.rmtree(work, ignore_errors=True)


if __name__ == "__main__":
    main()
