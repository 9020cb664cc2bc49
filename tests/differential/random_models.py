#!/usr/bin/env python3
"""Random tiny configurations of model families, `holdfast forward` against transformers: answers in f32, each row alone against
the batch to the bit, greedy tokens with and without padding at the left, and how far bf16 and int8 stray, beside transformers' own bf16.

usage: PYTHON_WITH_TRANSFORMERS tests/differential/random_models.py [FAMILY...] [--count N] [--seed S] (transformers 5.23.0)

HOLDFAST_PROGRAM names the program. A difference prints the family, the seed and what differs; the exit status is 1 then.
"""
import argparse
import copy
import json
import os
import random
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

import torch
import transformers as t
from random_bert_configs import BERTS
from random_decoder_configs import OLDER
from random_encoder_configs import ENCODERS
from random_model_configs import DECODERS as NEWER
from random_model_configs import IMAGES as NEWER_IMAGES
from random_recent_configs import RECENT
from random_signal_configs import SIGNALS
from random_writer_configs import WRITERS
from safetensors.torch import load_file, save_file

DECODERS = {**OLDER, **NEWER, **RECENT}
IMAGES = {**SIGNALS, **NEWER_IMAGES}
PROGRAM = os.environ.get("HOLDFAST_PROGRAM", str(Path(__file__).parents[2] / "build/holdfast"))
WORST = 2e-5  # Of the greatest number of an answer.


def is_constant(values):
    return isinstance(values, torch.nn.Parameter) and not values.requires_grad  # Sinusoids, say.


def shake(model, redraws):
    """Norms, biases and running statistics that are not what they begin as, so that leaving one out shows; where asked, matrices of weight too."""
    for name, values in [*model.named_parameters(), *(row for row in model.named_buffers() if "running" in row[0] or row[0].endswith("bias"))]:
        if name.endswith("running_var"):
            values.data.uniform_(0.5, 1.5)
        elif name.endswith(("beta", "eps")) or not values.is_floating_point() or is_constant(values):
            continue
        elif name.endswith("A_log"):
            values.data.uniform_(-2, 1.5)
        elif "lambda" in name:
            values.data.uniform_(0.3, 1.2)
        elif any(part in name for part in ("token", "position", "bias_table")) and "embed_tokens" not in name and "tokens_embed" not in name:
            values.data.normal_(0, 0.7)
        elif redraws and values.dim() > 1:
            values.data.normal_(0, 1 / max(values[0].numel(), 4) ** 0.5)
        elif values.dim() == 1:
            values.data.add_(torch.randn_like(values) * 0.2)


def spell_as_before(folder):
    """The keys of config.json as transformers wrote them before version 5."""
    path = folder / "config.json"
    config = json.loads(path.read_text())
    rope = config.get("rope_parameters")
    if rope and "rope_theta" in rope and config["model_type"] != "apertus":  # Apertus has rotary positions of its own where none are named.
        rope = config.pop("rope_parameters")
        neox = config["model_type"] == "gpt_neox"
        config["rotary_emb_base" if neox else "rope_theta"] = rope.pop("rope_theta")
        if "partial_rotary_factor" in rope:
            config["rotary_pct" if neox else "partial_rotary_factor"] = rope.pop("partial_rotary_factor")
        if rope.get("rope_type") != "default":
            rope["type"] = rope.pop("rope_type")
            config["rope_scaling"] = rope
    config["torch_dtype"] = config.pop("dtype", "float32")
    path.write_text(json.dumps(config))


def ask(folder, inputs, generate=None, dtype="f32"):
    save_file({name: values.contiguous() for name, values in inputs.items()}, folder / "in.safetensors")
    command = [PROGRAM, "forward", str(folder), str(folder / "in.safetensors"), str(folder / "out.safetensors"), "--dtype", dtype]
    made = subprocess.run(command + (["--generate", json.dumps(generate)] if generate else []), capture_output=True, text=True)
    if made.returncode:
        raise RuntimeError(made.stderr[-300:])
    return load_file(folder / "out.safetensors")


def seen(values, mask):
    """Numbers of rows that the mask shows."""
    if mask is None or values.shape[:2] != mask.shape:
        return values
    return torch.where((mask if values.dim() == 2 else mask[..., None]) == 1, values, 0.0)


def shown(cosines):
    """The least one and the middle one: a token whose two best experts are as good as alike takes either, so one seed may stray for nobody's fault."""
    return f"{min(cosines):.5f}, median {statistics.median(cosines):.5f}" if cosines else "none"


