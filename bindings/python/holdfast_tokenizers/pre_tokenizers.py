"""Pre-tokenizers: what cuts text into words."""

from . import _core
from ._custom import Custom, CustomSequence
from ._normalized import NormalizedString, PreTokenizedString, lend
from ._part import Field, Part, behavior_name, behavior_of, flag, one_character, pattern_of, text


class PreTokenizer(Part):
    _sequence_key = "pretokenizers"

    def pre_tokenize_str(self, sequence):
        """Words, and where they are in the text, in characters."""
        return _core.pre_tokenize(text(self), sequence)

    def pre_tokenize(self, pretok):
        """Splits a PreTokenizedString in its place."""
        pretok.split(lambda _, part: [NormalizedString(one) for one in part._core.split(text(self))])

    @staticmethod
    def custom(pretok):
        return _Custom(pretok)


class _Custom(Custom, PreTokenizer):
    def _native(self):
        def cut(text, rows):
            parts = PreTokenizedString._of(text, rows)
            self.pre_tokenize(parts)
            return parts._rows()

        return cut

    def pre_tokenize(self, pretok):
        lend(self._custom.pre_tokenize, pretok, "Cannot use a PreTokenizedStringRefMut outside `pre_tokenize`")

    def pre_tokenize_str(self, sequence):
        parts = PreTokenizedString(sequence)
        self.pre_tokenize(parts)
        return [(part, offsets) for part, offsets, _ in parts.get_splits()]


class ByteLevel(PreTokenizer):
    add_prefix_space, trim_offsets, use_regex = flag("add_prefix_space"), flag("trim_offsets"), flag("use_regex")

    def __init__(self, add_prefix_space=True, trim_offsets=True, use_regex=True, **_):
        self._set(add_prefix_space=add_prefix_space, trim_offsets=trim_offsets, use_regex=use_regex)

    @staticmethod
    def alphabet():
        """The characters that stand for the 256 bytes."""
        plain = [*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
        return [chr(code) for code in plain] + [chr(0x100 + at) for at in range(256 - len(plain))]


class _Plain(PreTokenizer):
    def __init__(self):
        self._set()


class BertPreTokenizer(_Plain):
    pass


class Whitespace(_Plain):
    pass


class WhitespaceSplit(_Plain):
    pass


class UnicodeScripts(_Plain):
    pass


class CharDelimiterSplit(PreTokenizer):
    delimiter = Field("delimiter", one_character)

    def __init__(self, delimiter):
        self._set(delimiter=one_character(delimiter))


class Digits(PreTokenizer):
    individual_digits = flag("individual_digits")

    def __init__(self, individual_digits=False):
        self._set(individual_digits=individual_digits)


class FixedLength(PreTokenizer):
    length = Field("length", int)

    def __init__(self, length=5):
        self._set(length=length)


class Punctuation(PreTokenizer):
    behavior = Field("behavior", behavior_of, behavior_name)

    def __init__(self, behavior="isolated"):
        self._set(behavior=behavior_of(behavior))


class Metaspace(PreTokenizer):
    replacement, prepend_scheme, split = Field("replacement", one_character), Field("prepend_scheme"), flag("split")

    def __init__(self, replacement="▁", prepend_scheme="always", split=True):
        self._set(replacement=one_character(replacement), prepend_scheme=prepend_scheme, split=split)


class Split(PreTokenizer):
    behavior, invert = Field("behavior", behavior_of, behavior_name), flag("invert")

    def __init__(self, pattern, behavior, invert=False):
        self._set(pattern=pattern_of(pattern), behavior=behavior_of(behavior), invert=invert)

    @property
    def pattern(self):
        raise AttributeError("Cannot get pattern")


class Sequence(PreTokenizer):
    def __new__(cls, pre_tokenizers=()):
        return super().__new__(_CustomSequence if any(isinstance(one, Custom) for one in pre_tokenizers) else cls)

    def __init__(self, pre_tokenizers):
        self._set(pretokenizers=[one._data for one in pre_tokenizers])


class _CustomSequence(CustomSequence, _Custom, Sequence):
    _called = "PreTokenizer"

    def __init__(self, pre_tokenizers):
        self._take(pre_tokenizers)

    def pre_tokenize(self, pretok):
        for part in self._parts:
            part.pre_tokenize(pretok)
