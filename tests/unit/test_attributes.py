"""What is known of pictures, as networks are told it."""

import math

import numpy as np
import pytest

from impasto.attributes import Attribute, asked, attributes_of, drawn, known_of, width_of
from impasto.errors import ConfigError

LABELS = {"mood": ("sad", "happy", "calm"), "hat": ("no", "yes")}
NUMBERS = ("age",)


@pytest.fixture
def rows():
    labels = np.array([[0, 1], [1, -1], [1, 0], [-1, 0]], np.int32)
    numbers = np.array([[20.0], [40.0], [math.nan], [60.0]], np.float32)
    return labels, numbers


@pytest.fixture
def attributes(rows):
    return attributes_of((), LABELS, NUMBERS, *rows)


def test_all_that_is_known_is_told_by_default(attributes):
    assert [attribute.name for attribute in attributes] == ["mood", "hat", "age"]
    assert attributes[0].shares == pytest.approx((1 / 3, 2 / 3, 0))
    assert attributes[1].shares == pytest.approx((2 / 3, 1 / 3))
    assert attributes[2].mean == 40
    assert attributes[2].deviation == pytest.approx(np.std([20, 40, 60]))
    assert width_of(attributes) == 3 + 2 + 2


def test_categories_are_one_hot_numbers_are_scaled_and_what_is_missing_is_zero(rows, attributes):
    known = known_of(attributes, tuple(LABELS), NUMBERS, *rows)
    assert known.dtype == np.float32
    assert known[:, :3].tolist() == [[1, 0, 0], [0, 1, 0], [0, 1, 0], [0, 0, 0]]
    assert known[:, 3:5].tolist() == [[0, 1], [0, 0], [1, 0], [1, 0]]
    assert known[:, 6].tolist() == [1, 1, 0, 1]
    assert known[:, 5] == pytest.approx([-1.2247, 0, 0, 1.2247], abs=1e-3)


def test_some_may_be_chosen(rows):
    (only,) = attributes_of(("hat",), LABELS, NUMBERS, *rows)
    assert known_of([only], tuple(LABELS), NUMBERS, *rows).tolist() == [
        [0, 1],
        [0, 0],
        [1, 0],
        [1, 0],
    ]


def test_what_is_asked_for_is_as_one_types_it(attributes):
    rows = asked(attributes, ["mood=calm", "age=60"])
    assert rows["mood"].tolist() == [[0, 0, 1]]
    assert rows["age"][0] == pytest.approx([1.2247, 1], abs=1e-3)
    assert asked(attributes, ["happy"])["mood"].tolist() == [[0, 1, 0]]


def test_what_is_not_asked_for_is_drawn_as_it_occurs(attributes):
    chance = np.random.default_rng(0).random((20_000, 3))
    rows = drawn(attributes, ["hat=yes"], chance)
    assert rows[:, :3].mean(0) == pytest.approx([1 / 3, 2 / 3, 0], abs=0.02)
    assert (rows[:, 3:5] == [0, 1]).all()
    assert rows[:, 5].mean() == pytest.approx(0, abs=0.03)
    assert rows[:, 5].std() == pytest.approx(1, abs=0.03)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["mood=hapy"], "mood=hapy: no such value: did you mean happy?"),
        (["hatt=yes"], "no such attribute: did you mean hat?"),
        (["hapy"], "no such value: did you mean happy?"),
        (["age=old"], "is a number, 40 on average"),
        (["age=nan"], "is a number"),
        (["age=1e30"], "not too far"),
        (["age"], "say which, such as age=40"),
        (["mood"], "say which, such as mood="),
        (["hat=yes", "hat=no"], "says two things of hat"),
    ],
)
def test_what_cannot_be_asked_for_is_an_error_with_the_way_out(attributes, words, said):
    with pytest.raises(ConfigError) as error:
        asked(attributes, words)
    assert said in str(error.value)


def test_a_value_of_several_attributes_must_say_whose(rows):
    labels = {"hat": ("no", "yes"), "coat": ("no", "yes")}
    both = attributes_of((), labels, (), rows[0], rows[1][:, :0])
    with pytest.raises(ConfigError, match="say which: hat=yes, coat=yes"):
        asked(both, ["yes"])


def test_of_a_model_without_conditions_nothing_can_be_asked():
    with pytest.raises(ConfigError, match="draws without conditions"):
        asked((), ["happy"])


def test_an_attribute_that_is_not_there_is_named(rows):
    with pytest.raises(ConfigError, match=r"family\.condition: moods: .*did you mean mood"):
        attributes_of(("moods",), LABELS, NUMBERS, *rows)


def test_a_number_that_never_changes_can_be_told(rows):
    (same,) = attributes_of(("age",), {}, NUMBERS, rows[0][:, :0], np.full((4, 1), 7.0))
    assert (same.mean, same.deviation) == (7, 1)
    assert isinstance(same, Attribute)