class Family:
    def __init__(self, name):
        self.name, self.configurations, self.generations, self.worst, self.bad = name, 0, 0, 0.0, 0
        self.bf16, self.int8, self.their_bf16 = [], [], []

    def complain(self, seed, *what):
        self.bad += 1
        print(self.name, "seed", seed, *what, flush=True)

    def compare(self, seed, folder, model, inputs):
        mask = inputs.get("attention_mask")
        with torch.no_grad():
            answer = {key: value for key, value in model(**inputs).items() if torch.is_tensor(value)}
        if mask is not None and "input_values" in inputs:  # By frames.
            frames = [value.shape[1] for value in answer.values() if value.dim() == 3]
            mask = model._get_feature_vector_attention_mask(max(frames), mask).long() if frames else None
        answer = {key: seen(value, mask) for key, value in answer.items()}
        got = ask(folder, inputs)
        if not set(answer) <= set(got):
            self.complain(seed, "answers", sorted(got), "but not", sorted(set(answer) - set(got)))
        for key in set(got) & set(answer):
            if got[key].shape != answer[key].shape:
                self.complain(seed, key, "has shape", got[key].shape)
                continue
            share = float((seen(got[key], mask) - answer[key]).abs().max() / answer[key].abs().max().clamp(min=1e-9))
            self.worst = max(self.worst, share)
            if share > WORST:
                self.complain(seed, type(model).__name__, key, "differs by", share, "of its scale")
        rows = len(next(iter(inputs.values())))
        for row in range(rows):
            alone = ask(folder, {key: value[row:row + 1] for key, value in inputs.items()})
            for key in answer:
                if key.startswith("logits_per_"):  # Of every picture and every text.
                    continue
                whole, one = seen(got[key], mask)[row], seen(alone[key], mask[row:row + 1] if mask is not None else None)[0]
                if not torch.equal(whole, one):
                    self.complain(seed, key, "of row", row, "alone has other bits, apart by", float((whole - one).abs().max()))
        def near(rough):
            return min(float(torch.cosine_similarity(seen(rough[key], mask).flatten().float(), answer[key].flatten(), 0)) for key in set(rough) & set(answer))
        self.bf16.append(near(ask(folder, inputs, dtype="bf16")))
        self.int8.append(near(ask(folder, inputs, dtype="int8")))
        try:
            with torch.no_grad():
                narrow = {key: value.bfloat16() if value.is_floating_point() else value for key, value in inputs.items()}
                theirs = copy.deepcopy(model).bfloat16()(**narrow)
            self.their_bf16.append(near({key: value for key, value in theirs.items() if torch.is_tensor(value)}))
        except RuntimeError:  # Some mix what is and what is not bf16.
            pass

    def write(self, seed, folder, fresh, inputs, pads):
        pad = fresh.config.pad_token_id or 0
        settings = dict(max_new_tokens=14, do_sample=False, num_beams=1, use_cache=True, pad_token_id=pad)
        for left in (0, 2) if pads else (0,):
            ids = inputs["input_ids"][:2, :6].clone()
            ids[ids == 0] = 3
            mask = torch.ones_like(ids)
            mask[1, :left] = 0
            ids[1, :left] = pad
            model = copy.deepcopy(fresh)  # Some rotary tables remember the longest text they saw.
            model.generation_config.eos_token_id = None
            with torch.no_grad():
                wanted = model.generate(input_ids=ids, attention_mask=mask, generation_config=t.GenerationConfig(**settings))
            got = ask(folder, dict(input_ids=ids, attention_mask=mask), settings)
            self.generations += 1
            if not torch.equal(got["sequences"].long(), wanted):
                self.complain(seed, "writes other tokens", "after padding" if left else "")

    def try_seed(self, seed):
        random.seed(seed)
        torch.manual_seed(seed)
        made = {**DECODERS, **BERTS, **IMAGES, **ENCODERS, **WRITERS}[self.name](seed)
        kind = getattr(t, made.model)
        eager = {} if self.name in ("regnet", "falcon") else dict(attn_implementation="eager")
        if "experts" in str(made.config):
            eager["experts_implementation"] = "eager"
        model = kind._from_config(made.config, **eager).eval()
        shake(model, self.name in IMAGES)
        fresh = copy.deepcopy(model)
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            model.save_pretrained(folder)
            if seed % 2:
                spell_as_before(folder)
                model = kind.from_pretrained(folder, **eager).eval()  # What it reads from that spelling counts.
                fresh = copy.deepcopy(model)
            self.compare(seed, folder, model, made.inputs)
            if made.model.endswith(("CausalLM", "LMHeadModel", "ConditionalGeneration", "MTModel")) and "WithLMHead" not in made.model:
                self.write(seed, folder, fresh, made.inputs, made.pads)
        self.configurations += 1


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("families", nargs="*")
    parser.add_argument("--count", type=int, default=20)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    t.utils.logging.set_verbosity_error()
    t.utils.logging.disable_progress_bar()
    bad = 0
    for name in arguments.families or [*DECODERS, *BERTS, *IMAGES, *ENCODERS, *WRITERS]:
        family = Family(name)
        for seed in range(arguments.seed, arguments.seed + arguments.count):
            try:
                family.try_seed(seed)
            except (RuntimeError, ValueError, KeyError, AttributeError) as error:
                family.complain(seed, type(error).__name__, error)
        print(f"{name}: {family.configurations} configurations, {family.generations} generations, worst {family.worst:.1e} of scale, "
              f"bf16 cosine {shown(family.bf16)} (transformers' own {shown(family.their_bf16)}), int8 {shown(family.int8)}, {family.bad} differences", flush=True)
        bad += family.bad
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
