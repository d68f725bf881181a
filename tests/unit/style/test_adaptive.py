"""Any manner at once: what a network is told of it, and that it is learnt."""

import pytest
import torch

from impasto.losses.style import moments
from impasto.nn.adaptive import statistics
from impasto.nn.vgg import VGG
from impasto.seeds import seeded
from impasto.style.adaptive import AdaptiveConfig, AdaptiveLearner, AdaptiveNetwork, judged, mixed
from impasto.style.loss_network import KINDS, LossNetwork
from impasto.types import Budget, Progress

KIND = KINDS["vgg16-hed"]
BUDGET = Budget(1_000, "images")


def seeing(last):
    with seeded(0, "test"):
        network = VGG(KIND.depth, last)
        for convolution in network.features.values():  # as alive as trained ones
            torch.nn.init.kaiming_normal_(convolution.weight, nonlinearity="relu")
            torch.nn.init.zeros_(convolution.bias)
    return LossNetwork(network, KIND)


@pytest.fixture(scope="module")
def encoder():
    return seeing(KIND.style[3])


@pytest.fixture(scope="module")
def teacher():
    return seeing(KIND.style[4])


def pictures(seed, count=2):
    drawn = torch.Generator().manual_seed(seed)
    coarse = torch.rand(count, 3, 8, 8, generator=drawn) * 1.6 - 0.8
    return torch.nn.functional.interpolate(coarse, (64, 64), mode="bilinear")


class Paintings:
    def __init__(self, styles):
        self.styles, self.asked = styles, []

    def __len__(self):
        return len(self.styles)

    def __getitem__(self, number):
        self.asked.append(number)
        return self.styles[number : number + 1]


def learner(encoder, teacher, paintings, **told):
    config = AdaptiveConfig(width=4, codes=8, budget=BUDGET, **told)
    return AdaptiveLearner(config, teacher, encoder, paintings, torch.device("cpu"))


def test_paintings_have_the_colours_of_the_style_from_the_first(encoder):
    torch.manual_seed(0)
    network = AdaptiveNetwork(encoder, 4, 8)
    contents, styles = pictures(1), 0.2 * pictures(2) + 0.1
    with torch.no_grad():
        painted = network(contents, styles)
    for own, wanted in zip(statistics(painted), statistics(styles), strict=True):
        assert torch.allclose(own, wanted, atol=1e-2)


def test_manners_mix_by_their_shares(encoder):
    torch.manual_seed(0)
    network = AdaptiveNetwork(encoder, 4, 8)
    contents, one, other = pictures(1), network.manner(pictures(2)), network.manner(pictures(3))
    for all_of, wanted in (((1.0, 0.0), one), ((0.0, 1.0), other)):
        with torch.no_grad():
            found = network.paint(contents, mixed((one, other), all_of))
            assert torch.allclose(found, network.paint(contents, wanted), atol=1e-5)
    means, deviations = mixed((one, other), (0.7, 0.3))[2]
    assert torch.allclose(means, 0.7 * one[2][0] + 0.3 * other[2][0])
    assert torch.allclose(deviations, 0.7 * one[2][1] + 0.3 * other[2][1])
    assert network.layers == judged(encoder) == KIND.style[:4]


def test_it_first_learns_to_give_back_what_it_is_shown_in_the_colours_of_a_style(encoder, teacher):
    shown = learner(encoder, teacher, Paintings(pictures(4, 3)), copied=80)
    contents = pictures(5)
    totals = [float(shown.step(contents, Progress(2 * n, BUDGET, 100))["total"]) for n in range(40)]
    assert totals[-1] < 0.5 * totals[0]


def test_steps_come_nearer_to_what_is_wanted(encoder, teacher):
    shown = learner(encoder, teacher, Paintings(pictures(4, 3)), copied=0)
    contents = pictures(5)
    totals = [float(shown.step(contents, Progress(2 * n, BUDGET, 100))["total"]) for n in range(40)]
    assert sum(totals[-5:]) < 0.8 * sum(totals[:5])


def test_what_is_drawn_goes_by_the_image_that_is_next(encoder, teacher):
    contents = pictures(6)
    one, other = (learner(encoder, teacher, Paintings(pictures(4, 3))) for _ in range(2))
    other.attempt(contents, 2)
    with torch.no_grad():
        assert torch.equal(one.attempt(contents, 40).painted, other.attempt(contents, 40).painted)
        assert not torch.equal(one.attempt(contents, 40).painted, one.attempt(contents, 42).painted)


def test_a_content_in_its_own_manner_is_to_stay_as_it_is(encoder, teacher, monkeypatch):
    monkeypatch.setattr("impasto.style.adaptive.OWN", 1.0)
    shown, contents = learner(encoder, teacher, Paintings(pictures(4, 3))), pictures(7)
    told = shown.attempt(contents, 0)
    assert torch.allclose(told.copied, contents, atol=1e-3)
    for index, aims in enumerate(told.aims):
        seen = teacher(contents[index : index + 1], KIND.style)
        assert all(float(aims[n](moments(seen[n]))) < 1e-2 for n in KIND.style)


def test_a_piece_is_looked_at_once(encoder, teacher):
    paintings = Paintings(pictures(4, 3))
    shown = learner(encoder, teacher, paintings)
    paintings.asked.clear()
    for seen in range(0, 60, 2):
        shown.attempt(pictures(8), seen)
    assert sorted(paintings.asked) == [0, 1, 2]
