"""Configurations of encoders with decoders that have goldens too, for random_models.py: each option on and off."""
from random import choice

import torch
import transformers as t
from random_encoder_configs import bart_sizes, writer
from random_model_configs import flip

BOTH = ("ForConditionalGeneration", "Model")


def t5_sizes():
    return dict(vocab_size=choice([24, 37, 61]), d_model=choice([8, 12, 20]), d_kv=choice([4, 6, 8]), d_ff=choice([10, 20, 33]), num_heads=choice([1, 2, 4]),
                num_layers=choice([2, 3]), num_decoder_layers=choice([None, 1, 2]), relative_attention_num_buckets=choice([8, 12, 32]),
                relative_attention_max_distance=choice([20, 128]), feed_forward_proj=choice(["gated-gelu", "relu", "gated-silu", "gelu"]),
                layer_norm_epsilon=choice([1e-6, 1e-3]), initializer_factor=0.6, decoder_start_token_id=0, tie_word_embeddings=flip())


def scaled():
    return dict(bart_sizes(), max_position_embeddings=40, scale_embedding=flip(), tie_word_embeddings=True)


def marian():
    sizes = scaled()
    return t.MarianConfig(**dict(sizes, pad_token_id=0, decoder_start_token_id=0), share_encoder_decoder_embeddings=True)


WRITERS = {
    "t5": writer(lambda: t.T5Config(**t5_sizes()), "T5", BOTH),
    "mt5": writer(lambda: t.MT5Config(**t5_sizes()), "MT5", BOTH),
    "bart": writer(lambda: t.BartConfig(**scaled()), "Bart", BOTH),
    "mbart": writer(lambda: t.MBartConfig(**scaled()), "MBart", BOTH),
    "plbart": writer(lambda: t.PLBartConfig(**scaled()), "PLBart", BOTH),
    "marian": writer(marian, "Marian", ("MTModel", "Model")),
    "m2m_100": writer(lambda: t.M2M100Config(**dict(scaled(), pad_token_id=1, bos_token_id=0, decoder_start_token_id=choice([1, 2]))), "M2M100", BOTH,
                      padded=True),
    "pegasus": writer(lambda: t.PegasusConfig(**scaled()), "Pegasus", BOTH),
    "blenderbot": writer(lambda: t.BlenderbotConfig(**scaled()), "Blenderbot", BOTH),
}
