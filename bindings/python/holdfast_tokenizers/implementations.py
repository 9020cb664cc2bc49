"""Ready-made tokenizers of five families, to be trained or given a vocabulary."""

from . import decoders, models, normalizers, pre_tokenizers, processors, trainers
from ._tokenizer import Tokenizer


class BaseTokenizer:
    """A tokenizer with the settings it was made with; everything else is the tokenizer's own."""

    _trainer = None

    def __init__(self, tokenizer, parameters=None):
        self._tokenizer, self._parameters = tokenizer, parameters or {}

    def __getattr__(self, name):
        if name.startswith("__"):
            raise AttributeError(name)
        return getattr(self.__dict__["_tokenizer"], name)

    def __setattr__(self, name, value):
        if name in ("normalizer", "pre_tokenizer", "post_processor", "decoder", "model"):
            setattr(self._tokenizer, name, value)
        else:
            super().__setattr__(name, value)

    def __repr__(self):
        return f"Tokenizer(vocabulary_size={self.get_vocab_size()}, {', '.join(f'{key}={value}' for key, value in self._parameters.items())})"

    def get_vocab(self, with_added_tokens=True):
        return self._tokenizer.get_vocab(with_added_tokens)

    def get_vocab_size(self, with_added_tokens=True):
        return self._tokenizer.get_vocab_size(with_added_tokens)

    def save_model(self, directory, prefix=None):
        return self._tokenizer.model.save(directory, prefix)

    def normalize(self, sequence):
        return self._tokenizer.normalizer.normalize_str(sequence)

    def encode(self, sequence, pair=None, is_pretokenized=False, add_special_tokens=True):
        if sequence is None:
            raise ValueError("encode: `sequence` can't be `None`")
        return self._tokenizer.encode(sequence, pair, is_pretokenized, add_special_tokens)

    def encode_batch(self, inputs, is_pretokenized=False, add_special_tokens=True):
        if inputs is None:
            raise ValueError("encode_batch: `inputs` can't be `None`")
        return self._tokenizer.encode_batch(inputs, is_pretokenized, add_special_tokens)

    def decode(self, ids, skip_special_tokens=True):
        if ids is None:
            raise ValueError("None input is not valid. Should be a list of integers.")
        return self._tokenizer.decode(ids, skip_special_tokens)

    def _make_trainer(self, **kwargs):
        return self._trainer(**kwargs)

    def train(self, files, **kwargs):
        self._tokenizer.train([files] if isinstance(files, str) else files, self._make_trainer(**kwargs))

    def train_from_iterator(self, iterator, length=None, **kwargs):
        self._tokenizer.train_from_iterator(iterator, self._make_trainer(**kwargs), length)

    def _add_known(self, *tokens):
        for token in tokens:
            if self._tokenizer.token_to_id(str(token)) is not None:
                self._tokenizer.add_special_tokens([str(token)])


