"""Configurations of decoders for random_models.py, of the families that have goldens too: each option on and off."""
from random import choice

import transformers as t
from random_model_configs import JUDGES, decoder, flip, long_rope, older_sizes, rope, text_sizes

ALL_HEADS = ("ForCausalLM", "ForSequenceClassification", "ForTokenClassification", "Model")


def sizes_without(*names, **more):
    sizes, width = text_sizes()
    for name in names:
        sizes.pop(name)
    return dict(sizes, **more), width


def layer_norm_sizes():
    return sizes_without("rms_norm_eps", layer_norm_eps=choice([1e-5, 1e-3]))


def part_rope(width):
    return dict(rope(), partial_rotary_factor=choice(range(2, width + 1, 2)) / width)


def dynamic_rope():
    return dict(rope_type="dynamic", rope_theta=1000.0, factor=2.0, original_max_position_embeddings=48)


def some_rope():
    return choice([rope, rope, rope, dynamic_rope])()


def windows(layers):
    return [choice(["sliding_attention", "full_attention"]) for _ in range(layers)]


def gpt2():
    return t.GPT2Config(**older_sizes(), n_inner=choice([None, 10, 33]), activation_function=choice(["gelu_new", "relu", "gelu", "silu", "tanh"]),
                        layer_norm_epsilon=choice([1e-5, 1e-3]), scale_attn_weights=flip(), scale_attn_by_inverse_layer_idx=flip(),
                        reorder_and_upcast_attn=flip(), tie_word_embeddings=flip())


