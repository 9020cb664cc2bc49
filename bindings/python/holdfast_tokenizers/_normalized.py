"""Text on its way through a tokenizer, as parts written in Python get it: NormalizedString and PreTokenizedString."""

import json

from . import _core
from ._part import behavior_of, pattern_of
from .models import Token


def call(function, *arguments):
    """A function of the caller's, whose failure tells what it was, as the reference library does."""
    try:
        return function(*arguments)
    except Exception as error:
        raise Exception(f"{type(error).__name__}: {error}") from error


def _range_of(wanted, length):
    if isinstance(wanted, slice):
        begin, end, _ = wanted.indices(length)
        return begin, end
    if isinstance(wanted, int):
        at = wanted + length if wanted < 0 else wanted
        return at, at + 1
    begin, end = wanted
    return begin, end


class NormalizedString:
    """A string that is changed while it is remembered where its characters came from."""

    def __init__(self, sequence):
        self._core = sequence if isinstance(sequence, _core.NormalizedString) else _core.NormalizedString(sequence)

    normalized = property(lambda self: self._core.normalized)
    original = property(lambda self: self._core.original)

    def _apply(self, kind, **fields):
        self._core.normalize(json.dumps({"type": kind, **fields}))

    def nfd(self):
        self._apply("NFD")

    def nfkd(self):
        self._apply("NFKD")

    def nfc(self):
        self._apply("NFC")

    def nfkc(self):
        self._apply("NFKC")

    def lowercase(self):
        self._apply("Lowercase")

    def uppercase(self):
        self._core.transform([(ord(new), at) for old in self.normalized for at, new in enumerate(old.upper())], 0)

    def prepend(self, s):
        if self.normalized:
            self._core.prepend(s)

    def append(self, s):
        self._core.transform([(ord(one), 0) for one in self.normalized] + [(ord(one), 1) for one in s], 0)

    def lstrip(self):
        self._apply("Strip", strip_left=True, strip_right=False)

    def rstrip(self):
        self._apply("Strip", strip_left=False, strip_right=True)

    def strip(self):
        self._apply("Strip", strip_left=True, strip_right=True)

    def clear(self):
        self._core.transform([], len(self._core))

    def map(self, func):
        made = [func(one) for one in self.normalized]
        if not all(isinstance(one, str) and len(one) == 1 for one in made):
            raise ValueError("`map` expect a callable with the signature: `fn(char) -> char`")
        self._core.transform([(ord(one), 0) for one in made], 0)

    def filter(self, func):
        changes, dropped = [], 0
        for one in self.normalized:
            if func(one):
                changes.append((ord(one), 0))
            elif changes:
                changes[-1] = (changes[-1][0], changes[-1][1] - 1)
            else:
                dropped += 1
        self._core.transform(changes, dropped)

    def for_each(self, func):
        for one in self.normalized:
            func(one)

    def replace(self, pattern, content):
        self._apply("Replace", pattern=pattern_of(pattern), content=content)

    def split(self, pattern, behavior):
        if not self.normalized:
            return [NormalizedString(self._core.slice(0, 0))]
        part = {"type": "Split", "pattern": pattern_of(pattern), "behavior": behavior_of(behavior), "invert": False}
        return [NormalizedString(one) for one in self._core.split(json.dumps(part))]

    def slice(self, range):
        """None where no character is in the range."""
        begin, end = _range_of(range, len(self.normalized.encode()))  # Of negative ones too: the reference counts bytes there.
        length = len(self._core)
        if length == 0 and begin == end == 0:
            return NormalizedString(self._core.slice(0, 0))
        if begin < 0 or begin >= length or end < begin:
            return None
        return NormalizedString(self._core.slice(begin, min(end, length)))

    __getitem__ = slice

    def __str__(self):
        return self.normalized

    def __repr__(self):
        return f'NormalizedString(original="{self.original}", normalized="{self.normalized}")'


