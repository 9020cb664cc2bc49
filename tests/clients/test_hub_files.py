"""huggingface_hub over files: every way in, every way out, byte-identical, at the revision asked for."""
import base64
import hashlib
import json
import os
import random
import uuid
from pathlib import Path

import huggingface_hub
import pytest
from huggingface_hub import CommitOperationAdd, CommitOperationCopy, CommitOperationDelete, HfFileSystem, hf_hub_download, snapshot_download
from huggingface_hub.errors import EntryNotFoundError, HfHubHTTPError, RevisionNotFoundError

LARGE = 12 << 20  # Above the size from which a file goes to the content store.


def noise(size, seed):
    return random.Random(seed).randbytes(size)


def digests(folder):
    return {path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
            for path in Path(folder).rglob("*") if path.is_file() and ".cache" not in path.parts}


@pytest.fixture
def cache(tmp_path):
    return str(tmp_path / f"cache-{uuid.uuid4().hex[:6]}")


@pytest.fixture
def folder(tmp_path):
    """A folder of the kinds of files a model has."""
    root = tmp_path / "model"
    for path, data in {
        "README.md": b"---\nlicense: apache-2.0\n---\n# A model\n",
        "config.json": b'{"model_type": "bert"}',
        "model.safetensors": noise(LARGE, 1),
        "data/deep/er/small.bin": noise(1000, 2),
        "empty.txt": b"",
        "words.txt": "größe\n".encode() * 1000,
        "odd names/with space & é.txt": b"odd",
    }.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_bytes(data)
    return root


@pytest.mark.parametrize("path, data", [
    ("small.txt", b"hello"), ("empty.txt", b""), ("large.bin", noise(LARGE, 3)), ("a/b/c.safetensors", noise(200_000, 4)),
    ("odd names/é &?#%.txt", b"odd"),
], ids=["small", "empty", "large", "folders", "odd names"])
def test_an_uploaded_file_comes_back_byte_identical(api, repo, cache, path, data):
    api.upload_file(path_or_fileobj=data, path_in_repo=path, repo_id=repo)
    assert Path(hf_hub_download(repo, path, cache_dir=cache)).read_bytes() == data
    assert api.file_exists(repo, path)


def test_an_uploaded_folder_comes_back_byte_identical(api, repo, cache, folder):
    api.upload_folder(repo_id=repo, folder_path=folder)
    got = digests(snapshot_download(repo, cache_dir=cache))
    assert {path: digest for path, digest in got.items() if path != ".gitattributes"} == digests(folder)


def test_datasets_take_files_the_same_way(api, name, cache, folder):
    api.create_repo(name, repo_type="dataset")
    api.upload_folder(repo_id=name, repo_type="dataset", folder_path=folder)
    got = digests(snapshot_download(name, repo_type="dataset", cache_dir=cache))
    assert got.pop(".gitattributes") and got == digests(folder)


def test_a_private_file_needs_its_owner(api, anonymous, stranger, name, cache):
    api.create_repo(name, private=True)
    api.upload_file(path_or_fileobj=noise(LARGE, 5), path_in_repo="m.bin", repo_id=name)
    for client in (anonymous, stranger):
        with pytest.raises(HfHubHTTPError):
            client.hf_hub_download(name, "m.bin", cache_dir=cache)
    assert Path(api.hf_hub_download(name, "m.bin", cache_dir=cache)).read_bytes() == noise(LARGE, 5)


def test_a_revision_stays_what_it_was(api, repo, cache):
    shas = []
    for text in (b"one", b"two", b"three"):
        shas.append(api.upload_file(path_or_fileobj=text, path_in_repo="a.txt", repo_id=repo).oid)
    for sha, text in zip(shas, (b"one", b"two", b"three")):
        assert Path(hf_hub_download(repo, "a.txt", revision=sha, cache_dir=cache)).read_bytes() == text
    commits = api.list_repo_commits(repo)
    assert [commit.commit_id for commit in commits][:3] == shas[::-1]
    assert Path(hf_hub_download(repo, "a.txt", cache_dir=cache)).read_bytes() == b"three"


def test_the_tree_names_sizes_and_digests(api, repo, folder):
    api.upload_folder(repo_id=repo, folder_path=folder)
    entries = {entry.path: entry for entry in api.list_repo_tree(repo, recursive=True)}
    large = entries["model.safetensors"]
    data = (folder / "model.safetensors").read_bytes()
    assert large.size == LARGE and large.lfs.sha256 == hashlib.sha256(data).hexdigest() and large.lfs.size == LARGE
    config = (folder / "config.json").read_bytes()
    assert entries["config.json"].blob_id == hashlib.sha1(b"blob %d\0" % len(config) + config).hexdigest()
    assert entries["config.json"].lfs is None and entries["empty.txt"].size == 0
    assert {entry.path for entry in api.list_repo_tree(repo, "data", recursive=True)} == {"data/deep", "data/deep/er", "data/deep/er/small.bin"}
    some = api.get_paths_info(repo, ["config.json", "data", "gone.txt"])
    assert sorted(entry.path for entry in some) == ["config.json", "data"]
    with pytest.raises(EntryNotFoundError):
        list(api.list_repo_tree(repo, "no/such/folder"))


