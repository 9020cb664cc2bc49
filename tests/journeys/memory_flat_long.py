"""Eight GiB pass, half of them in and half of them out, by LFS, Xet, plain GET and git: the server's memory stays where it was.

Bytes are made by seed while they are sent and compared by digest while they come, so that the disk holds them once, in the server.
usage: memory_flat_long.py [--rounds N] [--mib N] (HOLDFAST_PROGRAM names the program)
"""
import argparse
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
from holdfast_server import HoldfastServer  # noqa: E402

MIB = 1 << 20
PIECE = 8 * MIB
LFS = "application/vnd.git-lfs+json"
SAMPLE_SECONDS = 0.1
SKIPPED = 77


def resident(process):
    """(bytes in memory, of which its own and not pages of files)."""
    try:
        status = Path(f"/proc/{process}/status").read_text()
    except OSError:
        return 0, 0
    facts = dict(line.split(":", 1) for line in status.splitlines())
    return [int(facts.get(name, "0 kB").split()[0]) << 10 for name in ("VmRSS", "RssAnon")]


def descendants(root):
    """Children and theirs; not what has not become another program yet, whose pages are its parent's."""
    parents, own = {}, program_of(root)
    for entry in os.listdir("/proc"):
        if entry.isdigit():
            try:
                parents[int(entry)] = int(Path(f"/proc/{entry}/stat").read_text().rsplit(")", 1)[1].split()[1])
            except OSError:
                continue
    found, fresh = set(), {root}
    while fresh:
        fresh = {child for child, parent in parents.items() if parent in fresh}
        found |= fresh
    return {child for child in found if program_of(child) != own}


def program_of(process):
    try:
        return Path(f"/proc/{process}/cmdline").read_bytes()
    except OSError:
        return b""


class Sampler:
    """Highest memory of the server, and of all its children together, since the last call of `peak`."""

    def __init__(self, process):
        self.process, self.ended = process, False
        self.lock = threading.Lock()
        self.highest = [0, 0, 0]
        self.thread = threading.Thread(target=self._run, daemon=True)
        self.thread.start()

    def _run(self):
        while not self.ended:
            seen = [*resident(self.process), sum(resident(child)[0] for child in descendants(self.process))]
            with self.lock:
                self.highest = [max(pair) for pair in zip(self.highest, seen)]
            time.sleep(SAMPLE_SECONDS)

    def peak(self):
        with self.lock:
            highest, self.highest = self.highest, [0, 0, 0]
        return highest


def pieces(seed, size):
    """`size` random bytes of this seed; the same each time."""
    chance = random.Random(seed)
    for start in range(0, size, PIECE):
        yield chance.randbytes(min(PIECE, size - start))


def digest_of(parts):
    digest = hashlib.sha256()
    for part in parts:
        digest.update(part)
    return digest.hexdigest()


def upload_lfs(server, token, repo, path, seed, size):
    digest = digest_of(pieces(seed, size))
    batch = server.http("POST", f"/{repo}.git/info/lfs/objects/batch", token, json.dumps(
        {"operation": "upload", "transfers": ["basic"], "objects": [{"oid": digest, "size": size}]}).encode(), {"Content-Type": LFS, "Accept": LFS})
    action = batch.json()["objects"][0]["actions"]["upload"]
    connection = http.client.HTTPConnection(server.url.removeprefix("http://"), timeout=300)
    connection.request("PUT", action["href"].removeprefix(server.url), pieces(seed, size), {"Content-Length": str(size), **action.get("header", {})})
    answer = connection.getresponse()
    assert answer.status == 200, (answer.status, answer.read()[:300])
    connection.close()
    lines = [{"key": "header", "value": {"summary": path}},
             {"key": "lfsFile", "value": {"path": path, "algo": "sha256", "oid": digest, "size": size}}]
    done = server.http("POST", f"/api/models/{repo}/commit/main", token, "".join(json.dumps(line) + "\n" for line in lines).encode(),
                       {"Content-Type": "application/x-ndjson"})
    assert done.status == 200, done.body
    return digest


def download_plain(server, token, repo, path, digest):
    connection = http.client.HTTPConnection(server.url.removeprefix("http://"), timeout=300)
    connection.request("GET", f"/{repo}/resolve/main/{path}", headers={"Authorization": f"Bearer {token}"})
    answer = connection.getresponse()
    assert answer.status == 200, answer.status
    assert digest_of(iter(lambda: answer.read(PIECE), b"")) == digest, f"{path} came back as something else"
    connection.close()


def client(server, token, work, script, *arguments):
    """A short program of huggingface_hub with hf_xet, which keeps no copy of what it moved."""
    home = work / "home"
    subprocess.run([sys.executable, "-c", "import sys; from huggingface_hub import HfApi, hf_hub_download\n" + script, *map(str, arguments)], check=True,
                   env={**os.environ, "HF_ENDPOINT": server.url, "HF_TOKEN": token, "HF_HOME": str(home), "HF_HUB_DISABLE_XET": "0",
                        "HF_XET_CHUNK_CACHE_SIZE_BYTES": "0", "HF_HUB_DISABLE_PROGRESS_BARS": "1", "NO_PROXY": "127.0.0.1"})
    shutil.rmtree(home, ignore_errors=True)


