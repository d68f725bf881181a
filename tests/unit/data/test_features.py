import json

import numpy as np
import pytest

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


def test_what_is_unlike_the_rest_stands_out():
    generator = np.random.default_rng(0)
    usual = generator.normal(size=(400, 40)) * np.linspace(3, 0.1, 40)
    usual[7] += 8
    usual[300, 39] += 12  # along a direction in which the others hardly vary
    distances = outlyingness(usual.astype(np.float16), np.ones(400, bool))
    assert set(np.argsort(distances)[-2:]) == {7, 300}
    assert np.sort(distances)[-3] < 5 < distances[[7, 300]].min()
    assert abs(np.median(distances)) < 1e-9


def test_what_is_left_out_does_not_count():
    generator = np.random.default_rng(0)
    points = generator.normal(size=(300, 8)).astype(np.float16)
    points[::3] += 50
    among = np.ones(300, bool)
    among[::3] = False
    distances = outlyingness(points, among)
    assert np.isnan(distances[::3]).all()
    assert np.nanmax(distances) < 6
    assert np.isnan(outlyingness(points[:20], np.ones(20, bool))).all()


def test_an_outlier_is_left_out_with_its_distance(tmp_path, folder, picture):
    root = folder(*(f"{n:03d}.png" for n in range(80)))
    picture(1).point(lambda level: level // 9).save(root / "040.png")
    config = DataConfig(size=8, rules=Rules(outlier=6.0))
    assert prepare(root, config, tmp_path / "without").kept == 80
    made = prepare(root, config, tmp_path / "with", extract=Means())
    ((name, reason),) = made.rejects()
    assert (name, reason.kind) == ("040.png", "outlier")
    assert "deviations from the usual, at most 6" in reason.detail
