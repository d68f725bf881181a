"""Tables of labels beside the pictures, a row for each picture.

One column names the file: with its folders or without, with its extension or without, as long as
it is clear which picture is meant. The others are labels; `columns.py` tells of which kind. The
names of files are kept in a temporary database, so that a table may be of any length.
"""

import sqlite3
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from jaxtyping import Float64, Int32, Int64

from impasto.data.config import DataConfig
from impasto.data.sources.classes import common
from impasto.data.sources.columns import Cell, Columns, Gathered
from impasto.data.sources.items import printable, tidy
from impasto.data.sources.rows import WAY_OUT, read_table
from impasto.data.sources.scratch import no_room, temporary_database, zeros
from impasto.errors import SourceError

NO_TABLE = (
    "ignore",
    "off",
    "",
)  # what `data.labels` says to ignore a table; in YAML, off is no text
_USUAL_NAMES = ("metadata", "labels", "attributes", "list_attr_celeba")
_ENDINGS = (".csv", ".jsonl", ".tsv", ".parquet")
_FILE_COLUMNS = (
    *("file_name", "file", "filename", "image", "path", "name", "id"),
    *("image_id", "image_path", "img", "img_path", "file_path", "filepath"),
)


class Table:
    """Labels by the names of files, looked up in a temporary database."""

    def __init__(self, path: Path) -> None:
        """Reads the whole table.

        Raises:
            SourceError: it cannot be read, or a row is not as it should be; the message says which.
        """
        self._path = path
        self._keys = temporary_database()
        self._keys.execute("CREATE TABLE files (name BLOB PRIMARY KEY, row, line) WITHOUT ROWID")
        self._columns, self._shared, self._is_flat = self._read()
        self.label_names = self._columns.label_names
        self.number_names = self._columns.number_names
        self.notices = self._columns.notices
        # For each row, a hash of the picture it was found for, and 0 before.
        self._users = zeros(len(self._columns))
        self._pictures = self._found = 0

    def rows(
        self, names: Sequence[str], positions: Int64[np.ndarray, " n"]
    ) -> Int64[np.ndarray, " n"]:
        """The row of each picture, -1 where there is none.

        Raises:
            SourceError: a row fits two pictures.
        """
        rows = np.array([self._row(name) for name in names], np.int64)
        self._pictures += len(positions)
        self._found += int((rows >= 0).sum())
        return rows

    def finish(self, *, like: str, whole: bool) -> None:
        """Notices of rows without a picture and pictures without a row.

        Raises:
            SourceError: the table names none of the pictures.
        """
        if not whole:
            return  # what `only` left out is not missing
        if not self._found:
            line, name = self._unused()
            raise SourceError(
                f"{self._path}: none of the files it names is there (row {line} names {name!r}, and "
                f"pictures are called like {printable(like)!r}); mend its column of file names, {WAY_OUT}"
            )
        if idle := int(np.count_nonzero(self._users == 0)):
            line, name = self._unused()
            told = f"{idle:,} of its {len(self._users):,} rows name files that are not there"
            self.notices += (f"{self._path}: {told}; the first is row {line}, {name!r}",)
        if bare := self._pictures - self._found:
            told = f"{bare:,} of {self._pictures:,} pictures have no row, and no labels"
            self.notices += (f"{self._path}: {told}",)

    def labels(self, rows: Int64[np.ndarray, " n"]) -> Int32[np.ndarray, "n columns"]:
        """The labels in some rows, -1 where there is none."""
        return self._columns.labels(rows)

    def numbers(self, rows: Int64[np.ndarray, " n"]) -> Float64[np.ndarray, "n numbers"]:
        """The numbers in some rows, nan where there is none."""
        return self._columns.numbers(rows)

    def _read(self) -> tuple[Columns, list[str], bool]:
        """The columns, the folders that all file names share, and whether they name no folders."""
        gathered = Gathered(str(self._path))
        column, shared, is_flat = "", None, True
        with no_room():
            for line, cells in read_table(self._path):
                column = column or self._file_column(cells)
                name = tidy(str(cells.pop(column, None) or ""))
                if not name:
                    raise SourceError(
                        f"{self._path}, row {line}, {column}: no file is named; fill it in, {WAY_OUT}"
                    )
                self._add(name, len(gathered), line, column)
                folders = name.split("/")[:-1]
                is_flat = is_flat and not folders
                shared = folders if shared is None else common(shared, folders)
                gathered.append(cells)
        if shared is None:
            raise SourceError(f"{self._path} has no rows; add some, {WAY_OUT}")
        return gathered.columns(), shared, is_flat

    def _file_column(self, cells: dict[str, Cell]) -> str:
        by_name = {name.lower(): name for name in reversed(cells)}
        for name in _FILE_COLUMNS:
            if name in by_name:
                return by_name[name]
        raise SourceError(
            f"{self._path}, row 1: no column names the files (there are {', '.join(cells) or 'none'}); "
            f"call one file_name, {WAY_OUT}"
        )

    def _add(self, name: str, row: int, line: int, column: str) -> None:
        key = _key(name)
        try:
            self._keys.execute("INSERT INTO files VALUES (?, ?, ?)", (key, row, line))
        except sqlite3.IntegrityError:
            asked = self._keys.execute("SELECT line FROM files WHERE name = ?", (key,))
            raise SourceError(
                f"{self._path}, row {line}, {column}: {name!r} stands in row {asked.fetchone()[0]} "
                f"already; keep one of them, {WAY_OUT}"
            ) from None

    def _row(self, name: str) -> int:
        for form in self._forms(name):
            found = self._keys.execute("SELECT row, line FROM files WHERE name = ?", (_key(form),))
            if (hit := found.fetchone()) is not None:
                row, line = hit
                user = hash(name) or 1
                if self._users[row] not in {0, user}:
                    raise SourceError(
                        f"{self._path}, row {line}: {form!r} may be more than one picture, among "
                        f"them {printable(name)!r}; write it in full, {WAY_OUT}"
                    )
                self._users[row] = user
                return int(row)
        return -1

    def _forms(self, name: str) -> Iterator[str]:
        """The names under which a picture may stand in the table, the likeliest first."""
        heads = [
            "".join(f"{part}/" for part in self._shared[:n]) for n in range(len(self._shared) + 1)
        ]
        folder, slash, last = name.rpartition("/")
        stem = last.rpartition(".")[0]
        for of in (last, stem) if stem else (last,):
            yield from (head + folder + slash + of for head in heads)
            if self._is_flat and folder:
                yield of

    def _unused(self) -> tuple[int, str]:
        """The number and the file of the first row that no picture was found for."""
        row = int(np.argmax(self._users == 0))
        found = self._keys.execute("SELECT line, name FROM files WHERE row = ?", (row,))
        line, name = found.fetchone()
        return line, printable(name.decode("utf-8", "surrogatepass"))


def table_of(
    source: Path, config: DataConfig, *, own: Columns | None = None
) -> Table | Columns | None:
    """The labels that are meant, if there are any.

    Args:
        source: the folder that the table lies in, or the file that it lies beside under its name.
        config: `labels` names another table, or says to ignore any.
        own: labels that the source has of itself; only a table that is named is preferred to them.

    Raises:
        SourceError: the table named is not there, or it is not as it should be.
    """
    if config.labels in NO_TABLE:
        return None
    if config.labels is not None:
        folder = source if source.is_dir() else source.parent
        for path in (Path(config.labels), folder / config.labels):
            if path.is_file():
                return Table(path)
        raise SourceError(f"{config.labels}: no such table; give a CSV, JSONL or Parquet file")
    if own is not None:
        return own
    if source.is_dir():
        places = [source / (name + ending) for name in _USUAL_NAMES for ending in _ENDINGS]
    else:
        stem = source.name.partition(".")[0] or source.name
        places = [source.with_name(stem + ending) for ending in _ENDINGS]
    found = next((place for place in places if place.is_file() and place != source), None)
    return None if found is None else Table(found)


def _key(name: str) -> bytes:
    return name.encode("utf-8", "surrogatepass")
