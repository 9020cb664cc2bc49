"""holdfast model export --to triton: a model repository of Triton Inference Server, read by Triton's own definition of its configuration."""
import importlib.util
import json
import subprocess
from pathlib import Path

import pytest
from holdfast_server import program


def field(number, content):
    """A field of a protocol buffer: bytes, or a number."""
    if isinstance(content, int):
        return bytes([number << 3, content])
    return bytes([number << 3 | 2, len(content)]) + content


def value(name, kind, shape):
    dimensions = b"".join(field(1, field(1, length) if isinstance(length, int) else field(2, length.encode())) for length in shape)
    return field(1, name.encode()) + field(2, field(1, field(1, kind) + field(2, dimensions)))


def graph(inputs, outputs, weights=()):
    parts = [field(5, field(8, b"w") + field(13, field(1, b"location") + field(2, name.encode()))) for name in weights]
    parts += [field(11, value(*row)) for row in inputs] + [field(12, value(*row)) for row in outputs]
    return field(1, 8) + field(7, b"".join(parts))


CLASSIFIER = graph([("input_ids", 7, ("batch", "n"))], [("logits", 1, ("batch", 3))])


@pytest.fixture(scope="module")
def read_config():
    """config.pbtxt as Triton parses it. The module alone: its package wants gRPC."""
    found = importlib.util.find_spec("tritonclient")
    if not found:
        pytest.skip("SKIPPED: no tritonclient; tools/setup.sh test installs it")
    place = Path(found.submodule_search_locations[0]) / "grpc/model_config_pb2.py"
    spec = importlib.util.spec_from_file_location("model_config_pb2", place)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    from google.protobuf import text_format
    return lambda path: text_format.Parse(path.read_text(), module.ModelConfig())


def export(*words):
    return subprocess.run([program(), "model", "export", *map(str, words)], capture_output=True, text=True, timeout=60)


def model_folder(place, content, labels=None, **others):
    (place / "onnx").mkdir(parents=True)
    (place / "onnx/model.onnx").write_bytes(content)
    for name, text in others.items():
        (place / "onnx" / name).write_text(text)
    (place / "config.json").write_text(json.dumps({"id2label": labels} if labels else {}))
    return place


def test_a_classifier_is_laid_out_with_its_batch_and_its_labels(tmp_path, read_config):
    folder = model_folder(tmp_path / "bert", CLASSIFIER, {"0": "calm", "1": "stormy", "2": "either"})
    done = export(folder, "--to", "triton", "--out", tmp_path / "models", "--batch-max", 8, "--json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["files"] == ["bert/config.pbtxt", "bert/labels.txt", "bert/1/model.onnx"]
    config = read_config(tmp_path / "models/bert/config.pbtxt")
    assert (config.name, config.backend, config.max_batch_size) == ("bert", "onnxruntime", 8)
    assert [(row.name, row.data_type, list(row.dims)) for row in config.input] == [("input_ids", 9, [-1])]  # TYPE_INT64
    assert [(row.name, row.data_type, list(row.dims), row.label_filename) for row in config.output] == [("logits", 11, [3], "labels.txt")]
    assert config.HasField("dynamic_batching") and config.default_model_filename == "model.onnx"
    assert (tmp_path / "models/bert/labels.txt").read_text().split() == ["calm", "stormy", "either"]
    assert (tmp_path / "models/bert/1/model.onnx").read_bytes() == CLASSIFIER
    # Another version goes beside it, the same not over it.
    assert export(folder, "--to", "triton", "--out", tmp_path / "models", "--batch-max", 8, "--version", 2).returncode == 0
    again = export(folder, "--to", "triton", "--out", tmp_path / "models", "--batch-max", 8)
    other = export(folder, "--to", "triton", "--out", tmp_path / "models", "--batch-max", 4, "--version", 3)
    assert again.returncode == 1 and "already" in again.stderr and other.returncode != 0 and "config.pbtxt" in other.stderr
    assert sorted(path.name for path in (tmp_path / "models/bert").iterdir()) == ["1", "2", "config.pbtxt", "labels.txt"]


def test_weights_beside_a_graph_come_along_and_a_fixed_batch_stays(tmp_path, read_config):
    content = graph([("x", 10, (1, 4)), ("s", 8, ())], [("y", 1, (1, 4))], ["model.onnx_data"])
    folder = model_folder(tmp_path / "plain", content, **{"model.onnx_data": "weights"})
    done = export(folder, "--to", "triton", "--out", tmp_path / "models", "--name", "other")
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "models/other/1/model.onnx_data").read_text() == "weights"
    config = read_config(tmp_path / "models/other/config.pbtxt")
    assert config.max_batch_size == 0 and not config.HasField("dynamic_batching")
    assert [list(row.dims) for row in config.input] == [[1, 4], [1]] and config.input[1].HasField("reshape")


