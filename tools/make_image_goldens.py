#!/usr/bin/env python3
"""Writes tests/golden/models/FAMILY/VARIANT for models of images: tiny configurations of transformers with random weights in bf16, biases, norms
and running statistics shaken, and what transformers computes with them in fp32. Sizes are such that positions are brought to another grid,
windows are padded and shifted, and the edges of convolutions count. Families that the reference data lack, and windows.

usage: PYTHON_WITH_TRANSFORMERS tools/make_image_goldens.py [FAMILY...] (transformers 5.23.0, torch 2.15.0)
"""
import json
import pathlib
import sys

import torch
import transformers as t
from safetensors.torch import load_file, save_file

SEED = 37
ROOT = pathlib.Path(__file__).resolve().parent.parent / "tests/golden/models"
SIZES = dict(hidden_size=16, num_hidden_layers=1, num_attention_heads=2, intermediate_size=20)
PATCHES = dict(image_size=12, patch_size=4)
DINO = dict(PATCHES, hidden_size=16, num_hidden_layers=1, num_attention_heads=2, mlp_ratio=2)
WINDOWS = dict(image_size=12, patch_size=2, embed_dim=8, depths=[2, 1], num_heads=[2, 2], window_size=3, mlp_ratio=2.0)
FLAG = {"interpolate_pos_encoding": True}


def models():
    pair = dict(text_config=dict(SIZES, vocab_size=40, max_position_embeddings=8), vision_config=dict(SIZES, **PATCHES))
    return [
        ("deit", "teacher", t.DeiTForImageClassificationWithTeacher, t.DeiTConfig(**SIZES, **PATCHES, num_labels=3), (2, 3, 20, 16), FLAG),
        ("dinov2_with_registers", "smaller", t.Dinov2WithRegistersModel, t.Dinov2WithRegistersConfig(**DINO, num_register_tokens=2, qkv_bias=False),
         (2, 3, 9, 17), {}),
        ("siglip", "pair", t.SiglipModel, t.SiglipConfig(**pair), (2, 3, 12, 12), {}),
        ("convnextv2", "classes", t.ConvNextV2ForImageClassification,
         t.ConvNextV2Config(hidden_sizes=[6, 8], depths=[1, 1], num_stages=2, num_labels=3), (2, 3, 17, 13), {}),
        ("beit", "distances", t.BeitForImageClassification,
         t.BeitConfig(**dict(SIZES, hidden_size=8), **PATCHES, use_relative_position_bias=True, use_shared_relative_position_bias=True, num_labels=3),
         (2, 3, 12, 12), {}),
        ("dinov3_vit", "places", t.DINOv3ViTModel, t.DINOv3ViTConfig(**dict(SIZES, hidden_size=8), **PATCHES, num_register_tokens=1, use_gated_mlp=True),
         (2, 3, 9, 12), {}),
        ("regnet", "squeezed", t.RegNetForImageClassification,
         t.RegNetConfig(embedding_size=6, hidden_sizes=[8, 8], depths=[1, 1], groups_width=4, num_labels=3), (2, 3, 13, 11), {}),
        ("yolos", "between", t.YolosForObjectDetection,
         t.YolosConfig(**dict(SIZES, hidden_size=8, num_hidden_layers=2), image_size=[8, 12], patch_size=4, num_detection_tokens=2, num_labels=2),
         (2, 3, 12, 9), {}),
        ("swin", "padded", t.SwinModel, t.SwinConfig(**WINDOWS), (2, 3, 11, 16), {}),
    ]


def inputs_of(family, shape, flags):
    inputs = {"pixel_values": torch.randn(shape)}
    if family == "siglip":
        inputs["input_ids"] = torch.randint(3, 40, (2, 7))
    return inputs, {**inputs, **flags}


def make(family, variant, kind, config, shape, flags):
    torch.manual_seed(SEED)
    out = ROOT / family / variant
    model = kind(config).eval()
    for name, values in [*model.named_parameters(), *model.named_buffers()]:
        if not values.is_floating_point() or name.endswith("inv_freq"):
            continue
        if name.endswith("running_var"):
            values.data.uniform_(0.5, 1.5)
        elif values.dim() > 1:
            values.data.normal_(0, 1.2 / max(values[0].numel(), 4) ** 0.5)
        else:
            values.data.add_(torch.randn_like(values) * 0.2)
        values.data = values.data.to(torch.bfloat16).float()
    model.save_pretrained(out)
    weights = load_file(out / "model.safetensors")
    save_file({key: value.to(torch.bfloat16) if value.is_floating_point() else value for key, value in weights.items()}, out / "model.safetensors",
              {"format": "pt"})
    inputs, arguments = inputs_of(family, shape, flags)
    with torch.no_grad():
        answer = model(**arguments)
    outputs = {key: value.clone() for key, value in answer.items() if torch.is_tensor(value)}
    inputs.update({key: torch.tensor([int(value)]) for key, value in flags.items()})
    names = dict(inputs={key: f"all.in.{key}" for key in inputs}, outputs={key: f"all.out.{key}" for key in outputs})
    tensors = {names[side][key]: value.contiguous() for side, values in (("inputs", inputs), ("outputs", outputs)) for key, value in values.items()}
    save_file(tensors, out / "golden.safetensors")
    scale = {key: float(value.abs().max()) for key, value in outputs.items()}
    about = dict(arch=f"{family}/{variant}", cls=kind.__name__, seed=SEED, versions=dict(transformers=t.__version__, torch=torch.__version__),
                 cases=[dict(name="all", kind="forward", **names, scale=scale)])
    (out / "golden.json").write_text(json.dumps(about, indent=1) + "\n")


for row in models():
    if len(sys.argv) < 2 or row[0] in sys.argv[1:]:
        make(*row)
