"""Inference Endpoints by every generation of huggingface_hub, with what each sends where its user says nothing."""
import uuid

import pytest
from huggingface_hub import InferenceClient, constants, hf_api
from huggingface_hub.errors import HfHubHTTPError

WAIT_SECONDS = 60


@pytest.fixture
def manager(server, monkeypatch, api):
    for module in (constants, hf_api):
        if hasattr(module, "INFERENCE_ENDPOINTS_ENDPOINT"):
            monkeypatch.setattr(module, "INFERENCE_ENDPOINTS_ENDPOINT", server.url + "/api/inference-endpoints/v2")
    return api


def test_an_endpoints_life(manager, repo, shared, tokens):
    manager.upload_folder(repo_id=repo, folder_path=shared / "models/pipelines/fill-mask")
    name = "life-" + uuid.uuid4().hex[:6]
    endpoint = manager.create_inference_endpoint(name, repository=repo, framework="pytorch", task="fill-mask", accelerator="cpu", vendor="holdfast",
                                                 region="local", instance_size="x1", instance_type="local", namespace="ada")
    assert endpoint.wait(timeout=WAIT_SECONDS, refresh_every=1).status == "running"
    client = InferenceClient(endpoint.url, token=tokens["ada"])
    best = client.fill_mask("the [MASK]")[0]
    assert best.score > 0 and best.token_str
    assert endpoint.pause().status == "paused" and endpoint.resume().status in ("pending", "initializing", "running")
    endpoint.wait(timeout=WAIT_SECONDS, refresh_every=1)
    assert endpoint.scale_to_zero().status == "scaledToZero"
    assert endpoint.update(min_replica=0, max_replica=2).raw["compute"]["scaling"]["maxReplica"] == 2
    assert name in [one.name for one in manager.list_inference_endpoints(namespace="ada")]
    assert manager.get_inference_endpoint(name, namespace="ada").repository == repo
    endpoint.delete()
    with pytest.raises(HfHubHTTPError) as missing:
        manager.get_inference_endpoint(name, namespace="ada")
    assert missing.value.response.status_code == 404
