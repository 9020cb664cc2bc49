#!/usr/bin/env python3
"""Random LoRA adapters of PEFT's beside random tiny models, `holdfast forward --adapter` against peft: as a folder beside safetensors, beside a GGUF
file of the same base, and as llama.cpp's own adapter file beside that.

usage: PYTHON_WITH_PEFT tests/differential/random_adapters.py [FAMILY...] [--count N] [--seed S] [--keep FOLDER] (peft 0.21.2, transformers 5.23.0,
gguf 0.19.0)

HOLDFAST_PROGRAM names the program. A difference prints the family, the seed and what differs; the exit status is 1 then. --keep leaves the files of the
last case of each GGUF architecture in FOLDER, for llama.cpp to be asked as well.
"""
import argparse
import copy
import random
import re
import shutil
import subprocess
import sys
import tempfile
import types
from pathlib import Path

import numpy as np
import peft
import torch
import transformers as t
from random_models import DECODERS, PROGRAM, shake
from safetensors.torch import load_file, save_file

try:
    import llama_cpp  # noqa: F401
except ImportError:  # The converter asks it nothing here.
    sys.modules["llama_cpp"] = types.SimpleNamespace(Llama=None)
sys.path.insert(0, str(Path(__file__).parents[2] / "tools"))
import gguf  # noqa: E402
import make_gguf_architectures as tool  # noqa: E402

WORST = 2e-5  # Of the greatest number of an answer.
PLAIN = ["gpt2", "gpt_neo", "gpt_neox", "gptj", "gpt_bigcode", "opt", "bloom", "mpt", "falcon", "llama", "mistral", "qwen2", "qwen3", "gemma", "gemma2",
         "gemma3_text", "phi", "phi3", "starcoder2", "smollm3", "olmo", "olmo2", "olmo3", "granite", "stablelm", "cohere", "cohere2", "arcee", "exaone4",
         "glm", "glm4", "helium", "nemotron", "persimmon", "seed_oss", "biogpt", "xglm", "codegen", "apertus", "mixtral", "qwen3_moe"]
TURNED = ("llama", "granite", "smollm3")  # Beside those that the tool turns.
NEVER = ("lm_head", "project_", "embed", "score", "router", "expert", "block_sparse_moe", "classifier", "output_projection", "embed_out")


def more_architectures():
    new = {**tool.PAIRED, "head_dim": 4}
    plain = {key: value for key, value in new.items() if key != "head_dim"}
    wide = dict(plain, hidden_size=16)
    one_rope = {kind: {"rope_type": "default", "rope_theta": 10000.0} for kind in ("full_attention", "sliding_attention")}
    moe = dict(moe_intermediate_size=6, num_experts=4, num_experts_per_tok=2)
    return {
        "llama": t.LlamaConfig(**new), "llama-biased": t.LlamaConfig(**new, attention_bias=True, mlp_bias=True), "granite": t.GraniteConfig(**plain),
        "smollm3": t.SmolLM3Config(**{**new, "num_hidden_layers": 4}, pad_token_id=0), "qwen2": t.Qwen2Config(**plain), "qwen3": t.Qwen3Config(**new),
        "gemma": t.GemmaConfig(**new), "gemma2": t.Gemma2Config(**new, query_pre_attn_scalar=4, sliding_window=5),
        "gemma3": t.Gemma3TextConfig(**{**new, "num_hidden_layers": 6}, query_pre_attn_scalar=4, sliding_window=5, rope_parameters=one_rope),
        "phi3": t.Phi3Config(**plain, pad_token_id=0), "gpt2": t.GPT2Config(**tool.OLD, n_inner=10), "starcoder2": t.Starcoder2Config(**plain),
        "stablelm": t.StableLmConfig(**plain, use_qkv_bias=True, partial_rotary_factor=0.5, layer_norm_eps=1e-5), "olmo2": t.Olmo2Config(**wide),
        "qwen3moe": t.Qwen3MoeConfig(**new, **moe, norm_topk_prob=True),
    }


