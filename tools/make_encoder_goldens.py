#!/usr/bin/env python3
"""Writes tests/golden/models/FAMILY/VARIANT for encoders that the reference data lack: tiny configurations of transformers with random weights,
biases and norms shaken, and what transformers computes with them in fp32. Rows are padded on the right, in left/ on the left too.

usage: PYTHON_WITH_TRANSFORMERS tools/make_encoder_goldens.py [FAMILY...] (transformers 5.23.0, torch 2.15.0)
"""
import json
import pathlib
import sys

import torch
import transformers
from safetensors.torch import load_file, save_file

SEED, V, B, L = 31, 61, 4, 15
ROOT = pathlib.Path(__file__).resolve().parent.parent / "tests/golden/models"
SIZES = dict(vocab_size=V, hidden_size=16, num_attention_heads=2, num_hidden_layers=2, intermediate_size=20, max_position_embeddings=24,
             initializer_range=0.4, pad_token_id=1)
NAMES = ("last_hidden_state", "pooler_output", "logits", "start_logits", "end_logits")


def models():
    t = transformers
    electra = dict(SIZES, embedding_size=12, hidden_act="tanh")
    distances = dict(SIZES, relative_attention=True, max_relative_positions=5, position_biased_input=False, type_vocab_size=2)
    sparse = dict(SIZES, block_size=4, num_random_blocks=1, use_bias=False, rescale_embeddings=True, hidden_act="relu")
    grouped = dict(SIZES, q_groups=4, k_groups=2, v_groups=1, post_attention_groups=2, intermediate_groups=4, output_groups=2, embedding_size=16)
    return [
        ("electra", "choices-mean", t.ElectraForMultipleChoice, t.ElectraConfig(**electra, summary_type="mean", summary_activation="tanh")),
        ("electra", "choices-last", t.ElectraForMultipleChoice,
         t.ElectraConfig(**electra, summary_type="last", summary_use_proj=False, summary_activation="")),
        ("bert", "left", t.BertForSequenceClassification, t.BertConfig(**SIZES, num_labels=3)),
        ("mpnet", "left", t.MPNetForSequenceClassification, t.MPNetConfig(**SIZES, num_labels=1)),
        ("big_bird", "words", t.BigBirdForMaskedLM, t.BigBirdConfig(**sparse)),
        ("big_bird", "classes", t.BigBirdForSequenceClassification, t.BigBirdConfig(**sparse)),
        ("deberta", "words", t.DebertaForMaskedLM, t.DebertaConfig(**distances, pos_att_type=["c2p", "p2c"])),
        ("deberta", "classes", t.DebertaForSequenceClassification, t.DebertaConfig(**distances, pos_att_type="p2c", pooler_hidden_size=16)),
        ("dpr", "questions", t.DPRQuestionEncoder, t.DPRConfig(**SIZES, projection_dim=6)),
        ("esm", "rotary", t.EsmForMaskedLM,
         t.EsmConfig(**SIZES, mask_token_id=9, token_dropout=True, position_embedding_type="rotary", emb_layer_norm_before=True)),
        ("esm", "absolute", t.EsmForSequenceClassification, t.EsmConfig(**SIZES, mask_token_id=9, position_embedding_type="absolute")),
        ("eurobert", "late", t.EuroBertForSequenceClassification,
         t.EuroBertConfig(**dict(SIZES, num_attention_heads=4), num_key_value_heads=2, attention_bias=True, classifier_pooling="late")),
        ("eurobert", "words", t.EuroBertForMaskedLM, t.EuroBertConfig(**SIZES, mlp_bias=True)),
        ("gte", "words", t.GteForMaskedLM, t.GteConfig(**SIZES)),
        ("gte", "classes", t.GteForSequenceClassification, t.GteConfig(**SIZES, type_vocab_size=0)),
        ("ibert", "words", t.IBertForMaskedLM, t.IBertConfig(**SIZES)),
        ("jina_embeddings_v3", "base", t.JinaEmbeddingsV3Model, t.JinaEmbeddingsV3Config(**SIZES, type_vocab_size=2)),
        ("rembert", "words", t.RemBertForMaskedLM, t.RemBertConfig(**SIZES, input_embedding_size=12, output_embedding_size=14)),
        ("roformer", "answers", t.RoFormerForQuestionAnswering, t.RoFormerConfig(**SIZES, embedding_size=12, rotary_value=True, num_labels=2)),
        ("squeezebert", "labels", t.SqueezeBertForTokenClassification, t.SqueezeBertConfig(**grouped)),
        ("xlm-roberta-xl", "classes", t.XLMRobertaXLForSequenceClassification, t.XLMRobertaXLConfig(**SIZES)),
    ]


def inputs_of(variant, config, model):
    ids, mask = torch.randint(3, V, (B, L)), torch.ones(B, L, dtype=torch.long)
    for row, length in enumerate((L, 7, 1, 11)):
        mask[row, length:] = 0
    if variant == "left":
        mask[1], mask[3] = mask[1].flip(0), mask[3].flip(0)
    ids[mask == 0] = config.pad_token_id
    inputs = dict(input_ids=ids, attention_mask=mask)
    if getattr(config, "type_vocab_size", 0) > 1 and config.model_type not in ("ibert", "mpnet"):
        inputs["token_type_ids"] = torch.randint(0, config.type_vocab_size, (B, L))
    if "MultipleChoice" in type(model).__name__:
        inputs = {key: value.view(2, 2, L) for key, value in inputs.items()}
    return inputs


def make(family, variant, kind, config):
    torch.manual_seed(SEED)
    out = ROOT / family / variant
    out.mkdir(parents=True, exist_ok=True)
    model = kind(config).eval()
    for name, parameter in model.named_parameters():
        if "embed_positions" in name:  # Computed, not learned, and not kept.
            continue
        if parameter.dim() == 1:
            parameter.data.add_(torch.randn_like(parameter) * 0.2)
        parameter.data = parameter.data.to(torch.bfloat16).float()
    model.save_pretrained(out)
    weights = load_file(out / "model.safetensors")
    save_file({key: value.to(torch.bfloat16) if value.is_floating_point() else value for key, value in weights.items()}, out / "model.safetensors",
              {"format": "pt"})
    inputs = inputs_of(variant, config, model)
    with torch.no_grad():
        answer = model(**inputs, output_hidden_states=True)
    outputs = {key: answer[key].clone() for key in NAMES if answer.get(key) is not None}
    if family == "dpr":
        outputs["last_hidden_state"] = answer["hidden_states"][-1].clone()
    for value in outputs.values():
        if value.shape[:2] == (B, L):
            value[inputs["attention_mask"] == 0] = 0
    names = dict(inputs={key: f"padded.in.{key}" for key in inputs}, outputs={key: f"padded.out.{key}" for key in outputs})
    tensors = {names[side][key]: value.contiguous() for side, values in (("inputs", inputs), ("outputs", outputs)) for key, value in values.items()}
    save_file(tensors, out / "golden.safetensors")
    scale = {key: float(value.abs().max()) for key, value in outputs.items()}
    about = dict(arch=f"{family}/{variant}", cls=kind.__name__, seed=SEED,
                 versions=dict(transformers=transformers.__version__, torch=torch.__version__),
                 cases=[dict(name="padded", kind="forward", **names, scale=scale)])
    (out / "golden.json").write_text(json.dumps(about, indent=1) + "\n")


for row in models():
    if len(sys.argv) < 2 or row[0] in sys.argv[1:]:
        make(*row)
