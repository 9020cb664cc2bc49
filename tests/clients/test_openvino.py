"""Graphs of other formats through `holdfast forward` and `holdfast run` on OpenVINO: the ONNX goldens, magika's model from its package
(answers as ONNX Runtime gave them), TensorFlow Lite and IR, and a text task whose answer our own runtime gives too."""
import json
import os
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

TREE = Path(__file__).resolve().parents[2]
PROGRAM = Path(os.environ.get("HOLDFAST_PROGRAM", TREE / "build" / "holdfast"))
SHARED = Path(os.environ.get("HOLDFAST_SHARED", TREE.parent / "shared")) / "data" / "models"
ENVIRONMENT = TREE / "build" / "env-openvino"
GRAPHS = TREE / "tests" / "golden" / "graphs"

needs_openvino = pytest.mark.skipif(not list(ENVIRONMENT.glob("lib/python3*/site-packages/openvino/libs/libopenvino_c.so*")),
                                    reason="OpenVINO is not installed in build/env-openvino: tools/setup.sh test does it")
needs_goldens = pytest.mark.skipif(not (SHARED / "onnx").is_dir(),
                                   reason="the reference data is not here: HOLDFAST_SHARED (default ../shared) names no folder that holds it")


def holdfast(*words, place=ENVIRONMENT):
    ours = {**os.environ, "HOLDFAST_OPENVINO": str(place)}
    return subprocess.run([PROGRAM, *map(str, words)], capture_output=True, text=True, timeout=120, env=ours)


def forward(folder, model, inputs, *words):
    save_file({name: np.ascontiguousarray(value) for name, value in inputs.items()}, folder / "in")
    ran = holdfast("forward", model, folder / "in", folder / "out", *words)
    assert ran.returncode == 0, ran.stderr
    return load_file(folder / "out")


def site_packages():
    return next(ENVIRONMENT.glob("lib/python3*/site-packages"))


@needs_openvino
@needs_goldens
@pytest.mark.parametrize("place", ["environment", "package", "library"])
def test_the_onnx_goldens(tmp_path, place):
    package = site_packages() / "openvino"
    places = {"environment": ENVIRONMENT, "package": package, "library": next((package / "libs").glob("libopenvino_c.so*"))}
    golden = json.loads((SHARED / "onnx/golden.json").read_text())
    tensors = load_file(SHARED / "onnx/golden.safetensors")
    for case in golden["cases"]:
        got = forward(tmp_path, SHARED / "onnx" / golden["file"], {name: tensors[key] for name, key in case["inputs"].items()},
                      "--openvino", places[place])
        assert sorted(got) == sorted(case["outputs"])
        for name, key in case["outputs"].items():
            assert got[name].shape == tensors[key].shape
            assert np.abs(got[name] - tensors[key]).max() <= 1e-4 * np.abs(tensors[key]).max(), case["name"]


MAGIKA = {  # Label, and its score by ONNX Runtime.
    "python": ("import os\n\n\ndef main(path):\n    for name in sorted(os.listdir(path)):\n        print(name)\n\n\n"
               "if __name__ == '__main__':\n    main('.')\n" * 3, 0.9999723434448242),
    "json": (json.dumps([{"name": f"a{i}", "value": i, "list": [1, 2, {"x": None}]} for i in range(12)], indent=1), 0.8985539674758911),
    "html": ("<!doctype html><html><head><title>A page</title></head><body><h1>Hello</h1><p>Some text.</p>"
             "<ul><li>one</li><li>two</li></ul></body></html>" * 2, 0.9276237487792969),
}


@needs_openvino
def test_magika_tells_what_a_file_is(tmp_path):
    folder = site_packages() / "magika/models/standard_v3_3"
    labels = json.loads((folder / "config.min.json").read_text())["target_labels_space"]

    def features(text):
        data = list(text.encode().strip())
        return data[:1024] + [256] * max(0, 1024 - len(data)) + [256] * max(0, 1024 - len(data)) + data[-1024:]

    rows = np.array([features(text) for text, _ in MAGIKA.values()], np.int64)  # The graph takes 32 bits.
    scores = forward(tmp_path, folder, {"bytes": rows})["target_label"]
    assert scores.shape == (3, len(labels))
    for row, (label, (_, score)) in zip(scores, MAGIKA.items(), strict=True):
        assert labels[row.argmax()] == label
        assert abs(row.max() - score) < 1e-4


