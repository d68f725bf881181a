"""Labels in rows of named values, and what kind of column each name turns out to be.

A column of numbers is numeric when one of them has a fraction, or when there are more than twenty
different ones. Any other column is categorical: yes and no, 0 and 1, -1 and 1, a few words. Columns
called class, label or category are categorical as long as they hold whole numbers or words, and
`label` is the class where no column is called so. Where cells hold several values, with | or ; between
them, each value becomes a column of its own, yes or no. A column of words most of which are different
(captions, addresses) tells no kinds and is passed over, with a notice. Empty cells, NA, nan and
null are missing.

Rows are written to temporary files: a block of them is in memory, and the different values of each
column, at most 100,000.
"""

import json
import math
import mmap
import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice

import numpy as np
from jaxtyping import Float64, Int32, Int64

from impasto.data.sources.items import printable
from impasto.data.sources.listing import BLOCK, Spool
from impasto.data.sources.scratch import Scratch
from impasto.errors import SourceError

FEW = 20  # different whole numbers that still are categories
MOST_CATEGORIES = 100_000
MOST_COLUMNS = 1000
MISSING = frozenset({"", "NA", "N/A", "nan", "NaN", "NAN", "null", "NULL", "None"})
_KINDS = frozenset({"class", "label", "category"})  # columns whose numbers are names
MOST_TAGS = 200  # different values in a column whose cells hold several
_APART = re.compile(r"\s*[|;]\s*")  # stands between them
_NO_YES = ("no", "yes")
_LONGEST = 200  # characters of a category; a longer text is prose
_WHOLE = re.compile(r"([+-]?\d+)\.0*")

Cell = str | int | float | None


class Columns:
    """Columns of labels and of numbers, in rows; a source's own, where row and position are one."""

    def __init__(
        self,
        label_names: dict[str, tuple[str, ...]],
        number_names: tuple[str, ...],
        labels: Int32[np.ndarray, "n columns"],
        numbers: Float64[np.ndarray, "n numbers"],
        notices: tuple[str, ...] = (),
    ) -> None:
        self.label_names, self.number_names = label_names, number_names
        self.notices = notices
        self._labels, self._numbers = labels, numbers

    def __len__(self) -> int:
        return len(self._labels)

    def rows(
        self, names: Sequence[str], positions: Int64[np.ndarray, " n"]
    ) -> Int64[np.ndarray, " n"]:
        """The row of each name: its position."""
        assert len(names) == len(positions)
        return positions

    def finish(self, *, like: str, whole: bool) -> None:
        """Nothing: a source's own rows fit it."""

    def labels(self, rows: Int64[np.ndarray, " n"]) -> Int32[np.ndarray, "n columns"]:
        """The labels in some rows, -1 where there is none."""
        taken: np.ndarray = self._labels[rows]  # a copy; what row -1 gave is put right
        taken[rows < 0] = -1
        return taken

    def numbers(self, rows: Int64[np.ndarray, " n"]) -> Float64[np.ndarray, "n numbers"]:
        """The numbers in some rows, nan where there is none."""
        taken: np.ndarray = self._numbers[rows]
        taken[rows < 0] = math.nan
        return taken


class _Column:
    """What has been seen of one column."""

    def __init__(self, name: str, place: int, categories: tuple[str, ...] | None) -> None:
        self.name, self.place = name, place
        self.categories = categories  # given, or None to find out
        self.seen: dict[str, None] = {}
        self.count = 0
        self.is_numeric, self.has_fractions, self.is_prose = True, False, False
        self.tags: dict[str, None] = {}  # the values in cells that may hold several
        self.is_tagged = False

    def add(self, value: str) -> None:
        self.count += 1
        if self.is_numeric:
            number = _number(value)
            self.is_numeric = number is not None
            self.has_fractions |= number is not None and not number.is_integer()
        if len(self.seen) <= MOST_CATEGORIES:
            self.seen[value] = None
        self.is_prose |= len(value) > _LONGEST
        if len(self.tags) <= MOST_TAGS:
            parts = tags_in(value)
            self.is_tagged |= len(parts) > 1
            self.tags.update(dict.fromkeys(parts))

    @property
    def kind(self) -> str:
        """One of category, tags, number, prose, empty."""
        if self.categories is not None:
            return "category"
        if not self.count:
            return "empty"
        if self.is_tagged and not self.is_prose and len(self.tags) <= MOST_TAGS:
            return "tags"
        named = self.name.lower() in _KINDS
        few = len(self.seen) <= (MOST_CATEGORIES if named else FEW)
        if self.is_numeric:
            return "number" if self.has_fractions or not few else "category"
        if self.is_prose or len(self.seen) > MOST_CATEGORIES:
            return "prose"
        return "category" if few or 2 * len(self.seen) <= self.count else "prose"


