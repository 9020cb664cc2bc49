"""llama.cpp's server as its clients ask it: completion, props, slots, tokenize."""
import json

import pytest

from test_chat import NAME, model  # noqa: F401 - a fixture

PROMPT = "The capital of France is"


@pytest.fixture
def ask(model, server, tokens):
    def call(path, body=None, status=200):
        answer = server.http("GET" if body is None else "POST", f"/models/{NAME}{path}", tokens["ada"], body)
        assert answer.status == status, answer.body
        return answer if body and body.get("stream") else answer.json()
    return call


def test_completion_whole_and_streamed(ask):
    call = {"prompt": PROMPT, "n_predict": 6, "temperature": 0, "n_probs": 2, "return_tokens": True}
    whole = ask("/completion", call)
    assert whole["content"].startswith(" Paris") and whole["stop"] and whole["stop_type"] == "limit"
    assert (whole["tokens_predicted"], whole["tokens_evaluated"]) == (6, 5) and len(whole["tokens"]) == 6
    assert all(len(one["top_logprobs"]) == 2 for one in whole["completion_probabilities"]) and whole["generation_settings"]["temperature"] == 0
    events = [json.loads(line[6:]) for line in ask("/completion", {**call, "stream": True}).body.decode().splitlines() if line.startswith("data: ")]
    assert "".join(event["content"] for event in events) == whole["content"]
    assert [event["stop"] for event in events] == [False] * (len(events) - 1) + [True]
    assert sum((event["tokens"] for event in events), []) == whole["tokens"]


def test_stops_grammars_and_schemas(ask):
    word = ask("/completion", {"prompt": PROMPT, "temperature": 0, "n_predict": 20, "stop": ["."]})
    assert (word["stop_type"], word["stopping_word"]) == ("word", ".") and "." not in word["content"]
    bound = ask("/completion", {"prompt": PROMPT, "grammar": 'root ::= " Rome" | " Paris"', "n_predict": 20})
    assert bound["content"] in (" Rome", " Paris") and bound["stop_type"] == "eos"
    schema = ask("/completion", {"prompt": PROMPT, "json_schema": {"enum": ["a", "b"]}, "n_predict": 20})
    assert json.loads(schema["content"]) in ("a", "b")


def test_tokens_there_and_back(ask):
    tokens = ask("/tokenize", {"content": PROMPT})["tokens"]
    assert ask("/detokenize", {"tokens": tokens})["content"] == PROMPT
    pieces = ask("/tokenize", {"content": PROMPT, "with_pieces": True})["tokens"]
    assert [piece["id"] for piece in pieces] == tokens and "".join(piece["piece"] for piece in pieces) == PROMPT
    assert ask("/completion", {"prompt": tokens, "n_predict": 1, "temperature": 0})["tokens_evaluated"] == len(tokens)


def test_props_slots_and_the_template(ask):
    props = ask("/props")
    assert props["default_generation_settings"]["n_ctx"] == 8192 and "im_start" in props["chat_template"] and props["total_slots"] > 0
    slots = ask("/slots")
    assert len(slots) == props["total_slots"] and not any(slot["is_processing"] for slot in slots)
    text = ask("/apply-template", {"messages": [{"role": "user", "content": "Hello"}]})["prompt"]
    assert text.endswith("<|im_start|>assistant\n") and "Hello" in text
    assert ask("/health")["status"] == "ok"


@pytest.mark.parametrize("body, status, kind", [
    ({}, 400, "invalid_request_error"), ({"prompt": 1}, 400, "invalid_request_error"), ({"prompt": "x", "mirostat": 2}, 400, "invalid_request_error"),
    ({"prompt": "word " * 9000}, 400, "exceed_context_size_error"), ({"prompt": "x", "grammar": "root ::= ("}, 400, "invalid_request_error")])
def test_errors_are_its_own(ask, body, status, kind):
    error = ask("/completion", body, status)["error"]
    assert (error["code"], error["type"]) == (status, kind) and error["message"]


