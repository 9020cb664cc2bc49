"""Configurations of models of images and sounds that have goldens too, for random_models.py: each option on and off."""
from random import choice

import torch
import transformers as t
from random_model_configs import Made, flip, image, image_sizes


def vit(kind, name):
    def of(_):
        patch, side = choice([2, 3, 4]), choice([1, 2, 3])
        config = kind(**image_sizes(), image_size=patch * side, patch_size=patch, qkv_bias=flip(), pooler_act=choice(["tanh", "gelu"]))
        tasks = ["Model", "ForImageClassification"] + (["ForImageClassificationWithTeacher"] if name == "DeiT" else [])
        return image(config, name + choice(tasks), patch * side, patch * side)
    return of


def dinov2(kind, name):
    def of(_):
        sizes, patch, side = image_sizes(), choice([2, 4]), choice([1, 2, 3])
        sizes.pop("intermediate_size")
        more = dict(num_register_tokens=choice([1, 3])) if "Registers" in name else {}
        config = kind(**sizes, image_size=patch * side, patch_size=patch, mlp_ratio=choice([2, 3, 4]), qkv_bias=flip(), layerscale_value=choice([1.0, 0.3]),
                      use_swiglu_ffn=flip(), **more)
        shape = (patch * side, patch * side) if flip() else (patch * choice([1, 2, 5]), patch * choice([1, 3, 4]))
        return image(config, name + choice(["Model", "ForImageClassification"]), *shape)
    return of


def swin(_):
    stages, width = choice([1, 2]), choice([4, 8])  # A window that is wider than what is left breaks transformers' masks.
    config = t.SwinConfig(image_size=choice([20, 24]), patch_size=2, num_channels=choice([1, 3]), embed_dim=width,
                          depths=[choice([1, 2]) for _ in range(stages)], num_heads=[choice([1, 2, 4]) for _ in range(stages)], window_size=choice([2, 3, 5]),
                          mlp_ratio=choice([2.0, 4.0]), qkv_bias=flip(), hidden_act=choice(["gelu", "relu"]), use_absolute_embeddings=flip(),
                          layer_norm_eps=choice([1e-5, 1e-3]))
    return image(config, choice(["SwinModel", "SwinForImageClassification"]), config.image_size, config.image_size)


def convnext(kind, name):
    def of(_):
        stages = choice([1, 2, 4])
        more = dict(layer_scale_init_value=choice([0.0, 0.5])) if name == "ConvNext" else {}
        config = kind(num_channels=choice([1, 3]), patch_size=choice([2, 4]), num_stages=stages, hidden_sizes=[choice([4, 8, 12]) for _ in range(stages)],
                      depths=[choice([1, 2]) for _ in range(stages)], hidden_act=choice(["gelu", "relu"]), layer_norm_eps=choice([1e-12, 1e-6]), **more)
        return image(config, name + choice(["Model", "ForImageClassification"]), choice([32, 37]), choice([32, 45]))
    return of


def resnet(_):
    stages, kind = choice([1, 2, 3]), choice(["basic", "bottleneck"])
    config = t.ResNetConfig(num_channels=choice([1, 3]), embedding_size=choice([4, 8]), hidden_sizes=[choice([8, 16]) for _ in range(stages)],
                            depths=[choice([1, 2]) for _ in range(stages)], layer_type=kind, hidden_act=choice(["relu", "gelu"]),
                            downsample_in_first_stage=flip(), downsample_in_bottleneck=flip())
    return image(config, choice(["ResNetModel", "ResNetForImageClassification"]), choice([24, 33]), choice([17, 32]))


def clip_vision():
    sizes, patch, side = image_sizes(), choice([2, 4]), choice([1, 2, 3])
    return dict(sizes, image_size=patch * side, patch_size=patch)


def clip_text():
    heads = choice([1, 2, 4])
    return dict(vocab_size=choice([24, 37]), hidden_size=heads * choice([4, 8]), intermediate_size=choice([10, 20]), num_hidden_layers=choice([1, 2]),
                num_attention_heads=heads, max_position_embeddings=24, hidden_act=choice(["quick_gelu", "gelu"]), layer_norm_eps=choice([1e-5, 1e-3]),
                pad_token_id=1, bos_token_id=0, eos_token_id=choice([2, 23]))


