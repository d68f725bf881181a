"""What holds for every extractor, and how one is found."""

import inspect

import numpy as np
import pytest
import torch
from drawn import noise

from impasto.errors import ConfigError, SourceError
from impasto.evaluation.extractors import EXTRACTORS, Classifier, Extractor, find_extractor

CLASSES = {"mobilenet-v2": 1000, "inception-v3": 1008}


def test_it_says_what_it_is(extractor):
    assert isinstance(extractor, Extractor)
    assert EXTRACTORS[extractor.name] is type(extractor)
    assert len(bytes.fromhex(extractor.digest)) == 32
    assert extractor.resize


def test_features_are_float32_and_repeat(extractor):
    features = extractor(noise(3))
    assert features.dtype == np.float32
    assert features.shape == (3, extractor.dimensions)
    assert np.isfinite(features).all()
    assert np.array_equal(features, extractor(noise(3)))
    assert features.std(0).max() > 0.01


def test_features_do_not_depend_on_the_company(extractor, monkeypatch):
    count = 7 if extractor.name == "inception-v3" else 35
    images, found = noise(count), []
    for batch in (1, 5, 32):
        monkeypatch.setattr(extractor, "batch", batch)
        found.append(extractor(images))
    assert np.abs(found[1] - found[0]).max() < 1e-5
    assert np.abs(found[2] - found[0]).max() < 1e-5
    shuffled = np.random.default_rng(1).permutation(count)
    assert np.abs(extractor(images[shuffled]) - found[2][shuffled]).max() < 1e-5


def test_grey_is_grey_repeated(extractor):
    grey = noise(2, channels=1)
    assert np.allclose(extractor(grey), extractor(grey.repeat(3, 3)), rtol=0, atol=1e-5)


def test_arrays_tensors_and_views_are_alike(extractor):
    images = noise(4)
    expected = extractor(images[::2])
    frozen = images.copy()
    frozen.flags.writeable = False
    assert np.array_equal(extractor(frozen[::2]), expected)
    assert np.array_equal(extractor(torch.from_numpy(images)[::2]), expected)
    assert np.array_equal(images, noise(4))


def test_no_pictures_have_no_features(extractor):
    assert extractor(noise(0)).shape == (0, extractor.dimensions)


def test_other_channels_are_refused(extractor):
    with pytest.raises(SourceError, match="4 channels"):
        extractor(noise(2, channels=4))


def test_what_torch_makes_by_default_changes_nothing(extractor):
    expected = extractor(noise(2))
    torch.set_default_dtype(torch.float64)
    try:
        assert np.array_equal(extractor(noise(2)), expected)
    finally:
        torch.set_default_dtype(torch.float32)


def test_graphics_cards_are_not_allowed_to_round(extractor, monkeypatch):
    allowed = []
    compute = extractor._features
    monkeypatch.setattr(
        extractor,
        "_features",
        lambda part: allowed.append(torch.backends.cudnn.allow_tf32) or compute(part),
    )
    before = torch.backends.cudnn.allow_tf32
    extractor(noise(1))
    assert allowed == [False]
    assert torch.backends.cudnn.allow_tf32 == before


def test_networks_that_classify_say_so(extractor):
    assert isinstance(extractor, Classifier) == (extractor.name in CLASSES)
    if isinstance(extractor, Classifier):
        features = extractor(noise(3))
        logits = extractor.logits(features)
        assert logits.dtype == np.float32
        assert logits.shape == (3, extractor.classes) == (3, CLASSES[extractor.name])
        assert np.abs(extractor.logits(features[1:2]) - logits[1:2]).max() < 1e-4
        middle = extractor.logits(features.mean(0, keepdims=True))
        assert np.abs(middle - logits.mean(0)).max() < 1e-4, "linear"
        assert extractor.logits(features[:0]).shape == (0, extractor.classes)


@pytest.mark.parametrize("name", EXTRACTORS)
def test_all_are_made_alike(name):
    assert {"side", "batch", "device"} <= set(inspect.signature(EXTRACTORS[name]).parameters)
    with pytest.raises(ConfigError, match=r"^batch: 0 is too small"):
        find_extractor(name, batch=0)
    with pytest.raises(ConfigError, match=r"^side: 7"):
        find_extractor(name, side=7)


# Finding one ------------------------------------------------------------------------------------


@pytest.mark.usefixtures("weights")
def test_settings_arrive_where_they_belong():
    found = find_extractor("mobilenet-v2", device="cpu", side=48, batch=3)
    assert (found.side, found.batch, found.device) == (48, 3, torch.device("cpu"))
    assert find_extractor("mobilenet-v2").side == 224


def test_the_random_one_needs_nothing():
    assert find_extractor("random").digest == EXTRACTORS["random"]().digest
    assert find_extractor("random", batch=2).batch == 2


def test_unknown_names_are_told_the_known_ones():
    with pytest.raises(ConfigError, match=r"inception-v2: .* did you mean inception-v3\?.*\.onnx"):
        find_extractor("inception-v2")
