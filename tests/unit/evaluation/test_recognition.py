"""Whether pictures show what was asked for."""

import numpy as np
import pytest

from impasto.evaluation.recognition import recognition


@pytest.fixture
def real():
    drawn = np.random.default_rng(0)
    values = np.arange(600) % 3
    return np.eye(3, 8)[values] * 6 + drawn.normal(size=(600, 8)), values


@pytest.mark.parametrize("right", [1.0, 0.6, 0.0])
def test_the_share_of_pictures_that_show_it_is_told(real, right):
    drawn = np.random.default_rng(1)
    asked = np.arange(900) % 3
    shown = np.where(drawn.random(900) < right, asked, (asked + 1) % 3)
    features = np.eye(3, 8)[shown] * 6 + drawn.normal(size=(900, 8))
    found = recognition("mood", real, (features, asked))
    assert found.accuracy.value == pytest.approx(right, abs=0.05)
    assert found.on_real.value > 0.97
    assert found.by_chance == pytest.approx(1 / 3)
    assert found.pictures == 900


def test_unknown_values_are_left_out(real):
    features, values = real
    hidden = np.where(np.arange(600) % 2 == 0, -1, values)
    found = recognition("mood", (features, hidden), (features, hidden))
    assert found.pictures == 300
    assert found.accuracy.value > 0.97


def test_where_too_little_is_known_nothing_is_told(real):
    features, values = real
    assert recognition("mood", real, (features[:10], values[:10])) is None
    assert recognition("mood", (features, values * 0), real) is None
