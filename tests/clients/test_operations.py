"""What an operator looks at: health, readiness, metrics, request ids, the shape of errors."""
import json
import re
import shutil
import subprocess

import pytest


def test_health_and_readiness_answer_without_a_token(server):
    assert server.http("GET", "/healthz").json() == {"status": "ok"}
    assert server.http("GET", "/readyz").json() == {"status": "ready"}


def test_metrics_pass_promtool_and_carry_no_name_a_user_chose(server, api, tokens):
    api.create_repo("ada/unmistakable-name", exist_ok=True)
    server.http("GET", "/ada/unmistakable-name/resolve/main/unmistakable-file", tokens["ada"])
    answer = server.http("GET", "/metrics")
    assert answer.headers["Content-Type"].startswith("text/plain; version=0.0.4")
    text = answer.body.decode()
    promtool = shutil.which("promtool")
    assert promtool, "promtool is missing: set-up installs it with Debian's prometheus"
    checked = subprocess.run([promtool, "check", "metrics"], input=text, capture_output=True, text=True)
    assert checked.returncode == 0 and not checked.stderr.strip(), checked.stderr
    assert "unmistakable" not in text and "ada" not in re.findall(r'"([^"]*)"', text)
    names = {line.split("{")[0].split(" ")[0] for line in text.splitlines() if line and not line.startswith("#")}
    assert all(name.startswith("holdfast_") for name in names), names
    for wanted in ("holdfast_http_requests_total", "holdfast_process_resident_bytes", "holdfast_content_stored_bytes"):
        assert wanted in names, wanted


@pytest.mark.parametrize("path", ["/healthz", "/api/models/ada/absent", "/no/such/path/at/all", "/api/whoami-v2"])
def test_every_answer_carries_a_request_id(server, path):
    made = server.http("GET", path).headers["X-Request-Id"]
    assert re.fullmatch(r"[0-9a-f]{32}", made)
    assert server.http("GET", path, headers={"X-Request-Id": "given-by-me.1"}).headers["X-Request-Id"] == "given-by-me.1"
    assert server.http("GET", path, headers={"X-Request-Id": "two words"}).headers["X-Request-Id"] != "two words"


def test_errors_say_code_class_and_whether_to_try_again(server, tokens):
    missing = server.http("GET", "/api/models/ada/absent", tokens["ada"])
    body = missing.json()
    assert missing.status == 404 and missing.headers["X-Error-Code"] == "RepoNotFound"
    assert (body["code"], body["class"], body["retryable"]) == ("repo_not_found", "client", False)
    assert body["request_id"] == missing.headers["X-Request-Id"] and body["error"]
    wrong = server.http("GET", "/api/whoami-v2", "hf_" + "x" * 34)
    assert wrong.status == 401 and wrong.headers["X-Error-Message"] == "Invalid credentials in Authorization header"
    garbage = server.http("POST", "/api/repos/create", tokens["ada"], body=b"{", headers={"Content-Type": "application/json"})
    assert garbage.status == 400 and garbage.json()["code"] == "bad_request"


def test_the_log_is_one_json_object_a_line_and_holds_no_token(server, tokens):
    server.http("GET", "/api/whoami-v2", tokens["ada"])
    lines = server.log_path.read_text().splitlines()
    for line in lines:
        event = json.loads(line)
        assert {"time", "level", "event"} <= event.keys()
    assert not any(token in line for token in tokens.values() for line in lines)
    assert any(json.loads(line)["event"] == "http_request" for line in lines)


def test_no_clear_token_lies_in_the_data_folder(server, tokens):
    from pathlib import Path
    for path in Path(server.folder).rglob("*"):
        if path.is_file():
            content = path.read_bytes()
            assert not any(token.encode() in content for token in tokens.values()), path
