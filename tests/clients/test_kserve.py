"""The open inference protocol by Triton's own client, with binary tensors and without."""
import numpy
import pytest

from test_embeddings import NAME, cosines, golden, model  # noqa: F401 - fixtures

triton = pytest.importorskip("tritonclient.http", reason="SKIPPED: no tritonclient; tools/setup.sh test installs it")
from tritonclient.utils import InferenceServerException  # noqa: E402


@pytest.fixture
def client(server):
    return triton.InferenceServerClient(server.url.partition("//")[2])


@pytest.fixture
def headers(tokens):
    return {"Authorization": f"Bearer {tokens['ada']}"}


def texts(values, binary):
    tensor = triton.InferInput("text", [len(values)], "BYTES")
    tensor.set_data_from_numpy(numpy.array(values, dtype=object), binary_data=binary)
    return [tensor]


def test_the_server_says_that_it_is_there(client):
    assert client.is_server_live() and client.is_server_ready()
    assert "binary_tensor_data" in client.get_server_metadata()["extensions"]


def test_a_model_says_what_it_takes(model, client, headers):
    assert client.is_model_ready(model, headers=headers)
    known = client.get_model_metadata(model, headers=headers)
    assert known["inputs"] == [{"name": "text", "datatype": "BYTES", "shape": [-1]}]
    assert known["outputs"] == [{"name": "embedding", "datatype": "FP32", "shape": [-1, 384]}]
    assert client.get_model_metadata(model, known["versions"][0], headers=headers)["name"] == model


@pytest.mark.parametrize("binary_in", [True, False])
@pytest.mark.parametrize("binary_out", [True, False, None])
def test_vectors_are_the_reference_vectors(model, golden, client, headers, binary_in, binary_out):
    values = [case["text"] for case in golden["cases"]][:4]
    outputs = None if binary_out is None else [triton.InferRequestedOutput("embedding", binary_data=binary_out)]
    answer = client.infer(model, texts(values, binary_in), outputs=outputs, request_id="seven", headers=headers)
    vectors = answer.as_numpy("embedding")
    assert vectors.shape == (len(values), 384) and answer.get_response()["id"] == "seven"
    assert cosines(vectors, [case["embedding"] for case in golden["cases"]][:4]).min() >= 0.99999


def test_classes_and_any_other_task(shared, client, headers):
    from huggingface_hub import HfApi
    import json
    for task in ("text-classification", "fill-mask"):
        HfApi().create_repo(f"ada/v2-{task}", exist_ok=True)
        HfApi().upload_folder(repo_id=f"ada/v2-{task}", folder_path=shared / "models/pipelines" / task)
        case = json.loads((shared / "models/pipelines" / task / "golden.json").read_text())["cases"][0]
        answer = client.infer(f"ada/v2-{task}", texts([case["args"][0]] * 2, True), headers=headers)
        if task == "text-classification":
            assert [label.decode() for label in answer.as_numpy("label")] == [case["output"][0]["label"]] * 2
            assert answer.as_numpy("score").tolist() == pytest.approx([case["output"][0]["score"]] * 2, abs=1e-3)
        else:
            assert [one["token"] for one in json.loads(answer.as_numpy("json")[0])] == [one["token"] for one in case["output"]]


@pytest.mark.parametrize("binary", [True, False])
def test_the_likeliest_classes_come_as_triton_writes_them(shared, client, headers, binary):
    from huggingface_hub import HfApi
    name = "ada/v2-classes"
    HfApi().create_repo(name, exist_ok=True)
    HfApi().upload_folder(repo_id=name, folder_path=shared / "models/pipelines/text-classification")
    wish = [triton.InferRequestedOutput("score", binary_data=binary, class_count=2), triton.InferRequestedOutput("label", binary_data=binary)]
    answer = client.infer(name, texts(["a fine day", "rain"], True), outputs=wish, headers=headers)
    classes = answer.as_numpy("score")
    assert classes.shape == (2, 2)
    plain = lambda text: text.decode() if isinstance(text, bytes) else text  # noqa: E731 - as the client has it without the binary form.
    for row, label in zip(classes, answer.as_numpy("label")):
        (best, index, named), (second, _, _) = [plain(one).split(":") for one in row]
        assert named == plain(label) and float(best) >= float(second) and int(index) >= 0
    with pytest.raises(InferenceServerException):
        client.infer(NAME, texts(["x"], True), outputs=[triton.InferRequestedOutput("embedding", class_count=2)], headers=headers)


