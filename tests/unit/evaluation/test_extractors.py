import io
import zipfile

import numpy as np
import pytest
import torch
from PIL import Image
from PIL.Image import Resampling

from impasto.errors import ConfigError, DamagedFile, SourceError, WeightsError
from impasto.evaluation import extractors
from impasto.evaluation.extractors import EXTRACTORS, Extractor, MobileNetFeatures, RandomFeatures
from impasto.nn.mobilenet import MobileNetV2

BICUBIC = Resampling.BICUBIC
CATS = range(281, 286)  # ImageNet's classes of domestic cats


def noise(count, *, side=40, channels=3, seed=0):
    draws = np.random.default_rng(seed)
    return draws.integers(0, 256, (count, side, side, channels), dtype=np.uint8)


def pictures(path, count, side):
    with zipfile.ZipFile(path) as archive:
        names = sorted(
            name for name in archive.namelist() if name.endswith((".jpg", ".png", ".jpeg"))
        )
        chosen = names[:: len(names) // count][:count]
        files = [Image.open(io.BytesIO(archive.read(name))).convert("RGB") for name in chosen]
        return np.stack([np.asarray(file.resize((side, side))) for file in files])


@pytest.fixture
def weights(shared, monkeypatch):
    monkeypatch.setenv("IMPASTO_WEIGHTS", str(shared / "weights"))


@pytest.fixture
def mobilenet(weights):
    return MobileNetFeatures(side=64)


@pytest.fixture(params=EXTRACTORS)
def extractor(request, weights):
    return EXTRACTORS[request.param]()


# What holds for every extractor -----------------------------------------------------------------


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


@pytest.mark.parametrize("name", EXTRACTORS)
def test_features_do_not_depend_on_the_company(name, weights):
    extractor = MobileNetFeatures(side=64) if name == "mobilenet-v2" else RandomFeatures()
    images, found = noise(35), []
    for extractor.batch in (1, 7, 32):
        found.append(extractor(images))
    assert np.abs(found[1] - found[0]).max() < 1e-5
    assert np.abs(found[2] - found[0]).max() < 1e-5
    shuffled = np.random.default_rng(1).permutation(35)
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


# MobileNetV2 ------------------------------------------------------------------------------------


@pytest.mark.usefixtures("weights")
def test_features_are_those_of_the_network_fed_by_pillow(shared):
    """Blue for red, another scale or a plainer resize all give a cosine below 0.985 somewhere."""
    images = pictures(shared / "data" / "cats-raw.zip", 8, 200)
    small = np.stack([np.asarray(Image.fromarray(i).resize((96, 96), BICUBIC)) for i in images])
    normal = (small / 255 - [0.485, 0.456, 0.406]) / [0.229, 0.224, 0.225]
    network = MobileNetV2().eval()
    file = shared / "weights" / "mobilenet_v2-b0353104.pth"
    network.load_state_dict(torch.load(file, weights_only=True))
    with torch.inference_mode():
        expected = network.features(torch.from_numpy(normal).float().permute(0, 3, 1, 2)).numpy()
    cosines = (unit(MobileNetFeatures(side=96)(images)) * unit(expected)).sum(1)
    assert cosines.min() > 0.997  # Pillow rounds to whole levels


@pytest.mark.usefixtures("weights")
def test_cats_are_among_the_five_likeliest_classes_of_most_whole_cats(shared):
    """The weights mean what ImageNet's classes say: 0.81 of 300 such pictures, 0.005 by chance."""
    features = MobileNetFeatures()(pictures(shared / "data" / "cats-raw.zip", 32, 200))
    classifier = extractors._mobilenet().classifier
    likeliest = classifier(torch.from_numpy(features)).topk(5, 1).indices.numpy()
    assert np.isin(likeliest, CATS).any(1).mean() > 0.6


@pytest.mark.usefixtures("weights")
@pytest.mark.parametrize("side", [64, 96])
def test_cats_are_nearer_to_cats_than_to_anime(shared, side):
    extractor = MobileNetFeatures(side=side)
    cats = unit(extractor(pictures(shared / "data" / "cat-faces-64.zip", 40, 64)))
    anime = unit(extractor(pictures(shared / "data" / "anime-64.zip", 40, 64)))
    within = (cats @ cats.T)[~np.eye(40, dtype=bool)].mean()
    between = (cats @ anime.T).mean()
    assert within > between + 0.1


def unit(features):
    return features / np.linalg.norm(features, axis=1, keepdims=True)


@pytest.mark.usefixtures("weights")
def test_pictures_of_the_networks_side_are_left_as_they_are():
    extractor = MobileNetFeatures(side=48)
    images = torch.from_numpy(noise(2, side=48))
    seen = extractor._prepared(images)
    mean = torch.tensor([0.485, 0.456, 0.406])
    deviation = torch.tensor([0.229, 0.224, 0.225])
    expected = (images / 255 - mean) / deviation
    torch.testing.assert_close(seen, expected.permute(0, 3, 1, 2), rtol=0, atol=1e-5)


def test_resizing_is_antialiased_and_stays_within_what_a_picture_can_be(mobilenet):
    edges = np.zeros((1, 16, 16, 3), np.uint8)
    edges[:, :, 8:] = 255
    seen = mobilenet._prepared(torch.from_numpy(edges)) * mobilenet._deviation + mobilenet._mean
    assert seen.shape == (1, 3, 64, 64)
    assert seen.min() >= -1 - 1e-6
    assert seen.max() <= 1 + 1e-6
    board = (np.indices((128, 128)).sum(0) % 2 * 255).astype(np.uint8)[None, :, :, None]
    seen = mobilenet._prepared(torch.from_numpy(board)) * mobilenet._deviation + mobilenet._mean
    assert seen[:, :, 4:-4, 4:-4].abs().max() < 0.05


def test_the_side_is_told(mobilenet, weights):
    assert "64x64" in mobilenet.resize
    assert "224x224" in MobileNetFeatures().resize


@pytest.mark.parametrize(("field", "value"), [("side", 31), ("batch", 0)])
def test_sizes_that_cannot_be_are_refused(field, value):
    with pytest.raises(ConfigError, match=f"^{field}: {value} is too small"):
        MobileNetFeatures(**{field: value})


def test_missing_weights_are_told(tmp_path, monkeypatch):
    monkeypatch.setenv("IMPASTO_CACHE", str(tmp_path))
    monkeypatch.setenv("IMPASTO_WEIGHTS", "")
    with pytest.raises(WeightsError, match=r"mobilenet_v2-b0353104\.pth"):
        MobileNetFeatures()


@pytest.mark.parametrize("kept", [0, 1000, -1])
def test_weights_cut_short_are_told(tmp_path, monkeypatch, shared, kept):
    raw = (shared / "weights" / "mobilenet_v2-b0353104.pth").read_bytes()[:kept]
    (tmp_path / "mobilenet_v2-b0353104.pth").write_bytes(raw)
    monkeypatch.setenv("IMPASTO_WEIGHTS", str(tmp_path))
    with pytest.raises(DamagedFile, match=r"mobilenet_v2-b0353104\.pth has sha256"):
        MobileNetFeatures()


# Random -----------------------------------------------------------------------------------------


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
