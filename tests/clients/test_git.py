"""git and git-lfs as people use them: clone, push, pull, large files, and every refusal readable in the terminal."""
import hashlib
import os
import random
import subprocess
import uuid
from pathlib import Path

import pytest

LARGE = 12 << 20


def noise(size, seed):
    return random.Random(seed).randbytes(size)


class Git:
    """git in a home of its own, with git-lfs installed there."""

    def __init__(self, home):
        self.environment = {**os.environ, "HOME": str(home), "GIT_CONFIG_NOSYSTEM": "1", "GIT_TERMINAL_PROMPT": "0", "GIT_ASKPASS": "true",
                            "GIT_AUTHOR_NAME": "Ada", "GIT_AUTHOR_EMAIL": "ada@example.org", "GIT_COMMITTER_NAME": "Ada",
                            "GIT_COMMITTER_EMAIL": "ada@example.org", "LC_ALL": "C"}
        self("lfs", "install", "--skip-repo")
        self("config", "--global", "init.defaultBranch", "main")

    def run(self, *words, at=None):
        return subprocess.run(["git", *map(str, words)], cwd=at, env=self.environment, capture_output=True, text=True, timeout=300)

    def __call__(self, *words, at=None):
        done = self.run(*words, at=at)
        assert done.returncode == 0, f"git {words}: {done.stdout}{done.stderr}"
        return done.stdout

    def refused(self, *words, at=None):
        """What git prints when this does not go."""
        done = self.run(*words, at=at)
        assert done.returncode != 0, f"git {words} went through: {done.stdout}{done.stderr}"
        return done.stdout + done.stderr


@pytest.fixture
def git(tmp_path):
    home = tmp_path / "home"
    home.mkdir()
    return Git(home)


@pytest.fixture
def remote(server, tokens):
    """remote(repo, user) is the address with that user's token; no user: anonymous."""
    def address(repo, user="ada"):
        who = f"{user}:{tokens[user]}@" if user else ""
        return f"{server.url.replace('://', '://' + who)}/{repo}"
    return address


@pytest.fixture
def clone(git, remote, repo, tmp_path):
    work = tmp_path / "work"
    git("clone", remote(repo), work)
    return work


def commit(git, work, files, message="change"):
    for path, data in files.items():
        (work / path).parent.mkdir(parents=True, exist_ok=True)
        (work / path).write_bytes(data)
    git("add", "-A", at=work)
    git("commit", "-m", message, at=work)
    return git("rev-parse", "HEAD", at=work).strip()


def test_a_clone_has_what_was_uploaded(api, git, remote, repo, tmp_path):
    api.upload_file(path_or_fileobj=b"hello", path_in_repo="a/b.txt", repo_id=repo)
    api.upload_file(path_or_fileobj=noise(LARGE, 1), path_in_repo="m.bin", repo_id=repo)
    for suffix in ("", ".git"):
        work = tmp_path / f"clone{suffix}"
        git("clone", remote(repo, None) + suffix, work)
        assert (work / "a/b.txt").read_bytes() == b"hello"
        assert (work / "m.bin").read_bytes() == noise(LARGE, 1)
    assert git("rev-parse", "HEAD", at=work).strip() == api.model_info(repo).sha


@pytest.mark.parametrize("protocol", ["0", "2"])
def test_push_and_fetch_with_both_protocols(api, git, clone, repo, remote, tmp_path, protocol):
    git("config", "protocol.version", protocol, at=clone)
    head = commit(git, clone, {"a.txt": b"pushed", "dir/b.txt": b"too"})
    git("push", "origin", "main", at=clone)
    assert api.model_info(repo).sha == head
    assert {"a.txt", "dir/b.txt"} <= set(api.list_repo_files(repo))
    api.upload_file(path_or_fileobj=b"by http", path_in_repo="c.txt", repo_id=repo)
    git("pull", "--ff-only", "origin", "main", at=clone)
    assert (clone / "c.txt").read_bytes() == b"by http"


def test_a_large_file_pushed_by_lfs_is_one_with_an_uploaded_one(api, git, clone, repo, remote, server, tmp_path):
    data = noise(LARGE, 2)
    git("lfs", "track", "*.bin", at=clone)
    commit(git, clone, {"m.bin": data})
    git("push", "origin", "main", at=clone)
    [entry] = api.get_paths_info(repo, ["m.bin"])
    assert entry.lfs.sha256 == hashlib.sha256(data).hexdigest() and entry.size == LARGE
    assert Path(api.hf_hub_download(repo, "m.bin", local_dir=tmp_path / "local")).read_bytes() == data
    other = tmp_path / "other"
    git("clone", remote(repo, None), other)
    assert (other / "m.bin").read_bytes() == data

    def stored():
        return sum(path.stat().st_size for path in (server.data / "server/content").rglob("*") if path.is_file())
    before = stored()
    assert before >= LARGE
    twin = f"{repo}-twin"
    api.create_repo(twin)
    api.upload_file(path_or_fileobj=data, path_in_repo="other name.bin", repo_id=twin)
    assert stored() - before < LARGE // 10, "the same bytes were stored twice"


def test_a_commit_by_http_and_a_push_give_the_same_tree(api, git, clone, repo):
    api.upload_file(path_or_fileobj=noise(LARGE, 3), path_in_repo="w.safetensors", repo_id=repo)
    git("pull", "origin", "main", at=clone)
    by_http = git("rev-parse", "HEAD:w.safetensors", at=clone).strip()
    commit(git, clone, {"again.safetensors": noise(LARGE, 3)})
    assert git("rev-parse", "HEAD:again.safetensors", at=clone).strip() == by_http


