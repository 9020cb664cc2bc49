"""Tokens that grow old: their user is told before the end, refused with the reason after it, and rotation begins anew."""
import json
import time

import pytest
from holdfast_server import HoldfastServer
from huggingface_hub import HfApi
from huggingface_hub.utils import HfHubHTTPError, RepositoryNotFoundError

DAY = 24 * 3600


@pytest.fixture(scope="module")
def aged():
    server = HoldfastServer(options=["--manual-clock"]).start()
    try:
        server.create_user("ada")
        yield server
        server.stop()
    finally:
        server.remove()


def advance(server, days):
    users = json.loads(server.command("user", "list", "--json"))
    admin = next(each["name"] for each in users if each["admin"])
    value = server.command("token", "create", "--user", admin, "--name", "clock", "--role", "write").strip()
    assert server.http("POST", "/api/registry/clock", value, json.dumps({"advance_seconds": days * DAY}).encode()).status == 200


def told(server):
    return [row for row in map(json.loads, server.command("audit", "export").splitlines()) if row["actor"] == "(age)"]


def wait_for(server, action):
    deadline = time.monotonic() + 60
    while not any(row["action"] == action for row in told(server)):
        assert time.monotonic() < deadline, told(server)
        time.sleep(0.5)


def test_a_token_is_told_of_then_refused_and_rotation_begins_anew(aged):
    value = aged.create_token("ada")
    number = next(each["id"] for each in json.loads(aged.command("token", "list", "--user", "ada", "--json")) if not each["replaced_by"])
    api = HfApi(endpoint=aged.url, token=value)
    said = json.loads(aged.command("token", "age", "set", "--warn", "60d", "--end", "90d", "--json"))
    assert said == {"for": "this server", "warn": "60d", "end": "90d", "too_old": 0}
    assert api.whoami()["notices"] == []
    advance(aged, 61)
    whoami = api.whoami()
    assert whoami["auth"]["accessToken"]["ageing"] and whoami["auth"]["accessToken"]["endsBy"] == "this server", whoami
    notices = [each for each in whoami["notices"] if each["token"] == number]
    assert notices[0]["kind"] == "token-ageing" and "ends at" in notices[0]["message"], notices
    wait_for(aged, "token.ageing")
    advance(aged, 30)
    with pytest.raises(HfHubHTTPError) as refused:
        api.whoami()
    assert refused.value.response.status_code == 401
    body = refused.value.response.json()
    assert "lets a token work for 90d" in body["error"], body
    assert refused.value.response.headers["X-Error-Message"] == "Invalid credentials in Authorization header"
    with pytest.raises(HfHubHTTPError) as refused:
        api.model_info("ada/none")
    assert not isinstance(refused.value, RepositoryNotFoundError), "it is the token that is wrong"
    assert "lets a token work for 90d" in str(refused.value)
    wait_for(aged, "token.ended_by_age")
    # After a restart without the moved clock nothing is old; the rule is there still.
    aged.stop()
    aged.start(int(aged.url.rsplit(":", 1)[1]))
    assert api.whoami()["auth"]["accessToken"]["endsAt"]
    fresh = aged.command("token", "rotate", str(number), "--overlap", "7d").strip()
    advance(aged, 61)
    old, new = (HfApi(endpoint=aged.url, token=each) for each in (value, fresh))
    with pytest.raises(HfHubHTTPError):
        old.whoami()
    assert new.whoami()["auth"]["accessToken"]["ageing"]
    assert number not in [each["token"] for each in new.whoami()["notices"]], "the old one was replaced"
    aged.command("token", "age", "clear")
    time.sleep(0.5)
    assert not new.whoami()["auth"]["accessToken"]["ageing"]
