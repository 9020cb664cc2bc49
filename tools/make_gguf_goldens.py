#!/usr/bin/env python3
"""Adds tests/golden/models/gguf/ARCHITECTURE.gguf for architectures that the reference data lack: a tiny random model of transformers under the
names that the gguf package knows, its matrices in blocks, and what transformers computes with the dequantised weights in fp32.

usage: PYTHON_WITH_TRANSFORMERS tools/make_gguf_goldens.py (transformers 5.23.0, torch 2.15.0, gguf 0.19.0)
"""
import json
import pathlib

import gguf
import numpy
import torch
import transformers as t
from gguf import MODEL_ARCH, GGMLQuantizationType, GGUFWriter, quants
from safetensors.torch import load_file, save_file

SEED, V, WIDTH = 31, 64, 64
ROOT = pathlib.Path(__file__).resolve().parent.parent / "tests/golden/models/gguf"
SIZES = dict(vocab_size=V, hidden_size=WIDTH, num_attention_heads=4, num_key_value_heads=2, num_hidden_layers=2, intermediate_size=64,
             max_position_embeddings=64, initializer_range=0.1, bos_token_id=1, eos_token_id=2, pad_token_id=0)
EXPERTS = dict(num_experts=4, num_experts_per_tok=2, moe_intermediate_size=32)


def models():
    return {
        MODEL_ARCH.GPT2: t.GPT2Config(vocab_size=V, n_embd=WIDTH, n_head=4, n_layer=2, n_positions=64, initializer_range=0.1),
        MODEL_ARCH.GEMMA2: t.Gemma2Config(**SIZES, head_dim=16, query_pre_attn_scalar=16, sliding_window=8),
        MODEL_ARCH.QWEN2MOE: t.Qwen2MoeConfig(**SIZES, **EXPERTS, shared_expert_intermediate_size=32, norm_topk_prob=False),
        MODEL_ARCH.STABLELM: t.StableLmConfig(**SIZES, use_qkv_bias=True, rope_parameters=dict(
            rope_type="default", rope_theta=10000.0, partial_rotary_factor=0.25)),
    }


def describe(writer, config):
    writer.add_context_length(64)
    writer.add_embedding_length(WIDTH)
    writer.add_block_count(2)
    writer.add_head_count(4)
    if isinstance(config, t.GPT2Config):
        writer.add_feed_forward_length(4 * WIDTH)
        writer.add_layer_norm_eps(config.layer_norm_epsilon)
        return
    writer.add_feed_forward_length(config.intermediate_size)
    writer.add_head_count_kv(2)
    if hasattr(config, "rms_norm_eps"):
        writer.add_layer_norm_rms_eps(config.rms_norm_eps)
    else:
        writer.add_layer_norm_eps(config.layer_norm_eps)
    writer.add_rope_freq_base(config.rope_parameters["rope_theta"])
    writer.add_rope_dimension_count(int(16 * config.rope_parameters.get("partial_rotary_factor", 1.0)))
    if isinstance(config, t.Gemma2Config):
        writer.add_key_length(16)
        writer.add_value_length(16)
        writer.add_sliding_window(8)
        writer.add_attn_logit_softcapping(config.attn_logit_softcapping)
        writer.add_final_logit_softcapping(config.final_logit_softcapping)
    if isinstance(config, t.Qwen2MoeConfig):
        writer.add_expert_count(4)
        writer.add_expert_used_count(2)
        writer.add_expert_feed_forward_length(32)
        writer.add_expert_shared_feed_forward_length(32)


def put(writer, name, numbers, kind):
    """Writes a tensor and says what its blocks hold."""
    if kind is None:
        writer.add_tensor(name, numbers.astype(numpy.float32))
        return numbers
    blocks = quants.quantize(numbers.reshape(-1, numbers.shape[-1]).astype(numpy.float32), kind)
    writer.add_tensor(name, blocks.reshape(*numbers.shape[:-1], -1), raw_dtype=kind)
    return quants.dequantize(blocks, kind).reshape(numbers.shape)


