"""huggingface_hub over webhooks: every call of HfApi, and what a receiver on this machine is not told."""
import time

import pytest
from huggingface_hub import HfApi
from huggingface_hub.errors import HfHubHTTPError

URL = "https://ci.example.org/hook"


@pytest.fixture
def webhook(api):
    made = api.create_webhook(url=URL, watched=[{"type": "user", "name": "ada"}, {"type": "org", "name": "somebody"}],
                              domains=["repo", "discussion"], secret="my-secret")
    yield made
    for each in api.list_webhooks():
        api.delete_webhook(each.id)


def test_a_webhook_is_made_found_and_listed(api, webhook):
    assert (webhook.url, webhook.secret, webhook.disabled) == (URL, "my-secret", False)
    assert [(item.type, item.name) for item in webhook.watched] == [("user", "ada"), ("org", "somebody")]
    found = api.get_webhook(webhook.id)
    assert (found.id, found.url, found.domains) == (webhook.id, URL, ["repo", "discussion"])
    assert webhook.id in [each.id for each in api.list_webhooks()]


def test_a_webhook_is_changed_in_parts(api, webhook):
    changed = api.update_webhook(webhook.id, url=URL + "/new", watched=[{"type": "user", "name": "bea"}], domains=["repo"], secret="another")
    assert (changed.id, changed.url, changed.domains, changed.secret) == (webhook.id, URL + "/new", ["repo"], "another")
    again = api.update_webhook(webhook.id, url=URL)
    assert (again.url, again.domains, again.secret) == (URL, ["repo"], "another")


def test_a_webhook_is_turned_off_and_on(api, webhook):
    assert api.disable_webhook(webhook.id).disabled
    assert api.get_webhook(webhook.id).disabled
    assert not api.enable_webhook(webhook.id).disabled


def test_a_deleted_webhook_is_gone(api, webhook):
    api.delete_webhook(webhook.id)
    with pytest.raises(HfHubHTTPError) as refusal:
        api.get_webhook(webhook.id)
    assert refusal.value.response.status_code == 404


def test_a_webhook_is_its_owners_alone(stranger, webhook):
    for call in (stranger.get_webhook, stranger.disable_webhook, stranger.delete_webhook):
        with pytest.raises(HfHubHTTPError) as refusal:
            call(webhook.id)
        assert refusal.value.response.status_code == 404
    assert webhook.id not in [each.id for each in stranger.list_webhooks()]


def test_what_is_no_webhook_is_refused(api):
    for wrong in ({"url": "ftp://a/b", "watched": [{"type": "user", "name": "ada"}]}, {"url": URL, "watched": []},
                  {"url": URL, "watched": [{"type": "planet", "name": "mars"}]}):
        with pytest.raises(HfHubHTTPError) as refusal:
            api.create_webhook(**wrong)
        assert refusal.value.response.status_code == 400


def test_private_addresses_are_refused_and_the_log_says_so(api, server, tokens):
    made = api.create_webhook(url="http://127.0.0.1:9/hook", watched=[{"type": "user", "name": "ada"}])
    api.create_repo("ada/told-of", exist_ok=True)
    until = time.monotonic() + 20
    rows = []
    while time.monotonic() < until and not any(row["state"] == "failed" for row in rows):
        answer = server.http("GET", f"/api/settings/webhooks/{made.id}/deliveries", token=tokens["ada"])
        rows = answer.json()["deliveries"]
        time.sleep(0.1)
    assert rows and rows[-1]["state"] == "failed" and rows[-1]["attempts"] == 1, rows
    api.delete_webhook(made.id)


def test_anonymous_callers_have_none():
    with pytest.raises(HfHubHTTPError) as refusal:
        HfApi(token=False).list_webhooks()
    assert refusal.value.response.status_code == 401
