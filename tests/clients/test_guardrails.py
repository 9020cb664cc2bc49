"""What an endpoint is asked and what it answers is looked at by its guardrails: words, secrets, and other endpoints' models, which may fail."""
import json
import os
import re
import subprocess
import threading
import time
import uuid
from pathlib import Path

import openai
import pytest
from fake_engine import FakeEngine
from holdfast_server import HoldfastServer, program
from huggingface_hub import HfApi, InferenceClient
from many_calls import metric

WRITER, LABELS = "ada/guarded-writer", "ada/guarding"
SAID = "unmistakable words of a caller 7731"


@pytest.fixture(scope="module")
def hub():
    data = Path(os.environ.get("HOLDFAST_SHARED") or Path(__file__).resolve().parents[3] / "shared") / "data/models/pipelines"
    if not data.is_dir():
        pytest.skip(f"SKIPPED: no reference data at {data}; set HOLDFAST_SHARED")
    server = HoldfastServer(options=["--limits.queue-delay", "0s"]).start()
    try:
        server.create_user("root", "--admin")
        server.root = server.create_token("root")
        for user in ("ada", "bea"):
            server.create_user(user)
            setattr(server, user, server.create_token(user))
        api = HfApi(endpoint=server.url, token=server.ada)
        for name, folder in ((WRITER, "text-generation"), (LABELS, "text-classification")):
            api.create_repo(name)
            api.upload_folder(repo_id=name, folder_path=data / folder)
            assert server.http("POST", "/api/endpoints/ada", server.ada, {"name": name[4:], "model": name, "min_replicas": 1}).status == 201
        yield server
        server.stop()
    finally:
        server.kill()
        server.remove()


@pytest.fixture
def endpoint(hub):
    name = "g" + uuid.uuid4().hex[:8]
    assert hub.http("POST", "/api/endpoints/ada", hub.ada, {"name": name, "model": WRITER}).status == 201
    yield f"ada/{name}"
    assert hub.http("DELETE", f"/api/endpoints/ada/{name}", hub.ada).status == 200


def says(text):
    return {"choices": [{"message": {"role": "assistant", "content": text}, "finish_reason": "stop", "index": 0}]}


def guard(hub, endpoint, *stages):
    answer = hub.http("PUT", f"/api/endpoints/{endpoint}/guardrails", hub.root if endpoint.startswith("root/") else hub.ada, {"guardrails": stages})
    assert answer.status == 200, answer.body
    return answer.json()["guardrails"]


def ask(hub, endpoint, text, **more):
    return hub.http("POST", f"/endpoints/{endpoint}/v1/chat/completions", hub.ada,
                    {"messages": [{"role": "user", "content": text}], "max_tokens": 12, "temperature": 0, **more}, {"Cache-Control": "no-store"})


def attach(hub, whole):
    """An endpoint of an outside engine that always says the same."""
    engine, name = FakeEngine(whole=whole), "e" + uuid.uuid4().hex[:8]
    made = hub.http("POST", "/api/endpoints/root", hub.root, {"name": name, "model": WRITER, "url": engine.url, "engine": "openai"})
    assert made.status == 201, made.body
    return engine, f"root/{name}"


def seen(hub, place, outcome):
    return metric(hub, "holdfast_serve_guardrails_total", place=place, outcome=outcome)


def test_words_are_refused_before_a_model_runs_and_held_back_after(hub, endpoint):
    asked = metric(hub, "holdfast_serve_items_total")
    guard(hub, endpoint, {"place": "before", "words": ["harbour master"]})
    refused = ask(hub, endpoint, f"Call the HARBOUR-master! {SAID}")
    assert refused.status == 403 and refused.json()["error"]["code"] == "policy_refused", refused.body
    assert "guardrail 1" in refused.json()["error"]["message"] and SAID not in refused.body.decode()
    assert metric(hub, "holdfast_serve_items_total") == asked, "a model was asked"
    for path, body in (("generate", {"inputs": "harbour master"}), ("completion", {"prompt": "harbour master", "n_predict": 1}),
                       ("v1/completions", {"prompt": ["x", "harbour master"], "max_tokens": 1}), ("v1/completions", {"prompt": [1, 2, 3], "max_tokens": 1}),
                       ("v1/chat/completions", {"messages": [{"role": "system", "content": "harbour master"}, {"role": "user", "content": "x"}]}),
                       ("v1/responses", {"input": "harbour master"}), ("vertex", {"instances": ["x", {"inputs": "harbour master"}]})):
        assert hub.http("POST", f"/endpoints/{endpoint}/{path}", hub.ada, body).status == 403, (path, body)
    by_name = openai.OpenAI(base_url=hub.url + "/v1", api_key=hub.ada)
    with pytest.raises(openai.PermissionDeniedError):
        by_name.chat.completions.create(model=endpoint, messages=[{"role": "user", "content": "harbour master"}])
    assert ask(hub, endpoint, "the sea").status == 200 and (seen(hub, "before", "refused"), seen(hub, "before", "failed")) == (8, 1)


