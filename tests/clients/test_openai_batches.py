"""The openai client's files and batches: handed in, run by the server, killed in the middle, cancelled, owner's alone."""
import json
import time

import openai
import pytest

from holdfast_server import HoldfastServer
from test_inference_client import hosted  # noqa: F401 - a fixture

WAIT_SECONDS = 120


@pytest.fixture
def client(server, tokens):
    return openai.OpenAI(base_url=server.url + "/v1", api_key=tokens["ada"], max_retries=0, timeout=120)


@pytest.fixture
def stranger(server, tokens):
    return openai.OpenAI(base_url=server.url + "/v1", api_key=tokens["bea"], max_retries=0, timeout=120)


def jsonl(lines):
    return "".join(json.dumps(line) + "\n" for line in lines).encode()


def ask(number, url, **body):
    return {"custom_id": f"r{number}", "method": "POST", "url": url, "body": body}


def hand_in(client, lines, url):
    file = client.files.create(file=("in.jsonl", jsonl(lines)), purpose="batch")
    return client.batches.create(input_file_id=file.id, endpoint=url, completion_window="24h", metadata={"for": "test"})


def waited(client, batch, states=("completed", "failed", "expired", "cancelled")):
    deadline = time.monotonic() + WAIT_SECONDS
    while (batch := client.batches.retrieve(batch.id)).status not in states:
        assert time.monotonic() < deadline, batch
        time.sleep(0.05)
    return batch


def lines_of(client, file_id):
    return [json.loads(line) for line in client.files.content(file_id).text.splitlines()]


def test_a_file_comes_back_as_it_was(client, stranger):
    content = jsonl([{"custom_id": "é", "n": 1}])
    file = client.files.create(file=("in.jsonl", content), purpose="batch")
    assert (file.object, file.bytes, file.filename, file.purpose, file.status) == ("file", len(content), "in.jsonl", "batch", "processed")
    assert client.files.retrieve(file.id) == file and client.files.content(file.id).content == content
    assert file.id in [one.id for one in client.files.list()] and file.id not in [one.id for one in stranger.files.list()]
    for refused in (stranger.files.retrieve, stranger.files.content, stranger.files.delete):
        with pytest.raises(openai.NotFoundError) as missing:
            refused(file.id)
        assert set(missing.value.body) == {"message", "type", "param", "code"}
    assert client.files.delete(file.id).deleted
    with pytest.raises(openai.NotFoundError):
        client.files.retrieve(file.id)
    with pytest.raises(openai.BadRequestError) as refused:
        client.files.create(file=("in.jsonl", b""), purpose="fine-tune")
    assert refused.value.param == "purpose"


def test_a_batch_is_what_each_request_alone_is(shared, hosted, client, stranger):
    model = hosted(shared / "models/pipelines/text-generation")
    prompts = [f"The quick brown {word}" for word in ("fox", "dog", "cat", "cow", "hen")]
    url = "/v1/completions"
    lines = [ask(i, url, model=model, prompt=prompt, max_tokens=6, temperature=0) for i, prompt in enumerate(prompts)]
    lines.append(ask(5, url, model=model, prompt="x", temperature=9))
    lines.append(ask(6, url, model="ada/nothing", prompt="x"))
    batch = hand_in(client, lines, url)
    assert batch.object == "batch" and batch.completion_window == "24h" and batch.metadata == {"for": "test"}
    done = waited(client, batch)
    counts = done.request_counts
    assert done.status == "completed" and (counts.total, counts.completed, counts.failed) == (7, 5, 2) and done.completed_at >= done.created_at
    answers = {one["custom_id"]: one for one in lines_of(client, done.output_file_id)}
    assert list(answers) == [f"r{i}" for i in range(5)]
    # What it cost: the workers' time at the operator's price, and the tokens that the answers say.
    used = [one["response"]["body"]["usage"] for one in answers.values()]
    assert (done.usage.input_tokens, done.usage.output_tokens) == tuple(sum(each[key] for each in used) for key in ("prompt_tokens", "completion_tokens"))
    told = done.model_extra["holdfast"]
    assert 0 < told["worker_seconds"] and abs(told["cost"] - told["worker_seconds"] * 0.05 / 3600) < 1e-8 and told["cost_expected"] == told["cost"]
    assert told["seconds_left"] == 0 and told["requests_per_second"] > 0
    for i, prompt in enumerate(prompts):
        alone = client.completions.create(model=model, prompt=prompt, max_tokens=6, temperature=0)
        assert answers[f"r{i}"]["response"]["status_code"] == 200 and answers[f"r{i}"]["error"] is None
        assert answers[f"r{i}"]["response"]["body"]["choices"][0]["text"] == alone.choices[0].text
    failures = lines_of(client, done.error_file_id)
    assert [(one["response"]["status_code"], one["response"]["body"]["error"]["param"]) for one in failures] == [(400, "temperature"), (404, "model")]
    assert client.files.retrieve(done.output_file_id).purpose == "batch_output"
    assert done.id in [one.id for one in client.batches.list()] and not list(stranger.batches.list())
    for refused in (stranger.batches.retrieve, stranger.batches.cancel):
        with pytest.raises(openai.NotFoundError):
            refused(done.id)
    with pytest.raises(openai.NotFoundError):
        stranger.files.content(done.output_file_id)
    with pytest.raises(openai.ConflictError):
        client.batches.cancel(done.id)


