import numpy as np
import pytest
import torch
from clouds import cloud, shuffled
from torchmetrics.image.kid import poly_mmd

from impasto.evaluation import bands
from impasto.evaluation.kernel import kernel_distance


def by_pairs(real, generated):
    """Lemma 6 of arXiv 0805.2368, one pair after the other."""
    x, y = real.astype(np.float64).tolist(), generated.astype(np.float64).tolist()

    def mean(of, among):
        pairs = [
            (f, g)
            for i, f in enumerate(of)
            for j, g in enumerate(among)
            if of is not among or i != j
        ]
        cubes = [
            (sum(a * b for a, b in zip(f, g, strict=True)) / len(f) + 1) ** 3 for f, g in pairs
        ]
        return sum(cubes) / len(cubes)

    return mean(x, x) + mean(y, y) - 2 * mean(x, y)


def to_length(points):
    wide = points.astype(np.float64)
    return wide * (wide.shape[1] ** 0.5 / np.linalg.norm(wide, axis=1, keepdims=True))


@pytest.fixture(params=[(20, 20), (15, 31), (31, 4)], ids=str)
def sides(request):
    n, m = request.param
    return cloud(n, seed=1), 1.5 * cloud(m, seed=2, shift=0.3)


def test_it_is_the_mean_over_all_pairs(sides):
    usual, unit = kernel_distance(*sides, unit=False), kernel_distance(*sides, unit=True)
    assert usual.value == pytest.approx(by_pairs(*sides), rel=1e-6)
    assert unit.value == pytest.approx(by_pairs(*map(to_length, sides)), rel=1e-6)


@pytest.mark.parametrize("unit", [False, True])
def test_it_agrees_with_torchmetrics(unit):
    real, generated = cloud(50, seed=1), 1.5 * cloud(50, seed=2, shift=0.3)
    given = (to_length(part) if unit else part for part in (real, generated))
    expected = poly_mmd(*(torch.from_numpy(np.asarray(part, np.float64)) for part in given))
    found = kernel_distance(real, generated, unit=unit)
    assert found.value == pytest.approx(float(expected), rel=1e-6)


def test_lengths_count_for_the_usual_distance_only(sides):
    real, generated = sides
    longer = generated * np.linspace(1, 3, len(generated), dtype=np.float32)[:, None]
    for unit in (True, False):
        before = kernel_distance(real, generated, unit=unit).value
        same = kernel_distance(real, longer, unit=unit).value == pytest.approx(before, rel=1e-5)
        assert same is unit


@pytest.mark.parametrize("unit", [False, True])
def test_the_error_is_that_of_leaving_each_picture_out(sides, unit):
    variance = 0.0
    for side in (0, 1):
        values = []
        for left_out in range(len(sides[side])):
            given = list(sides)
            given[side] = np.delete(given[side], left_out, axis=0)
            values.append(kernel_distance(*given, unit=unit).value)
        count = len(values)
        variance += (count - 1) / count * np.square(values - np.mean(values)).sum()
    assert kernel_distance(*sides, unit=unit).error == pytest.approx(variance**0.5, rel=1e-6)


@pytest.mark.parametrize("unit", [False, True])
@pytest.mark.parametrize(("n", "m", "shift"), [(100, 100, 0.3), (100, 40, 0.3), (60, 60, 0.0)])
def test_it_has_no_bias_and_its_error_is_the_scatter_over_draws(n, m, shift, unit):
    draws = [
        kernel_distance(cloud(n, seed=i), cloud(m, seed=5_000 + i, shift=shift), unit=unit)
        for i in range(300)
    ]
    values = np.array([draw.value for draw in draws])
    far = kernel_distance(cloud(2_000, seed=1), cloud(2_000, seed=2, shift=shift), unit=unit)
    scatter = values.std(ddof=1)
    allowed = 4 * (scatter / len(values) ** 0.5 + far.error)
    assert abs(values.mean() - far.value) < allowed, "no bias by number"
    told = np.mean([draw.error**2 for draw in draws]) ** 0.5
    # Where the sides are alike, terms of second order matter, which the jackknife counts twice.
    assert 0.8 * scatter < told < (1.25 if shift else 1.7) * scatter


@pytest.mark.parametrize("unit", [False, True])
def test_neither_order_nor_bands_matter(sides, unit, monkeypatch):
    found = kernel_distance(*sides, unit=unit)
    turned = kernel_distance(*map(shuffled, sides), unit=unit)
    assert turned == pytest.approx(found, rel=1e-9)
    assert kernel_distance(*sides[::-1], unit=unit) == pytest.approx(found, rel=1e-9)
    monkeypatch.setattr(bands, "BAND", 50)
    assert kernel_distance(*sides, unit=unit) == pytest.approx(found, rel=1e-9)


@pytest.mark.parametrize("unit", [False, True])
def test_pictures_that_are_all_the_same_do_no_harm(unit):
    real, nothing = cloud(20), np.zeros((20, 12), np.float32)
    assert np.isfinite(kernel_distance(real, nothing, unit=unit)).all()
    assert kernel_distance(nothing, nothing, unit=unit) == pytest.approx((0, 0), abs=1e-12)
