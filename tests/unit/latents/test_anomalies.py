"""Thresholds and rankings of odd pictures."""

import json

import numpy as np
import pytest

from impasto.latents.anomalies import Normals, ranking


@pytest.fixture
def normals():
    return np.random.default_rng(0).normal(size=(2_000, 3)) * [1, 5, 0.1] + [10, -3, 0]


@pytest.mark.parametrize("rate", [0.01, 0.05, 0.2])
def test_the_stated_share_of_normal_pictures_is_called_odd(normals, rate):
    found = Normals.of(normals, rate)
    assert (found.score(normals) > found.threshold).mean() == pytest.approx(rate, abs=0.001)
    others = np.random.default_rng(1).normal(size=(4_000, 3)) * [1, 5, 0.1] + [10, -3, 0]
    assert (found.score(others) > found.threshold).mean() == pytest.approx(rate, rel=0.5)


def test_another_rate_moves_the_threshold_only(normals):
    found = Normals.of(normals, 0.01)
    assert found.at(0.05).threshold == pytest.approx(Normals.of(normals, 0.05).threshold)
    assert (found.at(0.05).middle == found.middle).all()


def test_what_is_odd_in_any_one_part_has_a_high_score(normals):
    found = Normals.of(normals, 0.01)
    for part, deviation in enumerate([1, 5, 0.1]):
        odd = np.array([[10.0, -3.0, 0.0]])
        odd[0, part] += 8 * deviation
        assert found.score(odd)[0] > found.threshold
        odd[0, part] -= 16 * deviation  # more usual than usual is not odd
        assert found.score(odd)[0] < 0.1


def test_a_header_keeps_it(normals):
    found = Normals.of(normals, 0.02)
    again = Normals.from_plain(json.loads(json.dumps(found.to_plain())))
    assert again.threshold == found.threshold
    assert again.rate == found.rate
    assert again.score(normals) == pytest.approx(found.score(normals))
    assert again.held_out == pytest.approx(found.held_out, abs=1e-4)


def test_a_ranking_tells_how_well_the_odd_ones_stand_out():
    scores, odd = np.array([0.1, 0.2, 0.3, 0.9]), np.array([False, False, True, True])
    told = ranking(scores, odd, 0.25)
    assert (told.auroc, told.average_precision, told.found, told.false_alarms) == (1, 1, 1, 0)
    mixed = ranking(scores, np.array([False, True, False, True]), 0.15)
    assert mixed.auroc == pytest.approx(0.75)
    assert mixed.found == 1
    assert mixed.false_alarms == 0.5


def test_where_all_are_of_one_kind_there_is_no_ranking():
    assert ranking(np.zeros(3), np.zeros(3, bool), 0.5) is None
