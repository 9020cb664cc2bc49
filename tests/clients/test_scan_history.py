"""What a repository ever held is looked through anew, and findings are told as SARIF."""
import json
import os
import pickle
import re
import subprocess
import time

import pytest
from holdfast_server import program

KEY = "AK" + "IAZ7QWERTYPLMNBVCX"
LEVELS, KINDS = {"none", "note", "warning", "error"}, {"notApplicable", "pass", "fail", "review", "open", "informational"}


class Evil:
    def __reduce__(self):
        import os
        return (os.system, ("id",))


def check_sarif(log, results_min):
    """What the schema of SARIF 2.1.0 requires of the objects that we write, and what values it lets them have."""
    assert log["version"] == "2.1.0" and isinstance(log["runs"], list) and log["runs"]
    assert set(log) <= {"$schema", "version", "runs", "inlineExternalProperties", "properties"}
    for run in log["runs"]:
        assert set(run) <= {"tool", "invocations", "results", "properties", "artifacts", "columnKind"}
        driver = run["tool"]["driver"]
        assert driver["name"] and re.fullmatch(r"\d+\.\d+\.\d+.*", driver["semanticVersion"])
        ids = [rule["id"] for rule in driver["rules"]]
        assert len(set(ids)) == len(ids), "rules are unique"
        for rule in driver["rules"]:
            assert rule["shortDescription"]["text"]
        for invocation in run["invocations"]:
            assert isinstance(invocation["executionSuccessful"], bool)
            for each in invocation.get("toolExecutionNotifications", []):
                assert each["message"]["text"] and each["level"] in LEVELS
        assert len(run["results"]) >= results_min
        for result in run["results"]:
            assert set(result) <= {"ruleId", "ruleIndex", "level", "message", "locations", "partialFingerprints", "properties", "kind"}
            assert result["message"]["text"] and result["level"] in LEVELS and result.get("kind", "fail") in KINDS
            assert ids[result["ruleIndex"]] == result["ruleId"]
            assert all(isinstance(value, str) for value in result["partialFingerprints"].values())
            for location in result["locations"]:
                uri = location["physicalLocation"]["artifactLocation"]["uri"]
                assert re.fullmatch(r"(?:[A-Za-z0-9._~!$&'()*+,;=@/-]|%[0-9A-Fa-f]{2})+", uri) and not uri.startswith("/"), uri
                region = location["physicalLocation"].get("region", {})
                assert set(region) <= {"startLine", "byteOffset", "byteLength"}
                assert region.get("startLine", 1) >= 1 and region.get("byteOffset", 0) >= 0 and region.get("byteLength", 1) >= 0
                for each in location.get("logicalLocations", []):
                    assert each["fullyQualifiedName"]
    return log["runs"][0]


def scan(*words, code=None):
    done = subprocess.run([program(), "scan", *map(str, words)], capture_output=True, text=True)
    assert code is None or done.returncode == code, done.stdout + done.stderr
    return done.stdout


@pytest.fixture
def clone(tmp_path):
    folder = tmp_path / "a clone"
    folder.mkdir()

    def git(*words):
        return subprocess.run(["git", "-c", "user.name=a", "-c", "user.email=a@b", "-c", "init.defaultBranch=main", *words], cwd=folder, check=True,
                              capture_output=True, text=True, env={"PATH": "/usr/bin:/bin", "HOME": str(tmp_path), "GIT_CONFIG_NOSYSTEM": "1"}).stdout.strip()

    def commit(files, message="a commit"):
        for path, content in files.items():
            target = folder / path
            if content is None:
                target.unlink()
                continue
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(content if isinstance(content, bytes) else content.encode())
        git("add", "-A")
        git("commit", "-q", "-m", message)
        return git("rev-parse", "HEAD")

    git("init", "-q")
    return folder, git, commit


def test_findings_as_sarif(tmp_path):
    folder = tmp_path / "model"
    (folder / "späte dinge").mkdir(parents=True)
    (folder / "späte dinge" / "deploy #1.env").write_text(f"one\n{KEY}\n")
    (folder / "weights.pkl").write_bytes(pickle.dumps(Evil(), protocol=2))
    run = check_sarif(json.loads(scan(folder, "--sarif", code=1)), 2)
    assert run["invocations"][0]["executionSuccessful"] is True
    by_rule = {result["ruleId"]: result for result in run["results"]}
    place = by_rule["secret.aws-access-token"]["locations"][0]["physicalLocation"]
    assert place["artifactLocation"]["uri"] == "sp%C3%A4te%20dinge/deploy%20%231.env" and place["region"] == {"startLine": 2}
    assert by_rule["pickle.global"]["level"] == "error"
    assert KEY not in json.dumps(run)
    again = check_sarif(json.loads(scan(folder, "--sarif", code=1)), 2)
    assert [each["partialFingerprints"] for each in again["results"]] == [each["partialFingerprints"] for each in run["results"]]
    clean = tmp_path / "clean"
    clean.mkdir()
    (clean / "a.txt").write_text("nothing\n")
    assert check_sarif(json.loads(scan(clean, "--sarif", code=0)), 0)["results"] == []