class BertWordPieceTokenizer(BaseTokenizer):
    def __init__(self, vocab=None, unk_token="[UNK]", sep_token="[SEP]", cls_token="[CLS]", pad_token="[PAD]", mask_token="[MASK]",
                 clean_text=True, handle_chinese_chars=True, strip_accents=None, lowercase=True, wordpieces_prefix="##"):
        tokenizer = Tokenizer(models.WordPiece(vocab, unk_token=str(unk_token)) if vocab is not None else models.WordPiece(unk_token=str(unk_token)))
        super().__init__(tokenizer, {"model": "BertWordPiece", "unk_token": unk_token, "sep_token": sep_token, "cls_token": cls_token,
                                     "pad_token": pad_token, "mask_token": mask_token, "clean_text": clean_text,
                                     "handle_chinese_chars": handle_chinese_chars, "strip_accents": strip_accents,
                                     "lowercase": lowercase, "wordpieces_prefix": wordpieces_prefix})
        self._add_known(unk_token, sep_token, cls_token, pad_token, mask_token)
        tokenizer.normalizer = normalizers.BertNormalizer(clean_text, handle_chinese_chars, strip_accents, lowercase)
        tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
        if vocab is not None:
            ids = [tokenizer.token_to_id(str(token)) for token in (sep_token, cls_token)]
            if None in ids:
                raise TypeError("sep_token not found in the vocabulary" if ids[0] is None else "cls_token not found in the vocabulary")
            tokenizer.post_processor = processors.BertProcessing((str(sep_token), ids[0]), (str(cls_token), ids[1]))
        tokenizer.decoder = decoders.WordPiece(prefix=wordpieces_prefix)

    @staticmethod
    def from_file(vocab, **kwargs):
        return BertWordPieceTokenizer(models.WordPiece.read_file(vocab), **kwargs)

    def _make_trainer(self, vocab_size=30000, min_frequency=2, limit_alphabet=1000, initial_alphabet=(),
                      special_tokens=("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"), show_progress=True, wordpieces_prefix="##"):
        return trainers.WordPieceTrainer(vocab_size=vocab_size, min_frequency=min_frequency, limit_alphabet=limit_alphabet,
                                         initial_alphabet=list(initial_alphabet), special_tokens=list(special_tokens),
                                         show_progress=show_progress, continuing_subword_prefix=wordpieces_prefix)


class ByteLevelBPETokenizer(BaseTokenizer):
    def __init__(self, vocab=None, merges=None, add_prefix_space=False, lowercase=False, dropout=None, unicode_normalizer=None,
                 continuing_subword_prefix=None, end_of_word_suffix=None, trim_offsets=False):
        tokenizer = Tokenizer(models.BPE(vocab, merges, dropout=dropout, continuing_subword_prefix=continuing_subword_prefix or "",
                                         end_of_word_suffix=end_of_word_suffix or ""))
        super().__init__(tokenizer, {"model": "ByteLevelBPE", "add_prefix_space": add_prefix_space, "lowercase": lowercase, "dropout": dropout,
                                     "unicode_normalizer": unicode_normalizer, "continuing_subword_prefix": continuing_subword_prefix,
                                     "end_of_word_suffix": end_of_word_suffix, "trim_offsets": trim_offsets})
        steps = [normalizers.unicode_normalizer_from_str(unicode_normalizer)] if unicode_normalizer else []
        steps += [normalizers.Lowercase()] if lowercase else []
        if steps:
            tokenizer.normalizer = steps[0] if len(steps) == 1 else normalizers.Sequence(steps)
        tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=add_prefix_space)
        tokenizer.decoder = decoders.ByteLevel()
        tokenizer.post_processor = processors.ByteLevel(trim_offsets=trim_offsets)

    @staticmethod
    def from_file(vocab_filename, merges_filename, **kwargs):
        return ByteLevelBPETokenizer(*models.BPE.read_file(vocab_filename, merges_filename), **kwargs)

    def _make_trainer(self, vocab_size=30000, min_frequency=2, show_progress=True, special_tokens=()):
        return trainers.BpeTrainer(vocab_size=vocab_size, min_frequency=min_frequency, show_progress=show_progress,
                                   special_tokens=list(special_tokens), initial_alphabet=pre_tokenizers.ByteLevel.alphabet())


