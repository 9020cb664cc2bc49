"""Images and sounds through the real clients: huggingface_hub's InferenceClient, openai's transcriptions, and the program itself."""
import base64
import json
import os
import subprocess
import urllib.error
import urllib.request

import openai
import pytest
from huggingface_hub import HfApi, InferenceClient
from huggingface_hub.errors import HfHubHTTPError


@pytest.fixture(scope="module")
def known():
    return {}


@pytest.fixture
def hosted(known, shared):
    def put(task):
        if task not in known:
            name = known[task] = "ada/signals-" + task
            HfApi().create_repo(name, exist_ok=True)
            HfApi().upload_folder(repo_id=name, folder_path=shared / "models/pipelines" / task)
        return known[task]
    return put


@pytest.fixture
def ask(hosted, server, tokens):
    def client(task):
        return InferenceClient(base_url=f"{server.url}/models/{hosted(task)}", token=tokens["ada"], timeout=120)
    return client


def cases(shared, task):
    folder = shared / "models/pipelines" / task
    for case in json.loads((folder / "golden.json").read_text())["cases"]:
        yield (folder / case["args"][0]).resolve(), case["kwargs"], case["output"]


def close(scores, wanted):
    assert [one["label"] for one in scores] == [one["label"] for one in wanted]
    assert all(abs(one["score"] - other["score"]) < 1e-4 for one, other in zip(scores, wanted))


def test_images_are_classified_as_by_the_reference(shared, ask):
    client = ask("image-classification")
    for path, kwargs, wanted in cases(shared, "image-classification"):
        close(client.image_classification(path, **kwargs), wanted)  # With parameters: JSON and base64.
        close(client.image_classification(path), wanted[:5])  # Without: the bytes as they are.


def test_speech_is_written_as_by_the_reference(shared, ask):
    client = ask("automatic-speech-recognition-ctc")
    for path, _, wanted in cases(shared, "automatic-speech-recognition-ctc"):
        assert client.automatic_speech_recognition(path).text == wanted["text"]


def test_openai_transcribes(shared, hosted, server, tokens):
    name = hosted("automatic-speech-recognition-ctc")
    client = openai.OpenAI(base_url=f"{server.url}/v1", api_key=tokens["ada"], max_retries=0)
    path, _, wanted = next(cases(shared, "automatic-speech-recognition-ctc"))
    with path.open("rb") as file:
        assert client.audio.transcriptions.create(model=name, file=file).text == wanted["text"]
    with path.open("rb") as file:
        words = client.audio.transcriptions.create(model=name, file=file, response_format="verbose_json", timestamp_granularities=["word"])
    assert words.words and words.words[-1].end <= words.duration + 0.1
    assert "".join(word.word for word in words.words) == wanted["text"].replace(" ", "")
    with path.open("rb") as file:
        assert client.audio.transcriptions.create(model=name, file=file, response_format="text").strip() == wanted["text"]
    with path.open("rb") as file, pytest.raises(openai.NotFoundError):
        client.audio.transcriptions.create(model="ada/nowhere", file=file)
    with path.open("rb") as file, pytest.raises(openai.BadRequestError):
        client.audio.transcriptions.create(model=name, file=file, response_format="xml")
    with pytest.raises(openai.APIStatusError) as refused:
        client.audio.transcriptions.create(model=name, file=("a.wav", b"no sound at all"))
    assert refused.value.status_code == 415


def test_what_is_wrong_is_told(shared, ask):
    client = ask("image-classification")
    with pytest.raises(HfHubHTTPError) as refused:
        client.image_classification(b"GIF89a no picture")
    assert refused.value.response.status_code == 415
    sound = next(cases(shared, "automatic-speech-recognition-ctc"))[0]
    with pytest.raises(HfHubHTTPError) as refused:
        client.image_classification(sound.read_bytes())
    assert refused.value.response.status_code == 415
    image = next(cases(shared, "image-classification"))[0]
    with pytest.raises(HfHubHTTPError) as refused:
        client.image_classification(image.read_bytes()[:200])
    assert refused.value.response.status_code == 400


def test_a_file_that_is_too_large_is_refused_at_every_door(shared, hosted, server, tokens, ask):
    """25 MiB, as OpenAI's own limit is: told as such, and the next file is answered."""
    name = hosted("automatic-speech-recognition-ctc")
    client = openai.OpenAI(base_url=f"{server.url}/v1", api_key=tokens["ada"], max_retries=0)
    path, _, wanted = next(cases(shared, "automatic-speech-recognition-ctc"))
    large = path.read_bytes() + bytes(26 << 20)
    with pytest.raises(openai.APIStatusError) as refused:
        client.audio.transcriptions.create(model=name, file=("long.wav", large))
    assert refused.value.status_code == 413 and "larger than" in refused.value.message
    with pytest.raises(HfHubHTTPError) as told:
        ask("automatic-speech-recognition-ctc").automatic_speech_recognition(large)
    assert told.value.response.status_code == 413
    with path.open("rb") as file:
        assert client.audio.transcriptions.create(model=name, file=file).text == wanted["text"]


def test_a_model_of_texts_takes_no_file(shared, hosted, server, tokens):
    name = hosted("text-classification")
    request = urllib.request.Request(f"{server.url}/models/{name}", data=b"\x89PNG\r\n\x1a\n\0\0\"\x7f", method="POST",
                                     headers={"Authorization": f"Bearer {tokens['ada']}", "Content-Type": "image/png"})
    with pytest.raises(urllib.error.HTTPError) as refused:
        urllib.request.urlopen(request)
    assert refused.value.code == 415


def test_guardrails_are_not_passed_by_what_they_cannot_read(shared, hosted, server, tokens):
    """A stage before the model reads texts: where it closes, an image is refused in either spelling."""
    made = server.http("POST", "/api/endpoints/ada", tokens["ada"], {"name": "eyes", "model": hosted("image-classification")})
    assert made.status == 201, made.body
    image = next(cases(shared, "image-classification"))[0].read_bytes()

    def asked(body, kind):
        request = urllib.request.Request(f"{server.url}/endpoints/ada/eyes", data=body, method="POST",
                                         headers={"Authorization": f"Bearer {tokens['ada']}", "Content-Type": kind})
        try:
            with urllib.request.urlopen(request) as answer:
                return answer.status
        except urllib.error.HTTPError as error:
            return error.code
    spellings = [(image, "image/png"), (json.dumps({"inputs": base64.b64encode(image).decode()}).encode(), "application/json")]
    assert [asked(*one) for one in spellings] == [200, 200]
    for failing, wanted in (("closed", False), ("open", True)):
        stage = {"place": "before", "words": ["lighthouse"], "failing": failing}
        set_to = server.http("PUT", "/api/endpoints/ada/eyes/guardrails", tokens["ada"], {"guardrails": [stage]})
        assert set_to.status == 200, set_to.body
        assert [asked(*one) == 200 for one in spellings] == [wanted, wanted]


def test_the_program_runs_a_task_on_a_file(shared, hosted):
    program = os.environ.get("HOLDFAST_PROGRAM", "build/holdfast")
    folder = shared / "models/pipelines/image-classification"
    for path, _, wanted in cases(shared, "image-classification"):
        named = subprocess.run([program, "run", "image-classification", folder, path], capture_output=True, text=True, timeout=120)
        assert named.returncode == 0, named.stderr
        close(json.loads(named.stdout), wanted[:5])
        with path.open("rb") as file:
            piped = subprocess.run([program, "run", "image-classification", folder], stdin=file, capture_output=True, text=True, timeout=120)
        assert piped.stdout == named.stdout