def test_an_answer_is_held_back_or_flagged(hub):
    engine, endpoint = attach(hub, says("The ferry is forbidden today"))
    asked_as_root = lambda **more: ask(hub, endpoint, "the sea", **more)
    guard(hub, endpoint, {"place": "after", "words": ["Forbidden"]})
    held = asked_as_root()
    assert held.status == 403 and "held back by guardrail 1" in held.json()["error"]["message"] and b"ferry" not in held.body
    guard(hub, endpoint, {"place": "after", "words": ["forbidden"], "then": "flag"}, {"place": "after", "words": ["absent"]})
    flagged = asked_as_root()
    assert flagged.status == 200 and flagged.headers["X-Holdfast-Guardrails"] == "1 after words"
    assert seen(hub, "after", "refused") == 1 and seen(hub, "after", "flagged") == 1 and seen(hub, "after", "passed") == 1
    engine.whole = says("The ferry goes")
    assert "X-Holdfast-Guardrails" not in asked_as_root().headers


def events_of(answer):
    """The data of a stream's events, as JSON where they are."""
    assert answer.status == 200, answer.body
    lines = [line[6:] for line in answer.body.decode().splitlines() if line.startswith("data: ")]
    return [line if line == "[DONE]" else json.loads(line) for line in lines]


def test_a_clean_stream_arrives_byte_for_byte_and_a_word_in_it_ends_it(hub):
    engine, endpoint = attach(hub, None)
    # A word begins like a forbidden one, and a text of writing without spaces does.
    engine.says = ["The fer", "ry is for", "ever ", "late", " to the bl", "ack", "bird", ".\n", "禁", "煙 ", "naïve 🦦"]
    streams = lambda **more: ask(hub, endpoint, "the sea", stream=True, user="endless", max_tokens=0, **more)
    plain = streams()
    stages = [{"place": "after", "words": ["forbidden", "black market", "禁止"]}, {"place": "after", "secrets": True}]
    guard(hub, endpoint, *stages)
    guarded = streams()
    assert guarded.status == 200 and guarded.body == plain.body and "content_filter" not in guarded.body.decode()
    passed, refused = seen(hub, "after", "passed"), seen(hub, "after", "refused")
    key = "AKIA" + "Q3EGRIVZ7T5XKPWM"
    for texts, kept, leaked in ((["Go to the ", "bla", "ck\n--", "mar", "ket now"], "Go to the ", "bla"), (["今日は", "禁", "止です"], "今日は", "禁"),
                                (["the key is ", key[:7], key[7:], " keep it"], "the key is ", key[:6])):
        engine.says = texts
        with openai.OpenAI(base_url=f"{hub.url}/endpoints/{endpoint}/v1", api_key=hub.ada) as client:
            chunks = list(client.chat.completions.create(model="m", messages=[{"role": "user", "content": "x"}], stream=True, max_tokens=0, user="endless"))
        text = "".join(one.choices[0].delta.content or "" for one in chunks if one.choices)
        assert text == kept and chunks[-1].choices[0].finish_reason == "content_filter", (text, chunks[-1])
        assert leaked not in "".join(one.model_dump_json() for one in chunks)
    assert seen(hub, "after", "refused") == refused + 3 and seen(hub, "after", "passed") == passed
    # An engine that goes on is left as soon as something is found.
    engine.says, engine.left = ["forbidden "], threading.Event()
    assert events_of(ask(hub, endpoint, "x", stream=True, user="endless", max_tokens=100000))[-1] == "[DONE]"
    assert engine.left.wait(10)


def doors(model):
    """Each door that streams: the address, the body, how a whole answer and an event say the text."""
    chat = [{"role": "user", "content": "Once upon a time"}]
    return {
        "chat": ("v1/chat/completions", {"messages": chat, "max_tokens": 24, "stream_options": {"include_usage": True}},
                 lambda e: "".join(c["delta"].get("content") or "" for c in e.get("choices", []))),
        "completions": ("v1/completions", {"prompt": "Once upon a time", "max_tokens": 24, "logprobs": 2, "stream_options": {"include_usage": True}},
                        lambda e: "".join(c["text"] for c in e.get("choices", []))),
        "responses": ("v1/responses", {"input": "Once upon a time", "max_output_tokens": 24}, lambda e: e.get("delta", "")),
        "tgi": ("generate_stream", {"inputs": "Once upon a time", "parameters": {"max_new_tokens": 24}}, lambda e: e.get("token", {}).get("text", "")),
        "llama": ("completion", {"prompt": "Once upon a time", "n_predict": 24}, lambda e: e.get("content", ""))}


