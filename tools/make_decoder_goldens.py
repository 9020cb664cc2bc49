#!/usr/bin/env python3
"""Writes tests/golden/models/FAMILY/random for the decoder families that the reference data lack: a tiny configuration of transformers with
random weights and norms shaken, and what transformers computes with them in fp32.

usage: PYTHON_WITH_TRANSFORMERS tools/make_decoder_goldens.py [FAMILY...] (transformers 5.23.0, torch 2.15.0)
"""
import json
import pathlib
import sys

import torch
import transformers
from safetensors.torch import load_file, save_file

SEED, V = 29, 61
ROOT = pathlib.Path(__file__).resolve().parent.parent / "tests/golden/models"
SIZES = dict(vocab_size=V, hidden_size=16, num_attention_heads=4, num_hidden_layers=2, intermediate_size=20, max_position_embeddings=48,
             initializer_range=0.3, bos_token_id=1, eos_token_id=2, pad_token_id=0)
GROUPED = dict(SIZES, num_key_value_heads=2)
OLDER = dict(vocab_size=V, n_embd=16, n_head=2, n_layer=2, n_positions=48, initializer_range=0.3, bos_token_id=1, eos_token_id=2, pad_token_id=0)


def rope(kind="default", **more):
    return dict(rope_type=kind, rope_theta=10000.0, **more)


def configs():
    t = transformers
    opt = {key: value for key, value in SIZES.items() if key not in ("initializer_range", "intermediate_size")}
    return {
        "opt": t.OPTConfig(**opt, init_std=0.3, ffn_dim=20, word_embed_proj_dim=12, do_layer_norm_before=False),
        "gptj": t.GPTJConfig(**OLDER, rotary_dim=4),
        "gemma2": t.Gemma2Config(**GROUPED, head_dim=8, query_pre_attn_scalar=10, sliding_window=5, attn_logit_softcapping=5.0,
                                 final_logit_softcapping=6.0),
        "phi": t.PhiConfig(**GROUPED, qk_layernorm=True, rope_parameters=rope(partial_rotary_factor=0.5)),
        "olmo2": t.Olmo2Config(**GROUPED, attention_bias=True),
        "granite": t.GraniteConfig(**GROUPED, attention_bias=True, mlp_bias=True, embedding_multiplier=3.0, logits_scaling=2.0,
                                   residual_multiplier=0.5, attention_multiplier=0.2, tie_word_embeddings=True),
        "stablelm": t.StableLmConfig(**GROUPED, use_qkv_bias=True, qk_layernorm=True, use_parallel_residual=True,
                                     rope_parameters=rope(partial_rotary_factor=0.5)),
        "qwen2_moe": t.Qwen2MoeConfig(**GROUPED, num_experts=4, num_experts_per_tok=2, moe_intermediate_size=12,
                                      shared_expert_intermediate_size=10, norm_topk_prob=True, decoder_sparse_step=1, mlp_only_layers=[0]),
    }


def make(family, config):
    torch.manual_seed(SEED)
    out = ROOT / family / "random"
    out.mkdir(parents=True, exist_ok=True)
    model = transformers.AutoModelForCausalLM.from_config(config, attn_implementation="eager").eval()
    for parameter in model.parameters():
        if parameter.dim() == 1:
            parameter.data.add_(torch.randn_like(parameter) * 0.2)
        parameter.data = parameter.data.to(torch.bfloat16).float()
    model.save_pretrained(out)
    weights = load_file(out / "model.safetensors")
    save_file({name: value.to(torch.bfloat16) for name, value in weights.items()}, out / "model.safetensors", {"format": "pt"})
    tensors, cases = {}, []

    def keep(case, inputs, outputs, **more):
        names = {"inputs": {}, "outputs": {}}
        for side, part, values in (("inputs", "in", inputs), ("outputs", "out", outputs)):
            for key, value in values.items():
                names[side][key] = f"{case}.{part}.{key}"
                tensors[f"{case}.{part}.{key}"] = value.detach().clone().contiguous()
        cases.append(dict(name=case, **names, **more))

    ids, mask = torch.randint(3, V, (3, 13)), torch.ones(3, 13, dtype=torch.long)
    mask[1, 9:], mask[2, 4:] = 0, 0
    ids[mask == 0] = 0
    inputs = dict(input_ids=ids, attention_mask=mask)
    with torch.no_grad():
        logits = model(**inputs, use_cache=False).logits
        logits[mask == 0] = 0
        keep("padded", inputs, dict(logits=logits), kind="forward", scale=dict(logits=float(logits.abs().max())))
        ids, mask = torch.randint(3, V, (2, 9)), torch.ones(2, 9, dtype=torch.long)
        mask[1, :4], ids[1, :4] = 0, 0
        whole, padded = dict(input_ids=ids[:1], attention_mask=mask[:1]), dict(input_ids=ids, attention_mask=mask)
        plain = dict(max_new_tokens=14, do_sample=False, num_beams=1, use_cache=True, pad_token_id=0)
        for case, given, settings in (("greedy", whole, plain), ("greedy_left_padded_batch", padded, plain),
                                      ("greedy_rep_penalty", whole, dict(plain, repetition_penalty=1.3))):
            wish = transformers.GenerationConfig(**settings)
            wish.eos_token_id = None
            model.generation_config.eos_token_id = None
            keep(case, given, dict(sequences=model.generate(**given, generation_config=wish)), kind="generate", generate=settings)
    model.generation_config.save_pretrained(out)
    settings = json.loads((out / "generation_config.json").read_text())
    settings.pop("eos_token_id", None)
    (out / "generation_config.json").write_text(json.dumps(settings, indent=1) + "\n")
    save_file(tensors, out / "golden.safetensors")
    about = dict(arch=f"{family}/random", task="text-generation", cls=type(model).__name__, seed=SEED,
                 versions=dict(transformers=transformers.__version__, torch=torch.__version__), cases=cases)
    (out / "golden.json").write_text(json.dumps(about, indent=1) + "\n")


for name, wanted in configs().items():
    if len(sys.argv) < 2 or name in sys.argv[1:]:
        make(name, wanted)
