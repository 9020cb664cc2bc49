"""huggingface_hub's InferenceClient on every task that a hosted model can do, against the reference answers of transformers' pipelines."""
import json
import struct

import pytest
from huggingface_hub import HfApi, InferenceClient
from huggingface_hub.errors import HfHubHTTPError, ValidationError

QUESTION = "Where does Ada live?"
CONTEXT = "Ada lives in Paris. Bea lives in Rome."


@pytest.fixture(scope="module")
def hosted():
    """Uploads a tiny reference model under a name of its own, once."""
    known = {}

    def put(folder):
        if folder not in known:
            name = known[folder] = "ada/ic-" + folder.name + "-" + folder.parent.name.replace("_", "-")
            HfApi().create_repo(name, exist_ok=True)
            HfApi().upload_folder(repo_id=name, folder_path=folder)
        return known[folder]
    return put


@pytest.fixture
def ask(shared, hosted, server, tokens):
    def client(folder, suffix=""):
        return InferenceClient(base_url=f"{server.url}/models/{hosted(shared / 'models' / folder)}{suffix}", token=tokens["ada"], timeout=120)
    return client


def golden(shared, task):
    return json.loads((shared / "models/pipelines" / task / "golden.json").read_text())["cases"]


def test_text_generation_is_the_references(shared, ask):
    client = ask("pipelines/text-generation")
    for case in golden(shared, "text-generation"):
        if not isinstance(case["args"][0], str) or case["kwargs"].get("do_sample") or set(case["kwargs"]) - {"max_new_tokens", "do_sample"}:
            continue
        prompt, wanted = case["args"][0], case["output"][0]["generated_text"]
        whole = client.text_generation(prompt, max_new_tokens=case["kwargs"]["max_new_tokens"], return_full_text=True)
        assert whole == wanted
        new = client.text_generation(prompt, max_new_tokens=case["kwargs"]["max_new_tokens"])
        assert prompt + new == wanted
        assert "".join(client.text_generation(prompt, max_new_tokens=case["kwargs"]["max_new_tokens"], stream=True)) == new


def test_text_generation_tells_its_tokens(ask):
    client = ask("pipelines/text-generation")
    whole = client.text_generation("The quick brown", max_new_tokens=6, details=True, decoder_input_details=True, top_n_tokens=3)
    details = whole.details
    assert details.generated_tokens == 6 and details.finish_reason == "length" and details.seed is None
    assert len(details.tokens) == 6 and len(details.prefill) == 10 and details.prefill[0].logprob is None
    assert all(token.logprob <= 0 for token in details.tokens) and all(len(others) == 3 for others in details.top_tokens)
    assert [others[0]["id"] for others in details.top_tokens] == [token.id for token in details.tokens]
    events = list(client.text_generation("The quick brown", max_new_tokens=6, details=True, stream=True))
    assert [event.token.id for event in events] == [token.id for token in details.tokens]
    assert [event.index for event in events] == list(range(1, 7))
    assert all(event.generated_text is None for event in events[:-1]) and events[-1].generated_text == whole.generated_text
    assert events[-1].details.finish_reason == "length" and events[-1].details.input_length == 10
    sampled = [client.text_generation("The", max_new_tokens=8, seed=7, temperature=1.5, details=True) for _ in range(2)]
    assert sampled[0].generated_text == sampled[1].generated_text and sampled[0].details.seed == 7


def test_text_generation_stops_and_is_bound(ask):
    client = ask("pipelines/text-generation")
    bound = client.text_generation("Say", max_new_tokens=40, grammar={"type": "regex", "value": "one two three four"}, details=True)
    assert bound.generated_text == "one two three four" and bound.details.finish_reason == "eos_token"
    stopped = client.text_generation("Say", max_new_tokens=40, grammar={"type": "regex", "value": "one two three four"}, stop=["two"], details=True)
    assert stopped.generated_text == "one two" and stopped.details.finish_reason == "stop_sequence"
    parts = list(client.text_generation("Say", max_new_tokens=40, grammar={"type": "regex", "value": "one two three four"}, stop=["two"], stream=True))
    assert "".join(parts) == "one two"


@pytest.mark.parametrize("bad", [{"temperature": 0.0}, {"top_p": 1.0}, {"top_n_tokens": 6}, {"best_of": 2}, {"stop": ["a"] * 5}, {"truncate": 0}, {"repetition_penalty": 0.0},
                                 {"watermark": True}, {"adapter_id": "x"}, {"max_new_tokens": 0}, {"grammar": {"type": "json", "value": {"not": {}}}}])
def test_text_generation_refuses_as_its_server_does(ask, bad):
    with pytest.raises(ValidationError, match="^Input validation error: "):  # By the error_type of the body.
        ask("pipelines/text-generation").text_generation("The", details=True, **bad)


def test_chat(ask):
    client = ask("pipelines/text-generation")
    messages = [{"role": "user", "content": "Hi"}]
    whole = client.chat_completion(messages, max_tokens=5, temperature=0, logprobs=True, top_logprobs=2)
    assert whole.usage.completion_tokens == 5 and len(whole.choices[0].logprobs.content) == 5
    pieces = [chunk.choices[0].delta.content or "" for chunk in client.chat_completion(messages, max_tokens=5, temperature=0, stream=True)]
    assert "".join(pieces) == whole.choices[0].message.content


@pytest.mark.parametrize("case", [0, 1])
def test_fill_mask(shared, ask, case):
    wanted = golden(shared, "fill-mask")[case]
    if set(wanted["kwargs"]) - {"top_k", "targets"} or not isinstance(wanted["args"][0], str) or wanted["args"][0].count("[MASK]") != 1:
        pytest.skip("SKIPPED: not a call of this client")
    got = ask("pipelines/fill-mask").fill_mask(wanted["args"][0], **wanted["kwargs"])
    assert [one.token for one in got] == [one["token"] for one in wanted["output"]]
    assert [one.score for one in got] == pytest.approx([one["score"] for one in wanted["output"]], abs=1e-3)