def stored(writer, names, name, numbers, config):
    """What the file holds of one tensor of transformers."""
    small = numbers.ndim == 1 or "wpe" in name or name.endswith("mlp.gate.weight")
    kind = None if small else GGMLQuantizationType.Q4_0 if "mlp" in name else GGMLQuantizationType.Q8_0
    if ".experts." in name:
        layer = name.split(".")[2]
        if "down_proj" in name:
            return put(writer, f"blk.{layer}.ffn_down_exps.weight", numbers, kind)
        gate, up = numpy.split(numbers, 2, axis=1)
        return numpy.concatenate([put(writer, f"blk.{layer}.ffn_gate_exps.weight", gate, kind),
                                  put(writer, f"blk.{layer}.ffn_up_exps.weight", up, kind)], axis=1)
    to = names.get_name(name, try_suffixes=(".weight", ".bias"))
    if isinstance(config, t.GPT2Config) and numbers.ndim == 2 and "h." in name:
        return put(writer, to, numbers.T, kind).T  # Inputs come first there.
    if isinstance(config, t.Gemma2Config) and numbers.ndim == 1:
        return put(writer, to, numbers + 1, None) - 1
    if "shared_expert_gate" in name:
        return put(writer, to, numbers.reshape(-1), None).reshape(numbers.shape)
    return put(writer, to, numbers, kind)


def make(arch, config, golden):
    torch.manual_seed(SEED)
    model = t.AutoModelForCausalLM.from_config(config, attn_implementation="eager").eval().float()
    for parameter in model.parameters():
        if parameter.dim() == 1:
            parameter.data.add_(torch.randn_like(parameter) * 0.2)
    file = f"{gguf.MODEL_ARCH_NAMES[arch]}.gguf"
    writer = GGUFWriter(ROOT / file, gguf.MODEL_ARCH_NAMES[arch])
    describe(writer, config)
    names, weights, rows = gguf.get_tensor_name_map(arch, 2), {}, {}
    for name, value in model.state_dict().items():
        if name == "lm_head.weight" and config.tie_word_embeddings:
            continue
        held = stored(writer, names, name, value.numpy(), config)
        weights[name] = torch.tensor(numpy.ascontiguousarray(held, dtype=numpy.float32))
        if "embed_tokens" in name or "wte" in name:
            golden[f"{file}.token_embd.weight"] = weights[name][:8].clone()
            rows["token_embd.weight"] = f"{file}.token_embd.weight"
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    model.load_state_dict(weights, strict=False)
    model.tie_weights()
    ids = torch.randint(3, V, (1, 20))
    with torch.no_grad():
        logits = model(input_ids=ids, use_cache=False).logits
        wish = t.GenerationConfig(max_new_tokens=12, do_sample=False, pad_token_id=0)
        wish.eos_token_id = model.generation_config.eos_token_id = None
        greedy = model.generate(input_ids=ids, generation_config=wish)
    for part, value in (("input_ids", ids[0]), ("logits", logits[0]), ("greedy", greedy[0])):
        golden[f"{file}.{part}"] = value.clone().contiguous()
    return dict(file=file, ggml_type="Q8_0, Q4_0", weights_first_8_rows=rows,
                **{part: f"{file}.{part}" for part in ("input_ids", "logits", "greedy")})


def main():
    about, golden = json.loads((ROOT / "golden.json").read_text()), load_file(ROOT / "golden.safetensors")
    for arch, config in models().items():
        case = make(arch, config, golden)
        about["cases"] = [one for one in about["cases"] if one["file"] != case["file"]] + [case]
    (ROOT / "golden.json").write_text(json.dumps(about, indent=1) + "\n")
    save_file(golden, ROOT / "golden.safetensors")


main()
