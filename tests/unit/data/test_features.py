import json

import numpy as np
import pytest
from PIL import Image

from impasto.data import features
from impasto.data.config import DataConfig
from impasto.data.features import features_of, outlyingness
from impasto.data.prepare import prepare
from impasto.data.rules import Rules


class Means:
    """Features that tell at which pictures they looked."""

    name, digest, dimensions = "means", "1", 3

    def __init__(self):
        self.seen = 0

    def __call__(self, images):
        self.seen += len(images)
        return images.mean((1, 2)).astype(np.float32)


@pytest.fixture
def made(folder, tmp_path):
    return prepare(folder(*(f"{n}.png" for n in range(9))), DataConfig(size=8), tmp_path / "set")


def test_features_are_kept_beside_the_set(made, monkeypatch):
    monkeypatch.setattr(features, "BATCH", 4)
    extract, told = Means(), []
    found = features_of(made.path, made.arrays, extract, lambda done, of: told.append((done, of)))
    wanted = made.arrays.pixels[np.arange(9)].mean((1, 2))
    assert np.abs(found.astype(np.float32) - wanted).max() < 0.1
    assert told == [(4, 9), (8, 9), (9, 9)]
    features_of(made.path, made.arrays, extract)
    assert extract.seen == 9
    facts = json.loads((made.path / "features.json").read_text())
    assert facts == {"extractor": "means", "digest": "1", "dimensions": 3}


def test_what_was_begun_is_gone_on_with_and_other_features_are_not(made, monkeypatch):
    monkeypatch.setattr(features, "BATCH", 4)

    def stop(done, _):
        if done == 4:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        features_of(made.path, made.arrays, Means(), stop)
    rest = Means()
    features_of(made.path, made.arrays, rest)
    assert rest.seen == 5
    other = Means()
    other.digest = "2"
    features_of(made.path, made.arrays, other)
    assert other.seen == 9


def usual(count: int) -> np.ndarray:
    """Features that all point in about one direction."""
    return np.random.default_rng(0).normal(3, 1, (count, 40))


def test_what_is_unlike_the_rest_stands_out():
    points = usual(400)
    points[7] *= -1
    points[300] = np.eye(40)[0] * 20
    distances = outlyingness(points.astype(np.float16), np.ones(400, bool))
    assert set(np.argsort(distances)[-2:]) == {7, 300}
    assert np.sort(distances)[-3] < 6 < distances[[7, 300]].min()
    assert abs(np.median(distances)) < 1e-9


def test_a_group_of_strangers_does_not_pass_for_usual():
    points = usual(400)
    points[:40] = np.random.default_rng(1).normal(3, 1, (40, 40)) * (np.arange(40) < 10)
    distances = outlyingness(points.astype(np.float16), np.ones(400, bool))
    assert distances[:40].min() > distances[40:].max()


def test_length_does_not_count():
    points = usual(300)
    points[5] *= 30
    distances = outlyingness(points.astype(np.float16), np.ones(300, bool))
    assert distances[5] < 4


def test_what_is_left_out_does_not_count():
    points = usual(300)
    points[::3] *= -1
    among = np.ones(300, bool)
    among[::3] = False
    distances = outlyingness(points.astype(np.float16), among)
    assert np.isnan(distances[::3]).all()
    assert np.nanmax(distances) < 6
    assert np.isnan(outlyingness(points[:20].astype(np.float16), np.ones(20, bool))).all()


def test_an_outlier_is_left_out_with_its_distance(tmp_path, folder):
    root = folder(*(f"{n:03d}.png" for n in range(80)))
    Image.new("RGB", (20, 16), "#00ff00").save(root / "040.png")
    config = DataConfig(size=8, rules=Rules(outlier=6.0))
    assert prepare(root, config, tmp_path / "without").kept == 80
    made = prepare(root, config, tmp_path / "with", extract=Means())
    ((name, reason),) = made.rejects()
    assert (name, reason.kind) == ("040.png", "outlier")
    assert "deviations from the usual, at most 6" in reason.detail
