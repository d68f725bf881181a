import tracemalloc

import numpy as np
import pytest

from impasto.data.config import DataConfig
from impasto.data.sources import classes, listing, selection
from impasto.data.sources.listing import BLOCK, Listing, Spool, in_order
from impasto.data.sources.selection import draw, matching, select


def listed(*names: str) -> Listing:
    return Listing((name,) for name in names)


def test_names_and_numbers_come_back_as_they_were():
    names = ["a", "", "ü/é\n", "broken-\udcff", "lone-\ud83d", *(f"n{i}" for i in range(BLOCK))]
    numbers = Listing(((name, i, -i) for i, name in enumerate(names)), beside=2)
    assert len(numbers) == len(names)
    assert list(numbers) == names
    assert [numbers[i] for i in (0, 3, len(names) - 1)] == ["a", "broken-\udcff", f"n{BLOCK - 1}"]
    assert numbers.beside(np.array([4, 2])).tolist() == [[4, -4], [2, -2]]
    assert list(listed()) == []


def test_a_spool_keeps_rows_and_may_be_empty():
    spool = Spool(np.int32, 2)
    spool.append(np.array([[1, 2]]))
    spool.append(np.empty((0, 2)))
    spool.append(np.array([[3, 4], [5, 6]]))
    assert spool.map().tolist() == [[1, 2], [3, 4], [5, 6]]
    assert Spool(np.float64, 3).map().shape == (0, 3)
    no_columns = Spool(np.int32, 0)
    no_columns.append(np.empty((4, 0)))
    assert no_columns.map().shape == (4, 0)


def test_a_large_folder_is_put_in_order_on_disk_as_in_memory(monkeypatch):
    entries = [(f"{i * 7919 % 1000}".encode(), i) for i in range(1000)]
    in_memory = list(in_order(entries))
    monkeypatch.setattr(listing, "RUN", 10)
    assert list(in_order(iter(entries))) == in_memory == sorted(entries)


def test_listing_and_selecting_take_the_same_memory_for_any_number_of_names():
    def peak(count: int) -> int:
        tracemalloc.start()
        names = Listing(
            ((f"some/folder/{i % 7}/picture-{i:09d}.jpg", i) for i in range(count)), beside=1
        )
        config = DataConfig(classes=("3", "5"), only=("*/picture-*",), limit=count // 10)
        chosen = select(names, config, where="here")
        assert len(chosen) == count // 10
        assert sum(entry.labels[0] for entry in chosen.entries()) > 0
        found = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return found

    peak(1000)  # compiles patterns and fills caches
    few, many = peak(20_000), peak(200_000)
    assert many < 5 * 2**20
    assert many - few < 2 * 2**20


def test_a_limit_draws_evenly_and_always_the_same(monkeypatch):
    monkeypatch.setattr(selection, "_DRAWN_AT_ONCE", 100)
    drawn = np.concatenate(list(draw(1050, 400, 3)))
    assert len(drawn) == len(set(drawn.tolist())) == 400
    assert (np.diff(drawn) > 0).all()
    assert (drawn < 1050).all()
    assert np.array_equal(drawn, np.concatenate(list(draw(1050, 400, 3))))
    assert not np.array_equal(drawn, np.concatenate(list(draw(1050, 400, 4))))
    counts = np.zeros(1050)
    for seed in range(200):
        counts[np.concatenate(list(draw(1050, 400, seed)))] += 1
    assert abs(counts.reshape(-1, 50).mean(axis=1) / 200 - 400 / 1050).max() < 0.03


def test_everything_taken_is_no_list_of_places():
    names = listed("a.png", "b.png")
    assert matching(names, (), where="here") == range(2)
    assert select(names, DataConfig(), where="here").positions == range(2)


def test_too_many_folders_are_no_classes(monkeypatch):
    monkeypatch.setattr(classes, "MOST_CLASSES", 5)
    few = select(listed(*(f"{i}/a.png" for i in range(5))), DataConfig(), where="here")
    assert few.label_names == {"class": tuple("01234")}
    many = select(listed(*(f"{i}/a.png" for i in range(6))), DataConfig(), where="here")
    assert many.label_names == {}
    assert [entry.labels for entry in many.entries()] == [()] * 6


@pytest.mark.parametrize("start", [0, 1, BLOCK - 1, BLOCK, BLOCK + 3])
def test_entries_start_anywhere(start):
    names = [f"{i % 3}/{i:05d}" for i in range(BLOCK + 5)]
    chosen = select(listed(*names), DataConfig(), where="here")
    assert [(e.name, e.labels) for e in chosen.entries(start)] == [
        (name, (int(name[0]),)) for name in names[start:]
    ]
