"""LoRA adapters of PEFT's as repositories of their own: asked by the openai client and TGI's, beside each other and their base."""
import concurrent.futures
import io
import json
import os
import subprocess
from pathlib import Path

import numpy
import openai
import pytest
from huggingface_hub import HfApi, InferenceClient
from huggingface_hub.errors import HfHubHTTPError
from safetensors.numpy import load_file, save

GOLDEN = Path(__file__).resolve().parents[1] / "golden" / "models"
BASE, OTHER = "ada/lora-base", "ada/lora-stranger"
ADAPTERS = ("llama-all", "llama-rs")
TEMPLATE = "{% for m in messages %}t7 {{ m.content }} {% endfor %}"


def repo_of(adapter):
    return f"ada/lora-{adapter}"


def put(api, repo, files, **kind):
    from huggingface_hub import CommitOperationAdd
    api.create_repo(repo, exist_ok=True, **kind)
    operations = [CommitOperationAdd(path_in_repo=path, path_or_fileobj=io.BytesIO(content)) for path, content in files.items()]
    return api.create_commit(repo_id=repo, operations=operations, commit_message="files").oid


def base_files():
    """The golden llama, with a word for each token: t0 to t119."""
    words = {f"t{i}": i for i in range(120)}
    tokenizer = {"version": "1.0", "truncation": None, "padding": None, "added_tokens": [], "normalizer": None,
                 "pre_tokenizer": {"type": "WhitespaceSplit"}, "post_processor": None, "decoder": None,
                 "model": {"type": "WordLevel", "vocab": words, "unk_token": "t0"}}
    folder = GOLDEN / "llama" / "gqa"
    return {"config.json": (folder / "config.json").read_bytes(), "model.safetensors": (folder / "model.safetensors").read_bytes(),
            "tokenizer.json": json.dumps(tokenizer).encode()}


def adapter_files(adapter, base, **changes):
    folder = GOLDEN / "lora" / adapter
    config = json.loads((folder / "adapter_config.json").read_text()) | {"base_model_name_or_path": base} | changes
    return {"adapter_config.json": json.dumps(config).encode(), "adapter_model.safetensors": (folder / "adapter_model.safetensors").read_bytes()}


@pytest.fixture(scope="module")
def golden():
    """By adapter the prompt and the tokens that PEFT goes on with."""
    tensors = load_file(GOLDEN / "lora" / "golden.safetensors")
    out = {}
    for adapter in ADAPTERS:
        ids = [int(i) for i in tensors[f"{adapter}.ids"].ravel()]
        out[adapter] = ids, [int(i) for i in tensors[f"{adapter}.greedy"].ravel()][len(ids):]
    return out


@pytest.fixture(scope="module")
def filled():
    api = HfApi()
    put(api, BASE, base_files())
    put(api, OTHER, base_files())
    for adapter in ADAPTERS:
        put(api, repo_of(adapter), adapter_files(adapter, BASE))
    return api


@pytest.fixture
def client(server, tokens):
    return openai.OpenAI(base_url=server.url + "/v1", api_key=tokens["ada"], max_retries=0, timeout=300)


def words(ids):
    return " ".join(f"t{i}" for i in ids)


def written(client, model, ids, count):
    answer = client.completions.create(model=model, prompt=words(ids), temperature=0, max_tokens=count)
    return answer.choices[0].text.split()


def test_adapters_answer_what_peft_answers_beside_each_other_and_their_base(filled, client, golden):
    prompt = golden["llama-all"][0]
    asks = [(repo_of(adapter), *golden[adapter]) for adapter in ADAPTERS] * 4
    alone = written(client, BASE, prompt, 12)
    with concurrent.futures.ThreadPoolExecutor(10) as pool:
        bases = [pool.submit(written, client, BASE, prompt, 12) for _ in range(2)]
        got = list(pool.map(lambda ask: written(client, ask[0], ask[1], len(ask[2])), asks))
        assert all(base.result() == alone for base in bases)
    for (model, _, wanted), text in zip(asks, got):
        assert text == words(wanted).split(), model
    assert alone != got[0][:12]


