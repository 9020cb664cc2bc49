"""Configurations of decoders for random_models.py, of the families that came last: each option on and off."""
from random import choice

import transformers as t
from random_decoder_configs import ALL_HEADS, deepseek_sizes, multipliers, part_rope, sizes_without, windows
from random_model_configs import decoder, flip, rope, text_sizes, texts


def stretched(**more):
    """Yarn, past which queries grow too."""
    part = dict(rope_type="yarn", rope_theta=1000.0, factor=choice([2.0, 4.0]), original_max_position_embeddings=choice([4, 12, 64]), **more)
    return dict(part, llama_4_scaling_beta=choice([0.1, 0.7]), **choice([{}, dict(mscale=1.0, mscale_all_dim=choice([1.0, 0.5]))]))


def counting(make, name, heads=("ForCausalLM",)):
    """Where a text's places count, transformers counts padding at the left unless it writes."""
    made = decoder(make, name, heads)

    def of(seed):
        one = made(seed)
        one.inputs = texts(one.config, 0)
        return one
    return of


def carrying(make, name, heads=("ForCausalLM",)):
    """Layers with a state: where what goes into one has a bias, transformers lets padding at the left into the first tokens."""
    made = decoder(make, name, heads)

    def of(seed):
        one = made(seed)
        if any(getattr(one.config, key, False) for key in ("use_bias", "conv_bias", "mamba_proj_bias")):
            one.inputs, one.pads = texts(one.config, 0), False
        return one
    return of


def sparse(layers):
    return choice([None, [choice(["sparse", "dense"]) for _ in range(layers)]])


def ministral3():
    sizes, width = text_sizes()
    return t.Ministral3Config(**sizes, head_dim=choice([width, 8]), sliding_window=choice([None, 4]), rope_parameters=stretched())


def modernbert_decoder():
    sizes, _ = text_sizes()
    for name in ("num_key_value_heads", "rms_norm_eps"):
        sizes.pop(name)
    kinds = [choice(["sliding_attention", "full_attention"]) for _ in range(sizes["num_hidden_layers"])]
    return t.ModernBertDecoderConfig(**dict(sizes, hidden_activation=sizes.pop("hidden_act")), norm_eps=choice([1e-5, 1e-3]), norm_bias=flip(),
                                     attention_bias=flip(), mlp_bias=flip(), decoder_bias=flip(), classifier_bias=flip(), local_attention=choice([4, 8, 128]),
                                     classifier_activation=choice(["gelu", "relu"]), layer_types=choice([None, kinds]))


def mistral4():
    sizes = deepseek_sizes()
    return t.Mistral4Config(**sizes, n_routed_experts=8, num_experts_per_tok=choice([1, 2]), n_group=choice([1, 2, 4]), topk_group=1,
                            norm_topk_prob=flip(), rope_interleave=flip(), rope_parameters=stretched())


def youtu():
    sizes = deepseek_sizes()
    for name in ("moe_intermediate_size", "first_k_dense_replace", "n_shared_experts", "routed_scaling_factor"):
        sizes.pop(name)
    return t.YoutuConfig(**sizes, rope_interleave=flip(), rope_parameters=rope())


def glm4_moe_lite():
    sizes = deepseek_sizes()
    sizes.pop("first_k_dense_replace")
    return t.Glm4MoeLiteConfig(**sizes, n_routed_experts=8, num_experts_per_tok=choice([1, 2]), n_group=choice([1, 2, 4]), topk_group=1,
                               norm_topk_prob=flip(), rope_interleave=flip(), mlp_layer_types=sparse(sizes["num_hidden_layers"]), rope_parameters=rope())


def minicpm3():
    sizes = deepseek_sizes()
    for name in ("moe_intermediate_size", "first_k_dense_replace", "n_shared_experts", "routed_scaling_factor"):
        sizes.pop(name)
    return t.MiniCPM3Config(**dict(sizes, v_head_dim=choice([None, 4, 10])), mlp_bias=flip(), scale_emb=choice([12, 1.0, 3.5]),
                            scale_depth=choice([None, 1.4]), dim_model_base=choice([None, 8]), rope_parameters=rope())


