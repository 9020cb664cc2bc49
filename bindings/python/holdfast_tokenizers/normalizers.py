"""Normalizers: what rewrites text before it is cut."""

import base64

from . import _core
from ._custom import Custom, CustomSequence
from ._normalized import NormalizedString, lend_normalized
from ._part import Field, Part, flag, pattern_of, text


class Normalizer(Part):
    _sequence_key = "normalizers"

    def normalize_str(self, sequence):
        return _core.normalize(text(self), sequence)

    def normalize(self, normalized):
        """Changes a NormalizedString in its place."""
        normalized._core.normalize(text(self))

    @staticmethod
    def custom(normalizer):
        return _Custom(normalizer)


class _Custom(Custom, Normalizer):
    def _native(self):
        return lambda core: self.normalize(NormalizedString(core))

    def normalize(self, normalized):
        lend_normalized(self._custom.normalize, normalized)

    def normalize_str(self, sequence):
        one = NormalizedString(sequence)
        self.normalize(one)
        return one.normalized


class BertNormalizer(Normalizer):
    clean_text, handle_chinese_chars, lowercase = flag("clean_text"), flag("handle_chinese_chars"), flag("lowercase")
    strip_accents = Field("strip_accents")

    def __init__(self, clean_text=True, handle_chinese_chars=True, strip_accents=None, lowercase=True):
        self._set(clean_text=clean_text, handle_chinese_chars=handle_chinese_chars, strip_accents=strip_accents, lowercase=lowercase)


class _Plain(Normalizer):
    def __init__(self):
        self._set()


class NFC(_Plain):
    pass


class NFD(_Plain):
    pass


class NFKC(_Plain):
    pass


class NFKD(_Plain):
    pass


class Lowercase(_Plain):
    pass


class StripAccents(_Plain):
    pass


class Nmt(_Plain):
    pass


class ByteLevel(_Plain):
    pass


class Strip(Normalizer):
    left, right = flag("strip_left"), flag("strip_right")

    def __init__(self, left=True, right=True):
        self._set(strip_left=left, strip_right=right)


class Prepend(Normalizer):
    prepend = Field("prepend")

    def __init__(self, prepend="▁"):
        self._set(prepend=prepend)


class Replace(Normalizer):
    content = Field("content")

    def __init__(self, pattern, content):
        self._set(pattern=pattern_of(pattern), content=content)

    @property
    def pattern(self):
        raise AttributeError("Cannot get pattern")


class Precompiled(Normalizer):
    def __init__(self, precompiled_charsmap):
        self._set(precompiled_charsmap=base64.b64encode(precompiled_charsmap).decode())


class Sequence(Normalizer):
    def __new__(cls, normalizers=()):
        return super().__new__(_CustomSequence if any(isinstance(one, Custom) for one in normalizers) else cls)

    def __init__(self, normalizers):
        self._set(normalizers=[one._data for one in normalizers])


class _CustomSequence(CustomSequence, _Custom, Sequence):
    _called = "Normalizer"

    def __init__(self, normalizers):
        self._take(normalizers)

    def normalize(self, normalized):
        for part in self._parts:
            part.normalize(normalized)


def unicode_normalizer_from_str(normalizer):
    kinds = {"nfd": NFD, "nfkd": NFKD, "nfc": NFC, "nfkc": NFKC}
    if normalizer not in kinds:
        raise ValueError(f"{normalizer} is not a known unicode normalizer. Available are {list(kinds)}")
    return kinds[normalizer]()
