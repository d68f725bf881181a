"""Both ways downhill find the bottom, keep pixels pixels, and go on after being put away."""

import pytest
import torch

from impasto.seeds import stream
from impasto.style.descent import LBFGS, Adam

GOAL = torch.rand(1, 3, 4, 5, generator=stream(0, "goal")) * 1.6 - 0.8
CURVED = torch.logspace(0, 3, 60).view(
    1, 3, 4, 5
)  # a thousand times as steep along one pixel as another


def loss(picture):
    return float((CURVED * (picture - GOAL).square()).sum())


def slope(picture):
    return 2 * CURVED * (picture - GOAL)


def descended(descent, steps, picture=None):
    picture = torch.zeros_like(GOAL) if picture is None else picture
    for _ in range(steps):
        picture = descent.step(picture, slope(picture))
    return picture


def test_lbfgs_finds_the_bottom_of_a_steep_valley():
    assert loss(descended(LBFGS(), 120)) < 1e-6 * loss(torch.zeros_like(GOAL))


def test_adam_finds_it_too():
    assert loss(descended(Adam(0.02), 400)) < 1e-3 * loss(torch.zeros_like(GOAL))


def test_adam_is_torch_s():
    leaf = torch.zeros_like(GOAL).requires_grad_()
    torchs = torch.optim.Adam([leaf], 0.02, (0.9, 0.99), eps=1e-12)
    ours, picture = Adam(0.02), torch.zeros_like(GOAL)
    for _ in range(20):
        leaf.grad = slope(leaf.detach())
        torchs.step()
        picture = ours.step(picture, slope(picture))
    torch.testing.assert_close(picture, leaf.detach())


@pytest.mark.parametrize("make", [LBFGS, lambda: Adam(0.5)])
def test_pixels_stay_pixels(make):
    picture, descent = torch.zeros_like(GOAL), make()
    for _ in range(6):
        picture = descent.step(picture, -torch.ones_like(GOAL) * 100)
        assert float(picture.abs().max()) <= 1


@pytest.mark.parametrize("make", [LBFGS, lambda: Adam(0.02)])
def test_it_goes_on_where_it_was(make):
    whole = descended(make(), 14)
    first, second = make(), make()
    half = descended(first, 7)
    second.restore(first.state())
    assert torch.equal(descended(second, 7, half), whole)


def test_lbfgs_keeps_so_many_pairs():
    descent = LBFGS(3)
    descended(descent, 9)
    assert len(descent.moves) == len(descent.changes) == 3


def test_adam_takes_its_moments_along_and_lbfgs_begins_anew():
    adam, lbfgs = Adam(0.02), LBFGS()
    for descent in (adam, lbfgs):
        descended(descent, 4)
    before = adam.mean.mean(), adam.square.mean()
    for descent in (adam, lbfgs):
        descent.enlarge(16, 20)
    assert adam.mean.shape == (1, 3, 16, 20)
    # Where a loss is a mean over pixels, each of sixteen times as many has a sixteenth of its gradient.
    torch.testing.assert_close(adam.mean.mean(), before[0] / 16, rtol=0.2, atol=1e-6)
    torch.testing.assert_close(adam.square.mean(), before[1] / 256, rtol=0.5, atol=1e-6)
    assert not lbfgs.state()
