"""holdfast package: a container image that serves one model, the same bytes every time, and that runs without anything of this machine."""
import hashlib
import json
import os
import shutil
import signal
import subprocess
import tarfile
import time
import urllib.request
from pathlib import Path

import pytest
from holdfast_server import program

GOLDEN = Path(__file__).resolve().parents[1] / "golden/models/feature-extraction"


def package(*words, **environment):
    kept = {key: value for key, value in os.environ.items() if not key.startswith("HF_")}
    return subprocess.run([program(), "package", *map(str, words)], capture_output=True, text=True, timeout=240, env=kept | environment)


def built(*words, **environment):
    done = package(*words, "--json", **environment)
    assert done.returncode == 0, done.stderr + done.stdout
    return json.loads(done.stdout)


class Image:
    """As a container runtime reads it, every digest checked."""

    def __init__(self, path):
        self.tar = tarfile.open(path)
        assert json.loads(self.member("oci-layout")) == {"imageLayoutVersion": "1.0.0"}
        self.index = json.loads(self.member("index.json"))
        self.manifest = json.loads(self.blob(self.index["manifests"][0]))
        self.config = json.loads(self.blob(self.manifest["config"]))

    def member(self, name):
        return self.tar.extractfile(name).read()

    def blob(self, row):
        text = self.member("blobs/" + row["digest"].replace(":", "/"))
        assert "sha256:" + hashlib.sha256(text).hexdigest() == row["digest"] and len(text) == row["size"]
        return text

    def unpack(self, into):
        for row, digest in zip(self.manifest["layers"], self.config["rootfs"]["diff_ids"], strict=True):
            assert row["digest"] == digest
            self.blob(row)
            with tarfile.open(fileobj=self.tar.extractfile("blobs/" + row["digest"].replace(":", "/"))) as layer:
                layer.extractall(into, filter="fully_trusted")


def test_two_builds_are_one_image(tmp_path):
    first = built(GOLDEN, "--as", "ada/bert", "--out", tmp_path / "1.tar")
    second = built(GOLDEN, "--as", "ada/bert", "--out", tmp_path / "2.tar")
    assert first["digest"] == second["digest"]
    assert (tmp_path / "1.tar").read_bytes() == (tmp_path / "2.tar").read_bytes()
    image = Image(tmp_path / "1.tar")
    assert image.index["manifests"][0]["digest"] == first["digest"]
    for row in image.manifest["layers"]:
        image.blob(row)
    assert image.config["config"]["User"] == "65532:65532" and image.config["os"] == "linux"
    assert image.manifest["annotations"]["org.opencontainers.image.revision"] == first["revision"]
    # Another model is another layer over the same program.
    shutil.copytree(GOLDEN, tmp_path / "other")
    (tmp_path / "other/notes.txt").write_text("one more file")
    other = built(tmp_path / "other", "--as", "ada/bert", "--out", tmp_path / "3.tar")
    assert other["digest"] != first["digest"] and other["layers"][0] == first["layers"][0]
    dated = built(GOLDEN, "--as", "ada/bert", "--out", tmp_path / "4.tar", SOURCE_DATE_EPOCH="1700000000")
    assert dated["layers"] == first["layers"] and Image(tmp_path / "4.tar").config["created"].startswith("2023-11-14T22:13:20")


def test_a_models_lock_holds_when_it_is_packed_and_what_is_not_fit_is_refused(tmp_path):
    folder = tmp_path / "model"
    shutil.copytree(GOLDEN, folder)
    assert subprocess.run([program(), "lock", "write", str(folder)], timeout=60).returncode == 0
    built(folder, "--as", "ada/bert", "--out", tmp_path / "held.tar")
    tokenizer = folder / "tokenizer.json"
    tokenizer.write_text(tokenizer.read_text() + "\n")
    for words, said in (((folder, "--as", "ada/bert", "--out", tmp_path / "x.tar"), "tokenizer is"),
                        ((GOLDEN, "--out", tmp_path / "x.tar"), "--as"),
                        ((GOLDEN, "--as", "ada/bert"), "--out"),
                        ((GOLDEN, "--as", "a da/bert", "--out", tmp_path / "x.tar"), "name"),
                        ((GOLDEN, "--as", "ada/bert", "--tag", "Ada/bert it", "--out", tmp_path / "x.tar"), "--tag"),
                        ((tmp_path / "absent", "--as", "ada/bert", "--out", tmp_path / "x.tar"), "absent")):
        done = package(*words)
        assert done.returncode != 0 and said in done.stderr, (words, done.stderr)
    secret = tmp_path / "secret"
    shutil.copytree(GOLDEN, secret)
    (secret / "notes.txt").write_text("aws_access_key_id = AKIA" + "QZ3TX7PLM2WKD5RV\naws_secret_access_key = " + "kT9v" * 10 + "\n")
    done = package(secret, "--as", "ada/bert", "--out", tmp_path / "x.tar")
    assert done.returncode != 0 and "notes.txt" in done.stderr, done.stderr
    assert not list(tmp_path.glob("x.tar*"))