def test_an_answer_says_what_its_adapter_changes(filled, client, server, golden, tmp_path):
    body = {"model": repo_of("llama-all"), "prompt": words(golden["llama-all"][0]), "temperature": 0, "max_tokens": 3}
    answer = server.http("POST", "/v1/completions", body=json.dumps(body).encode(), token=os.environ["HF_TOKEN"],
                         headers={"Content-Type": "application/json", "X-Holdfast-Receipt": "1"})
    base = f"{BASE}@{filled.model_info(BASE).sha}"
    assert answer.status == 200 and answer.headers["X-Model-Base"] == base and answer.headers["X-Tokenizer-Digest"]
    assert answer.headers["X-Model-Id"] == repo_of("llama-all")
    files = {"receipt": answer.headers["X-Holdfast-Receipt"].encode(), "output": answer.body}
    for name, content in files.items():
        (tmp_path / name).write_bytes(content)
    key = server.http("GET", "/api/receipts/key").json()["key"]
    said = subprocess.run([os.environ.get("HOLDFAST_PROGRAM", "build/holdfast"), "receipt", "verify", str(tmp_path / "receipt"), "--key", key,
                           "--output", str(tmp_path / "output"), "--json"], capture_output=True, text=True, check=True)
    assert json.loads(said.stdout)["base"] == base
    listed = {model.id: model for model in client.models.list()}
    assert listed[repo_of("llama-all")].parent == BASE and not hasattr(listed[BASE], "parent")


def test_tgi_names_an_adapter_by_its_id(filled, server, golden):
    prompt, wanted = golden["llama-rs"]
    asked = InferenceClient(model=f"{server.url}/models/{BASE}", token=os.environ["HF_TOKEN"])
    assert asked.text_generation(words(prompt), adapter_id=repo_of("llama-rs"), max_new_tokens=len(wanted)).split() == words(wanted).split()
    plain = asked.text_generation(words(prompt), max_new_tokens=len(wanted)).split()
    assert plain != words(wanted).split()
    for adapter, base, why in ((OTHER, BASE, "no adapter"), (repo_of("llama-rs"), OTHER, f"an adapter of {BASE}"), ("ada/none", BASE, "does not exist")):
        other = InferenceClient(model=f"{server.url}/models/{base}", token=os.environ["HF_TOKEN"])
        with pytest.raises(Exception, match=why):
            other.text_generation(words(prompt), adapter_id=adapter, max_new_tokens=2)


def test_the_base_stays_what_it_was_when_the_adapter_was_first_asked(filled, client, golden):
    base, adapter = "ada/lora-moving-base", "ada/lora-on-moving-base"
    prompt, wanted = golden["llama-all"]
    first = put(filled, base, base_files())
    put(filled, adapter, adapter_files("llama-all", base))
    assert written(client, adapter, prompt, len(wanted)) == words(wanted).split()
    tensors = load_file(GOLDEN / "llama" / "gqa" / "model.safetensors")
    tensors["lm_head.weight"] = -tensors["lm_head.weight"]
    second = put(filled, base, {"model.safetensors": save(tensors)})
    assert written(client, adapter, prompt, len(wanted)) == words(wanted).split()
    # Said by the adapter: another commit of its own, and so another answer.
    put(filled, adapter, adapter_files("llama-all", base, revision=second))
    assert written(client, adapter, prompt, len(wanted)) != words(wanted).split()
    put(filled, adapter, adapter_files("llama-all", base, revision=first))
    assert written(client, adapter, prompt, len(wanted)) == words(wanted).split()


def test_who_may_not_see_the_base_may_not_ask_the_adapter(filled, server, tokens):
    base, adapter = "ada/lora-private-base", "ada/lora-on-private-base"
    put(filled, base, base_files(), private=True)
    put(filled, adapter, adapter_files("llama-all", base))
    theirs = openai.OpenAI(base_url=server.url + "/v1", api_key=tokens["bea"], max_retries=0)
    with pytest.raises(openai.APIStatusError) as refused:
        written(theirs, adapter, [5, 6], 2)
    assert refused.value.status_code in (400, 403, 404, 422) and base not in str(refused.value)
    ours = openai.OpenAI(base_url=server.url + "/v1", api_key=tokens["ada"], max_retries=0)
    assert len(written(ours, adapter, [5, 6], 2)) == 2