def minimax_m2():
    sizes, width = text_sizes()
    return t.MiniMaxM2Config(**sizes, head_dim=width, num_local_experts=choice([3, 5]), num_experts_per_tok=choice([1, 2]), rope_parameters=part_rope(width))


def hy_v3():
    sizes, width = text_sizes()
    return t.HYV3Config(**sizes, head_dim=choice([width, 8]), num_experts=choice([3, 5]), num_experts_per_tok=choice([1, 2]), mlp_bias=flip(),
                        num_shared_experts=choice([1, 2]), moe_intermediate_size=choice([6, 9]), router_scaling_factor=choice([1.0, 2.8]),
                        attention_bias=flip(), mlp_layer_types=sparse(sizes["num_hidden_layers"]), rope_parameters=rope())


def solar_open():
    sizes, width = sizes_without("intermediate_size")
    return t.SolarOpenConfig(**sizes, head_dim=width, moe_intermediate_size=choice([6, 9]), num_experts_per_tok=choice([1, 2]), n_routed_experts=4,
                             n_shared_experts=choice([1, 2]), routed_scaling_factor=choice([1.0, 2.5]), n_group=choice([1, 2]), topk_group=1,
                             norm_topk_prob=flip(), attention_bias=flip(), rope_parameters=rope())


def exaone_moe():
    sizes, width = text_sizes()
    layers = sizes["num_hidden_layers"]
    return t.ExaoneMoeConfig(**sizes, head_dim=width, sliding_window=choice([3, 6]), sliding_window_pattern=choice([2, 4]),
                             layer_types=choice([None, windows(layers)]), mlp_layer_types=sparse(layers), first_k_dense_replace=choice([0, 1, 2]),
                             moe_intermediate_size=choice([6, 9]), num_experts=4, num_experts_per_tok=choice([1, 2]), num_shared_experts=choice([1, 2]),
                             norm_topk_prob=flip(), routed_scaling_factor=choice([1.0, 2.5]), n_group=choice([1, 2]), topk_group=1, rope_parameters=rope())


def dots1():
    sizes, width = text_sizes()
    return t.Dots1Config(**sizes, head_dim=choice([width, 8]), attention_bias=flip(), moe_intermediate_size=choice([6, 9]), num_experts_per_tok=choice([1, 2]),
                         n_routed_experts=4, n_shared_experts=choice([1, 2]), routed_scaling_factor=choice([1.0, 2.5]), n_group=choice([1, 2]), topk_group=1,
                         first_k_dense_replace=choice([0, 1, 5]), norm_topk_prob=flip(), sliding_window=choice([3, 6]),
                         layer_types=choice([None, windows(sizes["num_hidden_layers"])]), rope_parameters=rope())


def iquestcoder():
    sizes, width = text_sizes()
    return t.IQuestCoderConfig(**sizes, head_dim=choice([width, 8]), attention_bias=flip(), mlp_bias=flip(), rope_parameters=rope())


def internlm3():
    sizes, width = text_sizes()
    biased = flip()
    return t.InternLM3Config(**sizes, head_dim=choice([width, 8]), attention_bias=biased, mlp_bias=biased, rope_parameters=rope())


def jais2():
    sizes, width = sizes_without("rms_norm_eps", layer_norm_eps=choice([1e-5, 1e-3]))
    return t.Jais2Config(**dict(sizes, hidden_act=choice(["relu2", "gelu"])), head_dim=width, attention_bias=flip(), mlp_bias=flip(), rope_parameters=rope())


def nanochat():
    sizes, _ = text_sizes()
    return t.NanoChatConfig(**dict(sizes, hidden_act=choice(["relu2", "silu"])), attention_bias=flip(), final_logit_softcapping=choice([15.0, 4.0]),
                            rope_parameters=dict(rope_type="default", rope_theta=choice([10000.0, 500.0])))


def granite_swa():
    sizes, _ = text_sizes()
    layers = sizes["num_hidden_layers"]
    return t.GraniteSWAConfig(**sizes, **multipliers(), attention_bias=flip(), mlp_bias=flip(), sliding_window=choice([3, 6]),
                              layer_types=choice([None, windows(layers)]), rope_parameters=rope(),
                              layer_rope_theta=choice([None, [choice([0, 100.0, 1000.0]) for _ in range(layers)]]))


