"""huggingface_hub over repositories: create, find, rename, settings, delete, and what strangers may not see."""
import pytest
from huggingface_hub import CommitOperationAdd, HfApi
from huggingface_hub.errors import HfHubHTTPError, RepositoryNotFoundError, RevisionNotFoundError


def status_of(refusal):
    return refusal.value.response.status_code


def test_whoami_names_the_tokens_owner(api, stranger):
    assert api.whoami()["name"] == "ada"
    assert stranger.whoami()["name"] == "bea"


def test_a_bad_token_is_refused_as_such():
    with pytest.raises((HfHubHTTPError, OSError)) as refusal:  # 0.x raises the error of its HTTP library.
        HfApi(token="hf_" + "x" * 34).whoami()
    assert status_of(refusal) == 401


@pytest.mark.parametrize("kind", ["model", "dataset"])
def test_a_created_repository_has_one_commit_with_gitattributes(api, name, kind, server):
    url = api.create_repo(name, repo_type=kind)
    assert str(url) == f"{server.url}/{'datasets/' if kind == 'dataset' else ''}{name}"
    assert api.list_repo_files(name, repo_type=kind) == [".gitattributes"]
    assert len(api.list_repo_commits(name, repo_type=kind)) == 1
    info = api.repo_info(name, repo_type=kind)
    assert info.id == name and len(info.sha) == 40 and info.private is False


def test_creating_it_again_is_a_conflict_unless_allowed(api, repo):
    with pytest.raises(HfHubHTTPError) as refusal:
        api.create_repo(repo)
    assert status_of(refusal) == 409
    assert api.create_repo(repo, exist_ok=True).repo_id == repo


def test_nobody_creates_in_anothers_namespace(stranger, name):
    with pytest.raises(HfHubHTTPError) as refusal:
        stranger.create_repo(name)
    assert status_of(refusal) == 403


def test_a_model_and_a_dataset_of_one_name_are_two_repositories(api, repo):
    assert not api.repo_exists(repo, repo_type="dataset")
    api.create_repo(repo, repo_type="dataset")
    api.upload_file(path_or_fileobj=b"rows", path_in_repo="rows.txt", repo_id=repo, repo_type="dataset")
    assert "rows.txt" not in api.list_repo_files(repo)


def test_a_missing_repository_is_not_found(api, anonymous):
    for client in (api, anonymous):
        with pytest.raises(RepositoryNotFoundError):
            client.model_info("ada/never-made")


def test_a_private_repository_looks_missing_to_everyone_else(api, stranger, anonymous, name, server, tokens):
    api.create_repo(name, private=True)
    api.upload_file(path_or_fileobj=b"secret", path_in_repo="a.txt", repo_id=name)
    assert api.model_info(name).private is True
    for client in (stranger, anonymous):
        with pytest.raises(RepositoryNotFoundError):
            client.model_info(name)
        with pytest.raises(RepositoryNotFoundError):
            client.list_repo_files(name)
        assert name not in {model.id for model in client.list_models(author="ada")}
    assert name in {model.id for model in api.list_models(author="ada")}

    # By bytes: the answer for the private one and for one that never was differ in nothing but the name asked for.
    missing = "ada/z-" + "0" * (len(name) - len("ada/z-"))
    assert len(missing) == len(name)
    for path in ("/api/models/{}", "/api/models/{}/tree/main", "/{}/resolve/main/a.txt", "/{}.git/info/refs?service=git-upload-pack",
                 "/api/models/{}/xet-read-token/main", "/api/models/{}/commits/main", "/api/models/{}/refs"):
        for token in (None, tokens["bea"]):
            seen, never = (server.http("GET", path.format(repo), token, headers={"X-Request-Id": "same"}) for repo in (name, missing))
            assert seen.status == never.status and seen.status in (401, 404), (path, seen.status, never.status)
            assert seen.body.replace(name.encode(), b"") == never.body.replace(missing.encode(), b""), path
            headers = [{key.lower(): value.replace(repo, "") for key, value in answer.headers.items() if key.lower() != "date"}
                       for answer, repo in ((seen, name), (never, missing))]
            assert headers[0] == headers[1], path


def test_visibility_can_be_changed(api, anonymous, repo):
    assert anonymous.model_info(repo).private is False
    api.update_repo_settings(repo, private=True)
    with pytest.raises(RepositoryNotFoundError):
        anonymous.model_info(repo)
    api.update_repo_settings(repo, private=False)
    assert anonymous.model_info(repo).id == repo


