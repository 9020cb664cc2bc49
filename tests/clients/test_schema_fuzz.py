"""Bodies that no client means, by seed and from our own OpenAPI by schemathesis, against every door of models: no 5xx, no crash, and no input in any log."""
import json
import os
import random

import pytest
from huggingface_hub import HfApi

MARKER = "zebra-otter-quince"
WRITER, ENCODER, LABELLER = "ada/fuzzed-writer", "ada/fuzzed-encoder", "ada/fuzzed-labeller"
MESSAGES = [{"role": "user", "content": MARKER}]
TOOL = {"type": "function", "function": {"name": "f", "parameters": {"type": "object", "properties": {"a": {"type": "string", "maxLength": 3}}}}}
TENSORS = {"inputs": [{"name": "text", "datatype": "BYTES", "shape": [1], "data": [MARKER]}], "outputs": [{"name": "embedding"}]}
DOORS = [
    ("/v1/chat/completions", {"model": WRITER, "messages": MESSAGES, "max_tokens": 2, "n": 2, "stop": ["a"], "seed": 1, "logprobs": True, "top_logprobs": 2, "tools": [TOOL],
                              "tool_choice": "required", "response_format": {"type": "json_object"}, "stream": True, "stream_options": {"include_usage": True}}),
    ("/v1/completions", {"model": WRITER, "prompt": [MARKER], "max_tokens": 2, "echo": True, "logprobs": 2, "n": 1, "temperature": 0.5, "logit_bias": {"3": 1}}),
    ("/v1/embeddings", {"model": ENCODER, "input": [MARKER], "encoding_format": "float", "dimensions": 4}),
    ("/v1/rerank", {"model": LABELLER, "query": MARKER, "documents": ["a", {"text": "b"}], "top_n": 1, "return_documents": True}),
    (f"/models/{WRITER}", {"inputs": MARKER, "parameters": {"max_new_tokens": 2, "details": True, "top_n_tokens": 2, "grammar": {"type": "regex", "value": "a+"}}, "stream": True}),
    (f"/models/{WRITER}/generate", {"inputs": MARKER, "parameters": {"max_new_tokens": 2, "seed": 3, "decoder_input_details": True, "stop": ["x"], "truncate": 4}}),
    (f"/models/{WRITER}/generate_stream", {"inputs": MARKER, "parameters": {"max_new_tokens": 2, "temperature": 0.5, "top_k": 3}}),
    (f"/models/{WRITER}/completion", {"prompt": MARKER, "n_predict": 2, "n_probs": 2, "stop": [], "json_schema": {"type": "integer"}, "logit_bias": [[3, False]], "stream": False}),
    (f"/models/{WRITER}/tokenize", {"content": MARKER, "with_pieces": True}), (f"/models/{WRITER}/detokenize", {"tokens": [3, 4]}),
    (f"/models/{WRITER}/apply-template", {"messages": MESSAGES}), (f"/models/{ENCODER}", {"inputs": MARKER, "normalize": True}),
    (f"/models/{LABELLER}", {"inputs": MARKER, "parameters": {"top_k": 2, "function_to_apply": "softmax"}}),
    (f"/models/{ENCODER}/embed", {"inputs": [MARKER], "truncate": True, "normalize": False, "dimensions": 4}), (f"/models/{ENCODER}/embed_all", {"inputs": MARKER}),
    (f"/models/{ENCODER}/similarity", {"inputs": {"source_sentence": MARKER, "sentences": ["a"]}}), (f"/models/{LABELLER}/predict", {"inputs": [[MARKER], ["a", "b"]], "raw_scores": True}),
    (f"/models/{LABELLER}/rerank", {"query": MARKER, "texts": ["a"], "return_text": True}), (f"/models/{ENCODER}/tokenize", {"inputs": [MARKER], "add_special_tokens": False}),
    (f"/models/{ENCODER}/decode", {"ids": [[3, 4]], "skip_special_tokens": True}), (f"/v2/models/{ENCODER}/infer", TENSORS), (f"/models/{ENCODER}/v2/models/x/infer", TENSORS)]
