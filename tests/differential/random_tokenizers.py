"""Documents of tokenizers by seed: models of given ones under any normalizers, pre-tokenizers, post-processors, added tokens and flags,
half of them close to what is common, since that is what a fast way may take for it."""

import copy

META = "\u2581"
GPT2 = r"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+"
CL100K = (r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|"
          r"\s*[\r\n]+|\s+(?!\S)|\s+")
QWEN2 = CL100K.replace("{1,3}", "")
PATTERNS = [GPT2, CL100K, QWEN2, r"\s+", r"\w+|[^\w\s]+", r"\p{N}", r"[0-9][0-9][0-9]", r".", r"[\p{L}]+|[\p{N}]", " "]
BEHAVIORS = ["Removed", "Isolated", "MergedWithPrevious", "MergedWithNext", "Contiguous"]


def flip(rnd):
    return rnd.random() < 0.5


def split(rnd, pattern=None):
    kind = rnd.choice(["Regex", "Regex", "String"]) if pattern is None else "Regex"
    text = pattern or (rnd.choice(PATTERNS) if kind == "Regex" else rnd.choice([" ", META, "e", "--"]))
    return {"type": "Split", "pattern": {kind: text}, "behavior": rnd.choice(BEHAVIORS), "invert": flip(rnd)}


def replace(rnd):
    kind, pattern = rnd.choice([("String", " "), ("String", "e"), ("Regex", " {2,}"), ("Regex", r"\s+"), ("Regex", r"[A-Z]"), ("String", "``")])
    return {"type": "Replace", "pattern": {kind: pattern}, "content": rnd.choice([META, " ", "x", "xy"])}


def normalizer(rnd):
    return rnd.choice([
        {"type": rnd.choice(["NFC", "NFD", "NFKC", "NFKD", "Lowercase", "StripAccents", "Nmt"])},
        {"type": "Strip", "strip_left": flip(rnd), "strip_right": flip(rnd)}, {"type": "Prepend", "prepend": rnd.choice([META, " ", "ab"])},
        replace(rnd), bert_normalizer(rnd)])


def bert_normalizer(rnd):
    return {"type": "BertNormalizer", "clean_text": flip(rnd), "handle_chinese_chars": flip(rnd), "strip_accents": rnd.choice([None, True, False]),
            "lowercase": flip(rnd)}


def byte_level(rnd, **more):
    return {"type": "ByteLevel", "add_prefix_space": flip(rnd), "trim_offsets": flip(rnd), "use_regex": flip(rnd), **more}


def metaspace(rnd):
    return {"type": "Metaspace", "replacement": rnd.choice([META, META, "_"]), "prepend_scheme": rnd.choice(["always", "first", "never"]),
            "split": flip(rnd)}


def pre_tokenizer(rnd):
    return rnd.choice([
        {"type": rnd.choice(["BertPreTokenizer", "Whitespace", "WhitespaceSplit", "UnicodeScripts"])}, metaspace(rnd), split(rnd),
        {"type": "Digits", "individual_digits": flip(rnd)}, {"type": "Punctuation", "behavior": rnd.choice(BEHAVIORS)}, byte_level(rnd),
        {"type": "FixedLength", "length": rnd.randint(1, 6)}, {"type": "CharDelimiterSplit", "delimiter": rnd.choice(" e-")}])


def several(rnd, make, key, list_, most):
    parts = [make(rnd) for _ in range(rnd.randint(0, most))]
    if not parts:
        return None
    return parts[0] if len(parts) == 1 and flip(rnd) else {"type": "Sequence", list_: parts}


def common(rnd, kind):
    """Normalizer and pre-tokenizer of a well-known shape for this kind of model, or of one near to it."""
    if kind == "bytes":
        parts = [split(rnd, rnd.choice(PATTERNS[:3])) | ({"behavior": "Isolated", "invert": False} if flip(rnd) else {})]
        last = byte_level(rnd, use_regex=False, add_prefix_space=rnd.random() < 0.2)
        chosen = rnd.choice([last | {"use_regex": True}, {"type": "Sequence", "pretokenizers": [*parts, last]}])
        return rnd.choice([None, None, {"type": "NFC"}, {"type": "Sequence", "normalizers": [{"type": "NFC"}]}]), chosen
    if kind == "WordPiece":
        return bert_normalizer(rnd), {"type": "BertPreTokenizer"}
    to_meta = {"type": "Replace", "pattern": {"String": " "}, "content": META}
    spaced = {"type": "Sequence", "normalizers": [{"type": "Prepend", "prepend": META}, to_meta]}
    pieces = [(spaced, None), (to_meta, None), (to_meta, {"type": "Split", "pattern": {"String": " "}, "behavior": "MergedWithPrevious", "invert": False}),
              (None, metaspace(rnd)), (None, {"type": "Sequence", "pretokenizers": [{"type": "WhitespaceSplit"}, metaspace(rnd)]})]
    return rnd.choice(pieces)


def added(rnd, first_id):
    contents = rnd.sample(["<s>", "</s>", "[MASK]", "hello", "  ", "e", " the", "\u00e9", "ing", "\n", "<|x|>"], rnd.choice([0, 0, 1, 2, 3]))
    out = [{"id": first_id + at, "content": content, **{flag: flip(rnd) for flag in ("single_word", "lstrip", "rstrip", "normalized", "special")}}
           for at, content in enumerate(contents)]
    # What a normalizer makes nothing of the reference finds everywhere, and panics within characters of several bytes.
    return [token | ({} if token["content"].strip() else {"normalized": False}) for token in out]


def post_processor(rnd):
    ends = {"sep": ["</s>", 1], "cls": ["<s>", 0]}
    return rnd.choice([None, None, byte_level(rnd), {"type": "BertProcessing", **ends},
                       {"type": "RobertaProcessing", **ends, "trim_offsets": flip(rnd), "add_prefix_space": flip(rnd)}])


def kind_of(model):
    return "bytes" if model["type"] == "BPE" and "\u0120" in model["vocab"] else model["type"]


def document(rnd, models):
    model = copy.deepcopy(rnd.choice(models))
    kind = kind_of(model)
    if model["type"] == "BPE":
        model["ignore_merges"], model["fuse_unk"], model["byte_fallback"] = flip(rnd), flip(rnd), flip(rnd)
    if model["type"] == "Unigram":
        model["byte_fallback"] = flip(rnd)
    if model["type"] == "WordPiece":
        model["max_input_chars_per_word"] = rnd.choice([100, 100, 3, 8])
    near, any_ = common(rnd, kind), (several(rnd, normalizer, "normalizer", "normalizers", 3), several(rnd, pre_tokenizer, "", "pretokenizers", 3))
    chosen = near if flip(rnd) and kind != "WordLevel" else any_
    return {"version": "1.0", "truncation": None, "padding": None, "added_tokens": added(rnd, len(model["vocab"]) + 3), "normalizer": chosen[0],
            "pre_tokenizer": chosen[1], "post_processor": post_processor(rnd), "decoder": None, "model": model}
