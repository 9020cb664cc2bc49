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


def sparse(layers):
    return choice([None, [choice(["sparse", "dense"]) for _ in range(layers)]])


def ministral3():
    sizes, width = text_sizes()
    return t.Ministral3Config(**sizes, head_dim=choice([width, 8]), sliding_window=choice([None, 4]), rope_parameters=stretched())


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
                             norm_topk_prob=flip(), attention_bias=flip(), rope_parameters=part_rope(width))


def exaone_moe():
    sizes, width = text_sizes()
    layers = sizes["num_hidden_layers"]
    return t.ExaoneMoeConfig(**sizes, head_dim=width, sliding_window=choice([3, 6]), sliding_window_pattern=choice([2, 4]),
                             layer_types=choice([None, windows(layers)]), mlp_layer_types=sparse(layers), first_k_dense_replace=choice([0, 1, 2]),
                             moe_intermediate_size=choice([6, 9]), num_experts=4, num_experts_per_tok=choice([1, 2]), num_shared_experts=choice([1, 2]),
                             norm_topk_prob=flip(), routed_scaling_factor=choice([1.0, 2.5]), n_group=choice([1, 2]), topk_group=1, rope_parameters=rope())


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


RECENT = {
    "ministral3": counting(ministral3, "Ministral3", ALL_HEADS),
    "mistral4": counting(mistral4, "Mistral4", ("ForCausalLM", "ForSequenceClassification", "ForTokenClassification")),
    "youtu": decoder(youtu, "Youtu", ("ForCausalLM", "Model")),
    "glm4_moe_lite": decoder(glm4_moe_lite, "Glm4MoeLite", ("ForCausalLM", "Model")),
    "minicpm3": decoder(minicpm3, "MiniCPM3", ("ForCausalLM", "ForSequenceClassification", "Model")),
    "minimax_m2": decoder(minimax_m2, "MiniMaxM2", ("ForCausalLM", "Model")),
    "hy_v3": decoder(hy_v3, "HYV3", ("ForCausalLM", "Model")),
    "solar_open": decoder(solar_open, "SolarOpen", ("ForCausalLM", "Model")),
    "exaone_moe": decoder(exaone_moe, "ExaoneMoe", ("ForCausalLM", "Model")),
    "iquestcoder": decoder(iquestcoder, "Llama", ("ForCausalLM", "ForSequenceClassification")),
    "internlm3": decoder(internlm3, "Llama", ("ForCausalLM", "ForSequenceClassification")),
    "jais2": decoder(jais2, "Jais2", ("ForCausalLM", "Model")),
    "nanochat": decoder(nanochat, "NanoChat", ("ForCausalLM", "Model")),
    "granite_swa": decoder(granite_swa, "GraniteSWA", ("ForCausalLM", "Model")),
}
