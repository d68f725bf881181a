"""A painting fits into what it is given, or says by how much it does not."""

import pytest

from impasto.errors import ConfigError
from impasto.nn.vgg import VGG
from impasto.style.config import PublishedConfig, PyramidConfig, StyleConfig
from impasto.style.loss_network import KINDS, LossNetwork
from impasto.style.memory import PAIRS, WEIGHED, peak_memory, plan_memory

CONFIG = StyleConfig(name="any")


@pytest.fixture(scope="module")
def network():
    return LossNetwork(VGG(19, 28), KINDS["vgg-19"])


def test_the_network_sees_as_far_as_it_does(network):
    """Each 3x3 convolution sees one place further: 2 of one pixel, 2 of two, 4 of four, 4 of eight, 1 of 16."""
    assert network.reach(28) == 1 * 2 + 2 * 2 + 4 * 4 + 8 * 4 + 16


@pytest.mark.parametrize("side", [512, 1024, 2048, 4096])
@pytest.mark.parametrize("memory", [4e9, 8e9, 64e9])
def test_the_plan_stays_within_the_limit(network, side, memory):
    plan = plan_memory(network, side, side, CONFIG, memory)
    assert plan.total <= memory
    assert plan.pairs in PAIRS
    if plan.tiling is not None:
        assert plan.tiling.side % 16 == plan.tiling.margin % 16 == 0
        assert plan.tiling.margin >= network.reach(28)


def test_more_memory_means_larger_tiles_and_at_last_none(network):
    plans = [plan_memory(network, 2048, 2048, CONFIG, memory) for memory in (2e9, 4e9, 40e9)]
    sides = [plan.tiling.side if plan.tiling else 10_000 for plan in plans]
    assert sides == sorted(sides)
    assert plans[-1].tiling is None


def test_each_region_takes_room(network):
    none, two = (plan_memory(network, 512, 512, CONFIG, 8e9, regions=n) for n in (0, 2))
    assert two.total - none.total == 2 * WEIGHED * 512**2
    tiled = plan_memory(network, 3072, 3072, CONFIG, 4e9, regions=8)
    assert tiled.tiling is not None
    assert tiled.tiling.side < plan_memory(network, 3072, 3072, CONFIG, 4e9).tiling.side
    assert tiled.total <= 4e9


def test_a_recipe_has_no_more_pairs_than_fit(network):
    few = plan_memory(network, 4096, 4096, CONFIG, 4e9)
    assert few.applied(CONFIG).painter.memory == few.pairs < 10
    one = StyleConfig(name="any", painter=PyramidConfig(memory=1))
    assert few.applied(one).painter.memory == 1
    assert (
        few.applied(StyleConfig(name="p", painter=PublishedConfig())).painter == PublishedConfig()
    )


def test_what_cannot_fit_is_told_in_figures(network):
    with pytest.raises(
        ConfigError, match=r"20000 x 20000 takes \d+\.\d GB at least, and there are 4\.0"
    ):
        plan_memory(network, 20_000, 20_000, CONFIG, 4e9)
    published = StyleConfig(name="p", painter=PublishedConfig())
    with pytest.raises(ConfigError, match="GB at least"):
        plan_memory(network, 4096, 4096, published, 8e9)  # it knows no tiles


def test_what_was_taken_is_measured():
    assert peak_memory() > 50e6
