"""Normalizers, pre-tokenizers and decoders written in Python, in a tokenizer: our module against the package `tokenizers`."""

import importlib
import json

import pytest

VOCABULARY = {piece: at for at, piece in enumerate("[UNK] a b c d e _ _a hel lo _w é ab o r l w h _x".split(" "))}
MERGES = [("_", "a"), ("a", "b"), ("_", "w")]
TEXTS = ["", "hello world", "ab 12 AB  cdＡ½é x MASK[CLS]ab norm12 Norm12 a", "  x", "日本 ab", "aBcD e", "12"]


def modules(name):
    return importlib.import_module(name), *(importlib.import_module(f"{name}.{part}") for part in ("models", "normalizers", "pre_tokenizers", "decoders"))


def normalizer(library):
    class Normalizer:
        def normalize(self, text):
            text.nfkc()
            text.filter(lambda letter: not letter.isnumeric())
            text.replace(library.Regex(" +"), "_")
            text.lowercase()

    return Normalizer()


class Cutter:
    """Cuts before each capital and underscore, and keeps what it was shown."""

    def cut(self, at, text):
        places = [0, *(place for place, letter in enumerate(text.normalized) if place > 0 and (letter == "_" or letter.isupper())), len(text.normalized)]
        return [text[begin:end] for begin, end in zip(places, places[1:]) if begin < end]

    def pre_tokenize(self, text):
        self.seen = [(part, offsets, tokens and [(token.id, token.value, token.offsets) for token in tokens]) for part, offsets, tokens in text.get_splits()]
        text.split(self.cut)


class Shouter:
    def decode(self, tokens):
        return "".join(self.decode_chain(tokens))

    def decode_chain(self, tokens):
        return [token.upper() + "." for token in tokens]


def rows(encoding):
    return [encoding.ids, encoding.tokens, encoding.offsets, encoding.type_ids, encoding.word_ids, encoding.special_tokens_mask]


def answers(name, parts):
    library, models, normalizers, pre_tokenizers, decoders = modules(name)
    tokenizer = library.Tokenizer(models.BPE(vocab=VOCABULARY, merges=MERGES, unk_token="[UNK]"))
    tokenizer.add_special_tokens(["[CLS]"])
    tokenizer.add_tokens([library.AddedToken("MASK", lstrip=True, normalized=False), library.AddedToken("Norm12", normalized=True)])
    cutter = Cutter()
    if "normalizer" in parts:
        tokenizer.normalizer = normalizers.Normalizer.custom(normalizer(library))
    if "pre_tokenizer" in parts:
        tokenizer.pre_tokenizer = pre_tokenizers.PreTokenizer.custom(cutter)
    if "decoder" in parts:
        tokenizer.decoder = decoders.Decoder.custom(Shouter())
    out = []
    for text in TEXTS:
        encoding = tokenizer.encode(text)
        out += [rows(encoding), getattr(cutter, "seen", None), tokenizer.decode(encoding.ids, skip_special_tokens=False)]
        out += [rows(tokenizer.encode(text, "w " + text)), rows(tokenizer.encode([text, "ab_w"], is_pretokenized=True))]
    out.append([rows(one) for one in tokenizer.encode_batch(["ab c", "w", ("a", "b b")])])
    with pytest.raises(Exception, match="cannot be serialized") as refused:
        tokenizer.to_str()
    return json.loads(json.dumps([*out, str(refused.value)]))


@pytest.mark.parametrize("parts", [["normalizer"], ["pre_tokenizer"], ["decoder"], ["normalizer", "pre_tokenizer", "decoder"]], ids=",".join)
def test_a_tokenizer_encodes_and_decodes_by_them_as_the_reference_does(parts):
    assert answers("holdfast_tokenizers", parts) == answers("tokenizers", parts)


def in_sequences(name):
    """What sequences answer that have such a part, alone, within another and in a tokenizer."""
    library, models, normalizers, pre_tokenizers, _ = modules(name)
    rewriting = normalizers.Sequence([normalizers.Lowercase(), normalizers.Normalizer.custom(normalizer(library))])
    cutting = pre_tokenizers.Sequence([pre_tokenizers.Whitespace(), pre_tokenizers.Sequence([pre_tokenizers.PreTokenizer.custom(Cutter())])])
    tokenizer = library.Tokenizer(models.BPE(vocab=VOCABULARY, merges=MERGES, unk_token="[UNK]"))
    tokenizer.normalizer, tokenizer.pre_tokenizer = rewriting, cutting
    out = [type(rewriting).__name__.lstrip("_").removeprefix("Custom"), isinstance(cutting, pre_tokenizers.Sequence)]
    for text in TEXTS:
        out += [rewriting.normalize_str(text), cutting.pre_tokenize_str(text), rows(tokenizer.encode(text)), rows(tokenizer.encode(text, "w " + text))]
    for refusing in (lambda: repr(rewriting), lambda: str(cutting), tokenizer.to_str):
        with pytest.raises(Exception, match="cannot be serialized") as refused:
            refusing()
        out.append(str(refused.value))
    return json.loads(json.dumps(out))


def test_sequences_call_them_in_their_turn_as_the_reference_does():
    assert in_sequences("holdfast_tokenizers") == in_sequences("tokenizers")


@pytest.mark.parametrize("kind", ["normalizer", "pre_tokenizer"])
def test_what_they_raise_is_told(kind):
    library, models, normalizers, pre_tokenizers, _ = modules("holdfast_tokenizers")

    class Broken:
        def normalize(self, text):
            raise KeyError("no way")

        pre_tokenize = normalize

    tokenizer = library.Tokenizer(models.BPE(vocab=VOCABULARY, merges=MERGES))
    made = {"normalizer": normalizers.Normalizer, "pre_tokenizer": pre_tokenizers.PreTokenizer}[kind].custom(Broken())
    setattr(tokenizer, kind, made)
    with pytest.raises(Exception, match="KeyError: 'no way'"):
        tokenizer.encode("abc")
    with pytest.raises(Exception, match="KeyError: 'no way'"):
        tokenizer.encode_batch(["abc"] * 50)
