"""Configurations of text encoders and encoder-decoders for random_models.py."""
from random import choice, randint

import torch
import transformers as t
from random_model_configs import Made, flip, texts

HEADS = ("Model", "ForMaskedLM", "ForSequenceClassification", "ForTokenClassification", "ForQuestionAnswering")
XLM_HEADS = ("Model", "WithLMHeadModel", "ForSequenceClassification", "ForTokenClassification", "ForQuestionAnsweringSimple")


def sizes():
    heads = choice([1, 2, 4])
    return dict(vocab_size=choice([24, 37, 61]), hidden_size=heads * choice([4, 6, 8]), num_hidden_layers=choice([1, 2, 3]), num_attention_heads=heads,
                intermediate_size=choice([10, 20, 33]), hidden_act=choice(["gelu", "relu", "gelu_new", "silu"]), layer_norm_eps=choice([1e-12, 1e-5]),
                max_position_embeddings=40, initializer_range=0.3, pad_token_id=0)


def encoder(make, name, heads=HEADS, left=True, last=False):
    """Each head in turn, padded at the left too where the head reads no first token, and there alone where it reads the last one; `make` gives the configuration, and perhaps more inputs."""
    def of(seed):
        config, more = make() if isinstance(made := make(), tuple) else (made, None)
        head = heads[seed % len(heads)]
        if "QuestionAnswering" not in head:
            config.num_labels = choice([2, 3, 5])
        reads_one = head in ("Model", "ForSequenceClassification")
        inputs = texts(config, 2 if last and reads_one else seed if left and not reads_one else 0)
        inputs["input_ids"][inputs["attention_mask"] == 0] = config.pad_token_id
        if more:
            inputs.update(more(inputs, head))
        return Made(config, name + head, inputs)
    return of


def writer(make, name, heads=("ForConditionalGeneration",), left=True, padded=False):
    """An encoder that reads and a decoder that has written some tokens."""
    def of(seed):
        config = make()
        head = heads[seed % len(heads)]
        inputs = texts(config, seed if left else 0)
        inputs["input_ids"][inputs["attention_mask"] == 0] = config.pad_token_id
        if "Classification" in head:
            config.num_labels = choice([2, 3, 5])
        else:
            inputs["decoder_input_ids"] = torch.randint(3, config.vocab_size, (3, randint(1, 9)))
            if padded:  # As where a decoder begins with padding, or wrote some.
                inputs["decoder_input_ids"][torch.rand(inputs["decoder_input_ids"].shape) < 0.2] = config.pad_token_id
        return Made(config, name + head, inputs, left)
    return of


def umt5():
    heads = choice([1, 2, 4])
    return t.UMT5Config(vocab_size=choice([24, 37, 61]), d_model=choice([8, 12, 20]), d_kv=choice([4, 6, 8]), d_ff=choice([10, 20, 33]), num_heads=heads,
                        num_layers=choice([2, 3]), num_decoder_layers=choice([1, 2]), relative_attention_num_buckets=choice([8, 12, 32]),
                        relative_attention_max_distance=choice([20, 40, 128]), feed_forward_proj=choice(["gated-gelu", "relu", "gated-silu"]),
                        layer_norm_epsilon=choice([1e-6, 1e-3]), initializer_factor=0.6, decoder_start_token_id=0)


def xlm(kind=t.XLMConfig, **more):
    plain = sizes()
    return kind(vocab_size=plain["vocab_size"], emb_dim=plain["hidden_size"], n_heads=plain["num_attention_heads"], n_layers=plain["num_hidden_layers"],
                gelu_activation=flip(), n_langs=choice([1, 3]), use_lang_emb=flip(), max_position_embeddings=40, layer_norm_eps=plain["layer_norm_eps"],
                embed_init_std=0.3, init_std=0.3, pad_token_id=2, summary_activation=choice([None, "tanh"]), **more)


def boxes(inputs, _):
    """Of some, each with its left and its top before its right and its bottom."""
    if flip():
        return {}
    corners = torch.randint(0, 30, (*inputs["input_ids"].shape, 2, 2)).sort(dim=-2).values
    return dict(bbox=corners.flatten(-2))