def test_token_classification(shared, ask):
    client = ask("pipelines/token-classification")
    for wanted in golden(shared, "token-classification"):
        if set(wanted["kwargs"]) - {"aggregation_strategy"} or not isinstance(wanted["args"][0], str):
            continue
        got = client.token_classification(wanted["args"][0], aggregation_strategy=wanted["kwargs"].get("aggregation_strategy", "none"))
        assert [(one.start, one.end) for one in got] == [(one["start"], one["end"]) for one in wanted["output"]]
        assert [one.score for one in got] == pytest.approx([one["score"] for one in wanted["output"]], abs=1e-3)


def test_text_classification(shared, ask):
    wanted = golden(shared, "text-classification")[0]
    got = ask("pipelines/text-classification").text_classification(wanted["args"][0])
    assert (got[0].label, got[0].score) == (wanted["output"][0]["label"], pytest.approx(wanted["output"][0]["score"], abs=1e-3))


def test_zero_shot_classification(shared, ask):
    wanted = golden(shared, "zero-shot-classification")[0]
    got = ask("pipelines/zero-shot-classification").zero_shot_classification(wanted["args"][0], wanted["kwargs"]["candidate_labels"])
    assert [one.label for one in got] == wanted["output"]["labels"]
    assert [one.score for one in got] == pytest.approx(wanted["output"]["scores"], abs=1e-3)


def integers(path, name):
    """One tensor of int64 from a safetensors file."""
    data = path.read_bytes()
    size = struct.unpack("<Q", data[:8])[0]
    begin, end = json.loads(data[8:8 + size])[name]["data_offsets"]
    return list(struct.unpack(f"<{(end - begin) // 8}q", data[8 + size + begin:8 + size + end]))


def test_summarization_and_translation(shared, hosted, server, tokens, tmp_path):
    """An encoder-decoder model whose vocabulary is the words w0 to w119."""
    folder = shared / "models/t5/flan-gated-gelu"
    for name in ("config.json", "model.safetensors"):
        (tmp_path / name).write_bytes((folder / name).read_bytes())
    words = {f"w{i}": i for i in range(120)}
    (tmp_path / "tokenizer.json").write_text(json.dumps({
        "version": "1.0", "added_tokens": [], "pre_tokenizer": {"type": "WhitespaceSplit"},
        "model": {"type": "WordLevel", "vocab": words, "unk_token": "w3"}}))
    text, wanted = (" ".join(f"w{i}" for i in integers(folder / "golden.safetensors", f"greedy.{way}"))
                    for way in ("in.input_ids", "out.sequences"))
    wanted = wanted.split(" ", 1)[1]  # Less what every row begins with.
    name = hosted(tmp_path)

    def client(task):
        return InferenceClient(base_url=f"{server.url}/models/{name}/pipeline/{task}", token=tokens["ada"], timeout=120)
    settings = {"max_new_tokens": 20, "eos_token_id": 119}
    assert client("summarization").summarization(text, generate_parameters=settings).summary_text == wanted
    assert client("translation").translation(text, generate_parameters=settings).translation_text == wanted
    with pytest.raises(HfHubHTTPError, match="not for fill-mask"):
        client("fill-mask").fill_mask(text)
    with pytest.raises(HfHubHTTPError, match="does not write text|not supported|text-generation"):
        InferenceClient(base_url=f"{server.url}/models/{name}", token=tokens["ada"], timeout=120).chat_completion([{"role": "user", "content": "w5"}])
    with pytest.raises(HfHubHTTPError, match="no vectors"):
        InferenceClient(base_url=f"{server.url}/models/{name}/pipeline/feature-extraction", token=tokens["ada"], timeout=120).feature_extraction(text)


def test_sentence_similarity_and_features(server, tokens):
    from test_embeddings import MODEL, NAME
    HfApi().create_repo(NAME, exist_ok=True)
    HfApi().upload_folder(repo_id=NAME, folder_path=MODEL)
    client = InferenceClient(base_url=f"{server.url}/models/{NAME}", token=tokens["ada"], timeout=120)
    near, far = client.sentence_similarity("A cat", other_sentences=["A kitten", "The stock market"])
    assert near > far
    assert client.feature_extraction("A cat").shape[-1] == 384


def test_a_task_that_the_model_cannot_do_is_refused(ask):
    with pytest.raises(HfHubHTTPError) as refused:
        ask("pipelines/fill-mask", "/pipeline/question-answering").question_answering(QUESTION, CONTEXT)
    assert refused.value.response.status_code == 422 and refused.value.response.json()["error"]


def test_a_chat_is_tokenized_as_its_template_writes_it(shared, hosted, server, tokens):
    name = hosted(shared / "models" / "pipelines/text-generation")
    body = {"messages": [{"role": "user", "content": "Hi there"}]}
    told = server.http("POST", f"/models/{name}/chat_tokenize", tokens["ada"], body).json()
    asked = server.http("POST", f"/models/{name}/v1/chat/completions", tokens["ada"], {**body, "max_tokens": 1}).json()
    assert "Hi there" in told["templated_text"] and len(told["tokenize_response"]) == asked["usage"]["prompt_tokens"]
    assert set(told["tokenize_response"][0]) == {"id", "text", "start", "stop"}
    refused = server.http("POST", f"/models/{name}/chat_tokenize", tokens["ada"], {})
    assert refused.status == 422 and refused.json()["error_type"] == "validation"
