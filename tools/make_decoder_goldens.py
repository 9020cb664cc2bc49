#!/usr/bin/env python3
"""Writes tests/golden/models/FAMILY/random for the decoder families that the reference data lack, and FAMILY/VARIANT for options that they lack:
a tiny configuration of transformers with random weights and norms shaken, and what transformers computes with them in fp32.

usage: PYTHON_WITH_TRANSFORMERS tools/make_decoder_goldens.py [FAMILY[/VARIANT]...] (transformers 5.23.0, torch 2.15.0)
"""
import copy
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
# The smallest that still tells every part of a family from its neighbours: one call and one greedy search.
SLIM = dict(SIZES, vocab_size=24, hidden_size=8, num_attention_heads=2, intermediate_size=10)
SLIM_OLDER = dict(OLDER, vocab_size=24, n_embd=8)
GROUPS = dict(moe_intermediate_size=6, n_routed_experts=4, num_experts_per_tok=2, n_shared_experts=1, n_group=2, topk_group=1, routed_scaling_factor=1.5,
              first_k_dense_replace=1)
SEES = dict(hidden_size=4, intermediate_size=4, num_hidden_layers=1, num_attention_heads=1, image_size=4, patch_size=2)
PAIRED = dict(SLIM, num_key_value_heads=1, head_dim=4)


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
        # Norms without numbers of their own; beams that end on several tokens and are padded with 0.
        "opt/plain-norms": t.OPTConfig(**opt, init_std=0.3, ffn_dim=20, layer_norm_elementwise_affine=False),
        # Texts that outgrow the short frequencies: Phi 3 makes its keys again, others do not.
        "phi3/outgrown": t.Phi3Config(**GROUPED, original_max_position_embeddings=12, rope_parameters=long_rope(2)),
        "mixtral/outgrown": t.MixtralConfig(**GROUPED, head_dim=4, num_local_experts=3, num_experts_per_tok=2,
                                            rope_parameters=long_rope(2, factor=2.0, original_max_position_embeddings=12)),
        "llama/dynamic": t.LlamaConfig(**dict(GROUPED, max_position_embeddings=12), rope_parameters=rope("dynamic", factor=2.0)),
        # Compressed rows are normed with an epsilon of their own.
        "deepseek_v3/epsilon": t.DeepseekV3Config(
            **dict(SIZES, num_attention_heads=2, num_key_value_heads=2), rms_norm_eps=1e-2, moe_intermediate_size=6, n_shared_experts=2,
            n_routed_experts=4, kv_lora_rank=8, q_lora_rank=8, qk_rope_head_dim=4, v_head_dim=6, qk_nope_head_dim=8, n_group=2, topk_group=1,
            num_experts_per_tok=2, first_k_dense_replace=1, rope_interleave=False,
            rope_parameters=rope("yarn", factor=4.0, original_max_position_embeddings=12, mscale=1.0, mscale_all_dim=0.5)),
        # A cap that its configuration reads and its attention does not use; frequencies by kind of layer.
        "gemma3_text/nested": t.Gemma3TextConfig(
            **GROUPED, head_dim=8, query_pre_attn_scalar=10, sliding_window=5, layer_types=["sliding_attention", "full_attention"],
            attn_logit_softcapping=1.0, final_logit_softcapping=5.0,
            rope_parameters=dict(full_attention=rope("linear", factor=4.0), sliding_attention=dict(rope_type="default", rope_theta=300.0))),
        "arcee": t.ArceeConfig(**PAIRED, attention_bias=True, mlp_bias=True),
        "olmo": t.OlmoConfig(**SLIM, clip_qkv=0.6),
        "olmo3": t.Olmo3Config(**SLIM, sliding_window=3, layer_types=["sliding_attention", "full_attention"],
                               rope_parameters=dict(full_attention=rope("yarn", factor=4.0, original_max_position_embeddings=12, truncate=False),
                                                    sliding_attention=dict(rope_type="default", rope_theta=300.0))),
        "olmoe": t.OlmoeConfig(**SLIM, num_experts=3, num_experts_per_tok=2, clip_qkv=0.9),
        "cohere2": t.Cohere2Config(**PAIRED, sliding_window=3, layer_types=["sliding_attention", "full_attention"], attention_bias=True),
        "cwm": t.CwmConfig(**PAIRED, sliding_window=3, rope_parameters=rope()),
        "dots1": t.Dots1Config(**PAIRED, **GROUPS, sliding_window=3, max_window_layers=1),
        "deepseek_v2": t.DeepseekV2Config(**dict(SLIM, head_dim=4), **GROUPS, topk_method="group_limited_greedy", kv_lora_rank=4, q_lora_rank=None,
                                          qk_rope_head_dim=4, v_head_dim=3, qk_nope_head_dim=4),
        "ernie4_5": t.Ernie4_5Config(**PAIRED, use_bias=True),
        "exaone4": t.Exaone4Config(**PAIRED, sliding_window=3, sliding_window_pattern=2),
        "glm": t.GlmConfig(**PAIRED),
        "glm4": t.Glm4Config(**PAIRED, attention_bias=True),
        "glm4_moe": t.Glm4MoeConfig(**PAIRED, **GROUPS, use_qk_norm=True, attention_bias=True),
        "gpt_bigcode": t.GPTBigCodeConfig(**SLIM_OLDER),
        "gpt_bigcode/by-head": t.GPTBigCodeConfig(**SLIM_OLDER, multi_query=False, tie_word_embeddings=False),
        "gpt_neo": t.GPTNeoConfig(**{key: value for key, value in SLIM.items() if not key.startswith("num_")}, num_heads=2, num_layers=2,
                                  attention_types=[[["global", "local"], 1]], window_size=3),
        "granitemoe": t.GraniteMoeConfig(**dict(SLIM, num_key_value_heads=1), num_local_experts=3, num_experts_per_tok=2, residual_multiplier=0.5),
        "helium": t.HeliumConfig(**PAIRED, attention_bias=True),
        "hyperclovax": t.HyperCLOVAXConfig(**PAIRED, use_post_norm=True, logits_scaling=0.5, residual_multiplier=0.5, embedding_multiplier=3.0),
        "ministral": t.MinistralConfig(**PAIRED, sliding_window=3, layer_types=["full_attention", "sliding_attention"]),
        "mpt": t.MptConfig(d_model=9, n_heads=3, n_layers=2, max_seq_len=48, vocab_size=24, initializer_range=0.3, pad_token_id=0, bos_token_id=1,
                           eos_token_id=2, attn_config=dict(clip_qkv=0.9)),
        "nemotron": t.NemotronConfig(**PAIRED, mlp_bias=True),
        "persimmon": t.PersimmonConfig(**SLIM),
        "biogpt": t.BioGptConfig(**dict(SLIM, pad_token_id=1, bos_token_id=0)),
        "xglm": t.XGLMConfig(vocab_size=24, max_position_embeddings=48, d_model=8, ffn_dim=10, num_layers=2, attention_heads=2, init_std=0.3,
                             pad_token_id=1, bos_token_id=0, eos_token_id=2),
        "apertus": t.ApertusConfig(**PAIRED, attention_bias=True),
        "codegen": t.CodeGenConfig(**dict(SLIM_OLDER, n_head=4), rotary_dim=2, n_inner=10),
        "ernie4_5_moe": t.Ernie4_5_MoeConfig(**PAIRED, moe_num_experts=4, moe_k=2, moe_intermediate_size=6, moe_num_shared_experts=2, use_bias=True),
        "hunyuan_v1_moe": t.HunYuanMoEV1Config(**PAIRED, num_experts=3, moe_topk=2, rope_parameters=rope("dynamic", alpha=50.0, factor=1.0)),
        "llama4_text": t.Llama4TextConfig(**PAIRED, intermediate_size_mlp=6, num_local_experts=3, moe_layers=[1], attention_chunk_size=3,
                                          no_rope_layers=[1, 0]),
        "phimoe": t.PhimoeConfig(**dict(SLIM, num_key_value_heads=1), num_local_experts=3, lm_head_bias=True, router_jitter_noise=0.2,
                                 rope_parameters=long_rope(2, short_mscale=1.2, long_mscale=1.2, original_max_position_embeddings=12)),
        # The part for text of models that also see.
        "gemma3": t.Gemma3Config(text_config=dict(PAIRED, query_pre_attn_scalar=10, sliding_window=3), vision_config=dict(SEES, vision_use_head=False),
                                 mm_tokens_per_image=4, image_token_index=3, pad_token_id=0, eos_token_id=2),
        "mistral3": t.Mistral3Config(text_config=dict(PAIRED, model_type="mistral", sliding_window=None), image_token_index=3,
                                     vision_config=dict(SEES, model_type="pixtral", head_dim=4)),
        "qwen3/answers": t.Qwen3Config(**GROUPED, head_dim=8, architectures=["Qwen3ForQuestionAnswering"]),
    }


