#!/usr/bin/env python3
"""Writes tests/golden/models/gguf-architectures: for each architecture a tiny random model as llama.cpp's converter writes it, in float32 and without
a vocabulary, and the scores that llama.cpp computes from the file (its cache holds float16, so they agree to about a thousandth).

usage: PYTHON tools/make_gguf_architectures.py [ARCHITECTURE...] (transformers 5.23.0, torch 2.15.0, gguf 0.19.0, llama-cpp-python 0.3.36)
"""
import json
import pathlib
import sys

import gguf
import numpy as np
import torch
import transformers
from llama_cpp import Llama
from safetensors.numpy import save_file

OUT = pathlib.Path(__file__).resolve().parent.parent / "tests/golden/models/gguf-architectures"
V, SEED, TOKENS = 24, 31, 12
NEW = dict(vocab_size=V, hidden_size=8, num_attention_heads=2, num_hidden_layers=2, intermediate_size=10, max_position_embeddings=48, initializer_range=0.3)
PAIRED = dict(NEW, num_key_value_heads=1, head_dim=4)
OLD = dict(vocab_size=V, n_embd=8, n_head=2, n_layer=2, n_positions=48, initializer_range=0.3)
GROUPS = dict(moe_intermediate_size=6, n_routed_experts=4, num_experts_per_tok=2, n_shared_experts=1, n_group=1, topk_group=1, routed_scaling_factor=1.5,
              first_k_dense_replace=1, norm_topk_prob=True)


def configs():
    t = transformers
    falcon = {key: value for key, value in NEW.items() if key != "intermediate_size"}
    return {
        "arcee": t.ArceeConfig(**PAIRED),
        "bloom": t.BloomConfig(vocab_size=V, hidden_size=8, n_head=2, n_layer=2, initializer_range=0.3),
        "cohere2": t.Cohere2Config(**{**PAIRED, "num_hidden_layers": 4}, sliding_window=5, logit_scale=0.25),
        "command-r": t.CohereConfig(**{key: value for key, value in PAIRED.items() if key != "head_dim"}, logit_scale=0.25),
        "dots1": t.Dots1Config(**{**PAIRED, "num_key_value_heads": 2}, **GROUPS),
        "ernie4_5": t.Ernie4_5Config(**PAIRED),
        "exaone4": t.Exaone4Config(**PAIRED, sliding_window=None, layer_types=["full_attention"] * 2),
        "falcon": t.FalconConfig(**falcon, multi_query=True, parallel_attn=True, bias=False, alibi=False),
        "falcon-grouped": t.FalconConfig(**{**falcon, "hidden_size": 16, "num_attention_heads": 4}, num_kv_heads=2, new_decoder_architecture=True, alibi=False),
        "glm4": t.Glm4Config(**PAIRED, pad_token_id=0, partial_rotary_factor=0.5, attention_bias=True),
        "glm4moe": t.Glm4MoeConfig(**PAIRED, pad_token_id=0, **GROUPS, use_qk_norm=True, partial_rotary_factor=0.5),
        "gptneox": t.GPTNeoXConfig(**{**NEW, "hidden_size": 16}, rotary_pct=0.5),
        "granitemoe": t.GraniteMoeConfig(**{key: value for key, value in PAIRED.items() if key != "head_dim"}, num_local_experts=4, num_experts_per_tok=2,
                                         embedding_multiplier=3.0, residual_multiplier=0.5, attention_multiplier=0.4, logits_scaling=2.0),
        "mpt": t.MptConfig(d_model=16, n_heads=2, n_layers=2, max_seq_len=48, vocab_size=V, attn_config={"clip_qkv": 2.0}, initializer_range=0.3),
        "nemotron": t.NemotronConfig(**PAIRED, partial_rotary_factor=0.5),
        "olmo": t.OlmoConfig(**{key: value for key, value in PAIRED.items() if key != "head_dim"}, clip_qkv=0.7),
        "olmoe": t.OlmoeConfig(**NEW, num_experts=4, num_experts_per_tok=2),
        "phi2": t.PhiConfig(**{**NEW, "hidden_size": 16}, partial_rotary_factor=0.5),
        "seed_oss": t.SeedOssConfig(**PAIRED, attention_bias=True),
        "starcoder": t.GPTBigCodeConfig(**OLD, n_inner=10),
    }


