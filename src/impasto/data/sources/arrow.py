"""Files of columns, Parquet or Arrow, read a few rows at a time by the package `pyarrow`."""

import json
from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

from impasto.data.sources.columns import Cell
from impasto.errors import SourceError

ROWS = 64  # of pictures that are read at a time


@runtime_checkable
class ColumnFile(Protocol):
    """Rows in groups, of which only some need to be read."""

    schema: Any  # a pyarrow.Schema

    def group_sizes(self) -> Iterable[int]:
        """How many rows each group has."""

    def read(self, group: int, columns: list[str], rows: int) -> Iterator[Any]:
        """Record batches of at most about so many rows; groups are asked for in ascending order."""


class ParquetFile:
    """A Parquet file; a group is one of its row groups."""

    def __init__(self, path: Path) -> None:
        parquet = _pyarrow(path, "parquet")
        # Without pre-buffering and with a buffer, a row group is not read into memory as a whole.
        self._file = parquet.ParquetFile(path, pre_buffer=False, buffer_size=2**20)
        self.schema = self._file.schema_arrow

    def group_sizes(self) -> Iterable[int]:
        """How many rows each group has."""
        facts = self._file.metadata
        return (facts.row_group(group).num_rows for group in range(facts.num_row_groups))

    def read(self, group: int, columns: list[str], rows: int) -> Iterator[Any]:
        """Record batches of so many rows."""
        return iter(self._file.iter_batches(rows, row_groups=[group], columns=columns))


class ArrowStream:
    """A file that `datasets` saved; a group is one of its record batches, mapped and not read."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._stream = self._open()
        self._next = 0
        self.schema = self._stream.schema

    def group_sizes(self) -> Iterable[int]:
        """How many rows each group has."""
        return (batch.num_rows for batch in self._open())

    def read(self, group: int, columns: list[str], rows: int) -> Iterator[Any]:
        """Slices of so many rows of the record batch."""
        if group < self._next:
            self._stream, self._next = self._open(), 0
        batch = next(islice(self._stream, group - self._next, None))
        self._next = group + 1
        wanted = batch.select(columns)
        wanted.validate(full=True)  # offsets that lead elsewhere would be followed
        return (wanted.slice(first, rows) for first in range(0, wanted.num_rows, rows))

    def _open(self) -> Any:
        pyarrow = _pyarrow(self._path, "ipc")
        return pyarrow.open_stream(_pyarrow(self._path, "lib").memory_map(str(self._path)))


def open_columns(path: Path) -> ColumnFile:
    """The file of columns at a path.

    Raises:
        SourceError: the package is missing, or the file is damaged.
    """
    try:
        return ArrowStream(path) if path.suffix == ".arrow" else ParquetFile(path)
    except damage(path) as error:
        raise damaged(path, error) from None


def damage(path: Path) -> tuple[type[Exception], ...]:
    """What is raised on reading a damaged file."""
    return (_pyarrow(path, "lib").ArrowException, OSError, ValueError, StopIteration, RuntimeError)


def damaged(path: Path, error: Exception) -> SourceError:
    """What to raise for a file that cannot be read to its end."""
    kind = "Arrow" if path.suffix == ".arrow" else "Parquet"
    return SourceError(f"{path} is not a whole {kind} file ({in_words(error)}); fetch it again")


def in_words(error: Exception) -> str:
    """An error of the reader on one line."""
    return " ".join(str(error).split())[:200] or type(error).__name__


def features(schema: Any) -> dict[str, Any]:
    """What the library `datasets` says of each column; nothing where another wrote the file."""
    try:
        told = json.loads((schema.metadata or {})[b"huggingface"])["info"]["features"]
    except (KeyError, TypeError, ValueError, RecursionError):
        return {}
    return told if isinstance(told, dict) else {}


def scalar_columns(schema: Any) -> list[str]:
    """The columns of numbers, texts, and yes and no."""
    return [field.name for field in schema if _is_scalar(field.type)]


def cells(file: ColumnFile, group: int, columns: list[str]) -> Iterator[dict[str, Cell]]:
    """The rows of a group, cell by cell."""
    for batch in file.read(group, columns, 1024):
        for row in batch.to_pylist():
            yield {name: _cell(value) for name, value in row.items()}


def table_rows(path: Path) -> Iterator[dict[str, Cell]]:
    """The rows of a Parquet file that is a table of labels.

    Raises:
        SourceError: the package is missing, or the file is damaged.
    """
    file = open_columns(path)
    columns = scalar_columns(file.schema)
    try:
        for group, _ in enumerate(file.group_sizes()):
            yield from cells(file, group, columns)
    except damage(path) as error:
        raise damaged(path, error) from None


def _cell(value: object) -> Cell:
    return value if value is None or isinstance(value, str | int | float) else str(value)


def _is_scalar(kind: Any) -> bool:
    import pyarrow.types as of

    if of.is_dictionary(kind):
        return _is_scalar(kind.value_type)
    tests = (of.is_boolean, of.is_integer, of.is_floating, of.is_decimal)
    texts = (of.is_string, of.is_large_string, of.is_string_view)
    return any(test(kind) for test in (*tests, *texts))


def _pyarrow(path: Path, module: str) -> Any:
    try:
        import pyarrow.ipc
        import pyarrow.parquet
    except ImportError:
        raise SourceError(
            f"{path}: Parquet and Arrow are read by the package pyarrow: pip install 'impasto[parquet]'"
        ) from None
    return getattr(pyarrow, module)