def long_rope(pairs, **more):
    return rope("longrope", short_factor=[1.0 + 0.2 * i for i in range(pairs)], long_factor=[2.0 + 0.6 * i for i in range(pairs)], **more)


def make(name, config):
    torch.manual_seed(SEED)
    family, _, variant = name.partition("/")
    out = ROOT / family / (variant or "random")
    out.mkdir(parents=True, exist_ok=True)
    text = config.get_text_config()
    usual = transformers.AutoModelForCausalLM if text is config else transformers.AutoModelForImageTextToText
    kind = getattr(transformers, config.architectures[0]) if config.architectures else usual
    answers = bool(config.architectures)
    make_model = kind._from_config if answers else kind.from_config
    model = make_model(config, attn_implementation="eager", **({"experts_implementation": "eager"} if "experts" in str(config) else {})).eval()
    for parameter in model.parameters():
        if parameter.dim() == 1:
            parameter.data.add_(torch.randn_like(parameter) * 0.2)
        parameter.data = parameter.data.to(torch.bfloat16).float()
    fresh = copy.deepcopy(model)
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

    slim, pad = text.vocab_size < V, text.pad_token_id
    ids, mask = torch.randint(4 if slim else 3, text.vocab_size, (3, 13)), torch.ones(3, 13, dtype=torch.long)
    if slim:
        ids, mask = ids[:2, :9], mask[:2, :9]
    mask[1, len(ids[0]) - 4:], mask[2:, 4:] = 0, 0
    ids[mask == 0] = pad
    inputs = dict(input_ids=ids, attention_mask=mask)
    with torch.no_grad():
        made = model(**inputs, use_cache=False)
        made = {key: value for key, value in made.items() if key.endswith("logits")}
        for value in made.values():
            value[mask == 0] = 0
        keep("padded", inputs, made, kind="forward", scale={key: float(value.abs().max()) for key, value in made.items()})
        ids, mask = torch.randint(4 if slim else 3, text.vocab_size, (2, 9)), torch.ones(2, 9, dtype=torch.long)
        mask[1, :4], ids[1, :4] = 0, pad
        whole, padded = dict(input_ids=ids[:1], attention_mask=mask[:1]), dict(input_ids=ids, attention_mask=mask)
        plain = dict(max_new_tokens=14, do_sample=False, num_beams=1, use_cache=True, pad_token_id=pad)
        cases_made = [("greedy", whole, plain), ("greedy_left_padded_batch", padded, plain),
                      ("greedy_rep_penalty", whole, dict(plain, repetition_penalty=1.3))]
        if slim:
            cases_made = cases_made[1:2]
        elif variant:
            ends = list(range(5, 20))
            cases_made += [("greedy_encoder_penalties", padded, dict(plain, encoder_repetition_penalty=1.5, encoder_no_repeat_ngram_size=2)),
                           ("beam3_ends", padded, dict(plain, num_beams=3, num_return_sequences=2, eos_token_id=ends)),
                           ("beam3_never", padded, dict(plain, num_beams=3, early_stopping="never", length_penalty=2.0, eos_token_id=ends))]
        for case, given, settings in () if answers else cases_made:
            model = copy.deepcopy(fresh)  # Some rotary tables remember the longest text they saw.
            wish = transformers.GenerationConfig(**settings)
            wish.eos_token_id = settings.get("eos_token_id")
            model.generation_config.eos_token_id = None
            found = model.generate(**given, generation_config=wish, return_dict_in_generate=True, output_scores=True)
            outputs = {key: found[key] for key in ("sequences", "sequences_scores") if key in found}
            keep(case, given, outputs, kind="generate", generate=settings)
    if not answers:
        model.generation_config.save_pretrained(out)
        settings = json.loads((out / "generation_config.json").read_text())
        settings.pop("eos_token_id", None)
        (out / "generation_config.json").write_text(json.dumps(settings, indent=1) + "\n")
    save_file(tensors, out / "golden.safetensors")
    about = dict(arch=f"{family}/{variant or 'random'}", task="text-generation", cls=type(model).__name__, seed=SEED,
                 versions=dict(transformers=transformers.__version__, torch=torch.__version__), cases=cases)
    (out / "golden.json").write_text(json.dumps(about, indent=1) + "\n")


for name, wanted in configs().items():
    if len(sys.argv) < 2 or name in sys.argv[1:]:
        make(name, wanted)