def neighbours(weight, heads):
    """Rows of halves that turn together, as neighbours that do."""
    return weight.reshape(heads, 2, weight.shape[0] // heads // 2, *weight.shape[1:]).swapaxes(1, 2).reshape(weight.shape)


def blocks(weight, groups, per, width):
    """Queries, keys and values that alternate by group, one kind after the other."""
    rows = weight.reshape(groups, per + 2, width, *weight.shape[1:])
    return np.concatenate([part.reshape(-1, *weight.shape[1:]) for part in (rows[:, :per], rows[:, per:per + 1], rows[:, per + 1:])])


class Converter:
    def __init__(self, label, config, tensors):
        self.config, self.tensors = config, tensors
        self.arch = label.split("-grouped")[0]
        self.heads, self.width = self.get("num_attention_heads", "n_head", "n_heads"), self.get("hidden_size", "n_embd", "d_model")
        self.layers = self.get("num_hidden_layers", "n_layer", "n_layers")
        self.head_width = self.get("head_dim") or self.width // self.heads
        self.keys = self.key_heads()
        kind = next(kind for kind, name in gguf.MODEL_ARCH_NAMES.items() if name == self.arch)
        self.names = gguf.get_tensor_name_map(kind, self.layers)

    def get(self, *names, default=None):
        return next((value for name in names if (value := getattr(self.config, name, None)) is not None), default)

    def key_heads(self):
        if self.arch == "starcoder":
            return 1
        if self.arch == "falcon":
            return self.config.num_kv_heads if self.config.new_decoder_architecture else 1
        return self.get("num_key_value_heads", default=self.heads)

    def inner(self):
        if self.arch in ("mpt", "bloom", "falcon"):
            return 4 * self.width
        return self.get("intermediate_size", "n_inner")

    def data(self):
        out = {}
        for name, data in self.tensors.items():
            if "rotary_emb" in name or name.endswith(("attn.bias", "masked_bias")) and data.ndim > 1:
                continue
            if name.startswith("transformer.") and self.arch == "bloom":
                name = name.removeprefix("transformer.")
            out.update(self.one(name, data))
        return {name: np.ascontiguousarray(data, dtype=np.float32) for name, data in out.items()}

    def one(self, name, data):
        layer = next((part for part in name.split(".") if part.isdigit()), None)
        if self.arch in ("arcee", "granitemoe", "olmo"):
            for part, heads in (("q_proj", self.heads), ("k_proj", self.keys)):
                if part in name:
                    data = neighbours(data, heads)
        if self.arch == "nemotron" and "norm.weight" in name:
            data = data + 1
        if self.arch in ("bloom", "gptneox") and "query_key_value" in name:
            data = blocks(data, self.heads, 1, self.head_width)
        if self.arch == "falcon" and "query_key_value" in name:
            data = blocks(data, self.keys, self.heads // self.keys, self.head_width)
        if name.endswith(("experts.gate_up_proj", "input_linear.weight")):
            half = data.shape[1] // 2
            return {f"blk.{layer}.ffn_gate_exps.weight": data[:, :half], f"blk.{layer}.ffn_up_exps.weight": data[:, half:]}
        if name.endswith("experts.down_proj"):
            return {f"blk.{layer}.ffn_down_exps.weight": data}
        name = name.replace("e_score_correction_bias", "e_score_correction.bias").replace("moe.router.weight", "moe.router.layer.weight")
        found = self.names.get_name(name, try_suffixes=(".weight", ".bias"))
        if found is None:
            raise SystemExit(f"{self.arch}: no name for {name}")
        return {found: data}

    def write(self, path):
        c, w = self.config, gguf.GGUFWriter(path, self.arch)
        w.add_context_length(self.get("max_position_embeddings", "n_positions", "max_seq_len", default=48))
        w.add_embedding_length(self.width)
        w.add_block_count(self.layers)
        w.add_feed_forward_length(self.inner())
        w.add_head_count(self.heads)
        w.add_head_count_kv(self.keys)
        epsilon = self.get("rms_norm_eps", "layer_norm_eps", "layer_norm_epsilon", "norm_eps", default=1e-5)
        plain = self.arch in ("bloom", "cohere2", "command-r", "falcon", "gptneox", "mpt", "nemotron", "olmo", "phi2", "starcoder")
        (w.add_layer_norm_eps if plain else w.add_layer_norm_rms_eps)(epsilon)
        if self.get("head_dim"):
            w.add_key_length(self.head_width)
            w.add_value_length(self.head_width)
        if self.arch not in ("bloom", "mpt", "starcoder"):
            rope = getattr(c, "rope_parameters", None) or {}
            part = rope.get("partial_rotary_factor", self.get("partial_rotary_factor", "rotary_pct", default=1.0))
            w.add_rope_freq_base(rope.get("rope_theta", 10000.0))
            w.add_rope_dimension_count(int(self.head_width * part))
        w.add_vocab_size(V)
        w.add_tokenizer_model("no_vocab")
        self.write_own(w)
        for name, data in self.data().items():
            w.add_tensor(name, data)
        w.write_header_to_file()
        w.write_kv_data_to_file()
        w.write_tensors_to_file()
        w.close()

    def write_own(self, w):
        c = self.config
        if self.arch in ("cohere2", "command-r"):
            w.add_logit_scale(c.logit_scale)
        if self.arch == "cohere2":
            w.add_sliding_window(c.sliding_window)
        if self.arch == "gptneox":
            w.add_parallel_residual(c.use_parallel_residual)
        if self.arch == "olmo":
            w.add_clamp_kqv(c.clip_qkv)
        if self.arch == "mpt":
            w.add_clamp_kqv(c.attn_config.clip_qkv)
            w.add_max_alibi_bias(8.0)
        if self.arch == "granitemoe":
            w.add_attention_scale(c.attention_multiplier)
            w.add_embedding_scale(c.embedding_multiplier)
            w.add_residual_scale(c.residual_multiplier)
            w.add_logit_scale(c.logits_scaling)
        if count := self.get("num_local_experts", "num_experts", "n_routed_experts"):
            w.add_expert_count(count)
            w.add_expert_used_count(c.num_experts_per_tok)
        if self.arch in ("dots1", "glm4moe"):
            w.add_expert_feed_forward_length(c.moe_intermediate_size)
            w.add_expert_shared_count(c.n_shared_experts)
            w.add_leading_dense_block_count(c.first_k_dense_replace)
            w.add_expert_weights_scale(c.routed_scaling_factor)
            w.add_expert_weights_norm(c.norm_topk_prob)
            w.add_expert_gating_func(gguf.ExpertGatingFuncType.SIGMOID)


def main():
    OUT.mkdir(exist_ok=True)
    cases, tensors = [], {}
    ids = np.random.default_rng(SEED).integers(0, V, TOKENS)
    for label, config in configs().items():
        if sys.argv[1:] and label not in sys.argv[1:]:
            continue
        torch.manual_seed(SEED)
        config._experts_implementation = "eager"
        model = transformers.AutoModelForCausalLM.from_config(config).eval()
        with torch.no_grad():
            for name, weight in [*model.named_parameters(), *model.named_buffers()]:
                if weight.ndim == 1 and ("norm" in name or "ln_" in name or "bias" in name):
                    weight.add_(0.2 * torch.randn_like(weight))
            wanted = model(torch.tensor([ids.tolist()])).logits[0].numpy()
        state = {name: weight.detach().float().numpy() for name, weight in model.state_dict().items()}
        tied = getattr(config, "tie_word_embeddings", False)
        state = {name: data for name, data in state.items() if not (tied and name in ("lm_head.weight", "embed_out.weight"))}
        file = OUT / f"{label}.gguf"
        Converter(label, config, state).write(str(file))
        engine = Llama(model_path=str(file), n_ctx=64, n_threads=1, logits_all=True, verbose=False)
        engine.eval(ids.tolist())
        scores = np.array(engine.scores[:TOKENS])
        apart = np.abs(scores - wanted).max() / np.abs(wanted).max()
        print(f"{label:16} llama.cpp and transformers are {apart:.1e} apart", flush=True)
        tensors[f"{label}.logits"] = scores.astype(np.float32)
        cases.append({"file": f"{label}.gguf", "logits": f"{label}.logits"})
    tensors["ids"] = ids.astype(np.int64)
    save_file(tensors, OUT / "golden.safetensors")
    made = f"llama-cpp-python 0.3.36, float32 weights, float16 cache; random weights of transformers {transformers.__version__}, seed {SEED}"
    (OUT / "golden.json").write_text(json.dumps({"made": made, "cases": cases}, indent=1) + "\n")


if __name__ == "__main__":
    main()
