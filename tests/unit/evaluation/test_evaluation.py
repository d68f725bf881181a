from dataclasses import replace

import numpy as np
import pytest
from clouds import PROTOCOL, cloud, shuffled

from impasto.errors import SourceError
from impasto.evaluation.evaluation import FEWEST, advice_on, scores_of
from impasto.evaluation.score import METRICS


def numbers(*given, **words):
    return {
        name: (score.value, score.standard_error)
        for name, score in scores_of(*given, PROTOCOL, **words).items()
    }


def test_every_score_is_there_and_the_one_to_steer_by_comes_first():
    found = scores_of(cloud(20, seed=1), cloud(30, seed=2), PROTOCOL, logits=cloud(30, 5, seed=3))
    assert list(found) == list(METRICS)
    assert next(iter(found)) == "kernel_distance_unit"
    assert all(score.metric == name for name, score in found.items())
    assert all(score.protocol is PROTOCOL for score in found.values())


def test_without_classes_there_is_no_inception_score():
    assert "inception_score" not in scores_of(cloud(20, seed=1), cloud(30, seed=2), PROTOCOL)


@pytest.mark.parametrize(("n", "m"), [(20, 30), (10, 11), (8, 60)])
def test_the_order_of_pictures_does_not_matter(n, m):
    real, generated = cloud(n, seed=1, shift=0.5), cloud(m, seed=2, shift=0.6)
    found, turned = numbers(real, generated), numbers(shuffled(real), shuffled(generated))
    for name, (value, error) in found.items():
        assert turned[name][0] == pytest.approx(value, rel=1e-9), name
        assert turned[name][1] == pytest.approx(error, rel=1e-6), name


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_features_are_widened_before_anything_is_summed(dtype):
    real, generated = cloud(20, seed=1).astype(dtype), cloud(30, seed=2).astype(dtype)
    wide = numbers(real.astype(np.float64), generated.astype(np.float64))
    assert numbers(real, generated) == {
        name: pytest.approx(pair, rel=1e-9) for name, pair in wide.items()
    }


@pytest.mark.parametrize("broken", [np.nan, np.inf])
@pytest.mark.parametrize("side", ["real", "generated"])
def test_features_that_are_no_numbers_are_refused(side, broken):
    given = {"real": cloud(20, seed=1), "generated": cloud(20, seed=2)}
    given[side][3, 4] = broken
    with pytest.raises(SourceError, match=f"features of {side} pictures are not all finite"):
        scores_of(**given, protocol=PROTOCOL)


def test_a_generator_that_collapsed_onto_one_picture_gets_finite_scores():
    found = numbers(cloud(20, seed=1), np.repeat(cloud(1, seed=2), 15, axis=0))
    assert np.isfinite(list(found.values())).all()
    assert found["diversity"][0] == pytest.approx(0, abs=1e-9)
    assert found["recall_unit"][0] < 0.2


@pytest.mark.parametrize("value", [0, 1])
def test_reals_that_are_all_the_same_have_no_diversity_to_compare_with(value):
    found = numbers(np.full((20, 12), value, np.float32), cloud(20, seed=2))
    assert "diversity" not in found
    assert np.isfinite(list(found.values())).all()


def test_the_fewest_pictures_are_enough():
    found = numbers(cloud(FEWEST, seed=1), cloud(FEWEST, seed=2))
    assert np.isfinite(list(found.values())).all()


# Advice -----------------------------------------------------------------------------------------


def told(*, dimensions=1_280, own=False, among="training", **change):
    given = {"n_real": 5_000, "n_generated": 5_000, "extractor": "inception-v3", **change}
    notes = advice_on(replace(PROTOCOL, **given), dimensions=dimensions, own=own, among=among)
    return " ".join(notes)


def test_nothing_is_said_where_nothing_is_to_be_minded():
    assert told() == ""
    assert told(own=True, split="held-out") == ""


@pytest.mark.parametrize(
    "few", [{"n_real": 1_999}, {"n_generated": 500}, {"dimensions": 6_000}], ids=str
)
def test_few_pictures_are_warned_of(few):
    assert "the Frechet distance is mostly bias" in told(**few)


@pytest.mark.parametrize("split", ["all", "training"])
def test_scores_against_pictures_trained_on_are_warned_of(split):
    assert "copying them would score well" in told(own=True, split=split)
    assert "copying" not in told(own=False, split="all")


def test_published_distances_are_not_compared_with_those_of_another_extractor():
    assert "published distances are taken with inception-v3" in told(extractor="mobilenet-v2")


def test_looking_for_copies_elsewhere_than_in_the_training_set_is_said():
    assert "not known here" in told(among="real")
