"""Configurations of encoders that have goldens too, and of encoders with a decoder, for random_models.py: each option on and off."""
from random import choice

import torch
import transformers as t
from random_model_configs import Made, flip, texts

TASKS = ("Model", "ForMaskedLM", "ForSequenceClassification", "ForTokenClassification", "ForQuestionAnswering")


def sizes(**more):
    heads = choice([1, 2, 4])
    return dict(dict(vocab_size=choice([24, 37, 61]), hidden_size=heads * choice([4, 6, 8]), num_attention_heads=heads, num_hidden_layers=choice([1, 2, 3]),
                     intermediate_size=choice([10, 20, 33]), max_position_embeddings=48, type_vocab_size=2, initializer_range=0.3,
                     layer_norm_eps=choice([1e-12, 1e-5, 1e-3]), hidden_act=choice(["gelu", "relu", "gelu_new", "silu"]), pad_token_id=0), **more)


def encoder(make, name, tasks=TASKS, kinds=True, right_only=False):
    def of(seed):
        config = make()
        task = tasks[seed % len(tasks)]
        if task.endswith("Classification"):
            config.num_labels = choice([1, 2, 5])
        reads_first = name.startswith("Deberta") and task == "ForSequenceClassification"  # Refused where it is masked.
        inputs = texts(config, 0 if right_only or reads_first else seed)
        pad = getattr(config, "pad_token_id", 0) or 0
        inputs["input_ids"][inputs["attention_mask"] == 0] = pad
        if kinds and getattr(config, "type_vocab_size", 0) and flip():
            inputs["token_type_ids"] = torch.randint(0, config.type_vocab_size, inputs["input_ids"].shape)
        return Made(config, name + task, inputs, False)
    return of


def roberta_sizes():
    return sizes(pad_token_id=1, type_vocab_size=choice([1, 2]), tie_word_embeddings=flip())


def deberta(of):
    def make():
        return of(**sizes(type_vocab_size=choice([0, 2]), relative_attention=flip(), max_relative_positions=choice([-1, 8]),
                          position_biased_input=flip(), pos_att_type=choice([["c2p"], ["p2c"], ["c2p", "p2c"], "c2p|p2c"]), legacy=True, pooler_hidden_act=choice(["gelu", "tanh"])))
    return make


def deberta_v2():
    return t.DebertaV2Config(**sizes(type_vocab_size=choice([0, 2]), relative_attention=flip(), max_relative_positions=choice([-1, 8]), legacy=True,
                                     position_biased_input=flip(), pos_att_type=choice([["c2p"], ["p2c"], ["c2p", "p2c"], "c2p|p2c"]),
                                     position_buckets=choice([-1, 4, 8]), share_att_key=flip(), norm_rel_ebd=choice(["none", "layer_norm"]),
                                     conv_kernel_size=choice([0, 0, 3]), conv_act=choice(["tanh", "gelu"])))


def distilbert():
    heads = choice([1, 2, 4])
    return t.DistilBertConfig(vocab_size=choice([24, 37]), max_position_embeddings=48, sinusoidal_pos_embds=flip(), n_layers=choice([1, 2, 3]), n_heads=heads,
                              dim=heads * choice([4, 6]), hidden_dim=choice([10, 33]), activation=choice(["gelu", "relu"]), initializer_range=0.3,
                              tie_word_embeddings=flip())


def electra():
    return t.ElectraConfig(**sizes(embedding_size=choice([6, 12])), summary_type="first", summary_use_proj=flip(), summary_activation=choice(["gelu", "tanh"]))


def albert():
    base = sizes(num_hidden_layers=choice([2, 4]), embedding_size=choice([6, 12]))
    return t.AlbertConfig(**base, num_hidden_groups=choice([1, 2]), inner_group_num=choice([1, 2]))


def modernbert():
    base = sizes()
    for name in ("type_vocab_size", "layer_norm_eps", "hidden_act"):
        base.pop(name)
    ropes = dict(full_attention=dict(rope_type="default", rope_theta=choice([1000.0, 160000.0])), sliding_attention=dict(rope_type="default", rope_theta=500.0))
    return t.ModernBertConfig(**base, hidden_activation=choice(["gelu", "silu"]), norm_eps=choice([1e-5, 1e-3]), norm_bias=flip(), attention_bias=flip(),
                              local_attention=choice([4, 6, 128]), mlp_bias=flip(), decoder_bias=flip(), classifier_pooling=choice(["cls", "mean"]),
                              classifier_bias=flip(), classifier_activation=choice(["gelu", "relu"]), rope_parameters=ropes, eos_token_id=2, bos_token_id=1,
                              cls_token_id=1, sep_token_id=2, layer_types=[choice(["full_attention", "sliding_attention"]) for _ in range(base["num_hidden_layers"])])


def nomic():
    return t.NomicBertConfig(**sizes(hidden_act="silu"), rope_parameters=dict(rope_type="default", rope_theta=choice([500.0, 10000.0])))


