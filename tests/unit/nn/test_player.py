import math

import pytest
import torch
from torch import nn

from impasto.nn.ema import Ema, decay
from impasto.nn.player import Player, adam


def player(**options):
    torch.manual_seed(0)
    network = nn.Linear(3, 1)
    return Player(network, torch.optim.SGD(network.parameters(), 1.0), **options)


def test_descend_is_one_step_of_gradient_descent():
    one = player()
    before = one.network.weight.clone()
    x = torch.tensor([[1.0, 2.0, 3.0]])
    one.descend(one.network(x).sum(), learning_rate=0.1)
    assert torch.allclose(one.network.weight, before - 0.1 * x)
    assert one.gradient_norm.item() == pytest.approx(math.sqrt(1 + 4 + 9 + 1))


def test_descend_leaves_the_other_player_and_its_gradients_alone():
    one, other = player(), player()
    before = other.network.weight.clone()
    one.descend(other.network(one.network(torch.ones(2, 3)).expand(2, 3)).sum(), learning_rate=1.0)
    assert torch.equal(other.network.weight, before)
    assert other.network.weight.grad is None


def test_a_step_with_gradients_that_are_not_finite_is_left_out():
    one = player()
    before = one.network.weight.clone()
    one.descend((one.network(torch.ones(1, 3)) * math.nan).sum(), learning_rate=1.0)
    assert torch.equal(one.network.weight, before)
    assert one.skipped.item() == 1
    assert one.gradient_norm.item() == 0
    one.descend(one.network(torch.ones(1, 3)).sum(), learning_rate=1.0)
    assert one.skipped.item() == 0
    assert not torch.equal(one.network.weight, before)


def test_clipping_bounds_every_component():
    one = player(clip_value=0.5)
    before = one.network.weight.clone()
    one.descend(one.network(torch.tensor([[0.1, -3.0, 9.0]])).sum(), learning_rate=1.0)
    assert torch.allclose(before - one.network.weight, torch.tensor([[0.1, -0.5, 0.5]]))


def test_a_step_does_not_depend_on_how_a_gradient_lies_in_memory():
    # Some backward passes return plain layout for channels-last weights; a fused optimizer would mix
    # up their components.
    torch.manual_seed(0)
    network = nn.Conv2d(3, 4, 3, bias=False).to(memory_format=torch.channels_last)
    one = Player(network, adam(network, 0.1, (0.0, 0.9)))
    before, wanted = network.weight.detach().clone(), torch.randn(4, 3, 3, 3)
    one.descend((network.weight.contiguous() * wanted).sum(), learning_rate=0.1)
    assert torch.allclose(network.weight, before - 0.1 * wanted.sign(), atol=1e-4)


def test_a_restored_player_takes_the_same_next_step():
    def trained(steps, start=None):
        torch.manual_seed(0)
        network = nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4), nn.Linear(4, 1))
        one = Player(network, adam(network, 0.1, (0.5, 0.999)), ema=Ema(network, 100.0))
        if start:
            one.restore(start)
        for step in steps:
            x = torch.randn(4, 3, generator=torch.Generator().manual_seed(step))
            one.descend(one.network(x).square().mean(), learning_rate=0.1)
            one.average(step * 4, 4)
        return {name: value.clone() for name, value in one.state().items()}

    whole = trained(range(6))
    halves = trained(range(3, 6), trained(range(3)))
    assert whole.keys() == halves.keys()
    assert all(torch.equal(whole[name], halves[name]) for name in whole)


def test_decay_halves_over_a_half_life():
    assert decay(1000, 10**6, 10) ** 100 == pytest.approx(0.5)


def test_a_young_average_is_short_and_an_unborn_one_a_copy():
    assert decay(1000, 0, 10) == 0
    assert decay(1000, 200, 10) == pytest.approx(0.5)  # half-life 5% of 200


def test_the_average_follows_weights_and_statistics():
    network = nn.BatchNorm1d(1)
    ema = Ema(network, 10.0)
    with torch.no_grad():
        network.weight.fill_(3.0)
        network.running_mean.fill_(2.0)
        network.num_batches_tracked.fill_(7)
    ema.update(network, 10**6, 10)
    assert ema.network.weight.item() == pytest.approx(2.0)
    assert ema.network.running_mean.item() == pytest.approx(1.0)
    assert ema.network.num_batches_tracked.item() == 7
    assert not ema.network.weight.requires_grad