def test_a_revision_of_the_hub_is_packed_under_its_commit(server, api, tokens, name, tmp_path):
    api.create_repo(name)
    api.upload_folder(repo_id=name, folder_path=GOLDEN)
    commit = api.model_info(name).sha
    done = built(f"{name}@{commit}", "--out", tmp_path / "image.tar", HF_ENDPOINT=server.url, HF_TOKEN=tokens["ada"], HF_HOME=str(tmp_path / "home"))
    assert (done["model"], done["revision"]) == (name, commit)
    image = Image(tmp_path / "image.tar")
    assert f"{name}@{commit}" in image.config["config"]["Entrypoint"]
    image.unpack(tmp_path / "root")
    lock = json.loads((tmp_path / "root/srv/model/holdfast.lock").read_text())
    assert lock["model"] == f"{name}@{commit}" and "libicuuc" in lock["libraries"]
    for path, digest in lock["files"].items():
        assert hashlib.sha256((tmp_path / "root/srv/model" / path).read_bytes()).hexdigest() == digest
    # Nothing of who packed it is in it.
    for path in (tmp_path / "root").rglob("*"):
        if path.is_file() and not path.is_symlink():
            assert tokens["ada"].encode() not in path.read_bytes(), path


# A mount and process space of its own, as a container runtime makes one; without the rights of root in a user space too.
ALONE = ["unshare", "--kill-child", "-mpf"] if os.geteuid() == 0 else ["unshare", "--kill-child", "-Umrpf"]


@pytest.mark.skipif(subprocess.run([*ALONE, "true"], capture_output=True).returncode != 0,
                    reason="this machine lets nobody make a mount space: the image is not run")
def test_the_image_serves_its_model_with_nothing_else_around_it(tmp_path):
    done = built(GOLDEN, "--as", "ada/bert", "--out", tmp_path / "image.tar")
    image, root = Image(tmp_path / "image.tar"), tmp_path / "root"
    image.unpack(root)
    entry = image.config["config"]["Entrypoint"]
    entry[entry.index("--listen") + 1] = "127.0.0.1:0"
    inside = " ".join([f"mount -t proc proc {root}/proc && mount --rbind /dev {root}/dev && exec chroot {root}", *entry, "--json"])
    process = subprocess.Popen([*ALONE, "sh", "-c", inside], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                               env={"PATH": os.environ["PATH"] + ":/usr/sbin:/sbin"})
    try:
        token, url = json.loads(process.stdout.readline())["token"], json.loads(process.stdout.readline())["url"]

        def ask(path, body=None):
            request = urllib.request.Request(url + path, body and json.dumps(body).encode(),
                                             {"Authorization": f"Bearer {token}", "Content-Type": "application/json"})
            return json.loads(urllib.request.urlopen(request, timeout=30).read())

        end = time.monotonic() + 30
        while ask("/api/endpoints")["endpoints"][0]["state"] != "running" and time.monotonic() < end:
            time.sleep(0.1)
        rows = ask("/models/ada/bert/pipeline/feature-extraction", {"inputs": "a quiet river"})
        golden = subprocess.run([program(), "run", "feature-extraction", str(GOLDEN), "a quiet river"], capture_output=True, text=True, timeout=60)
        flat = [number for row in (rows[0] if isinstance(rows[0][0], list) else rows) for number in row]
        assert flat == pytest.approx([number for row in json.loads(golden.stdout)[0] for number in row], abs=1e-6)
        assert ask(f"/api/models/ada/bert/revision/{done['revision']}")["sha"] == done["revision"]
    finally:
        process.send_signal(signal.SIGKILL)
        process.communicate(timeout=30)
