"""What is pushed is looked at, by whatever door it comes: the same refusal by commit, Xet or LFS, and git."""
import datetime
import decimal
import io
import json
import os
import pickle
import random
import subprocess
import time
import zipfile

import pytest
from holdfast_server import HoldfastServer, program
from huggingface_hub import HfApi
from huggingface_hub.utils import HfHubHTTPError


class Evil:
    def __reduce__(self):
        import os
        return (os.system, ("id",))


def torch_archive():
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("archive/data.pkl", pickle.dumps(Evil(), protocol=2))
        archive.writestr("archive/data/0", bytes(400))
    return out.getvalue()


@pytest.mark.parametrize("path", ["weights.pkl", "pytorch_model.bin", "notes/strange.name"])
def test_a_malicious_pickle_is_refused_with_its_place(api, repo, path):
    before = api.model_info(repo).sha
    with pytest.raises(HfHubHTTPError) as refused:
        api.upload_file(repo_id=repo, path_or_fileobj=torch_archive(), path_in_repo=path)
    assert refused.value.response.status_code == 403
    assert refused.value.response.headers["X-Error-Code"] == "PolicyRefused"
    told = refused.value.response.text
    assert path in told and "archive/data.pkl" in told and "system" in told and "opcode at" in told, told
    assert api.model_info(repo).sha == before


def test_a_live_token_is_refused_and_never_stored(api, server, tokens, repo):
    leaked = server.create_token("ada")
    assert server.http("GET", "/api/whoami-v2", leaked).status == 200
    with pytest.raises(HfHubHTTPError) as refused:
        api.upload_file(repo_id=repo, path_or_fileobj=f"token: {leaked}\n".encode(), path_in_repo="notes.md")
    assert refused.value.response.status_code == 403
    assert leaked not in refused.value.response.text
    # Strangers know it now: it is revoked at once, and the owner's log says by whom.
    assert server.http("GET", "/api/whoami-v2", leaked).status == 401
    assert api.whoami()["name"] == "ada"
    told = [json.loads(line) for line in server.command("audit", "export").splitlines()]
    assert any(each["action"] == "token.revoked" and each["actor"] == "(scan)" and each["subject"] == "ada" for each in told)
    assert leaked not in json.dumps(told) and leaked not in server.log(10_000)
    notices = [each for each in api.whoami()["notices"] if each["foundIn"] == "notes.md"]
    assert notices and notices[0]["kind"] == "token-leaked", api.whoami()


def test_a_live_token_in_a_discussion_is_revoked(api, server, repo):
    leaked = server.create_token("ada")
    with pytest.raises(HfHubHTTPError) as refused:
        api.create_discussion(repo, "It does not work", description=f"I use {leaked}, and get 500.")
    assert refused.value.response.status_code == 403 and leaked not in refused.value.response.text
    assert server.http("GET", "/api/whoami-v2", leaked).status == 401
    assert "a discussion" in [each["foundIn"] for each in api.whoami()["notices"]]


def test_what_is_held_says_why(api, server, tokens, repo):
    key = "AK" + "IAZ7QWERTYPLMNBVCX"
    api.upload_file(repo_id=repo, path_or_fileobj=b"# No licence\n", path_in_repo="README.md")
    api.upload_file(repo_id=repo, path_or_fileobj=f"one\n{key}\n".encode(), path_in_repo="deploy.env")
    verdict = server.http("GET", f"/api/models/{repo}/checks/main?purpose=commercial", tokens["ada"]).json()
    assert verdict["standing"] == "held" and len(verdict["reasons"]) == 2, verdict
    found = {file["path"]: file for file in verdict["files"]}["deploy.env"]["findings"][0]
    assert (found["rule"], found["line"]) == ("secret.aws-access-token", 2)
    assert key not in str(verdict)
    assert verdict["license"]["verdict"] == "review"
    assert verdict["license"]["answers"]["commercial"] == "review" and "names no licence" in verdict["license"]["noticeText"]
    status = api.model_info(repo, securityStatus=True).security_repo_status
    assert status == {"scansDone": True, "filesWithIssues": [{"path": "deploy.env", "level": "unsafe"}]}
    files = {file.path: file.security for file in api.get_paths_info(repo, ["deploy.env", "README.md"], expand=True)}
    assert files["deploy.env"].status == "unsafe" and not files["deploy.env"].safe and files["README.md"].safe is not None
    assert server.http("GET", f"/api/models/{repo}/checks/main?purpose=fun", tokens["ada"]).status == 400


