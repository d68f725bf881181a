"""The rows of a table of labels: CSV, JSON lines or Parquet, one at a time.

An error says which row: as a text editor counts lines, so that the header of a CSV file is row 1;
rows of a Parquet file are counted from 1.
"""

import csv
import json
from collections import Counter
from collections.abc import Iterator
from itertools import chain, count
from pathlib import Path
from typing import Any

from impasto.data.sources.arrow import table_rows
from impasto.data.sources.columns import Cell
from impasto.errors import SourceError

WAY_OUT = "or ignore the table with --labels ignore (for train, --set data.labels=ignore)"
_LONGEST_LINE = 2**20  # bytes

Row = tuple[int, dict[str, Cell]]  # its number as a person counts, and its cells by column


def read_table(path: Path) -> Iterator[Row]:
    """The rows of a table, one at a time.

    Raises:
        SourceError: it cannot be read; the message says at which row.
    """
    kind = path.name.lower()
    if kind.endswith((".csv", ".tsv", ".txt")):
        return _read_csv(path)
    if kind.endswith((".jsonl", ".ndjson")):
        return _read_json_lines(path)
    if kind.endswith(".parquet"):
        return _read_parquet(path)
    raise SourceError(f"{path} is no table; give a CSV, JSONL or Parquet file")


def is_scalar(value: object) -> bool:
    """Whether a value of JSON may stand in a cell."""
    return value is None or isinstance(value, str | int | float)


def _read_csv(path: Path) -> Iterator[Row]:
    lines = _lines(path)
    first = next(lines, "")
    delimiter = max(",;\t", key=first.count)
    reader = csv.reader(chain([first], lines), delimiter=delimiter, strict=True)
    header: list[str] | None = None
    while True:
        number = reader.line_num + 1
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            raise SourceError(f"{path}, row {number}: {error}; mend it, {WAY_OUT}") from None
        if not cells:
            continue  # an empty line
        if header is None:
            header = _header(path, number, cells)
        elif len(cells) != len(header):
            raise SourceError(
                f"{path}, row {number}: {len(cells)} fields, where the header has {len(header)}; "
                f"mend it, {WAY_OUT}"
            )
        else:
            pairs = zip(header, cells, strict=True)
            yield number, {name: cell for name, cell in pairs if name}


def _header(path: Path, number: int, cells: list[str]) -> list[str]:
    header = [cell.strip() for cell in cells]
    twice = [name for name, count in Counter(header).items() if name and count > 1]
    if twice:
        raise SourceError(
            f"{path}, row {number}: two columns are called {twice[0]!r}; rename one, {WAY_OUT}"
        )
    return header


def _read_json_lines(path: Path) -> Iterator[Row]:
    for number, line in enumerate(_lines(path), 1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except (ValueError, RecursionError) as error:
            raise SourceError(
                f"{path}, row {number}: not JSON ({error}); mend it, {WAY_OUT}"
            ) from None
        if not isinstance(row, dict):
            raise SourceError(
                f"{path}, row {number}: not an object in braces; write each row as "
                f'{{"file_name": ..., ...}}, {WAY_OUT}'
            )
        cells = {name: _joined(cell) for name, cell in row.items()}
        yield number, {name: cell for name, cell in cells.items() if is_scalar(cell)}


def _joined(cell: object) -> Any:
    """A list of words as one cell that holds them all, as a table of text writes it."""
    words = isinstance(cell, list) and all(isinstance(word, str) for word in cell)
    return "|".join(cell) if words and isinstance(cell, list) else cell


def _read_parquet(path: Path) -> Iterator[Row]:
    return enumerate(table_rows(path), 1)


def _lines(path: Path) -> Iterator[str]:
    try:
        with path.open("rb") as file:
            for number in count(1):
                line = file.readline(_LONGEST_LINE)
                if not line:
                    return
                if len(line) == _LONGEST_LINE:
                    raise SourceError(
                        f"{path}, row {number}: longer than 1 MiB; mend it, {WAY_OUT}"
                    )
                try:
                    yield line.decode("utf-8-sig" if number == 1 else "utf-8")
                except UnicodeDecodeError:
                    raise SourceError(
                        f"{path}, row {number}: not UTF-8; save the table as UTF-8, {WAY_OUT}"
                    ) from None
    except OSError as error:
        raise SourceError(f"{path} cannot be read ({error.strerror}); mend it, {WAY_OUT}") from None
