"""Decoders: what makes text of tokens."""

from . import _core
from ._custom import Custom
from ._normalized import call
from ._part import Field, Part, flag, one_character, pattern_of, text


class Decoder(Part):
    _sequence_key = "decoders"

    def decode(self, tokens):
        return _core.decode(text(self), list(tokens))

    @staticmethod
    def custom(decoder):
        return _Custom(decoder)


class _Custom(Custom, Decoder):
    _called = "PyDecoder"

    def _native(self):
        return self.decode

    def decode(self, tokens):
        own = self._custom
        return "".join(call(own.decode_chain, list(tokens))) if hasattr(own, "decode_chain") else call(own.decode, list(tokens))


class ByteLevel(Decoder):
    def __init__(self, **_):
        self._set(add_prefix_space=True, trim_offsets=True, use_regex=True)

    def __getstate__(self):
        return b"{}" if type(self) is ByteLevel else super().__getstate__()

    def __setstate__(self, state):
        self.__init__()


class _Plain(Decoder):
    def __init__(self):
        self._set()


class ByteFallback(_Plain):
    pass


class Fuse(_Plain):
    pass


class Replace(Decoder):
    content = Field("content")

    def __init__(self, pattern, content):
        self._set(pattern=pattern_of(pattern), content=content)


class WordPiece(Decoder):
    prefix, cleanup = Field("prefix"), flag("cleanup")

    def __init__(self, prefix="##", cleanup=True):
        self._set(prefix=prefix, cleanup=cleanup)


class Metaspace(Decoder):
    replacement, prepend_scheme, split = Field("replacement", one_character), Field("prepend_scheme"), flag("split")

    def __init__(self, replacement="▁", prepend_scheme="always", split=True):
        self._set(replacement=one_character(replacement), prepend_scheme=prepend_scheme, split=split)


class BPEDecoder(Decoder):
    suffix = Field("suffix")

    def __init__(self, suffix="</w>"):
        self._set(suffix=suffix)


class Strip(Decoder):
    content, left, right = Field("content", one_character), Field("start"), Field("stop")

    def __init__(self, content=" ", left=0, right=0):
        self._set(content=content, start=left, stop=right)


class CTC(Decoder):
    pad_token, word_delimiter_token, cleanup = Field("pad_token"), Field("word_delimiter_token"), flag("cleanup")

    def __init__(self, pad_token="<pad>", word_delimiter_token="|", cleanup=True):
        self._set(pad_token=pad_token, word_delimiter_token=word_delimiter_token, cleanup=cleanup)


class Sequence(Decoder):
    def __init__(self, decoders):
        self._set(decoders=[one._data for one in decoders])


class DecodeStream:
    """Decodes ids as they come; a step gives text when it ends with a whole character."""

    def __init__(self, ids=None, skip_special_tokens=False):
        self._ids, self._skip, self._prefix, self._context = list(ids or []), skip_special_tokens, "", 0

    def step(self, tokenizer, id):
        def decode(ids):
            return tokenizer.decode(ids, skip_special_tokens=self._skip)

        if not self._prefix and self._ids:
            shown = decode(self._ids)
            if not shown.endswith("\ufffd"):
                self._prefix, self._context = shown, len(self._ids)
        self._ids += [id] if isinstance(id, int) else list(id)
        all_ = decode(self._ids)
        if len(all_.encode()) <= len(self._prefix.encode()) or all_.endswith("\ufffd"):
            return None
        if not all_.startswith(self._prefix):
            raise Exception("Invalid prefix encountered while decoding stream.")
        new = all_[len(self._prefix):]
        given = len(self._ids) - self._context
        self._ids = self._ids[self._context:]
        self._prefix, self._context = decode(self._ids), given
        return new

    def __copy__(self):
        out = DecodeStream(self._ids, self._skip)
        out._prefix, out._context = self._prefix, self._context
        return out

    def __deepcopy__(self, memo):
        return self.__copy__()
