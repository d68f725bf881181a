"""What a conditional model is told when pictures are edited."""

import pytest
import torch
from small import KITTENS as SOURCE

from impasto.attributes import Attribute
from impasto.errors import ConfigError
from impasto.workflows.editing import changed, parsed
from impasto.workflows.reading import opened, pictures

ATTRIBUTES = (Attribute(name="hat", values=("no", "yes")), Attribute(name="age"))
UNKNOWN = torch.zeros(1, 4)


@pytest.mark.parametrize(
    ("wanted", "told"),
    [
        ([("hat", "yes", 1.0)], [0, 1, 0, 0]),
        ([("hat", "yes", 0.5)], [0, 0.5, 0, 0]),
        ([("hat", "yes", 7.0)], [0, 1, 0, 0]),
        ([("age", None, -2.0)], [0, 0, -2, 1]),
        ([("hat", "no", 1.0), ("age", None, 1.0)], [1, 0, 1, 1]),
        ([("shoes", "yes", 1.0)], [0, 0, 0, 0]),
    ],
)
def test_a_change_is_told_as_far_as_its_strength_goes(wanted, told):
    assert changed(ATTRIBUTES, UNKNOWN, wanted).tolist() == [told]
    assert not UNKNOWN.any()


def test_what_was_known_gives_way():
    before = torch.tensor([[1.0, 0, 0.5, 1]])
    after = changed(ATTRIBUTES, before, [("hat", "yes", 1.0), ("age", None, 1.0)])
    assert after.tolist() == [[0, 1, 1.5, 1]]


def test_strengths_are_numbers(coder):
    prepared = pictures(SOURCE, opened(coder).data)
    assert parsed("eyes5:-2", prepared) == ("eyes", "eyes5", -2)
    for strength in ("nan", "much", "1e9"):
        with pytest.raises(ConfigError, match="is no strength"):
            parsed(f"eyes5:{strength}", prepared)
