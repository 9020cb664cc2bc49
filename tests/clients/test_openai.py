"""The openai client against every key of the completion doors: choices, seeds, scores of prompts, tools, thoughts, errors."""
import json
import math

import openai
import pytest

from gguf_template import with_template
from test_chat import FILE, GREEDY, QUESTION, client, model  # noqa: F401 - fixtures

TOOLS_NAME = "ada/SmolLM2-with-tools"
# ChatML as the model knows it, with Hermes' words for tools and a place for thoughts.
TEMPLATE = """{%- if tools %}<|im_start|>system
Call a function by <tool_call>{"name": …, "arguments": …}</tool_call>. There are:
{%- for tool in tools %}
{{ tool.function | tojson }}{% endfor %}<|im_end|>
{% endif %}{%- for message in messages %}<|im_start|>{{ message.role }}
{% if message.tool_calls %}{% for call in message.tool_calls %}<tool_call>{{ call.function | tojson }}</tool_call>{% endfor %}{% else %}{{ message.content }}{% endif %}<|im_end|>
{% endfor %}{% if add_generation_prompt %}<|im_start|>assistant
{% if think %}<think>
{% endif %}{% endif %}"""


@pytest.fixture(scope="module")
def tooled():
    from huggingface_hub import HfApi
    api = HfApi()
    api.create_repo(TOOLS_NAME, exist_ok=True)
    api.upload_file(repo_id=TOOLS_NAME, path_or_fileobj=with_template(FILE.read_bytes(), TEMPLATE), path_in_repo="model.gguf")
    return TOOLS_NAME


def weather(**more):
    schema = {"type": "object", "properties": {"city": {"enum": ["Paris", "Rome"]}, "days": {"type": "integer", "minimum": 1, "maximum": 7}},
              "required": ["city", "days"], "additionalProperties": False}
    return {"type": "function", "function": {"name": "get_weather", "description": "Weather of a city", "parameters": schema, **more}}


STOP = {"type": "function", "function": {"name": "stop_it", "parameters": {"type": "object", "properties": {"why": {"$ref": "#/$defs/reason"}},
                                                                          "required": ["why"], "$defs": {"reason": {"enum": ["tired", "done"]}}}}}


def test_models_are_listed_and_found(model, client):
    client.chat.completions.create(model=model, messages=QUESTION, max_tokens=1)
    assert model in [one.id for one in client.models.list().data]
    one = client.models.retrieve(model)
    assert (one.id, one.object) == (model, "model") and one.created > 0
    with pytest.raises(openai.NotFoundError) as missing:
        client.models.retrieve("ada/nothing")
    assert missing.value.code == "model_not_found" and missing.value.body["type"] == "invalid_request_error"


def test_several_choices_are_told_apart_and_repeatable(model, client):
    call = {"model": model, "messages": QUESTION, "n": 3, "seed": 5, "temperature": 1.0, "max_tokens": 12}
    whole = client.chat.completions.create(**call)
    assert [choice.index for choice in whole.choices] == [0, 1, 2]
    texts = [choice.message.content for choice in whole.choices]
    assert len(set(texts)) > 1
    assert [c.message.content for c in client.chat.completions.create(**call).choices] == texts
    # Each is the answer that its own seed gives alone.
    alone = client.chat.completions.create(**{**call, "n": 1, "seed": 6})
    assert alone.choices[0].message.content == texts[1]
    assert whole.usage.prompt_tokens == alone.usage.prompt_tokens and whole.usage.completion_tokens >= 3
    streamed, roles, ends, usage = ["", "", ""], [0, 0, 0], [None] * 3, None
    for chunk in client.chat.completions.create(stream=True, stream_options={"include_usage": True}, **call):
        usage = chunk.usage or usage
        for choice in chunk.choices:
            streamed[choice.index] += choice.delta.content or ""
            roles[choice.index] += choice.delta.role == "assistant"
            ends[choice.index] = choice.finish_reason or ends[choice.index]
    assert streamed == texts and roles == [1, 1, 1] and all(ends) and usage == whole.usage