def test_one_commit_adds_deletes_and_copies(api, repo, cache):
    api.create_commit(repo, operations=[
        CommitOperationAdd("keep.txt", b"keep"), CommitOperationAdd("drop.txt", b"drop"),
        CommitOperationAdd("old/a.txt", b"a"), CommitOperationAdd("old/b.txt", b"b"),
        CommitOperationAdd("big.bin", noise(LARGE, 6))], commit_message="start")
    api.create_commit(repo, operations=[
        CommitOperationDelete("drop.txt"), CommitOperationDelete("old/", is_folder=True),
        CommitOperationCopy("big.bin", "copies/big.bin"), CommitOperationCopy("keep.txt", "copies/keep.txt"),
        CommitOperationAdd("new.txt", b"new")], commit_message="change", commit_description="more words")
    assert sorted(api.list_repo_files(repo)) == [".gitattributes", "big.bin", "copies/big.bin", "copies/keep.txt", "keep.txt", "new.txt"]
    assert Path(hf_hub_download(repo, "copies/big.bin", cache_dir=cache)).read_bytes() == noise(LARGE, 6)
    newest = api.list_repo_commits(repo)[0]
    assert newest.title == "change" and newest.message == "more words"


def test_a_commit_on_a_stale_parent_is_refused(api, repo):
    head = api.model_info(repo).sha
    add = [CommitOperationAdd("a.txt", b"a")]
    api.create_commit(repo, operations=add, commit_message="first", parent_commit=head)
    with pytest.raises(HfHubHTTPError) as refusal:
        api.create_commit(repo, operations=[CommitOperationAdd("b.txt", b"b")], commit_message="late", parent_commit=head)
    assert refusal.value.response.status_code == 412
    assert "b.txt" not in api.list_repo_files(repo)


def test_a_stranger_may_not_commit(stranger, repo, api):
    with pytest.raises(HfHubHTTPError) as refusal:
        stranger.upload_file(path_or_fileobj=b"x", path_in_repo="x.txt", repo_id=repo)
    assert refusal.value.response.status_code == 403
    assert api.list_repo_files(repo) == [".gitattributes"]


def test_a_pull_request_holds_its_own_tree(api, repo, cache):
    made = api.upload_file(path_or_fileobj=b"proposed", path_in_repo="idea.txt", repo_id=repo, create_pr=True)
    assert made.pr_num == 1 and made.pr_revision == "refs/pr/1"
    assert "idea.txt" not in api.list_repo_files(repo)
    assert Path(hf_hub_download(repo, "idea.txt", revision="refs/pr/1", cache_dir=cache)).read_bytes() == b"proposed"


def test_what_is_missing_is_named_by_kind(repo, cache):
    with pytest.raises(EntryNotFoundError):
        hf_hub_download(repo, "gone.txt", cache_dir=cache)
    with pytest.raises(RevisionNotFoundError):
        hf_hub_download(repo, ".gitattributes", revision="never", cache_dir=cache)


def test_deleting_files_and_folders(api, repo):
    api.create_commit(repo, operations=[CommitOperationAdd(f"d/{n}.txt", b"x") for n in "ab"] + [CommitOperationAdd("c.txt", b"c")], commit_message="add")
    api.delete_file("c.txt", repo)
    api.delete_folder("d", repo)
    assert api.list_repo_files(repo) == [".gitattributes"]
    with pytest.raises(EntryNotFoundError):
        api.delete_file("c.txt", repo)


def test_unchanged_files_make_no_commit(api, repo, folder):
    api.upload_folder(repo_id=repo, folder_path=folder)
    before = api.model_info(repo).sha
    api.upload_folder(repo_id=repo, folder_path=folder)
    assert api.model_info(repo).sha == before


def test_deleting_by_pattern_while_uploading(api, repo, tmp_path):
    api.create_commit(repo, operations=[CommitOperationAdd(f"logs/{n}.txt", b"x") for n in "ab"], commit_message="old")
    (tmp_path / "c.txt").write_bytes(b"c")
    api.upload_folder(repo_id=repo, folder_path=tmp_path, path_in_repo="logs", allow_patterns="c.txt", delete_patterns="*.txt")
    assert sorted(api.list_repo_files(repo)) == [".gitattributes", "logs/c.txt"]


