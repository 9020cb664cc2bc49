"""Our tokenizers against the Rust library `tokenizers`, on random texts by seed: ids, tokens, offsets, masks, words, decodings.

10,000 texts over the twelve real tokenizers of the shared data and the committed ones; with HOLDFAST_LONG=1 200,000.
Then tokenizers by seed (random_tokenizers.py). HOLDFAST_SEED changes the texts. A difference prints the smallest text that shows it.
"""

import gzip
import json
import os
import random
import subprocess
import tempfile
from pathlib import Path

import pytest
import random_calls
import random_patterns
import random_tokenizers
import tokenizer_texts
import unicode_properties
from tokenizers import Tokenizer

ROOT = Path(__file__).parents[2]
PROGRAM = os.environ.get("HOLDFAST_PROGRAM", str(ROOT / "build/holdfast"))
SHARED = Path(os.environ.get("HOLDFAST_SHARED", ROOT.parent / "shared")) / "data/tokenizers"
SEED = int(os.environ.get("HOLDFAST_SEED", "1"))
TEXTS = 200_000 if os.environ.get("HOLDFAST_LONG") == "1" else 10_000


def committed():
    with gzip.open(ROOT / "tests/golden/tokenizers/tokenizers.jsonl.gz", "rt") as lines:
        return {row["tk"]: row["json"] if isinstance(row["json"], str) else json.dumps(row["json"]) for row in map(json.loads, lines)}


def tokenizers():
    """Name to the text of its tokenizer.json."""
    out = {f"committed:{name}": json_text for name, json_text in committed().items()}
    for file in sorted(SHARED.glob("*/tokenizer.json*")):
        opened = gzip.open(file, "rt") if file.suffix == ".gz" else open(file)
        with opened as stream:
            out[file.parent.name] = stream.read()
    return out


ALL = tokenizers()


def columns(encoding):
    return {"ids": encoding.ids, "tokens": encoding.tokens, "offsets": [list(pair) for pair in encoding.offsets],
            "type_ids": encoding.type_ids, "mask": encoding.attention_mask, "special": encoding.special_tokens_mask,
            "words": encoding.word_ids, "seqs": encoding.sequence_ids}


def wanted(reference, text, special):
    try:
        encoding = reference.encode(text, add_special_tokens=special)
        out = columns(encoding)
        out["dec"] = reference.decode(encoding.ids, skip_special_tokens=False)
        out["dec_skip"] = reference.decode(encoding.ids, skip_special_tokens=True)
        return out
    except BaseException as error:  # Rust's panics are no Exception.
        if isinstance(error, KeyboardInterrupt):
            raise
        return {"panic" if type(error).__name__ == "PanicException" else "error": str(error)}


def got(file, cases):
    lines = "".join(json.dumps({"op": "encode", "text": text, "add_special": special}) + "\n" for text, special in cases)
    done = subprocess.run([PROGRAM, "tokenize", file], input=lines.encode(), stdout=subprocess.PIPE, check=True, timeout=1800)
    return [json.loads(line) for line in done.stdout.decode().split("\n") if line]


def difference(ours, theirs):
    if "panic" in theirs:  # The reference cut a character in two, say: there is no answer to be equal to.
        return ""
    if "error" in ours or "error" in theirs:
        return "" if "error" in ours and "error" in theirs else f"error: ours {ours.get('error')}, theirs {theirs.get('error')}"
    return next((f"{key}: ours {ours.get(key)}, theirs {value}" for key, value in theirs.items() if ours.get(key) != value), "")