def test_lists_of_prompts_as_texts_and_as_tokens(model, client):
    both = client.completions.create(model=model, prompt=["The capital of France is", "One, two, three,"], temperature=0, max_tokens=4, n=2)
    texts = [choice.text for choice in both.choices]
    assert [choice.index for choice in both.choices] == [0, 1, 2, 3]
    assert texts[0] == texts[1] and texts[0].startswith(" Paris") and texts[2] == texts[3] and "four" in texts[2]
    scored = client.completions.create(model=model, prompt="The capital of France is", max_tokens=1, logprobs=1, echo=True)
    assert scored.choices[0].logprobs.tokens[-2] == " is"
    by_ids = client.completions.create(model=model, prompt=[504, 3575, 282, 4649, 314], temperature=0, max_tokens=4)
    assert by_ids.usage.prompt_tokens == 5


def test_a_prompt_is_scored_and_echoed(model, client):
    prompt = "The capital of France is Paris"
    scored = client.completions.create(model=model, prompt=prompt, max_tokens=0, echo=True, logprobs=2)
    choice = scored.choices[0]
    found = choice.logprobs
    assert choice.text == prompt and choice.finish_reason == "length" and scored.usage.completion_tokens == 0
    assert len(found.tokens) == len(found.token_logprobs) == len(found.top_logprobs) == len(found.text_offset) == scored.usage.prompt_tokens
    assert "".join(found.tokens) == prompt
    assert found.token_logprobs[0] is None and found.top_logprobs[0] is None and all(value <= 0 for value in found.token_logprobs[1:])
    assert [prompt[at:at + len(token)] for at, token in zip(found.text_offset, found.tokens)] == found.tokens
    assert found.token_logprobs[-1] == max(found.top_logprobs[-1].values()) > math.log(0.2)
    # What is written has the score that it has when it is read.
    written = client.completions.create(model=model, prompt="The capital of France is", max_tokens=1, temperature=0, logprobs=2, echo=True)
    assert written.choices[0].text == prompt
    assert written.choices[0].logprobs.token_logprobs == pytest.approx(found.token_logprobs, abs=1e-4)
    plain = client.completions.create(model=model, prompt=prompt, max_tokens=2, temperature=0, echo=True)
    assert plain.choices[0].text.startswith(prompt) and plain.choices[0].logprobs is None


def test_what_stands_between_is_written_by_a_model_that_has_words_for_it(shared, api, model, client, tmp_path):
    """Three of a small model's tokens are made into the words that ask for it."""
    words = ("<fim_prefix>", "<fim_suffix>", "<fim_middle>")
    folder = shared / "models/pipelines/text-generation"
    tokenizer = json.loads((folder / "tokenizer.json").read_text())
    parts = tokenizer["model"]
    for at, word in enumerate(words, len(parts["vocab"]) - 3):
        (old,) = [token for token, number in parts["vocab"].items() if number == at]
        del parts["vocab"][old]
        parts["merges"] = [pair for pair in parts["merges"] if "".join(pair) != old]
        parts["vocab"][word] = at
        tokenizer["added_tokens"].append({"id": at, "content": word, "single_word": False, "lstrip": False, "rstrip": False, "normalized": False, "special": True})
    name = "ada/fills"
    api.create_repo(name, exist_ok=True)
    api.upload_folder(repo_id=name, folder_path=folder, ignore_patterns=["tokenizer.json"])
    api.upload_file(repo_id=name, path_or_fileobj=json.dumps(tokenizer).encode(), path_in_repo="tokenizer.json")
    call = {"model": name, "max_tokens": 8, "temperature": 0}
    filled = client.completions.create(prompt=["the sea", "town"], suffix=" by the light", **call)
    written = client.completions.create(prompt=[f"{words[0]}{before}{words[1]} by the light{words[2]}" for before in ("the sea", "town")], **call)
    assert [choice.text for choice in filled.choices] == [choice.text for choice in written.choices] and filled.usage == written.usage
    assert client.completions.create(prompt="the sea", suffix="", **call).usage.prompt_tokens < filled.usage.prompt_tokens
    for refused in ({"prompt": "a", "suffix": "b", "model": model}, {"prompt": "a", "suffix": 5, **call}, {"prompt": [5, 6], "suffix": "b", **call},
                    {"prompt": "a", "suffix": "b", "echo": True, **call}):
        with pytest.raises(openai.BadRequestError) as error:
            client.completions.create(**refused)
        assert "suffix" in error.value.message and error.value.type == "invalid_request_error"


def test_sixteen_tokens_where_a_completion_says_nothing(model, client):
    answer = client.completions.create(model=model, prompt="Once upon a time", temperature=0)
    assert answer.usage.completion_tokens == 16 and answer.choices[0].finish_reason == "length"