LEAVES = [None, True, False, 0, 1, -1, 2**31, 2**63 - 1, -2**63, 2**64, 0.5, -1e308, 1e400, "", "\x00\x1f", MARKER, "ä" * 40, "\U0001F600", [], {}, [[]], [None], [MARKER] * 3,
          {"type": MARKER}, [[0, 1], "a"], [-1, 2**40], {"$ref": "#"}]


@pytest.fixture(scope="module")
def hosted():
    from pathlib import Path
    data = Path(os.environ.get("HOLDFAST_SHARED") or Path(__file__).resolve().parents[3] / "shared") / "data/models/pipelines"
    if not data.is_dir():
        pytest.skip(f"SKIPPED: no reference data at {data}")
    for name, task in ((WRITER, "text-generation"), (ENCODER, "feature-extraction"), (LABELLER, "text-classification")):
        HfApi().create_repo(name, exist_ok=True)
        HfApi().upload_folder(repo_id=name, folder_path=data / task)


def changed(value, chance):
    """The value with something else in one of its places, or a place more, or one fewer."""
    pick = chance.random()
    if isinstance(value, dict) and value and pick < 0.8:
        out, key = dict(value), chance.choice(list(value))
        if pick < 0.1:
            del out[key]
        elif pick < 0.2:
            out[chance.choice(["unknown", "model", "inputs", "stop", "n", "", MARKER])] = chance.choice(LEAVES)
        else:
            out[key] = changed(out[key], chance)
        return out
    if isinstance(value, list) and value and pick < 0.6:
        at = chance.randrange(len(value))
        return value[:at] + [changed(value[at], chance)] + value[at + 1:]
    return chance.choice(LEAVES)


def broken(text, chance):
    raw = bytearray(text.encode())
    kind = chance.randrange(4)
    if kind == 0:
        return bytes(raw[:chance.randrange(len(raw))])
    if kind == 1:
        raw[chance.randrange(len(raw))] = chance.randrange(256)
        return bytes(raw)
    return b"[" * 5000 if kind == 2 else b'{"inputs": "\xff\xfe"}'


@pytest.mark.parametrize("seed", range(int(os.environ.get("HOLDFAST_FUZZ_SEEDS", "2"))))
def test_no_body_brings_a_door_down(hosted, server, tokens, seed):
    chance = random.Random(seed)
    answered = {}
    for path, good in DOORS:
        assert server.http("POST", path, tokens["ada"], good).status in (200, 400, 422, 424), path  # Not every model can do all of it.
        for _ in range(25):
            text = json.dumps(changed(good, chance))
            body = broken(text, chance) if chance.random() < 0.15 else text.encode()
            answer = server.http("POST", path, tokens["ada"], body, {"Content-Type": "application/json"})
            assert answer.status < 500 or answer.status == 501, (seed, path, body, answer.status, answer.body[:300])
            answered[answer.status] = answered.get(answer.status, 0) + 1
            if answer.status >= 400:
                assert "error" in json.loads(answer.body), (path, body, answer.body)
    assert answered.get(200, 0) > 50 and sum(answered.values()) - answered[200] > 100, answered
    # All three are still there, and nobody wrote down what they were asked.
    for name in (WRITER, ENCODER, LABELLER):
        assert server.http("GET", f"/models/{name}/health", tokens["ada"]).status == 200
    log = server.log(10 ** 6)
    assert MARKER not in log and "worker_ended" not in log and "worker_failed" not in log


DOOR_TAGS = {"openai", "text-embeddings-inference", "text-generation-inference", "llama.cpp", "kserve", "tasks"}
EXAMPLES = int(os.environ.get("HOLDFAST_FUZZ_EXAMPLES", "3"))  # Of each operation.


