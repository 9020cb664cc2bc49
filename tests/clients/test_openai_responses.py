"""The openai client's responses and moderations: whole, streamed in order, tools, schemas, refusals."""
import json

import openai
import pytest

from test_chat import FILE, QUESTION, SCHEMA, client, model  # noqa: F401 - fixtures
from test_openai import tooled, weather  # noqa: F401 - fixtures
from test_inference_client import hosted  # noqa: F401 - fixtures

ASK = "What is the capital of France?"
GREEDY = {"temperature": 0, "max_output_tokens": 24}


def flat(tool):
    return {"type": "function", "strict": True, **tool["function"]}


def replay(stream):
    """Puts events together as their words say; the response of the last one."""
    events = list(stream)
    assert [event.sequence_number for event in events] == list(range(len(events)))
    assert [event.type for event in events[:2]] == ["response.created", "response.in_progress"]
    items, open_item = [], None
    for event in events[2:-1]:
        if event.type == "response.output_item.added":
            assert open_item is None and event.output_index == len(items)
            open_item = {"id": event.item.id, "type": event.item.type, "text": "", "parts": 0}
            continue
        if event.type == "response.output_item.done":
            assert event.item.id == open_item["id"] and event.item.type == open_item["type"]
            whole = event.item.arguments if event.item.type == "function_call" else event.item.content[0].text
            assert whole == open_item["text"]
            items.append(event.item)
            open_item = None
            continue
        if event.type == "response.content_part.added":
            open_item["parts"] += 1
        elif event.type.endswith(".delta"):
            assert event.item_id == open_item["id"] and event.output_index == len(items)
            open_item["text"] += event.delta
        elif event.type in ("response.output_text.done", "response.reasoning_text.done"):
            assert event.text == open_item["text"]
        elif event.type == "response.function_call_arguments.done":
            assert event.arguments == open_item["text"]
    last = events[-1]
    assert open_item is None and last.type == "response." + last.response.status
    assert [item.id for item in last.response.output] == [item.id for item in items]
    return last.response, events


def test_a_response_is_the_chats_answer_whole_and_streamed(model, client):
    chat = client.chat.completions.create(model=model, messages=QUESTION, temperature=0, max_tokens=24)
    whole = client.responses.create(model=model, input=ASK, **GREEDY)
    assert whole.output_text == chat.choices[0].message.content and whole.status == "completed" and whole.error is None
    assert whole.usage.input_tokens == chat.usage.prompt_tokens and whole.usage.output_tokens == chat.usage.completion_tokens
    assert whole.usage.total_tokens == chat.usage.total_tokens and whole.id.startswith("resp_") and whole.model == model
    assert (whole.temperature, whole.max_output_tokens, whole.tool_choice, whole.tools, whole.metadata) == (0, 24, "auto", [], {})
    streamed, events = replay(client.responses.create(model=model, input=ASK, stream=True, **GREEDY))
    assert streamed.output_text == whole.output_text and streamed.usage == whole.usage
    assert sum(event.type == "response.output_text.delta" for event in events) > 2
    counted = client.responses.input_tokens.count(model=model, input=ASK)
    assert counted.input_tokens == whole.usage.input_tokens


def test_items_are_the_messages_that_they_stand_for(model, client):
    chat = client.chat.completions.create(model=model, temperature=0, max_tokens=12, messages=[
        {"role": "system", "content": "Be brief."}, {"role": "user", "content": "One?"}, {"role": "assistant", "content": "Two."}, {"role": "user", "content": "Three?"}])
    answer = client.responses.create(model=model, instructions="Be brief.", temperature=0, max_output_tokens=12, metadata={"a": "b"}, input=[
        {"role": "user", "content": "One?"}, {"type": "message", "role": "assistant", "id": "msg_1", "status": "completed",
                                              "content": [{"type": "output_text", "text": "Two.", "annotations": []}]},
        {"role": "user", "content": [{"type": "input_text", "text": "Three?"}]}])
    assert answer.output_text == chat.choices[0].message.content and answer.usage.input_tokens == chat.usage.prompt_tokens
    assert answer.instructions == "Be brief." and answer.metadata == {"a": "b"}


def test_a_limit_makes_it_incomplete_and_scores_are_told(model, client):
    call = {"model": model, "input": ASK, "temperature": 0, "max_output_tokens": 2, "top_logprobs": 3, "include": ["message.output_text.logprobs"]}
    short = client.responses.create(**call)
    assert short.status == "incomplete" and short.incomplete_details.reason == "max_output_tokens" and short.usage.output_tokens == 2
    assert short.output[0].status == "incomplete"
    scores = short.output[0].content[0].logprobs
    assert len(scores) == 2 and all(len(one.top_logprobs) == 3 and one.logprob <= 0 for one in scores)
    streamed, events = replay(client.responses.create(stream=True, **call))
    assert streamed.status == "incomplete" and sum(len(event.logprobs) for event in events if event.type == "response.output_text.delta") == 2