@needs_openvino
@pytest.mark.parametrize("file", ["tiny.tflite", "tiny.xml"])
def test_tensorflow_lite_and_ir(tmp_path, file):
    got = forward(tmp_path, GRAPHS / file, {"x": np.array([[1, 1, 2]], np.float32)})
    assert got["y"].tolist() == [[19.0, -10.5]]


@pytest.fixture
def text_folder(tmp_path):
    """The exported golden with the files of a text model: a tokenizer of its 120 words, and labels."""
    folder = tmp_path / "text"
    folder.mkdir()
    shutil.copy(SHARED / "bert/sequence-classification/config.json", folder)
    tokenizer = json.loads((SHARED / "pipelines/text-classification/tokenizer.json").read_text())
    tokenizer["model"]["vocab"] = {word: id for word, id in tokenizer["model"]["vocab"].items() if id < 120}
    (folder / "tokenizer.json").write_text(json.dumps(tokenizer))
    shutil.copy(SHARED / "pipelines/text-classification/tokenizer_config.json", folder)
    return folder


@needs_openvino
@needs_goldens
def test_a_text_task_answers_as_our_own_runtime_does(text_folder):
    texts = json.dumps(["I love this film, it is wonderful!", "no", "a terrible waste of an evening and of a good cast"])
    answers = []
    for weights in (SHARED / "bert/sequence-classification/model.safetensors", SHARED / "onnx/bert-seqcls.onnx"):
        kept = text_folder / f"model{weights.suffix}"
        shutil.copy(weights, kept)
        ran = holdfast("run", "text-classification", text_folder, texts, "--parameters", '{"top_k": 3}')
        assert ran.returncode == 0, ran.stderr
        answers.append(json.loads(ran.stdout))
        kept.unlink()
    own, graph = answers
    assert len(own) == len(graph) == 3
    for left, right in zip(own, graph, strict=True):
        assert [one["label"] for one in left] == [one["label"] for one in right]
        assert all(abs(a["score"] - b["score"]) < 1e-5 for a, b in zip(left, right, strict=True))


@needs_openvino
@needs_goldens
def test_what_does_not_fit_is_refused(tmp_path):
    model = SHARED / "onnx/bert-seqcls.onnx"
    ids = np.ones((1, 4), np.int64)

    def refused(inputs, word, model=model, *words):
        save_file(inputs, tmp_path / "in")
        ran = holdfast("forward", model, tmp_path / "in", tmp_path / "out", *words)
        assert ran.returncode != 0 and word in ran.stderr, ran.stderr
        assert not (tmp_path / "out").exists()

    refused({"attention_mask": ids}, "input_ids")
    refused({"input_ids": ids, "pixels": ids}, "pixels")
    refused({"input_ids": ids.astype(np.float32)}, "input_ids")
    refused({"input_ids": np.ones((4,), np.int64)}, "input_ids")
    refused({"input_ids": ids}, "int8", model, "--dtype", "int8")
    for size in (0, 100, 200_000):
        (tmp_path / "torn.onnx").write_bytes(model.read_bytes()[:size])
        refused({"input_ids": ids}, "torn.onnx", tmp_path / "torn.onnx")


@needs_goldens
def test_without_openvino_it_says_what_to_install(tmp_path):
    save_file({"input_ids": np.ones((1, 4), np.int64)}, tmp_path / "in")
    for place in (tmp_path, tmp_path / "nowhere"):
        ran = holdfast("forward", SHARED / "onnx/bert-seqcls.onnx", tmp_path / "in", tmp_path / "out", place=place)
        assert ran.returncode == 1 and "pip install openvino" in ran.stderr, ran.stderr
