#!/usr/bin/env python3
"""Writes tests/golden/torch: small checkpoints by torch.save in each of its forms, and what is in them as safetensors.

usage: PYTHON_WITH_TORCH tools/make_torch_goldens.py (torch 2.15, safetensors)
"""
import collections
import pathlib

import torch
from safetensors.torch import load_file, save_file

here = pathlib.Path(__file__).resolve().parent.parent / "tests/golden"
out = here / "torch"


def tensors():
    torch.manual_seed(11)
    shared = torch.randn(6, 5)
    whole = {
        "f32": torch.randn(3, 4),
        "f16": torch.randn(2, 3).to(torch.float16),
        "bf16": torch.randn(5).to(torch.bfloat16),
        "f64": torch.randn(2, 2, dtype=torch.float64),
        "i64": torch.arange(7) - 3,
        "i32": torch.arange(4, dtype=torch.int32),
        "i16": torch.arange(3, dtype=torch.int16) * -300,
        "i8": torch.tensor([-128, 127], dtype=torch.int8),
        "u8": torch.tensor([0, 255], dtype=torch.uint8),
        "bool": torch.tensor([True, False, True]),
        "scalar": torch.tensor(2.5),
        "empty": torch.zeros(0, 3),
        "one": torch.randn(1, 1, 1),
        "turned": torch.randn(4, 3).t(),
        "permuted": torch.randn(2, 3, 4).permute(2, 0, 1),
        "rows of one": shared[2:4],
        "columns of one": shared[:, 1:3],
        "every other": shared[::2],
        "parameter": torch.nn.Parameter(torch.randn(2, 2)),
    }
    return collections.OrderedDict(whole)


def main():
    out.mkdir(exist_ok=True)
    state = tensors()
    save_file({name: value.detach().contiguous().clone() for name, value in state.items()}, out / "expected.safetensors")
    state._metadata = collections.OrderedDict([("", {"version": 1})])
    torch.save(state, out / "zip.bin")
    torch.save(dict(state), out / "protocol4.bin", pickle_protocol=4)
    torch.save(state, out / "legacy.bin", _use_new_zipfile_serialization=False)
    torch.save({"epoch": 3, "loss": 0.5, "done": None, "state_dict": state, "history": [1, (2, 3), True]}, out / "nested.pt")
    torch.save(load_file(here / "models/llama/gqa/model.safetensors"), out / "llama.bin")
    torch.save(load_file(here / "models/lora/llama-rs/adapter_model.safetensors"), out / "lora.bin")

    class Hostile:
        def __reduce__(self):
            import os
            return os.system, ("true",)

    torch.save({"w": torch.zeros(2), "x": Hostile()}, out / "hostile.bin")
    torch.save({"w": torch.zeros(2), "x": Hostile()}, out / "hostile-legacy.bin", _use_new_zipfile_serialization=False)


if __name__ == "__main__":
    main()