def test_an_answer_bound_to_a_schema_fits_it(model, client):
    answer = client.responses.create(model=model, input=ASK, temperature=1.2, max_output_tokens=80, extra_body={"seed": 1},
                                     text={"format": {"type": "json_schema", "name": "answer", "strict": True, "schema": SCHEMA}})
    assert set(json.loads(answer.output_text)) == {"city", "people"} and answer.text.format.name == "answer"


def test_tools_are_called_and_their_answers_go_on(tooled, client):
    call = {"model": tooled, "input": ASK, "tools": [flat(weather())], "tool_choice": {"type": "function", "name": "get_weather"},
            "max_output_tokens": 60, "extra_body": {"seed": 4}}
    whole = client.responses.create(**call)
    made, = whole.output
    assert made.type == "function_call" and made.name == "get_weather" and made.call_id and json.loads(made.arguments)["city"] in ("Paris", "Rome")
    streamed, events = replay(client.responses.create(stream=True, **call))
    assert streamed.output[0].arguments == made.arguments
    assert sum(event.type == "response.function_call_arguments.delta" for event in events) > 2
    follow = client.responses.create(model=tooled, tools=[flat(weather())], max_output_tokens=8, input=[
        {"role": "user", "content": ASK}, made.model_dump(exclude_none=True), {"type": "function_call_output", "call_id": made.call_id, "output": "Sunny"}])
    assert follow.output[0].type == "message"


@pytest.mark.parametrize("bad, param", [
    ({"previous_response_id": "resp_1"}, "previous_response_id"), ({"background": True}, "background"), ({"temperature": 9}, "temperature"),
    ({"input": [{"role": "king", "content": "x"}]}, "input"), ({"input": [{"role": "user", "content": [{"type": "input_image", "image_url": "x"}]}]}, "input"),
    ({"tools": [{"type": "web_search"}]}, "tools"), ({"max_output_tokens": 0}, "max_output_tokens"), ({"truncation": "auto"}, "truncation"),
    ({"include": ["file_search_call.results"]}, "include"),
    ({"text": {"format": {"type": "json_schema", "name": "x", "schema": {"type": "object", "unevaluatedProperties": False}}}}, None)])
def test_what_cannot_be_names_its_key(model, client, bad, param):
    for stream in (False, True):
        with pytest.raises(openai.BadRequestError) as refused:
            client.responses.create(**{"model": model, "input": ASK, "stream": stream, **bad})
        assert set(refused.value.body) == {"message", "type", "param", "code"} and (param is None or refused.value.param == param)


def test_nothing_is_stored(model, client):
    made = client.responses.create(model=model, input=ASK, store=True, max_output_tokens=16)
    with pytest.raises(openai.NotFoundError):
        client.responses.retrieve(made.id)
    with pytest.raises(openai.NotFoundError) as missing:
        client.responses.create(model="ada/nothing", input=ASK)
    assert missing.value.code == "model_not_found"


def test_a_classifier_moderates(shared, hosted, api, client, model):
    name = hosted(shared / "models/pipelines/text-classification")
    with pytest.raises(openai.BadRequestError) as refused:
        client.moderations.create(model=name, input="x")
    assert refused.value.param == "model" and "moderation.json" in refused.value.body["message"]
    labels = list(json.loads((shared / "models/pipelines/text-classification/config.json").read_text())["id2label"].values())
    told = json.dumps({"labels": {labels[0]: "hate", labels[1]: "self-harm/intent"}, "threshold": 0.0}).encode()
    api.upload_file(repo_id=name, path_or_fileobj=told, path_in_repo="moderation.json")
    texts = ["You are nice.", "I hate it " * 3]
    answer = client.moderations.create(model=name, input=texts)
    assert len(answer.results) == 2 and answer.id.startswith("modr-") and answer.model == name
    for text, result in zip(texts, answer.results):
        scores = {one["label"]: one["score"] for one in api_classes(client, name, text)}
        assert result.category_scores.hate == pytest.approx(scores[labels[0]]) and result.category_scores.self_harm_intent == pytest.approx(scores[labels[1]])
        assert result.flagged and result.categories.hate and not result.categories.violence and result.category_scores.violence == 0
        assert result.category_applied_input_types.hate == ["text"]
    parts = client.moderations.create(model=name, input=[{"type": "text", "text": texts[0]}])
    assert parts.results == answer.results[:1]
    for bad in ({"input": [{"type": "image_url", "image_url": {"url": "data:"}}]}, {"input": []}):
        with pytest.raises(openai.BadRequestError) as refused:
            client.moderations.create(model=name, **bad)
        assert refused.value.param == "input"
    with pytest.raises(openai.BadRequestError) as refused:
        client.moderations.create(model=model, input="A model that writes does not classify.")
    assert refused.value.param == "model"


def api_classes(client, name, text):
    from huggingface_hub import InferenceClient
    return [{"label": one.label, "score": one.score} for one in
            InferenceClient(base_url=str(client.base_url).rsplit("/v1", 1)[0] + f"/models/{name}", token=client.api_key).text_classification(text)]