def test_patterns_choose_what_a_snapshot_holds(api, repo, cache, folder):
    api.upload_folder(repo_id=repo, folder_path=folder)
    got = digests(snapshot_download(repo, cache_dir=cache, allow_patterns=["*.json", "data/*"]))
    assert set(got) == {"config.json", "data/deep/er/small.bin"}


def test_the_file_system_reads_ranges_writes_and_globs(api, repo):
    data = noise(LARGE, 7)
    api.upload_file(path_or_fileobj=data, path_in_repo="m/big.bin", repo_id=repo)
    files = HfFileSystem(skip_instance_cache=True)
    with files.open(f"{repo}/m/big.bin", "rb") as big:
        for start, length in ((0, 10), (LARGE - 7, 7), (5_000_001, 70_000)):
            big.seek(start)
            assert big.read(length) == data[start:start + length]
    with files.open(f"{repo}/notes/n.txt", "w") as notes:
        notes.write("written")
    files.invalidate_cache()
    assert files.cat_file(f"{repo}/notes/n.txt") == b"written"
    assert files.glob(f"{repo}/**/*.bin") == [f"{repo}/m/big.bin"]
    assert files.info(f"{repo}/m/big.bin")["size"] == LARGE
    files.rm(f"{repo}/notes/n.txt")
    assert not HfFileSystem(skip_instance_cache=True).exists(f"{repo}/notes/n.txt")


def test_an_interrupted_download_goes_on(api, repo, tmp_path):
    """What is there already is not asked for again: the rest is, and the whole is right."""
    data = noise(LARGE, 8)
    api.upload_file(path_or_fileobj=data, path_in_repo="m.bin", repo_id=repo)
    target = tmp_path / "local"
    path = Path(hf_hub_download(repo, "m.bin", local_dir=target))
    os.truncate(path, LARGE // 2)
    for record in target.rglob("*.metadata"):
        record.unlink()
    assert Path(hf_hub_download(repo, "m.bin", local_dir=target)).read_bytes() == data


def test_many_small_files_in_one_folder(api, repo, cache, tmp_path):
    for number in range(300):
        (tmp_path / f"f{number:03}.txt").write_text(str(number))
    api.upload_folder(repo_id=repo, folder_path=tmp_path, allow_patterns="f*.txt")
    assert len(api.list_repo_files(repo)) == 301
    got = Path(snapshot_download(repo, cache_dir=cache))
    assert (got / "f299.txt").read_text() == "299"


def test_a_large_folder_goes_up_in_parts(api, repo, tmp_path):
    if not hasattr(api, "upload_large_folder"):
        return  # Gone in 2.x: upload_folder does this itself, see above.
    (tmp_path / "a.bin").write_bytes(noise(LARGE, 9))
    (tmp_path / "sub").mkdir()
    for number in range(20):
        (tmp_path / "sub" / f"{number}.txt").write_text(str(number))
    api.upload_large_folder(repo_id=repo, folder_path=tmp_path, repo_type="model", print_report=False)
    assert len(api.list_repo_files(repo)) == 22


def test_large_files_take_the_door_this_run_is_about(api, repo, server):
    """Otherwise the runs with and without Xet would prove the same thing."""
    api.upload_file(path_or_fileobj=noise(LARGE, 10), path_in_repo="m.bin", repo_id=repo)
    log = server.log_path.read_text()
    by_xet, by_lfs = '"route":"cas_put_shard' in log, '"route":"lfs_upload"' in log
    # 0.x asks the LFS batch which door to take, and is told the plain one.
    xet = os.environ.get("HF_HUB_DISABLE_XET") != "1" and not huggingface_hub.__version__.startswith("0.")
    assert (by_xet, by_lfs) == ((True, False) if xet else (False, True))


def test_reading_what_is_private_is_on_the_record(api, name, server, tokens):
    """By file, by git and by LFS; who, by which token, of what. What everybody may read is not."""
    for private in (True, False):
        repo = name + ("-private" if private else "-public")
        api.create_repo(repo, private=private)
        api.upload_file(repo_id=repo, path_or_fileobj=b"layers: 2\n", path_in_repo="config.yaml")
        for _ in range(2):
            assert server.http("GET", f"/{repo}/resolve/main/config.yaml", tokens["ada"]).status == 200
        basic = {"Authorization": "Basic " + base64.b64encode(f"ada:{tokens['ada']}".encode()).decode()}
        assert server.http("GET", f"/{repo}.git/info/refs?service=git-upload-pack", headers=basic).status == 200
        assert server.http("GET", f"/{repo}/resolve/main/config.yaml", tokens["bea"]).status == (404 if private else 200)
        rows = [json.loads(line) for line in server.command("audit", "export").splitlines() if line.startswith("{")]
        reads = [(row["actor"], row["details"]["revision"]) for row in rows if row.get("action") == "repo.read" and row["subject"] == f"model:{repo}"]
        assert reads == ([("ada", "main"), ("ada", "git")] if private else []), reads