def test_a_push_without_credentials_is_asked_for_them(git, clone, remote, repo):
    commit(git, clone, {"x.txt": b"x"})
    said = git.refused("push", remote(repo, None), "main", at=clone)
    assert "Authentication failed" in said or "could not read Username" in said, said


def test_a_strangers_push_is_refused(api, git, clone, remote, repo):
    before = api.model_info(repo).sha
    commit(git, clone, {"x.txt": b"x"})
    assert "403" in git.refused("push", remote(repo, "bea"), "main", at=clone)
    assert api.model_info(repo).sha == before


def test_a_private_repository_is_missing_for_strangers_and_cloned_by_its_owner(api, git, remote, name, tmp_path):
    api.create_repo(name, private=True)
    said = git.refused("clone", remote(name, "bea"), tmp_path / "no")
    assert "not found" in said or "404" in said, said
    git.refused("clone", remote(name, None), tmp_path / "no")
    git("clone", remote(name), tmp_path / "yes")


def test_a_pointer_whose_bytes_never_came_is_refused_readably(api, git, clone, repo):
    before = api.model_info(repo).sha
    git("lfs", "track", "*.bin", at=clone)
    commit(git, clone, {"lost.bin": noise(1 << 20, 4)})
    said = git.refused("push", "--no-verify", "origin", "main", at=clone)  # --no-verify: git-lfs's own upload is left out.
    assert hashlib.sha256(noise(1 << 20, 4)).hexdigest() in said and "git lfs push" in said and "rejected" in said, said
    assert api.model_info(repo).sha == before


def test_a_large_file_outside_lfs_is_refused_readably(api, git, clone, repo):
    (clone / ".gitattributes").write_text("")
    commit(git, clone, {"huge.txt": noise(LARGE, 5)})
    said = git.refused("push", "origin", "main", at=clone)
    assert "huge.txt" in said and "lfs" in said.lower(), said
    assert "huge.txt" not in api.list_repo_files(repo)


def test_a_push_that_is_no_fast_forward_is_refused(api, git, clone, repo):
    api.upload_file(path_or_fileobj=b"newer", path_in_repo="n.txt", repo_id=repo)
    commit(git, clone, {"mine.txt": b"mine"})
    assert "rejected" in git.refused("push", "origin", "main", at=clone)
    assert "n.txt" in api.list_repo_files(repo)


def test_main_cannot_be_deleted_but_other_branches_can(api, git, clone, repo):
    git("push", "origin", "HEAD:work", at=clone)
    assert "work" in [branch.name for branch in api.list_repo_refs(repo).branches]
    git("push", "origin", ":work", at=clone)
    git.refused("push", "origin", ":main", at=clone)
    assert [branch.name for branch in api.list_repo_refs(repo).branches] == ["main"]


def test_tags_travel(api, git, clone, repo):
    git("tag", "-a", "v1", "-m", "first", at=clone)
    git("push", "origin", "v1", at=clone)
    assert [tag.name for tag in api.list_repo_refs(repo).tags] == ["v1"]


def test_pull_requests_are_refs_one_can_fetch(api, git, clone, repo):
    api.upload_file(path_or_fileobj=b"idea", path_in_repo="idea.txt", repo_id=repo, create_pr=True)
    git("fetch", "origin", "refs/pr/1", at=clone)
    assert git("show", "FETCH_HEAD:idea.txt", at=clone) == "idea"


def test_shallow_and_partial_clones(api, git, remote, repo, tmp_path):
    for number in range(3):
        api.upload_file(path_or_fileobj=str(number).encode(), path_in_repo="n.txt", repo_id=repo)
    git("clone", "--depth", "1", remote(repo, None), tmp_path / "shallow")
    assert git("rev-list", "--count", "HEAD", at=tmp_path / "shallow").strip() == "1"
    git("clone", "--filter=blob:none", remote(repo, None), tmp_path / "partial")
    assert (tmp_path / "partial/n.txt").read_bytes() == b"2"


@pytest.mark.parametrize("path", ["a/.git/config", ".GIT/hooks", "a\nb.txt"], ids=["nested .git", "case", "control character"])
def test_a_hostile_path_is_refused(api, git, clone, repo, path):
    """Trees that git itself would not check out are written by plumbing and must not get in."""
    before = api.model_info(repo).sha
    blob = subprocess.run(["git", "hash-object", "-w", "--stdin"], input=b"x", cwd=clone, env=git.environment, capture_output=True, check=True).stdout.decode().strip()
    tree = blob
    for depth, part in enumerate(reversed(path.split("/"))):
        mode, kind = ("100644", "blob") if depth == 0 else ("040000", "tree")
        made = subprocess.run(["git", "mktree", "-z"], input=f"{mode} {kind} {tree}\t{part}\0".encode(), cwd=clone, env=git.environment, capture_output=True, check=True)
        tree = made.stdout.decode().strip()
    head = git("commit-tree", tree, "-p", "HEAD", "-m", "hostile", at=clone).strip()
    git.refused("push", "origin", f"{head}:refs/heads/main", at=clone)
    assert api.model_info(repo).sha == before


def test_many_files_pushed_at_once(api, git, clone, repo):
    commit(git, clone, {f"f/{uuid.uuid4().hex[:2]}/{number}.txt": str(number).encode() for number in range(500)})
    git("push", "origin", "main", at=clone)
    assert len(api.list_repo_files(repo)) == 501
