import io
import zipfile

import numpy as np
import pytest
import torch
from drawn import noise
from PIL import Image
from PIL.Image import Resampling

from impasto.errors import ConfigError, DamagedFile, WeightsError
from impasto.evaluation.extractors import MobileNetFeatures
from impasto.nn.mobilenet import MobileNetV2

BICUBIC = Resampling.BICUBIC
CATS = range(281, 286)  # ImageNet's classes of domestic cats


def pictures(path, count, side):
    with zipfile.ZipFile(path) as archive:
        names = sorted(
            name for name in archive.namelist() if name.endswith((".jpg", ".png", ".jpeg"))
        )
        chosen = names[:: len(names) // count][:count]
        files = [Image.open(io.BytesIO(archive.read(name))).convert("RGB") for name in chosen]
        return np.stack([np.asarray(file.resize((side, side))) for file in files])


@pytest.fixture
def mobilenet(weights):
    return MobileNetFeatures(side=64)


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


def test_logits_are_those_of_the_network(mobilenet, shared):
    network = MobileNetV2().eval()
    file = shared / "weights" / "mobilenet_v2-b0353104.pth"
    network.load_state_dict(torch.load(file, weights_only=True))
    features = mobilenet(noise(3))
    with torch.inference_mode():
        expected = network.classifier(torch.from_numpy(features)).numpy()
    assert np.allclose(mobilenet.logits(features), expected, rtol=1e-4, atol=1e-4)


@pytest.mark.usefixtures("weights")
def test_cats_are_among_the_five_likeliest_classes_of_most_whole_cats(shared):
    """The weights mean what ImageNet's classes say: 0.81 of 300 such pictures, 0.005 by chance."""
    extractor = MobileNetFeatures()
    features = extractor(pictures(shared / "data" / "cats-raw.zip", 32, 200))
    likeliest = extractor.logits(features).argsort(1)[:, -5:]
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
    seen = (
        mobilenet._prepared(torch.from_numpy(edges)) * mobilenet._normal.deviation
        + mobilenet._normal.mean
    )
    assert seen.shape == (1, 3, 64, 64)
    assert seen.min() >= -1 - 1e-6
    assert seen.max() <= 1 + 1e-6
    board = (np.indices((128, 128)).sum(0) % 2 * 255).astype(np.uint8)[None, :, :, None]
    seen = (
        mobilenet._prepared(torch.from_numpy(board)) * mobilenet._normal.deviation
        + mobilenet._normal.mean
    )
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