def test_what_was_deleted_is_found_in_every_branch_and_tag_with_its_commit(clone):
    folder, git, commit = clone
    first = commit({"README.md": "hello\n", "conf/deploy.env": f"x\ny\n{KEY}\n"})
    commit({"conf/deploy.env": None})
    git("checkout", "-q", "-b", "side")
    second = commit({"other.env": f"{KEY}\n"})
    git("tag", "-a", "v1", "-m", "a tag")
    git("checkout", "-q", "main")
    git("branch", "-q", "-D", "side")  # A tag alone holds on to it now.
    last = commit({"kept.env": f"{KEY}\n"})
    now = json.loads(scan(folder, "--json", code=1))["findings"]
    assert {each["file"] for each in now if each["topic"] == "secret"} == {"kept.env"}, "what lies there now is no history"
    told = json.loads(scan(folder, "--history", "--json", code=1))
    assert (told["complete"], told["commits"], told["refs"], told["worst"]) == (True, 4, 2, "dangerous"), told
    found = {each["file"]: each for each in told["findings"]}
    assert set(found) == {"conf/deploy.env", "other.env", "kept.env"}
    assert (found["conf/deploy.env"]["commit"], found["conf/deploy.env"]["line"], found["conf/deploy.env"]["refs"]) == (first, 3, [])
    assert (found["other.env"]["commit"], found["other.env"]["refs"]) == (second, ["refs/tags/v1"])
    assert (found["kept.env"]["commit"], found["kept.env"]["refs"]) == (last, ["refs/heads/main"])
    people = scan(folder, "--history", code=1)
    assert f"since {first[:12]}" in people and "in the history alone" in people and "still at refs/heads/main" in people, people
    run = check_sarif(json.loads(scan(folder, "--history", "--sarif", code=1)), 3)
    assert {result["properties"]["commit"] for result in run["results"]} == {first, second, last}
    # What the messages say.
    said = commit({"README.md": "hello again\n"}, f"deploys with\n\nkey {KEY}")
    told = json.loads(scan(folder, "--history", "--json", code=1))
    message, = [each for each in told["findings"] if each["file"] == "(message)"]
    assert (message["commit"], message["line"], message["refs"]) == (said, 3, ["refs/heads/main"]), message
    check_sarif(json.loads(scan(folder, "--history", "--sarif", code=1)), 4)
    # A commit that no branch holds: HEAD itself does.
    git("checkout", "-q", "--detach")
    lone = commit({"lone.env": f"{KEY}\n"})
    told = json.loads(scan(folder, "--history", "--json", code=1))
    assert {each["file"]: each["commit"] for each in told["findings"]}["lone.env"] == lone


def test_what_is_behind_a_pointer_and_not_here_is_a_gap_not_a_pass(clone):
    folder, git, commit = clone
    digest = "ab" * 32
    commit({"weights.bin": f"version https://git-lfs.github.com/spec/v1\noid sha256:{digest}\nsize 12\n"})
    told = json.loads(scan(folder, "--history", "--json", code=1))
    assert told["complete"] is False and "weights.bin" in told["gaps"][0] and told["findings"] == [], told
    run = check_sarif(json.loads(scan(folder, "--history", "--sarif", code=1)), 0)
    assert run["invocations"][0]["executionSuccessful"] is False
    place = folder / ".git/lfs/objects" / digest[:2] / digest[2:4]
    place.mkdir(parents=True)
    (place / digest).write_bytes(pickle.dumps(Evil(), protocol=2))
    told = json.loads(scan(folder, "--history", "--json", code=1))
    assert told["complete"] and [each["rule"] for each in told["findings"]] == ["pickle.global"], told
    bare = subprocess.run([program(), "scan", str(folder.parent), "--history"], capture_output=True, text=True)
    assert bare.returncode == 1 and "repository" in bare.stderr, bare.stderr


def test_the_history_of_a_repository_of_the_hub(api, server, name, tmp_path):
    """Large files, pull requests and what main no longer has; a token that works by now is revoked."""
    api.create_repo(name, repo_type="dataset")

    def upload(path, content, **options):
        return api.upload_file(repo_id=name, repo_type="dataset", path_or_fileobj=content, path_in_repo=path, **options)

    first = upload("deploy.env", f"{KEY}\n".encode()).oid
    api.delete_file("deploy.env", repo_id=name, repo_type="dataset")
    upload("big.csv", ("mail\n" + "x,y\n" * 400_000 + f"{KEY}\n").encode())
    side = upload("side.env", f"a\n{KEY}\n".encode(), create_pr=True)
    value = "hf_" + "".join(chr(97 + byte % 26) for byte in os.urandom(34))
    upload("notes.txt", f"my token is {value}\n".encode())  # Works from now on only.
    server.command("token", "create", "--user", "bea", "--name", "late", "--role", "read", "--value-stdin", stdin=value + "\n")
    assert server.http("GET", "/api/whoami-v2", value).status == 200
    done = subprocess.run([program(), "repo", "scan", f"datasets/{name}", "--data", server.folder, "--json"], capture_output=True, text=True)
    assert done.returncode == 1, done.stderr
    told = json.loads(done.stdout)
    assert told["complete"] and told["repository"] == name, told
    found = {(each["file"], each["rule"]): each for each in told["findings"]}
    assert found["deploy.env", "secret.aws-access-token"]["commit"] == first and found["deploy.env", "secret.aws-access-token"]["refs"] == []
    assert found["big.csv", "secret.aws-access-token"]["line"] == 400_002
    assert found["side.env", "secret.aws-access-token"]["refs"] == [f"refs/pr/{side.pr_num}"], found
    assert ("notes.txt", "secret.live-token") in found and value not in done.stdout
    until = time.monotonic() + 1.5  # Ended by another process: a second at most, and what the asking takes.
    while server.http("GET", "/api/whoami-v2", value).status == 200:
        assert time.monotonic() < until
        time.sleep(0.05)
    assert server.http("GET", "/api/whoami-v2", value).status == 401
    missing = subprocess.run([program(), "repo", "scan", "ada/none", "--data", server.folder], capture_output=True, text=True)
    assert missing.returncode == 1 and "ada/none" in missing.stderr
