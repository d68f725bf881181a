import numpy as np
import pytest
from drawn import noise

from impasto.errors import ConfigError
from impasto.evaluation.extractors import RandomFeatures


def test_random_features_are_the_same_on_every_machine():
    """The arithmetic is exact, so the bits can be written down."""
    extractor = RandomFeatures(seed=3)
    images = np.arange(2 * 9 * 10 * 3, dtype=np.uint32).reshape(2, 9, 10, 3) * 37 % 251
    features = extractor(images.astype(np.uint8))
    assert extractor.digest.startswith("13c22903f5bdea8b")
    assert features[:, :4].tolist() == [
        [0.0606689453125, 1.09844970703125, 1.5880126953125, 0.45751953125],
        [0.59063720703125, 1.5472412109375, 1.31683349609375, 0.0517578125],
    ]


def test_random_features_agree_with_whole_numbers():
    extractor = RandomFeatures()
    image = noise(1, side=11)
    maps = image[0].transpose(2, 0, 1).astype(np.int64)
    for weight in extractor._weights:
        kernel = weight.numpy().astype(np.int64)
        padded = np.pad(maps, ((0, 0), (1, 1), (1, 1)))
        windows = np.lib.stride_tricks.sliding_window_view(padded, (3, 3), (1, 2))[:, ::2, ::2]
        maps = np.maximum(np.einsum("chwij,ocij->ohw", windows, kernel), 0)
    expected = maps.sum((1, 2)) / (maps.shape[1] * maps.shape[2]) / 4096
    assert np.array_equal(extractor(image)[0], expected.astype(np.float32))


def test_seeds_draw_different_networks():
    assert RandomFeatures(seed=0).digest == RandomFeatures().digest
    assert RandomFeatures(seed=1).digest != RandomFeatures(seed=0).digest
    assert not np.array_equal(RandomFeatures(seed=1)(noise(2)), RandomFeatures()(noise(2)))


@pytest.mark.parametrize("side", [1, 2, 5, 130])
def test_random_features_take_any_size(side):
    assert RandomFeatures()(noise(2, side=side)).shape == (2, 64)


def test_a_side_is_refused():
    with pytest.raises(ConfigError, match=r"^side: 64: random features see .* leave it out"):
        RandomFeatures(side=64)