def test_an_adapters_own_chat_template_is_the_one_it_is_asked_by(filled, client, golden):
    adapter = "ada/lora-with-template"
    put(filled, adapter, adapter_files("llama-all", BASE) | {"chat_template.jinja": TEMPLATE.encode()})
    turn = [{"role": "user", "content": "t9 t11"}]
    answer = client.chat.completions.create(model=adapter, messages=turn, temperature=0, max_tokens=4)
    assert answer.usage.prompt_tokens == 3
    assert answer.choices[0].message.content.split() == written(client, adapter, [7, 9, 11], 4)
    with pytest.raises(openai.BadRequestError, match="template"):
        client.chat.completions.create(model=repo_of("llama-all"), messages=turn, max_tokens=2)


def test_the_card_says_the_base_of_what_was_trained_from_a_folder(filled, client, golden):
    adapter, (prompt, wanted) = "ada/lora-by-card", golden["llama-rs"]
    card = f"---\nlibrary_name: peft\nbase_model: {BASE}\n---\n"
    put(filled, adapter, adapter_files("llama-rs", "./runs/out") | {"README.md": card.encode()})
    assert written(client, adapter, prompt, len(wanted)) == words(wanted).split()


@pytest.mark.parametrize("changes, why", [
    ({"base_model_name_or_path": "ada/not-here"}, "ada/not-here"),
    ({"base_model_name_or_path": "ada/lora-llama-rs"}, "no weights"),
    ({"base_model_name_or_path": BASE, "revision": "never"}, "no revision"),
    ({"base_model_name_or_path": BASE, "use_dora": True}, "use_dora"),
    ({"base_model_name_or_path": BASE, "r": 5}, "rank"),
])
def test_an_adapter_that_cannot_be_used_whole_says_why(filled, client, changes, why):
    adapter = "ada/lora-broken-" + str(abs(hash(why)) % 10**8)
    put(filled, adapter, adapter_files("llama-all", BASE, **changes))
    with pytest.raises(openai.APIStatusError, match=why):
        written(client, adapter, [5, 6], 2)
    assert len(written(client, repo_of("llama-all"), [5, 6], 2)) == 2, "the others go on"


def test_an_adapter_has_no_vectors(filled, client):
    with pytest.raises(openai.APIStatusError, match="vectors"):
        client.embeddings.create(model=repo_of("llama-all"), input="t1 t2")


def test_more_adapters_than_a_worker_holds_are_all_answered(filled, client, golden):
    prompt, wanted = golden["llama-all"]
    names = [f"ada/lora-many-{i}" for i in range(20)]
    for name in names:
        put(filled, name, adapter_files("llama-all", BASE))
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        for text in pool.map(lambda name: written(client, name, prompt, len(wanted)), names * 2):
            assert text == words(wanted).split()


def test_endpoints_of_adapters_share_the_worker_of_their_base(filled, server, tokens, golden):
    ada = tokens["ada"]
    for adapter in ADAPTERS:
        made = server.http("POST", "/api/endpoints/ada", ada, {"name": f"lora-{adapter}", "model": repo_of(adapter), "min_replicas": 1})
        assert made.status == 201, made.body
    try:
        for adapter in ADAPTERS:
            prompt, wanted = golden[adapter]
            asked = openai.OpenAI(base_url=f"{server.url}/endpoints/ada/lora-{adapter}/v1", api_key=ada, max_retries=20, timeout=60)
            answer = asked.completions.with_raw_response.create(model="any", prompt=words(prompt), temperature=0, max_tokens=len(wanted))
            assert answer.parse().choices[0].text.split() == words(wanted).split()
            assert answer.headers["X-Model-Base"].startswith(BASE + "@") and answer.headers["X-Model-Id"] == repo_of(adapter)
            refused = server.http("POST", f"/endpoints/ada/lora-{adapter}/generate", ada,
                                  {"inputs": "t1", "parameters": {"adapter_id": repo_of("llama-rs")}})
            assert refused.status == 422 and b"adapter_id" in refused.body
    finally:
        for adapter in ADAPTERS:
            assert server.http("DELETE", f"/api/endpoints/ada/lora-{adapter}", ada).status == 200
