"""Any manner at once: what is wanted of a painting, and that it is learnt."""

import pytest
import torch

from impasto.losses.style import statistics_distance
from impasto.nn.adaptive import statistics
from impasto.nn.vgg import VGG
from impasto.seeds import seeded
from impasto.style.adaptive import AdaptiveConfig, AdaptiveLearner, AdaptiveNetwork, judged
from impasto.style.loss_network import KINDS, LossNetwork
from impasto.types import Budget, Progress

KIND = KINDS["vgg16-hed"]


@pytest.fixture
def encoder():
    with seeded(0, "test"):
        network = VGG(KIND.depth, KIND.style[3])
        for convolution in network.features.values():  # as alive as trained ones
            torch.nn.init.kaiming_normal_(convolution.weight, nonlinearity="relu")
            torch.nn.init.zeros_(convolution.bias)
    return LossNetwork(network, KIND)


def pictures(seed, count=2):
    drawn = torch.Generator().manual_seed(seed)
    coarse = torch.rand(count, 3, 8, 8, generator=drawn) * 1.6 - 0.8
    return torch.nn.functional.interpolate(coarse, (64, 64), mode="bilinear")


def test_it_begins_with_the_contents_in_the_colours_of_the_style(encoder):
    network = AdaptiveNetwork(encoder, 0.2)
    contents, styles = pictures(1), 0.4 * pictures(2) + 0.1
    with torch.no_grad():
        painted = network(contents, styles)
        same = network.paint(contents, network.manner(styles), 0.0)
    for own, wanted in zip(statistics(painted), statistics(styles), strict=True):
        assert torch.allclose(own, wanted, atol=1e-2)
    assert torch.allclose(same, contents, atol=1e-6)


def test_every_layer_is_wanted_as_the_style_has_it(encoder):
    network = AdaptiveNetwork(encoder, 0.2)
    assert network.layers == judged(encoder) == KIND.style[:4]
    manner = network.manner(pictures(3))
    wanted = network.wanted(pictures(4), manner)
    assert [maps.shape[1] for maps in wanted] == [3, 64, 128, 256, 512]
    for maps, style in zip(wanted, manner, strict=True):
        assert statistics_distance(statistics(maps), style) < 1e-2


def test_steps_on_one_batch_come_nearer_to_what_is_wanted(encoder):
    styles, contents = pictures(5, 16), pictures(6)
    budget = Budget(1_000, "images")
    learner = AdaptiveLearner(
        AdaptiveConfig(width=0.2, learning_rate=1e-4, budget=budget),
        encoder,
        lambda _, count: styles[:count],
        torch.device("cpu"),
    )
    totals = [
        float(learner.step(contents, Progress(2 * n, budget, 100))["total"]) for n in range(40)
    ]
    assert totals[-1] < 0.9 * totals[0]
