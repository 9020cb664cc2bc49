"""Tokenizers of every component by seed and calls of every kind, ours against the Rust library `tokenizers`.

`python random_calls.py --seed 1 --documents 2000` prints each kind of difference once, with the smallest call that shows it; a test runs some.
"""

import argparse
import copy
import json
import os
import random
import subprocess
import sys
import tempfile

import random_tokenizers
import tokenizer_texts
from random_tokenizers import BEHAVIORS, META, flip

SPECIAL = ["<s>", "</s>", "<unk>", "[MASK]"]
CONTENTS = [*SPECIAL, "hello", "  ", " ", "e", " the", "\u00e9", "ing", "\n", "<|x|>", "HELLO", "e\u0301", "\u0301", "\u200d", "\ufb01", "a b", META, "\u4e2d",
            "</w>", "##e", "\u1e9e", "ss", "<0x41>", "[mask]", "l", "ll", "lll"]


def normalizer(rnd, depth=0):
    if depth < 2 and rnd.random() < 0.1:
        return {"type": "Sequence", "normalizers": [normalizer(rnd, depth + 1) for _ in range(rnd.randint(0, 3))]}
    kind = rnd.randrange(8)
    if kind == 0:
        return {"type": "ByteLevel"}
    if kind == 1:
        return {"type": "Prepend", "prepend": rnd.choice(["", META, " ", "ab", "\u0301", "\u00e9"])}
    if kind == 2:
        pattern = rnd.choice([{"String": rnd.choice([" ", "e", "ll", "\u00e9", "\n", META])},
                              {"Regex": rnd.choice([" {2,}", r"\s+", "[A-Z]", r"\p{M}", "^", "$", "e|l+", r"\b", r"(?i)S", r"[^\x00-\x7f]", r".$"])}])
        return {"type": "Replace", "pattern": pattern, "content": rnd.choice(["", META, " ", "x", "xy", "\u00e9\u4e2d", "e\u0301"])}
    return random_tokenizers.normalizer(rnd)


def pre_tokenizer(rnd, depth=0):
    if depth < 2 and rnd.random() < 0.1:
        return {"type": "Sequence", "pretokenizers": [pre_tokenizer(rnd, depth + 1) for _ in range(rnd.randint(0, 3))]}
    if rnd.random() < 0.2:
        pattern = rnd.choice([{"String": rnd.choice(["", "l", "\u00e9", " ", "  "])},
                              {"Regex": rnd.choice(["", "^", "$", r"\b", r"(?=[A-Z])", r"(?<=l)", r"\X", r"l*", r"(?i)ss", r"\d{1,3}", r"[[:punct:]]"])}])
        return {"type": "Split", "pattern": pattern, "behavior": rnd.choice(BEHAVIORS), "invert": flip(rnd)}
    return random_tokenizers.pre_tokenizer(rnd)


def decoder(rnd, depth=0):
    if depth < 2 and rnd.random() < 0.35:
        return {"type": "Sequence", "decoders": [decoder(rnd, depth + 1) for _ in range(rnd.randint(0, 4))]}
    return rnd.choice([
        {"type": "ByteLevel", "add_prefix_space": flip(rnd), "trim_offsets": flip(rnd), "use_regex": flip(rnd)}, {"type": "ByteFallback"}, {"type": "Fuse"},
        {"type": "WordPiece", "prefix": rnd.choice(["##", "", "e", META]), "cleanup": flip(rnd)}, random_tokenizers.metaspace(rnd),
        {"type": "BPEDecoder", "suffix": rnd.choice(["</w>", "", "e", "lo"])},
        {"type": "CTC", "pad_token": rnd.choice(["<pad>", "l", "e"]), "word_delimiter_token": rnd.choice(["|", "e", META]), "cleanup": flip(rnd)},
        {"type": "Strip", "content": rnd.choice([" ", META, "e", "l"]), "start": rnd.randint(0, 2), "stop": rnd.choice([0, 0, 0, 1])},
        {"type": "Replace", "pattern": rnd.choice([{"String": rnd.choice([META, "e", "ll", " "])}, {"Regex": rnd.choice([r"\s+", "[a-e]", "l+"])}]),
         "content": rnd.choice(["", " ", "x", "\u00e9"])}])