def esm():
    base = sizes(type_vocab_size=None, hidden_act=None)
    for name in ("type_vocab_size", "hidden_act"):
        base.pop(name)
    return t.EsmConfig(**dict(base, vocab_size=33, pad_token_id=1), mask_token_id=32, position_embedding_type=choice(["rotary", "absolute"]),
                       emb_layer_norm_before=flip(), token_dropout=flip())


def eurobert():
    base = sizes()
    base["rms_norm_eps"] = base.pop("layer_norm_eps")
    base.pop("type_vocab_size")
    return t.EuroBertConfig(**base, num_key_value_heads=choice([1, base["num_attention_heads"]]), attention_bias=flip(), mlp_bias=flip(), eos_token_id=2,
                            bos_token_id=1, mask_token_id=3, classifier_pooling=choice(["late", "bos", "mean"]),
                            rope_parameters=dict(rope_type="default", rope_theta=choice([500.0, 10000.0])))


def squeezebert():
    base = sizes(hidden_size=choice([8, 16]), num_attention_heads=choice([2, 4]), intermediate_size=choice([16, 32]), layer_norm_eps=1e-12)
    return t.SqueezeBertConfig(**base, embedding_size=base["hidden_size"], q_groups=choice([1, 2, 4]), k_groups=choice([1, 2]), v_groups=choice([1, 4]),
                               post_attention_groups=choice([1, 2]), intermediate_groups=choice([1, 4]), output_groups=choice([1, 4]))


def roformer():
    return t.RoFormerConfig(**sizes(embedding_size=choice([None, 6]), rotary_value=flip()))


def jina():
    return t.JinaEmbeddingsV3Config(**dict(roberta_sizes(), type_vocab_size=1), rope_parameters=dict(rope_type="default", rope_theta=choice([500.0, 20000.0])))


BERTS = {
    "bert": encoder(lambda: t.BertConfig(**sizes()), "Bert", (*TASKS, "ForNextSentencePrediction", "ForPreTraining")),
    "distilbert": encoder(distilbert, "DistilBert", kinds=False),
    "roberta": encoder(lambda: t.RobertaConfig(**roberta_sizes()), "Roberta"),
    "xlm-roberta": encoder(lambda: t.XLMRobertaConfig(**roberta_sizes()), "XLMRoberta"),
    "camembert": encoder(lambda: t.CamembertConfig(**roberta_sizes()), "Camembert"),
    "electra": encoder(electra, "Electra", (*TASKS, "ForPreTraining")),
    "mpnet": encoder(lambda: t.MPNetConfig(**{k: v for k, v in sizes(pad_token_id=1).items() if k != "type_vocab_size"}), "MPNet", kinds=False),
    "albert": encoder(albert, "Albert"),
    "deberta-v2": encoder(deberta_v2, "DebertaV2"),
    "deberta": encoder(deberta(t.DebertaConfig), "Deberta"),
    "modernbert": encoder(modernbert, "ModernBert", kinds=False),
    "nomic_bert": encoder(nomic, "NomicBert", ("Model", "ForMaskedLM", "ForSequenceClassification", "ForTokenClassification")),
    "big_bird": encoder(lambda: t.BigBirdConfig(**sizes(), attention_type="original_full", use_bias=flip(), rescale_embeddings=flip(), bos_token_id=1,
                                                eos_token_id=2, sep_token_id=3), "BigBird", ("Model", "ForMaskedLM", "ForSequenceClassification", "ForTokenClassification")),
    "ernie": encoder(lambda: t.ErnieConfig(**sizes(), use_task_id=flip()), "Ernie"),
    "esm": encoder(esm, "Esm", ("Model", "ForMaskedLM", "ForSequenceClassification", "ForTokenClassification"), kinds=False, right_only=True),
    "eurobert": encoder(eurobert, "EuroBert", ("Model", "ForMaskedLM", "ForSequenceClassification", "ForTokenClassification"), kinds=False, right_only=True),
    "ibert": encoder(lambda: t.IBertConfig(**sizes(pad_token_id=1, hidden_act="gelu")), "IBert"),
    "megatron-bert": encoder(lambda: t.MegatronBertConfig(**sizes()), "MegatronBert"),
    "rembert": encoder(lambda: t.RemBertConfig(**sizes(), input_embedding_size=choice([6, 10]), output_embedding_size=choice([5, 14]), bos_token_id=1,
                                               eos_token_id=2), "RemBert"),
    "roberta-prelayernorm": encoder(lambda: t.RobertaPreLayerNormConfig(**roberta_sizes()), "RobertaPreLayerNorm"),
    "roformer": encoder(roformer, "RoFormer"),
    "squeezebert": encoder(squeezebert, "SqueezeBert"),
    "xlm-roberta-xl": encoder(lambda: t.XLMRobertaXLConfig(**roberta_sizes()), "XLMRobertaXL"),
    "jina_embeddings_v3": encoder(jina, "JinaEmbeddingsV3", ("Model",), kinds=False),
}