def test_text_generation_inferences_own_addresses(ask, model):
    info = ask("/info")
    assert info["model_id"] == NAME and info["max_total_tokens"] == 8192 and info["model_pipeline_tag"] == "text-generation"
    one = ask("/generate", {"inputs": PROMPT, "parameters": {"max_new_tokens": 3}})
    assert one["generated_text"].startswith(" Paris") and "details" not in one
    tokens = ask("/tokenize", {"inputs": PROMPT})
    assert [PROMPT[token["start"]:token["stop"]] for token in tokens] == [token["text"] for token in tokens]
    assert ask("/generate", {"inputs": "", "parameters": {}}, 422)["error_type"] == "validation"


def test_several_prompts_are_a_list_and_texts_may_stand_among_ids(ask):
    call = {"n_predict": 4, "temperature": 0}
    tokens = ask("/tokenize", {"content": PROMPT})["tokens"]
    alone = ask("/completion", {"prompt": PROMPT, **call})
    both = ask("/completion", {"prompt": [PROMPT, tokens], **call})
    assert [one["index"] for one in both] == [0, 1] and [one["content"] for one in both] == [alone["content"]] * 2
    assert both[0]["prompt"] == PROMPT and both[1]["prompt"] == tokens
    mixed = ask("/completion", {"prompt": [tokens[0], PROMPT[len("The"):]], **call})
    assert mixed["content"] == alone["content"] and mixed["tokens_evaluated"] == len(tokens)
    assert ask("/completion", {"prompt": {"prompt_string": PROMPT}, **call})["content"] == alone["content"]
    events = [json.loads(line[6:]) for line in ask("/completion", {"prompt": [PROMPT, PROMPT], "stream": True, **call}).body.decode().splitlines() if line.startswith("data: ")]
    for index in (0, 1):
        mine = [event for event in events if event["index"] == index]
        assert "".join(event["content"] for event in mine) == alone["content"] and [event["stop"] for event in mine] == [False] * (len(mine) - 1) + [True]


def test_what_its_clients_say_without_meaning_anything_is_taken(ask):
    usual = {"mirostat": 0, "mirostat_tau": 5.0, "dynatemp_range": 0.0, "dry_multiplier": 0.0, "dry_base": 1.75, "xtc_probability": 0.0, "xtc_threshold": 0.1,
             "repeat_last_n": 64, "n_keep": 0, "min_keep": 0, "t_max_predict_ms": 0, "post_sampling_probs": False, "lora": [], "n_indent": 0, "something_new": 1,
             "samplers": ["penalties", "dry", "top_k", "typ_p", "top_p", "min_p", "xtc", "temperature"], "max_tokens": 2, "temperature": 0}
    some = ask("/completion", {"prompt": PROMPT, **usual, "response_fields": ["content", "timings/predicted_n"]})
    assert set(some) == {"content", "predicted_n"} and some["predicted_n"] == 2
    nothing = ask("/completion", {"prompt": PROMPT, "n_predict": 0})
    assert (nothing["content"], nothing["tokens_predicted"], nothing["tokens_evaluated"]) == ("", 0, 5)
    for bad in ({"mirostat": 1}, {"samplers": ["top_k"]}, {"lora": [{"id": 0, "scale": 1}]}, {"post_sampling_probs": True}):
        ask("/completion", {"prompt": PROMPT, **bad}, 400)


def test_its_other_addresses(ask, server, tokens):
    assert ask("/completions", {"prompt": PROMPT, "n_predict": 2, "temperature": 0})["content"].startswith(" Paris")
    chat = ask("/chat/completions", {"messages": [{"role": "user", "content": "Hi"}], "max_tokens": 2})
    assert chat["object"] == "chat.completion"
    assert ask("/lora-adapters") == []
    for path, body in (("/infill", {"input_prefix": "a", "input_suffix": "b"}), ("/embedding", {"content": "x"}), ("/props", {})):
        assert ask(path, body, 501)["error"]["type"] == "not_supported_error", path


def test_text_generation_inference_refuses_what_has_no_room(ask):
    for parameters in ({"max_new_tokens": 8192}, {"truncate": 8192}):
        refused = ask("/generate", {"inputs": PROMPT, "parameters": parameters}, 422)
        assert refused["error_type"] == "validation" and "8192" in refused["error"]
    assert ask("/generate", {"inputs": PROMPT, "parameters": {"max_new_tokens": 2, "something_new": 1}})["generated_text"]