def a_word_of(text):
    """A word that the guardrails take for one, of a model that writes anything, and what stands before it."""
    words = [found for found in re.finditer(r"[^\x00-/:-@\[-`{-\x7f]+", text) if found[0].isascii()]
    first = max(words, key=lambda found: len(found[0]))
    return first[0], text[:first.start()]


def usage_of(events):
    for event in reversed([one for one in events if isinstance(one, dict)]):
        usage = event.get("usage") or event.get("response", {}).get("usage")
        if usage:
            return usage.get("prompt_tokens", usage.get("input_tokens")), usage.get("completion_tokens", usage.get("output_tokens"))


@pytest.mark.parametrize("door", ["chat", "completions", "responses", "tgi", "llama"])
def test_every_door_streams_what_is_clean_and_ends_in_its_own_way(hub, endpoint, door):
    path, body, text_of = doors(endpoint)[door]
    asked = lambda: hub.http("POST", f"/endpoints/{endpoint}/{path}", hub.ada, {**body, "stream": True, **({"temperature": 0} if door != "tgi" else {})},
                             {"Cache-Control": "no-store"})
    without = events_of(asked())
    text = "".join(text_of(one) for one in without if isinstance(one, dict))
    guard(hub, endpoint, {"place": "after", "words": ["nowhere in this text"]}, {"place": "after", "secrets": True})
    events = events_of(asked())
    assert "".join(text_of(one) for one in events if isinstance(one, dict)) == text and len(events) == len(without)
    assert usage_of(events) == usage_of(without)
    word, before = a_word_of(text)
    guard(hub, endpoint, {"place": "after", "words": [word]})
    events = events_of(asked())
    said = "".join(text_of(one) for one in events if isinstance(one, dict))
    assert before.startswith(said), (said, before)
    if door in ("chat", "completions"):
        ended = [c["finish_reason"] for one in events if isinstance(one, dict) for c in one["choices"] if c["finish_reason"]]
        assert ended == ["content_filter"] and events[-1] == "[DONE]"
    elif door == "responses":
        last = events[-1]
        assert last["type"] == "response.incomplete" and last["response"]["incomplete_details"] == {"reason": "content_filter"}
        told = "".join(part["text"] for item in last["response"]["output"] for part in item["content"])
        assert told == said and [one["sequence_number"] for one in events] == list(range(len(events)))
    else:
        error = events[-1]["error"]
        assert "held back by guardrail 1" in (error if door == "tgi" else error["message"]) and word not in json.dumps(events[-1]).split("(")[0]
    if door in ("chat", "completions", "responses"):
        prompt, written = usage_of(events)
        assert prompt == usage_of(without)[0] and 1 <= written <= usage_of(without)[1]


def test_a_stream_that_was_cut_is_counted_with_its_prompt(hub, endpoint):
    path, body, text_of = doors(endpoint)["chat"]
    used = lambda: hub.http("GET", "/api/quotas/user/bea", hub.bea).json()["limits"]["tokens_day"]["used"]
    assert hub.http("PUT", "/api/quotas/user/bea", hub.root, {"tokens_day": 1_000_000}).status == 200
    asked = lambda: events_of(hub.http("POST", f"/endpoints/{endpoint}/{path}", hub.bea, {**body, "stream": True, "temperature": 0}, {"Cache-Control": "no-store"}))
    without = asked()
    whole = used()
    assert whole == sum(usage_of(without))
    guard(hub, endpoint, {"place": "after", "words": [a_word_of("".join(text_of(one) for one in without if isinstance(one, dict)))[0]]})
    cut = usage_of(asked())
    deadline = time.monotonic() + 10
    while used() == whole and time.monotonic() < deadline:
        time.sleep(0.02)
    assert cut[0] == usage_of(without)[0] and used() - whole == sum(cut)