@pytest.mark.parametrize("name", ALL)
def test_every_text_is_encoded_and_decoded_as_the_reference_does(name):
    reference = Tokenizer.from_str(ALL[name])
    reference.no_truncation()
    reference.no_padding()
    added = [token.content for token in reference.get_added_tokens_decoder().values()][:50]
    count = max(20, TEXTS // 13 if not name.startswith("committed:") else TEXTS // 13 // max(1, sum(n.startswith("committed:") for n in ALL)))
    texts = tokenizer_texts.texts(f"{SEED} {name}", count, added)
    cases = [(text, at % 4 != 0) for at, text in enumerate(texts)]
    with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
        file.write(ALL[name])
        file.flush()
        answers = got(file.name, cases)
        assert len(answers) == len(cases)
        bad = [(case, found) for case, ours in zip(cases, answers) if (found := difference(ours, wanted(reference, *case)))]
        if not bad:
            return
        special = bad[0][0][1]
        differ = lambda list_: [bool(difference(ours, wanted(reference, text, special)))
                                for text, ours in zip(list_, got(file.name, [(text, special) for text in list_]))]
        text = tokenizer_texts.smallest(min((case[0] for case, _ in bad if case[1] == special), key=len), differ)
        found = difference(got(file.name, [(text, special)])[0], wanted(reference, text, special))
    pytest.fail(f"{name}, seed {SEED}: {len(bad)} of {count} texts differ. Smallest: {text!r}, add_special {special}: {found}", pytrace=False)


def random_documents():
    """Documents and texts for each, by the seed."""
    models = list({json.dumps(model, sort_keys=True): model for model in (json.loads(text)["model"] for text in committed().values())}.values())
    rnd = random.Random(f"{SEED} tokenizers")
    for at in range(2000 if TEXTS > 10_000 else 150):
        document = random_tokenizers.document(rnd, models)
        yield document, tokenizer_texts.texts(f"{SEED} {at}", 10, [token["content"] for token in document["added_tokens"]])


def test_random_tokenizers_do_as_the_reference_does():
    for document, texts in random_documents():
        json_text = json.dumps(document)
        shown = {key: value for key, value in document.items() if key != "model"}
        with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
            file.write(json_text)
            file.flush()
            try:
                reference = Tokenizer.from_str(json_text)
            except ValueError:
                with pytest.raises(subprocess.CalledProcessError):
                    got(file.name, [("a", True)])
                continue
            for text, ours in zip(texts, got(file.name, [(text, True) for text in texts])):
                found = difference(ours, wanted(reference, text, True))
                assert not found, f"seed {SEED}: {text!r}: {found}; {shown}"


def test_random_tokenizers_answer_every_kind_of_call_as_the_reference_does():
    models = random_calls.random_models(committed())
    for document, call, name, _ in random_calls.differences(PROGRAM, models, f"{SEED} ci", 3000 if TEXTS > 10_000 else 150):
        least, call, found = random_calls.smallest(PROGRAM, document, call, name)
        pytest.fail(f"seed {SEED}: {call}: {found}; {random_calls.shown(least)}", pytrace=False)


def test_random_patterns_cut_where_the_reference_does():
    found = list(random_patterns.differences(PROGRAM, f"{SEED} ci", 3000 if TEXTS > 10_000 else 150))
    assert not found, f"seed {SEED}: {len(found)} patterns, as {min(found, key=lambda row: len(row[0]))}"


def test_properties_hold_the_code_points_that_they_hold_in_the_reference():
    every = [*unicode_properties.SCRIPTS.split(), *unicode_properties.OTHERS.split()]
    names = every if TEXTS > 10_000 else ["Latin", "Cyrillic", "Common", "Lu", "ID_Continue"]
    found = [(name, len(lacking), len(more)) for name, lacking, more in unicode_properties.differences(PROGRAM, names)]
    assert not found, f"name, code points that are lacking, and too many: {found}"


def test_what_we_save_is_read_by_the_reference_and_behaves_the_same():
    texts = tokenizer_texts.texts(f"{SEED} saved", 10, ["<s>", "[CLS]", "<|endoftext|>"])
    chosen = [name for at, name in enumerate(ALL) if TEXTS > 10_000 or at % 8 == 0 or not name.startswith("committed:")]
    with tempfile.TemporaryDirectory() as folder:
        for name in chosen:
            json_text = ALL[name]
            source, saved = Path(folder, "source.json"), Path(folder, "saved.json")
            source.write_text(json_text)
            subprocess.run([PROGRAM, "tokenizer", "convert", source, saved], check=True, stdout=subprocess.PIPE)
            before, after = Tokenizer.from_str(json_text), Tokenizer.from_file(str(saved))
            for text in texts:
                assert not difference(wanted(after, text, True), wanted(before, text, True)), (name, text)
            again = Path(folder, "again.json")
            subprocess.run([PROGRAM, "tokenizer", "convert", saved, again], check=True, stdout=subprocess.PIPE)
            assert again.read_bytes() == saved.read_bytes(), name
