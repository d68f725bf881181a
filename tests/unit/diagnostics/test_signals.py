import math

import pytest
import torch

from impasto.diagnostics import signals
from impasto.diagnostics.signals import RealLook


def noise(count=64, side=16, channels=3, seed=0, scale=0.3):
    drawn = torch.randn(count, channels, side, side, generator=torch.Generator().manual_seed(seed))
    return (drawn * scale).clamp(-1, 1)


@pytest.fixture
def real():
    return RealLook(noise(128))


# What the discriminator says ----------------------------------------------------------------


def test_separation_is_the_chance_that_a_real_picture_is_ranked_higher():
    real, fake = torch.tensor([1.0, 2.0, 3.0]), torch.tensor([0.0, 2.0])
    told = signals.judgement(real, torch.zeros(0), fake)
    # Of six pairs, real is above in 1>0, 2>0, 3>0, 3>2, alike in 2=2, below in 1<2.
    assert told["separation"] == pytest.approx((4 + 0.5) / 6)
    assert "recognition" not in told


def test_recognition_does_not_depend_on_the_scale_of_logits():
    real, unseen = torch.tensor([1.0, 2.0, 5.0]), torch.tensor([0.5, 3.0])
    fake = torch.tensor([-1.0])
    once = signals.judgement(real, unseen, fake)
    again = signals.judgement(real * 7 + 3, unseen * 7 + 3, fake * 7 + 3)
    assert once["recognition"] == again["recognition"]
    assert once["held_out_logit"] == pytest.approx(1.75)


def test_accuracies_are_shares_on_the_right_side():
    told = signals.judgement(
        torch.tensor([1.0, -1.0]), torch.tensor([1.0]), torch.tensor([-1.0, -2.0, 3.0])
    )
    assert told["real_accuracy"] == 0.5
    assert told["fake_accuracy"] == pytest.approx(2 / 3)
    assert told["held_out_accuracy"] == 1


# Variety ------------------------------------------------------------------------------------


def test_other_pictures_of_the_same_kind_are_as_varied(real):
    told = signals.variety(noise(64, seed=1), real)
    assert all(value == pytest.approx(1, abs=0.1) for value in told.values())


def test_one_picture_many_times_has_no_diversity(real):
    one = noise(1, seed=1).expand(64, -1, -1, -1) + noise(64, seed=2, scale=0.001)
    told = signals.variety(one, real)
    assert told["diversity"] < 0.01
    assert told["kinds"] < 0.05


def test_a_few_pictures_many_times_are_not_apart(real):
    few = noise(4, seed=1).repeat(16, 1, 1, 1) + noise(64, seed=2, scale=0.001)
    told = signals.variety(few, real)
    assert told["diversity"] > 0.7
    assert told["apartness"] < 0.05
    assert told["kinds"] < 0.3


def test_identical_pictures_are_told_without_a_failure(real):
    told = signals.variety(torch.zeros(64, 3, 16, 16), real)
    assert told["diversity"] == 0
    assert all(map(math.isfinite, told.values()))


# Likeness -----------------------------------------------------------------------------------


def test_the_same_distribution_is_near(real):
    assert abs(signals.likeness(noise(64, seed=1), real)["energy_distance"]) < 0.02


def test_brightness_and_contrast_are_told(real):
    brighter = noise(64, seed=1) * 0.5 + 0.4
    told = signals.likeness(brighter, real)
    assert told["brightness_shift"] == pytest.approx(0.4, abs=0.01)
    assert told["contrast_ratio"] == pytest.approx(0.5, abs=0.02)
    assert told["energy_distance"] > 0.5


def test_a_tint_is_a_shift_of_color(real):
    tinted = noise(64, seed=1)
    tinted[:, 0] += 0.3
    told = signals.likeness(tinted, real)
    assert told["color_shift"] == pytest.approx(0.3, abs=0.02)
    assert told["brightness_shift"] == pytest.approx(0.1, abs=0.02)


def test_the_energy_distance_is_that_of_its_definition(real):
    fakes = noise(32, seed=3) + 0.2
    x, y = signals.small(real.images).double(), signals.small(fakes).double()

    def mean(a, b, pairs):
        return torch.cdist(a, b).sum() / pairs

    n, m = len(x), len(y)
    within = mean(x, x, n * (n - 1)), mean(y, y, m * (m - 1))
    expected = (2 * mean(x, y, n * m) - sum(within)) / within[0]
    told = signals.likeness(fakes, real)["energy_distance"]
    assert told == pytest.approx(float(expected), rel=1e-4)


def test_saturation_and_ranges(real):
    fakes = torch.ones(64, 3, 16, 16)
    fakes[:32] = -0.5
    told = signals.ranges(fakes, real)
    assert (told["fake_lowest"], told["fake_highest"]) == (-0.5, 1.0)
    assert told["saturation"] == pytest.approx(0.5, abs=0.01)


# Checkerboards ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("period", "strides"), [(2, (2, 2, 2)), (3, (3, 2)), (4, (2, 2)), (6, (3, 2))]
)
def test_a_pattern_with_the_period_of_the_strides_is_found(period, strides):
    real = RealLook(noise(64, side=48))
    fakes = noise(64, side=48, seed=1)
    clean = signals.checkerboard(fakes, real, strides)["checkerboard"]
    grid = torch.zeros(48, 48)
    grid[::period, ::period] = 1
    marked = signals.checkerboard(fakes + 0.5 * grid, real, strides)["checkerboard"]
    assert abs(clean) < 0.3
    assert marked > 0.5


def test_a_pattern_of_another_period_is_no_checkerboard():
    real, fakes = RealLook(noise(64, side=48)), noise(64, side=48, seed=1)
    grid = torch.zeros(48, 48)
    grid[::3, ::3] = 1
    assert signals.checkerboard(fakes + 0.5 * grid, real, (2, 2))["checkerboard"] < 0.3


def test_what_the_data_have_themselves_is_no_checkerboard():
    grid = torch.zeros(32, 32)
    grid[::2, ::2] = 0.5
    real = RealLook(noise(64, side=32) + grid)
    told = signals.checkerboard(noise(64, side=32, seed=1) + grid, real, (2,))
    assert abs(told["checkerboard"]) < 0.1


def test_networks_without_strides_have_no_checkerboard(real):
    assert signals.checkerboard(noise(), real, ()) == {}


# Company and movement -----------------------------------------------------------------------


def test_pictures_that_do_not_change_with_their_company_leak_nothing():
    fakes = noise()
    assert signals.company(fakes, fakes) == {"batch_leak": 0.0}
    assert signals.company(fakes, noise(seed=5))["batch_leak"] == pytest.approx(1, abs=0.05)


def test_movement_is_told_from_the_second_look_on(real):
    assert signals.movement(noise(), [], real) == {}
    assert signals.movement(noise(), [noise()], real) == {"grid_change": 0.0}


def test_going_back_is_told_from_going_on(real):
    a, b, c = (noise(seed=seed) for seed in (1, 2, 3))
    back = signals.movement(a, [b, a, b], real)
    on = signals.movement(a, [b, c], real)
    assert back["grid_return"] == 0
    assert on["grid_return"] == pytest.approx(1, abs=0.1)
    assert back["grid_change"] == pytest.approx(1, abs=0.1)
