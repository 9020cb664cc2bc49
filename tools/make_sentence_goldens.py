#!/usr/bin/env python3
"""Writes tests/golden/models/sentences/NAME: folders as sentence-transformers saves them, tiny and with random weights, and what it answers for some
texts: a static table of words, a decoder that embeds, one that looks both ways, and an encoder in a folder of its own, each with modules after it.

usage: PYTHON_WITH_SENTENCE_TRANSFORMERS tools/make_sentence_goldens.py [NAME...] (sentence-transformers 6.2.0, transformers 5.23.0, torch 2.15.0)
"""
import json
import pathlib
import shutil
import sys
import tempfile

import tokenizers
import torch
import transformers
from sentence_transformers import SentenceTransformer
from sentence_transformers.base.modules import Dense, Normalize, Transformer
from sentence_transformers.sentence_transformer.modules import LayerNorm, Pooling, StaticEmbedding

ROOT = pathlib.Path(__file__).resolve().parent.parent / "tests/golden/models/sentences"
TEXTS = ["What was acknowledged is never lost.", "a", "", "caf\u00e9, stra\u00dfe \u65e5\u672c\u8a9e \U0001f642", "what is refused leaves nothing behind", "  two  spaces "]
SIZES = dict(hidden_size=16, num_attention_heads=2, num_hidden_layers=2, intermediate_size=24, max_position_embeddings=40, initializer_range=0.5)


def tokenizer(folder):
    made = tokenizers.Tokenizer(tokenizers.models.BPE())
    made.pre_tokenizer = tokenizers.pre_tokenizers.ByteLevel(add_prefix_space=False)
    made.decoder = tokenizers.decoders.ByteLevel()
    alphabet = sorted({made.pre_tokenizer.pre_tokenize_str(char)[0][0][0] for text in TEXTS for char in text if char.isascii()})
    trainer = tokenizers.trainers.BpeTrainer(vocab_size=90, initial_alphabet=alphabet, special_tokens=["<s>", "<pad>", "</s>"], show_progress=False)
    made.train_from_iterator(TEXTS * 3, trainer)
    made.post_processor = tokenizers.processors.TemplateProcessing(single="<s> $A </s>", pair="<s> $A </s> $B </s>",
                                                                   special_tokens=[("<s>", 0), ("</s>", 2)])
    fast = transformers.PreTrainedTokenizerFast(tokenizer_object=made, bos_token="<s>", pad_token="<pad>", eos_token="</s>", model_max_length=32)
    fast.save_pretrained(folder)
    return fast


def transformer(folder, model, config):
    made = getattr(transformers, model)(config(vocab_size=len(tokenizer(folder)))).eval()
    with torch.no_grad():
        for name, weights in made.named_parameters():
            if "bias" in name or "norm" in name.lower():
                weights.add_(0.2 * torch.randn_like(weights))
    made.save_pretrained(folder)
    return Transformer(str(folder))


def modules(name, work):
    if name == "static":
        tokenizer(work)
        return [StaticEmbedding(tokenizers.Tokenizer.from_file(f"{work}/tokenizer.json"), embedding_dim=12), Normalize()]
    if name == "decoder":
        def config(vocab_size):
            return transformers.Qwen3Config(**SIZES, vocab_size=vocab_size, num_key_value_heads=1, head_dim=8, pad_token_id=1)
        return [transformer(work, "Qwen3Model", config), Pooling(16, pooling_mode="lasttoken"), Normalize()]
    if name == "both_ways":
        def config(vocab_size):
            return transformers.Gemma3TextConfig(**SIZES, vocab_size=vocab_size, num_key_value_heads=1, head_dim=8, pad_token_id=1, sliding_window=6,
                                                 layer_types=["sliding_attention", "full_attention"], use_bidirectional_attention=True)
        return [transformer(work, "Gemma3TextModel", config), Pooling(16), Dense(16, 24, bias=False, activation_function=torch.nn.Identity()),
                Dense(24, 16, bias=False, activation_function=torch.nn.Identity()), Normalize()]

    def config(vocab_size):
        return transformers.BertConfig(**SIZES, vocab_size=vocab_size, pad_token_id=1)
    norm = LayerNorm(8)
    torch.nn.init.normal_(norm.norm.weight)
    torch.nn.init.normal_(norm.norm.bias)
    return [transformer(work, "BertModel", config), Pooling(16, pooling_mode=["mean", "cls"]), Dense(32, 8), norm]


def main():
    for name in sys.argv[1:] or ("static", "decoder", "both_ways", "folders"):
        torch.manual_seed(47)
        folder = ROOT / name
        shutil.rmtree(folder, ignore_errors=True)
        with tempfile.TemporaryDirectory() as work:
            SentenceTransformer(modules=modules(name, work), device="cpu").save(str(folder), create_model_card=False)
        if name == "folders":  # As older versions laid them.
            below = folder / "0_Transformer"
            below.mkdir()
            for path in list(folder.iterdir()):
                if path.is_file() and path.name not in ("modules.json", "config_sentence_transformers.json"):
                    path.rename(below / path.name)
            listed = json.loads((folder / "modules.json").read_text())
            listed[0]["path"] = "0_Transformer"
            (folder / "modules.json").write_text(json.dumps(listed, indent=2))
        model = SentenceTransformer(str(folder), device="cpu")
        (folder / "golden.json").write_text(json.dumps({"texts": TEXTS, "vectors": [[round(float(x), 7) for x in row] for row in model.encode(TEXTS)]}))


if __name__ == "__main__":
    main()