def test_what_other_clients_make_of_a_stream_that_was_cut(hub, endpoint):
    text = hub.http("POST", f"/endpoints/{endpoint}/generate", hub.ada, {"inputs": "Once upon a time", "parameters": {"max_new_tokens": 24}}).json()["generated_text"]
    guard(hub, endpoint, {"place": "after", "words": [a_word_of(text)[0]]})
    client = InferenceClient(base_url=f"{hub.url}/endpoints/{endpoint}", api_key=hub.ada)
    with pytest.raises(Exception, match="held back by guardrail 1"):
        list(client.text_generation("Once upon a time", stream=True, details=True, max_new_tokens=24))
    with openai.OpenAI(base_url=f"{hub.url}/endpoints/{endpoint}/v1", api_key=hub.ada) as client:
        events = list(client.responses.create(model=endpoint, input="Once upon a time", stream=True, max_output_tokens=24, temperature=0))
        last = events[-1]
        guard(hub, endpoint)
        assert client.responses.create(model=endpoint, input="Once upon a time", max_output_tokens=24, temperature=0).status in ("completed", "incomplete")
    assert last.type in ("response.incomplete", "response.completed")


def test_a_model_that_looks_at_a_stream_is_asked_on_the_way_and_before_its_end(hub):
    judge, judging = attach(hub, {"results": [{"flagged": False, "categories": {}, "category_scores": {}}]})
    engine, endpoint = attach(hub, None)
    sentence = "This is a sentence of a text that goes on for quite a while, until it ends here at last. "
    engine.says = [piece for _ in range(6) for piece in (sentence[:40], sentence[40:])]
    stage = {"place": "after", "endpoint": judging, "ask": "moderations", "timeout_ms": 2000}
    streams = lambda: ask(hub, endpoint, "the sea", stream=True, user="endless", max_tokens=0)
    plain = streams()
    guard(hub, endpoint, stage)
    assert streams().body == plain.body
    looked = ["".join(one[2]["input"]) for one in judge.seen]
    assert looked[-1] == sentence * 6 and all((sentence * 6).startswith(one) for one in looked)
    judge.whole = {"results": [{"flagged": True, "categories": {}, "category_scores": {"hate": 0.9}}]}
    refused = events_of(streams())
    assert [c["finish_reason"] for one in refused[:-1] for c in one["choices"] if c["finish_reason"]] == ["content_filter"]
    assert "sentence" not in json.dumps(refused), "it went out before it was looked at"
    for failing, status in (("closed", 500), ("open", 500)):
        judge.status = status
        guard(hub, endpoint, {**stage, "failing": failing})
        answer = streams()
        if failing == "open":
            assert answer.body == plain.body
            continue
        events = events_of(answer)
        assert "could not look" in events[-1]["error"]["message"] and "sentence" not in answer.body.decode().replace("could not look", "")
    judge.status = 200
    guard(hub, endpoint, {**stage, "then": "flag"})
    flagged = streams().body
    assert flagged.startswith(plain.body) and flagged[len(plain.body):].decode() == ": X-Holdfast-Guardrails: 1 after flagged\n\n"


def test_a_secret_is_held_back(hub, endpoint):
    guard(hub, endpoint, {"place": "before", "secrets": True})
    key = "AKIA" + "Q3EGRIVZ7T5XKPWM"
    assert ask(hub, endpoint, f"deploy with aws_access_key_id = {key}").status == 403
    assert ask(hub, endpoint, "deploy with care").status == 200


def test_another_endpoints_model_says_what_is_let_in(hub, endpoint):
    scores = {one["label"]: one["score"] for one in hub.http("POST", "/endpoints/ada/guarding/predict", hub.ada, {"inputs": [["the sea"]]}).json()[0]}
    best = max(scores, key=scores.get)
    kept = guard(hub, endpoint, {"endpoint": "ada/guarding", "allow": [best], "timeout_ms": 20000})
    assert kept == [{"place": "before", "endpoint": "ada/guarding", "ask": "labels", "allow": [best], "threshold": 0.5, "timeout_ms": 20000, "then": "refuse", "failing": "closed"}]
    assert ask(hub, endpoint, "the sea").status == 200
    line = next(json.loads(line) for line in reversed(hub.log_path.read_text().splitlines()) if '"model_request"' in line and WRITER in line)
    stages = [line[name] for name in ("queue_ms", "load_ms", "tokenize_ms", "model_ms", "post_ms", "guard_ms")]
    assert line["guard_ms"] > 0 and sum(stages) == pytest.approx(line["duration_ms"], rel=0.05)
    assert metric(hub, "holdfast_serve_stage_duration_seconds_sum", stage="guard") > 0
    for stage, status in (({"allow": [label for label in scores if label != best]}, 403), ({"labels": [best], "threshold": scores[best] * 0.99}, 403),
                          ({"labels": [best], "threshold": min(1, scores[best] * 1.01)}, 200)):
        guard(hub, endpoint, {"endpoint": "ada/guarding", "timeout_ms": 20000, **stage})
        assert ask(hub, endpoint, "the sea").status == status, stage
    # Who may not see an endpoint does not have it asked.
    mine = hub.http("POST", "/api/endpoints/bea", hub.bea, {"name": "own", "model": WRITER})
    HfApi(endpoint=hub.url, token=hub.ada).update_repo_settings(LABELS, private=True)
    assert mine.status == 201
    assert hub.http("PUT", "/api/endpoints/bea/own/guardrails", hub.bea, {"guardrails": [{"endpoint": "ada/guarding", "labels": ["NEG"]}]}).status == 404
    assert hub.http("PUT", f"/api/endpoints/{endpoint}/guardrails", hub.bea, {"guardrails": []}).status in (403, 404)
    HfApi(endpoint=hub.url, token=hub.ada).update_repo_settings(LABELS, private=False)


