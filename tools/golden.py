#!/usr/bin/env python3
"""usage: tools/golden.py [--update NAME]      ./dev golden

Data folders as landed versions wrote them, kept in tests/golden/data/NAME.tar.gz beside NAME.json, which says what must
come out of them. Every later build opens, migrates and checks each (tests/clients/test_golden_data.py). Without
arguments: lists them. --update NAME: runs build/holdfast, fills a fresh data folder and keeps it under a new name; one
that stands is never written again.
"""
import hashlib
import json
import os
import random
import subprocess
import sys
import tarfile
from pathlib import Path

from tree import ROOT

sys.path.insert(0, str(ROOT / "tests/clients"))
import golden_release  # noqa: E402
from holdfast_server import HoldfastServer, program  # noqa: E402

FOLDER = ROOT / "tests/golden/data"
BYTES_MAX = 1 << 20
TOKEN = "hf_" + "golden" * 5 + "data"  # Of a folder that holds nothing but what is made here.
MODEL, DATASET = "ada/model", "ada/rows"
LEFT_OUT = "run"  # Sockets, locks and hooks of a running server; it makes them again.


def fill(server):
    """What a small instance holds after a day: every kind of write once. Returns what must be found again."""
    os.environ.update(HF_ENDPOINT=server.url, HF_TOKEN=TOKEN, HF_HOME=str(server.data / "home"), HF_HUB_DISABLE_PROGRESS_BARS="1")
    from huggingface_hub import CommitOperationAdd, CommitOperationDelete, HfApi
    api = HfApi()
    noise = random.Random(7).randbytes
    files = {"config.json": b'{"model_type": "bert"}', "weights.safetensors": noise(60_000), "dir/words.txt": "größe\n".encode() * 50}
    api.create_repo(MODEL)
    api.create_commit(MODEL, operations=[CommitOperationAdd(path, data) for path, data in files.items()], commit_message="First")
    api.create_tag(MODEL, tag="v1")
    api.create_branch(MODEL, branch="work")
    api.create_commit(MODEL, operations=[CommitOperationAdd("weights.safetensors", files["weights.safetensors"][:30_000] + noise(30_000)),
                                         CommitOperationDelete("config.json")], commit_message="Second")
    api.create_commit(MODEL, operations=[CommitOperationAdd("idea.txt", b"idea")], commit_message="Idea", create_pr=True)
    api.create_repo(DATASET, repo_type="dataset", private=True)
    api.upload_file(path_or_fileobj=b"id,text\n1,one\n", path_in_repo="train.csv", repo_id=DATASET, repo_type="dataset")

    expected = {"token": TOKEN, "files": []}
    for repo, kind, revisions in ((MODEL, "model", ("main", "v1", "work", "refs/pr/1")), (DATASET, "dataset", ("main",))):
        for revision in revisions:
            sha = api.repo_info(repo, repo_type=kind, revision=revision).sha
            for path in sorted(api.list_repo_files(repo, repo_type=kind, revision=revision)):
                data = Path(api.hf_hub_download(repo, path, repo_type=kind, revision=sha)).read_bytes()
                expected["files"].append({"repo": repo, "kind": kind, "revision": revision, "commit": sha, "path": path,
                                          "sha256": hashlib.sha256(data).hexdigest()})
    return expected


def make(name):
    archive, manifest = FOLDER / f"{name}.tar.gz", FOLDER / f"{name}.json"
    if archive.exists():
        raise SystemExit(f"{archive.relative_to(ROOT)} stands: what a landed version wrote is never written again; choose another name")
    server = HoldfastServer().start()
    try:
        server.create_user("ada")
        server.command("token", "create", "--user", "ada", "--name", "golden", "--role", "write", "--value-stdin", stdin=TOKEN + "\n")
        expected = fill(server)
        expected["registry"] = golden_release.fill(server, TOKEN)
        server.stop()
        FOLDER.mkdir(parents=True, exist_ok=True)
        with tarfile.open(archive, "w:gz") as out:
            for path in sorted(Path(server.folder).rglob("*")):
                name = path.relative_to(server.folder)
                if name.parts[0] != LEFT_OUT and (path.is_dir() or path.is_file()):
                    out.add(path, name, recursive=False)
        manifest.write_text(json.dumps(expected, indent=1) + "\n")
    finally:
        if server.process.poll() is None:
            server.kill()
        server.remove()
    if archive.stat().st_size > BYTES_MAX:
        raise SystemExit(f"{archive.relative_to(ROOT)}: {archive.stat().st_size} bytes are more than {BYTES_MAX}")
    print(f"{archive.relative_to(ROOT)}: {archive.stat().st_size} bytes, {len(expected['files'])} files at their revisions")


def main(arguments):
    if arguments[:1] == ["--update"]:
        if len(arguments) != 2:
            raise SystemExit("Under which name? ./dev golden --update NAME")
        make(arguments[1])
        print(subprocess.run(["git", "status", "--short", "tests/golden/data"], cwd=ROOT, capture_output=True, text=True).stdout, end="")
        return 0
    for archive in sorted(FOLDER.glob("*.tar.gz")):
        found = json.loads(archive.with_name(archive.name.removesuffix(".tar.gz") + ".json").read_text())
        print(f"{archive.relative_to(ROOT)}: {len(found['files'])} files at their revisions, {archive.stat().st_size} bytes")
    print(f"./dev test golden_data opens each with {program()}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
