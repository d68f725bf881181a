"""Clusters of codes that were made in clumps."""

import numpy as np
import pytest

from impasto.latents import clusters
from impasto.latents.clusters import by_density, by_means

SIZES = (120, 60, 30)


@pytest.fixture
def clumps():
    drawn = np.random.default_rng(0)
    middles = np.eye(3, 40) * 12
    rows = [middles[each] + drawn.normal(size=(size, 40)) for each, size in enumerate(SIZES)]
    return np.concatenate(rows), np.repeat(np.arange(3), SIZES)


def test_density_finds_how_many_there_are_and_numbers_them_by_size(clumps):
    codes, truth = clumps
    found = by_density(codes, least=10)
    inside = found.labels >= 0
    assert found.count == 3
    assert (found.labels[inside] == truth[inside]).all()
    assert inside.mean() > 0.8
    assert found.silhouette > 0.4


def test_of_many_some_are_clustered_and_the_others_belong_where_their_nearest_does(
    clumps, monkeypatch
):
    codes, truth = clumps
    monkeypatch.setattr("impasto.latents.clusters.COMPARED", 100)
    found = by_density(codes, least=16)
    inside = found.labels >= 0
    assert found.count == 3
    assert (found.labels[inside] == truth[inside]).all()
    assert inside.mean() > 0.6


def test_means_choose_the_number_that_parts_best_and_leave_nobody_out(clumps):
    codes, truth = clumps
    found = by_means(codes, count=None)
    assert found.count == 3
    assert (found.labels == truth).all()
    assert found.method == "k-means, k = 3"


def test_a_named_number_is_kept(clumps):
    assert by_means(clumps[0], count=7).count == 7


def test_where_nothing_is_dense_all_are_in_none_and_there_is_no_silhouette():
    spread = np.random.default_rng(0).uniform(size=(60, 8))
    found = by_density(spread, least=25)
    assert found.count <= 1
    assert np.isnan(found.silhouette)


@pytest.mark.parametrize("count", [4, 5, 6])
def test_few_pictures_and_equal_ones_have_clusters_too(count):
    rows = np.random.default_rng(0).normal(size=(count, 3))
    assert by_means(rows, count=None).count == 2
    assert by_density(rows, least=50).count == 0
    alike = by_means(np.zeros((20, 3)), count=None)
    assert (alike.count, alike.method) == (1, "k-means, k = 1")


def test_a_cluster_that_is_rare_among_many_is_no_error(monkeypatch):
    monkeypatch.setattr(clusters, "JUDGED", 20)
    rows = np.concatenate([np.random.default_rng(0).normal(size=(400, 3)), [[1e4, 1e4, 1e4]]])
    assert by_means(rows, count=2).count == 2


def test_the_same_clusters_every_time(clumps):
    one, other = (by_means(clumps[0], count=5, seed=3) for _ in range(2))
    assert (one.labels == other.labels).all()


def test_clusters_are_judged_by_other_codes_of_the_same_pictures(clumps):
    codes, truth = clumps
    found = by_means(truth[:, None].astype(float), count=3)
    again = found.judged_by(codes)
    assert (again.labels == found.labels).all()
    assert found.silhouette == pytest.approx(1)
    assert again.silhouette == pytest.approx(by_means(codes, count=3).silhouette)
