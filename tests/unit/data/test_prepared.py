import json
import tracemalloc

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from impasto.config import to_plain
from impasto.data import layout
from impasto.data.config import DataConfig
from impasto.data.prepare import prepare
from impasto.data.prepared import Prepared, is_prepared
from impasto.errors import SourceError

SMALL = DataConfig(size=8)


def write_set(home, shape, slots, config=SMALL, *, keys=None, rejected=()):
    """A set as `prepare` leaves it; its pixels are a hole in the file until they are written."""
    home.mkdir(exist_ok=True)
    for name, (kind, size) in {
        **shape.arrays(),
        "pixels.npy": (np.dtype(np.uint8), shape.picture),
    }.items():
        growing = layout.Growing(home / name, kind, size, slots=0)
        growing.close()
        with (home / name).open("r+b") as file:
            header = {"descr": kind.str, "fortran_order": False, "shape": (slots, *size)}
            np.lib.format.write_array_header_1_0(file, header)
            file.truncate(file.tell() + slots * int(np.prod(size, dtype=int)) * kind.itemsize)
    status = np.load(home / "status.npy", mmap_mode="r+")
    status[:] = layout.KEPT
    status[list(rejected)] = layout.code("blurred")
    if keys is not None:
        np.load(home / "keys.npy", mmap_mode="r+")[:] = keys
    facts = {
        "format": layout.FORMAT,
        "key": "0",
        "source": "made up",
        "credit": None,
        "config": to_plain(config),
        "side": shape.side,
        "found": slots,
        "slots": slots,
        "starts": [0],
        "kept": slots - len(rejected),
        "rejected": len(rejected),
        "label_names": {},
        "number_names": [],
        "notices": [],
        "fingerprint": "0" * 64,
    }
    layout.write_json(home / layout.FACTS, facts)
    return Prepared.open(home)


def test_opening_a_million_pictures_reads_none(tmp_path):
    write_set(tmp_path / "set", layout.Shape(64, 3), 1_000_000, DataConfig())
    tracemalloc.start()
    try:
        opened = Prepared.open(tmp_path / "set")
        assert len(opened) == 1_000_000
        assert opened[999_999].shape == (64, 64, 3)
        assert (
            tracemalloc.get_traced_memory()[1] < 1_000_000
        )  # bytes; one for each picture would be more
    finally:
        tracemalloc.stop()
    resident = int((tmp_path / "set" / "pixels.npy").stat().st_blocks) * 512
    assert resident < 1_000_000


def test_rejected_slots_are_passed_over(tmp_path):
    opened = write_set(tmp_path / "set", layout.Shape(8, 3), 6, rejected=(0, 3))
    pixels = np.load(tmp_path / "set" / "pixels.npy", mmap_mode="r+")
    pixels[:] = np.arange(6, dtype=np.uint8)[:, None, None, None]
    assert [int(opened[i].max()) for i in range(4)] == [1, 2, 4, 5]
    assert opened.images(np.array([3, 0])).max(axis=(1, 2, 3)).tolist() == [5, 1]
    assert [int(picture.max()) for picture in opened] == [1, 2, 4, 5]
    with pytest.raises(IndexError):
        opened[4]


def test_what_is_no_prepared_set(tmp_path, folder):
    with pytest.raises(SourceError, match="is not a prepared set; make one with `impasto prepare"):
        Prepared.open(folder("1.png"))
    assert not is_prepared(tmp_path)
    assert not is_prepared(tmp_path / "nowhere")


