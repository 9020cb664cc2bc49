"""kill -9 while real clients upload: huggingface_hub with hf_xet, the same without Xet, git with git-lfs, each trying again until
it is done. What was acknowledged is there byte for byte, every listed file can be downloaded whole, fsck finds nothing.

usage: real_client_kills_long.py [SEED …] (HOLDFAST_PROGRAM names the program)
"""
import hashlib
import json
import os
import random
import shutil
import subprocess
import sys
import tempfile
import time
import urllib.parse
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests" / "clients"))
from holdfast_server import HoldfastServer  # noqa: E402

COMMITS = 20  # Of each client.
SECONDS_MAX = 1200
ATTEMPTS_MAX = 200


def content(chance, large):
    return chance.randbytes(chance.randint(1_000_000, 12_000_000)) if large else b"".join(
        b"line %d\n" % chance.getrandbits(60) for _ in range(chance.randint(1, 200)))


def acknowledge(commit, files):
    print(json.dumps({"commit": commit, "files": {path: body and hashlib.sha256(body).hexdigest() for path, body in files.items()}}), flush=True)


def again(what):
    """What a person's script does: the whole operation again until the server answers."""
    for _ in range(ATTEMPTS_MAX):
        try:
            return what()
        except Exception as error:  # noqa: BLE001: whatever a client raises when its server is gone
            print(f"{type(error).__name__}: {str(error)[:200]}", file=sys.stderr, flush=True)
            time.sleep(0.2)
    raise SystemExit("the server did not come back")


def hub_client(repo, prefix, seed):
    from huggingface_hub import CommitOperationAdd, CommitOperationDelete, HfApi
    api, chance, large_there = HfApi(), random.Random(seed), set()
    for number in range(COMMITS):
        files = {f"{prefix}/{chance.choice('abcd')}.txt": content(chance, False)}
        for _ in range(chance.randint(1, 2)):
            files[f"{prefix}/{chance.choice('efgh')}.bin"] = content(chance, True)
        gone = sorted(large_there - set(files))[:1] if chance.random() < 0.3 else []

        def attempt():
            # A deletion may have happened in an attempt whose answer was lost.
            there = {info.path for info in api.get_paths_info(repo, gone)} if gone else set()
            operations = [CommitOperationAdd(path, body) for path, body in files.items()]
            operations += [CommitOperationDelete(path) for path in gone if path in there]
            return api.create_commit(repo, operations, commit_message=f"{prefix} {number}").oid

        acknowledge(again(attempt), {**files, **dict.fromkeys(gone)})
        large_there = (large_there | {path for path in files if path.endswith(".bin")}) - set(gone)


def git_client(url, repo, token, seed):
    chance, folder = random.Random(seed), tempfile.mkdtemp(prefix="holdfast-kill-git-")
    address = url.replace("http://", f"http://ada:{token}@") + f"/{repo}"

    def git(*words):
        done = subprocess.run(["git", *words], cwd=folder, capture_output=True, text=True)
        if done.returncode != 0:
            raise RuntimeError(f"git {words[0]}: {done.stderr}")
        return done.stdout.strip()

    again(lambda: git("clone", "-q", address, "."))
    for words in (["config", "user.name", "ada"], ["config", "user.email", "ada@example.org"], ["lfs", "install", "--local"], ["lfs", "track", "*.bin"]):
        git(*words)
    for number in range(COMMITS):
        files = {f"{chance.choice('abcd')}.txt": content(chance, False), f"{chance.choice('efgh')}.bin": content(chance, True)}
        for path, body in files.items():
            (Path(folder) / path).write_bytes(body)
        git("add", "--all")
        git("commit", "-q", "-m", f"git {number}")
        again(lambda: git("push", "-q", "origin", "HEAD:main"))
        acknowledge(git("rev-parse", "HEAD"), files)
    shutil.rmtree(folder)