def test_an_endpoint_is_a_server_of_its_own(model, server, tokens, headers):
    from huggingface_hub import HfApi
    revision = HfApi().model_info(model).sha
    made = server.http("POST", "/api/endpoints/ada", tokens["ada"], {"name": "vectors", "model": model, "revision": revision})
    assert made.status in (201, 409), made.body
    own = triton.InferenceServerClient(server.url.partition("//")[2] + "/endpoints/ada/vectors")
    assert own.is_server_live(headers=headers)
    answer = own.infer("whatever", texts(["x"], True), headers=headers)
    assert answer.as_numpy("embedding").shape == (1, 384)
    info = server.http("GET", "/endpoints/ada/vectors/info", tokens["ada"])
    assert info.status == 200 and info.json()["model_sha"] == revision
    assert server.http("GET", "/endpoints/ada/vectors/ping", tokens["ada"]).status == 200
    listed = server.http("GET", "/endpoints/ada/vectors/v1/models", tokens["ada"]).json()
    assert [one["id"] for one in listed["data"]] == [model]
    called = server.http("POST", "/endpoints/ada/vectors/invocations", tokens["ada"], {"inputs": "x"})
    assert called.status == 200 and len(called.json()) == 384


def test_the_repository_its_configuration_and_what_was_measured(model, server, client, headers):
    client.load_model(model, headers=headers)
    commit = client.get_model_metadata(model, headers=headers)["versions"][0]
    assert {"name": model, "version": commit, "state": "READY", "reason": ""} in client.get_model_repository_index(headers=headers)
    config = client.get_model_config(model, headers=headers)
    assert config["input"] == [{"name": "text", "data_type": "TYPE_STRING", "dims": [-1]}] and config["max_batch_size"] == 0
    assert config["output"] == [{"name": "embedding", "data_type": "TYPE_FP32", "dims": [-1, 384]}]
    assert client.get_model_config(model, commit, headers=headers) == config

    def counted(found):
        (one,) = [each for each in found["model_stats"] if each["version"] == commit[:12]]
        assert one["name"] == model and one["inference_stats"]["compute_infer"]["ns"] > 0
        return one["inference_count"], one["inference_stats"]["success"]["count"]

    client.infer(model, texts(["x"], True), headers=headers)
    inputs, calls = counted(client.get_inference_statistics(model, headers=headers))
    client.infer(model, texts(["x", "y", "z"], True), headers=headers)
    assert counted(client.get_inference_statistics(model, commit, headers=headers)) == (inputs + 3, calls + 1)
    assert counted(client.get_inference_statistics(headers=headers))[0] == inputs + 3
    for refused in (lambda: client.unload_model(model, headers=headers), lambda: client.load_model(model, headers=headers, config="{}"),
                    lambda: client.load_model("ada/never-made", headers=headers), lambda: client.get_trace_settings(headers=headers),
                    lambda: client.update_log_settings({}, headers=headers), lambda: client.get_system_shared_memory_status(headers=headers),
                    lambda: client.register_cuda_shared_memory("a", b"x", 0, 1, headers=headers)):
        with pytest.raises(InferenceServerException) as error:
            refused()
        assert error.value.message() and int(error.value.status()) >= 400, error.value
    client.infer(model, texts(["still there"], True), headers=headers, timeout=60_000_000)
    for odd in ({"priority": 1}, {"sequence_id": 7, "sequence_start": True}, {"timeout": -1}):
        with pytest.raises(InferenceServerException) as error:
            client.infer(model, texts(["x"], True), headers=headers, **odd)
        assert next(iter(odd)) in error.value.message()
    assert server.http("POST", f"/v2/models/{model}/generate", headers["Authorization"].split()[1], {"text_input": "x"}).json()["error"].startswith("this is not answered here")


def test_an_endpoints_figures_stand_at_its_own_address(model, server, tokens, headers, stranger):
    made = server.http("POST", "/api/endpoints/ada", tokens["ada"], {"name": "figures", "model": model})
    assert made.status in (201, 409), made.body
    for _ in range(3):
        assert server.http("POST", "/endpoints/ada/figures/embed", tokens["ada"], {"inputs": "x"}).status == 200
    text = server.http("GET", "/endpoints/ada/figures/metrics", tokens["ada"]).body.decode()
    for name in ("holdfast_serve_requests_total", "tgi_request_count", "te_request_success", "vllm:request_success_total"):
        (line,) = [line for line in text.splitlines() if line.startswith(name + "{") and ('outcome="answered"' in line or "outcome" not in line)]
        assert float(line.rpartition(" ")[2]) >= 3, line
    assert "holdfast_http" not in text
    assert server.http("GET", "/endpoints/ada/figures/metrics").status == 401
    assert server.http("GET", "/endpoints/ada/figures/metrics", stranger.token).status in (200, 404)


def test_errors_are_its_own(model, client, headers):
    for name, values in (("ada/never-made", ["x"]), ("nobody", ["x"]), (model, [])):
        with pytest.raises(InferenceServerException) as refused:
            client.infer(name, texts(values, False), headers=headers)
        assert refused.value.message()
    wrong = triton.InferInput("text", [1], "FP32")
    wrong.set_data_from_numpy(numpy.zeros(1, dtype=numpy.float32))
    with pytest.raises(InferenceServerException):
        client.infer(model, [wrong], headers=headers)
    with pytest.raises(InferenceServerException):
        client.infer(model, texts(["x"], True), outputs=[triton.InferRequestedOutput("logits")], headers=headers)
