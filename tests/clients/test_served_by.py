"""Who answered: every door of models that write, label and embed says it in the head of its answer, whole, streamed or refused."""
import json
import os
import re
import time
from pathlib import Path

import pytest
from huggingface_hub import HfApi

WRITER, LABELS, VECTORS = "ada/by-writer", "ada/by-labels", "ada/by-vectors"
CHAT = [{"role": "user", "content": "the sea"}]
TENSOR = {"inputs": [{"name": "text", "datatype": "BYTES", "shape": [1], "data": ["the sea"]}]}
WRITING = [("/v1/chat/completions", {"model": WRITER, "messages": CHAT, "max_tokens": 2}), ("/v1/completions", {"model": WRITER, "prompt": "the sea", "max_tokens": 2}),
           ("/v1/responses", {"model": WRITER, "input": "the sea", "max_output_tokens": 16}), (f"/models/{WRITER}/v1/chat/completions", {"messages": CHAT, "max_tokens": 2}),
           (f"/models/{WRITER}", {"inputs": "the sea", "parameters": {"max_new_tokens": 2}}), (f"/models/{WRITER}/generate", {"inputs": "the sea", "parameters": {"max_new_tokens": 2}}),
           (f"/models/{WRITER}/invocations", {"inputs": "the sea", "parameters": {"max_new_tokens": 2}}), (f"/models/{WRITER}/completion", {"prompt": "the sea", "n_predict": 2}),
           (f"/hf-inference/models/{WRITER}/v1/chat/completions", {"messages": CHAT, "max_tokens": 2})]
STREAMING = [("/v1/chat/completions", {"model": WRITER, "messages": CHAT, "max_tokens": 2, "stream": True}), ("/v1/responses", {"model": WRITER, "input": "a", "max_output_tokens": 16, "stream": True}),
             ("/v1/completions", {"model": WRITER, "prompt": "the sea", "max_tokens": 2, "stream": True}), (f"/models/{WRITER}/completion", {"prompt": "the sea", "n_predict": 2, "stream": True}),
             (f"/models/{WRITER}/generate_stream", {"inputs": "the sea", "parameters": {"max_new_tokens": 2}})]
READING = [(f"/models/{LABELS}", {"inputs": "the sea"}), (f"/models/{LABELS}/predict", {"inputs": "the sea"}), (f"/models/{LABELS}/pipeline/text-classification", {"inputs": "the sea"}),
           (f"/v2/models/{LABELS}/infer", TENSOR), (f"/models/{LABELS}/v2/models/x/infer", TENSOR), ("/v1/embeddings", {"model": VECTORS, "input": "the sea"}),
           (f"/models/{VECTORS}/embed", {"inputs": "the sea"}), (f"/models/{VECTORS}/embed_all", {"inputs": "the sea"}), (f"/models/{VECTORS}/embedding", {"content": "the sea"}),
           (f"/v2/models/{VECTORS}/infer", TENSOR), (f"/models/{VECTORS}/vertex", {"instances": [{"inputs": "the sea"}]})]
REFUSED = [("/v1/chat/completions", {"model": WRITER, "messages": CHAT, "temperature": 9}), (f"/models/{WRITER}/generate", {"inputs": ""}),
           (f"/models/{VECTORS}/predict", {"inputs": "the sea"}), (f"/models/{LABELS}/pipeline/fill-mask", {"inputs": "the sea"}), ("/v1/embeddings", {"model": VECTORS, "input": ""})]


@pytest.fixture(scope="module")
def commits():
    data = Path(os.environ.get("HOLDFAST_SHARED") or Path(__file__).resolve().parents[3] / "shared") / "data/models/pipelines"
    if not data.is_dir():
        pytest.skip(f"SKIPPED: no reference data at {data}; set HOLDFAST_SHARED")
    api, found = HfApi(), {}
    for name, task in ((WRITER, "text-generation"), (LABELS, "text-classification"), (VECTORS, "feature-extraction")):
        api.create_repo(name, exist_ok=True)
        api.upload_folder(repo_id=name, folder_path=data / task)
        found[name] = api.model_info(name).sha
    return found


def model_of(path, body):
    return next(name for name in (WRITER, LABELS, VECTORS) if name in path or name == body.get("model"))


@pytest.mark.parametrize("path, body, good", [(*one, True) for one in WRITING + STREAMING + READING] + [(*one, False) for one in REFUSED])
def test_the_head_says_who_answered(commits, server, tokens, path, body, good):
    answer, name = server.http("POST", path, tokens["ada"], body), model_of(path, body)
    assert (answer.status == 200) == good, (answer.status, answer.body[:300])
    told = answer.headers
    assert (told["X-Model-Id"], told["X-Model-Revision"], told["X-Deployment"]) == (name, commits[name], "on-demand"), (path, dict(told))
    assert re.fullmatch(r"[0-9a-f]{64}", told["X-Tokenizer-Digest"]) and told["X-Holdfast-Runtime"].startswith("holdfast ")
    assert told["X-Request-Id"] and re.fullmatch(r"00-[0-9a-f]{32}-[0-9a-f]{16}-0[01]", told["traceparent"])
    assert ("X-Holdfast-Seed" in told) == ((path, body) in WRITING), "whole answers that a model wrote say their seed"


@pytest.mark.parametrize("stream", [False, True])
def test_a_drawn_seed_is_told_and_gives_the_same_text_again(commits, server, tokens, stream):
    body = {"model": WRITER, "messages": CHAT, "max_tokens": 16, "temperature": 1.5}

    def text_of(more):
        return server.http("POST", "/v1/chat/completions", tokens["ada"], {**body, **more})

    def logged(request):
        until = time.monotonic() + 20
        while True:  # A line comes after its answer.
            lines = [json.loads(line) for line in server.log_path.read_text().splitlines() if '"model_request"' in line and request in line]
            if lines or time.monotonic() > until:
                return lines
            time.sleep(0.2)

    first = text_of({"stream": stream})
    lines = logged(first.headers["X-Request-Id"])
    assert len(lines) == 1 and re.fullmatch(r"[0-9]+", lines[0]["seed"]), lines
    if stream:
        pieces = [json.loads(line[6:]) for line in first.body.decode().splitlines() if line.startswith("data: {")]
        written = "".join(choice["delta"].get("content") or "" for piece in pieces for choice in piece["choices"])
    else:
        assert first.headers["X-Holdfast-Seed"] == lines[0]["seed"]
        written = first.json()["choices"][0]["message"]["content"]
    for _ in range(2):
        again = text_of({"seed": int(lines[0]["seed"])})
        assert again.headers["X-Holdfast-Seed"] == lines[0]["seed"] and again.json()["choices"][0]["message"]["content"] == written