def template_side(rnd, parts):
    out = [{"SpecialToken": {"id": rnd.choice(["[A]", "[B]", "[C]"]), "type_id": rnd.randint(0, 2)}} for _ in range(rnd.randint(0, 3))]
    for part in rnd.sample(parts, len(parts)) if rnd.random() < 0.3 else parts:
        out.insert(rnd.randint(0, len(out)) if len(parts) == 1 else len(out), {"Sequence": {"id": part, "type_id": rnd.randint(0, 2)}})
        if flip(rnd):
            out.append({"SpecialToken": {"id": rnd.choice(["[A]", "[B]"]), "type_id": rnd.randint(0, 1)}})
    return out


def post_processor(rnd, depth=0):
    kind = rnd.randrange(6)
    if kind == 0 and depth == 0:
        return {"type": "Sequence", "processors": [one for one in (post_processor(rnd, 1) for _ in range(rnd.randint(0, 3))) if one]}
    if kind < 3:
        special = {"[A]": ([1], ["[A]"]), "[B]": ([2, 3], ["<s>", "</s>"]), "[C]": ([0], ["x"])}
        return {"type": "TemplateProcessing", "single": template_side(rnd, ["A"]), "pair": template_side(rnd, ["A", "B"]),
                "special_tokens": {name: {"id": name, "ids": ids, "tokens": tokens} for name, (ids, tokens) in special.items()}}
    return random_tokenizers.post_processor(rnd)


def added(rnd, vocabulary, first_id):
    contents = rnd.sample(CONTENTS, rnd.choice([0, 0, 1, 2, 3, 5]))
    out = []
    for content in contents:
        known = vocabulary.get(content)
        out.append({"id": known if known is not None else first_id + len(out), "content": content,
                    **{flag: rnd.random() < chance for flag, chance in
                       [("single_word", 0.3), ("lstrip", 0.4), ("rstrip", 0.4), ("normalized", 0.5), ("special", 0.5)]}})
    return out


def normalized_text(document, content):
    """None where the reference panics."""
    from tokenizers import Tokenizer
    parts = {"added_tokens": [], "pre_tokenizer": None, "decoder": None, "post_processor": None, "model": {"type": "WordLevel", "vocab": {"?": 0}, "unk_token": "?"}}
    try:
        normalizer_ = Tokenizer.from_str(json.dumps({**document, **parts})).normalizer
        return normalizer_.normalize_str(content) if normalizer_ else content
    except BaseException as error:
        if isinstance(error, KeyboardInterrupt):
            raise
        return None


def one_text_each(document):
    """Of tokens that the normalizer makes one text of, the reference finds any: only one of them is normalized here. One that it
    makes nothing of is normalized alone: beside another the reference finds it without end until the memory is full."""
    seen = {None}
    normalized = [token for token in document["added_tokens"] if token["normalized"]]
    for token in normalized:
        text = normalized_text(document, token["content"])
        token["normalized"] = text not in seen and (text != "" or len(normalized) == 1)
        seen.add(text)


def vocabulary_of(model):
    if isinstance(model["vocab"], dict):
        return model["vocab"]
    return {piece[0]: at for at, piece in enumerate(model["vocab"])}


def truncation(rnd):
    return {"direction": rnd.choice(["Left", "Right"]), "max_length": rnd.choice([0, 1, 2, 3, 5, 8, 20]), "strategy": rnd.choice(["LongestFirst", "OnlyFirst", "OnlySecond"]),
            "stride": rnd.choice([0, 0, 1, 2])}


def padding(rnd):
    return {"strategy": rnd.choice(["BatchLongest", {"Fixed": rnd.choice([0, 3, 12])}]), "direction": rnd.choice(["Left", "Right"]),
            "pad_to_multiple_of": rnd.choice([None, None, 1, 4, 7]), "pad_id": rnd.randint(0, 5), "pad_type_id": rnd.randint(0, 2), "pad_token": "[PAD]"}