def separated(inputs, head):
    """Longformer's questions end with the first of three separators."""
    if head != "ForQuestionAnswering":
        return {}
    ids = inputs["input_ids"]
    ids[ids == 2] = 3
    for row, mask in zip(ids, inputs["attention_mask"]):
        seen = mask.nonzero()[:, 0]
        row[seen[[1, 2, -1]]] = 2
    return {}


def longformer():
    plain = dict(sizes(), pad_token_id=1, type_vocab_size=choice([1, 2]), sep_token_id=2)
    window = choice([4, 8, [choice([4, 8]) for _ in range(plain["num_hidden_layers"])]])
    return t.LongformerConfig(**plain, attention_window=window), separated


def convbert():
    heads = choice([2, 4])
    plain = dict(sizes(), hidden_size=heads * choice([4, 8]), num_attention_heads=heads, intermediate_size=choice([8, 24]))
    return t.ConvBertConfig(**plain, embedding_size=choice([6, plain["hidden_size"]]), head_ratio=choice([1, 2, 8]), conv_kernel_size=choice([1, 3, 9]),
                            num_groups=choice([1, 2]), type_vocab_size=2)


def mobilebert():
    plain = dict(sizes(), hidden_act=choice(["relu", "gelu"]), initializer_range=0.15)  # Nothing holds its rows together where norms are none.
    narrows = flip()
    narrow = plain["num_attention_heads"] * choice([2, 4]) if narrows else plain["hidden_size"]
    return t.MobileBertConfig(**plain, embedding_size=choice([4, plain["hidden_size"]]), trigram_input=flip(), use_bottleneck=narrows,
                              intra_bottleneck_size=narrow, use_bottleneck_attention=flip(), num_feedforward_networks=choice([1, 2, 4]),
                              normalization_type=choice(["no_norm", "layer_norm"]), classifier_activation=flip())


def xlnet():
    plain = sizes()
    return t.XLNetConfig(vocab_size=plain["vocab_size"], d_model=plain["hidden_size"], n_head=plain["num_attention_heads"], n_layer=plain["num_hidden_layers"],
                         d_inner=plain["intermediate_size"], ff_activation=plain["hidden_act"], layer_norm_eps=plain["layer_norm_eps"], initializer_range=0.3,
                         clamp_len=choice([-1, 3]), summary_activation=choice(["tanh", "relu"]), pad_token_id=0), segments


def segments(inputs, _):
    return {} if flip() else dict(token_type_ids=torch.randint(0, 3, inputs["input_ids"].shape))


def fnet():
    plain = sizes()
    plain.pop("num_attention_heads")
    return t.FNetConfig(**plain, type_vocab_size=choice([1, 2, 4]), use_tpu_fourier_optimizations=False), unmasked


def unmasked(inputs, _):
    """No padding, and no mask, which this family does not take."""
    inputs["input_ids"].clamp_(min=3)
    inputs.pop("attention_mask")
    return {}


def nystromformer():
    landmarks = choice([8, 64])
    return t.NystromformerConfig(**dict(sizes(), pad_token_id=1), type_vocab_size=2, num_landmarks=landmarks, segment_means_seq_len=landmarks,
                                 conv_kernel_size=choice([1, 3, 65]))


def xmod():
    return t.XmodConfig(**dict(sizes(), pad_token_id=1), type_vocab_size=choice([1, 2]), pre_norm=flip(), adapter_reduction_factor=choice([1, 2]),
                        adapter_layer_norm=flip(), adapter_reuse_layer_norm=flip(), ln_before_adapter=flip(), languages=["en_XX", "de_DE", "fr_XX"],
                        default_language=choice(["en_XX", "fr_XX"]))


def esmc():
    plain = sizes()
    for name in ("layer_norm_eps", "hidden_act"):
        plain.pop(name)
    return t.EsmcConfig(**dict(plain, pad_token_id=1), attention_bias=flip(), mlp_bias=flip())


def splinter():
    return t.SplinterConfig(**sizes(), type_vocab_size=choice([1, 2]), question_token_id=3), questions


def questions(inputs, head):
    """A token that stands for the question in most texts, twice in some; elsewhere the first token does, which padding must not be."""
    ids = inputs["input_ids"]
    ids[ids == 3] = 4
    for row, mask in zip(ids, inputs["attention_mask"]):
        seen = mask.nonzero()[:, 0]
        for _ in range(randint(0, 2) if seen[0] == 0 else randint(1, 2)):
            row[choice(seen.tolist())] = 3
    return {}


