import numpy as np
import pytest
import torch
from clouds import cloud, shuffled
from scipy.linalg import sqrtm
from torchmetrics.image.fid import _compute_fid

from impasto.evaluation import bands
from impasto.evaluation.frechet import (
    Moments,
    distance_of_moments,
    frechet_distance,
    frechet_error,
    moments_of,
)

SINGULAR = "ignore:Matrix is (singular|ill-conditioned)"  # SciPy says so, and is right to 7 digits


def by_roots(real, generated):
    """The formula as it is written, by SciPy's square root of a matrix."""
    x, y = real.astype(np.float64), generated.astype(np.float64)
    a, b = np.cov(x, rowvar=False), np.cov(y, rowvar=False)
    gap = np.square(x.mean(0) - y.mean(0)).sum()
    return gap + np.trace(a + b - 2 * sqrtm(a @ b).real)


def by_torchmetrics(real, generated):
    moments = [moments_of(part) for part in (real, generated)]
    given = [part for each in moments for part in (each.mean, each.covariance)]
    return float(_compute_fid(*given))


def normal(mean, covariance):
    as_tensor = torch.from_numpy
    return Moments(as_tensor(np.asarray(mean, float)), as_tensor(np.asarray(covariance, float)))


# Closed forms -----------------------------------------------------------------------------------


def test_equal_shapes_are_as_far_apart_as_their_means():
    shape = np.array([[2.0, 0.5], [0.5, 1.0]])
    assert distance_of_moments(normal([0, 0], shape), normal([3, 4], shape)) == pytest.approx(25)


def test_axes_differ_by_their_deviations():
    """For covariances that commute the distance is that of the deviations."""
    one, other = np.array([1.0, 4.0, 9.0]), np.array([16.0, 4.0, 1.0])
    found = distance_of_moments(normal([0] * 3, np.diag(one)), normal([0] * 3, np.diag(other)))
    assert found == pytest.approx(np.square(one**0.5 - other**0.5).sum())


def test_two_dimensions_have_a_formula():
    """There, tr (A B)^1/2 = (tr A B + 2 (det A det B)^1/2)^1/2."""
    a, b = np.array([[2.0, 0.7], [0.7, 1.0]]), np.array([[1.0, -0.4], [-0.4, 3.0]])
    overlap = (np.trace(a @ b) + 2 * (np.linalg.det(a) * np.linalg.det(b)) ** 0.5) ** 0.5
    expected = 1 + np.trace(a + b) - 2 * overlap
    assert distance_of_moments(normal([1, 0], a), normal([0, 0], b)) == pytest.approx(expected)


@pytest.mark.parametrize("count", [8, 40], ids=["fewer pictures", "more pictures"])
def test_a_set_is_not_apart_from_itself(count):
    points = cloud(count)
    spread = float(moments_of(points).covariance.trace())
    assert abs(frechet_distance(points, points)) < 1e-9 * spread


@pytest.mark.parametrize(("n", "m"), [(8, 9), (8, 50), (50, 60), (60, 8)])
def test_neither_side_comes_first(n, m):
    one, other = cloud(n, seed=1), cloud(m, seed=2, shift=0.3)
    assert frechet_distance(one, other) == pytest.approx(frechet_distance(other, one), rel=1e-9)


# Agreement with others --------------------------------------------------------------------------


@pytest.mark.parametrize(("n", "m"), [(30, 40), (13, 13), (200, 25)])
def test_with_more_pictures_than_features_all_agree(n, m):
    real, generated = cloud(n, seed=1), 1.5 * cloud(m, seed=2, shift=0.3)
    found = frechet_distance(real, generated)
    assert found == pytest.approx(by_roots(real, generated), rel=1e-6)
    assert found == pytest.approx(by_torchmetrics(real, generated), rel=1e-6)


@pytest.mark.filterwarnings(SINGULAR)
@pytest.mark.parametrize(("n", "m"), [(5, 6), (12, 12), (6, 100), (100, 6), (2, 2)])
def test_with_fewer_pictures_than_features_all_agree(n, m):
    """Their roots are then of singular matrices, where rounding costs them half of the digits."""
    real, generated = cloud(n, seed=1), 1.5 * cloud(m, seed=2, shift=0.3)
    found = frechet_distance(real, generated)
    assert found == pytest.approx(by_roots(real, generated), rel=1e-6)
    assert found == pytest.approx(by_torchmetrics(real, generated), rel=1e-6)
    assert found == pytest.approx(
        distance_of_moments(moments_of(real), moments_of(generated)), rel=1e-6
    )


@pytest.mark.filterwarnings(SINGULAR)
@pytest.mark.parametrize(("n", "m"), [(40, 50), (40, 8)])
def test_features_that_never_vary_do_no_harm(n, m):
    real, generated = cloud(n, seed=1, rank=5), cloud(m, seed=2, rank=7, shift=0.1)
    real[:, 3] = generated[:, 3] = 0
    real[:, 4] = 2
    found = frechet_distance(real, generated)
    assert found == pytest.approx(by_roots(real, generated), rel=1e-6)
    assert np.isfinite(frechet_error(real, generated))


def test_a_collapsed_side_is_a_point():
    real, point = cloud(40), np.full((30, 12), 0.25, np.float32)
    moments = moments_of(real)
    expected = (moments.mean - 0.25).square().sum() + moments.covariance.trace()
    for generated in (point, point[:6]):
        assert frechet_distance(real, generated) == pytest.approx(float(expected), rel=1e-9)
        assert 0 < frechet_error(real, generated) < float(expected)
    assert frechet_distance(point, point) == 0
    assert frechet_error(point, point) == 0


def test_moments_are_those_of_numpy(monkeypatch):
    monkeypatch.setattr(bands, "BAND", 50)  # four rows at a time
    points = cloud(31)
    found, wide = moments_of(points), points.astype(np.float64)
    assert np.allclose(found.mean, wide.mean(0), rtol=1e-12)
    assert np.allclose(found.covariance, np.cov(wide, rowvar=False), rtol=1e-12, atol=1e-15)


@pytest.mark.parametrize("count", [8, 60])
def test_bands_change_nothing(count, monkeypatch):
    real, generated = cloud(count, seed=1), cloud(count, seed=2, shift=0.2)
    whole = frechet_distance(real, generated), frechet_error(real, generated)
    monkeypatch.setattr(bands, "BAND", 50)
    assert (frechet_distance(real, generated), frechet_error(real, generated)) == pytest.approx(
        whole, rel=1e-9
    )


@pytest.mark.parametrize("count", [8, 60])
def test_the_order_of_pictures_does_not_matter(count):
    real, generated = cloud(count, seed=1), cloud(count + 3, seed=2, shift=0.2)
    turned = shuffled(real), shuffled(generated)
    assert frechet_distance(*turned) == pytest.approx(frechet_distance(real, generated), rel=1e-9)
    assert frechet_error(*turned) == pytest.approx(frechet_error(real, generated), rel=1e-6)


# Errors -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("n", "m", "dimensions", "shift"),
    [(400, 400, 12, 0.5), (400, 200, 12, 0.0), (60, 60, 100, 0.3), (60, 400, 100, 0.3)],
)
def test_the_error_is_about_the_scatter_over_draws(n, m, dimensions, shift):
    draws = [
        (cloud(n, dimensions, seed=i), 1.3 * cloud(m, dimensions, seed=1_000 + i, shift=shift))
        for i in range(100)
    ]
    scatter = np.std([frechet_distance(*draw) for draw in draws], ddof=1)
    told = np.mean([frechet_error(*draw) for draw in draws[:20]])
    assert scatter / 2 < told < 2 * scatter
