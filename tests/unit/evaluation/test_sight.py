import numpy as np
import pytest
from drawn import noise, pictures
from sets import write_set

from impasto.data.config import DataConfig
from impasto.data.prepared import Prepared
from impasto.evaluation import sight as module
from impasto.evaluation.extractors import RandomFeatures
from impasto.evaluation.sight import Sight


class Counting(RandomFeatures):
    """Counts the pictures that it is asked for."""

    def __init__(self, **settings):
        super().__init__(**settings)
        self.asked = 0

    def __call__(self, images):
        self.asked += len(images)
        return super().__call__(images)


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("IMPASTO_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache" / "features"


def a_set(home, images=None):
    return Prepared.open(write_set(home, noise(30, side=16) if images is None else images))


@pytest.fixture
def prepared(tmp_path):
    return a_set(tmp_path / "set")


@pytest.fixture
def seen(prepared):
    """The features of the whole set, which are in the cache from now on."""
    return Sight(Counting()).of_prepared(prepared, np.arange(30))


def asked(prepared, positions=None, *, extractor=None, softened=None):
    """How many pictures had to be looked at, and their features."""
    counting = extractor or Counting()
    wanted = np.arange(30) if positions is None else np.array(positions)
    features = Sight(counting, softened).of_prepared(prepared, wanted)
    return counting.asked, features


def test_features_of_a_prepared_set_are_those_of_its_pictures(prepared, seen):
    assert np.array_equal(seen, RandomFeatures()(noise(30, side=16)))
    assert np.array_equal(asked(prepared, [4, 7])[1], seen[[4, 7]])


def test_features_are_taken_once(prepared, seen):
    count, features = asked(prepared)
    assert count == 0
    assert np.array_equal(features, seen)


def test_another_extractor_looks_again(prepared, seen):
    assert asked(prepared, extractor=Counting(seed=1))[0] == 30


def test_other_pictures_are_looked_at(prepared, seen):
    assert asked(prepared, range(29))[0] == 29
    assert asked(prepared, [*range(1, 30), 0])[0] == 30


def test_softened_pictures_are_looked_at(prepared, seen):
    assert asked(prepared, softened=8)[0] == 30
    assert asked(prepared, softened=8)[0] == 0


def test_another_set_is_looked_at(prepared, seen, tmp_path):
    other = a_set(tmp_path / "other", noise(30, side=16, seed=1))
    other.fingerprint = "1" * 64
    assert asked(other)[0] == 30


def test_the_same_set_seen_smaller_is_looked_at(prepared, seen):
    assert asked(prepared.viewed(DataConfig(size=8)))[0] == 30


def test_an_extractor_that_resizes_otherwise_looks_again(prepared, seen):
    other = Counting()
    other.resize = "stretched to 8x8"
    assert asked(prepared, extractor=other)[0] == 30


@pytest.mark.parametrize("raw", [b"", b"\x93NUMPY", b"PK\x03\x04", b"{}", None, "half", "wide"])
def test_a_torn_cache_file_is_taken_anew(prepared, seen, cache, raw):
    (file,) = cache.iterdir()
    if raw is None:
        np.save(file, np.zeros((30, 3), np.float32))
    elif raw == "wide":
        np.save(file, np.zeros((30, 64)))
    else:
        file.write_bytes(file.read_bytes()[:-100] if raw == "half" else raw)
    count, features = asked(prepared)
    assert count == 30
    assert np.array_equal(features, seen)
    assert asked(prepared)[0] == 0, "and it is whole again"


def test_what_is_kept_are_open_files_and_nothing_half_written(seen, cache):
    (file,) = cache.iterdir()
    assert file.suffix == ".npy"
    assert np.array_equal(np.load(file, allow_pickle=False), seen)


def test_a_cache_that_cannot_be_written_does_no_harm(prepared, tmp_path, monkeypatch):
    (tmp_path / "file").write_text("mine")
    monkeypatch.setenv("IMPASTO_CACHE", str(tmp_path / "file"))
    expected = RandomFeatures()(noise(30, side=16))
    for _ in range(2):
        count, features = asked(prepared)
        assert count == 30
        assert np.array_equal(features, expected)
    assert (tmp_path / "file").read_text() == "mine"


def test_a_disk_that_fills_up_does_no_harm(prepared, cache, monkeypatch):
    def full(file, array, **_):
        file.write(b"half of it")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(np, "save", full)
    assert asked(prepared)[0] == 30
    assert list(cache.iterdir()) == []


# Batches, blocks, softening ---------------------------------------------------------------------


@pytest.mark.parametrize("batch", [1, 7, 64])
def test_features_do_not_depend_on_the_batch(batch, monkeypatch):
    images = pictures(24, 20)
    whole = Sight(RandomFeatures()).features(images)
    monkeypatch.setattr(module, "BLOCK", 6)
    found = Sight(RandomFeatures(batch=batch)).features(images)
    assert np.array_equal(found, whole)


def test_how_far_it_is_is_told(prepared, monkeypatch):
    monkeypatch.setattr(module, "BLOCK", 12)
    told = []
    sight = Sight(RandomFeatures())
    sight.features(noise(30), lambda done, total: told.append((done, total)))
    assert told == [(12, 30), (24, 30), (30, 30)]
    told.clear()
    for _ in range(2):  # what is kept takes no time and tells nothing
        sight.of_prepared(prepared, np.arange(30), lambda done, total: told.append((done, total)))
    assert told == [(12, 30), (24, 30), (30, 30)]


def test_softening_takes_out_what_is_finer_than_its_side():
    checkerboard = (np.indices((32, 32)).sum(0) % 2 * 255).astype(np.uint8)
    images = np.broadcast_to(checkerboard[None, :, :, None], (2, 32, 32, 3))
    softened = Sight(RandomFeatures(), 8)._softened(images)
    assert softened.shape == (2, 8, 8, 3)
    assert np.ptp(softened) <= 2
    assert abs(int(softened.mean()) - 127) <= 1


def test_softening_to_their_own_side_leaves_pictures_alone():
    images = noise(3, side=16)
    assert Sight(RandomFeatures(), 16)._softened(images) is images
    assert Sight(RandomFeatures())._softened(images) is images


@pytest.mark.parametrize("softened", [None, 8])
def test_grey_pictures_are_seen(softened):
    grey = noise(4, side=16, channels=1)
    sight = Sight(RandomFeatures(), softened)
    assert np.allclose(sight.features(grey), sight.features(np.repeat(grey, 3, axis=3)), rtol=1e-5)