def canine():
    hashes = choice([1, 2, 4])
    plain = sizes()
    plain.pop("vocab_size")
    heads = plain["num_attention_heads"]
    config = t.CanineConfig(**dict(plain, hidden_size=hashes * heads * choice([2, 4])), type_vocab_size=choice([1, 16]), num_hash_functions=hashes,
                            num_hash_buckets=choice([40, 97]), downsampling_rate=choice([1, 2, 4]), upsampling_kernel_size=choice([1, 3, 4]),
                            local_transformer_stride=choice([3, 8, 128]))
    config.vocab_size = 9  # Of what `characters` replaces.
    return config, characters


def characters(inputs, head):
    """Of any script."""
    ids = torch.randint(1, 0x10FFFF, inputs["input_ids"].shape)
    inputs["input_ids"] = torch.where(inputs["attention_mask"] == 1, ids, 0)
    return {}


def funnel():
    blocks = choice([1, 2, 3])
    return t.FunnelConfig(vocab_size=choice([24, 37, 61]), block_sizes=[choice([1, 2]) for _ in range(blocks)],
                          block_repeats=choice([None, [choice([1, 2]) for _ in range(blocks)]]), num_decoder_layers=choice([0, 1, 2]),
                          d_model=choice([8, 12]), n_head=choice([1, 2, 3]), d_head=choice([4, 6]), d_inner=choice([10, 20]),
                          hidden_act=choice(["gelu_new", "relu"]), layer_norm_eps=choice([1e-9, 1e-5]), pooling_type=choice(["mean", "max"]),
                          attention_type=choice(["relative_shift", "factorized"]), separate_cls=flip(), truncate_seq=flip(), pool_q_only=flip(),
                          initializer_std=0.3, pad_token_id=0), segments


def switch():
    config = t.SwitchTransformersConfig(**{key: value for key, value in umt5().to_dict().items() if key in (
        "vocab_size", "d_model", "d_kv", "d_ff", "num_heads", "relative_attention_num_buckets", "relative_attention_max_distance", "layer_norm_epsilon",
        "initializer_factor")}, num_layers=choice([2, 4]), num_decoder_layers=choice([1, 2, 4]), num_sparse_encoder_layers=choice([0, 1, 2]),
        num_sparse_decoder_layers=choice([0, 1]), num_experts=choice([2, 5]), expert_capacity=choice([10, 64]), router_bias=flip(),
        tie_word_embeddings=flip(), decoder_start_token_id=0)
    return config


def longt5():
    return t.LongT5Config(**{key: value for key, value in umt5().to_dict().items() if key in (
        "vocab_size", "d_model", "d_kv", "d_ff", "num_heads", "num_layers", "num_decoder_layers", "relative_attention_num_buckets",
        "relative_attention_max_distance", "feed_forward_proj", "layer_norm_epsilon", "initializer_factor")}, decoder_start_token_id=0,
        tie_word_embeddings=flip(), encoder_attention_type=choice(["local", "transient-global"]), local_radius=choice([1, 3, 7]),
        global_block_size=choice([2, 4, 8]))


def ultrabert():
    heads = choice([2, 4])
    layers = choice([1, 3, 4])
    return t.UltrabertConfig(**dict(sizes(), hidden_size=heads * choice([4, 8]), num_attention_heads=heads, num_hidden_layers=layers),
                             num_key_value_heads=choice([1, heads]), rms_norm_eps=choice([1e-6, 1e-3]), sliding_window=choice([1, 3, 5]),
                             attention_bias=flip(), mlp_bias=flip(), prediction_head_size=choice([6, 20]), classifier_pooling=choice(["cls", "mean"]),
                             tie_word_embeddings=flip(), layer_types=choice([None, [choice(["sliding_attention", "full_attention"]) for _ in range(layers)]]))


def privacy_filter():
    heads = choice([2, 4])
    return t.OpenAIPrivacyFilterConfig(vocab_size=choice([24, 37]), hidden_size=choice([16, 24]), num_attention_heads=heads, head_dim=choice([4, 8]),
                                       num_key_value_heads=choice([1, heads]), num_hidden_layers=choice([1, 2, 3]), intermediate_size=choice([10, 20]),
                                       num_local_experts=choice([3, 6]), num_experts_per_tok=choice([1, 2]), sliding_window=choice([1, 2, 5]),
                                       attention_bias=flip(), initializer_range=0.3, pad_token_id=0, max_position_embeddings=64)