def test_what_is_wrong_is_said_before_anything_is_asked(client):
    url = "/v1/embeddings"
    failed = waited(client, hand_in(client, [ask(1, url, model="ada/x", input="x"), ask(1, url, model="ada/x", input="x"), ask(2, "/v1/completions", model="ada/x")], url))
    assert failed.status == "failed" and failed.output_file_id is None
    assert [(error.line, error.code) for error in failed.errors.data] == [(2, "duplicate_custom_id"), (3, "invalid_request")]
    file = client.files.create(file=("in.jsonl", jsonl([{}])), purpose="batch")
    for bad, param in (({"endpoint": "/v1/files"}, "endpoint"), ({"completion_window": "1h"}, "completion_window")):
        with pytest.raises(openai.BadRequestError) as refused:
            client.batches.create(**{"input_file_id": file.id, "endpoint": url, "completion_window": "24h", **bad})
        assert refused.value.param == param
    with pytest.raises(openai.NotFoundError):
        client.batches.create(input_file_id="file-none", endpoint=url, completion_window="24h")


def test_a_killed_server_goes_on_without_loss_or_duplicate(shared):
    """Killed several times while it runs; every embedding is there once, and the one that the request alone has."""
    from huggingface_hub import HfApi
    server = HoldfastServer().start()
    try:
        server.create_user("ada")
        token = server.create_token("ada")
        api = HfApi(endpoint=server.url, token=token)
        api.create_repo("ada/pooled")
        api.upload_folder(repo_id="ada/pooled", folder_path=shared / "models/pipelines/feature-extraction")
        address, count = "/models/ada/pooled", 240
        client = openai.OpenAI(base_url=server.url + "/v1", api_key=token, max_retries=0)
        batch = hand_in(client, [ask(i, address, inputs=f"text number {i}") for i in range(count)], address)
        port = int(server.url.rsplit(":", 1)[1])
        for least in (1, 60, 120):
            deadline = time.monotonic() + WAIT_SECONDS
            while (state := client.batches.retrieve(batch.id)).request_counts.completed < least and state.status != "completed":
                assert time.monotonic() < deadline, state
            server.kill()
            server.restart(port)
        done = waited(client, batch)
        assert done.status == "completed" and done.request_counts.completed == count
        answers = lines_of(client, done.output_file_id)
        assert [one["custom_id"] for one in answers] == [f"r{i}" for i in range(count)]
        for number in (0, count - 1):
            alone = server.http("POST", address, token, {"inputs": f"text number {number}"}).json()
            assert answers[number]["response"]["body"] == alone
        server.stop()
    finally:
        server.kill()
        server.remove()


def test_a_cancelled_one_keeps_what_was_answered(shared, hosted, client):
    model = hosted(shared / "models/pipelines/text-generation")
    url = "/v1/completions"
    batch = hand_in(client, [ask(i, url, model=model, prompt=f"Number {i}", max_tokens=200, extra=None) for i in range(2000)], url)
    client.batches.cancel(batch.id)
    done = waited(client, batch)
    assert done.status == "cancelled" and done.cancelled_at >= done.cancelling_at
    counts = done.request_counts
    assert counts.completed + counts.failed < 2000
    if done.output_file_id:
        assert len(lines_of(client, done.output_file_id)) == counts.completed


def test_a_data_set_becomes_predictions_once_however_often_it_is_killed(shared, api, hosted, server, tokens, tmp_path):
    """`holdfast batch run`: killed twice and run again: rows in are rows out, and a further run makes no other revision."""
    import os
    import signal
    import subprocess

    from holdfast_server import program
    model = hosted(shared / "models/pipelines/text-classification")
    long = os.environ.get("HOLDFAST_LONG") == "1"
    count, patience = (10_000, 1200) if long else (400, WAIT_SECONDS)
    api.create_repo("ada/rows", repo_type="dataset", exist_ok=True)
    api.upload_file(repo_id="ada/rows", repo_type="dataset", path_in_repo="test.jsonl",
                    path_or_fileobj="".join(json.dumps({"id": f"n{i}", "text": f"row number {i}"}) + "\n" for i in range(count)).encode())
    words = [program(), "batch", "run", "ada/rows@main", "--model", model, "--to", "ada/predicted", "--json", "--parameters", '{"top_k": 1}']
    environment = {**os.environ, "HF_ENDPOINT": server.url, "HF_TOKEN": tokens["ada"], "HF_HOME": str(tmp_path)}
    client = openai.OpenAI(base_url=server.url + "/v1", api_key=tokens["ada"], max_retries=0)

    def ours():
        return [batch for batch in client.batches.list(limit=100) if (batch.metadata or {}).get("key") and batch.endpoint == f"/models/{model}"]

    for least in (1, count // 2, count * 9 // 10) if long else (1, count // 2):
        run = subprocess.Popen(words, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        deadline = time.monotonic() + patience
        while not ours() or (ours()[0].request_counts.completed < least and ours()[0].status != "completed"):
            assert run.poll() is None and time.monotonic() < deadline
            time.sleep(0.02)
        run.send_signal(signal.SIGKILL)
        run.wait()

    def finish():
        done = subprocess.run(words, env=environment, capture_output=True, text=True, timeout=patience)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    told = finish()
    assert (told["dataset"], told["rows"], told["failed"]) == ("ada/predicted", count, 0) and len(ours()) == 1
    from huggingface_hub import hf_hub_download
    lines = [json.loads(line) for line in open(hf_hub_download("ada/predicted", "predictions.jsonl", repo_type="dataset", revision=told["commit"]))]
    assert [(line["row"], line["id"], line["text"]) for line in lines] == [(i, f"n{i}", f"row number {i}") for i in range(count)]
    assert all(line["error"] is None and line["prediction"] for line in lines)
    again = finish()
    assert again["commit"] == told["commit"] and again["how"] == "was there already" and len(ours()) == 1
