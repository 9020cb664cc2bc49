"""Post-processors: what puts special tokens around encodings."""

import json

from ._part import Field, Part, flag


class PostProcessor(Part):
    _sequence_key = "processors"

    def num_special_tokens_to_add(self, is_pair):
        from . import Tokenizer, models

        tokenizer = Tokenizer(models.BPE())
        tokenizer.post_processor = self
        return tokenizer.num_special_tokens_to_add(is_pair)

    def process(self, encoding, pair=None, add_special_tokens=True):
        from . import Tokenizer, models

        tokenizer = Tokenizer(models.BPE())
        tokenizer.post_processor = self
        return tokenizer.post_process(encoding, pair, add_special_tokens)


def _pair_field(name):
    return Field(name, list, tuple)


class BertProcessing(PostProcessor):
    sep, cls = _pair_field("sep"), _pair_field("cls")

    def __init__(self, sep, cls):
        self._set(sep=list(sep), cls=list(cls))


class RobertaProcessing(PostProcessor):
    sep, cls = _pair_field("sep"), _pair_field("cls")
    trim_offsets, add_prefix_space = flag("trim_offsets"), flag("add_prefix_space")

    def __init__(self, sep, cls, trim_offsets=True, add_prefix_space=True):
        self._set(sep=list(sep), cls=list(cls), trim_offsets=trim_offsets, add_prefix_space=add_prefix_space)


class ByteLevel(PostProcessor):
    add_prefix_space, trim_offsets, use_regex = flag("add_prefix_space"), flag("trim_offsets"), flag("use_regex")

    def __init__(self, add_prefix_space=None, trim_offsets=None, use_regex=None, **_):
        self._set(add_prefix_space=add_prefix_space is not False, trim_offsets=trim_offsets is not False, use_regex=use_regex is not False)


def _piece(text):
    """"$A:1", "$1", "[CLS]:0" as the parts of a template."""
    error = ValueError(f"Cannot build Piece from string \"{text}\"")
    name, colon, type_id = text.partition(":") if text.count(":") == 1 else (text, "", "")
    if text.count(":") > 1 or (colon and not type_id.isdigit()):
        raise error
    type_id = int(type_id) if colon else None
    if not name.startswith("$"):
        return {"SpecialToken": {"id": name, "type_id": type_id or 0}}
    rest = name[1:]
    if rest in ("", "A", "a"):
        return {"Sequence": {"id": "A", "type_id": type_id or 0}}
    if rest in ("B", "b"):
        return {"Sequence": {"id": "B", "type_id": type_id or 0}}
    if rest.isdigit():
        return {"Sequence": {"id": "A", "type_id": int(rest) if type_id is None else type_id}}
    raise error


def _template(value):
    return [_piece(one) for one in (value.split() if isinstance(value, str) else value)]


def _special(token):
    if isinstance(token, dict):
        if len(token["ids"]) != len(token["tokens"]):
            raise ValueError("SpecialToken: ids and tokens must be of the same length")
        return {"id": token["id"], "ids": list(token["ids"]), "tokens": list(token["tokens"])}
    text, number = token if isinstance(token[0], str) else token[::-1]
    return {"id": text, "ids": [number], "tokens": [text]}


class TemplateProcessing(PostProcessor):
    def __init__(self, single=None, pair=None, special_tokens=None):
        tokens = {token["id"]: token for token in map(_special, special_tokens or [])}
        self._set(single=_template(single if single is not None else ["$0"]), pair=_template(pair if pair is not None else ["$A:0", "$B:1"]),
                  special_tokens=dict(sorted(tokens.items())))
        used = {piece["SpecialToken"]["id"] for piece in self._data["single"] + self._data["pair"] if "SpecialToken" in piece}
        if used - set(tokens):
            raise ValueError(f"Missing SpecialToken(s) with id(s) `{json.dumps(sorted(used - set(tokens)))}`")


class Sequence(PostProcessor):
    def __init__(self, processors):
        self._set(processors=[one._data for one in processors])
