"""text-embeddings-inference's addresses, asked as its clients ask them, on hosted models."""
import json

import numpy
import pytest
import requests

from test_embeddings import NAME, cosines, golden, model  # noqa: F401 - fixtures


@pytest.fixture
def ask(server, tokens):
    def call(path, body=None, status=200, name=NAME):
        answer = server.http("GET" if body is None else "POST", f"/models/{name}{path}", tokens["ada"], body)
        assert answer.status == status, answer.body
        return answer.json()
    return call


@pytest.fixture
def hosted(shared):
    """Uploads a tiny reference model under a name of its own."""
    from huggingface_hub import HfApi

    def put(folder):
        name = "ada/tei-" + folder.rpartition("/")[2]
        HfApi().create_repo(name, exist_ok=True)
        HfApi().upload_folder(repo_id=name, folder_path=shared / "models" / folder)
        return name
    return put


def test_embed_is_always_nested_and_of_length_one(model, golden, ask):
    case = golden["cases"][0]
    one = ask("/embed", {"inputs": case["text"]})
    assert numpy.array(one).shape == (1, 384)
    assert cosines(one, [case["embedding"]]).min() >= 0.99999
    several = ask("/embed", {"inputs": [case["text"], "another"], "dimensions": 64})
    assert numpy.array(several).shape == (2, 64)
    assert numpy.linalg.norm(several, axis=1) == pytest.approx([1, 1], abs=1e-5)


def test_embed_all_gives_every_token(model, golden, ask):
    case = golden["cases"][0]
    rows = ask("/embed_all", {"inputs": case["text"]})
    assert numpy.array(rows).shape == (1, len(case["input_ids"]), 384)


def test_tokens_are_listed_with_places_in_bytes_and_joined_again(model, ask):
    text = "Zürich is nice"
    rows = ask("/tokenize", {"inputs": text})[0]
    assert rows[0]["special"] and rows[0]["text"] == "[CLS]" and rows[0]["start"] is None
    inner = [row for row in rows if not row["special"]]
    for row in inner:
        assert text.encode()[row["start"]:row["stop"]].decode() == row["text"]
    assert len(ask("/tokenize", {"inputs": text, "add_special_tokens": False})[0]) == len(inner)
    assert ask("/decode", {"ids": [row["id"] for row in rows]}) == ["zurich is nice"]


def test_similarity_and_info(model, ask):
    scores = ask("/similarity", {"inputs": {"source_sentence": "a cat", "sentences": ["a kitten", "the stock market"]}})
    assert scores[0] > scores[1]
    info = ask("/info")
    assert info["model_id"] == NAME and info["model_type"] == {"embedding": {"pooling": "mean"}}
    assert info["max_input_length"] == 256


@pytest.mark.parametrize("path, body, status, kind", [
    ("/embed", {"inputs": ""}, 400, "Empty"),
    ("/embed", {"inputs": []}, 400, "Empty"),
    ("/embed", {"inputs": {"a": 1}}, 422, "Validation"),
    ("/embed", {}, 422, "Validation"),
    ("/embed", {"inputs": "x", "dimensions": 0}, 422, "Validation"),
    ("/embed", {"inputs": "word " * 600, "truncate": False}, 422, "Validation"),
    ("/embed", {"inputs": ["x"] * 1025}, 422, "Validation"),
    ("/embed", {"inputs": "x", "truncation_direction": "up"}, 422, "Validation"),
    ("/embed_all", {"inputs": "x", "prompt_name": "query"}, 422, "Validation"),
    ("/tokenize", {"inputs": "x", "prompt_name": "query"}, 422, "Validation"),
    ("/predict", {"inputs": "x", "truncation_direction": "Left"}, 422, "Validation"),
    ("/rerank", {"query": "x", "texts": ["y"], "truncation_direction": "up"}, 422, "Validation"),
    ("/embed_sparse", {"inputs": "x"}, 424, "Backend"),
    ("/predict", {"inputs": "x"}, 424, "Backend"),
    ("/rerank", {"query": "x", "texts": []}, 400, "Empty"),
])
def test_errors_have_its_types(model, ask, path, body, status, kind):
    assert ask(path, body, status)["error_type"] == kind