def download(server, token, repo, commit, path):
    answer = server.http("GET", f"/{repo}/resolve/{commit}/{urllib.parse.quote(path)}", token)
    if answer.status in (301, 302, 307):
        answer = server.http("GET", answer.headers["Location"].removeprefix(server.url), token)
    assert answer.status == 200, f"{path} at {commit} is listed, and its download answers {answer.status}"
    return answer.body


def pages(server, token, path):
    """A list through all its pages."""
    found = []
    while path:
        answer = server.http("GET", path, token)
        assert answer.status == 200, (path, answer.status, answer.body[:300])
        found += answer.json()
        following = [part for part in (answer.headers["Link"] or "").split(",") if 'rel="next"' in part]
        path = following[0].split("<")[1].split(">")[0].removeprefix(server.url) if following else ""
    return found


def check(server, token, repo, acknowledged):
    history = {commit["id"] for commit in pages(server, token, f"/api/models/{repo}/commits/main?limit=1000")}
    checked = {}  # Digest of the stored bytes by what names them, so that each is read once.
    for commit in sorted(history):
        for entry in pages(server, token, f"/api/models/{repo}/tree/{commit}?recursive=true"):
            if entry["type"] != "file":
                continue
            named = (entry["path"], entry["oid"])
            if named not in checked:
                body = download(server, token, repo, commit, entry["path"])
                if "lfs" in entry:
                    assert hashlib.sha256(body).hexdigest() == entry["lfs"]["oid"], f"{entry['path']} at {commit} is half there"
                else:
                    blob = hashlib.sha1(b"blob %d\0" % len(body) + body).hexdigest()
                    assert blob == entry["oid"], f"{entry['path']} at {commit} is half there"
                checked[named] = hashlib.sha256(body).hexdigest()
    for line in acknowledged:
        assert line["commit"] in history, f"acknowledged commit {line['commit']} is gone"
        there = {entry["path"]: checked[entry["path"], entry["oid"]]
                 for entry in pages(server, token, f"/api/models/{repo}/tree/{line['commit']}?recursive=true") if entry["type"] == "file"}
        for path, digest in line["files"].items():
            assert there.get(path) == digest, f"{path} at {line['commit']} is not what was acknowledged"
    return len(history), len(checked)


def main_is_whole(server, token, repo):
    """In the middle of the storm: what main lists now can be downloaded."""
    now = server.http("GET", f"/api/models/{repo}", token).json()["sha"]
    for entry in pages(server, token, f"/api/models/{repo}/tree/{now}?recursive=true"):
        if entry["type"] == "file":
            body = download(server, token, repo, now, entry["path"])
            assert len(body) == entry["size"], f"{entry['path']} at {now} has {len(body)} bytes, not {entry['size']}"


def real_snapshot(server, token, repo, work):
    """The whole of main through hf_xet, compared with what the tree says."""
    folder = work / "snapshot" / repo.replace("/", "-")
    script = "import sys; from huggingface_hub import snapshot_download as get; get(sys.argv[1], local_dir=sys.argv[2])"
    subprocess.run([sys.executable, "-c", script, repo, str(folder)], check=True, env={
        **os.environ, "HF_ENDPOINT": server.url, "HF_TOKEN": token, "HF_HUB_DISABLE_XET": "0", "HF_HOME": str(work / "home-reader"),
        "HF_HUB_DISABLE_PROGRESS_BARS": "1", "NO_PROXY": "127.0.0.1"})
    for entry in pages(server, token, f"/api/models/{repo}/tree/main?recursive=true"):
        if "lfs" in entry:
            assert hashlib.sha256((folder / entry["path"]).read_bytes()).hexdigest() == entry["lfs"]["oid"], entry["path"]


