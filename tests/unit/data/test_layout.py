import json

import numpy as np
import pytest

from impasto.data import layout
from impasto.data.layout import Growing, Shape, Writer
from impasto.errors import SourceError

SHAPE = Shape(side=2, channels=1)


def put(writer: Writer, parts: list[int]) -> None:
    """Writes candidates with so many parts; each slot's pixel is its number."""
    for count in parts:
        slots = np.arange(writer.slots, writer.slots + count)
        columns = {
            name: np.zeros((count, *size), kind) for name, (kind, size) in SHAPE.arrays().items()
        }
        columns["keys.npy"][:] = slots
        pixels = np.broadcast_to(slots.astype(np.uint8)[:, None, None, None], (count, 2, 2, 1))
        rows = [{"candidate": writer.candidates, "part": p, "parts": count} for p in range(count)]
        writer.append(1, pixels, columns, rows)


def opened(home, slots, starts):
    return layout.open_arrays(home, SHAPE, slots, starts)


@pytest.mark.parametrize("shards", [1, 2, 3, 7])
def test_shards_are_read_as_one(tmp_path, shards):
    parts = [1, 3, 1, 2, 1]
    with Writer(tmp_path, SHAPE, shards=shards, candidates=5) as writer:
        put(writer, parts)
        writer.finish()
    assert (writer.slots, len(writer.starts)) == (8, shards)
    arrays = opened(tmp_path, 8, writer.starts)
    order = np.array([7, 0, 3, 3, 5, 1])
    assert arrays.pixels[order][:, 0, 0, 0].tolist() == order.tolist()
    assert len(arrays.pixels) == 8
    assert arrays.keys.tolist() == list(range(8))
    sizes = [len(np.load(tmp_path / name)) for name in layout.pixel_files(shards)]
    assert sum(sizes) == 8
    if shards == 2:
        assert sizes == [5, 3]  # candidates 0 to 2, and 3 to 4


@pytest.mark.parametrize("shards", [1, 2, 5])
@pytest.mark.parametrize("lost", range(0, 260, 13))
def test_what_a_killed_process_left_is_cut_back_and_gone_on_from(tmp_path, shards, lost):
    parts = [1, 3, 1, 2, 1]
    for home in ("whole", "killed"):
        (tmp_path / home).mkdir()
    with Writer(tmp_path / "whole", SHAPE, shards=shards, candidates=5) as whole:
        put(whole, parts)
        whole.finish()
    with Writer(tmp_path / "killed", SHAPE, shards=shards, candidates=5) as first:
        put(first, parts[:4])
    rows = (tmp_path / "killed" / layout.FOUND).read_bytes()
    (tmp_path / "killed" / layout.FOUND).write_bytes(rows[: len(rows) - lost])
    with Writer(tmp_path / "killed", SHAPE, shards=shards, candidates=5) as second:
        assert second.candidates <= 4
        assert second.slots == sum(parts[: second.candidates])
        put(second, parts[second.candidates :])
        second.finish()
    assert second.starts == whole.starts
    for path in (tmp_path / "whole").iterdir():
        assert (tmp_path / "killed" / path.name).read_bytes() == path.read_bytes(), path.name


def test_rows_of_a_candidate_that_is_not_complete_are_cut(tmp_path):
    with Writer(tmp_path, SHAPE, shards=1, candidates=3) as writer:
        put(writer, [1, 3])
    lines = (tmp_path / layout.FOUND).read_bytes().splitlines(keepends=True)
    (tmp_path / layout.FOUND).write_bytes(b"".join(lines[:3]))  # two of the three parts
    assert layout.finished(tmp_path / layout.FOUND, 1, 3) == (1, 1, [0])
    assert (tmp_path / layout.FOUND).read_bytes() == lines[0]


def test_a_growing_array_is_a_plain_file_whenever_it_is_closed(tmp_path):
    path = tmp_path / "a.npy"
    growing = Growing(path, np.dtype(np.float32), (3,), slots=0)
    growing.append(np.ones((2, 3)))
    growing.close()
    assert np.load(path).tolist() == [[1, 1, 1]] * 2
    growing = Growing(path, np.dtype(np.float32), (3,), slots=1)
    growing.append(np.zeros((4, 3)))
    growing.close()
    assert np.load(path)[:, 0].tolist() == [1, 0, 0, 0, 0]
    with pytest.raises(SourceError, match=r"a.npy is cut short; delete"):
        Growing(path, np.dtype(np.float32), (3,), slots=9)


def test_every_kind_has_its_own_code():
    codes = [layout.code(kind) for kind in layout.KINDS]
    assert sorted({*codes, layout.PENDING, layout.KEPT}) == list(range(len(codes) + 2))
    assert all(layout.kind_of(layout.code(kind)) == kind for kind in layout.KINDS)
    invisible = [kind for kind in layout.KINDS if layout.is_invisible(layout.code(kind))]
    assert invisible == ["cannot be read", "not a picture", "damaged", "too large"]


def test_rows_are_json(tmp_path):
    with Writer(tmp_path, SHAPE, shards=1, candidates=2) as writer:
        put(writer, [1, 2])
    rows = [json.loads(line) for line in (tmp_path / layout.FOUND).read_text().splitlines()]
    assert [(row["slot"], row["candidate"], row["part"]) for row in rows] == [
        (0, 0, 0),
        (1, 1, 0),
        (2, 1, 1),
    ]