def document(rnd, models):
    out = random_tokenizers.document(rnd, models)
    model = out["model"] = copy.deepcopy(out["model"])
    if model["type"] == "BPE":
        if rnd.random() < 0.2:
            model["dropout"] = 0.0
        if rnd.random() < 0.2:
            model["unk_token"] = rnd.choice([None, "<unk>", "e", "missing"])
        if rnd.random() < 0.15:
            model["end_of_word_suffix"] = rnd.choice(["", "</w>", "e"])
        if rnd.random() < 0.15:
            model["continuing_subword_prefix"] = rnd.choice(["", "##", "e"])
    if model["type"] == "WordPiece" and rnd.random() < 0.2:
        model["continuing_subword_prefix"] = rnd.choice(["", "##", "e"])
    if model["type"] == "Unigram" and rnd.random() < 0.15:
        model["unk_id"] = rnd.choice([None, 1, 5])
    if rnd.random() < 0.4:
        out["normalizer"] = random_tokenizers.several(rnd, normalizer, "", "normalizers", 3)
    if rnd.random() < 0.4:
        out["pre_tokenizer"] = random_tokenizers.several(rnd, pre_tokenizer, "", "pretokenizers", 3)
    if rnd.random() < 0.6:
        out["decoder"] = decoder(rnd)
    if rnd.random() < 0.4:
        out["post_processor"] = post_processor(rnd)
    vocabulary = vocabulary_of(model)
    if rnd.random() < 0.6:
        out["added_tokens"] = added(rnd, vocabulary, len(vocabulary) + rnd.choice([0, 0, 3]))
    one_text_each(out)
    if rnd.random() < 0.15:
        out["truncation"] = truncation(rnd)
    if rnd.random() < 0.15:
        out["padding"] = padding(rnd)
    return out


def calls(rnd, document, count):
    contents = [token["content"] for token in document["added_tokens"]]
    make = lambda: tokenizer_texts.text(rnd, contents)
    size = len(vocabulary_of(document["model"])) + 8
    for _ in range(count):
        op = rnd.choice(["encode", "encode", "encode", "encode_asis", "pair", "pretokenized", "truncate", "pad_batch", "decode", "encode_special_as_text"])
        if op in ("encode", "encode_asis", "encode_special_as_text"):
            yield {"op": op, "text": make(), "add_special": rnd.random() < 0.7} if op == "encode" else {"op": op, "text": make()}
        elif op == "pair":
            yield {"op": op, "text": make(), "pair": make(), "add_special": rnd.random() < 0.7}
        elif op == "pretokenized":
            yield {"op": op, "words_in": [make() for _ in range(rnd.randint(0, 4))]}
        elif op == "truncate":
            cut = truncation(rnd)
            strategy = {"LongestFirst": "longest_first", "OnlyFirst": "only_first", "OnlySecond": "only_second"}[cut["strategy"]]
            more = {"pair": make()} if flip(rnd) else {}
            yield {"op": op, **cut, "direction": cut["direction"].lower(), "strategy": strategy, "text": make(), **more}
        elif op == "pad_batch":
            length = rnd.choice([None, None, 4, 30])
            params = {**padding(rnd), "length": length}
            params["direction"] = params.pop("direction").lower()
            params.pop("strategy")
            yield {"op": op, "params": params, "batch": [make() for _ in range(rnd.randint(1, 4))], **({"truncate": rnd.randint(4, 9)} if rnd.random() < 0.3 else {})}
        else:
            yield {"op": op, "ids": [rnd.randrange(size) for _ in range(rnd.choice([0, 1, 2, 3, 5, 8]))], "skip": flip(rnd)}


