import numpy as np
import pytest

from impasto.data import layout
from impasto.data.config import DataConfig
from impasto.data.decisions import NAME, read_decisions, write_decision
from impasto.data.prepare import prepare
from impasto.data.prepared import Prepared
from impasto.data.rules import Rules
from impasto.errors import SourceError

SMALL = DataConfig(size=8)


@pytest.fixture
def made(folder, tmp_path):
    root = folder(*(f"{n}.png" for n in range(5)))
    (root / "2.png").write_bytes(b"no picture")
    (root / "9.png").write_bytes((root / "0.png").read_bytes())
    return prepare(root, DataConfig(size=8, rules=Rules(duplicate=True)), tmp_path / "set")


def test_the_last_word_counts(tmp_path):
    assert read_decisions(tmp_path, 9) == {}
    write_decision(tmp_path, [3, 1], keep=False)
    write_decision(tmp_path, [1], keep=True)
    write_decision(tmp_path, [3], keep=None)
    assert read_decisions(tmp_path, 9) == {1: True}


def test_a_torn_line_is_passed_over_and_does_not_swallow_the_next(tmp_path):
    write_decision(tmp_path, [3], keep=False)
    with (tmp_path / NAME).open("a") as file:
        file.write('{"slots": [4], "ke')
    assert read_decisions(tmp_path, 9) == {3: False}
    write_decision(tmp_path, [5], keep=False)
    assert read_decisions(tmp_path, 9) == {3: False, 5: False}


@pytest.mark.parametrize("line", ["words", "[]", '{"slots": [9], "keep": true}', '{"slots": [1]}'])
def test_a_line_that_is_no_decision_is_named(tmp_path, line):
    (tmp_path / NAME).write_text('{"slots": [1], "keep": true}\n' + line + "\n")
    with pytest.raises(
        SourceError, match=r"review.jsonl, line 2: not a decision .*; take the line"
    ):
        read_decisions(tmp_path, 9)


def test_a_prepared_set_heeds_them(made):
    assert (made.kept, made.reasons()) == (4, {"not a picture": 1, "duplicate": 1})
    write_decision(made.path, [1], keep=False)  # one that the rules kept
    write_decision(made.path, [5], keep=True)  # one that they left out
    write_decision(made.path, [2], keep=True)  # nothing was decoded of it
    again = Prepared.open(made.path)
    assert (len(again), again.rejected) == (4, 2)
    assert again.slots(np.arange(4)).tolist() == [0, 3, 4, 5]
    assert again.reasons() == {"not a picture": 1, "by hand": 1}
    assert sorted((n, r.kind) for n, r in again.rejects()) == [
        ("1.png", "by hand"),
        ("2.png", "not a picture"),
    ]
    assert again.fingerprint != made.fingerprint
    write_decision(made.path, [1, 5], keep=None)
    assert Prepared.open(made.path).fingerprint == made.fingerprint


def test_a_decision_that_changes_nothing_is_no_other_set(made):
    write_decision(made.path, [0], keep=True)
    assert Prepared.open(made.path).fingerprint == made.fingerprint


def test_they_stay_when_the_rules_change(made):
    write_decision(made.path, [1], keep=False)
    again = prepare(made.source, SMALL, made.path)
    assert again.reasons() == {"not a picture": 1, "by hand": 1}
    assert again.slots(np.arange(4)).tolist() == [0, 3, 4, 5]
    assert (made.path / layout.ROWS).read_text().count("\n") == 6