def upload_xet(server, token, repo, work, path, seed, size):
    file, digest = work / "sent", hashlib.sha256()
    with open(file, "wb") as out:
        for part in pieces(seed, size):
            out.write(part)
            digest.update(part)
    client(server, token, work, "HfApi().upload_file(path_or_fileobj=sys.argv[1], path_in_repo=sys.argv[3], repo_id=sys.argv[2])", file, repo, path)
    file.unlink()
    return digest.hexdigest()


def download_xet(server, token, repo, work, path, digest):
    client(server, token, work, "hf_hub_download(sys.argv[1], sys.argv[2], local_dir=sys.argv[3])", repo, path, work / "got")
    with open(work / "got" / path, "rb") as file:
        assert digest_of(iter(lambda: file.read(PIECE), b"")) == digest, f"{path} came back as something else"
    shutil.rmtree(work / "got")


def by_git(server, token, repo, work, seed):
    chance, folder = random.Random(seed), work / "clone"
    address = server.url.replace("http://", f"http://ada:{token}@") + f"/{repo}"

    def git(*words, at=folder):
        subprocess.run(["git", *words], cwd=at, check=True, capture_output=True, env={
            **os.environ, "HOME": str(work), "GIT_CONFIG_NOSYSTEM": "1", "GIT_LFS_SKIP_SMUDGE": "1", "GIT_TERMINAL_PROMPT": "0"})

    git("clone", "-q", address, str(folder), at=work)
    for number in range(100):
        (folder / f"notes-{number}.txt").write_bytes(chance.randbytes(40_000).hex().encode())
    git("add", "--all")
    git("-c", "user.name=ada", "-c", "user.email=ada@example.org", "commit", "-q", "-m", "notes")
    git("push", "-q", "origin", "HEAD:main")
    shutil.rmtree(folder)


def one_round(server, token, work, number, size):
    repo = f"ada/flat-{number}"
    assert server.http("POST", "/api/repos/create", token, {"name": repo[4:], "organization": "ada"}).status == 200
    by_git(server, token, repo, work, number)
    first = upload_lfs(server, token, repo, "lfs.bin", f"lfs {number}", size)
    second = upload_xet(server, token, repo, work, "xet.bin", f"xet {number}", size)
    download_plain(server, token, repo, "xet.bin", second)
    download_xet(server, token, repo, work, "lfs.bin", first)
    server.command("gc", "--grace", "0s")


def mib(value):
    return value // MIB


def run(rounds, size):
    free = shutil.disk_usage(tempfile.gettempdir()).free
    if free < rounds * size * 2 + 4 * size:
        print(f"SKIPPED: {mib(free)} MiB free for temporary files, {mib(rounds * size * 2 + 4 * size)} are needed")
        raise SystemExit(1 if os.environ.get("HOLDFAST_NO_SKIP") == "1" else SKIPPED)
    work = Path(tempfile.mkdtemp(prefix="holdfast-flat-"))
    server = HoldfastServer(work)
    try:
        server.start()
        server.create_user("ada")
        token = server.create_token("ada")
        sampler, peaks = Sampler(server.process.pid), []
        for number in range(rounds):
            began = time.monotonic()
            one_round(server, token, work, number, size)
            peaks.append(sampler.peak())
            print(f"round {number + 1}: {2 * mib(size)} MiB in and out in {time.monotonic() - began:.0f} s; peak of the server {mib(peaks[-1][0])} MiB, "
                  f"its own {mib(peaks[-1][1])}, its children {mib(peaks[-1][2])}", flush=True)
        sampler.ended = True
        quarter = max(1, rounds // 4)
        for column, what in enumerate(("the server", "the server's own pages", "its children")):
            first, last = (max(peak[column] for peak in part) for part in (peaks[:quarter], peaks[-quarter:]))
            print(f"{what}: first quarter {mib(first)} MiB, last quarter {mib(last)} MiB", flush=True)
            assert last <= first * 1.1 + 64 * MIB, f"{what} grew from {mib(first)} to {mib(last)} MiB"
        server.stop()
    except BaseException:
        print(server.log(), flush=True)
        if server.process and server.process.poll() is None:
            server.kill()
        raise
    finally:
        shutil.rmtree(work, ignore_errors=True)


def main():
    options = argparse.ArgumentParser()
    options.add_argument("--rounds", type=int, default=8)
    options.add_argument("--mib", type=int, default=256, help="size of each of a round's two files")
    known, _ = options.parse_known_args()
    run(known.rounds, known.mib * MIB)


if __name__ == "__main__":
    main()
