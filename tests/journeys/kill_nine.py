"""kill -9 while commits of every kind come in: what was acknowledged is there after the restart, nothing is half-visible.

Four seeds; HOLDFAST_LONG=1 runs fifty. usage: kill_nine.py [SEED …] (HOLDFAST_PROGRAM, HOLDFAST_DRIVER name the programs)
"""
import hashlib
import json
import os
import random
import shutil
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests" / "clients"))
from holdfast_server import HoldfastServer  # noqa: E402

DRIVER = os.environ.get("HOLDFAST_DRIVER") or str(ROOT / "build/dev/bin/upload_driver")
COMMITS = 50
SEEDS = 50 if os.environ.get("HOLDFAST_LONG") == "1" else 4


def get(server, token, path):
    request = urllib.request.Request(server.url + path, headers={"Authorization": f"Bearer {token}"})
    with urllib.request.urlopen(request, timeout=60) as answer:
        return answer.read()


def every_commit(server, token, repo):
    """The history, newest first, through all its pages."""
    url, commits = f"/api/models/{repo}/commits/main?limit=1000", []
    commits += json.loads(get(server, token, url))
    return [commit["id"] for commit in commits]


def check(server, token, repo, acknowledged):
    history = set(every_commit(server, token, repo))
    for line in acknowledged:
        assert line["commit"] in history, f"acknowledged commit {line['commit']} is gone"
        wanted = {file["path"]: file["sha256"] for file in line["files"]}  # Of equal paths the last counts.
        for path, digest in wanted.items():
            got = hashlib.sha256(get(server, token, f"/{repo}/resolve/{line['commit']}/{path}")).hexdigest()
            assert got == digest, f"{path} at {line['commit']} is not what was acknowledged"
    # Commits whose answer was lost may be there: then wholly.
    for commit in history:
        tree = json.loads(get(server, token, f"/api/models/{repo}/tree/{commit}?recursive=true"))
        for entry in tree:
            if entry.get("lfs"):
                body = get(server, token, f"/{repo}/resolve/{commit}/{entry['path']}")
                assert hashlib.sha256(body).hexdigest() == entry["lfs"]["oid"], f"{entry['path']} at {commit} is half there"
    report = json.loads(server.command("fsck", "--json"))
    assert report["clean"], report["findings"][:5]
    return len(history)


def one_seed(seed):
    chance = random.Random(seed)
    work = Path(tempfile.mkdtemp(prefix="holdfast-kill-"))
    server = HoldfastServer(work)
    server.owns_data = True
    try:
        server.start()
        server.create_user("ada")
        token = server.create_token("ada")
        repo = "ada/storm"
        body = json.dumps({"name": "storm", "organization": "ada"}).encode()
        urllib.request.urlopen(urllib.request.Request(server.url + "/api/repos/create", data=body, headers={
            "Authorization": f"Bearer {token}", "Content-Type": "application/json"})).read()
        port = server.url.rsplit(":", 1)[1]
        lines = open(work / "acknowledged", "wb")
        errors = open(work / "driver.log", "wb")
        driver = subprocess.Popen([DRIVER, server.url, token, repo, str(seed), str(COMMITS)], stdout=lines, stderr=errors)
        kills = 0
        while driver.poll() is None:
            time.sleep(chance.uniform(0.02, 0.6))
            if driver.poll() is not None:
                break
            server.kill()
            kills += 1
            server.restart(port)
        assert driver.returncode == 0, (work / "driver.log").read_text()[-2000:]
        acknowledged = [json.loads(line) for line in (work / "acknowledged").read_text().splitlines()]
        assert len(acknowledged) == COMMITS
        total = check(server, token, repo, acknowledged)
        server.stop()
        print(f"seed {seed}: {COMMITS} commits acknowledged over {kills} kills, {total} in the history, all of them whole", flush=True)
    except BaseException:
        print(f"seed {seed} failed; the server's log:\n{server.log()}", flush=True)
        server.kill()
        raise
    finally:
        shutil.rmtree(work, ignore_errors=True)


def main():
    if not Path(DRIVER).exists():
        raise SystemExit(f"{DRIVER} is not built: ninja -C build/dev upload_driver")
    for seed in [int(text) for text in sys.argv[1:] if text.isdigit()] or range(1, SEEDS + 1):
        one_seed(seed)


if __name__ == "__main__":
    main()
