"""Encodings: what a tokenizer makes of a text."""

import warnings

from . import _core


class Encoding:
    """Columns of one row a token. Methods find rows by character, word and sequence."""

    def __init__(self, core=None):
        self._core = core or _core.Encoding()

    ids = property(lambda self: self._core.ids)
    type_ids = property(lambda self: self._core.type_ids)
    tokens = property(lambda self: self._core.tokens)
    offsets = property(lambda self: self._core.offsets)
    word_ids = property(lambda self: self._core.words)
    attention_mask = property(lambda self: self._core.mask)
    special_tokens_mask = property(lambda self: self._core.special)
    sequence_ids = property(lambda self: self._core.sequences)
    overflowing = property(lambda self: [Encoding(part) for part in self._core.overflow])
    n_sequences = property(lambda self: max(1, len(self._core.ranges)))

    @property
    def words(self):
        warnings.warn("Encoding.words is deprecated, please use Encoding.word_ids instead.", DeprecationWarning, 2)
        return self.word_ids

    def __len__(self):
        return len(self._core)

    def __repr__(self):
        return (f"Encoding(num_tokens={len(self)}, attributes=[ids, type_ids, tokens, offsets, attention_mask, special_tokens_mask, overflowing])")

    def __getstate__(self):
        return self._core

    def __setstate__(self, core):
        self._core = core

    def set_sequence_id(self, sequence_id):
        state = list(self._core.__getstate__())
        state[8] = [(sequence_id, 0, len(self))]
        core = _core.Encoding.__new__(_core.Encoding)
        core.__setstate__(tuple(state))
        self._core = core

    def _rows(self, sequence_index):
        ranges = self._core.ranges
        if not ranges:
            return range(len(self)) if sequence_index == 0 else range(0)
        return range(*ranges[sequence_index]) if sequence_index in ranges else range(0)

    def token_to_sequence(self, token_index):
        ids = self.sequence_ids
        return ids[token_index] if token_index < len(ids) else None

    def word_to_tokens(self, word_index, sequence_index=0):
        words = self.word_ids
        rows = [row for row in self._rows(sequence_index) if words[row] == word_index]
        return (rows[0], rows[-1] + 1) if rows else None

    def word_to_chars(self, word_index, sequence_index=0):
        rows = self.word_to_tokens(word_index, sequence_index)
        return (self.offsets[rows[0]][0], self.offsets[rows[1] - 1][1]) if rows else None

    def token_to_chars(self, token_index):
        return self.offsets[token_index] if self.token_to_sequence(token_index) is not None else None

    def token_to_word(self, token_index):
        return self.word_ids[token_index] if self.token_to_sequence(token_index) is not None else None

    def char_to_token(self, char_pos, sequence_index=0):
        offsets = self.offsets
        return next((row for row in self._rows(sequence_index) if offsets[row][0] <= char_pos < offsets[row][1]), None)

    def char_to_word(self, char_pos, sequence_index=0):
        row = self.char_to_token(char_pos, sequence_index)
        return None if row is None else self.word_ids[row]

    def truncate(self, max_length, stride=0, direction="right"):
        if direction not in ("left", "right"):
            raise ValueError(f"Invalid truncation direction value : {direction}")
        self._core.truncate(max_length, stride, direction)

    def pad(self, length, direction="right", pad_id=0, pad_type_id=0, pad_token="[PAD]"):
        self._core.pad(length, _core.Padding(length, direction, None, pad_id, pad_type_id, pad_token))

    @staticmethod
    def merge(encodings, growing_offsets=True):
        out = Encoding()
        for encoding in encodings:
            out._core.append(encoding._core)
        return out