def described(server):
    """Our OpenAPI, with the names of models that there are, and one that there is not, as what a caller may say."""
    document = server.http("GET", "/openapi.json").json()
    names = {"ns": ["ada"], "name": [one.partition("/")[2] for one in (WRITER, ENCODER, LABELLER)] + ["nobody"], "model": [ENCODER + "/infer", ENCODER, LABELLER + "/infer", "x"]}
    for path in document["paths"].values():
        for operation in path.values():
            for parameter in operation["parameters"]:
                if parameter["name"] in names:
                    parameter["schema"] = {"enum": names[parameter["name"]]}
    for schema in document["components"]["schemas"].values():
        if "model" in schema.get("properties", {}):
            schema["properties"]["model"] = {"enum": [WRITER, ENCODER, LABELLER, "ada/nobody"]}
        for key in ("max_tokens", "max_completion_tokens", "max_output_tokens", "n", "n_predict"):
            if key in schema.get("properties", {}):
                schema["properties"][key]["maximum"] = 16  # Small, so that the test is short.
    return document


def test_nothing_that_our_openapi_describes_brings_a_door_down(hosted, server, tokens):
    schemathesis = pytest.importorskip("schemathesis", reason="SKIPPED: no schemathesis; tools/setup.sh test installs it")
    import hypothesis
    import jsonschema_rs
    from hypothesis import HealthCheck, settings
    from schemathesis import GenerationMode
    document = described(server)
    jsonschema_rs.Draft202012Validator({**document["components"], "type": "object"})  # It can be read as schemas.
    asked, seen = [], set()
    for found in schemathesis.openapi.from_dict(document).get_all_operations():
        operation = found.ok()
        if not DOOR_TAGS & set(operation.tags or ()) or any(word in operation.path for word in ("/batches", "/files", "/hf-inference/", "/pipeline/")):
            continue  # Those of the Hub's own address are the same doors.
        failure = document["paths"][operation.path][operation.method.lower()]["responses"]["default"]["content"]["application/json"]["schema"]["$ref"].rpartition("/")[2]
        error_form = jsonschema_rs.Draft202012Validator(document["components"]["schemas"][failure])
        for mode in (GenerationMode.POSITIVE, GenerationMode.NEGATIVE):
            if mode is GenerationMode.NEGATIVE and operation.method.upper() != "POST":
                continue

            # What is no name may make another address of it; only bodies are wrong here.
            place = {} if mode is GenerationMode.POSITIVE else {"path_parameters": {one["name"]: one["schema"]["enum"][0] for one in document["paths"][operation.path]["post"]["parameters"]}}

            @hypothesis.seed(7)
            @settings(max_examples=EXAMPLES, deadline=None, database=None, phases=[hypothesis.Phase.generate], suppress_health_check=list(HealthCheck))
            @hypothesis.given(case=operation.as_strategy(generation_mode=mode, **place))
            def ask(case):
                answer = case.call(base_url=server.url, headers={"Authorization": f"Bearer {tokens['ada']}"}, timeout=60)
                assert answer.status_code < 500 or answer.status_code == 501, (operation.label, case.body, answer.status_code, answer.text[:300])
                asked.append(answer.status_code)
                if answer.status_code >= 400:
                    seen.add((operation.label, answer.status_code))
                    assert error_form.is_valid(answer.json()), (operation.label, case.body, answer.text[:300])

            ask()
    assert len(asked) > 100 and asked.count(200) > 20, (len(asked), asked.count(200))
    log = server.log(10 ** 6)
    assert "worker_ended" not in log and "worker_failed" not in log


