import numpy as np
import pytest
from clouds import cloud, shuffled
from scipy.spatial.distance import cdist

from impasto.evaluation import bands
from impasto.evaluation.manifold import manifold_scores


def by_loops(real, generated):
    """Precision and recall, density and coverage, as their papers write them."""
    x, y = real.astype(np.float64), generated.astype(np.float64)
    across, within_x, within_y = cdist(x, y), cdist(x, x), cdist(y, y)

    def reach(within, k):
        return [sorted(row)[k] for row in within]  # the first is the picture itself

    def on(distances, reaches):
        return np.mean(
            [any(d <= r for d, r in zip(row, reaches, strict=True)) for row in distances]
        )

    wider = reach(within_x, 5)
    inside = [[across[i, j] < wider[i] for j in range(len(y))] for i in range(len(x))]
    return {
        "precision": on(across.T, reach(within_x, 3)),
        "recall": on(across, reach(within_y, 3)),
        "density": np.sum(inside) / (5 * len(y)),
        "coverage": np.mean([any(row) for row in inside]),
    }


def scores(real, generated):
    return values(manifold_scores(real, generated, unit=False))


def values(found):
    return {name: estimate.value for name, estimate in found.items()}


@pytest.fixture(params=[(40, 40), (25, 60), (60, 10)], ids=str)
def sides(request):
    n, m = request.param
    return cloud(n, 6, seed=1), 0.8 * cloud(m, 6, seed=2, shift=0.2)


def to_unit(points):
    wide = points.astype(np.float64)
    return wide / np.linalg.norm(wide, axis=1, keepdims=True)


def test_they_agree_with_the_papers_formulas(sides):
    assert scores(*sides) == pytest.approx(by_loops(*sides), rel=1e-6)


def test_on_unit_lengths_they_are_the_formulas_of_directions(sides):
    found = values(manifold_scores(*sides, unit=True))
    assert found == pytest.approx(by_loops(*map(to_unit, sides)), rel=1e-6)


def test_neither_order_nor_bands_matter(sides, monkeypatch):
    found = scores(*sides)
    assert scores(*map(shuffled, sides)) == pytest.approx(found, rel=1e-9)
    monkeypatch.setattr(bands, "BAND", 100)
    assert scores(*sides) == pytest.approx(found, rel=1e-9)


def test_two_draws_of_the_same_kind_score_about_one():
    found = scores(cloud(500, 4, seed=1), cloud(500, 4, seed=2))
    assert all(0.85 < value < 1.15 for value in found.values())


def test_sets_that_are_far_apart_score_nothing():
    assert set(scores(cloud(50), cloud(50, shift=100)).values()) == {0}


def test_a_collapse_costs_variety_and_not_fidelity():
    real = cloud(200, 4, seed=1)
    found = scores(real, np.repeat(real[:1], 100, axis=0))
    assert found["precision"] == 1
    assert found["recall"] < 0.05
    assert found["coverage"] < 0.1


def test_an_outlier_among_the_reals_inflates_precision_and_not_density():
    """The figure of arXiv 2002.09797: one far real has a ball that holds almost anything."""
    real = cloud(200, 4, seed=1)
    real[0] = 60
    generated = cloud(200, 4, seed=2, shift=30)
    found = scores(real, generated)
    assert found["precision"] > 0.9
    assert found["density"] < 0.3


def test_errors_are_those_of_a_mean():
    found = manifold_scores(
        cloud(100, 6, seed=1), 0.9 * cloud(80, 6, seed=2, shift=0.3), unit=False
    )
    for name, count in (("precision", 80), ("recall", 100), ("coverage", 100)):
        value, error = found[name]
        assert error == pytest.approx((value * (1 - value) / count) ** 0.5)
    assert 0 < found["density"].error < 0.3


def test_the_error_of_precision_is_about_its_scatter_over_generated_pictures():
    real = cloud(100, 6, seed=1)
    draws = [
        manifold_scores(real, cloud(80, 6, seed=10 + i, shift=0.8), unit=False)["precision"]
        for i in range(150)
    ]
    scatter = np.std([draw.value for draw in draws], ddof=1)
    assert 0.75 * scatter < np.mean([draw.error for draw in draws]) < 1.35 * scatter


def test_pictures_that_are_all_the_same_do_no_harm():
    real, nothing = cloud(20), np.zeros((10, 12), np.float32)
    for given in ((real, nothing), (nothing, real), (nothing, nothing)):
        for unit in (True, False):
            assert np.isfinite(list(manifold_scores(*given, unit=unit).values())).all()


def test_small_features_are_not_mistaken_for_good_ones():
    """One real has small features too, and a wide ball about it that holds all that is small."""
    real = np.abs(cloud(100, 6, seed=1)) + 3
    real[0] = (0, 0, 0, 0, 0, 1)
    small = np.abs(cloud(100, 6, seed=2)) * 0.1 * (1, 0, 0, 0, 0, 0)
    assert values(manifold_scores(real, small, unit=False))["precision"] == 1
    assert values(manifold_scores(real, small, unit=True))["precision"] < 0.1
