import json
import os
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from impasto.data import layout
from impasto.data.config import DataConfig
from impasto.data.decisions import write_decision
from impasto.data.inspection import census as counting
from impasto.data.inspection import inspect as inspecting
from impasto.data.inspection.facts import Balance, Numbers, Range
from impasto.data.inspection.inspect import inspect, look
from impasto.data.inspection.showing import colour_and_framing
from impasto.data.prepare import prepare
from impasto.data.prepared import Prepared
from impasto.data.rules import Rules
from impasto.data.spread import evenly
from impasto.errors import SourceError
from impasto.holds import Hold

PLAIN = DataConfig()


@pytest.fixture(autouse=True)
def cache(tmp_path_factory, monkeypatch):
    home = tmp_path_factory.mktemp("cache")
    monkeypatch.setenv("IMPASTO_CACHE", str(home))
    return home


@pytest.fixture
def lenient(monkeypatch):
    """Only copies are left out: pictures of noise have flaws of their own."""
    monkeypatch.setattr(inspecting, "STANDARD", Rules(duplicate=True))


@pytest.fixture
def flat(tmp_path):
    """Makes a folder of plain pictures: level, width and height of each."""

    def make(*shapes):
        root = tmp_path / "flat"
        for number, (level, width, height) in enumerate(shapes):
            root.mkdir(exist_ok=True)
            image = Image.new("RGB", (width, height), (level, level, level))
            image.putpixel((0, 0), (number % 256, number // 256, 0))
            image.save(root / f"{number:03}.png")
        return root

    return make


def advised(found):
    return {said.topic: said for said in found.advice}


def test_counts_sizes_classes_broken_and_duplicates(folder, picture, encoded, lenient):
    root = folder("cat/1.png", "cat/2.png", "dog/3.png", "dog/4.png")
    (root / "dog/again.png").write_bytes((root / "cat/1.png").read_bytes())
    (root / "dog/half.jpg").write_bytes(encoded(9, "JPEG", width=300, height=200)[:3000])
    (root / "dog/none.jpg").write_bytes(b"")
    picture(7, width=90, height=50).convert("L").save(root / "cat/grey.png")
    told = []
    found = inspect(root, PLAIN, report=lambda done, total: told.append((done, total)))
    assert (found.found, found.pictures, found.kept) == (8, 6, 5)
    assert found.classes == {"cat": 3, "dog": 3}
    assert found.balance == Balance(ratio=1.0, rarest=0.5, effective=2.0)
    assert found.attributes == {}
    assert found.missing == {}
    assert found.modes == {"RGB": 5, "L": 1}
    assert [name for name, _ in found.broken] == ["dog/half.jpg", "dog/none.jpg"]
    assert found.broken[1][1] == "not a picture: empty file"
    assert found.duplicates == (("cat/1.png", "dog/again.png"),)
    assert found.rejected == {"duplicate": 1, "damaged": 1, "not a picture": 1}
    assert found.examples["duplicate"] == (("dog/again.png", "of cat/1.png"),)
    assert found.sizes.width == Range(20, 20.0, 90)
    assert found.sizes.height.largest == 50
    assert found.sizes.commonest[0] == (20, 16, 5)
    assert told == [(8, 8)]
    assert found.shown.rejects.keys() == {"duplicate"}, "what was never decoded has no picture"


def test_as_json_it_keeps_its_keys_and_loses_its_pictures(folder):
    plain = inspect(folder("cat/1.png", "cat/2.png"), PLAIN).to_plain()
    again = json.loads(json.dumps(plain, allow_nan=False))
    assert again.keys() >= {
        "source", "credit", "found", "pictures", "sizes", "modes", "classes", "attributes", "broken",
        "duplicates", "kept", "aspects", "balance", "missing", "numbers", "near_duplicates", "rejected",
        "examples", "measures", "advice",
    }  # fmt: skip
    assert "shown" not in again
    assert again["sizes"]["width"]["largest"] == 20
    assert again["sizes"]["reached"]["28"] == 0
    assert {"topic", "text", "severity"} == again["advice"][0].keys()


def test_a_source_without_pictures_is_told_not_raised(folder):
    root = folder("1.png")
    (root / "1.png").write_bytes(b"words")
    found = inspect(root, PLAIN)
    assert (found.found, found.pictures, found.kept, found.sizes) == (1, 0, 0, None)
    assert [said.severity for said in found.advice] == ["warning"]
    assert found.shown.mean is None
    assert len(found.shown.some) == 0


def test_kittens_count_their_attributes():
    found = inspect("kittens:30", DataConfig(size=16))
    assert found.classes == {}
    assert {
        column: sum(counts.values()) for column, counts in found.attributes.items()
    } == dict.fromkeys(["body", "fur", "eyes", "mouth", "accessory"], 30)
    assert found.sizes.commonest == ((1024, 1024, 30),)
    assert "David Revoy" in found.credit


def test_workers_find_the_same(tmp_path, encoded):
    for number in range(300):
        (tmp_path / f"{number}.png").write_bytes(encoded(number % 290) if number != 7 else b"")
    assert inspect(tmp_path, PLAIN, workers=2) == inspect(tmp_path, PLAIN, workers=1)


def test_nothing_stays_in_the_cache(folder, cache):
    inspect(folder("1.png", "2.png"), PLAIN)
    assert list(cache.iterdir()) == []
    with pytest.raises(SourceError, match="dgo"):
        inspect(folder("cat/1.png", "dog/2.png", root="classes"), DataConfig(classes=("dgo",)))
    assert list(cache.iterdir()) == []


def test_what_killed_inspections_left_is_taken_away_and_nothing_else(folder, cache):
    left, new, held = (cache / f"inspect-{name}" for name in ("left", "new", "held"))
    for made in (left, new, held):
        (made / "set").mkdir(parents=True)
    (cache / "sets").mkdir()
    with Hold(held / "held"):
        for made in (left, held):
            os.utime(made, (0, 0))
        inspect(folder("1.png"), PLAIN)
    assert {made.name for made in cache.iterdir()} == {"inspect-new", "inspect-held", "sets"}


def test_a_cache_that_cannot_be_written_names_the_way_out(folder, monkeypatch):
    root = folder("1.png")
    monkeypatch.setenv("IMPASTO_CACHE", str(root / "1.png"))
    with pytest.raises(SourceError, match="IMPASTO_CACHE"):
        inspect(root, PLAIN)


def test_shapes_are_told_by_ratio(flat, lenient):
    found = inspect(flat(*[(90, 40, 40)] * 6, (90, 80, 40), (90, 30, 60), (90, 200, 50)), PLAIN)
    aspects = found.aspects
    assert (aspects.smallest, aspects.median, aspects.largest) == (0.5, 1.0, 4.0)
    assert aspects.commonest[0] == (1.0, 6)
    assert aspects.square == round(6 / 9, 4)
    assert aspects.beyond_two == aspects.beyond_three == round(1 / 9, 4)
    assert sum(aspects.bins.values()) == 9
    assert list(aspects.bins) == [
        "1.3:1 to 2:1, tall",
        "square",
        "1.3:1 to 2:1, wide",
        "wider than 3:1",
    ]


def test_short_sides_are_told_by_what_they_reach(flat, lenient):
    found = inspect(flat((9, 20, 40), (9, 64, 70), (9, 65, 300), (9, 2000, 130)), PLAIN)
    assert found.sizes.short == Range(20, 64.5, 130)
    assert found.sizes.reached == {28: 0.75, 32: 0.75, 64: 0.75, 96: 0.25, 128: 0.25, 256: 0.0}
    assert [bin_ for bin_ in found.sizes.bins if bin_[2]] == [
        (16, 24, 1),
        (64, 96, 2),
        (128, 192, 1),
    ]


def test_too_small_is_judged_at_the_size_that_suits_most(flat, monkeypatch):
    """At 64 pixels, where they are looked at, 40 would pass; at 128, which the others fill, not."""
    monkeypatch.setattr(inspecting, "STANDARD", Rules(too_small=0.5))
    found = inspect(flat(*[(80, 130, 140)] * 19, (80, 40, 45)), PLAIN)
    assert found.rejected == {"too small": 1}
    assert found.examples["too small"] == (("019.png", "40x45 pixels"),)
    assert found.kept == 19
    small = inspect(flat(*[(80, 28, 28)] * 20), DataConfig(only=("00*",)))
    assert small.found == 10
    assert small.rejected == {}, (
        "a set of small pictures is not thrown out for being looked at at 64"
    )


def test_the_average_and_what_all_have_in_common(flat, tmp_path, lenient):
    found = inspect(flat((0, 64, 64), (100, 64, 64)), PLAIN)
    assert found.shown.averaged == 2
    assert np.abs(found.shown.mean[10:, 10:].astype(int) - 50).max() <= 1
    assert found.grey == 1.0
    half = np.zeros((64, 64, 3), np.uint8)
    half[:32] = 200
    rng = np.random.default_rng(0)
    for kind in ("alike", "mixed"):
        (tmp_path / kind).mkdir()
        for number in range(60):
            base = (
                half if kind == "alike" else rng.permutation(half.reshape(-1, 3)).reshape(64, 64, 3)
            )
            noise = rng.integers(0, 40, (64, 64, 3), dtype=np.uint8)
            Image.fromarray(base + noise).save(tmp_path / kind / f"{number}.png")
    assert inspect(tmp_path / "alike", PLAIN).shared > 0.9
    mixed = inspect(tmp_path / "mixed", PLAIN)
    assert mixed.shared < 0.01
    assert mixed.grey == 0.0


def test_pictures_shown_are_drawn_evenly_with_both_ends():
    assert evenly(np.arange(100), 3).tolist() == [0, 50, 99] or evenly(
        np.arange(100), 3
    ).tolist() == [0, 49, 99]
    assert evenly(np.arange(4), 9).tolist() == [0, 1, 2, 3]
    assert evenly(np.arange(0), 9).tolist() == []


# Sets that are prepared already ---------------------------------------------------------------


@pytest.fixture
def ready(folder, tmp_path):
    root = folder("cat/1.png", "cat/2.png", "cat/3.png", "dog/4.png", "dog/5.png")
    (root / "dog/none.png").write_bytes(b"")
    return prepare(root, DataConfig(size=16), tmp_path / "set")


def test_a_prepared_set_is_told_as_it_is(ready, cache, monkeypatch):
    monkeypatch.setattr(inspecting, "STANDARD", Rules(too_small=1000, dark=1000, duplicate=True))
    write_decision(ready.path, [1], keep=False)
    found = inspect(ready.path, PLAIN)
    assert found.prepared == 16
    assert (found.found, found.pictures, found.kept) == (6, 5, 4)
    assert found.rejected == {"not a picture": 1, "by hand": 1}
    assert found.examples["by hand"] == (("cat/2.png", ""),)
    assert found.shown.some.shape[1:] == (16, 16, 3)
    assert "16 pixels" in advised(found)["resolution"].text
    assert "crop" not in advised(found), "that was decided"
    assert not list(cache.iterdir())


@pytest.mark.parametrize(
    "selected", [{"classes": ("cat",)}, {"only": ("cat/*",)}, {"limit": 2}], ids=str
)
def test_nothing_can_be_selected_from_a_prepared_set(ready, selected):
    with pytest.raises(SourceError, match="prepared already"):
        inspect(ready.path, DataConfig(**selected))


def changed(ready, **arrays):
    """The set with other arrays, as a later preparation would have left them."""
    for name, values in arrays.items():
        np.save(ready.path / f"{name}.npy", values)
    return Prepared.open(ready.path)


def test_near_duplicates_come_with_the_twin_that_is_kept(ready):
    status, hashes = np.array(ready.arrays.status), np.zeros_like(ready.arrays.hashes)
    hashes[:] = np.arange(len(hashes))[:, None] * 16 + 15
    hashes[3] = hashes[0]
    hashes[3, 0] ^= 0b101
    status[3] = layout.code("near duplicate")
    found = look(changed(ready, status=status, hashes=hashes), side=None)
    assert found.near_duplicates.count == 1
    assert found.near_duplicates.pairs == (("dog/4.png", "cat/1.png", 2),)
    assert np.array_equal(found.shown.twins[0], ready.arrays.pixels[np.array([3, 0])])
    assert "near" in advised(found)["duplicates"].text


def test_pictures_without_a_label_are_counted(ready):
    labels = np.array(ready.arrays.labels)
    labels[[0, 3]] = -1
    found = look(changed(ready, labels=labels), side=None)
    assert found.classes == {"cat": 2, "dog": 1}
    assert found.missing == {"class": 2}


def test_numbers_have_a_range_and_gaps(ready):
    ages = np.array(
        [[3, np.nan], [1, np.nan], [np.nan, np.nan], [2, np.nan], [10, np.nan], [99, 1]]
    )
    with_ages = replace(
        ready,
        number_names=("age", "weight"),
        arrays=replace(ready.arrays, numbers=ages.astype(np.float32)),
    )
    assert counting.numbers_of(with_ages, counting.take_census(with_ages)) == {
        "age": Numbers(1.0, 2.5, 10.0, 1),
        "weight": Numbers(None, None, None, 5),
    }


def test_copies_are_found_among_what_decodes_only(ready):
    keys = np.array([5, 7, 5, 7, 5, 7], np.uint64)
    groups = counting.copies_of(ready, counting.take_census(ready))
    assert groups == []
    twice = replace(ready, arrays=replace(ready.arrays, keys=keys))
    groups = counting.copies_of(twice, counting.take_census(twice))
    assert [group.tolist() for group in groups] == [[0, 2, 4], [1, 3]]


def test_rows_are_read_one_at_a_time(ready, monkeypatch):
    """A manifest may be larger than memory: no more than one row is alive at any time."""
    alive = []

    class Row(dict):
        def __init__(self, *facts):
            super().__init__(*facts)
            alive.append(None)
            assert len(alive) <= 2, "the one before may live until this one is bound"

        def __del__(self):
            alive.pop()

    rows = layout.read_rows
    monkeypatch.setattr(
        "impasto.data.layout.read_rows", lambda path: (Row(row) for row in rows(path))
    )
    census = counting.take_census(ready)
    assert census.modes == {"RGB": 5}
    assert counting.name_slots(ready, [4]) == {4: ("dog/5.png", "")}


def test_balance_counts_effective_classes():
    assert counting.balance_of({"a": 5}) is None
    assert counting.balance_of({"a": 0, "b": 0}) is None
    even = counting.balance_of(dict.fromkeys("abcd", 25))
    assert (even.effective, even.ratio, even.rarest) == (4.0, 1.0, 0.25)
    assert counting.balance_of({"a": 99, "b": 1}).effective == pytest.approx(1.06, abs=0.01)
    assert counting.balance_of({"a": 99, "b": 0}).ratio is None


def test_one_picture_has_everything_in_common(ready):
    status = np.full(6, layout.code("by hand"), np.uint8)
    status[5] = layout.code("not a picture")
    status[0] = layout.KEPT
    alone = changed(ready, status=status)
    grey, shared = colour_and_framing(alone, counting.take_census(alone))
    assert (grey, shared) == (0.0, 1.0)
