import numpy as np
import pytest
from clouds import cloud, shuffled

from impasto.evaluation.variety import diversity, inception_score, relative_diversity


def by_pairs(points):
    wide = points.astype(np.float64)
    unlike = [
        1 - a @ b / (np.linalg.norm(a) * np.linalg.norm(b))
        for i, a in enumerate(wide)
        for j, b in enumerate(wide)
        if i != j
    ]
    return np.mean(unlike)


def test_diversity_is_the_mean_over_pairs():
    points = cloud(20, shift=0.5)
    assert diversity(points).value == pytest.approx(by_pairs(points), rel=1e-6)


def test_its_error_is_that_of_leaving_each_picture_out():
    points = cloud(20, shift=0.5)
    values = [diversity(np.delete(points, i, axis=0)).value for i in range(20)]
    expected = (19 / 20 * np.square(values - np.mean(values)).sum()) ** 0.5
    assert diversity(points).error == pytest.approx(expected, rel=1e-6)


def test_its_error_is_the_scatter_over_draws():
    draws = [diversity(cloud(60, seed=i, shift=0.5)) for i in range(200)]
    scatter = np.std([draw.value for draw in draws], ddof=1)
    assert 0.8 * scatter < np.mean([draw.error for draw in draws]) < 1.25 * scatter


def test_copies_of_one_picture_have_none():
    real, collapsed = cloud(30, shift=0.5), np.repeat(cloud(1, shift=0.5), 20, axis=0)
    assert diversity(collapsed).value == pytest.approx(0, abs=1e-12)
    assert relative_diversity(real, collapsed).value == pytest.approx(0, abs=1e-12)


def test_draws_of_the_same_kind_are_as_varied_as_one_another():
    value, error = relative_diversity(cloud(400, seed=1, shift=0.5), cloud(300, seed=2, shift=0.5))
    assert abs(value - 1) < 4 * error < 0.4


def test_the_order_of_pictures_does_not_matter():
    real, generated = cloud(30, seed=1, shift=0.5), cloud(20, seed=2, shift=0.5)
    found = relative_diversity(real, generated)
    assert relative_diversity(shuffled(real), shuffled(generated)) == pytest.approx(found, rel=1e-9)


# Inception score --------------------------------------------------------------------------------


def by_definition(logits):
    given = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
    everything = given.mean(0)
    return np.exp(np.mean([sum(p * np.log(p / everything)) for p in given]))


def test_inception_score_is_its_definition():
    logits = cloud(50, 7, seed=3).astype(np.float64)
    assert inception_score(logits).value == pytest.approx(by_definition(logits), rel=1e-6)
    assert inception_score(shuffled(logits)).value == pytest.approx(by_definition(logits), rel=1e-9)


def test_sure_and_even_over_classes_is_the_number_of_classes():
    logits = np.tile(np.eye(5) * 800, (4, 1))  # surer than float64 can say of the others
    assert inception_score(logits) == pytest.approx((5, 0), abs=1e-9)


def test_the_same_for_every_picture_is_one():
    logits = np.tile(cloud(1, 5), (20, 1))
    assert inception_score(logits) == pytest.approx((1, 0), abs=1e-9)


def test_the_error_of_the_inception_score_is_about_its_scatter():
    draws = [inception_score(2 * cloud(200, 7, seed=i)) for i in range(200)]
    scatter = np.std([draw.value for draw in draws], ddof=1)
    assert 0.5 * scatter < np.mean([draw.error for draw in draws]) < 2 * scatter
