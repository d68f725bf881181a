"""Directions of attributes among codes that were made with known ones."""

import numpy as np
import pytest

from impasto.latents.directions import direction_of_mark, direction_of_number

COUNT, DIMENSIONS = 2_000, 12


@pytest.fixture
def codes():
    return np.random.default_rng(0).normal(size=(COUNT, DIMENSIONS)).astype(np.float32)


def cosine(one, other):
    return float(one @ other / np.linalg.norm(one) / np.linalg.norm(other))


def test_a_mark_that_moves_codes_is_found_with_its_length(codes):
    way = np.zeros(DIMENSIONS)
    way[3] = 4.0
    marked = np.arange(COUNT) % 2 == 0
    found = direction_of_mark(codes + marked[:, None] * way, marked)
    assert cosine(found, way) > 0.98
    assert np.linalg.norm(found) == pytest.approx(4, rel=0.1)


def test_what_goes_along_with_a_mark_by_chance_is_left_alone(codes):
    """A second axis is correlated with the mark and says nothing once the first is known."""
    noise = np.random.default_rng(1).normal(size=COUNT)
    marked = codes[:, 0] > 0
    entangled = codes.copy()
    entangled[:, 1] = codes[:, 0] + noise
    apart = entangled[marked].mean(0) - entangled[~marked].mean(0)
    found = direction_of_mark(entangled, marked)
    assert abs(found[1] / found[0]) < 0.2 < abs(apart[1] / apart[0])


def test_a_number_that_is_told_along_an_axis_is_found(codes):
    found = direction_of_number(codes, 30 + 5 * codes[:, 2].astype(np.float64))
    way = np.eye(DIMENSIONS)[2]
    assert cosine(found, way) > 0.99
    assert np.linalg.norm(found) == pytest.approx(2 * np.sqrt(2 / np.pi), rel=0.1)
