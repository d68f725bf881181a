import threading

import numpy as np
import pytest
import torch

from impasto.data.config import DataConfig
from impasto.data.feed import Feed
from impasto.data.prepare import prepare
from impasto.errors import ConfigError, SourceError
from impasto.seeds import stream


@pytest.fixture
def prepared(tmp_path, folder):
    return prepare(
        folder(*(f"{'ab'[i % 2]}/{i:02d}.png" for i in range(23))),
        DataConfig(size=8),
        tmp_path / "set",
    )


@pytest.fixture
def with_margins(tmp_path, folder):
    root = folder(*(f"{i:02d}.png" for i in range(23)))
    return prepare(root, DataConfig(size=8, crop="random"), tmp_path / "margins")


def places(batch, prepared):
    """Which pictures a batch holds."""
    every = prepared.images(np.arange(len(prepared)))
    return [int((every == image.numpy()).all(axis=(1, 2, 3)).argmax()) for image in batch.images]


def test_every_picture_comes_once_an_epoch(prepared):
    positions = np.arange(3, 23)
    feed = Feed(prepared, positions, batch=6, seed=1, flip=False)
    seen = [place for k in range(10) for place in places(feed.at(6 * k), prepared)]
    for epoch in range(3):
        assert sorted(seen[20 * epoch : 20 * (epoch + 1)]) == positions.tolist()
    assert seen[:20] != seen[20:40]


def test_a_plain_script_can_repeat_the_order(prepared):
    positions = np.arange(23)
    feed = Feed(prepared, positions, batch=6, seed=5, flip=True)
    orders = [torch.randperm(23, generator=stream(5, "order", epoch)) for epoch in range(3)]
    order = torch.cat(orders)
    for k in range(11):
        wanted = torch.from_numpy(prepared.images(order[6 * k : 6 * k + 6].numpy()))
        mirrored = torch.rand(6, generator=stream(5, "flip", 6 * k)) < 0.5
        wanted = torch.where(mirrored[:, None, None, None], wanted.flip(2), wanted)
        batch = feed.at(6 * k)
        assert torch.equal(batch.images, wanted)
        assert batch.images.dtype == torch.uint8
        assert batch.known.shape == (6, 0)


def test_what_is_known_comes_with_the_pictures(prepared):
    attributes = prepared.attributes(np.arange(23), ())
    feed = Feed(prepared, np.arange(23), batch=6, seed=5, flip=True, attributes=attributes)
    order = torch.cat([torch.randperm(23, generator=stream(5, "order", epoch)) for epoch in (0, 1)])
    for k in range(5):
        labels = prepared.labels(order[6 * k : 6 * k + 6].numpy())[:, 0]
        known = feed.at(6 * k).known
        assert known.dtype == torch.float32
        assert known[:, : len(attributes[0].values)].argmax(1).tolist() == labels.tolist()


@pytest.mark.parametrize("which", ["prepared", "with_margins"])
def test_slices_of_ranks_make_the_whole_batch(which, request):
    prepared = request.getfixturevalue(which)
    common = {"batch": 12, "seed": 2, "flip": True}
    whole = Feed(prepared, np.arange(23), **common)
    parts = [Feed(prepared, np.arange(23), **common, rank=rank, processes=3) for rank in range(3)]
    for seen in (0, 12, 24):
        slices = [part.at(seen) for part in parts]
        assert all(len(part.images) == 4 for part in slices)
        assert torch.equal(torch.cat([part.images for part in slices]), whole.at(seen).images)
        assert torch.equal(torch.cat([part.known for part in slices]), whole.at(seen).known)


@pytest.mark.parametrize("which", ["prepared", "with_margins"])
def test_the_stream_is_the_same_as_asking(which, request):
    prepared = request.getfixturevalue(which)
    feed = Feed(prepared, np.arange(23), batch=6, seed=3, flip=True)
    other = Feed(prepared, np.arange(23), batch=6, seed=3, flip=True)
    batches = feed.stream(18)
    for k in range(3, 12):
        batch = next(batches)
        assert torch.equal(batch.images, other.at(6 * k).images)
        assert torch.equal(batch.known, other.at(6 * k).known)
    batches.close()


def test_leaving_the_stream_ends_its_thread(prepared):
    def ours():
        return [thread for thread in threading.enumerate() if thread.name == "impasto feed"]

    batches = Feed(prepared, np.arange(23), batch=6, seed=3, flip=True).stream(0)
    next(batches)
    assert ours()
    batches.close()
    assert not ours()


def test_what_fails_in_the_thread_is_raised_where_it_is_read(prepared, monkeypatch):
    feed = Feed(prepared, np.arange(23), batch=6, seed=3, flip=False)
    real = feed.at

    def failing(images_seen):
        if images_seen == 12:
            raise OSError(5, "the disk is gone")
        return real(images_seen)

    monkeypatch.setattr(feed, "at", failing)
    batches = feed.stream(0)
    next(batches)
    next(batches)
    with pytest.raises(OSError, match="the disk is gone"):
        next(batches)


def test_random_crops_vary_and_stay_near(with_margins):
    feed = Feed(with_margins, np.arange(23), batch=23, seed=0, flip=False)
    first, second = feed.at(0).images, feed.at(23).images
    assert first.shape == (23, 8, 8, 3)
    mean = with_margins.images(np.arange(23)).mean()
    assert abs(first.float().mean() - mean) < 6
    by_mean = [sorted(batch.float().mean((1, 2, 3)).tolist()) for batch in (first, second)]
    assert by_mean[0] != by_mean[1]
    assert np.abs(np.subtract(*by_mean)).max() < 12


def test_too_few_pictures_says_which_batch_would_do(prepared):
    with pytest.raises(
        SourceError, match=r"23 pictures to train on are fewer .* 64; .*--set train.batch=23"
    ):
        Feed(prepared, np.arange(23), batch=64, seed=0, flip=True)


def test_a_batch_must_divide_among_processes(prepared):
    with pytest.raises(
        ConfigError, match=r"8 does not divide among 3 processes; --set train.batch=9"
    ):
        Feed(prepared, np.arange(23), batch=8, seed=0, flip=True, processes=3)


def test_of_pictures_without_labels_nothing_is_known(with_margins):
    batch = Feed(with_margins, np.arange(23), batch=4, seed=0, flip=True).at(0)
    assert batch.known.shape == (4, 0)
    with pytest.raises(ConfigError, match="nothing is known of these pictures"):
        with_margins.attributes(np.arange(23), ("class",))