class CharBPETokenizer(BaseTokenizer):
    def __init__(self, vocab=None, merges=None, unk_token="<unk>", suffix="</w>", dropout=None, lowercase=False, unicode_normalizer=None,
                 bert_normalizer=True, split_on_whitespace_only=False):
        tokenizer = Tokenizer(models.BPE(vocab, merges, dropout=dropout, unk_token=str(unk_token), end_of_word_suffix=suffix))
        super().__init__(tokenizer, {"model": "BPE", "unk_token": unk_token, "suffix": suffix, "dropout": dropout, "lowercase": lowercase,
                                     "unicode_normalizer": unicode_normalizer, "bert_normalizer": bert_normalizer,
                                     "split_on_whitespace_only": split_on_whitespace_only})
        self._add_known(unk_token)
        steps = [normalizers.unicode_normalizer_from_str(unicode_normalizer)] if unicode_normalizer else []
        steps += [normalizers.BertNormalizer(lowercase=False)] if bert_normalizer else []
        steps += [normalizers.Lowercase()] if lowercase else []
        if steps:
            tokenizer.normalizer = steps[0] if len(steps) == 1 else normalizers.Sequence(steps)
        tokenizer.pre_tokenizer = pre_tokenizers.WhitespaceSplit() if split_on_whitespace_only else pre_tokenizers.BertPreTokenizer()
        tokenizer.decoder = decoders.BPEDecoder(suffix=suffix)

    @staticmethod
    def from_file(vocab_filename, merges_filename, **kwargs):
        return CharBPETokenizer(*models.BPE.read_file(vocab_filename, merges_filename), **kwargs)

    def _make_trainer(self, vocab_size=30000, min_frequency=2, special_tokens=("<unk>",), limit_alphabet=1000, initial_alphabet=(),
                      suffix="</w>", show_progress=True):
        return trainers.BpeTrainer(vocab_size=vocab_size, min_frequency=min_frequency, special_tokens=list(special_tokens),
                                   limit_alphabet=limit_alphabet, initial_alphabet=list(initial_alphabet), end_of_word_suffix=suffix,
                                   show_progress=show_progress)


class SentencePieceBPETokenizer(BaseTokenizer):
    def __init__(self, vocab=None, merges=None, unk_token="<unk>", replacement="▁", add_prefix_space=True, dropout=None, fuse_unk=False):
        tokenizer = Tokenizer(models.BPE(vocab, merges, dropout=dropout, unk_token=str(unk_token), fuse_unk=fuse_unk))
        super().__init__(tokenizer, {"model": "SentencePieceBPE", "unk_token": unk_token, "replacement": replacement,
                                     "add_prefix_space": add_prefix_space, "dropout": dropout})
        self._add_known(unk_token)
        scheme = "always" if add_prefix_space else "never"
        tokenizer.normalizer = normalizers.NFKC()
        tokenizer.pre_tokenizer = pre_tokenizers.Metaspace(replacement, scheme)
        tokenizer.decoder = decoders.Metaspace(replacement, scheme)

    @staticmethod
    def from_file(vocab_filename, merges_filename, **kwargs):
        return SentencePieceBPETokenizer(*models.BPE.read_file(vocab_filename, merges_filename), **kwargs)

    def _make_trainer(self, vocab_size=30000, min_frequency=2, special_tokens=("<unk>",), limit_alphabet=1000, initial_alphabet=(),
                      show_progress=True):
        return trainers.BpeTrainer(vocab_size=vocab_size, min_frequency=min_frequency, special_tokens=list(special_tokens),
                                   limit_alphabet=limit_alphabet, initial_alphabet=list(initial_alphabet), show_progress=show_progress)


class SentencePieceUnigramTokenizer(BaseTokenizer):
    def __init__(self, vocab=None, replacement="▁", add_prefix_space=True):
        tokenizer = Tokenizer(models.Unigram(vocab) if vocab is not None else models.Unigram())
        super().__init__(tokenizer, {"model": "SentencePieceUnigram", "replacement": replacement, "add_prefix_space": add_prefix_space})
        from ._part import Regex

        scheme = "always" if add_prefix_space else "never"
        tokenizer.normalizer = normalizers.Sequence([normalizers.Nmt(), normalizers.NFKC(), normalizers.Replace(Regex(" {2,}"), " ")])
        tokenizer.pre_tokenizer = pre_tokenizers.Metaspace(replacement, scheme)
        tokenizer.decoder = decoders.Metaspace(replacement, scheme)

    def _make_trainer(self, vocab_size=8000, show_progress=True, special_tokens=(), initial_alphabet=(), unk_token=None):
        return trainers.UnigramTrainer(vocab_size=vocab_size, special_tokens=list(special_tokens), show_progress=show_progress,
                                       initial_alphabet=list(initial_alphabet), unk_token=unk_token)


