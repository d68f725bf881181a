"""Neighbours against a plain computation, and the shares that recall tells."""

import numpy as np
import pytest

from impasto.latents import neighbours
from impasto.latents.neighbours import Neighbours, graph_of, recall, unit


@pytest.fixture
def vectors():
    return np.random.default_rng(0).normal(size=(500, 16)).astype(np.float32)


def test_the_nearest_are_those_of_a_plain_computation(vectors, monkeypatch):
    monkeypatch.setattr(neighbours, "BLOCK", 64)
    wanted = np.random.default_rng(1).normal(size=(7, 16))
    rows, cosines = Neighbours(vectors).nearest(wanted, 9)
    every = unit(wanted) @ unit(vectors).T
    for row, cosine, all_of_them in zip(rows, cosines, every, strict=True):
        assert cosine.tolist() == pytest.approx(sorted(all_of_them, reverse=True)[:9], abs=1e-6)
        assert all_of_them[row].tolist() == pytest.approx(cosine.tolist(), abs=1e-6)


def test_a_vector_finds_itself_whatever_its_length(vectors):
    rows, cosines = Neighbours(vectors).nearest(vectors[:50] * 7, 1)
    assert rows[:, 0].tolist() == list(range(50))
    assert cosines[:, 0] == pytest.approx(1, abs=1e-5)


def test_ties_go_to_the_first_and_no_more_are_told_than_there_are():
    rows, _ = Neighbours(np.ones((3, 4), np.float32)).nearest(np.ones((1, 4)), 9)
    assert rows.tolist() == [[0, 1, 2]]


def test_past_the_limit_nearly_all_of_the_nearest_are_found(vectors, monkeypatch):
    pytest.importorskip("usearch", reason="the search extra is not installed")
    exactly, _ = Neighbours(vectors).nearest(vectors, 10)
    monkeypatch.setattr(neighbours, "EXACT", 100)
    graph = graph_of(vectors)
    assert graph
    nearly, cosines = Neighbours(vectors, graph).nearest(vectors, 10)
    found = [len({*some} & {*others}) for some, others in zip(exactly, nearly, strict=True)]
    assert np.mean(found) > 9.5
    assert np.mean(cosines[:, 0] > 1 - 1e-4) > 0.99


def test_a_graph_is_for_many_only(vectors, monkeypatch):
    assert graph_of(vectors) is None
    monkeypatch.setattr(neighbours, "EXACT", 100)
    monkeypatch.setattr(neighbours, "_library", lambda: None)
    assert graph_of(vectors) is None
    rows, _ = Neighbours(vectors, b"of another machine").nearest(vectors[:3], 1)
    assert rows[:, 0].tolist() == [0, 1, 2]


def test_recall_is_one_where_kinds_lie_apart_and_their_share_where_they_do_not(vectors):
    kinds = np.arange(500) % 5
    apart = np.eye(16)[kinds] * 50 + vectors
    assert recall(apart, kinds.tolist(), at=10) == pytest.approx(1)
    assert recall(vectors, kinds.tolist(), at=10) == pytest.approx(0.2, abs=0.03)


def test_pictures_without_others_of_their_kind_are_not_asked_for(vectors):
    assert np.isnan(recall(vectors[:3], ["a", "b", "c"], at=2))