def test_predict_takes_one_a_pair_and_a_batch(hosted, ask):
    name = hosted("pipelines/text-classification")
    one = ask("/predict", {"inputs": "a fine day"}, name=name)
    assert [row["score"] for row in one] == sorted((row["score"] for row in one), reverse=True)
    pair = ask("/predict", {"inputs": ["a fine day", "rain"]}, name=name)
    assert len(pair) == len(one)
    batch = ask("/predict", {"inputs": [["a fine day"], ["a fine day", "rain"]]}, name=name)
    assert [sorted(row["label"] for row in rows) for rows in batch] == [sorted(row["label"] for row in one)] * 2
    assert batch[0] == one and batch[1] == pair
    ask("/predict", {"inputs": ["a", "b", "c"]}, 422, name=name)


def test_its_other_addresses_answer_the_same(model, hosted, ask):
    text = "a fine day"
    vector = ask("/embed", {"inputs": text})[0]
    assert ask("/embeddings", {"model": NAME, "input": text})["data"][0]["embedding"] == pytest.approx(vector, abs=1e-6)
    assert ask("/vertex", {"instances": [{"inputs": text}, text]}) == {"predictions": [ask("", {"inputs": text})] * 2}
    labels = hosted("pipelines/text-classification")
    assert ask("/vertex", {"instances": [text], "parameters": {"top_k": 1}}, name=labels)["predictions"] == [ask("", {"inputs": text, "parameters": {"top_k": 1}}, name=labels)]
    for bad in ({}, {"instances": []}, {"instances": "x"}, {"instances": [1]}):
        assert "error" in ask("/vertex", bad, 400)


def test_torchserves_address_takes_a_text_as_it_is_or_json(server, tokens, model, hosted, ask):
    labels = hosted("pipelines/text-classification")

    def predict(name, body, kind=None, status=200):
        given = {"Authorization": f"Bearer {tokens['ada']}"} | ({"Content-Type": kind} if kind else {})
        answer = requests.post(f"{server.url}/predictions/{name}", data=body, headers=given, timeout=60)
        assert answer.status_code == status, answer.text
        return answer.json()

    text = "a fine day, \u00e9t\u00e9"
    wanted = ask("", {"inputs": text}, name=labels)
    assert predict(labels, text.encode()) == predict(labels, text.encode(), "text/plain") == wanted
    assert predict(labels, json.dumps(text), "application/json") == predict(labels, json.dumps({"inputs": text}), "application/json") == wanted
    assert predict(labels, json.dumps({"inputs": text, "parameters": {"top_k": 1}}), "application/json") == ask(
        "", {"inputs": text, "parameters": {"top_k": 1}}, name=labels)
    assert predict(model, b"12", "text/plain") == ask("", {"inputs": "12"})  # A text, though it would be a number.
    for body, kind in ((b"\xff\xfe", None), (b"a\x01b", "text/plain"), (b"{", "application/json"), (b"{}", "application/json")):
        assert "error" in predict(labels, body, kind, 400), body
    assert "error" in predict("ada/absent", b"x", status=404)


def test_sparse_vectors_of_a_masked_language_model(hosted, ask):
    name = hosted("pipelines/fill-mask")
    text = "the quick brown fox"
    both = ask("/embed_sparse", {"inputs": [text, "another"]}, name=name)
    assert len(both) == 2 and ask("/embed_sparse", {"inputs": text}, name=name) == both[:1]
    indices = [row["index"] for row in both[0]]
    assert indices == sorted(set(indices)) and all(set(row) == {"index", "value"} and row["value"] > 0 for row in both[0])
    # The scores that fill-mask gives each token at one place are no larger than what is the largest of all places.
    ids = [row["id"] for row in ask("/tokenize", {"inputs": text, "add_special_tokens": False}, name=name)[0]]
    assert ask("/embed_sparse", {"inputs": [ids]}, name=name) == both[:1]
    assert ask("/embed_sparse", {"inputs": []}, 400, name=name)["error_type"] == "Empty"
    ask("/embed_sparse", {"inputs": "word " * 600, "truncate": False}, 422, name=name)
    assert ask("/embed_sparse", {"inputs": "word " * 600}, name=name)[0]


def test_a_classifier_is_no_embedding_model(hosted, ask):
    labels = hosted("pipelines/text-classification")
    for path in ("/embed", "/embed_all", "/embed_sparse"):
        assert ask(path, {"inputs": "x"}, 424, name=labels)["error_type"] == "Backend"


def test_coheres_door_has_its_own_errors(model, server, tokens):
    for body, key in (({"query": "a", "documents": []}, "documents"), ({"query": "a"}, "documents"), ({"documents": ["a"]}, "query")):
        answer = server.http("POST", "/v1/rerank", tokens["ada"], {"model": NAME, **body})
        assert answer.status == 400 and answer.json()["error"]["param"] == key, answer.body
