"""The class of each picture: told by a table, or by the folders.

A class is the first folder below the root, if there are any folders. Where all the pictures lie
under one folder that holds folders itself (`dataset/cat/1.jpg`, or what `--only 'train/*'` leaves),
that folder tells nothing and is looked through. Pictures beside the folders have no class. A table
adds its columns, and one of them called `class` takes the place of the folders.
"""

from collections.abc import Callable, Sequence
from itertools import takewhile
from typing import Protocol, runtime_checkable

import numpy as np
from jaxtyping import Float64, Int32

from impasto.data.sources.listing import Block, Listing, Places, at, blocks

CLASS = "class"
MOST_CLASSES = 100_000  # folders; where there are more, they are no classes


@runtime_checkable
class Labelled(Protocol):
    """Labels and numbers in rows, and which row is whose."""

    label_names: dict[str, tuple[str, ...]]
    number_names: tuple[str, ...]
    notices: tuple[str, ...]

    def rows(self, names: Sequence[str], positions: Block) -> Block:
        """The row of each name, -1 where there is none."""

    def finish(self, *, like: str, whole: bool) -> None:
        """Checks what was looked up: names like this one, and whether it was all of them."""

    def labels(self, rows: Block) -> Int32[np.ndarray, "n columns"]:
        """The labels in some rows, -1 where there is none."""

    def numbers(self, rows: Block) -> Float64[np.ndarray, "n numbers"]:
        """The numbers in some rows, nan where there is none."""


@runtime_checkable
class ClassColumn(Protocol):
    """The class of each name as a number, and what the numbers stand for once all are seen."""

    def codes(self, names: list[str], rows: Block) -> Block:
        """The class of each name, which has that row of the table."""

    def finish(self) -> tuple[tuple[str, ...], Block]:
        """The classes in their order, and the place of each number in it; -1 has the last."""


class _ByTable:
    """Classes that a column of the table tells."""

    def __init__(self, table: Labelled) -> None:
        self._table = table
        self._column = list(table.label_names).index(CLASS)

    def codes(self, names: list[str], rows: Block) -> Block:
        classes: Block = self._table.labels(rows)[:, self._column].astype(np.int64)
        assert len(names) == len(classes)
        return classes

    def finish(self) -> tuple[tuple[str, ...], Block]:
        names = self._table.label_names[CLASS]
        return names, np.array([*range(len(names)), -1])


class _ByFolder:
    """Classes that the first folders tell, numbered as they come."""

    def __init__(self, depth: int) -> None:
        self._depth = depth
        self._seen: dict[str, int] = {}

    def codes(self, names: list[str], rows: Block) -> Block:
        assert len(names) == len(rows)
        return np.array([self._code(name) for name in names], np.int64)

    def finish(self) -> tuple[tuple[str, ...], Block]:
        if len(self._seen) > MOST_CLASSES:
            return (), np.full(len(self._seen) + 1, -1)
        names = tuple(sorted(self._seen, key=_class_order))
        order = np.full(len(names) + 1, -1)
        for place, name in enumerate(names):
            order[self._seen[name]] = place
        return names, order

    def _code(self, name: str) -> int:
        if name.count("/") <= self._depth or len(self._seen) > MOST_CLASSES:
            return -1
        folder = name.split("/", self._depth + 1)[self._depth]
        return self._seen.setdefault(folder, len(self._seen))


def class_column(
    listing: Listing,
    taken: Places,
    table: Labelled | None,
    known_as: Callable[[str], str],
    *,
    folders_tell: bool,
) -> ClassColumn | None:
    """Where the classes of the names taken are told, if they are."""
    if table is not None and CLASS in table.label_names:
        return _ByTable(table)
    if not folders_tell:
        return None
    shared: list[str] | None = None  # leading folders of all names
    prefix, deepest = "", 0
    for places in blocks(len(taken)):
        for name in map(known_as, listing.names(at(taken, places))):
            deepest = max(deepest, name.count("/"))
            if shared is None or not name.startswith(prefix):
                parts = name.split("/")[:-1]
                shared = parts if shared is None else common(shared, parts)
                prefix = "".join(part + "/" for part in shared)
    if not deepest or shared is None:
        return None
    depth = len(shared) if deepest > len(shared) else len(shared) - 1
    return _ByFolder(depth)


def common(first: list[str], second: list[str]) -> list[str]:
    """The folders that two paths begin with both."""
    pairs = zip(first, second, strict=False)
    return [part for part, _ in takewhile(lambda pair: pair[0] == pair[1], pairs)]


def _class_order(name: str) -> tuple[bool, int, str]:
    is_number = name.isascii() and name.isdigit() and len(name) < 10
    return (not is_number, int(name) if is_number else 0, name)
