"""The tokenizer: its parts, added tokens, truncation and padding, and the native object that is made of them."""

import asyncio
import json
import os

from . import _core
from ._custom import Custom
from ._encoding import Encoding
from ._normalized import PreTokenizedString
from ._part import changed, last_change, show_part, shown
from .decoders import Decoder
from .models import Model
from .normalizers import Normalizer
from .pre_tokenizers import PreTokenizer
from .processors import PostProcessor
from .trainers import Trainer


def _batch_threads():
    """Threads of a batch: as many as this process may use, within what the variables of the reference library allow."""
    if os.environ.get("TOKENIZERS_PARALLELISM", "true").lower() in ("", "0", "f", "false", "n", "no", "off"):
        return 1
    most = os.environ.get("RAYON_NUM_THREADS", "")
    return int(most) if most.isdigit() and int(most) > 0 else len(os.sched_getaffinity(0))


class AddedToken:
    """A token that is cut out of the text; flags as in tokenizer.json."""

    def __init__(self, content="", single_word=False, lstrip=False, rstrip=False, normalized=None, special=False):
        self.content, self.single_word, self.lstrip, self.rstrip, self.special = content, single_word, lstrip, rstrip, special
        self._normalized = normalized

    @property
    def normalized(self):
        return not self.special if self._normalized is None else self._normalized

    @normalized.setter
    def normalized(self, value):
        self._normalized = value

    def _row(self, id):
        row = {"id": id, "content": self.content, "single_word": self.single_word, "lstrip": self.lstrip, "rstrip": self.rstrip,
               "normalized": self.normalized, "special": self.special}
        return row if id is not None else {key: value for key, value in row.items() if key != "id"}

    def __eq__(self, other):
        return isinstance(other, AddedToken) and self._row(0) == other._row(0)

    def __hash__(self):
        return hash(self.content)

    def __str__(self):
        return self.content

    def __repr__(self):
        return (f'AddedToken("{self.content}", rstrip={self.rstrip}, lstrip={self.lstrip}, single_word={self.single_word}, '
                f"normalized={self.normalized}, special={self.special})")


def _is_list(value):
    return isinstance(value, (list, tuple)) or type(value).__name__ == "ndarray"


def _text(value, is_pretokenized):
    if is_pretokenized:
        if not _is_list(value) or not all(isinstance(word, str) for word in value):
            raise TypeError("PreTokenizedInputSequence must be Union[List[str], Tuple[str]]: InputSequence must be Union[List[str], Tuple[str]]")
        return [str(word) for word in value]
    if not isinstance(value, str):
        raise TypeError("TextInputSequence must be str")
    return str(value)


def _is_text(value, is_pretokenized):
    return (_is_list(value) and all(isinstance(word, str) for word in value)) if is_pretokenized else isinstance(value, str)


def _pair(value, is_pretokenized):
    """One text or a pair of a batch."""
    if _is_text(value, is_pretokenized):
        return _text(value, is_pretokenized), None
    if _is_list(value) and len(value) == 2 and all(_is_text(one, is_pretokenized) for one in value):
        return _text(value[0], is_pretokenized), _text(value[1], is_pretokenized)
    if is_pretokenized:
        raise TypeError("PreTokenizedEncodeInput must be Union[PreTokenizedInputSequence, Tuple[PreTokenizedInputSequence, PreTokenizedInputSequence]]")
    raise TypeError("TextEncodeInput must be Union[TextInputSequence, Tuple[InputSequence, InputSequence]]")