class _Lent:
    """What a caller's function may use until it returns."""

    def __init__(self, lent, refusal):
        self.__dict__["_lent"], self.__dict__["_refusal"] = lent, refusal

    def _take_back(self):
        self.__dict__["_lent"] = None

    def __getattr__(self, name):
        if self._lent is None:
            raise Exception(self._refusal)
        return getattr(self._lent, name)

    def __getitem__(self, index):
        return self.__getattr__("slice")(index)

    def __str__(self):
        return str(self.__getattr__("normalized"))


def lend(function, value, refusal):
    lent = _Lent(value, refusal)
    try:
        return call(function, lent)
    finally:
        lent._take_back()


def lend_normalized(function, value):
    return lend(function, value, "Cannot use a NormalizedStringRefMut outside `normalize`")


class PreTokenizedString:
    """A text in parts, each of which gets tokens in the end."""

    def __init__(self, s):
        self._text, self._of_byte = s, None
        self._splits = [(NormalizedString(s), None)] if s else []

    @staticmethod
    def _of(text, rows):
        """Of parts as the native tokenizer has them; their tokens are those that were found in the text before."""
        out = PreTokenizedString("")
        out._text = text
        out._splits = [(NormalizedString(core), None if tokens is None else [Token(*token) for token in tokens]) for core, tokens in rows]
        return out

    def _rows(self):
        return [(part._core, None if tokens is None else [(token.id, token.value, tuple(token.offsets)) for token in tokens])
                for part, tokens in self._splits if part.normalized or tokens]

    def split(self, func):
        made = []
        for at, (part, tokens) in enumerate(self._splits):
            if tokens is not None:
                made.append((part, tokens))
                continue
            parts = call(func, at, part)
            made += [(NormalizedString(_core.NormalizedString(one._core)), None) for one in parts if one.normalized]
        self._splits = made

    def normalize(self, func):
        for part, tokens in self._splits:
            if tokens is None:
                lend_normalized(func, part)

    def tokenize(self, func):
        self._splits = [(part, tokens if tokens is not None else list(call(func, part.normalized))) for part, tokens in self._splits]

    def _characters(self, span):
        """Of a range of bytes of the text, as the reference library answers for ranges that leave it or cut characters."""
        if self._of_byte is None:
            self._of_byte = [at for at, one in enumerate(self._text) for _ in one.encode()]
        of_byte, (begin, end) = self._of_byte, span
        if begin >= len(of_byte):
            return span
        if end < len(of_byte):
            return of_byte[begin], of_byte[end]
        return of_byte[begin], (of_byte[end - 1] if 0 < end <= len(of_byte) else of_byte[begin] + 1) + 1

    def get_splits(self, offset_referential="original", offset_type="char"):
        referential = getattr(offset_referential, "value", offset_referential)
        kind = getattr(offset_type, "value", offset_type)
        if referential not in ("original", "normalized"):
            raise ValueError("Wrong value for OffsetReferential, expected one of `original, normalized`")
        if kind not in ("byte", "char"):
            raise ValueError("Wrong value for OffsetType, expected one of `byte, char`")
        out, at = [], 0
        for part, tokens in self._splits:
            size = len(part.normalized.encode())
            span = part._core.origin() if referential == "original" else (at, at + size)
            at += size
            out.append((part.normalized, tuple(self._characters(span) if kind == "char" else span), tokens))
        return out

    def to_encoding(self, type_id=0, word_idx=None):
        from ._encoding import Encoding

        if any(tokens is None for _, tokens in self._splits):
            raise Exception("Split has not been tokenized, call `PreTokenizedString::tokenize` first")
        rows = [(token, self._characters(part._core.origin_of(*token.offsets)), at if word_idx is None else word_idx)
                for at, (part, tokens) in enumerate(self._splits) for token in tokens]
        core = _core.Encoding.__new__(_core.Encoding)
        core.__setstate__(([row[0].id for row in rows], [type_id] * len(rows), [row[0].value for row in rows], [row[1] for row in rows],
                           [row[2] for row in rows], [1] * len(rows), [0] * len(rows), [], []))
        return Encoding(core)
