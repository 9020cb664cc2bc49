#!/usr/bin/env python3
"""usage: tools/make_support_goldens.py BASE_FOLDER > tests/golden/support/logistic_regression.json

What scikit-learn's LogisticRegression reaches on the example's messages, on the same features as `holdfast train head`: the
pooler_output of BASE_FOLDER, a folder of all-MiniLM-L6-v2. Needs build/holdfast, transformers, safetensors and scikit-learn;
not needed to build or test: the answer is committed.
"""
import hashlib
import json
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import sklearn
from safetensors.numpy import load_file, save_file
from sklearn.linear_model import LogisticRegression
from transformers import AutoTokenizer

PROGRAM = Path(__file__).resolve().parents[1] / "build/holdfast"
BATCH = 400


def features(base, tokenizer, texts, folder):
    out = [None] * len(texts)
    order = sorted(range(len(texts)), key=lambda i: len(texts[i]))
    for at in range(0, len(order), BATCH):
        rows = order[at:at + BATCH]
        inputs = tokenizer([texts[i] for i in rows], padding=True, return_tensors="np")
        save_file({name: ids.astype(np.int64) for name, ids in inputs.items()}, f"{folder}/in.safetensors")
        subprocess.run([PROGRAM, "forward", base, f"{folder}/in.safetensors", f"{folder}/out.safetensors"], check=True, stdout=subprocess.DEVNULL)
        for i, row in zip(rows, load_file(f"{folder}/out.safetensors")["pooler_output"]):
            out[i] = row
    return np.stack(out)


def main():
    base = sys.argv[1]
    tokenizer = AutoTokenizer.from_pretrained(base)
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run([PROGRAM, "example", "support", f"{folder}/support"], check=True, stdout=subprocess.DEVNULL)
        digests, x, y = {}, {}, {}
        for split in ("train", "validation", "test"):
            text = (Path(folder) / f"support/{split}.jsonl").read_text()
            rows = [json.loads(line) for line in text.splitlines()]
            digests[split] = hashlib.sha256(text.encode()).hexdigest()
            x[split], y[split] = features(base, tokenizer, [row["text"] for row in rows], folder), [row["intent"] for row in rows]
    fitted = LogisticRegression(max_iter=5000).fit(x["train"], y["train"])
    accuracy = {split: round(float(fitted.score(x[split], y[split])), 6) for split in x}
    print(json.dumps({"made_by": f"scikit-learn {sklearn.__version__}, LogisticRegression(max_iter=5000)", "accuracy": accuracy, "sha256": digests}, indent=1))


if __name__ == "__main__":
    main()
