"""Configurations by family for random_models.py: sizes that tell every part from its neighbours, each option on and off."""
from dataclasses import dataclass, field
from random import choice, random

import torch
import transformers as t


@dataclass
class Made:
    config: object
    model: str  # Of transformers.
    inputs: dict = field(default_factory=dict)
    pads: bool = True  # At the left, before what is written.


def flip():
    return random() < 0.5


def text_sizes():
    """Sizes of llama's spelling, and the width of a head."""
    heads, width = choice([2, 4, 6]), choice([4, 6, 8])
    sizes = dict(vocab_size=choice([24, 37, 61]), hidden_size=heads * width, num_attention_heads=heads,
                 num_key_value_heads=choice([count for count in (1, 2, heads) if heads % count == 0]), num_hidden_layers=choice([1, 2, 3]),
                 intermediate_size=choice([10, 20, 33]), max_position_embeddings=48, initializer_range=0.3, bos_token_id=1, eos_token_id=2,
                 pad_token_id=0, tie_word_embeddings=flip(), rms_norm_eps=choice([1e-5, 1e-3]),
                 hidden_act=choice(["silu", "gelu", "relu", "gelu_pytorch_tanh"]))
    return sizes, width


def older_sizes(heads=None):
    heads = heads or choice([1, 2, 4])
    return dict(vocab_size=choice([24, 37, 61]), n_embd=heads * choice([4, 6, 8]), n_head=heads, n_layer=choice([1, 2, 3]), n_positions=48,
                initializer_range=0.3, bos_token_id=1, eos_token_id=2, pad_token_id=0)


def rope():
    plain = dict(rope_type="default", rope_theta=choice([10000.0, 500.0]))
    return choice([plain, plain, plain, dict(rope_type="linear", factor=2.0, rope_theta=1000.0),
                   dict(rope_type="llama3", factor=4.0, rope_theta=1000.0, low_freq_factor=1.0, high_freq_factor=4.0, original_max_position_embeddings=16),
                   dict(rope_type="yarn", factor=4.0, rope_theta=1000.0, original_max_position_embeddings=12)])


def long_rope(pairs):
    return dict(rope_type="longrope", rope_theta=1000.0, short_factor=[1 + 0.2 * i for i in range(pairs)],
                long_factor=[2 + 0.6 * i for i in range(pairs)], short_mscale=1.2, long_mscale=1.2, original_max_position_embeddings=12)


def alpha_rope():
    return choice([rope(), dict(rope_type="dynamic", rope_theta=1000.0, alpha=50.0, factor=1.0), dict(rope_type="dynamic", rope_theta=1000.0, factor=2.0)])


def texts(config, seed):
    """Rows of which one is padded, at the right or at the left."""
    length = choice([7, 13, 20])
    ids, mask = torch.randint(3, config.vocab_size, (3, length)), torch.ones(3, length, dtype=torch.long)
    if seed % 3 == 2:
        mask[1, :3] = 0
    else:
        mask[1, length - 3:] = 0
    ids[mask == 0] = 0
    return dict(input_ids=ids, attention_mask=mask)


def decoder(make, name, heads=("ForCausalLM",)):
    def of(seed):
        config = make()
        head = heads[seed % len(heads)]
        if head.endswith("Classification"):
            config.num_labels = choice([2, 3, 5])
        sharpens = getattr(config, "attn_temperature_tuning", False) and config.floor_scale < 48  # transformers counts padding there.
        return Made(config, name + head, texts(config, 0 if sharpens else seed), not sharpens)
    return of


JUDGES = ("ForCausalLM", "ForSequenceClassification")


def openai_gpt():
    return t.OpenAIGPTConfig(**older_sizes(), afn=choice(["gelu", "relu", "silu", "swish"]), layer_norm_epsilon=choice([1e-5, 1e-3]),
                             tie_word_embeddings=flip())


def codegen():
    return t.CodeGenConfig(**older_sizes(choice([4, 8])), rotary_dim=choice([2, 4]), n_inner=choice([None, 20]),
                           activation_function=choice(["gelu_new", "relu"]), tie_word_embeddings=flip())


def ctrl():
    return t.CTRLConfig(**older_sizes(), dff=choice([10, 30]), layer_norm_epsilon=choice([1e-6, 1e-2]))


