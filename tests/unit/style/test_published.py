"""The published loop: its shapes, its losses, its clamp."""

import pytest
import torch

from impasto.nn.vgg import VGG
from impasto.seeds import seeded, stream
from impasto.style.config import PublishedConfig
from impasto.style.loss_network import KINDS, LossNetwork, network_name
from impasto.style.published import PublishedLoop


@pytest.fixture(scope="module")
def network():
    with seeded(0, "network"):
        return LossNetwork(VGG(19, 28), KINDS["vgg-19"])


def picture(seed, size=(32, 48)):
    return torch.rand(1, 3, *size, generator=stream(seed, "picture")) * 2 - 1


def test_features_have_the_published_shapes(network):
    """Those that the system's own printout has for a picture of 400 x 301."""
    loop = PublishedLoop(network, picture(0, (301, 400)), picture(1, (301, 400)), PublishedConfig())
    assert list(loop.shapes().values()) == [
        (64, 301, 400),
        (128, 150, 200),
        (256, 75, 100),
        (512, 37, 50),
        (512, 18, 25),
    ]


def test_it_begins_as_the_content_and_comes_nearer(network):
    content = picture(0)
    loop = PublishedLoop(network, content, picture(1), PublishedConfig(learning_rate=0.03))
    torch.testing.assert_close(loop.picture, content)
    told = [loop.step() for _ in range(12)]
    assert float(told[0]["content"]) == pytest.approx(0, abs=1e-9)
    assert float(told[-1]["style"]) < float(told[0]["style"])
    assert float(told[-1]["total"]) == pytest.approx(
        float(told[-1]["content"] + 100 * told[-1]["style"])
    )


def test_pixels_stay_pixels(network):
    loop = PublishedLoop(network, picture(0), picture(1), PublishedConfig(learning_rate=3.0))
    for _ in range(3):
        loop.step()
    assert float(loop.picture.abs().max()) <= 1 + 1e-6


def test_a_network_of_other_units_sees_the_same():
    """One that learnt from pixels k times as large sees features k times as large, which are brought back."""
    with seeded(0, "network"):
        vgg = VGG(16, 10)
    for convolution in vgg.features.values():
        convolution.bias.zero_()
    own = LossNetwork(vgg, KINDS["vgg16-hed"], (0.5,) * 3, (0.226,) * 3)
    large = LossNetwork(vgg, KINDS["vgg16-hed"], (0.5,) * 3, (0.226 / 50,) * 3)
    one, other = (each(picture(0), (0, 10)) for each in (own, large))
    for layer, maps in one.items():
        torch.testing.assert_close(other[layer], maps)


def test_which_network_is_told_by_what_is_here(monkeypatch, tmp_path, shared):
    from impasto.errors import WeightsError

    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setenv("IMPASTO_WEIGHTS", str(shared / "weights"))
    assert network_name("auto") == "vgg16-hed"
    monkeypatch.setenv("IMPASTO_WEIGHTS", str(tmp_path))
    with pytest.raises(WeightsError, match=r"vgg19-dcbb9e9d\.pth, .*impasto weights vgg-19"):
        network_name("auto")
    with pytest.raises(WeightsError, match="published nowhere: put a copy"):
        LossNetwork.published("vgg16-hed", (0,))


def test_the_small_network_is_read_with_its_own_normalisation(monkeypatch, shared):
    monkeypatch.setenv("IMPASTO_WEIGHTS", str(shared / "weights"))
    network = LossNetwork.published("vgg16-hed", KINDS["vgg16-hed"].published)
    assert network.deviation == pytest.approx((1 / 255,) * 3, rel=1e-4)
    seen = network(picture(0), KINDS["vgg16-hed"].published)
    assert [maps.shape[1] for maps in seen.values()] == [64, 128, 256, 512, 512]
    assert all(torch.isfinite(maps).all() for maps in seen.values())