def test_one_that_cannot_look_closes_or_opens_as_it_is_told(hub, endpoint):
    engine, slow = attach(hub, {"results": [{"flagged": False, "categories": {}, "category_scores": {"hate": 0.1}}]})
    stage = {"place": "after", "endpoint": slow, "ask": "moderations", "timeout_ms": 300}
    assert hub.http("PUT", f"/api/endpoints/{endpoint}/guardrails", hub.ada, {"guardrails": [stage]}).status == 200
    assert ask(hub, endpoint, "the sea").status == 200
    assert engine.seen[-1][0] == "/v1/moderations" and len(engine.seen[-1][2]["input"]) == 1
    failed = seen(hub, "after", "failed")
    for status, pause in ((500, 0), (200, 1.0)):
        engine.status, engine.pause_seconds = status, pause
        guard(hub, endpoint, stage)
        closed = ask(hub, endpoint, "the sea")
        assert closed.status == 502 and "could not look" in closed.json()["error"]["message"], closed.body
        guard(hub, endpoint, {**stage, "failing": "open"})
        assert ask(hub, endpoint, "the sea").status == 200
    assert seen(hub, "after", "failed") == failed + 4
    engine.status, engine.pause_seconds = 200, 0
    engine.whole = {"results": [{"flagged": True, "categories": {}, "category_scores": {"hate": 0.9}}]}
    assert ask(hub, endpoint, "the sea").status == 403


def test_what_stands_in_for_an_endpoint_is_held_to_its_guardrails(hub):
    engine, endpoint = attach(hub, says("x"))
    _, other = attach(hub, says("something forbidden"))
    engine.status = 500
    assert hub.http("PUT", f"/api/endpoints/{endpoint}/fallback", hub.root, {"steps": [{"endpoint": other}]}).status == 200
    said = ask(hub, endpoint, "the sea")
    assert said.status == 200 and said.headers["X-Holdfast-Fallback"] == f"endpoint {other}"
    guard(hub, endpoint, {"place": "after", "words": ["forbidden"]})
    assert ask(hub, endpoint, "the sea").status == 500  # Its own failure: what stood in for it may not be said.
    guard(hub, endpoint, {"words": ["sea"]})
    assert ask(hub, endpoint, "the sea").status == 403
    guard(hub, endpoint)
    guard(hub, other, {"words": ["sea"]})
    assert ask(hub, endpoint, "the sea").status == 500 and ask(hub, endpoint, "a lake").status == 200


def test_nothing_that_was_said_is_in_the_log(hub):
    assert SAID not in hub.log_path.read_text() and "harbour" not in hub.log_path.read_text().lower()


def test_the_command_line_sets_shows_and_ends_them(hub, endpoint, tmp_path):
    file = tmp_path / "guardrails.yaml"
    file.write_text("guardrails:\n  - place: before\n    words: [lighthouse]\n  - place: after\n    secrets: true\n    then: flag\n")
    said = lambda *words: subprocess.run([program(), "endpoint", "guardrails", endpoint, *words, "--endpoint", hub.url, "--token", hub.ada], capture_output=True, text=True)
    assert said("--file", str(file)).returncode == 0
    shown = [json.loads(line) for line in said().stdout.splitlines()]
    assert [one["place"] for one in shown] == ["before", "after"] and shown[0]["words"] == ["lighthouse"] and shown[1]["then"] == "flag"
    assert ask(hub, endpoint, "the lighthouse").status == 403
    assert said("none").returncode == 0 and said().stdout == "" and ask(hub, endpoint, "the lighthouse").status == 200
    file.write_text("guardrails:\n  - words: [x]\n    then: shout\n")
    wrong = said("--file", str(file))
    assert wrong.returncode != 0 and "'then' is refuse or flag" in wrong.stderr
