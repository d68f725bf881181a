import pytest

from impasto.schedules import Constant, Cosine, InverseTime, StepDecay
from impasto.types import Budget, Progress


def at(images, *, total=1000, epoch=100):
    return Progress(images, Budget(total, "images"), epoch)


def test_constant_is_one_everywhere():
    assert {Constant().factor(at(images)) for images in (0, 500, 1000)} == {1.0}


def test_step_decay_falls_by_gamma_after_whole_periods():
    decay = StepDecay(gamma=0.9, epochs=2)
    assert [decay.factor(at(images)) for images in (0, 199, 200, 400)] == pytest.approx(
        [1, 1, 0.9, 0.81]
    )


def test_cosine_goes_from_one_by_the_mean_to_its_end():
    cosine = Cosine(final=0.2)
    assert [cosine.factor(at(images)) for images in (0, 500, 1000, 2000)] == pytest.approx(
        [1, 0.6, 0.2, 0.2]
    )


def test_cosine_follows_the_clock_when_the_budget_is_time():
    halfway = Progress(1, Budget(2, "minutes"), 100, seconds=60)
    assert Cosine().factor(halfway) == pytest.approx(0.5)


def test_inverse_time_counts_steps():
    assert InverseTime(decay=0.1, batch=20).factor(at(200)) == pytest.approx(1 / 2)