class Converter(tool.Converter):
    """The tool's, for further architectures."""

    def __init__(self, label, config, tensors):
        super().__init__(label.split("-biased")[0], config, tensors)

    def one(self, name, data):
        if self.arch in TURNED:
            for part, heads in (("q_proj", self.heads), ("k_proj", self.keys)):
                if part in name:
                    data = tool.neighbours(data, heads)
        if self.arch == "gpt2" and name.endswith(".weight") and data.ndim == 2 and any(part in name for part in ("c_attn", "c_fc", "c_proj")):
            data = data.T
        if self.arch.startswith("gemma") and "norm.weight" in name:
            data = data + 1
        return super().one(name, data)

    def write_own(self, w):
        super().write_own(w)
        c = self.config
        if self.arch == "granite":
            w.add_attention_scale(c.attention_multiplier)
            w.add_embedding_scale(c.embedding_multiplier)
            w.add_residual_scale(c.residual_multiplier)
            w.add_logit_scale(c.logits_scaling)
        if self.arch in ("gemma2", "gemma3"):
            w.add_sliding_window(c.sliding_window)
        if self.arch == "gemma2":
            w.add_attn_logit_softcapping(c.attn_logit_softcapping)
            w.add_final_logit_softcapping(c.final_logit_softcapping)
        if self.arch == "stablelm":
            w.add_parallel_residual(c.use_parallel_residual)
        if self.arch == "qwen3moe":
            w.add_expert_feed_forward_length(c.moe_intermediate_size)

    def write_adapter(self, path, adapter, alpha):
        """As llama.cpp keeps one: rows of lora_b in the order of the file's own."""
        w = gguf.GGUFWriter(path, self.arch)
        w.add_type("adapter")
        w.add_string("adapter.type", "lora")
        w.add_float32("adapter.lora.alpha", alpha)
        for name, data in adapter.items():
            name = name.removeprefix("base_model.model.")
            if name.startswith("transformer.") and self.arch == "bloom":
                name = name.removeprefix("transformer.")
            module, which = name.removesuffix(".weight").rsplit(".", 1)
            own = {"lora_A": "lora_a", "lora_B": "lora_b"}[which]
            if which == "lora_B" and self.arch != "gpt2":
                (found, data), = self.one(module + ".weight", data).items()
            else:
                found = self.names.get_name(module + ".weight", try_suffixes=(".weight",))
            w.add_tensor(f"{found}.{own}", np.ascontiguousarray(data, dtype=np.float32))
        w.write_header_to_file()
        w.write_kv_data_to_file()
        w.write_tensors_to_file()
        w.close()


def modules_of(model):
    kinds = (torch.nn.Linear, t.pytorch_utils.Conv1D)
    out = [name for name, module in model.named_modules() if isinstance(module, kinds) and not any(part in name for part in NEVER)
           and not re.search(r"mlp\.gate$", name)]
    if any("expert" in name for name, _ in model.named_parameters()):  # PEFT makes of their names a change of the experts.
        out = [name for name in out if "attn" in name]
    return out


def plain_config(modules):
    return dict(r=random.choice([1, 3, 8]), lora_alpha=random.choice([2, 5, 16]), target_modules=modules)


def random_config(model):
    """What adapters of the hub make use of."""
    modules = modules_of(model)
    short = sorted({name.rsplit(".", 1)[1] for name in modules})
    chosen = random.sample(short, random.randint(1, len(short)))
    out = plain_config(chosen)
    kind = random.choice(["names", "regex", "paths", "layers", "excluded"])
    if kind == "regex":
        out["target_modules"] = rf".*\.({'|'.join(chosen)})"
    elif kind == "paths":
        out["target_modules"] = [name for name in modules if name.endswith(tuple(chosen))]
    elif kind == "layers":
        out["layers_to_transform"] = random.choice([1, [0], [0, 1]])
    elif kind == "excluded" and len(chosen) > 1:
        out["exclude_modules"] = random.choice([chosen[:1], rf".*\b0\..*{chosen[0]}"])
    out["use_rslora"] = random.random() < 0.4
    if random.random() < 0.5:
        out["rank_pattern"] = {random.choice([chosen[0], rf".*\b1\..*", rf"\w+\.{chosen[-1]}"]): random.choice([2, 5])}
    if random.random() < 0.5:
        out["alpha_pattern"] = {random.choice([chosen[0], rf".*\b[01]\..*", rf"^.*{chosen[-1]}"]): random.choice([3, 7.5]), chosen[-1]: 4}
    special = random.choice(["", "use_dora", "use_dora", "lora_bias", "lora_only"])
    if special == "use_dora" or special == "lora_bias":
        out[special] = True
    if special == "lora_only" or (special == "use_dora" and random.random() < 0.4):
        out["bias"] = "lora_only"
    biased = all(model.get_submodule(name).bias is not None for name in modules)
    if special == "lora_bias" and not biased:
        out.pop("lora_bias")  # PEFT wants a bias to add it to.
    return out


def redraw(adapted):
    for name, values in adapted.named_parameters():
        if "lora_B" in name:
            values.data.normal_(0, 0.2)
        elif "lora_magnitude" in name:
            values.data.mul_(torch.empty_like(values).uniform_(0.6, 1.5))
        elif name.endswith("base_layer.bias") and values.requires_grad:
            values.data.add_(0.3 * torch.randn_like(values))


def adapt(model, settings):
    try:
        adapted = peft.get_peft_model(model, peft.LoraConfig(task_type="CAUSAL_LM", **settings))
    except peft.utils.error.NoMatchingPeftModuleError:  # What was left out left nothing; or layers are called otherwise than PEFT looks for.
        settings.pop("layers_to_transform", None)
        settings.pop("exclude_modules", None)
        adapted = peft.get_peft_model(model, peft.LoraConfig(task_type="CAUSAL_LM", **settings))
    redraw(adapted.eval())
    return adapted


def answer(model, ids):
    with torch.no_grad():
        return model(input_ids=ids).logits


