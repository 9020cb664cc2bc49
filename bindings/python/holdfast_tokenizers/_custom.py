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