def test_a_renamed_repository_answers_under_its_old_name(api, repo):
    api.upload_file(path_or_fileobj=b"here", path_in_repo="a.txt", repo_id=repo)
    moved = repo + "-moved"
    api.move_repo(from_id=repo, to_id=moved)
    assert api.model_info(repo).id == moved
    assert open(api.hf_hub_download(repo, "a.txt"), "rb").read() == b"here"


def test_a_deleted_repository_is_gone(api, repo):
    api.delete_repo(repo)
    assert not api.repo_exists(repo)
    with pytest.raises(RepositoryNotFoundError):
        api.delete_repo(repo)
    api.delete_repo(repo, missing_ok=True)
    api.create_repo(repo)  # Its name is free again, and nothing of the old one is there.
    assert api.list_repo_files(repo) == [".gitattributes"]


def test_a_deleted_repository_leaves_a_tombstone_at_every_door(api, stranger, repo, server, tokens, name):
    api.move_repo(from_id=repo, to_id=f"{name}-moved")
    api.delete_repo(f"{name}-moved")
    said = f"{name}-moved was deleted on "
    for old in (repo, f"{name}-moved"):
        for path in (f"/api/models/{old}", f"/{old}/resolve/main/config.json", f"/{old}/info/refs?service=git-upload-pack"):
            answer = server.http("GET", path, tokens["ada"])
            assert answer.status == 404 and said in answer.body.decode(), (path, answer.status, answer.body)
        batch = server.http("POST", f"/{old}.git/info/lfs/objects/batch", tokens["ada"], {"operation": "download", "objects": []})
        assert batch.status == 404 and said in batch.body.decode(), batch.body
    with pytest.raises(RepositoryNotFoundError) as told:
        api.model_info(repo)
    assert said in str(told.value)
    listed = server.http("GET", "/api/tombstones", tokens["bea"]).json()["tombstones"]
    assert [each["deletedBy"] for each in listed if each["id"] == f"{name}-moved"] == ["ada", "ada"]
    api.create_repo(f"{name}-moved", private=True)
    api.delete_repo(f"{name}-moved")
    assert said not in server.http("GET", f"/api/models/{name}-moved", tokens["bea"]).body.decode(), "a stranger hears of a private one"
    api.create_repo(repo)
    assert api.model_info(repo).id == repo


def test_what_changed_between_two_revisions_is_told_by_section(api, repo, server, tokens):
    card = "---\nlicense: mit\n---\n# Engine\n## Uses\nRoads\n## Limits\nNone\n"
    first = api.upload_file(repo_id=repo, path_or_fileobj=card.encode(), path_in_repo="README.md").oid
    api.create_commit(repo, [CommitOperationAdd("README.md", card.replace("license: mit", "license: cc-by-nc-4.0").replace("Roads", "Rails").encode()),
                             CommitOperationAdd("tokenizer.json", b"{}")], commit_message="both")
    told = server.http("GET", f"/api/models/{repo}/changes/main", tokens["ada"]).json()
    assert told["from"] == first and told["flags"] == ["card", "license", "tokenizer"], told
    assert told["files"] == [{"path": "README.md", "change": "changed"}, {"path": "tokenizer.json", "change": "added"}]
    assert [(each["part"], each["name"].split(" / ")[-1], each["change"]) for each in told["card"]] == [("metadata", "license", "changed"), ("section", "Uses", "changed")]
    assert server.http("GET", f"/api/models/{repo}/changes/main?since=main", tokens["ada"]).json()["flags"] == []
    assert server.http("GET", f"/api/models/{repo}/changes/nowhere", tokens["ada"]).status == 404


def test_a_stranger_may_not_delete_or_rename(stranger, repo, api):
    for attempt in (lambda: stranger.delete_repo(repo), lambda: stranger.move_repo(from_id=repo, to_id="bea/taken")):
        with pytest.raises(HfHubHTTPError) as refusal:
            attempt()
        assert status_of(refusal) == 403
    assert api.repo_exists(repo)


def test_listing_filters_by_author_words_and_pages(api, name):
    names = [f"{name}-page-{number}" for number in range(5)]
    for each in names:
        api.create_repo(each)
    found = {model.id for model in api.list_models(author="ada", search=f"{name.split('/')[1]}-page")}
    assert found == set(names)
    assert len(list(api.list_models(author="ada", search=f"{name.split('/')[1]}-page", limit=3))) == 3
    assert list(api.list_models(author="nobody-here")) == []