def gpt_neo():
    layers, heads = choice([2, 4]), choice([1, 2, 4])
    kinds = choice([[[["global", "local"], layers // 2]], [[["local"], layers]], [[["global"], layers]]])
    return t.GPTNeoConfig(vocab_size=choice([24, 37]), max_position_embeddings=48, hidden_size=heads * choice([4, 6]), num_layers=layers, attention_types=kinds,
                          num_heads=heads, intermediate_size=choice([None, 20]), window_size=choice([3, 5]), activation_function=choice(["gelu_new", "relu"]),
                          initializer_range=0.3, tie_word_embeddings=flip(), bos_token_id=1, eos_token_id=2, pad_token_id=0)


def gpt_neox():
    sizes, width = layer_norm_sizes()
    sizes.pop("num_key_value_heads")
    return t.GPTNeoXConfig(**sizes, use_parallel_residual=flip(), attention_bias=flip(), rope_parameters=part_rope(width))


def gptj():
    sizes = older_sizes()
    return t.GPTJConfig(**sizes, rotary_dim=choice([2, 4]), n_inner=choice([None, 20]), activation_function=choice(["gelu_new", "relu"]),
                        tie_word_embeddings=flip())


def gpt_bigcode():
    return t.GPTBigCodeConfig(**older_sizes(), n_inner=choice([None, 20]), multi_query=flip(), activation_function=choice(["gelu_pytorch_tanh", "relu", "gelu"]),
                              scale_attn_weights=flip(), tie_word_embeddings=flip())


def opt():
    heads = choice([1, 2, 4])
    width, before = heads * choice([4, 6]), flip()
    return t.OPTConfig(vocab_size=choice([24, 37]), hidden_size=width, num_hidden_layers=choice([1, 2, 3]), ffn_dim=choice([10, 33]), max_position_embeddings=48,
                       do_layer_norm_before=before, word_embed_proj_dim=choice([width, width, 5]), num_attention_heads=heads, init_std=0.3,
                       activation_function=choice(["relu", "gelu"]), enable_bias=flip(), layer_norm_elementwise_affine=flip(), pad_token_id=0,
                       _remove_final_layer_norm=before and flip(), bos_token_id=1, eos_token_id=2, tie_word_embeddings=flip())


def bloom():
    heads = choice([1, 2, 3, 4, 5, 6, 8])
    return t.BloomConfig(vocab_size=choice([24, 37]), hidden_size=heads * choice([4, 6]), n_layer=choice([1, 2, 3]), n_head=heads, initializer_range=0.3,
                         layer_norm_epsilon=choice([1e-5, 1e-3]), apply_residual_connection_post_layernorm=flip(), tie_word_embeddings=flip(),
                         bos_token_id=1, eos_token_id=2, pad_token_id=0)


def mpt():
    heads = choice([1, 2, 3, 4, 6])
    return t.MptConfig(d_model=heads * choice([4, 6]), n_heads=heads, n_layers=choice([1, 2, 3]), expansion_ratio=choice([2, 4]), max_seq_len=48,
                       vocab_size=choice([24, 37]), initializer_range=0.3, attn_config=dict(alibi_bias_max=choice([8, 4]), clip_qkv=choice([None, 0.6]),
                       softmax_scale=choice([None, 0.3])), bos_token_id=1, eos_token_id=2, pad_token_id=0)


def falcon():
    heads, new = choice([2, 4]), flip()
    return t.FalconConfig(vocab_size=choice([24, 37]), hidden_size=heads * choice([4, 6]), num_hidden_layers=choice([1, 2, 3]), num_attention_heads=heads,
                          num_ln_in_parallel_attn=choice([None, 1, 2]) if new else None, num_kv_heads=choice([1, 2, heads]) if new else None, alibi=flip(),
                          new_decoder_architecture=new, multi_query=flip(), parallel_attn=new or flip(), bias=flip(), ffn_hidden_size=choice([None, 20]),
                          activation=choice(["gelu", "relu"]), layer_norm_epsilon=choice([1e-5, 1e-3]), max_position_embeddings=48, initializer_range=0.3,
                          rope_parameters=rope(), bos_token_id=1, eos_token_id=2, pad_token_id=0, tie_word_embeddings=flip())


def llama():
    sizes, width = text_sizes()
    return t.LlamaConfig(**sizes, head_dim=choice([None, width, 8]), attention_bias=flip(), mlp_bias=flip(), rope_parameters=some_rope())


def mistral():
    sizes, width = text_sizes()
    return t.MistralConfig(**sizes, head_dim=choice([None, width, 8]), sliding_window=choice([None, 3, 6]), rope_parameters=some_rope())


def mixtral():
    sizes, width = text_sizes()
    return t.MixtralConfig(**sizes, head_dim=choice([width, 8]), sliding_window=choice([None, 4]), num_local_experts=choice([2, 3, 5]),
                           num_experts_per_tok=choice([1, 2]), rope_parameters=rope())


def qwen_windows(sizes):
    return dict(use_sliding_window=flip(), sliding_window=choice([3, 5]), max_window_layers=choice([0, 1, 2]))


def qwen2():
    sizes, _ = text_sizes()
    return t.Qwen2Config(**sizes, **qwen_windows(sizes), rope_parameters=some_rope())


def qwen2_moe():
    sizes, _ = text_sizes()
    return t.Qwen2MoeConfig(**sizes, **qwen_windows(sizes), decoder_sparse_step=choice([1, 2]), moe_intermediate_size=choice([6, 9]),
                            shared_expert_intermediate_size=choice([5, 8]), num_experts=choice([2, 3, 5]), num_experts_per_tok=choice([1, 2]),
                            norm_topk_prob=flip(), mlp_only_layers=choice([None, [0]]), qkv_bias=flip(), rope_parameters=rope())


def qwen3():
    sizes, width = text_sizes()
    return t.Qwen3Config(**sizes, **qwen_windows(sizes), head_dim=choice([width, 8]), attention_bias=flip(), rope_parameters=some_rope())


def qwen3_moe():
    sizes, width = text_sizes()
    return t.Qwen3MoeConfig(**sizes, head_dim=choice([width, 8]), attention_bias=flip(), use_sliding_window=flip(), sliding_window=choice([3, 5]),
                            decoder_sparse_step=choice([1, 2]), moe_intermediate_size=choice([6, 9]), num_experts=choice([2, 3, 5]),
                            num_experts_per_tok=choice([1, 2]), norm_topk_prob=flip(), mlp_only_layers=choice([None, [0]]), rope_parameters=rope())


def gemma():
    sizes, width = text_sizes()
    return t.GemmaConfig(**sizes, head_dim=choice([width, 8]), attention_bias=flip(), rope_parameters=rope())


def gemma2():
    sizes, width = sizes_without("hidden_act", hidden_activation=choice(["gelu_pytorch_tanh", "silu"]))
    return t.Gemma2Config(**sizes, head_dim=choice([width, 8]), attention_bias=flip(), query_pre_attn_scalar=choice([10, 64]), sliding_window=choice([3, 8]),
                          layer_types=choice([None, windows(sizes["num_hidden_layers"])]), final_logit_softcapping=choice([None, 6.0]),
                          attn_logit_softcapping=choice([None, 5.0]), rope_parameters=rope())


def gemma3():
    sizes, width = sizes_without("hidden_act", hidden_activation=choice(["gelu_pytorch_tanh", "silu"]))
    ropes = dict(full_attention=rope(), sliding_attention=dict(rope_type="default", rope_theta=500.0))
    return t.Gemma3TextConfig(**sizes, head_dim=choice([width, 8]), attention_bias=flip(), query_pre_attn_scalar=choice([10, 64]), sliding_window=choice([3, 8]),
                              layer_types=choice([None, windows(sizes["num_hidden_layers"])]), final_logit_softcapping=choice([None, 6.0]),
                              attn_logit_softcapping=choice([None, 5.0]), rope_parameters=ropes)


def phi():
    sizes, width = layer_norm_sizes()
    return t.PhiConfig(**dict(sizes, hidden_act=choice(["gelu_new", "relu"])), qk_layernorm=flip(), rope_parameters=part_rope(width))


def phi3():
    sizes, width = text_sizes()
    plain = dict(rope_type="default", rope_theta=choice([10000.0, 500.0]))
    long = long_rope(width // 2)
    for name in ("short_mscale", "long_mscale"):
        long.pop(name)
    return t.Phi3Config(**sizes, sliding_window=choice([None, 4]), original_max_position_embeddings=12, rope_parameters=choice([plain, long]))


def starcoder2():
    sizes, _ = sizes_without("rms_norm_eps", norm_epsilon=choice([1e-5, 1e-3]))
    return t.Starcoder2Config(**sizes, sliding_window=choice([None, 3, 6]), use_bias=flip(), rope_parameters=rope())


def smollm3():
    sizes, _ = text_sizes()
    return t.SmolLM3Config(**sizes, use_sliding_window=flip(), sliding_window=choice([3, 5]), no_rope_layer_interval=choice([2, 3, 4]),
                           no_rope_layers=choice([None, [choice([0, 1]) for _ in range(sizes["num_hidden_layers"])]]), attention_bias=flip(), mlp_bias=flip(),
                           rope_parameters=rope())


def olmo():
    sizes, _ = sizes_without("rms_norm_eps")
    return t.OlmoConfig(**sizes, attention_bias=flip(), clip_qkv=choice([None, 0.5]), rope_parameters=rope())


def olmo2():
    return t.Olmo2Config(**text_sizes()[0], attention_bias=flip(), rope_parameters=rope())


def olmo3():
    sizes, _ = text_sizes()
    return t.Olmo3Config(**sizes, attention_bias=flip(), sliding_window=choice([3, 6]), layer_types=choice([None, windows(sizes["num_hidden_layers"])]),
                         rope_parameters=dict(full_attention=rope(), sliding_attention=dict(rope_type="default", rope_theta=500.0)))


def olmoe():
    return t.OlmoeConfig(**text_sizes()[0], attention_bias=flip(), clip_qkv=choice([None, 0.5]), num_experts=choice([2, 3, 5]),
                         num_experts_per_tok=choice([1, 2]), norm_topk_prob=flip(), rope_parameters=rope())


def multipliers():
    return dict(embedding_multiplier=choice([1.0, 3.0]), residual_multiplier=choice([1.0, 0.5]), logits_scaling=choice([1.0, 2.0]),
                attention_multiplier=choice([1.0, 0.2]))


def granite():
    return t.GraniteConfig(**text_sizes()[0], **multipliers(), attention_bias=flip(), mlp_bias=flip(), rope_parameters=rope())


def granitemoe():
    return t.GraniteMoeConfig(**text_sizes()[0], **multipliers(), attention_bias=flip(), num_local_experts=choice([2, 3]), num_experts_per_tok=choice([1, 2]),
                              rope_parameters=rope())


def stablelm():
    sizes, width = layer_norm_sizes()
    return t.StableLmConfig(**sizes, use_qkv_bias=flip(), qk_layernorm=flip(), use_parallel_residual=flip(), rope_parameters=part_rope(width))


def deepseek_sizes():
    sizes, _ = text_sizes()
    sizes["num_key_value_heads"] = sizes["num_attention_heads"]
    return dict(sizes, q_lora_rank=choice([None, 6, 8]), kv_lora_rank=choice([6, 8]), qk_nope_head_dim=choice([4, 6]), qk_rope_head_dim=choice([2, 4]),
                v_head_dim=choice([4, 6, 10]), moe_intermediate_size=choice([6, 9]), first_k_dense_replace=choice([0, 1, 5]), n_shared_experts=choice([1, 2]),
                routed_scaling_factor=choice([1.0, 2.5]), attention_bias=flip())


def deepseek_v2():
    groups = choice([dict(topk_method="greedy"), dict(topk_method="group_limited_greedy", n_group=2, topk_group=choice([1, 2]))])
    return t.DeepseekV2Config(**deepseek_sizes(), n_routed_experts=4, num_experts_per_tok=choice([1, 2]), **groups, rope_parameters=rope())


def deepseek_v3():
    return t.DeepseekV3Config(**deepseek_sizes(), n_routed_experts=8, num_experts_per_tok=choice([1, 2]), n_group=choice([1, 2, 4]), topk_group=1,
                              norm_topk_prob=flip(), rope_interleave=flip(), rope_parameters=rope())


def gpt_oss():
    sizes, width = text_sizes()
    sizes["hidden_act"] = "silu"
    return t.GptOssConfig(**sizes, head_dim=choice([width, 8]), num_local_experts=choice([2, 3, 5]), num_experts_per_tok=choice([1, 2]),
                          sliding_window=choice([3, 6]), layer_types=choice([None, windows(sizes["num_hidden_layers"])]), attention_bias=flip(),
                          rope_parameters=rope())


def cohere():
    sizes, _ = layer_norm_sizes()
    return t.CohereConfig(**sizes, logit_scale=choice([0.0625, 1.0, 2.0]), attention_bias=flip(), use_qk_norm=flip(), rope_parameters=rope())


def cohere2():
    sizes, _ = layer_norm_sizes()
    return t.Cohere2Config(**sizes, logit_scale=choice([0.0625, 1.0]), attention_bias=flip(), sliding_window=choice([3, 6]),
                           layer_types=choice([None, windows(sizes["num_hidden_layers"])]), rope_parameters=rope())


def arcee():
    sizes, width = text_sizes()
    return t.ArceeConfig(**dict(sizes, hidden_act="relu2"), head_dim=choice([None, width, 8]), attention_bias=flip(), mlp_bias=flip(), rope_parameters=rope())


def cwm():
    sizes, width = text_sizes()
    return t.CwmConfig(**sizes, head_dim=choice([width, 8]), mlp_bias=flip(), sliding_window=choice([3, 6]),
                       layer_types=choice([None, windows(sizes["num_hidden_layers"])]), rope_parameters=rope())


def ernie4_5():
    sizes, width = text_sizes()
    return t.Ernie4_5Config(**sizes, head_dim=choice([width, 8]), use_bias=flip(), rope_parameters=rope())


def exaone4():
    sizes, width = text_sizes()
    return t.Exaone4Config(**sizes, head_dim=choice([width, 8]), sliding_window=choice([3, 6]), sliding_window_pattern=choice([2, 4, "LLLG"]),
                           layer_types=windows(sizes["num_hidden_layers"]), rope_parameters=rope())


def glm():
    sizes, width = text_sizes()
    return t.GlmConfig(**sizes, head_dim=width, attention_bias=flip(), rope_parameters=part_rope(width))


def glm4():
    sizes, width = text_sizes()
    return t.Glm4Config(**sizes, head_dim=width, attention_bias=flip(), rope_parameters=part_rope(width))


def glm4_moe():
    sizes, width = text_sizes()
    return t.Glm4MoeConfig(**sizes, head_dim=width, attention_bias=flip(), moe_intermediate_size=choice([6, 9]), num_experts_per_tok=choice([1, 2]),
                           n_shared_experts=choice([1, 2]), n_routed_experts=4, routed_scaling_factor=choice([1.0, 2.5]), n_group=choice([1, 2]), topk_group=1,
                           first_k_dense_replace=choice([0, 1, 5]), norm_topk_prob=flip(), use_qk_norm=flip(), rope_parameters=part_rope(width))


def helium():
    sizes, width = text_sizes()
    return t.HeliumConfig(**sizes, head_dim=width, attention_bias=flip(), mlp_bias=flip(), rope_parameters=rope())


def nemotron():
    sizes, width = sizes_without("rms_norm_eps", norm_eps=choice([1e-5, 1e-3]))
    return t.NemotronConfig(**dict(sizes, hidden_act=choice(["relu2", "silu"])), head_dim=width, attention_bias=flip(), mlp_bias=flip(),
                            rope_parameters=part_rope(width))


def persimmon():
    sizes, width = layer_norm_sizes()
    sizes.pop("num_key_value_heads")
    return t.PersimmonConfig(**dict(sizes, hidden_act=choice(["relu2", "gelu"])), qk_layernorm=flip(), rope_parameters=part_rope(width))


def seed_oss():
    sizes, width = text_sizes()
    return t.SeedOssConfig(**sizes, head_dim=choice([width, 8]), attention_bias=flip(), attention_out_bias=flip(), mlp_bias=flip(), rope_parameters=rope())


def biogpt():
    sizes, _ = layer_norm_sizes()
    sizes.pop("num_key_value_heads")
    return t.BioGptConfig(**sizes, scale_embedding=flip())


def xglm():
    heads = choice([1, 2, 4])
    return t.XGLMConfig(vocab_size=choice([24, 37]), max_position_embeddings=48, d_model=heads * choice([4, 6]), ffn_dim=choice([10, 33]),
                        num_layers=choice([1, 2, 3]), attention_heads=heads, activation_function=choice(["gelu", "relu"]), init_std=0.3, scale_embedding=flip(),
                        pad_token_id=1, bos_token_id=0, eos_token_id=2, tie_word_embeddings=flip())


OLDER = {
    "gpt2": decoder(gpt2, "GPT2", ("LMHeadModel", "ForSequenceClassification", "ForTokenClassification", "Model")),
    "gpt_neo": decoder(gpt_neo, "GPTNeo", ALL_HEADS),
    "gpt_neox": decoder(gpt_neox, "GPTNeoX", ALL_HEADS),
    "gptj": decoder(gptj, "GPTJ", ("ForCausalLM", "ForSequenceClassification", "Model")),
    "gpt_bigcode": decoder(gpt_bigcode, "GPTBigCode", ALL_HEADS),
    "opt": decoder(opt, "OPT", ("ForCausalLM", "ForSequenceClassification", "Model")),
    "bloom": decoder(bloom, "Bloom", ALL_HEADS),
    "mpt": decoder(mpt, "Mpt", ALL_HEADS),
    "falcon": decoder(falcon, "Falcon", ALL_HEADS),
    "llama": decoder(llama, "Llama", ALL_HEADS),
    "mistral": decoder(mistral, "Mistral", ALL_HEADS),
    "mixtral": decoder(mixtral, "Mixtral", ALL_HEADS),
    "qwen2": decoder(qwen2, "Qwen2", ALL_HEADS),
    "qwen2_moe": decoder(qwen2_moe, "Qwen2Moe", ALL_HEADS),
    "qwen3": decoder(qwen3, "Qwen3", ALL_HEADS),
    "qwen3_moe": decoder(qwen3_moe, "Qwen3Moe", ALL_HEADS),
    "gemma": decoder(gemma, "Gemma", ALL_HEADS),
    "gemma2": decoder(gemma2, "Gemma2", ALL_HEADS),
    "gemma3_text": decoder(gemma3, "Gemma3", ("ForCausalLM", "TextModel")),
    "phi": decoder(phi, "Phi", ALL_HEADS),
    "phi3": decoder(phi3, "Phi3", ALL_HEADS),
    "starcoder2": decoder(starcoder2, "Starcoder2", ALL_HEADS),
    "smollm3": decoder(smollm3, "SmolLM3", ALL_HEADS),
    "olmo": decoder(olmo, "Olmo", ("ForCausalLM", "Model")),
    "olmo2": decoder(olmo2, "Olmo2", ("ForCausalLM", "Model")),
    "olmo3": decoder(olmo3, "Olmo3", ("ForCausalLM", "Model")),
    "olmoe": decoder(olmoe, "Olmoe", ("ForCausalLM", "Model")),
    "granite": decoder(granite, "Granite", ("ForCausalLM", "Model")),
    "granitemoe": decoder(granitemoe, "GraniteMoe", ("ForCausalLM", "Model")),
    "stablelm": decoder(stablelm, "StableLm", ALL_HEADS),
    "deepseek_v2": decoder(deepseek_v2, "DeepseekV2", JUDGES),
    "deepseek_v3": decoder(deepseek_v3, "DeepseekV3", ALL_HEADS),
    "gpt_oss": decoder(gpt_oss, "GptOss", ALL_HEADS),
    "cohere": decoder(cohere, "Cohere", ("ForCausalLM", "Model")),
    "cohere2": decoder(cohere2, "Cohere2", ("ForCausalLM", "Model")),
    "arcee": decoder(arcee, "Arcee", ALL_HEADS),
    "cwm": decoder(cwm, "Cwm", ("ForCausalLM", "Model")),
    "ernie4_5": decoder(ernie4_5, "Ernie4_5", ("ForCausalLM", "Model")),
    "exaone4": decoder(exaone4, "Exaone4", ALL_HEADS),
    "glm": decoder(glm, "Glm", ALL_HEADS),
    "glm4": decoder(glm4, "Glm4", ALL_HEADS),
    "glm4_moe": decoder(glm4_moe, "Glm4Moe", ("ForCausalLM", "Model")),
    "helium": decoder(helium, "Helium", ALL_HEADS),
    "nemotron": decoder(nemotron, "Nemotron", ALL_HEADS),
    "persimmon": decoder(persimmon, "Persimmon", ALL_HEADS),
    "seed_oss": decoder(seed_oss, "SeedOss", ALL_HEADS),
    "biogpt": decoder(biogpt, "BioGpt", ALL_HEADS),
    "xglm": decoder(xglm, "XGLM", ("ForCausalLM", "Model")),
}