def test_a_push_by_git_takes_the_same_checks(server, tokens, repo, tmp_path):
    url = server.url.replace("://", f"://ada:{tokens['ada']}@") + f"/{repo}"

    def git(*words, code=0):
        done = subprocess.run(["git", "-C", str(tmp_path / "copy"), "-c", "user.name=a", "-c", "user.email=a@b", *words], capture_output=True, text=True)
        assert (done.returncode == 0) == (code == 0), done.stderr
        return done.stderr

    subprocess.run(["git", "clone", "-q", url, str(tmp_path / "copy")], check=True, env={"GIT_LFS_SKIP_SMUDGE": "1", "PATH": "/usr/bin:/bin"})
    (tmp_path / "copy" / "model.weights").write_bytes(pickle.dumps(Evil(), protocol=4))
    git("add", ".")
    git("commit", "-q", "-m", "weights")
    told = git("push", "-q", "origin", "HEAD:main", code=1)
    assert "model.weights" in told and "system" in told, told
    git("reset", "-q", "--hard", "HEAD~1")
    leaked = server.create_token("ada")
    (tmp_path / "copy" / "notes.txt").write_text(f"{leaked}\n")
    git("add", ".")
    git("commit", "-q", "-m", "notes")
    assert "it is revoked" in git("push", "-q", "origin", "HEAD:main", code=1)


def test_a_files_status_is_shown_where_files_are_listed(api, repo):
    api.upload_file(repo_id=repo, path_or_fileobj=pickle.dumps({"a": [1, 2]}), path_in_repo="data.pkl")
    listed = {file.path: file for file in api.list_repo_tree(repo, expand=True)}
    assert listed["data.pkl"].security.safe and listed["data.pkl"].security.status == "safe"
    assert listed["data.pkl"].security.av_scan["virusFound"] is False
    template = b'{"chat_template": "{{ \'\'.__class__.__mro__ }}"}'
    with pytest.raises(HfHubHTTPError) as refused:
        api.upload_file(repo_id=repo, path_or_fileobj=template, path_in_repo="tokenizer_config.json")
    assert "template.escape" in refused.value.response.text, refused.value.response.text


def test_a_verdict_is_not_carried_to_a_name_that_means_more(api, repo):
    api.upload_file(repo_id=repo, path_or_fileobj=b"*.json filter=lfs diff=lfs merge=lfs -text\n", path_in_repo=".gitattributes")
    template = b'{"chat_template": "{{ \'\'.__class__.__mro__ }}", "filler": "' + b"x" * 2000 + b'"}'
    api.upload_file(repo_id=repo, path_or_fileobj=template, path_in_repo="notes.json")
    with pytest.raises(HfHubHTTPError) as refused:
        api.upload_file(repo_id=repo, path_or_fileobj=template, path_in_repo="tokenizer_config.json")
    assert "template.escape" in refused.value.response.text, refused.value.response.text


def test_a_masking_job_makes_a_revision_that_scans_clean(api, server, tokens, repo, tmp_path):
    people = "name,contact\nAda Lovelace,ada@example.org\nBob,bob@example.org\n"
    api.upload_file(repo_id=repo, path_or_fileobj=people.encode(), path_in_repo="people.csv")
    done = subprocess.run([program(), "repo", "mask", repo, "--into", "masked", "--json"], capture_output=True, text=True, check=True)
    report = json.loads(done.stdout)
    assert report["leftFindings"] == 0 and report["findings"] >= 2 and [each["path"] for each in report["masked"]] == ["people.csv"], report
    assert api.repo_info(repo, revision="masked").sha == report["commit"]
    masked = server.http("GET", f"/{repo}/resolve/masked/people.csv", tokens["ada"]).body
    (tmp_path / "people.csv").write_bytes(masked)
    looked = json.loads(subprocess.run([program(), "scan", str(tmp_path), "--personal", "--json"], capture_output=True, text=True).stdout)
    assert not [each for each in looked["findings"] if each["topic"] == "personal"], masked
    assert server.http("GET", f"/{repo}/resolve/main/people.csv", tokens["ada"]).body == people.encode()
    assert server.http("POST", f"/api/models/{repo}/masking", tokens["bea"], {}).status == 403
    changes = subprocess.run([program(), "repo", "changes", repo, "--revision", "masked", "--since", "main"], capture_output=True, text=True, check=True)
    assert "people.csv" in changes.stdout, changes.stdout


