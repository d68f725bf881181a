"""VGG against the same network from torch's own layers, numbered as torchvision numbers them."""

import pytest
import torch
from torch import nn

from impasto.nn.blocks import outlined
from impasto.nn.vgg import REPEATS, VGG, convolutions, multiply_adds, normalised, stride
from impasto.seeds import stream

LAST = {16: 28, 19: 34}


def weights(depth):
    with outlined():
        network = VGG(depth, LAST[depth])
    return {
        name: torch.randn(value.shape, generator=stream(0, name)) * (2 / value[0].numel()) ** 0.5
        for name, value in network.state_dict().items()
    }


def by_hand(depth, state):
    """Every layer in a row, under its published number."""
    layers, width = [], 3
    for channels, repeats in zip((64, 128, 256, 512, 512), REPEATS[depth], strict=True):
        for _ in range(repeats):
            layers += [nn.Conv2d(width, channels, 3, padding=1), nn.ReLU()]
            width = channels
        layers.append(nn.MaxPool2d(2))
    whole = nn.Sequential(*layers)
    whole.load_state_dict({name.removeprefix("features."): v for name, v in state.items()})
    return whole


@pytest.mark.parametrize("depth", [16, 19])
def test_layers_are_those_of_the_published_network(depth):
    state = weights(depth)
    network = VGG(depth, LAST[depth])
    network.load(state)
    picture = torch.randn(1, 3, 37, 48, generator=stream(0, "picture"))
    seen = network(picture, list(convolutions(depth)))
    assert list(seen) == list(convolutions(depth))
    for number, layer in enumerate(by_hand(depth, state)):
        picture = layer(picture)
        if number - 1 in seen:  # the ReLU behind the convolution
            torch.testing.assert_close(seen[number - 1], picture)


def test_only_what_is_needed_is_built_and_computed():
    network = VGG(19, 10)
    assert list(network.features) == ["0", "2", "5", "7", "10"]
    network.load(weights(19))
    assert not any(p.requires_grad for p in network.parameters())
    assert list(network(torch.zeros(1, 3, 8, 8), (0, 5))) == [0, 5]
    with pytest.raises(ValueError, match="VGG-19 has no convolution 11"):
        VGG(19, 11)


def test_replicate_padding_leaves_no_frame_around_an_even_picture():
    state = weights(16)
    for padding, even in (("replicate", True), ("zeros", False)):
        network = VGG(16, 10, padding=padding)
        network.load(state)
        seen = network(torch.full((1, 3, 32, 32), 0.3), (10,))[10][0]
        assert torch.allclose(seen, seen[:, 4:5, 4:5], atol=1e-4) == even


def test_average_pooling_is_brought_to_the_maximum_s_scale():
    state = weights(16)
    picture = torch.randn(1, 3, 64, 64, generator=stream(1, "picture"))
    sizes = []
    for pooling in ("max", "average"):
        network = VGG(16, 5, pooling=pooling)
        network.load(state)
        sizes.append(float(network(picture, (5,))[5].mean()))
    assert sizes[1] == pytest.approx(sizes[0], rel=0.4)


def test_strides_and_costs_are_counted():
    assert [stride(19, n) for n in (0, 2, 5, 10, 19, 28, 34)] == [1, 1, 2, 4, 8, 16, 16]
    assert [stride(16, n) for n in (0, 5, 10, 17, 24)] == [1, 2, 4, 8, 16]
    # 19.6 billion multiply-adds at 224 pixels, of which 0.124 are in the linear layers (arXiv 1409.1556)
    assert multiply_adds(19, 34, 224, 224) / 1e9 == pytest.approx(19.51, abs=0.02)
    assert multiply_adds(19, 0, 10, 20) == 9 * 3 * 64 * 200


def test_normalised_pictures_are_those_of_pixels_in_0_to_1():
    pixels = torch.rand(1, 3, 4, 5, generator=stream(0, "pixels"))
    mean, deviation = (0.4, 0.5, 0.6), (0.2, 0.3, 0.1)
    wanted = (pixels - torch.tensor(mean).view(3, 1, 1)) / torch.tensor(deviation).view(3, 1, 1)
    torch.testing.assert_close(normalised(pixels * 2 - 1, mean, deviation), wanted)