def test_what_cannot_be_laid_out_leaves_nothing(tmp_path):
    torn = model_folder(tmp_path / "torn", CLASSIFIER[:-3])
    outside = model_folder(tmp_path / "outside", graph([], [("y", 1, (1,))], ["../secret"]))
    missing = model_folder(tmp_path / "missing", graph([], [("y", 1, (1,))], ["absent.data"]))
    none = tmp_path / "none"
    none.mkdir()
    for folder, said in ((torn, "ONNX"), (outside, "outside"), (missing, "absent.data"), (none, "model.onnx")):
        done = export(folder, "--to", "triton", "--out", tmp_path / "models")
        assert done.returncode != 0 and said in done.stderr, (folder, done.stderr)
    assert export(torn, "--to", "tensorrt", "--out", tmp_path / "models").returncode == 2
    assert not list((tmp_path / "models").glob("*")) if (tmp_path / "models").exists() else True


def test_what_lies_in_the_repository_already_is_never_lost(tmp_path):
    missing = model_folder(tmp_path / "bert", graph([], [("y", 1, (1,))], ["absent.data"]))
    mine = tmp_path / "models/bert/notes.txt"
    mine.parent.mkdir(parents=True)
    mine.write_text("not a model of Triton's")
    for folder in (missing, model_folder(tmp_path / "other/bert", CLASSIFIER)):
        done = export(folder, "--to", "triton", "--out", tmp_path / "models")
        assert done.returncode != 0 and "bert" in done.stderr, done.stderr
        assert mine.read_text() == "not a model of Triton's" and [path.name for path in mine.parent.iterdir()] == ["notes.txt"]


def test_versions_of_a_model_have_the_same_labels(tmp_path):
    first = model_folder(tmp_path / "first", CLASSIFIER, {"0": "calm", "1": "stormy", "2": "either"})
    second = model_folder(tmp_path / "second", CLASSIFIER, {"0": "stormy", "1": "calm", "2": "either"})
    assert export(first, "--to", "triton", "--out", tmp_path / "models", "--name", "m").returncode == 0
    done = export(second, "--to", "triton", "--out", tmp_path / "models", "--name", "m", "--version", 2)
    assert done.returncode != 0 and "labels" in done.stderr, done.stderr
    assert (tmp_path / "models/m/labels.txt").read_text().split() == ["calm", "stormy", "either"]
    assert sorted(path.name for path in (tmp_path / "models/m").iterdir()) == ["1", "config.pbtxt", "labels.txt"]


def test_a_graph_of_an_exporter(tmp_path, shared, read_config):
    done = export(shared / "models/onnx/bert-seqcls.onnx", "--to", "triton", "--out", tmp_path / "models")
    assert done.returncode == 0, done.stderr
    config = read_config(tmp_path / "models/bert-seqcls/config.pbtxt")
    assert [row.name for row in config.input][:2] == ["input_ids", "attention_mask"] and [list(row.dims) for row in config.output] == [[3]]
