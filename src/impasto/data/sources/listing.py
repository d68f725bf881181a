"""Names and numbers by the million, kept in temporary files and mapped: memory stays constant.

A hundred million names take a few gigabytes, too much to hold and little to keep on disk. They are
written once, in order, and read back through a memory map, so that the system decides how much of
them stays in memory.
"""

import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import closing
from itertools import chain, islice
from typing import Any

import numpy as np
from jaxtyping import Int64

from impasto.data.sources.scratch import Scratch, no_room, temporary_database

BLOCK = 4096  # names or rows that are handled at a time
Places = range | np.ndarray  # ascending int64: of names, or of rows
Block = Int64[np.ndarray, " n"]
RUN = 200_000  # entries of one folder that are put in order in memory; more are sorted on disk


class Spool:
    """Rows of numbers that are appended to a temporary file and then mapped."""

    def __init__(self, kind: type[np.generic], width: int) -> None:
        self._kind, self._width = np.dtype(kind), width
        self._file = Scratch()
        self._rows = 0

    def __len__(self) -> int:
        return self._rows

    def append(self, rows: np.ndarray) -> None:
        """Puts rows of `width` numbers behind those that are there."""
        block = np.ascontiguousarray(rows, self._kind).reshape(len(rows), self._width)
        self._file.write(block.tobytes())
        self._rows += len(block)

    def map(self) -> np.ndarray:
        """All rows, `n width`, mapped and not read; nothing can be appended any more."""
        mapped = self._file.map()
        flat = np.frombuffer(mapped, self._kind) if mapped else np.empty(0, self._kind)
        return flat.reshape(self._rows, self._width)


class Listing:
    """Names in the order in which they were given, and some whole numbers beside each."""

    def __init__(self, rows: Iterable[tuple[Any, ...]], *, beside: int = 0) -> None:
        """Writes down all rows.

        Args:
            rows: a name, and `beside` whole numbers.
            beside: how many.
        """
        text = Scratch()
        numbers = Spool(np.int64, 1 + beside)
        iterator, end = iter(rows), 0
        while block := list(islice(iterator, BLOCK)):
            names = [row[0].encode("utf-8", "surrogatepass") for row in block]
            ends = end + np.cumsum([len(name) for name in names], dtype=np.int64)
            end = int(ends[-1])
            others = np.array([row[1:] for row in block], np.int64).reshape(len(block), beside)
            numbers.append(np.column_stack([ends, others]))
            text.write(b"".join(names))
        self._text = text.map()
        self._numbers: Int64[np.ndarray, "n columns"] = numbers.map()

    def __len__(self) -> int:
        return len(self._numbers)

    def __getitem__(self, position: int) -> str:
        """The name at a position."""
        return self.names(np.array([position]))[0]

    def __iter__(self) -> Iterator[str]:
        for first in range(0, len(self), BLOCK):
            yield from self.names(np.arange(first, min(first + BLOCK, len(self))))

    def names(self, positions: Int64[np.ndarray, " n"]) -> list[str]:
        """The names at some positions."""
        ends = self._numbers[positions, 0]
        starts = np.where(positions > 0, self._numbers[np.maximum(positions, 1) - 1, 0], 0)
        pairs = zip(starts.tolist(), ends.tolist(), strict=True)
        return [self._text[start:end].decode("utf-8", "surrogatepass") for start, end in pairs]

    def beside(self, positions: Int64[np.ndarray, " n"]) -> Int64[np.ndarray, "n columns"]:
        """The numbers beside the names at some positions."""
        rows: np.ndarray = self._numbers[positions, 1:]
        return rows


def blocks(count: int, start: int = 0) -> Iterator[Block]:
    """The places from `start` up to `count`, a block at a time."""
    for first in range(start, count, BLOCK):
        yield np.arange(first, min(first + BLOCK, count))


def at(rows: Places, places: Block) -> np.ndarray:
    """The rows at some places."""
    return places + rows.start if isinstance(rows, range) else rows[places]


def in_order(entries: Iterable[tuple[bytes, int]]) -> Iterator[tuple[bytes, int]]:
    """The entries by their bytes, ascending; all are taken before this returns."""
    iterator = iter(entries)
    head = list(islice(iterator, RUN + 1))
    if len(head) <= RUN:
        return iter(sorted(head))
    with no_room():
        database = temporary_database()
        database.execute("CREATE TABLE entries (name BLOB, kind INTEGER)")
        database.executemany("INSERT INTO entries VALUES (?, ?)", chain(head, iterator))
    return _sorted(database)


def _sorted(database: sqlite3.Connection) -> Iterator[tuple[bytes, int]]:
    with closing(database), no_room():
        yield from database.execute("SELECT name, kind FROM entries ORDER BY name")