def phimoe():
    sizes, width = text_sizes()
    plain = dict(rope_type="default", rope_theta=choice([10000.0, 500.0]))
    return t.PhimoeConfig(**sizes, num_local_experts=choice([2, 3, 5]), router_jitter_noise=choice([0.01, 0.2, 0.5]), attention_bias=flip(),
                          lm_head_bias=flip(), sliding_window=choice([None, 4]), rope_parameters=choice([plain, long_rope(width // 2)]))


def llama4():
    sizes, width = text_sizes()
    sizes["num_hidden_layers"] = choice([2, 4])
    return t.Llama4TextConfig(**sizes, head_dim=choice([width, 8]), intermediate_size_mlp=choice([10, 14]), num_local_experts=choice([1, 3, 4]),
                              interleave_moe_layer_step=choice([1, 2]), use_qk_norm=flip(), attention_chunk_size=choice([3, 5, 64]),
                              no_rope_layer_interval=choice([2, 4]), attn_temperature_tuning=flip(), floor_scale=choice([3, 8192]), attn_scale=0.3,
                              attention_bias=flip(), rope_parameters=rope())


def ernie4_5_moe():
    sizes = dict(text_sizes()[0], num_hidden_layers=3)
    return t.Ernie4_5_MoeConfig(**sizes, moe_num_experts=choice([3, 5]), moe_k=choice([1, 2, 3]), moe_intermediate_size=choice([6, 9]), use_bias=flip(),
                                moe_num_shared_experts=choice([0, 1, 2]), moe_layer_start_index=choice([0, 1]), moe_layer_end_index=choice([-1, 1, 2]),
                                moe_layer_interval=choice([1, 2]), moe_norm_min=choice([1e-12, 0.7]), rope_parameters=rope())


def hunyuan_v1_dense():
    sizes, width = text_sizes()
    return t.HunYuanDenseV1Config(**sizes, head_dim=choice([width, 8]), attention_bias=flip(), rope_parameters=alpha_rope())


def hunyuan_v1_moe():
    sizes, width = text_sizes()
    return t.HunYuanMoEV1Config(**sizes, head_dim=choice([width, 8]), attention_bias=flip(), rope_parameters=alpha_rope(),
                                num_experts=choice([2, 3, 4]), moe_topk=choice([1, 2]))


def apertus():
    sizes = dict(text_sizes()[0], hidden_act=choice(["xielu", "xielu", "relu2"]))
    return t.ApertusConfig(**sizes, attention_bias=flip(), rope_parameters=choice([None, rope()]))


def granitemoeshared():
    return t.GraniteMoeSharedConfig(**text_sizes()[0], shared_intermediate_size=choice([0, 7, 12]), num_local_experts=choice([2, 3]),
                                    num_experts_per_tok=choice([1, 2]), attention_bias=flip(), embedding_multiplier=choice([1.0, 3.0]),
                                    residual_multiplier=choice([1.0, 0.5]), logits_scaling=choice([1.0, 2.0]), attention_multiplier=choice([1.0, 0.2]),
                                    rope_parameters=rope())


def flex_olmo():
    return t.FlexOlmoConfig(**text_sizes()[0], num_experts=choice([3, 5]), num_experts_per_tok=choice([1, 2, 3]), norm_topk_prob=flip(),
                            attention_bias=flip(), rope_parameters=rope())


def vaultgemma():
    sizes, width = text_sizes()
    sizes.pop("hidden_act")
    return t.VaultGemmaConfig(**sizes, head_dim=choice([width, 8]), hidden_activation=choice(["gelu_pytorch_tanh", "silu"]), attention_bias=flip(),
                              query_pre_attn_scalar=choice([10, 64]), sliding_window=choice([3, 8]), attn_logit_softcapping=choice([None, 5.0]),
                              final_logit_softcapping=choice([None, 6.0]))


DECODERS = {
    "openai-gpt": decoder(openai_gpt, "OpenAIGPT", ("LMHeadModel", "ForSequenceClassification", "Model")),
    "codegen": decoder(codegen, "CodeGen", ("ForCausalLM", "Model")),
    "ctrl": decoder(ctrl, "CTRL", ("LMHeadModel", "ForSequenceClassification", "Model")),
    "phimoe": decoder(phimoe, "Phimoe", JUDGES),
    "llama4_text": decoder(llama4, "Llama4"),
    "ernie4_5_moe": decoder(ernie4_5_moe, "Ernie4_5_Moe"),
    "hunyuan_v1_dense": decoder(hunyuan_v1_dense, "HunYuanDenseV1", JUDGES),
    "hunyuan_v1_moe": decoder(hunyuan_v1_moe, "HunYuanMoEV1", JUDGES),
    "apertus": decoder(apertus, "Apertus", ("ForCausalLM", "ForTokenClassification")),
    "granitemoeshared": decoder(granitemoeshared, "GraniteMoeShared"),
    "flex_olmo": decoder(flex_olmo, "FlexOlmo"),
    "vaultgemma": decoder(vaultgemma, "VaultGemma"),
}


def image_sizes():
    heads = choice([1, 2, 3])
    return dict(hidden_size=heads * choice([4, 8, 12]), num_hidden_layers=choice([1, 2, 3]), num_attention_heads=heads,
                intermediate_size=choice([10, 20, 33]), hidden_act=choice(["gelu", "relu", "gelu_new", "quick_gelu"]),
                layer_norm_eps=choice([1e-12, 1e-5]), num_channels=choice([1, 3]))


def image(config, model, height, width):
    config.num_labels = choice([2, 3, 5])
    return Made(config, model, dict(pixel_values=torch.randn(2, config.num_channels, height, width)))


def with_distances(kind, name):
    """A bias by distance, or images of any size."""
    def of(_):
        patch, side, own, shared = choice([2, 3, 4]), choice([1, 2, 3, 4]), flip(), flip()
        size = patch * side + (choice([0, 0, 1]) if own or shared else 0)
        config = kind(**image_sizes(), image_size=size, patch_size=patch, use_absolute_position_embeddings=flip(), use_relative_position_bias=own,
                      use_shared_relative_position_bias=shared, layer_scale_init_value=choice([0.0, 0.1]), use_mean_pooling=flip(), use_mask_token=flip())
        shape = (size, size) if own or shared or flip() else (patch * choice([1, 2, 5]), patch * choice([1, 2, 4]))
        return image(config, name + choice(["Model", "ForImageClassification"]), *shape)
    return of


def dinov3_vit(_):
    patch = choice([2, 4])
    config = t.DINOv3ViTConfig(**image_sizes(), image_size=patch * 4, patch_size=patch, num_register_tokens=choice([0, 2, 4]), use_gated_mlp=flip(),
                               query_bias=flip(), key_bias=flip(), value_bias=flip(), proj_bias=flip(), mlp_bias=flip(), rope_theta=choice([100.0, 30.0]))
    return image(config, "DINOv3ViTModel", patch * choice([1, 2, 3, 5]) + choice([0, 1]), patch * choice([1, 2, 4]))


def vit_msn(_):
    patch, side = choice([2, 4]), choice([1, 2, 3])
    config = t.ViTMSNConfig(**image_sizes(), image_size=patch * side, patch_size=patch, qkv_bias=flip())
    return image(config, choice(["ViTMSNModel", "ViTMSNForImageClassification"]), patch * side, patch * side)


def yolos(_):
    patch, height, width = choice([2, 4]), choice([1, 2, 3]), choice([1, 2, 4])
    config = t.YolosConfig(**image_sizes(), image_size=[patch * height, patch * width], patch_size=patch, qkv_bias=flip(),
                           num_detection_tokens=choice([1, 3, 7]), use_mid_position_embeddings=flip())
    shape = (patch * height, patch * width) if flip() else (patch * choice([1, 2, 5]), patch * choice([1, 3, 4]))
    return image(config, choice(["YolosModel", "YolosForObjectDetection", "YolosForObjectDetection"]), *shape)


def regnet(_):
    group, stages = choice([4, 8]), choice([1, 2, 3])
    config = t.RegNetConfig(num_channels=choice([1, 3]), embedding_size=choice([8, 12]), hidden_sizes=[group * choice([1, 2, 3]) for _ in range(stages)],
                            depths=[choice([1, 2]) for _ in range(stages)], groups_width=group, layer_type=choice(["x", "y"]),
                            hidden_act=choice(["relu", "gelu", "silu"]), downsample_in_first_stage=flip())
    return image(config, choice(["RegNetModel", "RegNetForImageClassification"]), choice([17, 24, 32]), choice([16, 21]))


IMAGES = {
    "beit": with_distances(t.BeitConfig, "Beit"),
    "data2vec-vision": with_distances(t.Data2VecVisionConfig, "Data2VecVision"),
    "dinov3_vit": dinov3_vit,
    "regnet": regnet,
    "vit_msn": vit_msn,
    "yolos": yolos,
}