def kinds(layers, *names):
    return [choice(names) for _ in range(layers)]


def some_attend(layers, *others):
    """transformers asks an attention layer how long a text is, so one has to be there."""
    out = kinds(layers, *others, "full_attention")
    return out if "full_attention" in out else [*out[1:], "full_attention"]


def lfm2():
    sizes, _ = sizes_without("rms_norm_eps", "hidden_act", norm_eps=choice([1e-5, 1e-3]))
    return t.Lfm2Config(**sizes, conv_bias=flip(), conv_L_cache=choice([2, 3, 4]), block_multiple_of=choice([1, 8]), block_auto_adjust_ff_dim=flip(),
                        block_ffn_dim_multiplier=choice([1.0, 1.5]), layer_types=some_attend(sizes["num_hidden_layers"], "conv", "conv"),
                        rope_parameters=rope())


def lfm2_moe():
    sizes, _ = sizes_without("rms_norm_eps", "hidden_act", norm_eps=choice([1e-5, 1e-3]))
    return t.Lfm2MoeConfig(**sizes, conv_bias=flip(), conv_L_cache=choice([2, 3, 4]), num_dense_layers=choice([0, 1]), moe_intermediate_size=choice([6, 9]),
                           num_experts=choice([3, 5]), num_experts_per_tok=choice([1, 2]), use_expert_bias=flip(), norm_topk_prob=flip(),
                           routed_scaling_factor=choice([1.0, 2.5]), layer_types=some_attend(sizes["num_hidden_layers"], "conv", "conv"),
                           rope_parameters=rope())


def delta_sizes():
    sizes, width = text_sizes()
    keys = choice([1, 2, 3])
    return dict(sizes, head_dim=width, linear_conv_kernel_dim=choice([2, 4]), linear_key_head_dim=choice([3, 4, 8]), linear_value_head_dim=choice([4, 6]),
                linear_num_key_heads=keys, linear_num_value_heads=keys * choice([1, 2, 3]), attention_bias=flip(), rope_parameters=part_rope(width),
                layer_types=some_attend(sizes["num_hidden_layers"], "linear_attention", "linear_attention"))


def shared_experts():
    return dict(moe_intermediate_size=choice([6, 9]), shared_expert_intermediate_size=choice([5, 8]), num_experts=choice([3, 5]),
                num_experts_per_tok=choice([1, 2]))


def qwen3_next():
    sizes = delta_sizes()
    return t.Qwen3NextConfig(**sizes, **shared_experts(), decoder_sparse_step=choice([1, 2]), norm_topk_prob=flip(),
                             mlp_only_layers=choice([None, [0]]))


def qwen3_5():
    return t.Qwen3_5TextConfig(**delta_sizes())


def qwen3_5_moe():
    sizes = delta_sizes()
    sizes.pop("intermediate_size")
    return t.Qwen3_5MoeTextConfig(**sizes, **shared_experts())