def test_a_newer_or_damaged_set(tmp_path, folder):
    home = prepare(folder("1.png", "2.png"), SMALL, tmp_path / "set").path
    assert is_prepared(home)
    facts = json.loads((home / layout.FACTS).read_text())
    layout.write_json(home / layout.FACTS, facts | {"format": 99})
    with pytest.raises(SourceError, match=r"newer impasto \(format 99, this one reads 2\)"):
        Prepared.open(home)
    layout.write_json(home / layout.FACTS, facts | {"format": 1})
    with pytest.raises(SourceError, match=r"older impasto \(format 1, this one reads 2\)"):
        Prepared.open(home)
    layout.write_json(home / layout.FACTS, {**facts, "config": {"size": "large"}})
    with pytest.raises(SourceError, match=r"set.json is damaged .*size"):
        Prepared.open(home)
    layout.write_json(home / layout.FACTS, {**facts, "slots": 3})
    with pytest.raises(SourceError, match=r"pixels.npy does not belong to its set; delete"):
        Prepared.open(home)
    layout.write_json(home / layout.FACTS, facts)
    pixels = (home / "pixels.npy").read_bytes()
    (home / "pixels.npy").write_bytes(pixels[:-5])
    with pytest.raises(SourceError, match=r"pixels.npy is damaged .*prepare again"):
        Prepared.open(home)
    (home / "pixels.npy").write_bytes(pixels)
    (home / "keys.npy").unlink()
    with pytest.raises(SourceError, match=r"keys.npy is damaged"):
        Prepared.open(home)


@settings(
    deadline=None, max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    groups=st.lists(st.integers(1, 4), min_size=1, max_size=60),
    seed=st.integers(0, 2**40),
    share=st.floats(0, 0.9),
)
def test_a_split_is_complete_disjoint_and_keeps_duplicates_together(tmp_path, groups, seed, share):
    contents = np.random.default_rng(0).permutation(np.repeat(np.arange(len(groups)), groups))
    keys = np.random.default_rng(1).integers(0, 2**63, len(groups), dtype=np.uint64)[contents]
    opened = write_set(
        tmp_path / "set",
        layout.Shape(4, 1),
        len(keys),
        DataConfig(size=4, channels=1),
        keys=keys,
    )
    train, held_out = opened.split(seed, share)
    assert train.dtype == held_out.dtype == np.int64
    assert sorted([*train, *held_out]) == list(range(len(keys)))
    assert not set(keys[train]) & set(keys[held_out])
    target = round(share * len(keys))
    assert target - 3 <= len(held_out) <= target
    if max(groups) == 1:
        assert len(held_out) == target
    assert all(
        np.array_equal(a, b)
        for a, b in zip(opened.split(seed, share), (train, held_out), strict=True)
    )


def test_another_seed_splits_otherwise_and_growth_keeps_most(tmp_path):
    keys = np.random.default_rng(0).integers(0, 2**63, 1000, dtype=np.uint64)
    grey = DataConfig(size=4, channels=1)
    small = write_set(tmp_path / "small", layout.Shape(4, 1), 900, grey, keys=keys[:900])
    large = write_set(tmp_path / "large", layout.Shape(4, 1), 1000, grey, keys=keys)
    held = set(small.split(0, 0.1)[1].tolist())
    assert len(held) == 90
    assert len(held & set(small.split(1, 0.1)[1].tolist())) < 30
    assert len(held & set(large.split(0, 0.1)[1].tolist())) > 75
    assert len(small.split(0, 0.0)[1]) == 0


def test_a_set_is_seen_at_a_smaller_size(tmp_path, folder):
    made = prepare(folder("1.png", "2.png"), DataConfig(size=16), tmp_path / "set")
    smaller = made.viewed(DataConfig(size=8, crop="random", flip=False))
    assert (smaller.config.size, smaller.config.crop, smaller.config.flip) == (8, "random", False)
    assert smaller[0].shape == (8, 8, 3)
    whole, seen = made.images(np.arange(2)), smaller.images(np.arange(2))
    halves = whole.reshape(2, 8, 2, 8, 2, 3).mean((2, 4))
    assert np.abs(seen - halves).mean() < 20
    assert smaller.fingerprint == made.fingerprint
    # No margin is left for random crops, and nothing is made larger than it is stored.
    assert made.viewed(DataConfig(size=15, crop="random")).config.crop == "center"
    assert made.viewed(DataConfig(size=64)).config.size == 16


def test_a_set_with_margins_is_seen_without_them(tmp_path, folder):
    made = prepare(folder("1.png"), DataConfig(size=16, crop="random"), tmp_path / "set")
    assert made.viewed(DataConfig(size=16, crop="center")).config.crop == "random"
    square = made.viewed(DataConfig(size=8, crop="center"))
    assert (square.config.crop, square[0].shape) == ("center", (8, 8, 3))