class Tokenizer:
    """Safe from any thread for encoding and decoding; setters are for one thread at a time."""

    def __init__(self, model):
        self._parts = {"model": model, "normalizer": None, "pre_tokenizer": None, "post_processor": None, "decoder": None}
        self._added = {}  # Content to (id, AddedToken).
        self._truncation, self._padding, self.encode_special_tokens = None, None, False
        self._compiled = None

    # --- parts ---

    def _part(name):
        def set_part(self, part):
            self._parts[name] = part
            changed()

        return property(lambda self: self._parts[name], set_part)

    model, normalizer, pre_tokenizer = _part("model"), _part("normalizer"), _part("pre_tokenizer")
    post_processor, decoder = _part("post_processor"), _part("decoder")
    del _part

    def _core(self):
        """The native tokenizer of the parts as they are now."""
        compiled = self._compiled
        if compiled is None or compiled[0] != last_change():
            now = last_change()
            own = {name: part._native() for name, part in self._parts.items() if isinstance(part, Custom)}
            document = self._document(dict.fromkeys(own))
            compiled = self._compiled = (now, _core.Tokenizer(json.dumps(document, ensure_ascii=False, separators=(",", ":")), **own))
        return compiled[1]

    # --- files ---

    def _document(self, instead=None):
        document = {"version": "1.0", "truncation": self._truncation_json(), "padding": self._padding_json(),
                    "added_tokens": [token._row(id) for id, token in sorted(self._added.values(), key=lambda row: row[0])]}
        for name in ("normalizer", "pre_tokenizer", "post_processor", "decoder", "model"):
            part = self._parts[name]
            document[name] = None if part is None else part._data if name not in (instead or {}) else instead[name]
        return document

    def to_str(self, pretty=False):
        if pretty:
            return json.dumps(self._document(), ensure_ascii=False, indent=2)
        return json.dumps(self._document(), ensure_ascii=False, separators=(",", ":"))

    def save(self, path, pretty=True):
        with open(path, "w", encoding="utf-8") as file:
            file.write(self.to_str(pretty))

    @staticmethod
    def from_str(text):
        document = json.loads(_core.canonical(text))
        out = Tokenizer(Model._of(document["model"]))
        for name, kind in (("normalizer", Normalizer), ("pre_tokenizer", PreTokenizer), ("post_processor", PostProcessor), ("decoder", Decoder)):
            out._parts[name] = kind._of(document[name])
        for row in document["added_tokens"]:
            out._added[row["content"]] = (row["id"], AddedToken(**{key: row[key] for key in row if key != "id"}))
        truncation, padding = document["truncation"], document["padding"]
        if truncation:
            names = {"LongestFirst": "longest_first", "OnlyFirst": "only_first", "OnlySecond": "only_second"}
            # One that does not fit is refused where it is set, not where it is read.
            out._truncation = {"max_length": truncation["max_length"], "stride": truncation["stride"], "strategy": names[truncation["strategy"]],
                               "direction": truncation.get("direction", "Right").lower()}
        if padding:
            length = padding["strategy"].get("Fixed") if isinstance(padding["strategy"], dict) else None
            out.enable_padding(padding.get("direction", "Right").lower(), padding["pad_id"], padding["pad_type_id"], padding["pad_token"],
                               length, padding.get("pad_to_multiple_of"))
        out._core()
        return out

    @staticmethod
    def from_file(path):
        with open(path, encoding="utf-8") as file:
            return Tokenizer.from_str(file.read())

    @staticmethod
    def from_buffer(buffer):
        return Tokenizer.from_str(bytes(buffer).decode())

    @staticmethod
    def from_pretrained(identifier, revision="main", token=None):
        from huggingface_hub import hf_hub_download

        return Tokenizer.from_file(hf_hub_download(identifier, "tokenizer.json", revision=revision, token=token))

    def __getstate__(self):
        return self.to_str().encode()

    def __setstate__(self, state):
        self.__dict__.update(Tokenizer.from_str(state.decode()).__dict__)

    def __getnewargs__(self):
        from .models import BPE

        return (BPE(),)

    def _shown(self, most):
        document = self._document()
        rows = [f"{key}={show_part(value, most) if isinstance(value, dict) and 'type' in value else shown(value, most)}"
                for key, value in document.items() if key != "added_tokens"]
        rows.insert(3, f"added_tokens={shown(document['added_tokens'], most)}")
        return f"Tokenizer({', '.join(rows)})"

    def __repr__(self):
        return self._shown(None)

    def __str__(self):
        return self._shown(5)

    # --- vocabulary ---

    def get_vocab(self, with_added_tokens=True):
        out = dict(self.model._vocab())
        if with_added_tokens:
            out.update({content: id for content, (id, _) in self._added.items()})
        return out

    def get_vocab_size(self, with_added_tokens=True):
        return len(self.get_vocab(with_added_tokens))

    def get_added_tokens_decoder(self):
        return {id: token for id, token in sorted(self._added.values(), key=lambda row: row[0])}

    def token_to_id(self, token):
        found = self._added.get(token)
        return found[0] if found else self.model._vocab().get(token)

    def id_to_token(self, id):
        return next((content for content, (one, _) in self._added.items() if one == id), None) or self._core().model_token_of(id)

    def num_special_tokens_to_add(self, is_pair):
        return self._core().added_tokens(2 if is_pair else 1)

    def _add(self, tokens):
        model, count = self.model._vocab(), 0
        for token in tokens:
            known = self._added.get(token.content)
            if not token.content or (known and known[1] == token):
                continue
            ids = [id for id, _ in self._added.values()]
            id = known[0] if known else model.get(token.content)
            if id is None:
                id = max(len(model), max(ids, default=-1) + 1)
            self._added[token.content] = (id, AddedToken(**token._row(None)))
            count += 1
        changed()
        return count

    def add_tokens(self, tokens):
        return self._add([AddedToken(token) if isinstance(token, str) else token for token in tokens])

    def add_special_tokens(self, tokens):
        made = [AddedToken(token) if isinstance(token, str) else token for token in tokens]
        for token in made:
            token.special = True
        return self._add(made)

    # --- truncation and padding ---

    def enable_truncation(self, max_length, stride=0, strategy="longest_first", direction="right"):
        if direction not in ("left", "right"):
            raise ValueError(f"Unknown direction: `{direction}`. Use 'left' or 'right'")
        if strategy not in ("longest_first", "only_first", "only_second"):
            raise ValueError(f"Unknown strategy: `{strategy}`. Use 'longest_first', 'only_first' or 'only_second'")
        room = max_length - self.num_special_tokens_to_add(False) if stride else 0
        if stride > room >= 0:
            raise ValueError(f"tokenizer stride set to {stride}, which is greater than or equal to its effective max length of {room}")
        self._truncation = {"max_length": max_length, "stride": stride, "strategy": strategy, "direction": direction}

    def no_truncation(self):
        self._truncation = None

    truncation = property(lambda self: dict(self._truncation) if self._truncation else None)

    def enable_padding(self, direction="right", pad_id=0, pad_type_id=0, pad_token="[PAD]", length=None, pad_to_multiple_of=None):
        if direction not in ("left", "right"):
            raise ValueError(f"Unknown direction: `{direction}`. Use 'left' or 'right'")
        self._padding = {"length": length, "pad_to_multiple_of": pad_to_multiple_of, "pad_id": pad_id, "pad_token": pad_token,
                         "pad_type_id": pad_type_id, "direction": direction}

    def no_padding(self):
        self._padding = None

    padding = property(lambda self: dict(self._padding) if self._padding else None)

    def _truncation_json(self):
        if not self._truncation:
            return None
        strategy = "".join(word.capitalize() for word in self._truncation["strategy"].split("_"))
        return {"direction": self._truncation["direction"].capitalize(), "max_length": self._truncation["max_length"], "strategy": strategy,
                "stride": self._truncation["stride"]}

    def _padding_json(self):
        if not self._padding:
            return None
        length = self._padding["length"]
        return {"strategy": "BatchLongest" if length is None else {"Fixed": length}, "direction": self._padding["direction"].capitalize(),
                "pad_to_multiple_of": self._padding["pad_to_multiple_of"], "pad_id": self._padding["pad_id"],
                "pad_type_id": self._padding["pad_type_id"], "pad_token": self._padding["pad_token"]}

    def _options(self, add_special_tokens):
        out = _core.Options()
        out.add_special, out.specials_are_text = add_special_tokens, self.encode_special_tokens
        if self._truncation:
            out.truncation = _core.Truncation(self._truncation["max_length"], self._truncation["stride"], self._truncation["strategy"],
                                              self._truncation["direction"])
        if self._padding:
            out.padding = _core.Padding(self._padding["length"], self._padding["direction"], self._padding["pad_to_multiple_of"],
                                        self._padding["pad_id"], self._padding["pad_type_id"], self._padding["pad_token"])
        return out

    # --- text to tokens and back ---

    def encode(self, sequence, pair=None, is_pretokenized=False, add_special_tokens=True):
        texts = _text(sequence, is_pretokenized), None if pair is None else _text(pair, is_pretokenized)
        return Encoding(self._core().encode(texts, self._options(add_special_tokens)))

    def encode_batch(self, input, is_pretokenized=False, add_special_tokens=True):
        texts = [_pair(one, is_pretokenized) for one in input]
        return [Encoding(one) for one in self._core().encode_batch(texts, self._options(add_special_tokens), _batch_threads())]

    encode_batch_fast = encode_batch

    def post_process(self, encoding, pair=None, add_special_tokens=True):
        texts = [encoding._core] + ([] if pair is None else [pair._core])
        return Encoding(self._core().finish(texts, self._options(add_special_tokens)))

    def decode(self, ids, skip_special_tokens=True):
        return self._core().decode(list(ids), skip_special_tokens)

    def decode_batch(self, sequences, skip_special_tokens=True):
        return [self.decode(ids, skip_special_tokens) for ids in sequences]

    async def async_encode(self, *args, **kwargs):
        return await asyncio.to_thread(self.encode, *args, **kwargs)

    async def async_encode_batch(self, *args, **kwargs):
        return await asyncio.to_thread(self.encode_batch, *args, **kwargs)

    async_encode_batch_fast = async_encode_batch

    async def async_decode_batch(self, *args, **kwargs):
        return await asyncio.to_thread(self.decode_batch, *args, **kwargs)

    # --- training ---

    def _train(self, texts, trainer):
        trainer = trainer or self.model.get_trainer()
        if not isinstance(trainer, Trainer):
            raise TypeError("a trainer is needed")
        if trainer._trains != self.model._data["type"]:
            raise Exception(f"{type(trainer).__name__} can only train a {trainer._trains}")
        own = [name for name in ("normalizer", "pre_tokenizer") if isinstance(self._parts[name], Custom)]
        left_out = {"normalizer": None, "pre_tokenizer": None} if own else {}
        document = json.dumps({**self._document(left_out), "added_tokens": []}, ensure_ascii=False)
        counter = _core.Counter(document)
        for text in texts:
            for one in [text] if isinstance(text, str) else text:
                for word in self._words(one) if own else [one]:
                    counter.add(word)
        trained = json.loads(_core.train(document, counter.take(), trainer._options()))
        self.model._data.clear()
        self.model._data.update(trained["model"])
        changed()
        # Tokens that were added before keep their place only where the new vocabulary has none for them.
        before, self._added = self._added, {}
        self._add([token for _, token in before.values()])
        self._add(trainer.special_tokens)

    def _words(self, text):
        """What the parts cut a text into, as some of them are written in Python."""
        parts = PreTokenizedString(text)
        if self.normalizer is not None:
            parts.normalize(self.normalizer.normalize)
        if self.pre_tokenizer is not None:
            self.pre_tokenizer.pre_tokenize(parts)
        return [word for word, _, _ in parts.get_splits()]

    def train(self, files, trainer=None):
        def lines():
            for path in [files] if isinstance(files, str) else files:
                with open(path, encoding="utf-8", newline="") as file:
                    yield from file

        self._train(lines(), trainer)

    def train_from_iterator(self, iterator, trainer=None, length=None):
        self._train(iterator, trainer)