def bart_sizes():
    heads, others = choice([1, 2, 4]), choice([1, 2])
    return dict(vocab_size=choice([24, 37, 61]), d_model=heads * others * choice([4, 6]), encoder_layers=choice([1, 2, 3]), decoder_layers=choice([1, 2]),
                encoder_attention_heads=heads, decoder_attention_heads=others, encoder_ffn_dim=choice([10, 20]), decoder_ffn_dim=choice([12, 33]),
                activation_function=choice(["gelu", "relu", "gelu_new"]), init_std=0.3, pad_token_id=0, bos_token_id=1, eos_token_id=2,
                decoder_start_token_id=choice([1, 2]), forced_eos_token_id=None)


def led():
    plain = bart_sizes()
    window = choice([4, 8, [choice([4, 8]) for _ in range(plain["encoder_layers"])]])
    return t.LEDConfig(**plain, attention_window=window, max_encoder_position_embeddings=48, max_decoder_position_embeddings=32)


ENCODERS = {
    "blenderbot-small": writer(lambda: t.BlenderbotSmallConfig(**bart_sizes(), max_position_embeddings=40, scale_embedding=flip()), "BlenderbotSmall",
                               ("ForConditionalGeneration", "Model")),
    "canine": encoder(canine, "Canine", ("Model", "ForSequenceClassification", "ForTokenClassification", "ForQuestionAnswering")),
    "convbert": encoder(convbert, "ConvBert"),
    "esmc": encoder(esmc, "Esmc", ("Model", "ForMaskedLM", "ForSequenceClassification", "ForTokenClassification"), left=False),
    "flaubert": encoder(lambda: xlm(t.FlaubertConfig), "Flaubert", XLM_HEADS),
    "fnet": encoder(fnet, "FNet", (*HEADS, "ForPreTraining", "ForNextSentencePrediction")),
    "funnel": encoder(funnel, "Funnel", ("Model", "ForMaskedLM", "ForSequenceClassification", "ForTokenClassification", "ForQuestionAnswering", "ForPreTraining")),
    "layoutlm": encoder(lambda: (t.LayoutLMConfig(**sizes(), max_2d_position_embeddings=32, type_vocab_size=2), boxes), "LayoutLM"),
    "led": writer(led, "LED", ("ForConditionalGeneration", "Model")),
    "longformer": encoder(longformer, "Longformer", left=False),
    "longt5": writer(longt5, "LongT5", ("ForConditionalGeneration", "Model"), left=False),
    "luke": encoder(lambda: t.LukeConfig(**dict(sizes(), pad_token_id=1), entity_vocab_size=9, entity_emb_size=5, type_vocab_size=choice([1, 2])), "Luke"),
    "mobilebert": encoder(mobilebert, "MobileBert", (*HEADS, "ForPreTraining")),
    "mvp": writer(lambda: t.MvpConfig(**bart_sizes(), max_position_embeddings=40, scale_embedding=flip()), "Mvp", ("ForConditionalGeneration", "Model")),
    "nystromformer": encoder(nystromformer, "Nystromformer"),
    "openai_privacy_filter": encoder(privacy_filter, "OpenAIPrivacyFilter", ("ForTokenClassification", "Model")),
    "splinter": encoder(splinter, "Splinter", ("Model", "ForQuestionAnswering")),
    "switch_transformers": writer(switch, "SwitchTransformers", ("ForConditionalGeneration", "Model", "ForConditionalGeneration"), left=False),
    "switch_transformers-encoder": encoder(switch, "SwitchTransformers", ("EncoderModel",), left=False),
    "ultrabert": encoder(ultrabert, "Ultrabert"),
    "umt5": writer(umt5, "UMT5", ("ForConditionalGeneration", "Model", "ForConditionalGeneration")),
    "umt5-encoder": encoder(umt5, "UMT5", ("EncoderModel",)),
    "xlm": encoder(xlm, "XLM", XLM_HEADS),
    "xmod": encoder(xmod, "Xmod"),
    "xlnet": encoder(xlnet, "XLNet", ("Model", "ForSequenceClassification", "ForTokenClassification", "ForQuestionAnsweringSimple"), last=True),
}
