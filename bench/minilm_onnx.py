"""A BERT folder (config.json, model.safetensors) as an ONNX graph, spelled as PyTorch exports it, so that ONNX Runtime's
offline transformer optimiser recognises its parts. For bench/embed.py only."""
import json
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper
from safetensors.numpy import load_file


class Graph:
    def __init__(self):
        self.nodes, self.initializers, self.count = [], [], 0

    def constant(self, value, name=None):
        self.count += 1
        name = name or f"constant_{self.count}"
        self.initializers.append(numpy_helper.from_array(np.asarray(value), name))
        return name

    def op(self, kind, *inputs, **attributes):
        self.count += 1
        out = f"{kind}_{self.count}"
        self.nodes.append(helper.make_node(kind, list(inputs), [out], name=out, **attributes))
        return out


def export(folder, out):
    config = json.loads((Path(folder) / "config.json").read_text())
    weights = {name.removeprefix("bert."): value for name, value in load_file(str(Path(folder) / "model.safetensors")).items()}
    width, heads = config["hidden_size"], config["num_attention_heads"]
    graph = Graph()

    def dense(x, name):
        product = graph.op("MatMul", x, graph.constant(np.ascontiguousarray(weights[name + ".weight"].T), name + ".weight"))
        return graph.op("Add", graph.constant(weights[name + ".bias"], name + ".bias"), product)

    def norm(x, name):
        return graph.op("LayerNormalization", x, graph.constant(weights[name + ".weight"], name + ".weight"),
                        graph.constant(weights[name + ".bias"], name + ".bias"), axis=-1, epsilon=config["layer_norm_eps"])

    words = graph.op("Gather", graph.constant(weights["embeddings.word_embeddings.weight"], "words"), "input_ids")
    types = graph.op("Gather", graph.constant(weights["embeddings.token_type_embeddings.weight"], "types"), "token_type_ids")
    length = graph.op("Gather", graph.op("Shape", "input_ids"), graph.constant(np.int64(1)))
    ends = graph.op("Unsqueeze", length, graph.constant(np.array([0], np.int64)))
    all_positions = graph.constant(np.arange(config["max_position_embeddings"], dtype=np.int64)[None])
    rows = graph.op("Slice", all_positions, graph.constant(np.array([0], np.int64)), ends, graph.constant(np.array([1], np.int64)))
    positions = graph.op("Gather", graph.constant(weights["embeddings.position_embeddings.weight"], "positions"), rows)
    x = norm(graph.op("Add", graph.op("Add", words, types), positions), "embeddings.LayerNorm")

    mask = graph.op("Unsqueeze", graph.op("Unsqueeze", "attention_mask", graph.constant(np.array([1], np.int64))),
                    graph.constant(np.array([2], np.int64)))
    mask = graph.op("Sub", graph.constant(np.float32(1)), graph.op("Cast", mask, to=TensorProto.FLOAT))
    mask = graph.op("Mul", mask, graph.constant(np.float32(np.finfo(np.float32).min)))

    def split(x):
        shape = graph.constant(np.array([0, 0, heads, width // heads], np.int64))
        return graph.op("Reshape", x, shape)

    for layer in range(config["num_hidden_layers"]):
        at = f"encoder.layer.{layer}."
        query = graph.op("Transpose", split(dense(x, at + "attention.self.query")), perm=[0, 2, 1, 3])
        key = graph.op("Transpose", split(dense(x, at + "attention.self.key")), perm=[0, 2, 3, 1])
        value = graph.op("Transpose", split(dense(x, at + "attention.self.value")), perm=[0, 2, 1, 3])
        scores = graph.op("Div", graph.op("MatMul", query, key), graph.constant(np.float32(np.sqrt(width // heads))))
        shares = graph.op("Softmax", graph.op("Add", scores, mask), axis=-1)
        context = graph.op("Transpose", graph.op("MatMul", shares, value), perm=[0, 2, 1, 3])
        context = graph.op("Reshape", context, graph.constant(np.array([0, 0, width], np.int64)))
        x = norm(graph.op("Add", dense(context, at + "attention.output.dense"), x), at + "attention.output.LayerNorm")
        inner = dense(x, at + "intermediate.dense")
        erf = graph.op("Erf", graph.op("Div", inner, graph.constant(np.float32(np.sqrt(2)))))
        gelu = graph.op("Mul", graph.op("Mul", inner, graph.op("Add", erf, graph.constant(np.float32(1)))), graph.constant(np.float32(0.5)))
        x = norm(graph.op("Add", dense(gelu, at + "output.dense"), x), at + "output.LayerNorm")
    graph.nodes.append(helper.make_node("Identity", [x], ["last_hidden_state"]))

    inputs = [helper.make_tensor_value_info(name, TensorProto.INT64, ["batch", "length"])
              for name in ("input_ids", "attention_mask", "token_type_ids")]
    outputs = [helper.make_tensor_value_info("last_hidden_state", TensorProto.FLOAT, ["batch", "length", width])]
    model = helper.make_model(helper.make_graph(graph.nodes, "bert", inputs, outputs, graph.initializers),
                              opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.checker.check_model(model)
    onnx.save(model, str(out))