PUBLISHED = [  # What the published descriptions of the three protocols say may stand in a member, told in our own words: valid, at its edge, beyond it.
    ("/v1/chat/completions", {"model": WRITER, "messages": MESSAGES, "max_tokens": 1},
     {"temperature": [0, 2, 2.1, -0.1], "top_p": [0, 1, 1.5], "n": [1, 2, 0, 129], "stop": [None, "a", ["a"] * 4, ["a"] * 5], "presence_penalty": [-2, 2, 2.5],
      "frequency_penalty": [-2, 2, -3], "logit_bias": [{}, {"3": 100}, {"3": 101}, {"x": 1}], "top_logprobs": [0, 21], "response_format": [{"type": "text"}, {"type": "xml"}, {"type": "json_schema"}],
      "tool_choice": ["none", "sometimes"], "messages": [[], [{"role": "nobody", "content": "x"}], [{"role": "user"}], [{"role": "user", "content": [{"type": "image_url", "image_url": {"url": "x"}}]}]]}),
    ("/v1/embeddings", {"model": ENCODER, "input": "x"}, {"input": ["", [], ["x"] * 2049, [1, 2], [[1], [2]], [-1], [10 ** 9]], "encoding_format": ["float", "base64", "hex"], "dimensions": [1, 0, 10 ** 6]}),
    (f"/models/{WRITER}/generate", {"inputs": "x"},
     {"parameters": [{"temperature": 0}, {"temperature": 0.5, "max_new_tokens": 1}, {"top_p": 1.0}, {"top_p": 0.9, "max_new_tokens": 1}, {"top_k": 0}, {"typical_p": 1.0}, {"repetition_penalty": 0},
                     {"frequency_penalty": 3}, {"top_n_tokens": 6}, {"stop": ["a"] * 5}, {"truncate": 0}, {"max_new_tokens": 0}, {"best_of": 2}, {"grammar": {"type": "xml", "value": "x"}}], "inputs": [""]}),
    (f"/models/{ENCODER}/embed", {"inputs": "x"}, {"inputs": ["", [], [""], [1], [[1], [2]], [[-1]], {}], "truncation_direction": ["Left", "left", "Up"], "dimensions": [0, 1], "prompt_name": [None, "nobody"]}),
    (f"/models/{LABELLER}/predict", {"inputs": "x"}, {"inputs": ["", ["a", "b"], ["a", "b", "c"], [["a"], ["a", "b"]], [["a", "b", "c"]], []], "raw_scores": [True, "yes"]}),
    (f"/models/{LABELLER}/rerank", {"query": "x", "texts": ["a"]}, {"texts": [[], "a", [1]], "query": ["", None], "return_text": [True, 1]}),
    (f"/models/{ENCODER}/similarity", {"inputs": {"source_sentence": "x", "sentences": ["a"]}}, {"inputs": [{"source_sentence": "x", "sentences": []}, {"sentences": ["a"]}, "x"]})]


@pytest.mark.parametrize("path,good,edges", PUBLISHED, ids=[path for path, _, _ in PUBLISHED])
def test_the_edges_of_published_members_are_answered_or_refused(hosted, server, tokens, path, good, edges):
    for key, values in edges.items():
        for value in values:
            answer = server.http("POST", path, tokens["ada"], {**good, key: value})
            assert answer.status in (200, 400, 404, 413, 422, 424), (key, value, answer.status, answer.body[:300])
            if answer.status != 200:
                assert "error" in answer.json(), (key, value)


@pytest.mark.parametrize("path,body,refused", [
    ("/v1/chat/completions", {"model": WRITER, "messages": [{"role": "user", "content": "a\x07b"}], "max_tokens": 1}, 400),
    ("/v1/embeddings", {"model": ENCODER, "input": "a\x00b"}, 400), (f"/models/{ENCODER}/embed", {"inputs": "a\x1bb"}, 422), (f"/models/{LABELLER}/predict", {"inputs": "\x7f"}, 422),
    (f"/models/{WRITER}/generate", {"inputs": "\x08", "parameters": {"max_new_tokens": 1}}, 422), (f"/models/{WRITER}/completion", {"prompt": "\x01", "n_predict": 1}, 400),
    (f"/models/{LABELLER}", {"inputs": "a\x02"}, 400), (f"/v2/models/{ENCODER}/infer", {"inputs": [{"name": "text", "datatype": "BYTES", "shape": [1], "data": ["\x03"]}]}, 400)])
def test_control_characters_and_broken_utf8_are_refused_before_a_model_runs(hosted, server, tokens, path, body, refused):
    answer = server.http("POST", path, tokens["ada"], body)
    assert answer.status == refused and "U+00" in json.dumps(answer.json()), answer.body
    raw = json.dumps({**body, "user": "mark"}).encode().replace(b"mark", b"\xff\xfe")
    broken_text = server.http("POST", path, tokens["ada"], raw, {"Content-Type": "application/json"})
    assert broken_text.status == refused and "error" in broken_text.json(), broken_text.body
    assert server.http("POST", f"/models/{ENCODER}/tokenize", tokens["ada"], {"inputs": "a\x07b"}).status == 200  # Runs no model.
