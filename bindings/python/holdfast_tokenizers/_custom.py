"""Parts written in Python. The native tokenizer calls them where it has its own; a tokenizer that has one cannot be saved."""


class Custom:
    """What such a part has beside its class; `custom` is the object of the caller's."""

    _called = None  # In the refusal, where it is not the name of the class.

    @property
    def _data(self):
        kind = self._called or type(self).__mro__[2].__name__
        raise Exception(f"Custom {kind} cannot be serialized")

    @_data.setter
    def _data(self, value):
        pass

    def __init__(self, custom):
        self._custom = custom

    def __repr__(self):
        return f"{type(self).__mro__[2].__name__}.custom({self._custom!r})"

    __str__ = __repr__


class CustomSequence:
    """A sequence that has such a part: each is called in its turn. As in the reference it has no repr()."""

    def _take(self, parts):
        self._custom, self._parts = None, list(parts)

    def __repr__(self):
        return str(self._data)

    __str__ = __repr__

    def __getitem__(self, index):
        if not 0 <= index < len(self._parts):
            raise IndexError("Index not found")
        return self._parts[index]

    def __setitem__(self, index, part):
        if not 0 <= index < len(self._parts):
            raise IndexError("Index not found")
        self._parts[index] = part
        self._touch()