def columns(encoding, overflow=True):
    out = {"ids": encoding.ids, "tokens": encoding.tokens, "offsets": [list(pair) for pair in encoding.offsets], "type_ids": encoding.type_ids,
           "mask": encoding.attention_mask, "special": encoding.special_tokens_mask, "words": encoding.word_ids, "seqs": encoding.sequence_ids}
    if overflow and encoding.overflowing:
        parts = [columns(part, False) for part in encoding.overflowing]
        out["overflow"] = [{key: part[key] for key in ("ids", "offsets", "type_ids", "mask", "special")} for part in parts]
    return out


def answer(text, call):
    """Of a tokenizer of the reference that is made for this call, so that no state is left of others."""
    from tokenizers import Tokenizer
    one = Tokenizer.from_str(text)
    op = call["op"]
    if op != "encode_asis":
        one.no_truncation()
        one.no_padding()
    if op == "decode":
        return {"out": one.decode(call["ids"], skip_special_tokens=call["skip"])}
    if op == "pad_batch":
        params = {key: value for key, value in call["params"].items()}
        one.enable_padding(**params)
        if "truncate" in call:
            one.enable_truncation(call["truncate"])
        return {"out": [columns(row) for row in one.encode_batch(call["batch"])]}
    if op == "pretokenized":
        return columns(one.encode(call["words_in"], is_pretokenized=True))
    if op == "truncate":
        one.enable_truncation(call["max_length"], stride=call["stride"], strategy=call["strategy"], direction=call["direction"])
    if op == "encode_special_as_text":
        one.encode_special_tokens = True
    encoding = one.encode(call["text"], call.get("pair"), add_special_tokens=call.get("add_special", True))
    out = columns(encoding)
    if op == "encode":
        out["dec"] = one.decode(encoding.ids, skip_special_tokens=False)
        out["dec_skip"] = one.decode(encoding.ids, skip_special_tokens=True)
    return out


def wanted(text, call):
    try:
        return answer(text, call)
    except BaseException as error:  # Rust's panics are no Exception.
        if isinstance(error, (KeyboardInterrupt, ImportError, SyntaxError, AttributeError)):
            raise
        return {"panic" if type(error).__name__ == "PanicException" else "error": f"{type(error).__name__}: {error}"}


def got(program, documents, cases):
    """Answers to (number of the document, call), one process for all."""
    with tempfile.NamedTemporaryFile("w", suffix=".jsonl") as file:
        for at, text in documents.items():
            file.write(json.dumps({"tk": str(at), "json": text}) + "\n")
        file.flush()
        lines = "".join(json.dumps({"tk": str(at), **call}) + "\n" for at, call in cases)
        done = subprocess.run([program, "tokenize", "--components", file.name], input=lines.encode(), stdout=subprocess.PIPE, timeout=1800)
    out = [json.loads(line) for line in done.stdout.decode().split("\n") if line]
    if done.returncode != 0 or len(out) != len(cases):
        raise SystemExit(f"exit {done.returncode} after {len(out)} of {len(cases)} answers; then {cases[len(out)] if len(out) < len(cases) else ''}")
    return out


def difference(ours, theirs):
    """The name of what differs and how; a panic of the reference is a failure like any other."""
    failed = "error" in theirs or "panic" in theirs
    if "error" in ours or failed:
        return None if "error" in ours and failed else ("error", f"ours {ours.get('error')}, theirs {theirs.get('error') or theirs.get('panic')}")
    for key in [*theirs, *(key for key in ours if key not in theirs)]:
        if ours.get(key) != theirs.get(key):
            return key, f"ours {ours.get(key)}, theirs {theirs.get(key)}"
    return None