def space_sizes(sizes):
    """Of state spaces: heads of `mamba_expand` times the width."""
    groups = choice([1, 2])
    heads = groups * choice([count for count in (1, 2) if sizes["hidden_size"] % count == 0])
    return dict(mamba_n_heads=heads, mamba_d_head=choice(["auto", 2 * sizes["hidden_size"] // heads]), mamba_n_groups=groups, mamba_expand=2,
                mamba_d_state=choice([3, 8]), mamba_d_conv=choice([2, 4]), mamba_conv_bias=flip(), mamba_proj_bias=flip(), mamba_chunk_size=choice([4, 256]))


def granitemoehybrid():
    sizes, _ = text_sizes()
    return t.GraniteMoeHybridConfig(**sizes, **space_sizes(sizes), **multipliers(), attention_bias=flip(), num_local_experts=choice([0, 2, 3]),
                                    num_experts_per_tok=choice([1, 2]), shared_intermediate_size=choice([7, 12]),
                                    position_embedding_type=choice([None, "rope"]), rope_parameters=rope(),
                                    layer_types=some_attend(sizes["num_hidden_layers"], "linear_attention", "linear_attention"))


def bamba():
    sizes, width = text_sizes()
    while width % 4:  # In the older spelling half of a head turns, whatever else is said.
        sizes, width = text_sizes()
    return t.BambaConfig(**sizes, **space_sizes(sizes), attn_layer_indices=[choice(range(sizes["num_hidden_layers"]))], attention_bias=flip(), mlp_bias=flip(),
                         rope_parameters=part_rope(width))


def mamba2():
    sizes, _ = text_sizes()
    space = space_sizes(sizes)
    return t.Mamba2Config(vocab_size=sizes["vocab_size"], hidden_size=sizes["hidden_size"], num_hidden_layers=sizes["num_hidden_layers"],
                          num_heads=space["mamba_n_heads"], head_dim=2 * sizes["hidden_size"] // space["mamba_n_heads"], n_groups=space["mamba_n_groups"],
                          state_size=space["mamba_d_state"], conv_kernel=space["mamba_d_conv"], use_bias=flip(), use_conv_bias=flip(),
                          layer_norm_epsilon=choice([1e-5, 1e-3]), chunk_size=choice([4, 256]), initializer_range=0.3, pad_token_id=0, bos_token_id=1,
                          eos_token_id=2, tie_word_embeddings=flip(), hidden_act=choice(["silu", "gelu"]))


def nemotron_h():
    sizes, width = sizes_without("num_hidden_layers", "rms_norm_eps", "hidden_act", layer_norm_epsilon=choice([1e-5, 1e-3]))
    groups = choice([1, 2])
    return t.NemotronHConfig(**sizes, head_dim=choice([width, 8]), layers_block_type=some_attend(4, "linear_attention", "moe", "mlp"),
                             mamba_num_heads=groups * choice([1, 2]), mamba_head_dim=choice([4, 6]), n_groups=groups, ssm_state_size=choice([3, 8]),
                             conv_kernel=choice([2, 4]), use_conv_bias=flip(), use_bias=flip(), mlp_bias=flip(), chunk_size=choice([4, 128]),
                             mlp_hidden_act=choice(["relu2", "silu"]), n_routed_experts=4, num_experts_per_tok=choice([1, 2]), n_group=choice([1, 2]),
                             topk_group=1, norm_topk_prob=flip(), routed_scaling_factor=choice([1.0, 2.5]), moe_intermediate_size=choice([6, 9]),
                             moe_shared_expert_intermediate_size=choice([5, 8]), rescale_prenorm_residual=False)


def factor():
    return choice([1.0, 0.3, 1.7])


def falcon_h1():
    sizes, width = text_sizes()
    space = space_sizes(sizes)
    numbers = space["mamba_n_heads"] * choice([4, 6])
    space.update(mamba_d_head="auto", mamba_d_ssm=choice([None, numbers]))
    return t.FalconH1Config(**sizes, **space, attention_bias=flip(), mlp_bias=flip(), projectors_bias=flip(), mamba_rms_norm=flip(),
                            mamba_norm_before_gate=flip(), lm_head_multiplier=factor(), embedding_multiplier=factor(), mlp_multipliers=[factor(), factor()],
                            key_multiplier=factor(), attention_out_multiplier=factor(), attention_in_multiplier=factor(), ssm_in_multiplier=factor(),
                            ssm_out_multiplier=factor(), ssm_multipliers=choice([None, [factor() for _ in range(5)]]), rope_parameters=rope())


def mamba_sizes():
    return dict(vocab_size=choice([24, 37]), hidden_size=choice([8, 20]), state_size=choice([3, 8]), num_hidden_layers=choice([1, 2, 3]), expand=2,
                layer_norm_epsilon=choice([1e-5, 1e-3]), conv_kernel=choice([2, 4]), use_bias=flip(), use_conv_bias=flip(), initializer_range=0.3,
                hidden_act=choice(["silu", "gelu"]), time_step_rank=choice(["auto", 3]), pad_token_id=0, bos_token_id=1, eos_token_id=2,
                tie_word_embeddings=flip(), use_associative_scan=False)


def mamba():
    return t.MambaConfig(**mamba_sizes())


def falcon_mamba():
    return t.FalconMambaConfig(**mamba_sizes(), mixer_rms_eps=choice([1e-6, 1e-3]))


def jamba():
    sizes, _ = text_sizes()
    sizes["num_hidden_layers"] = choice([2, 3])
    return t.JambaConfig(**sizes, num_experts=choice([1, 3, 4]), num_experts_per_tok=choice([1]), expert_layer_period=2, expert_layer_offset=choice([0, 1]),
                         attn_layer_period=2, attn_layer_offset=choice([0, 1]), mamba_d_state=choice([3, 8]), mamba_d_conv=choice([2, 4]), mamba_expand=2,
                         mamba_dt_rank=choice(["auto", 3]), mamba_conv_bias=flip(), mamba_proj_bias=flip(), use_mamba_kernels=False,
                         use_associative_scan=False)


RECENT = {
    "ministral3": counting(ministral3, "Ministral3", ALL_HEADS),
    "modernbert-decoder": decoder(modernbert_decoder, "ModernBertDecoder", ("ForCausalLM", "ForSequenceClassification", "Model")),
    "mistral4": counting(mistral4, "Mistral4", ("ForCausalLM", "ForSequenceClassification", "ForTokenClassification")),
    "youtu": decoder(youtu, "Youtu", ("ForCausalLM", "Model")),
    "glm4_moe_lite": decoder(glm4_moe_lite, "Glm4MoeLite", ("ForCausalLM", "Model")),
    "minicpm3": decoder(minicpm3, "MiniCPM3", ("ForCausalLM", "ForSequenceClassification", "Model")),
    "minimax_m2": decoder(minimax_m2, "MiniMaxM2", ("ForCausalLM", "Model")),
    "hy_v3": decoder(hy_v3, "HYV3", ("ForCausalLM", "Model")),
    "solar_open": decoder(solar_open, "SolarOpen", ("ForCausalLM", "Model")),
    "exaone_moe": decoder(exaone_moe, "ExaoneMoe", ("ForCausalLM", "Model")),
    "dots1": decoder(dots1, "Dots1", ("ForCausalLM", "Model")),
    "iquestcoder": decoder(iquestcoder, "Llama", ("ForCausalLM", "ForSequenceClassification")),
    "internlm3": decoder(internlm3, "Llama", ("ForCausalLM", "ForSequenceClassification")),
    "jais2": decoder(jais2, "Jais2", ("ForCausalLM", "Model")),
    "nanochat": decoder(nanochat, "NanoChat", ("ForCausalLM", "Model")),
    "granite_swa": decoder(granite_swa, "GraniteSWA", ("ForCausalLM", "Model")),
    "lfm2": carrying(lfm2, "Lfm2", ("ForCausalLM", "Model")),
    "lfm2_moe": carrying(lfm2_moe, "Lfm2Moe", ("ForCausalLM", "Model")),
    "qwen3_next": decoder(qwen3_next, "Qwen3Next", ALL_HEADS),
    "qwen3_5_text": decoder(qwen3_5, "Qwen3_5", ("ForCausalLM", "TextForSequenceClassification")),
    "qwen3_5_moe_text": decoder(qwen3_5_moe, "Qwen3_5Moe", ("ForCausalLM",)),
    "granitemoehybrid": carrying(granitemoehybrid, "GraniteMoeHybrid", ("ForCausalLM", "Model")),
    "bamba": carrying(bamba, "Bamba", ("ForCausalLM", "Model")),
    "mamba2": carrying(mamba2, "Mamba2", ("ForCausalLM",)),
    "nemotron_h": carrying(nemotron_h, "NemotronH", ("ForCausalLM",)),
    "falcon_h1": carrying(falcon_h1, "FalconH1", ("ForCausalLM", "Model")),
    "mamba": carrying(mamba, "Mamba", ("ForCausalLM",)),
    "falcon_mamba": carrying(falcon_mamba, "FalconMamba", ("ForCausalLM",)),
    "jamba": carrying(jamba, "Jamba", ("ForCausalLM", "Model")),
}