def test_tables_and_archives_are_masked_too(api, repo, tmp_path):
    pyarrow, parquet = pytest.importorskip("pyarrow"), pytest.importorskip("pyarrow.parquet")
    people = [f"person{i}@example.org writes" if i % 3 else None for i in range(5000)]
    chance = random.Random(11)

    def card():
        digits = [4] + [chance.randrange(10) for _ in range(14)]
        odd = sum(sum(divmod(2 * d, 10)) if i % 2 == 0 else d for i, d in enumerate(digits))
        return int("".join(map(str, digits)) + str(-odd % 10))

    cards = [card() if i % 7 == 0 else None for i in range(5000)]
    tags = [[["a", "b"], [], None, [f"tag{i}@example.org", None, "c"]][i % 4] for i in range(5000)]
    users = [None if i % 5 == 0 else {"age": i % 90, "cards": [card()] * (i % 3), "born": datetime.date(1990, 1, 1 + i % 28) if i % 2 else None} for i in range(5000)]
    extra = [[("mail", f"m{i}@example.org"), ("n", str(i))] if i % 2 else [] for i in range(5000)]
    table = pyarrow.table({
        "text": people, "label": list(range(5000)), "card": pyarrow.array(cards, pyarrow.int64()), "paid": [float(each) if each else None for each in cards],
        "tags": pyarrow.array(tags, pyarrow.list_(pyarrow.string())), "at": pyarrow.array(range(1_700_000_000_000_000, 1_700_000_000_005_000), pyarrow.timestamp("us")),
        "user": pyarrow.array(users, pyarrow.struct([("age", pyarrow.int32()), ("cards", pyarrow.list_(pyarrow.int64())), ("born", pyarrow.date32())])),
        "extra": pyarrow.array(extra, pyarrow.map_(pyarrow.string(), pyarrow.string())), "price": pyarrow.array([decimal.Decimal(i) / 100 for i in range(5000)], pyarrow.decimal128(12, 2)),
        "number": pyarrow.array([decimal.Decimal(each) if each else None for each in cards], pyarrow.decimal128(20, 2)),
        "code": pyarrow.array([f"x{i}@example.org".ljust(20).encode() if i % 2 else None for i in range(5000)], pyarrow.binary(20)), "clock": pyarrow.array([datetime.time(1, 2)] * 5000, pyarrow.time64("us"))})
    parquet.write_table(table, tmp_path / "rows.parquet", compression="zstd", row_group_size=1500)
    with zipfile.ZipFile(tmp_path / "more.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("people.csv", "name,contact\nAda Lovelace,ada@example.org\n")
        archive.writestr("picture.png", b"\x89PNG\0")
    for name in ("rows.parquet", "more.zip"):
        api.upload_file(repo_id=repo, path_or_fileobj=tmp_path / name, path_in_repo=name)
    report = json.loads(subprocess.run([program(), "repo", "mask", repo, "--json"], capture_output=True, text=True, check=True).stdout)
    assert report["leftFindings"] == 0 and {each["path"] for each in report["masked"]} == {"rows.parquet", "more.zip"}, report
    assert {each["path"] for each in report["unread"]} == {"rows.parquet: clock", "more.zip: picture.png"}, report["unread"]
    masked = parquet.read_table(api.hf_hub_download(repo, "rows.parquet", revision="masked"))
    assert masked.schema == table.schema
    for untouched in ("label", "at", "price", "clock"):
        assert masked[untouched] == table[untouched], untouched
    assert masked["code"].to_pylist() == [b"<EMAIL_ADDRESS>     " if i % 2 else None for i in range(5000)]
    assert masked["card"].to_pylist() == masked["paid"].to_pylist() == masked["number"].to_pylist() == [None] * 5000, "a number has no place for a mask"
    assert masked["tags"].to_pylist() == [each and [tag and ("<EMAIL_ADDRESS>" if "@" in tag else tag) for tag in each] for each in tags]
    assert masked["user"].to_pylist() == [each and {**each, "cards": [None] * len(each["cards"]), "born": None} for each in users]
    assert masked["extra"].to_pylist() == [[(key, "<EMAIL_ADDRESS>" if "@" in value else value) for key, value in each] for each in extra]
    parquet.write_table(masked, tmp_path / "again.parquet")
    for path in ("again.parquet", api.hf_hub_download(repo, "rows.parquet", revision="masked")):
        looked = json.loads(subprocess.run([program(), "scan", str(tmp_path / path), "--personal", "--json"], capture_output=True, text=True).stdout)
        assert [each["rule"] for each in looked["findings"] if each["topic"] == "personal"] == ["personal.unread"], looked["findings"][:5]
    assert masked["text"].to_pylist() == [each and "<EMAIL_ADDRESS> writes" for each in people]
    with zipfile.ZipFile(api.hf_hub_download(repo, "more.zip", revision="masked")) as archive:
        assert archive.testzip() is None and b"ada@example.org" not in archive.read("people.csv") and archive.read("picture.png") == b"\x89PNG\0"


def test_guards_releases_and_masking_outlive_the_server():
    """A server that refuses sensitive uploads and asks for two people, killed while a masking job is on its way."""
    server = HoldfastServer(options=["--checks.sensitive", "refuse", "--checks.release", "two"]).start()
    try:
        for name in ("ada", "bea"):
            server.create_user(name)
        tokens = {name: server.create_token(name) for name in ("ada", "bea")}
        server.command("org", "create", "lab")
        for name in tokens:
            server.command("org", "member", "add", "lab", name, "--role", "admin")
        ours = {"HF_ENDPOINT": server.url}

        def holdfast(*words, who="ada", code=0):
            done = subprocess.run([program(), *words], env={**os.environ, **ours, "HF_TOKEN": tokens[who]}, capture_output=True, text=True)
            assert done.returncode == code, (words, done.stdout, done.stderr)
            return done.stdout + done.stderr

        api = HfApi(endpoint=server.url, token=tokens["ada"])
        api.create_repo("lab/patients", repo_type="dataset", private=True)
        rows = "id,nhs number\n" + "1,943 476 5919\n" * 400
        with pytest.raises(HfHubHTTPError) as refused:
            api.upload_file(repo_id="lab/patients", repo_type="dataset", path_or_fileobj=rows.encode(), path_in_repo="patients.csv")
        assert "[sensitive.health]" in refused.value.response.text and "943" not in refused.value.response.text
        assert "say why" in holdfast("repo", "clear", "lab/patients", "--repo-type", "dataset", "--kinds", "health", code=2)
        assert "health" in holdfast("repo", "clear", "lab/patients", "--repo-type", "dataset", "--kinds", "health", "--reason", "study 12")
        api.upload_file(repo_id="lab/patients", repo_type="dataset", path_or_fileobj=rows.encode(), path_in_repo="patients.csv")
        # No licence: held, until two people let it go on.
        assert "proposed" in holdfast("repo", "release", "lab/patients", "--repo-type", "dataset", "--reason", "never leaves the house")
        holdfast("repo", "release", "lab/patients", "--repo-type", "dataset", "--reason", "again", code=1)
        assert "is released" in holdfast("repo", "release", "lab/patients", "--repo-type", "dataset", "--reason", "agreed", who="bea")
        verdict = server.http("GET", "/api/datasets/lab/patients/checks/main", tokens["ada"]).json()
        assert verdict["standing"] == "warned" and verdict["released"]["by"] == "ada" and verdict["released"]["confirmedBy"] == "bea", verdict
        job = server.http("POST", "/api/datasets/lab/patients/masking", tokens["ada"], {}).json()
        port = int(server.url.rsplit(":", 1)[1])
        server.kill()
        server.restart(port)
        while True:
            now = server.http("GET", f"/api/datasets/lab/patients/masking/{job['id']}", tokens["ada"]).json()
            if now["state"] in ("done", "failed"):
                break
            time.sleep(0.05)
        assert now["state"] == "done" and now["report"]["leftFindings"] == 0 and now["report"]["findings"] == 400, now
        told = server.command("audit", "export")
        assert all(action in told for action in ("repo.cleared", "repo.release_proposed", "repo.held_released"))
        server.stop()
    finally:
        server.remove()


def licence(*words):
    return subprocess.run([program(), "license", *words], capture_output=True, text=True, timeout=60)


def test_licences_are_judged_over_a_chain_and_measured_against_decisions_of_people(tmp_path):
    chain = "model mit; base apache-2.0; dataset cc-by-nc-4.0"
    done = licence("judge", chain, "--json")
    told = json.loads(done.stdout)
    assert done.returncode == 1 and told["verdict"] == "refused" and "not legal advice" in told["notice"]
    assert told["answers"] == {"commercial": "refused", "attribution": True, "distribution": "refused", "datasets": "refused"}
    assert licence("judge", "model mit; base apache-2.0").returncode == 0
    assert licence("judge", "model mit; base acme").stdout.startswith("review")
    notice = licence("judge", chain, "--notice").stdout
    assert "licensed under cc-by-nc-4.0" in notice and notice.startswith("NOTICE")
    cases = tmp_path / "cases.tsv"
    cases.write_text("# ours\nRRRRRR\tmodel mit\twe never allow it\nRRAAAA\tmodel cc-by-nc-4.0\tas it says\n")
    done = licence("measure", str(cases), "--json")
    told = json.loads(done.stdout)
    assert (told["decisions"], told["agreed"], told["allowedByGuess"]) == (12, 6, 6) and done.returncode == 1
    assert told["said"]["refused"] == {"allowed": 6, "conditional": 0, "review": 0, "refused": 2} and len(told["differences"]) == 6


def test_a_release_may_need_a_complete_card():
    """With checks.card complete the gate of a release names each section that its card lacks, and passes once they are there."""
    server = HoldfastServer(options=["--checks.card", "complete"]).start()
    try:
        server.create_user("ada")
        token = server.create_token("ada")
        api = HfApi(endpoint=server.url, token=token)
        api.create_repo("ada/sorter")
        head = "---\nlicense: mit\n---\n# Sorter\n"
        sections = ["Model Details", "Uses", "Out-of-Scope Use", "Bias, Risks, and Limitations", "How to Get Started", "Training Details", "Evaluation",
                    "Technical Specifications", "Environmental Impact", "Citation", "Model Card Contact"]
        record = "record: ada/sorter\ntier: production\nmodel: ada/sorter\ntask: text-classification\nfeatures: [sorting]\ndata_class: internal\npurpose: internal\n"
        made = server.http("PUT", "/api/registry/records/ada/sorter", token, record.encode(), {"Content-Type": "application/yaml"})
        assert made.status in (200, 201), made.body
        verdicts = []
        for missing in ("Bias, Risks, and Limitations", None):
            card = head + "".join(f"\n## {name}\n\nWhat there is to say.\n" for name in sections if name != missing)
            api.upload_file(repo_id="ada/sorter", path_or_fileobj=card.encode(), path_in_repo="README.md")
            report = server.http("GET", "/api/models/ada/sorter/checks/main", token).json()["card"]
            assert report["missingSections"] == ([missing] if missing else []), report
            release = server.http("POST", "/api/registry/records/ada/sorter/releases", token, {"revision": "main", "note": ""})
            assert release.status in (200, 201), release.body
            number = release.json()["number"]
            told = server.http("GET", f"/api/registry/records/ada/sorter/releases/{number}", token).json()
            evidence = next(one for one in told["evidence"] if one["kind"] == "card")
            body = server.http("GET", f"/api/registry/evidence/{evidence['id']}", token).json()["body"]
            verdicts.append((body["verdict"], body["why"]))
        assert verdicts == [("fail", "the card lacks Bias, Risks, and Limitations"), ("pass", "")], verdicts
    finally:
        server.stop()


def test_old_timestamps_and_decimals_of_every_width_are_looked_through(tmp_path):
    """As Spark, Hive and Impala write them: INT96, decimals in bytes or in whole numbers, texts of one length."""
    pyarrow, parquet = pytest.importorskip("pyarrow"), pytest.importorskip("pyarrow.parquet")
    born = [datetime.datetime(1960 + i % 40, 1 + i % 12, 1 + i % 28, 3, 4, 5, 123457) if i % 5 else None for i in range(50)]
    card = 4532015112830366
    table = pyarrow.table({
        "date_of_birth": pyarrow.array(born, pyarrow.timestamp("us")), "seen": pyarrow.array(born, pyarrow.timestamp("us")),
        "card": pyarrow.array([decimal.Decimal(card)] * 50, pyarrow.decimal128(18, 0)), "amount": pyarrow.array([decimal.Decimal(card) / 100] * 50, pyarrow.decimal128(18, 2))})
    for integers in (False, True):
        folder, out = tmp_path / f"{integers}", tmp_path / f"out-{integers}"
        folder.mkdir()
        parquet.write_table(table, folder / "rows.parquet", use_deprecated_int96_timestamps=True, store_decimal_as_integer=integers)
        found = json.loads(subprocess.run([program(), "scan", str(folder), "--json"], capture_output=True, text=True).stdout)["findings"]
        members = {each["member"] for each in found if each["topic"] == "personal"}
        assert {"date_of_birth", "card"} <= members and not members & {"seen", "amount"} and "personal.unread" not in {each["rule"] for each in found}, found[:5]
        subprocess.run([program(), "mask", str(folder), "--out", str(out)], check=True, capture_output=True)
        masked = parquet.read_table(out / "rows.parquet")
        assert masked["seen"].to_pylist() == born or [each and each.replace(tzinfo=None) for each in masked["seen"].cast(pyarrow.timestamp("us")).to_pylist()] == born
        assert masked["card"].to_pylist() == masked["date_of_birth"].to_pylist() == [None] * 50 and masked["amount"] == table["amount"]
        again = json.loads(subprocess.run([program(), "scan", str(out), "--json"], capture_output=True, text=True).stdout)["findings"]
        assert [each for each in again if each["topic"] == "personal"] == []
