import json

import numpy as np
import pytest
from clouds import cloud, shuffled

from impasto.evaluation import bands
from impasto.evaluation.memorization import FEWEST_HELD_OUT, CopyTest


def drawn(count, seed, dimensions=16):
    return np.abs(cloud(count, dimensions, seed=seed, shift=1.0))


TRAINING, HELD_OUT, HONEST = drawn(400, 1), drawn(200, 2), drawn(300, 3)


def near(points, amount, seed=7):
    noise = np.random.default_rng(seed).standard_normal(points.shape).astype(np.float32)
    return points + amount * noise


@pytest.fixture(params=[len(HELD_OUT), 0], ids=["held out", "none held out"])
def held_out(request):
    return HELD_OUT[: request.param]


# Verdicts ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("amount", [0, 0.01, 0.1])
def test_copies_are_caught(held_out, amount):
    found = CopyTest(TRAINING, held_out)(near(TRAINING[:300], amount))
    assert found.caught
    assert found.share > 0.9
    assert np.mean(found.nearest == np.arange(300)) > 0.9


def test_copies_among_honest_pictures_are_caught_and_come_first(held_out):
    mixed = np.concatenate([HONEST[:270], near(TRAINING[:30], 0.03)])
    found = CopyTest(TRAINING, held_out)(mixed)
    assert found.caught
    assert 0.08 < found.share < 0.14
    assert set(found.order[:30]) == set(range(270, 300))
    assert np.array_equal(found.nearest[270:], np.arange(30))


def test_copies_of_a_few_pictures_are_caught(held_out):
    """A generator that collapsed onto five training pictures."""
    assert CopyTest(TRAINING, held_out)(near(np.repeat(TRAINING[:5], 40, axis=0), 0.02)).caught


@pytest.mark.parametrize("other", [HONEST, 5 * HONEST, HONEST[:, ::-1], HONEST[:10]], ids=range(4))
def test_other_pictures_pass(held_out, other):
    found = CopyTest(TRAINING, held_out)(np.ascontiguousarray(other))
    assert not found.caught
    assert found.share < 0.05


def test_being_in_the_midst_of_the_reals_is_no_copying(held_out):
    """Pictures less varied than reals are nearer to all of them, and single none out."""
    narrow = np.maximum(9 - HONEST, 0)  # by direction, since its points are far from nought
    found = CopyTest(TRAINING, held_out)(narrow)
    assert found.distance.median < 0.8 * found.distance.reference_median
    assert found.relative.share < 0.01
    assert not found.caught


def test_fainter_copies_are_copies(held_out):
    assert CopyTest(TRAINING, held_out)(TRAINING[:100] / 3).caught


def test_a_set_with_everything_twice_is_not_blind(held_out):
    twice = shuffled(np.concatenate([TRAINING, TRAINING, TRAINING[:50]]))
    test = CopyTest(twice, held_out)
    for generated in (TRAINING[:200], near(TRAINING[:200], 0.05)):
        found = test(generated)
        assert found.caught
        assert found.distance.share > 0.5
        assert found.relative.share > 0.5
        assert np.allclose(twice[found.nearest], TRAINING[:200])
    assert not test(HONEST).caught
    assert test(HONEST).n_training == 850


@pytest.mark.parametrize("held", [0, FEWEST_HELD_OUT - 1, FEWEST_HELD_OUT])
def test_with_few_held_out_pictures_training_pictures_are_asked_for_one_another(held):
    found = CopyTest(TRAINING, drawn(held, 2))(HONEST)
    if held < FEWEST_HELD_OUT:
        assert (found.reference, found.n_reference) == ("training", 400)
        assert "training pictures among themselves" in str(found)
    else:
        assert (found.reference, found.n_reference) == ("held-out", held)
        assert f"{held} held-out pictures" in str(found)


def test_the_fewest_held_out_pictures_are_enough_to_find_one_copy_in_ten():
    mixed = np.concatenate([HONEST[:270], TRAINING[:30]])
    assert CopyTest(TRAINING, drawn(FEWEST_HELD_OUT, 2))(mixed).caught


@pytest.mark.parametrize("training", [1, 2, 3, 4, 10, 50, 51])
def test_small_sets_can_be_asked(training, held_out):
    test = CopyTest(TRAINING[:training], held_out)
    for generated in (HONEST, TRAINING[:training], np.zeros((5, 16), np.float32)):
        found = test(generated)
        assert np.isfinite(found.distances).all()
        assert json.loads(json.dumps(found.to_plain(), allow_nan=False))


@pytest.mark.parametrize("points", [np.zeros((30, 16), np.float32), np.ones((30, 16), np.float32)])
def test_a_set_of_one_picture_thirty_times_says_nothing(points):
    test = CopyTest(points, points[:0])
    assert not test(HONEST).caught
    assert not test(points).caught
    assert json.dumps(test(points).to_plain(), allow_nan=False)


def test_what_is_said_without_knowing_the_training_set_says_so():
    found = CopyTest(TRAINING, HELD_OUT[:0], among="real")(TRAINING[:100])
    assert str(found).startswith(
        "memorisation: repeats real pictures; of 100 samples 100.0% single out"
    )
    assert "400 real pictures" in str(found)
    assert found.to_plain()["among"] == "real"


def test_the_verdict_and_its_numbers_are_told():
    plain = CopyTest(TRAINING, HELD_OUT)(TRAINING[:100]).to_plain()
    assert plain["memorized"] is True
    assert (plain["closer_share"], plain["expected_share"]) == (1, 0.01)
    assert (plain["n_generated"], plain["n_training"], plain["n_reference"]) == (100, 400, 200)
    assert plain["distance"]["p_value"] < 1e-9
    honest = CopyTest(TRAINING, HELD_OUT)(HONEST)
    assert honest.to_plain()["memorized"] is False
    assert str(honest).startswith("memorisation: no sign of it; of 300 samples ")


# What it rests on -------------------------------------------------------------------------------


def test_neither_order_nor_bands_matter(held_out, monkeypatch):
    generated = np.concatenate([HONEST, near(TRAINING[:30], 0.05)])
    before = CopyTest(TRAINING, held_out)(generated).to_plain()
    turned = CopyTest(shuffled(TRAINING), shuffled(held_out))(shuffled(generated)).to_plain()
    monkeypatch.setattr(bands, "BAND", 2_000)
    for other in (turned, CopyTest(TRAINING, held_out)(generated).to_plain()):
        for name in ("distance", "relative"):
            assert other.pop(name) == pytest.approx(before[name], rel=1e-9)
        assert other == {key: before[key] for key in other}


def test_nearest_and_distances_are_those_of_all_pairs():
    found = CopyTest(TRAINING, HELD_OUT)(HONEST)
    x, y = (part / np.linalg.norm(part, axis=1, keepdims=True) for part in (HONEST, TRAINING))
    distances = np.linalg.norm(x[:, None].astype(np.float64) - y[None], axis=2)
    assert np.array_equal(found.nearest, distances.argmin(1))
    assert np.allclose(found.distances, distances.min(1), rtol=1e-5)


@pytest.mark.parametrize(("held", "generated"), [(0, 200), (100, 1_000), (300, 300)], ids=str)
def test_false_alarms_are_rare(held, generated):
    """Sets drawn alike, again and again; the test promises a few in a thousand at most."""
    alarms = 0
    for seed in range(400):
        given = drawn(200 + held + generated, 10_000 + seed, dimensions=6)
        test = CopyTest(given[:200], given[200 : 200 + held])
        alarms += test(given[200 + held :]).caught
    assert alarms <= 3
