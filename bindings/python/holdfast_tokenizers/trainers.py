"""Trainers: what makes a vocabulary from a corpus."""

import json

from . import _core


def _special(token):
    from . import AddedToken

    token = AddedToken(token, special=True) if isinstance(token, str) else token
    token.special = True
    return token


class Trainer:
    _kind, _trains, _wrapped, _fields = 0, "", None, {}

    def __init__(self, **kwargs):
        unknown = set(kwargs) - set(self._fields) - {"show_progress", "progress_format"}
        if unknown:
            raise TypeError(f"{type(self).__name__} got unexpected arguments {sorted(unknown)}")
        self.show_progress = kwargs.pop("show_progress", True)
        self.progress_format = kwargs.pop("progress_format", "Indicatif")
        for name, value in {**self._fields, **kwargs}.items():
            setattr(self, name, value)

    def __setattr__(self, name, value):
        if name == "special_tokens":
            value = [_special(token) for token in value]
        if name == "initial_alphabet":
            value = [text[0] for text in value if text]
        super().__setattr__(name, value)

    def _options(self):
        out = _core.TrainOptions()
        out.kind, out.vocabulary_size = self._kind, self.vocab_size
        out.special_tokens = [(token.content, token.single_word, token.lstrip, token.rstrip, token.normalized) for token in self.special_tokens]
        out.initial_alphabet = [ord(one) for one in getattr(self, "initial_alphabet", [])]
        names = {"min_frequency": "min_frequency", "limit_alphabet": "limit_alphabet", "end_of_word_suffix": "end_of_word_suffix",
                 "continuing_subword_prefix": "continuing_subword_prefix", "max_token_length": "max_token_length",
                 "unk_token": "unknown_token", "shrinking_factor": "shrinking_factor", "max_piece_length": "max_token_length",
                 "n_sub_iterations": "sub_iterations"}
        for mine, theirs in names.items():
            value = getattr(self, mine, None)
            if value is not None:
                setattr(out, theirs, value)
        return out

    def _state(self):
        rows = {name: getattr(self, name) for name in self._fields}
        rows["special_tokens"] = [token._row(None) for token in self.special_tokens]
        order = {"min_frequency": None, "vocab_size": None, "show_progress": self.show_progress, "progress_format": self.progress_format}
        first = {key: rows.pop(key) if key in rows else value for key, value in order.items() if key in rows or value is not None}
        return {**first, **rows, "words": {}}

    def __getstate__(self):
        state = {self._wrapped: self._state()} if self._wrapped else self._state()
        return json.dumps({type(self).__name__: state}, separators=(",", ":"), ensure_ascii=False).encode()

    def __setstate__(self, state):
        from . import AddedToken

        (rows,) = json.loads(state).values()
        rows = rows.get(self._wrapped, rows)
        tokens = [AddedToken(**{key: value for key, value in row.items() if key != "id"}) for row in rows.pop("special_tokens")]
        rows.pop("words", None)
        type(self).__init__(self, **{**rows, "special_tokens": tokens})

    def __reduce__(self):
        return _restored, (type(self), self.__getstate__())

    def __repr__(self):
        return f"{type(self).__name__}({', '.join(f'{name}={getattr(self, name)!r}' for name in self._fields)})"


def _restored(kind, state):
    made = kind.__new__(kind)
    made.__setstate__(state)
    return made


class BpeTrainer(Trainer):
    _kind, _trains = 0, "BPE"
    _fields = {"min_frequency": 0, "vocab_size": 30000, "special_tokens": [], "limit_alphabet": None, "initial_alphabet": [],
               "continuing_subword_prefix": None, "end_of_word_suffix": None, "max_token_length": None}


class WordPieceTrainer(Trainer):
    _kind, _trains, _wrapped = 1, "WordPiece", "bpe_trainer"
    _fields = {"min_frequency": 0, "vocab_size": 30000, "special_tokens": [], "limit_alphabet": None, "initial_alphabet": [],
               "continuing_subword_prefix": "##", "end_of_word_suffix": None}


class UnigramTrainer(Trainer):
    _kind, _trains = 2, "Unigram"
    _fields = {"vocab_size": 8000, "n_sub_iterations": 2, "shrinking_factor": 0.75, "special_tokens": [], "initial_alphabet": [],
               "unk_token": None, "max_piece_length": 16, "seed_size": 1000000}


class WordLevelTrainer(Trainer):
    _kind, _trains = 3, "WordLevel"
    _fields = {"min_frequency": 0, "vocab_size": 30000, "special_tokens": []}
