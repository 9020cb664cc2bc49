"""./dev bench signals: models that see and hear beside PyTorch, OpenVINO and ONNX Runtime, one model after the other.

Models have the sizes people run (ViT-B/16, CLIP's B/32 tower, ResNet-50, ConvNeXt-T, Swin-T, DETR, wav2vec2-base, AST, Whisper-base's
encoder) and random weights, made at bench time; engines take turns in every round, figures are medians over rounds, threads are
pinned to the same CPUs. The cosine beside each engine is the worst of its answers' rows with PyTorch's in f32.

usage: signals.py [--program build/holdfast] [--models vit,resnet,...] [--rounds 3] [--seconds 1] [--threads 1] [--batch 1,8]
                  [--clock wall|cpu] [--peers torch,openvino]
Needs: pip install -r bench/requirements-signals.txt (not installed by set-up).
"""
import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path


def models():
    """Name: (configuration, class of transformers, name and shape of the input of one item, the answer compared)."""
    import transformers as t
    image, second = (3, 224, 224), 16000
    dab = {"num_labels": 100}
    return {
        "vit": (t.ViTConfig(**dab), t.ViTForImageClassification, "pixel_values", image, "logits"),
        "clip": (t.CLIPVisionConfig(patch_size=32), t.CLIPVisionModel, "pixel_values", image, "pooler_output"),
        "dinov2": (t.Dinov2Config(hidden_size=384, num_attention_heads=6, image_size=518), t.Dinov2Model, "pixel_values", image,
                   "last_hidden_state"),
        "resnet": (t.ResNetConfig(**dab), t.ResNetForImageClassification, "pixel_values", image, "logits"),
        "convnext": (t.ConvNextConfig(**dab), t.ConvNextForImageClassification, "pixel_values", image, "logits"),
        "swin": (t.SwinConfig(**dab), t.SwinForImageClassification, "pixel_values", image, "logits"),
        "detr": (t.DetrConfig(use_timm_backbone=False, use_pretrained_backbone=False, backbone=None,
                              backbone_config=t.ResNetConfig(out_features=["stage4"]), num_labels=91),
                 t.DetrForObjectDetection, "pixel_values", (3, 480, 640), "logits"),
        "wav2vec2": (t.Wav2Vec2Config(vocab_size=32), t.Wav2Vec2ForCTC, "input_values", (10 * second,), "logits"),
        "ast": (t.ASTConfig(num_labels=527), t.ASTForAudioClassification, "input_values", (1024, 128), "logits"),
        "whisper": (t.WhisperConfig(d_model=512, encoder_layers=6, decoder_layers=6, encoder_attention_heads=8,
                                    decoder_attention_heads=8, encoder_ffn_dim=2048, decoder_ffn_dim=2048, num_labels=20),
                    t.WhisperForAudioClassification, "input_features", (80, 3000), "logits"),
    }


def make(name, folder):
    """Random weights of that configuration, saved as transformers saves them; norms that have seen something."""
    import torch
    config, kind, given, shape, answer = models()[name]
    torch.manual_seed(1)
    model = kind(config).eval()
    for module in model.modules():
        if getattr(module, "running_mean", None) is not None:
            module.running_mean.normal_(0, 0.05)
            module.running_var.uniform_(0.8, 1.2)
    model.save_pretrained(folder)
    return model, given, shape, answer


class Torch:
    def __init__(self, model, given, answer, dtype):
        import copy

        import torch
        self.torch, self.name, self.given, self.answer = torch, f"PyTorch {dtype}", given, answer
        self.dtype = getattr(torch, dtype)
        self.model = copy.deepcopy(model).to(self.dtype)

    def ready(self, values):
        tensor = self.torch.from_numpy(values).to(self.dtype)

        def run():
            with self.torch.inference_mode():
                return self.model(**{self.given: tensor})[self.answer].float().numpy()
        return run


class OpenVino:
    def __init__(self, graph, answer, threads, precision):
        import openvino
        self.name, self.answer, self.graph, self.core = f"OpenVINO {precision}", answer, graph, openvino.Core()
        self.settings = {"INFERENCE_NUM_THREADS": threads, "NUM_STREAMS": 1, "INFERENCE_PRECISION_HINT": precision,
                         "ENABLE_CPU_PINNING": False}

    def ready(self, values):
        model = self.core.read_model(self.graph)
        model.reshape({0: list(values.shape)})
        request = self.core.compile_model(model, "CPU", self.settings).create_infer_request()
        return lambda: request.infer({0: values}, share_inputs=True)[0]


def openvino_graph(model, given, shape, answer, out):
    """The same model as OpenVINO's file, traced by it; None where it is not installed or refuses."""
    try:
        import openvino
        import torch

        class One(torch.nn.Module):
            def __init__(self):
                super().__init__()
                self.model = model

            def forward(self, values):
                return self.model(**{given: values})[answer]
        openvino.save_model(openvino.convert_model(One().eval(), example_input=torch.zeros(1, *shape)), str(out), compress_to_fp16=False)
        return str(out)
    except Exception as error:  # noqa: BLE001 - any trouble of an optional peer
        print(f"no OpenVINO: {type(error).__name__}: {str(error).splitlines()[0]}", file=sys.stderr)
        return None


