"""datasets.load_dataset over our address: CSV, JSON lines and Parquet, whole and streamed, at a pinned revision."""
import json

import pyarrow
import pyarrow.parquet
import pytest
from datasets import Dataset, load_dataset
from datasets.exceptions import DatasetNotFoundError

ROWS = [{"id": number, "text": f"row {number} é", "score": number / 8} for number in range(1000)]


def as_csv(rows):
    return "id,text,score\n" + "".join(f"{row['id']},{row['text']},{row['score']}\n" for row in rows)


def as_json_lines(rows):
    return "".join(json.dumps(row) + "\n" for row in rows)


def as_parquet(rows):
    sink = pyarrow.BufferOutputStream()
    pyarrow.parquet.write_table(pyarrow.Table.from_pylist(rows), sink)
    return sink.getvalue().to_pybytes()


FORMATS = {"train.csv": as_csv, "train.jsonl": as_json_lines, "data/train-00000-of-00001.parquet": as_parquet}


def upload(api, repo, path, rows):
    data = FORMATS[path](rows)
    return api.upload_file(path_or_fileobj=data if isinstance(data, bytes) else data.encode(), path_in_repo=path, repo_id=repo, repo_type="dataset").oid


@pytest.fixture
def dataset(api, name):
    api.create_repo(name, repo_type="dataset")
    return name


@pytest.fixture
def cache(tmp_path):
    return str(tmp_path / "datasets")


@pytest.mark.parametrize("path", FORMATS)
def test_a_dataset_loads_whole_and_streamed(api, dataset, cache, path):
    upload(api, dataset, path, ROWS)
    loaded = load_dataset(dataset, split="train", cache_dir=cache)
    assert loaded.to_list() == ROWS
    streamed = load_dataset(dataset, split="train", streaming=True)
    assert list(streamed.take(20)) == ROWS[:20]


def test_a_pinned_revision_gives_the_old_rows(api, dataset, cache):
    old = upload(api, dataset, "train.csv", ROWS[:10])
    upload(api, dataset, "train.csv", ROWS[:20])
    assert load_dataset(dataset, split="train", revision=old, cache_dir=cache).num_rows == 10
    assert load_dataset(dataset, split="train", cache_dir=cache).num_rows == 20
    assert len(list(load_dataset(dataset, split="train", revision=old, streaming=True))) == 10


def test_a_card_chooses_configurations_and_splits(api, dataset, cache):
    card = "---\nconfigs:\n- config_name: small\n  data_files:\n  - split: test\n    path: few.csv\n---\n"
    api.upload_file(path_or_fileobj=as_csv(ROWS[:3]).encode(), path_in_repo="few.csv", repo_id=dataset, repo_type="dataset")
    api.upload_file(path_or_fileobj=card.encode(), path_in_repo="README.md", repo_id=dataset, repo_type="dataset")
    assert load_dataset(dataset, "small", split="test", cache_dir=cache).to_list() == ROWS[:3]


def test_push_to_hub_and_back(dataset, cache):
    Dataset.from_list(ROWS).push_to_hub(dataset, split="train")
    assert load_dataset(dataset, split="train", cache_dir=cache).to_list() == ROWS


def test_a_dataset_one_may_not_read_is_not_found(api, name, tokens, cache):
    api.create_repo(name, repo_type="dataset", private=True)
    upload(api, name, "train.csv", ROWS[:5])
    with pytest.raises(DatasetNotFoundError):
        load_dataset(name, token=tokens["bea"], cache_dir=cache)
    assert load_dataset(name, split="train", cache_dir=cache).num_rows == 5