def clients(server, token, work, seed):
    """Name to (repository, process, file of acknowledged commits); the two of huggingface_hub write to one repository."""
    plain = {**os.environ, "HF_ENDPOINT": server.url, "HF_TOKEN": token, "HF_HUB_DISABLE_PROGRESS_BARS": "1", "HF_HUB_DISABLE_TELEMETRY": "1",
             "NO_PROXY": "127.0.0.1", "GIT_TERMINAL_PROMPT": "0", "HOME": str(work), "GIT_CONFIG_NOSYSTEM": "1"}
    started = {}
    for name, repo, more, environment in (("xet", "ada/storm", [], {"HF_HUB_DISABLE_XET": "0"}), ("http", "ada/storm", [], {"HF_HUB_DISABLE_XET": "1"}),
                                          ("git", "ada/storm-git", [server.url, token], {})):
        lines = work / f"{name}.acknowledged"
        with open(lines, "wb") as out, open(work / f"{name}.log", "wb") as log:
            process = subprocess.Popen([sys.executable, __file__, "--client", name, repo, str(seed), *more], stdout=out, stderr=log,
                                       env={**plain, **environment, "HF_HOME": str(work / f"home-{name}")})
        started[name] = (repo, process, lines)
    return started


def one_seed(seed):
    chance = random.Random(seed)
    work = Path(tempfile.mkdtemp(prefix="holdfast-kill-")).resolve()
    server = HoldfastServer(work)
    started, kills, began = {}, 0, time.monotonic()
    try:
        server.start()
        server.create_user("ada")
        token = server.create_token("ada")
        for name in ("storm", "storm-git"):
            assert server.http("POST", "/api/repos/create", token, {"name": name, "organization": "ada"}).status == 200
        port = server.url.rsplit(":", 1)[1]
        started = clients(server, token, work, seed)
        while any(process.poll() is None for _, process, _ in started.values()):
            time.sleep(chance.choice((chance.uniform(0.05, 0.8), chance.uniform(0.5, 3))))
            if time.monotonic() - began > SECONDS_MAX:
                raise AssertionError("the clients did not end")
            server.kill()
            kills += 1
            server.restart(port)
            if chance.random() < 0.15:
                for repo in ("ada/storm", "ada/storm-git"):
                    main_is_whole(server, token, repo)
        logs = {name: (work / f"{name}.log").read_text(errors="replace")[-3000:] for name in started}
        for name, (_, process, _) in started.items():
            assert process.returncode == 0, f"{name}:\n{logs[name]}"
        per_repo = {}
        for repo, _, lines in started.values():
            per_repo.setdefault(repo, []).extend(json.loads(line) for line in lines.read_text().splitlines())
        assert sum(map(len, per_repo.values())) == COMMITS * len(started)
        for repo, acknowledged in per_repo.items():
            commits, files = check(server, token, repo, acknowledged)
            real_snapshot(server, token, repo, work)
            print(f"seed {seed}, {repo}: {len(acknowledged)} commits acknowledged, {commits} in the history, {files} files read whole", flush=True)
        swept = server.command("gc", "--grace", "0s", "--json")
        report = json.loads(server.command("fsck", "--json"))
        assert report["clean"], report["findings"][:5]
        server.stop()
        print(f"seed {seed}: {kills} kills in {time.monotonic() - began:.0f} s, fsck clean; collected {swept.strip()}", flush=True)
    except BaseException:
        print(f"seed {seed} failed; the server's log:\n{server.log()}", flush=True)
        for _, process, _ in started.values():
            process.kill()
        if server.process and server.process.poll() is None:
            server.kill()
        raise
    finally:
        shutil.rmtree(work, ignore_errors=True)


def main():
    words = sys.argv[1:]
    if words[:1] == ["--client"]:
        name, repo, seed = words[1], words[2], f"{words[1]} {words[3]}"
        return git_client(words[4], repo, words[5], seed) if name == "git" else hub_client(repo, name, seed)
    for seed in [int(text) for text in words if text.isdigit()] or [1]:
        one_seed(seed)


if __name__ == "__main__":
    main()