def ask(base, adapter, ids, folder, dtype="f32"):
    save_file({"input_ids": ids}, folder / "in.safetensors")
    made = subprocess.run([PROGRAM, "forward", str(base), str(folder / "in.safetensors"), str(folder / "out.safetensors"), "--adapter", str(adapter), "--dtype",
                           dtype], capture_output=True, text=True)
    if made.returncode:
        raise RuntimeError(made.stderr[-300:])
    return load_file(folder / "out.safetensors")["logits"]


class Family:
    def __init__(self, name, keep):
        self.name, self.keep, self.cases, self.worst, self.bad, self.int8, self.features = name, keep, 0, 0.0, 0, 1.0, set()

    def complain(self, seed, *what):
        self.bad += 1
        print(self.name, "seed", seed, *what, flush=True)

    def judge(self, seed, what, got, wanted, bare):
        share = float((got - wanted).abs().max() / wanted.abs().max())
        self.worst = max(self.worst, share)
        if share > WORST:
            changed = float((bare - wanted).abs().max() / wanted.abs().max())
            self.complain(seed, what, "differs by", share, "of its scale; the adapter changes", changed)
        self.cases += 1

    def compare(self, seed, folder, base, adapted, ids, bare):
        wanted = answer(adapted, ids)
        self.judge(seed, f"beside {base.name}", ask(base, folder / "adapter", ids, folder), wanted, bare)
        rough = ask(base, folder / "adapter", ids, folder, "int8")
        self.int8 = min(self.int8, float(torch.cosine_similarity(rough.flatten(), wanted.flatten(), 0)))

    def try_folder(self, seed):
        made = DECODERS[self.name](seed)
        if not made.model.endswith(("CausalLM", "LMHeadModel")):
            return
        eager = {} if self.name == "falcon" else dict(attn_implementation="eager")
        if "experts" in str(made.config):
            eager["experts_implementation"] = "eager"
        model = getattr(t, made.model)._from_config(made.config, **eager).eval()
        shake(model, False)
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            model.save_pretrained(folder / "base")
            ids = torch.randint(3, made.config.vocab_size, (2, 7))
            bare, settings = answer(model, ids), random_config(model)
            self.features.update(key for key, value in settings.items() if value)
            adapted = adapt(model, settings)
            adapted.save_pretrained(folder / "adapter")
            try:
                self.compare(seed, folder, folder / "base", adapted, ids, bare)
            except RuntimeError as error:
                self.complain(seed, settings, error)

    def try_gguf(self, seed, label, config):
        config = copy.deepcopy(config)
        config._experts_implementation = "eager"
        model = t.AutoModelForCausalLM.from_config(config, attn_implementation="eager").eval()
        shake(model, False)
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            state = {name: weight.detach().float().numpy() for name, weight in model.state_dict().items()}
            if getattr(config, "tie_word_embeddings", False):
                state = {name: data for name, data in state.items() if name not in ("lm_head.weight", "embed_out.weight")}
            converter = Converter(label, config, state)
            base = folder / "base.gguf"
            converter.write(str(base))
            ids = torch.randint(0, config.vocab_size, (2, 9))
            bare = answer(model, ids)
            both = seed % 2 == 0  # What llama.cpp's file can say too.
            settings = plain_config(sorted({name.rsplit(".", 1)[1] for name in modules_of(model)})) if both else random_config(model)
            self.features.update(key for key, value in settings.items() if value)
            adapted = adapt(model, settings)
            adapted.save_pretrained(folder / "adapter")
            try:
                self.compare(seed, folder, base, adapted, ids, bare)
                if both:
                    changes = {name: data.numpy() for name, data in load_file(folder / "adapter" / "adapter_model.safetensors").items()}
                    converter.write_adapter(str(folder / "adapter.gguf"), changes, settings["lora_alpha"])
                    wanted = answer(adapted, ids)
                    self.judge(seed, "llama.cpp's file", ask(base, folder / "adapter.gguf", ids, folder), wanted, bare)
                    if self.keep:
                        save_file({"ids": ids, "wanted": wanted.contiguous(), "bare": bare.contiguous()}, folder / "wanted.safetensors")
                        shutil.copytree(folder, Path(self.keep) / label, dirs_exist_ok=True)
            except RuntimeError as error:
                self.complain(seed, settings, error)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("families", nargs="*")
    parser.add_argument("--count", type=int, default=10)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--keep")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    t.utils.logging.set_verbosity_error()
    t.utils.logging.disable_progress_bar()
    architectures = {"gguf:" + label: config for label, config in {**tool.configs(), **more_architectures()}.items()}
    bad = 0
    for name in arguments.families or [*PLAIN, *architectures]:
        family = Family(name, arguments.keep)
        for seed in range(arguments.seed, arguments.seed + arguments.count):
            random.seed(seed)
            torch.manual_seed(seed)
            if name in architectures:
                family.try_gguf(seed, name.removeprefix("gguf:"), architectures[name])
            else:
                family.try_folder(seed)
        print(f"{name}: {family.cases} comparisons, worst {family.worst:.1e} of scale, int8 cosine {family.int8:.5f}, {family.bad} differences "
              f"({' '.join(sorted(family.features))})", flush=True)
        bad += family.bad
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