class Gathered:
    """Rows of cells on their way to columns."""

    def __init__(self, where: str, categories: Mapping[str, tuple[str, ...]] | None = None) -> None:
        """Begins with no rows.

        Args:
            where: the source or table, for messages.
            categories: columns whose categories are known, with the cells being their numbers.
        """
        self._where = where
        self._given = dict(categories or {})
        self._columns: dict[str, _Column] = {}
        self._rows = 0
        self._file = Scratch()
        for name in self._given:
            self._column(name)

    def __len__(self) -> int:
        return self._rows

    def append(self, row: Mapping[str, Cell]) -> None:
        """Puts down a row; a column that it does not name is missing in it."""
        cells: list[str | None] = [None] * len(self._columns)
        for name, cell in row.items():
            value = _text(cell)
            if value is None:
                continue
            column = self._column(name)
            column.add(value)
            cells += [None] * (column.place + 1 - len(cells))
            cells[column.place] = None if column.is_prose and column.categories is None else value
        self._file.write(json.dumps(cells).encode() + b"\n")
        self._rows += 1

    def columns(self) -> Columns:
        """All rows as columns."""
        kinds = {column: column.kind for column in self._columns.values()}
        labels = _class_first([column for column, kind in kinds.items() if kind == "category"])
        numbers = [column for column, kind in kinds.items() if kind == "number"]
        names = {column.name: column.categories or _in_order(column.seen) for column in labels}
        pairs = [(column.place, _codes(column, names[column.name])) for column in labels]
        tagged = [column for column, kind in kinds.items() if kind == "tags"]
        tags = [(column.place, tag) for column in tagged for tag in _in_order(column.tags)]
        for column in tagged:
            for tag in _in_order(column.tags):
                names[f"{column.name}.{tag}" if tag in names else tag] = _NO_YES
        label_rows = Spool(np.int32, len(pairs) + len(tags))
        number_rows = Spool(np.float64, len(numbers))
        for block in self._blocks():
            codes = [
                [
                    *(codes.get(_cell(row, at), -1) for at, codes in pairs),
                    *(_has(_cell(row, at), tag) for at, tag in tags),
                ]
                for row in block
            ]
            label_rows.append(np.array(codes, np.int32).reshape(len(block), -1))
            values = [[float(_cell(row, of.place) or "nan") for of in numbers] for row in block]
            number_rows.append(np.array(values))
        prose = [column for column, kind in kinds.items() if kind == "prose"]
        notices = tuple(self._passed_over(column) for column in prose)
        notices += tuple(
            f"{self._where}: cells of column {printable(column.name)!r} hold several values; each of its "
            f"{len(column.tags)} is an attribute of its own, yes or no"
            for column in tagged
        )
        return Columns(
            names,
            tuple(column.name for column in numbers),
            label_rows.map(),
            number_rows.map(),
            notices,
        )

    def _column(self, name: str) -> _Column:
        if name not in self._columns:
            if len(self._columns) == MOST_COLUMNS:
                raise SourceError(
                    f"{self._where}: more than {MOST_COLUMNS:,} columns of labels; leave some out"
                )
            self._columns[name] = _Column(name, len(self._columns), self._given.get(name))
        return self._columns[name]

    def _blocks(self) -> Iterator[list[list[str | None]]]:
        mapped = self._file.map()
        lines = iter(mapped.readline, b"") if isinstance(mapped, mmap.mmap) else iter(())
        while block := list(islice(lines, BLOCK)):
            yield [json.loads(line) for line in block]

    def _passed_over(self, column: _Column) -> str:
        found = "more than " if len(column.seen) > MOST_CATEGORIES else ""
        count = min(len(column.seen), MOST_CATEGORIES)
        return (
            f"{self._where}: column {printable(column.name)!r} is passed over: {found}{count:,} "
            f"different texts in {column.count:,} rows are no categories"
        )


def tags_in(value: str) -> list[str]:
    """The values in a cell that may hold several."""
    return [part for part in _APART.split(value) if part]


def _has(cell: str | None, tag: str) -> int:
    return -1 if cell is None else int(tag in tags_in(cell))


def _class_first(columns: list[_Column]) -> list[_Column]:
    """The columns, that of the class in front: `class`, or else `label` by that name."""
    by_name = {column.name.lower(): column for column in columns}
    main = by_name.get("class") or by_name.get("label")
    if main is None:
        return columns
    main.name = "class"
    return [main, *(column for column in columns if column is not main)]


def _text(cell: Cell) -> str | None:
    """A cell as it is compared; None where it is missing."""
    if isinstance(cell, bool):
        return "true" if cell else "false"
    text = "" if cell is None else str(cell).strip()
    if text in MISSING:
        return None
    if text.lower() in {"true", "false"}:
        return text.lower()
    whole = _WHOLE.fullmatch(text)  # pandas writes 1.0 for 1 where some cells are empty
    return whole[1] if whole else text


def _number(text: str) -> float | None:
    if "_" in text or not text.isascii():
        return None
    try:
        number = float(text)
    except ValueError:
        return None
    return number if math.isfinite(number) else None


def _in_order(values: Mapping[str, None]) -> tuple[str, ...]:
    """Numbers ascending, then texts."""

    def key(text: str) -> tuple[bool, float, str]:
        number = _number(text)
        return (number is None, 0.0 if number is None else number, text)

    return tuple(sorted(values, key=key))


def _codes(column: _Column, names: tuple[str, ...]) -> dict[str | None, int]:
    places = map(str, range(len(names))) if column.categories is not None else names
    return {text: place for place, text in enumerate(places)}


def _cell(row: list[str | None], place: int) -> str | None:
    return row[place] if place < len(row) else None