def cosine(got, exact):
    import numpy as np
    a, b = (np.asarray(x, np.float64).reshape(len(exact), -1) for x in (got, exact))
    return float(((a * b).sum(1) / np.sqrt((a * a).sum(1) * (b * b).sum(1))).min())


def ours(arguments, folder, given, dtype):
    command = [arguments.program, "bench", "forward", folder, given, "--threads", str(arguments.threads), "--dtype", dtype, "--seconds",
               str(max(1, round(arguments.seconds))), "--json"]
    found = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    return found["calls_per_cpu_second" if arguments.clock == "cpu" else "calls_per_second"]


def speed(run, seconds, now):
    """Calls a second, by the median call."""
    times, end = [], time.perf_counter() + seconds
    run()
    while not times or time.perf_counter() < end:
        began = now()
        run()
        times.append(now() - began)
    return 1 / statistics.median(times)


def compare(arguments, name, now, work):
    import numpy as np
    from safetensors.numpy import load_file, save_file
    folder = work / name
    model, given, shape, answer = make(name, folder)
    graph = openvino_graph(model, given, shape, answer, work / f"{name}.xml") if "openvino" in arguments.peers else None
    engines = [Torch(model, given, answer, dtype) for dtype in ("float32", "bfloat16")] if "torch" in arguments.peers else []
    engines += [OpenVino(graph, answer, arguments.threads, precision) for precision in ("f32", "bf16")] if graph else []
    reference = Torch(model, given, answer, "float32")
    for rows in (int(word) for word in arguments.batch.split(",")):
        values = np.random.default_rng(rows).standard_normal((rows, *shape)).astype(np.float32)
        exact = reference.ready(values)()
        file, answers = str(work / "in.safetensors"), str(work / "out.safetensors")
        save_file({given: values}, file)
        near, speeds, runs = {}, {}, {}
        for engine in engines:
            runs[engine.name] = engine.ready(values)
            near[engine.name] = cosine(runs[engine.name](), exact)
        mine = [f"holdfast {dtype}" for dtype in arguments.dtypes.split(",")]
        for title in mine:
            subprocess.run([arguments.program, "forward", str(folder), file, answers, "--dtype", title.split()[1]], check=True,
                           capture_output=True)
            near[title] = cosine(load_file(answers)[answer], exact)
        for _ in range(arguments.rounds):
            for title, run in runs.items():
                speeds.setdefault(title, []).append(rows * speed(run, arguments.seconds, now))
            for title in mine:
                speeds.setdefault(title, []).append(rows * ours(arguments, str(folder), file, title.split()[1]))
        middle = {title: statistics.median(found) for title, found in speeds.items()}
        for title in mine:
            bound = 0.999 if title != "holdfast int8" else 0.99
            rivals = [rival for rival in runs if near[rival] >= bound and (title != "holdfast f32" or "32" in rival)]
            if near[title] < bound or not rivals:
                continue
            best = max(rivals, key=middle.get)
            ratio = statistics.median(a / b for a, b in zip(speeds[title], speeds[best]))
            print(json.dumps({"bench": "signals", "model": name, "batch": rows, "threads": arguments.threads, "cosine_at_least": bound,
                              "ours": title, "best_peer": best, "ratio": round(ratio, 3)}), flush=True)
        print(f"{name}, batch {rows}, {arguments.threads} threads")
        for title, value in sorted(middle.items(), key=lambda item: -item[1]):
            print(f"  {title:18} {value:9.2f} items/s  cosine {near[title]:.5f}", flush=True)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--program", default="build/holdfast")
    parser.add_argument("--models", default="vit,clip,dinov2,resnet,convnext,swin,detr,wav2vec2,ast,whisper")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=1)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--batch", default="1,8")
    parser.add_argument("--dtypes", default="f32,bf16,int8")
    parser.add_argument("--peers", default="torch,openvino")
    parser.add_argument("--clock", choices=["wall", "cpu"], default="wall",
                        help="cpu: processor time of one thread, which a machine shared with others disturbs less")
    arguments = parser.parse_args()
    if arguments.clock == "cpu" and arguments.threads != 1:
        raise SystemExit("--clock cpu compares one thread with one thread")
    try:
        import torch
        import transformers
    except ImportError:
        raise SystemExit("the models are made by PyTorch and transformers: pip install -r bench/requirements-signals.txt") from None
    transformers.logging.set_verbosity_error()
    torch.set_num_threads(arguments.threads)
    os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[-arguments.threads:])
    now = time.process_time if arguments.clock == "cpu" else time.perf_counter
    with tempfile.TemporaryDirectory() as work:
        for name in arguments.models.split(","):
            compare(arguments, name, now, Path(work))


if __name__ == "__main__":
    main()
