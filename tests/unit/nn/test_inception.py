import numpy as np
import pytest
import torch
from drawn import inception_state
from hypothesis import given, settings
from hypothesis import strategies as st

from impasto.nn.blocks import fold_norms, outlined
from impasto.nn.inception import BLOCKS, InceptionV3, resized_like_tensorflow
from impasto.seeds import stream


@pytest.fixture
def network():
    network = InceptionV3().eval().requires_grad_(requires_grad=False)
    network.load_state_dict(inception_state())
    return network


def drawn(side, count=2):
    return torch.randn(count, 3, side, side, generator=stream(0, "pictures"))


def by_hand(images, side):
    """TensorFlow 1's bilinear resize, pixel by pixel."""
    height, width = images.shape[2:]
    out = np.empty((*images.shape[:2], side, side))
    for row in range(side):
        for column in range(side):
            y, x = row * height / side, column * width / side
            top, left = int(y), int(x)
            low, right = min(top + 1, height - 1), min(left + 1, width - 1)
            above = images[:, :, top, left] * (left + 1 - x) + images[:, :, top, right] * (x - left)
            below = images[:, :, low, left] * (left + 1 - x) + images[:, :, low, right] * (x - left)
            out[:, :, row, column] = above * (top + 1 - y) + below * (y - top)
    return out


@settings(max_examples=40)
@given(
    height=st.integers(1, 40),
    width=st.integers(1, 40),
    side=st.integers(1, 30),
    channels=st.sampled_from([1, 3]),
)
def test_resizing_is_tensorflows(height, width, side, channels):
    images = np.random.default_rng(0).uniform(-1, 1, (2, channels, height, width))
    found = resized_like_tensorflow(torch.from_numpy(images).float(), side)
    assert found.shape == (2, channels, side, side)
    np.testing.assert_allclose(found.numpy(), by_hand(images, side), rtol=0, atol=2e-5)


def test_resizing_to_the_same_size_does_nothing():
    pictures = drawn(20)
    assert torch.equal(resized_like_tensorflow(pictures, 20), pictures)


def test_shrinking_to_a_half_passes_over_every_other_pixel():
    pictures = drawn(20)
    assert torch.equal(resized_like_tensorflow(pictures, 10), pictures[:, :, ::2, ::2])


def test_it_has_as_many_weights_as_the_published_one():
    """torchvision counts 27,161,264 with 1,000 classes and the auxiliary classifier's 3,326,696."""
    with outlined():
        network = InceptionV3()
    assert sum(p.numel() for p in network.parameters()) == 27_161_264 - 3_326_696 + 8 * 2049


def test_names_and_shapes_are_those_of_the_published_state():
    with outlined():
        shapes = {name: tuple(value.shape) for name, value in InceptionV3().state_dict().items()}
    assert len(shapes) == 94 * 6 + 2
    for name, shape in {
        "Conv2d_1a_3x3.conv.weight": (32, 3, 3, 3),
        "Conv2d_4a_3x3.bn.running_var": (192,),
        "Mixed_5b.branch1x1.conv.weight": (64, 192, 1, 1),
        "Mixed_5d.branch5x5_2.conv.weight": (64, 48, 5, 5),
        "Mixed_5c.branch_pool.conv.weight": (64, 256, 1, 1),
        "Mixed_6a.branch3x3dbl_3.conv.weight": (96, 96, 3, 3),
        "Mixed_6c.branch7x7dbl_4.conv.weight": (160, 160, 7, 1),
        "Mixed_6e.branch7x7_2.conv.weight": (192, 192, 1, 7),
        "Mixed_7a.branch7x7x3_4.bn.bias": (192,),
        "Mixed_7b.branch3x3_2a.conv.weight": (384, 384, 1, 3),
        "Mixed_7c.branch3x3dbl_3b.conv.weight": (384, 384, 3, 1),
        "fc.weight": (1008, 2048),
        "fc.bias": (1008,),
    }.items():
        assert shapes[name] == shape


def test_maps_shrink_as_in_the_paper(network):
    shapes = []
    for name in BLOCKS:
        network.get_submodule(name).register_forward_hook(
            lambda module, given, maps: shapes.append(tuple(maps.shape[1:]))
        )
    network.features(drawn(299, 1))
    assert shapes == [
        (256, 35, 35), (288, 35, 35), (288, 35, 35),
        (768, 17, 17), (768, 17, 17), (768, 17, 17), (768, 17, 17), (768, 17, 17),
        (1280, 8, 8), (2048, 8, 8), (2048, 8, 8),
    ]  # fmt: skip


def test_folding_the_norms_changes_nothing(network):
    pictures = drawn(96)
    before = network(pictures)
    assert sum(type(module).__name__ == "BatchNorm2d" for module in network.modules()) == 94
    fold_norms(network)
    assert "BatchNorm2d" not in {type(module).__name__ for module in network.modules()}
    torch.testing.assert_close(network(pictures), before, rtol=1e-4, atol=1e-5)
    assert before.std() > 0.1
