import math

import pytest

from impasto.evaluation.score import Protocol, Score
from impasto.evaluation.standing import standings

PROTOCOL = Protocol(
    n_real=10, n_generated=10, real="cats", fingerprint="f", split="all", size=8, softened=None,
    extractor="random", extractor_sha256="s", resize="none", ema=True, seed=0,
)  # fmt: skip


def placed(metric, *pairs):
    return standings([Score(metric, value, error, PROTOCOL) for value, error in pairs])


def test_errors_of_both_count_together():
    worse, best = placed("kernel_distance", (2.0, 0.3), (1.0, 0.4))
    assert (best.best, best.behind, best.clear) == (True, 0.0, False)
    assert not worse.best
    assert worse.behind == pytest.approx(2.0)  # 1 / 0.5
    assert worse.clear


def test_which_way_is_better_is_the_metrics():
    assert [found.best for found in placed("recall", (0.5, 0.1), (0.6, 0.1))] == [False, True]
    assert [found.best for found in placed("frechet_distance", (5, 1), (6, 1))] == [True, False]


def test_a_small_difference_is_not_clear():
    assert not placed("recall", (0.5, 0.1), (0.6, 0.1))[0].clear


def test_of_equals_nobody_is_best_and_ties_share():
    assert [(f.best, f.behind) for f in placed("recall", (0, 0), (0, 0))] == [(False, 0.0)] * 2
    assert [f.best for f in placed("recall", (1, 0.1), (1, 0.2), (0, 0.1))] == [True, True, False]


def test_without_errors_any_difference_is_clear():
    worse, _ = placed("recall", (0.0, 0.0), (1.0, 0.0))
    assert worse.behind == math.inf
    assert worse.clear


def test_what_is_no_number_is_never_best():
    lost, best = placed("recall", (math.nan, 0.1), (0.2, 0.1))
    assert math.isnan(lost.behind)
    assert not lost.best
    assert not lost.clear
    assert best.best
    assert not any(found.best for found in placed("recall", (math.nan, 0.1), (math.nan, 0.1)))