def written(config, rows=2):
    ids = torch.randint(3, config.vocab_size - 1, (rows, choice([5, 9])))
    ids[:, -1] = config.eos_token_id
    return dict(input_ids=ids, attention_mask=torch.ones_like(ids))


def clip(seed):
    if seed % 3 == 0:
        config = t.CLIPVisionConfig(**clip_vision(), projection_dim=choice([6, 10]))
        return image(config, choice(["CLIPVisionModel", "CLIPVisionModelWithProjection"]), config.image_size, config.image_size)
    if seed % 3 == 1:
        config = t.CLIPTextConfig(**clip_text(), projection_dim=choice([6, 10]))
        return Made(config, choice(["CLIPTextModel", "CLIPTextModelWithProjection"]), written(config))
    config = t.CLIPConfig(text_config=clip_text(), vision_config=clip_vision(), projection_dim=choice([6, 10]))
    side = config.vision_config.image_size
    return Made(config, "CLIPModel", dict(written(config.text_config), pixel_values=torch.randn(2, config.vision_config.num_channels, side, side)))


def siglip(seed):
    vision = dict(clip_vision(), vision_use_head=True)
    text = dict(clip_text(), projection_size=vision["hidden_size"])
    if seed % 3 == 0:
        config = t.SiglipVisionConfig(**dict(vision, vision_use_head=flip()))
        return image(config, "SiglipVisionModel", config.image_size, config.image_size)
    if seed % 3 == 1:
        config = t.SiglipTextConfig(**text)
        return Made(config, "SiglipTextModel", {"input_ids": written(config)["input_ids"]})
    config = t.SiglipConfig(text_config=text, vision_config=vision)
    side = config.vision_config.image_size
    return Made(config, "SiglipModel", dict(input_ids=written(config.text_config)["input_ids"],
                                            pixel_values=torch.randn(2, config.vision_config.num_channels, side, side)))


def speech(kind, name):
    def of(seed):
        heads, layers = choice([1, 2, 4]), choice([1, 2, 3])
        norm = choice(["group", "layer"])
        count = choice([2, 3])
        groups = choice([1, 2])
        config = kind(vocab_size=12, hidden_size=heads * choice([4, 8]), num_hidden_layers=layers, num_attention_heads=heads, intermediate_size=choice([10, 20]),
                      hidden_act=choice(["gelu", "relu"]), layer_norm_eps=choice([1e-5, 1e-3]), feat_extract_norm=norm, conv_dim=[8] * count,
                      conv_stride=[choice([2, 5])] + [2] * (count - 1), conv_kernel=[choice([5, 10])] + [choice([2, 3]) for _ in range(count - 1)],
                      conv_bias=flip(), num_conv_pos_embeddings=choice([4, 5, 8]), num_conv_pos_embedding_groups=groups, do_stable_layer_norm=norm == "layer" and flip(),
                      use_weighted_layer_sum=flip(), classifier_proj_size=6, initializer_range=0.3, pad_token_id=0, apply_spec_augment=False)
        config.num_labels = choice([2, 4])
        values, mask = torch.randn(2, 400), torch.ones(2, 400, dtype=torch.long)
        inputs = dict(input_values=values)
        if norm == "layer" and flip():
            mask[1, 300:] = 0
            values[1, 300:] = 0
            inputs["attention_mask"] = mask
        return Made(config, name + ["Model", "ForCTC", "ForSequenceClassification"][seed % 3], inputs)
    return of


SIGNALS = {
    "vit": vit(t.ViTConfig, "ViT"),
    "deit": vit(t.DeiTConfig, "DeiT"),
    "dinov2": dinov2(t.Dinov2Config, "Dinov2"),
    "dinov2_with_registers": dinov2(t.Dinov2WithRegistersConfig, "Dinov2WithRegisters"),
    "swin": swin,
    "convnext": convnext(t.ConvNextConfig, "ConvNext"),
    "convnextv2": convnext(t.ConvNextV2Config, "ConvNextV2"),
    "resnet": resnet,
    "clip": clip,
    "siglip": siglip,
    "wav2vec2": speech(t.Wav2Vec2Config, "Wav2Vec2"),
    "hubert": speech(t.HubertConfig, "Hubert"),
    "wavlm": speech(t.WavLMConfig, "WavLM"),
}