def test_any_object(model, client):
    answer = client.chat.completions.create(model=model, messages=QUESTION, response_format={"type": "json_object"}, seed=3, max_tokens=300, temperature=0.7)
    assert answer.choices[0].finish_reason in ("stop", "length")
    if answer.choices[0].finish_reason == "stop":
        assert isinstance(json.loads(answer.choices[0].message.content), dict)


@pytest.mark.parametrize("choice", [{"type": "function", "function": {"name": "get_weather"}}, "required"])
def test_a_call_that_must_be_made_fits_its_schema(tooled, client, choice):
    call = {"model": tooled, "messages": QUESTION, "tools": [weather(), STOP], "tool_choice": choice, "seed": 4, "max_tokens": 60}
    answer = client.chat.completions.create(**call)
    message = answer.choices[0].message
    assert answer.choices[0].finish_reason == "tool_calls" and message.content is None and len(message.tool_calls) == 1
    made = message.tool_calls[0]
    arguments = json.loads(made.function.arguments)
    assert made.type == "function" and made.id
    if made.function.name == "get_weather":
        assert set(arguments) == {"city", "days"} and arguments["city"] in ("Paris", "Rome") and 1 <= arguments["days"] <= 7
    else:
        assert made.function.name == "stop_it" and arguments["why"] in ("tired", "done") and choice == "required"
    name, pieces, reasons = "", [], []
    for chunk in client.chat.completions.create(stream=True, **call):
        for part in chunk.choices[0].delta.tool_calls or []:
            name += part.function.name or ""
            pieces.append(part.function.arguments or "")
        reasons.append(chunk.choices[0].finish_reason)
    assert (name, "".join(pieces), reasons[-1]) == (made.function.name, made.function.arguments, "tool_calls")
    assert len(pieces) > 2  # As they are written.


def test_calls_among_words_are_read_in_the_familys_way(tooled, client):
    """The model is held to Hermes' words by an expression; whether it would choose them is not the question."""
    bound = {"guided_regex": r'Let me see\.\n<tool_call>\n\{"name": "get_weather", "arguments": \{"city": "(Paris|Rome)", "days": [1-7]\}\}\n</tool_call>\n'
                             r'<tool_call>\n\{"name": "stop_it", "arguments": \{\}\}\n</tool_call>'}
    call = {"model": tooled, "messages": QUESTION, "tools": [weather(), STOP], "max_tokens": 200, "seed": 1, "extra_body": bound}
    answer = client.chat.completions.create(**call)
    message = answer.choices[0].message
    assert message.content == "Let me see." and answer.choices[0].finish_reason == "tool_calls"
    assert [one.function.name for one in message.tool_calls] == ["get_weather", "stop_it"]
    assert json.loads(message.tool_calls[0].function.arguments)["city"] in ("Paris", "Rome")
    assert len({one.id for one in message.tool_calls}) == 2
    content, calls = "", {}
    for chunk in client.chat.completions.create(stream=True, **call):
        content += chunk.choices[0].delta.content or ""
        for part in chunk.choices[0].delta.tool_calls or []:
            made = calls.setdefault(part.index, ["", ""])
            made[0] += part.function.name or ""
            made[1] += part.function.arguments or ""
    assert content == "Let me see." and list(calls.values()) == [[one.function.name, one.function.arguments] for one in message.tool_calls]
    # One at most.
    one = client.chat.completions.create(parallel_tool_calls=False, **call).choices[0]
    assert [made.function.name for made in one.message.tool_calls] == ["get_weather"] and one.finish_reason == "tool_calls"
    # Nobody offered any: it is text.
    plain = client.chat.completions.create(**{**call, "tool_choice": "none"})
    assert plain.choices[0].message.tool_calls is None and plain.choices[0].message.content.startswith("Let me see.\n<tool_call>")


def test_the_answer_of_a_tool_goes_on(tooled, client):
    made = {"id": "call_1", "type": "function", "function": {"name": "get_weather", "arguments": '{"city": "Paris", "days": 1}'}}
    answer = client.chat.completions.create(model=tooled, tools=[weather()], max_tokens=8, messages=[
        *QUESTION, {"role": "assistant", "content": None, "tool_calls": [made]}, {"role": "tool", "tool_call_id": "call_1", "content": "Sunny"}])
    assert answer.choices[0].message.role == "assistant"