def shorter_calls(call):
    """Calls with a part of a text, list or flag left out."""
    for key in ("text", "pair"):
        text = call.get(key, "")
        for size in sorted({max(1, len(text) // 2), max(1, len(text) // 4), 1}, reverse=True):
            for at in range(0, len(text), size):
                yield {**call, key: text[:at] + text[at + size:]}
    for key in ("words_in", "batch", "ids"):
        for at in range(len(call.get(key, []))):
            yield {**call, key: call[key][:at] + call[key][at + 1:]}
    for key in ("words_in", "batch"):
        for at, text in enumerate(call.get(key, [])):
            for cut in range(len(text)):
                yield {**call, key: [*call[key][:at], text[:cut] + text[cut + 1:], *call[key][at + 1:]]}
    if "pair" in call:
        yield {key: value for key, value in call.items() if key != "pair"}


def shorter_documents(document):
    for key in ("normalizer", "pre_tokenizer", "post_processor", "decoder", "truncation", "padding"):
        part = document[key]
        if part is not None:
            yield {**document, key: None}
        for list_ in ("normalizers", "pretokenizers", "processors", "decoders"):
            for at in range(len((part or {}).get(list_, []))):
                yield {**document, key: {**part, list_: part[list_][:at] + part[list_][at + 1:]}}
    for at, token in enumerate(document["added_tokens"]):
        yield {**document, "added_tokens": document["added_tokens"][:at] + document["added_tokens"][at + 1:]}
        for flag in ("single_word", "lstrip", "rstrip", "normalized", "special"):
            if token[flag]:
                yield {**document, "added_tokens": [*document["added_tokens"][:at], {**token, flag: False}, *document["added_tokens"][at + 1:]]}


def smallest(program, document, call, kind):
    def differ(pairs):
        texts = [json.dumps(one) for one, _ in pairs]
        ours = got(program, dict(enumerate(texts)), [(at, call) for at, (_, call) in enumerate(pairs)])
        found = []
        for text, (_, call), mine in zip(texts, pairs, ours):
            different = difference(mine, wanted(text, call))
            found.append(different is not None and (different[0] == "error") == (kind == "error"))
        return found
    for _ in range(60):
        pairs = [(one, call) for one in shorter_documents(document)]
        pairs += [(document, one) for one in shorter_calls(call)][:150]
        found = next((pair for pair, bad in zip(pairs, differ(pairs)) if bad), None) if pairs else None
        if found is None:
            break
        document, call = found
    text = json.dumps(document)
    mine, theirs = got(program, {0: text}, [(0, call)])[0], wanted(text, call)
    return document, call, difference(mine, theirs)


def shown(document):
    model = {key: value for key, value in document["model"].items() if key not in ("vocab", "merges")}
    return {key: value for key, value in document.items() if key not in ("model", "version") and value} | {"model": model}


def differences(program, models, seed, documents, count=8, batch=50):
    """Yields (document, call, name of what differs, how) of random calls; the first `documents` documents of the seed."""
    for first in range(0, documents, batch):
        chosen, cases = {}, []
        for at in range(first, min(documents, first + batch)):
            rnd = random.Random(f"{seed} calls {at}")
            chosen[at] = document(rnd, models)
            cases += [(at, call) for call in calls(rnd, chosen[at], count)]
        texts = {at: json.dumps(one) for at, one in chosen.items()}
        for (at, call), mine in zip(cases, got(program, texts, cases)):
            found = difference(mine, wanted(texts[at], call))
            if found:
                yield chosen[at], call, *found


def main():
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--program", default=os.environ.get("HOLDFAST_PROGRAM", "build/holdfast"))
    arguments.add_argument("--seed", default="1")
    arguments.add_argument("--documents", type=int, default=500)
    arguments.add_argument("--most", type=int, default=12)
    given = arguments.parse_args()
    import test_tokenizers
    total, printed = 0, set()
    for one, call, name, _ in differences(given.program, random_models(test_tokenizers.committed()), given.seed, given.documents):
        total += 1
        if len(printed) >= given.most:
            continue
        least, call, found = smallest(given.program, one, call, name)
        signature = json.dumps([shown(least), call["op"], found and found[0]], sort_keys=True)
        if signature not in printed:
            printed.add(signature)
            print(json.dumps(shown(least), ensure_ascii=True), json.dumps(call), found, "", sep="\n", flush=True)
    print(f"seed {given.seed}: {total} differences in {given.documents} documents")
    return total != 0


def random_models(committed):
    return list({json.dumps(model, sort_keys=True): model for model in (json.loads(text)["model"] for text in committed.values())}.values())


if __name__ == "__main__":
    sys.exit(main())
