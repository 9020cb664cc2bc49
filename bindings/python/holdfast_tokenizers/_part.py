"""What every part of a tokenizer shares: a JSON object as tokenizer.json holds it, with attributes for its fields."""

import itertools
import json

_changes = itertools.count(1)
_last_change = [0]


def changed():
    """Tells tokenizers that some part is not what it was when they were compiled."""
    _last_change[0] = next(_changes)


def last_change():
    return _last_change[0]


def shown(value, most=None, quote=True):
    """As the reference library shows values in repr()."""
    if value is None or isinstance(value, bool):
        return str(value)
    if isinstance(value, str):
        return f'"{value}"' if quote else value
    if isinstance(value, dict):
        rows = [f'"{key}":{shown(item, most)}' for key, item in itertools.islice(value.items(), most)]
        return "{" + ", ".join(rows + (["..."] if most is not None and len(value) > most else [])) + "}"
    if isinstance(value, (list, tuple)):
        rows = [shown(item, most) for item in itertools.islice(value, most)]
        rows += ["..."] if most is not None and len(value) > most else []
        return ("(" if isinstance(value, tuple) else "[") + ", ".join(rows) + (")" if isinstance(value, tuple) else "]")
    if isinstance(value, float) and value == int(value) and abs(value) < 1e15:
        return str(int(value))
    return str(value)


def show_part(data, most=None):
    def show(value):
        if isinstance(value, dict) and "type" in value:
            return show_part(value, most)
        if isinstance(value, list) and value and isinstance(value[0], dict) and "type" in value[0]:
            return "[" + ", ".join(show_part(item, most) for item in value) + "]"
        if isinstance(value, list) and value and isinstance(value[0], list):
            return shown([tuple(item) for item in value], most)
        if isinstance(value, dict) and set(value) & {"SpecialToken", "Sequence"}:
            (kind, fields), = value.items()
            parts = [f"{key}={shown(item, quote=kind == 'SpecialToken')}" for key, item in fields.items()]
            return f"{kind}({', '.join(parts)})"
        if isinstance(value, list) and value and isinstance(value[0], dict):
            return "[" + ", ".join(show(item) for item in value) + "]"
        return shown(value, most)

    def show_special_tokens(tokens):
        rows = [f'"{key}":SpecialToken({", ".join(f"{k}={shown(v)}" for k, v in token.items())})' for key, token in tokens.items()]
        return "{" + ", ".join(rows) + "}"

    fields = [f"{key}={show_special_tokens(value) if key == 'special_tokens' else show(value)}" for key, value in data.items() if key != "type"]
    return f"{data['type']}({', '.join(fields)})"


class Field:
    """An attribute that is a field of the part's JSON, perhaps under another name and spelling."""

    def __init__(self, key, to_json=None, from_json=None):
        self.key, self.to_json, self.from_json = key, to_json or (lambda value: value), from_json or (lambda value: value)

    def __get__(self, part, owner=None):
        return self if part is None else self.from_json(part._data[self.key])

    def __set__(self, part, value):
        part._data[self.key] = self.to_json(value)
        part._touch()


class Part:
    """Data is shared, not copied, with the sequence or tokenizer that holds the part, so that changes arrive there."""

    _kind = None
    _sequence_key = None

    def __new__(cls, *args, **kwargs):
        made = super().__new__(cls)
        made._data = {}
        return made

    def _set(self, **fields):
        self._data.clear()
        self._data.update({"type": self._kind or type(self).__name__, **fields})
        changed()

    def _touch(self):
        changed()

    @classmethod
    def _of(cls, data):
        """The object for a part's JSON, which it shares."""
        if data is None:
            return None
        kind = next((one for one in cls._kinds() if (one._kind or one.__name__) == data.get("type")), cls)
        made = kind.__new__(kind)
        made._data = data
        return made

    @classmethod
    def _kinds(cls):
        for one in cls.__subclasses__():
            yield one
            yield from one._kinds()

    def __getstate__(self):
        return json.dumps(self._data, ensure_ascii=False, separators=(",", ":")).encode()

    def __setstate__(self, state):
        self._data = json.loads(state)
        changed()

    def __reduce__(self):
        return _restored, (type(self), self.__getstate__())

    def __repr__(self):
        return show_part(self._data)

    def __str__(self):
        return show_part(self._data, 5)

    def __getitem__(self, index):
        key = self._sequence_key
        if key is None or self._data.get("type") != "Sequence":
            raise TypeError(f"'{type(self).__name__}' object is not subscriptable")
        if not 0 <= index < len(self._data[key]):
            raise IndexError("Index not found")
        return type(self).__mro__[1]._of(self._data[key][index])

    def __setitem__(self, index, part):
        if not 0 <= index < len(self._data[self._sequence_key]):
            raise IndexError("Index not found")
        self._data[self._sequence_key][index] = part._data
        self._touch()


def _restored(kind, state):
    made = kind.__new__(kind)
    made.__setstate__(state)
    return made


def text(part):
    return json.dumps(part._data, ensure_ascii=False)


def one_character(value):
    if len(value) != 1:
        raise ValueError("expected a string of length 1")
    return value


class Regex:
    """A pattern that is a regular expression, for Split and Replace."""

    def __init__(self, pattern):
        self.pattern = pattern


def pattern_of(value):
    return {"Regex": value.pattern} if isinstance(value, Regex) else {"String": value}


_BEHAVIORS = {"removed": "Removed", "isolated": "Isolated", "merged_with_previous": "MergedWithPrevious",
              "merged_with_next": "MergedWithNext", "contiguous": "Contiguous"}


def behavior_of(value):
    value = getattr(value, "value", value)
    if value not in _BEHAVIORS:
        raise ValueError("Wrong value for SplitDelimiterBehavior, expected one of: "
                         "`removed, isolated, merged_with_previous, merged_with_next, contiguous`")
    return _BEHAVIORS[value]


def behavior_name(value):
    return next(name for name, kind in _BEHAVIORS.items() if kind == value)


def flag(name):
    return Field(name, bool)
