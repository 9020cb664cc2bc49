#!/usr/bin/env python3
"""Writes tests/golden/models/FAMILY/VARIANT for models of sounds that the reference data lack: tiny configurations of transformers with random
weights in bf16, biases, norms and running statistics shaken, and what transformers computes with them in fp32 of a padded batch.

usage: PYTHON_WITH_TRANSFORMERS tools/make_sound_goldens.py [FAMILY...] (transformers 5.23.0, torch 2.15.0)
"""
import json
import pathlib
import sys

import torch
import transformers as t
from safetensors.torch import load_file, save_file

SEED = 41
ROOT = pathlib.Path(__file__).resolve().parent.parent / "tests/golden/models"
SIZES = dict(hidden_size=16, num_hidden_layers=2, num_attention_heads=2, intermediate_size=20, conv_dim=(6, 8), conv_stride=(5, 3), conv_kernel=(8, 3),
             num_conv_pos_embeddings=6, num_conv_pos_embedding_groups=2, vocab_size=9)
VOICES = dict(tdnn_dim=(6, 7), tdnn_kernel=(3, 2), tdnn_dilation=(2, 1), xvector_output_dim=5)
STABLE = dict(do_stable_layer_norm=True, feat_extract_norm="layer", conv_bias=True)
LENGTHS, WIDTH = (180, 133), 180


def models():
    return [
        ("wavlm", "voices", t.WavLMForXVector,
         t.WavLMConfig(**SIZES, **VOICES, **STABLE, num_buckets=8, max_bucket_distance=12, use_weighted_layer_sum=True)),
    ]


def make(family, variant, kind, config):
    torch.manual_seed(SEED)
    out = ROOT / family / variant
    model = kind(config).eval()
    for name, values in [*model.named_parameters(), *model.named_buffers()]:
        if not values.is_floating_point():
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
    mask = (torch.arange(WIDTH)[None] < torch.tensor(LENGTHS)[:, None]).long()
    inputs = {"input_values": torch.randn(len(LENGTHS), WIDTH) * mask, "attention_mask": mask}
    with torch.no_grad():
        answer = model(**inputs)
    outputs = {key: value.clone() for key, value in answer.items() if torch.is_tensor(value)}
    names = dict(inputs={key: f"padded.in.{key}" for key in inputs}, outputs={key: f"padded.out.{key}" for key in outputs})
    tensors = {names[side][key]: value.contiguous() for side, values in (("inputs", inputs), ("outputs", outputs)) for key, value in values.items()}
    save_file(tensors, out / "golden.safetensors")
    about = dict(arch=f"{family}/{variant}", cls=kind.__name__, seed=SEED, versions=dict(transformers=t.__version__, torch=torch.__version__),
                 cases=[dict(name="padded", kind="forward", **names)])
    (out / "golden.json").write_text(json.dumps(about, indent=1) + "\n")


for row in models():
    if len(sys.argv) < 2 or row[0] in sys.argv[1:]:
        make(*row)
