"""The runner of pages: which blocks run, in what order, what counts as a fault."""
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parent))
import run_docs  # noqa: E402


@pytest.fixture(autouse=True)
def no_program(monkeypatch, tmp_path):
    monkeypatch.setattr(run_docs, "program", lambda: str(tmp_path / "holdfast"))


def page(tmp_path, text):
    path = tmp_path / "page.md"
    path.write_text(text)
    return run_docs.run_page(path)


def test_only_marked_blocks_run_and_they_share_a_folder(tmp_path):
    faults, count = page(tmp_path, "```sh\nexit 1\n```\n```sh run\necho one > a\n```\ntext\n```sh run\ncat a\n```\n```text output\none\n```\n")
    assert (faults, count) == ([], 2)


def test_a_failing_block_ends_the_page(tmp_path):
    faults, _ = page(tmp_path, "\n```sh run\necho words; false; echo never\n```\n```sh run\nexit 3\n```\n")
    assert len(faults) == 1 and "page.md:2" in faults[0] and "words" in faults[0] and "never\n" not in faults[0]


def test_other_output_than_promised_is_a_fault(tmp_path):
    faults, _ = page(tmp_path, "```sh run\necho two\n```\n```text output\none\n```\n")
    assert len(faults) == 1 and "two" in faults[0]


@pytest.mark.parametrize("expected, printed, good", [
    ("a … c", "a b c", True), ("a … c", "a b d", False), ("…", "anything\nat all", True), ("token: hf_…", "token: hf_x1", True), ("(a)", "(a)", True), ("a.c", "abc", False),
])
def test_three_dots_stand_for_anything(expected, printed, good):
    assert run_docs.matches(expected, printed) == good
