"""Models: what makes tokens of words."""

import json
import os

from . import _core
from ._part import Field, Part, flag, text


class Token:
    def __init__(self, id, value, offsets):
        self.id, self.value, self.offsets = id, value, tuple(offsets)

    def as_tuple(self):
        return self.id, self.value, self.offsets

    def __repr__(self):
        return f"Token({self.id}, {self.value!r}, {self.offsets})"


class Model(Part):
    def _vocab(self):
        """Tokens and their ids."""
        vocab = self._data["vocab"]
        return vocab if isinstance(vocab, dict) else {row[0]: at for at, row in enumerate(vocab)}

    def token_to_id(self, token):
        return self._vocab().get(token)

    def id_to_token(self, id):
        return next((token for token, one in self._vocab().items() if one == id), None)

    def tokenize(self, sequence):
        return [Token(*one) for one in _core.tokenize(text(self), sequence)]

    def _save_as(self, folder, prefix, name, write):
        path = os.path.join(folder, f"{prefix}-{name}" if prefix else name)
        with open(path, "w", encoding="utf-8") as file:
            write(file)
        return path

    def _save_ids(self, folder, prefix):
        rows = dict(sorted(self._vocab().items(), key=lambda row: row[1]))
        return self._save_as(folder, prefix, "vocab.json", lambda file: json.dump(rows, file, ensure_ascii=False, separators=(",", ":")))

    def get_trainer(self):
        from . import trainers

        return getattr(trainers, {"BPE": "BpeTrainer"}.get(self._data["type"], self._data["type"] + "Trainer"))()


class BPE(Model):
    dropout, unk_token = Field("dropout"), Field("unk_token")
    continuing_subword_prefix, end_of_word_suffix = Field("continuing_subword_prefix"), Field("end_of_word_suffix")
    fuse_unk, byte_fallback, ignore_merges = flag("fuse_unk"), flag("byte_fallback"), flag("ignore_merges")

    def __init__(self, vocab=None, merges=None, *, cache_capacity=None, dropout=None, unk_token=None, continuing_subword_prefix=None,
                 end_of_word_suffix=None, fuse_unk=None, byte_fallback=False, ignore_merges=False):
        if (vocab is None) != (merges is None):
            raise ValueError("`vocab` and `merges` must be both specified")
        if isinstance(vocab, str):
            vocab, merges = self.read_file(vocab, merges)
        if dropout is not None and not 0.0 <= dropout <= 1.0:
            raise ValueError("Error while initializing BPE: Dropout should be between 0 and 1, inclusive")
        vocab, merges = dict(vocab or {}), [list(one) for one in merges or []]
        for left, right in merges:
            for token in (left, right, left + (right[len(continuing_subword_prefix):] if continuing_subword_prefix else right)):
                if token not in vocab:
                    raise ValueError(f"Error while initializing BPE: Token `{token}` out of vocabulary")
        self._set(dropout=dropout, unk_token=unk_token, continuing_subword_prefix=continuing_subword_prefix,
                  end_of_word_suffix=end_of_word_suffix, fuse_unk=bool(fuse_unk), byte_fallback=byte_fallback,
                  ignore_merges=ignore_merges, vocab=vocab, merges=merges)

    @staticmethod
    def read_file(vocab, merges):
        with open(vocab, encoding="utf-8") as file:
            ids = json.load(file)
        with open(merges, encoding="utf-8") as file:
            pairs = [tuple(line.rstrip("\n").split(" ")) for line in file if not line.startswith("#version") and line.strip()]
        return ids, pairs

    @classmethod
    def from_file(cls, vocab, merges, **kwargs):
        return cls(*cls.read_file(vocab, merges), **kwargs)

    def save(self, folder, prefix=None):
        def write(file):
            file.write("#version: 0.2\n")
            file.writelines(f"{left} {right}\n" for left, right in self._data["merges"])

        return [self._save_ids(folder, prefix), self._save_as(folder, prefix, "merges.txt", write)]


class WordPiece(Model):
    unk_token, continuing_subword_prefix = Field("unk_token"), Field("continuing_subword_prefix")
    max_input_chars_per_word = Field("max_input_chars_per_word", int)

    def __init__(self, vocab=None, unk_token="[UNK]", max_input_chars_per_word=100, continuing_subword_prefix="##"):
        if isinstance(vocab, str):
            vocab = self.read_file(vocab)
        self._set(unk_token=unk_token, continuing_subword_prefix=continuing_subword_prefix,
                  max_input_chars_per_word=max_input_chars_per_word, vocab=dict(vocab or {}))

    @staticmethod
    def read_file(vocab):
        with open(vocab, encoding="utf-8") as file:
            return {line.rstrip("\n"): at for at, line in enumerate(file)}

    @classmethod
    def from_file(cls, vocab, **kwargs):
        return cls(cls.read_file(vocab), **kwargs)

    def save(self, folder, prefix=None):
        rows = sorted(self._vocab().items(), key=lambda row: row[1])
        return [self._save_as(folder, prefix, "vocab.txt", lambda file: file.writelines(f"{token}\n" for token, _ in rows))]


class WordLevel(Model):
    unk_token = Field("unk_token")

    def __init__(self, vocab=None, unk_token="<unk>"):
        if isinstance(vocab, str):
            vocab = self.read_file(vocab)
        self._set(vocab=dict(vocab or {}), unk_token=unk_token)

    @staticmethod
    def read_file(vocab):
        with open(vocab, encoding="utf-8") as file:
            return json.load(file)

    @classmethod
    def from_file(cls, vocab, unk_token="<unk>"):
        return cls(cls.read_file(vocab), unk_token)

    def save(self, folder, prefix=None):
        return [self._save_ids(folder, prefix)]


class Unigram(Model):
    unk_id = Field("unk_id")

    def __init__(self, vocab=None, unk_id=None, byte_fallback=None, alpha=None, nbest_size=None):
        if vocab is None:
            vocab, unk_id = [("<unk>", 0.0)], 0 if unk_id is None else unk_id
        self._set(unk_id=unk_id, vocab=[[token, score] for token, score in vocab], byte_fallback=bool(byte_fallback))
        self.alpha, self.nbest_size = alpha, nbest_size

    def save(self, folder, prefix=None):
        return [self._save_as(folder, prefix, "unigram.json", lambda file: json.dump(self._data, file, ensure_ascii=False))]