def test_thoughts_are_told_apart_from_the_answer(tooled, client):
    call = {"model": tooled, "messages": QUESTION, "seed": 1, "max_tokens": 100}
    free = client.chat.completions.create(**call, extra_body={"chat_template_kwargs": {"think": True}, "stop": ["."]})
    assert free.choices[0].message.reasoning_content and free.choices[0].message.content == ""
    bound = {"guided_regex": r"<think>\nParis (or|and) Rome\n</think>\n\nParis\."}
    whole = client.chat.completions.create(**call, extra_body=bound)
    # What is bound to a structure is not searched for thoughts.
    assert whole.choices[0].message.content.startswith("<think>")


@pytest.mark.parametrize("bad, param", [
    ({"tool_choice": "required"}, "tool_choice"), ({"tools": [weather()], "tool_choice": {"type": "function", "function": {"name": "f"}}}, "tool_choice"),
    ({"tools": [{"type": "browser"}]}, "tools"), ({"n": 0}, "n"), ({"n": 500}, "n"), ({"top_logprobs": 3}, "top_logprobs"), ({"temperature": 9}, "temperature"),
    ({"stop": ["a"] * 5}, "stop"), ({"extra_body": {"logprobs": 3}}, "logprobs"), ({"extra_body": {"seed": "x"}}, "seed"), ({"extra_body": {"no_such_key": 1}}, "no_such_key"),
    ({"messages": [*QUESTION, {"role": "tool", "content": "x"}]}, "messages"),
    ({"messages": [{"role": "user", "content": [{"type": "image_url", "image_url": {"url": "data:,"}}]}]}, "messages"),
    ({"tools": [weather(parameters={"type": "object", "unevaluatedProperties": False})], "tool_choice": "required"}, None)])
def test_errors_name_the_key(tooled, client, bad, param):
    with pytest.raises(openai.BadRequestError) as refused:
        client.chat.completions.create(**{"model": tooled, "messages": QUESTION, **bad})
    assert refused.value.type == "invalid_request_error" and refused.value.param == param
    assert set(refused.value.body) == {"message", "type", "param", "code"}


def test_errors_have_the_codes_that_clients_know(model, client, server, tokens):
    with pytest.raises(openai.NotFoundError) as missing:
        client.chat.completions.create(model="ada/nothing", messages=QUESTION)
    assert missing.value.code == "model_not_found"
    with pytest.raises(openai.BadRequestError) as long:
        client.chat.completions.create(model=model, messages=[{"role": "user", "content": "word " * 9000}])
    assert long.value.code == "context_length_exceeded"
    with pytest.raises(openai.AuthenticationError) as stranger:
        openai.OpenAI(base_url=server.url + "/v1", api_key="sk-nobody", max_retries=0).models.list()
    assert stranger.value.code == "invalid_api_key"
    with pytest.raises(openai.BadRequestError):
        client.embeddings.create(model=model, input="a model that writes has no vectors")


def test_a_models_own_address_is_a_base(model, server, tokens):
    own = openai.OpenAI(base_url=f"{server.url}/models/{model}/v1", api_key=tokens["ada"], max_retries=0)
    assert "Paris" in own.chat.completions.create(model="tgi", messages=QUESTION, **GREEDY).choices[0].message.content


def test_other_servers_words_for_structures(model, client):
    call = {"model": model, "messages": QUESTION, "max_tokens": 20, "temperature": 0}
    for body in ({"guided_choice": ["Rome", "Pa \"ris\""]}, {"structured_outputs": {"choice": ["Rome"]}}, {"structured_outputs": {"regex": "Rome|Oslo"}},
                 {"grammar": 'root ::= "Rome"'}, {"structured_outputs": {"grammar": 'root ::= "Rome"'}}):
        text = client.chat.completions.create(**call, extra_body=body).choices[0].message.content
        assert text in ("Rome", "Oslo", 'Pa "ris"'), (body, text)
    found = client.chat.completions.create(**call, extra_body={"structured_outputs": {"json": {"enum": [1, 2]}}}).choices[0].message.content
    assert json.loads(found) in (1, 2)
    client.chat.completions.create(**call, extra_body={"priority": 1, "cache_salt": "x", "verbosity": "low"})
    with pytest.raises(openai.BadRequestError):
        client.chat.completions.create(**call, extra_body={"guided_choice": []})


def test_inputs_of_embeddings_have_bounds(model, client):
    for bad in ("", [], [""] * 2049, [["x"]]):
        with pytest.raises(openai.BadRequestError) as refused:
            client.embeddings.create(model=model, input=bad)
        assert refused.value.param in ("input", "model"), refused.value.body