def test_branches_and_tags_come_and_go(api, repo):
    api.upload_file(path_or_fileobj=b"one", path_in_repo="a.txt", repo_id=repo)
    first = api.model_info(repo).sha
    api.create_branch(repo, branch="work")
    api.create_tag(repo, tag="v1", tag_message="the first")
    api.upload_file(path_or_fileobj=b"two", path_in_repo="a.txt", repo_id=repo)
    refs = api.list_repo_refs(repo)
    assert {branch.name: branch.target_commit for branch in refs.branches}["work"] == first
    assert [tag.name for tag in refs.tags] == ["v1"]
    assert api.model_info(repo, revision="v1").sha == first != api.model_info(repo).sha
    with pytest.raises(HfHubHTTPError) as refusal:
        api.create_branch(repo, branch="work")
    assert status_of(refusal) == 409
    api.create_branch(repo, branch="work", exist_ok=True)
    api.delete_branch(repo, branch="work")
    api.delete_tag(repo, tag="v1")
    refs = api.list_repo_refs(repo)
    assert [branch.name for branch in refs.branches] == ["main"] and refs.tags == []
    with pytest.raises(RevisionNotFoundError):
        api.model_info(repo, revision="v1")
    with pytest.raises(HfHubHTTPError) as refusal:
        api.delete_branch(repo, branch="main")
    assert status_of(refusal) == 403


def test_a_collection_lists_repositories_and_follows_them(api, stranger, repo):
    title = f"shelf of {repo}"
    shelf = api.create_collection(title, description="what we like")
    assert shelf.title == title and shelf.items == [] and shelf.slug.startswith("ada/shelf-of-")
    assert api.create_collection(title, exists_ok=True).slug == shelf.slug
    api.add_collection_item(shelf.slug, repo, "model", note="a note")
    with pytest.raises(HfHubHTTPError) as refusal:
        api.add_collection_item(shelf.slug, repo, "model")
    assert status_of(refusal) == 409
    [item] = stranger.get_collection(shelf.slug).items
    assert (item.item_id, item.item_type, item.note) == (repo, "model", "a note")
    assert [found.slug for found in api.list_collections(item=f"models/{repo}")] == [shelf.slug]
    assert shelf.slug in {found.slug for found in api.list_collections(owner="ada")}
    renamed = api.update_collection_metadata(shelf.slug, title=f"moved {repo}", private=True, theme="pink")
    assert renamed.private and renamed.theme == "pink" and renamed.slug != shelf.slug
    assert api.get_collection(shelf.slug).slug == renamed.slug
    for attempt in (lambda: stranger.get_collection(shelf.slug), lambda: stranger.delete_collection(shelf.slug)):
        with pytest.raises(HfHubHTTPError) as refusal:
            attempt()
        assert status_of(refusal) == 404
    api.delete_collection_item(shelf.slug, item.item_object_id)
    assert api.get_collection(shelf.slug).items == []
    api.delete_collection(shelf.slug)
    api.delete_collection(shelf.slug, missing_ok=True)


def test_a_duplicate_has_the_files_but_not_the_history(api, stranger, repo, server, tokens):
    big = bytes(range(256)) * 50_000
    api.upload_file(path_or_fileobj=b"taken out later", path_in_repo="gone.txt", repo_id=repo)
    api.upload_file(path_or_fileobj=big, path_in_repo="weights.bin", repo_id=repo)
    api.delete_file("gone.txt", repo_id=repo)

    def duplicate(user, source, target, **more):
        return server.http("POST", f"/api/models/{source}/duplicate", tokens[user], {"repository": target, **more})

    copy = "bea/copy-of-" + repo.split("/")[1]
    made = duplicate("bea", repo, copy, private=True)
    assert made.status == 200 and made.json()["url"] == f"{server.url}/{copy}", made.body
    assert stranger.list_repo_files(copy) == api.list_repo_files(repo)
    assert open(stranger.hf_hub_download(copy, "weights.bin"), "rb").read() == big
    assert [commit.title for commit in stranger.list_repo_commits(copy)] == [f"Duplicate from {repo}", "initial commit"]
    assert not api.repo_exists(copy)
    again = duplicate("bea", repo, copy)
    assert again.status == 409 and again.json()["url"] == f"{server.url}/{copy}"
    assert duplicate("bea", repo, "ada/not-hers").status == 403
    assert duplicate("ada", copy, "ada/unseen").status == 404
