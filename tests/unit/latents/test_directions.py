"""Directions of attributes among codes that were made with known ones."""

import numpy as np
import pytest

from impasto.attributes import Attribute
from impasto.latents.directions import direction_of_score, effects, probabilities, towards

COUNT, DIMENSIONS, VALUES = 2_000, 12, 4


@pytest.fixture
def codes():
    return np.random.default_rng(0).normal(size=(COUNT, DIMENSIONS)).astype(np.float32)


@pytest.fixture
def means():
    return np.eye(VALUES, DIMENSIONS, dtype=np.float32) * 8


def cosine(one, other):
    return float(one @ other / np.linalg.norm(one) / np.linalg.norm(other))


def test_what_only_goes_along_with_a_mark_is_not_taken_for_it():
    """Nine in ten of those with a beard have glasses; each moves codes along an axis of its own."""
    drawn = np.random.default_rng(1)
    beard = drawn.random(20_000) < 0.5
    glasses = np.where(drawn.random(20_000) < 0.9, beard, ~beard)
    codes = drawn.normal(size=(20_000, 3)) + np.stack([3 * beard, 2 * glasses, 0 * beard], 1)
    apart = codes[beard].mean(0) - codes[~beard].mean(0)
    of_beard, of_glasses = effects(codes, np.stack([beard, glasses], 1).astype(float))
    assert apart[1] > 1.4
    assert of_beard == pytest.approx([3, 0, 0], abs=0.1)
    assert of_glasses == pytest.approx([0, 2, 0], abs=0.1)


def test_numbers_that_are_not_known_of_all_are_found(codes):
    age = Attribute(name="age", mean=40.0, deviation=10.0)
    years = 40 + 10 * np.random.default_rng(1).normal(size=COUNT)
    codes[:, 2] += 0.15 * (years - 40)
    years[::3] = np.nan
    found = effects(codes, age.of_number(years))
    assert found[0, 2] == pytest.approx(1.5, abs=0.1)
    assert np.abs(np.delete(found[0], 2)).max() < 0.1


def test_each_is_led_away_from_what_it_most_likely_shows(codes, means):
    values = np.arange(COUNT) % VALUES
    shown = codes + means[values]
    chances = probabilities(shown, values, shown[:VALUES], VALUES)
    assert (chances.argmax(1) == np.arange(VALUES)).all()
    moved = shown[:VALUES] + towards(1, means, chances)
    for place in (0, 2, 3):
        assert moved[place] - codes[place] == pytest.approx(means[1], abs=0.3)
    way = towards(1, means, chances)[1]
    assert way[1] == pytest.approx(8, abs=1e-3), "one that shows it already is led further on"


def test_values_that_no_picture_shows_are_not_likely(codes, means):
    values = 2 * (np.arange(COUNT) % 2)
    chances = probabilities(codes + means[values], values, means, VALUES)
    assert not chances[:, [1, 3]].any()
    assert chances.sum(1) == pytest.approx(np.ones(VALUES), abs=1e-5)


def test_towards_the_only_value_there_is_no_way_from_another():
    certain = np.array([[1.0, 0.0]], np.float32)
    means = np.array([[1.0, 2.0], [5.0, 5.0]], np.float32)
    assert np.isfinite(towards(0, means, certain)).all()


def test_what_goes_along_with_a_score_by_chance_is_left_alone(codes):
    """A second axis is correlated with the score and says nothing once the first is known."""
    noise = np.random.default_rng(1).normal(size=COUNT)
    scores = codes[:, 0].astype(np.float64)
    entangled = codes.copy()
    entangled[:, 1] = codes[:, 0] + noise
    found = direction_of_score(entangled, scores)
    assert abs(found[1] / found[0]) < 0.2


def test_a_score_that_is_told_along_an_axis_is_found(codes):
    found = direction_of_score(codes, 30 + 5 * codes[:, 2].astype(np.float64))
    way = np.eye(DIMENSIONS)[2]
    assert cosine(found, way) > 0.99
    assert np.linalg.norm(found) == pytest.approx(2 * np.sqrt(2 / np.pi), rel=0.1)
