"""Parquet files with a column of pictures, and data sets of Hugging Face saved to a folder.

The name of a picture is its file or its split, and the number of its row, counted from 0. Labels are
the other columns, whose categories are known where `datasets` wrote them down.
"""

import hashlib
from collections.abc import Iterator, Sequence
from itertools import groupby
from pathlib import Path
from typing import Any

from impasto.data.config import DataConfig
from impasto.data.layout import read_json
from impasto.data.sources import arrow
from impasto.data.sources.archives import LARGEST_FILE
from impasto.data.sources.columns import Gathered
from impasto.data.sources.items import Item, Payload, Unreadable, printable
from impasto.data.sources.listed import Listed
from impasto.data.sources.listing import Listing
from impasto.data.sources.selection import Entry, select
from impasto.data.sources.tables import table_of
from impasto.errors import SourceError

_NAMES = ("image", "img", "picture", "photo", "jpg", "jpeg", "png", "webp")
_BEGINNINGS = (
    *(b"\xff\xd8\xff", b"\x89PNG", b"GIF8", b"BM", b"II*\0", b"MM\0*", b"RIFF"),
    *(b"P4", b"P5", b"P6", b"\0\0\0\x0cjP", b"\xff\x4f\xff\x51", b"\0\0\0\x20ftypavif"),
)

Part = tuple[str, Path]  # what goes before the numbers of its rows, and the file


class Columnar(Listed):
    """The pictures in one column of some files."""

    def __init__(self, path: Path, parts: Sequence[Part], config: DataConfig) -> None:
        """Lists the rows, and reads their labels.

        Args:
            path: the file, or the folder that all files lie in.
            parts: the files in their order; rows of files with the same beginning count on.
            config: the selection.

        Raises:
            SourceError: the package `pyarrow` is missing, a file is damaged, no column holds
                pictures, or nothing is selected.
        """
        self._home = path if path.is_dir() else path.parent
        self._parts = tuple(parts)
        first = arrow.open_columns(parts[0][1])
        self._column, notices = _picture_column(first, parts[0][1])
        self._labels = Gathered(str(path), _categories(arrow.features(first.schema)))
        names = Listing(self._rows(), beside=3)
        table = table_of(path, config, own=self._labels.columns())
        chosen = select(names, config, where=str(path), table=table, folders_tell=False)
        super().__init__(str(path), chosen, notices)

    def signature(self) -> str:
        """A hash of the files' places, sizes and times and of the rows and labels selected."""
        digest = hashlib.sha256(b"columns")
        for _, path in self._parts:
            facts = path.stat()
            digest.update(f"{path.resolve()} {facts.st_size} {facts.st_mtime_ns}\0".encode())
        self._chosen.update(digest)
        return digest.hexdigest()

    def items(self, start: int = 0) -> Iterator[Item]:
        """The pictures, a few rows at a time; groups of rows that hold none of them are not read."""
        for part, entries in groupby(self._chosen.entries(start), key=lambda of: of.beside[0]):
            path = self._parts[part][1]
            file = arrow.open_columns(path)
            for group, wanted in groupby(entries, key=lambda of: of.beside[1]):
                yield from self._read(file, path, group, wanted)

    def _rows(self) -> Iterator[tuple[str, int, int, int]]:
        before, count = "", 0
        for part, (prefix, path) in enumerate(self._parts):
            file = arrow.open_columns(path)
            if self._column not in file.schema.names:
                raise SourceError(
                    f"{path} has no column {self._column!r}, which holds the pictures in "
                    f"{self._parts[0][1].name}; take it out of the folder"
                )
            columns = [name for name in arrow.scalar_columns(file.schema) if name != self._column]
            count = count if prefix == before else 0
            before = prefix
            try:
                for group, size in enumerate(file.group_sizes()):
                    for row in range(size):
                        yield f"{prefix}{count + row:06d}", part, group, row
                    count += size
                    cells = (
                        arrow.cells(file, group, columns) if columns else ({} for _ in range(size))
                    )
                    for labels in cells:
                        self._labels.append(labels)
            except arrow.damage(path) as error:
                raise arrow.damaged(path, error) from None

    def _read(
        self, file: arrow.ColumnFile, path: Path, group: int, entries: Iterator[Entry]
    ) -> Iterator[Item]:
        end, values = 0, []  # the rows before `end` are read, and the last of them held
        problem = ""
        batches: Iterator[Any] = iter(())
        try:
            batches = file.read(group, [self._column], arrow.ROWS)
        except arrow.damage(path) as error:
            problem = arrow.in_words(error)
        for entry in entries:
            row = entry.beside[2]
            while not problem and row >= end:
                try:
                    values = next(batches).column(0)
                    end += len(values)
                except arrow.damage(path) as error:
                    problem = arrow.in_words(error)
            if problem:
                yield entry.item(Unreadable(f"damaged in {path.name}: {problem}"))
            else:
                yield entry.item(self._payload(values[row - end + len(values)]))

    def _payload(self, value: Any) -> Payload:
        content = value.as_py()
        if isinstance(content, dict):
            content = content.get("bytes") or content.get("path")
        if content is None:
            return Unreadable("no picture in this row")
        if isinstance(content, str):
            return self._file_at(content)
        if len(content) > LARGEST_FILE:
            return Unreadable(f"a file of more than {LARGEST_FILE // 2**20} MiB", "too large")
        return bytes(content)

    def _file_at(self, name: str) -> Payload:
        try:
            path = (self._home / name).resolve()
        except (OSError, ValueError, RuntimeError):
            return Unreadable(f"{printable(name)} cannot be read")
        if not path.is_relative_to(self._home.resolve()):
            return Unreadable(f"{printable(name)} is outside the folder")
        return path


def parquet_parts(folder: Path) -> list[Part]:
    """The Parquet files in a folder and below it, in the order of their names; maybe none.

    Raises:
        SourceError: one is a link to outside the folder.
    """
    files = [path for path in folder.rglob("*.parquet") if path.is_file()]
    names = sorted(path.relative_to(folder).parts for path in files)
    names = [parts for parts in names if not any(part[0] in "._" for part in parts)]
    parts = [("/".join(name) + "/", folder.joinpath(*name)) for name in names]
    return [_inside(folder, part) for part in parts]


def saved_parts(folder: Path) -> list[Part]:
    """The files of what `datasets` saved to a folder, split by split; none where it is no such folder.

    Raises:
        SourceError: a split is missing.
    """
    if (told := read_json(folder / "dataset_dict.json")) is not None:
        splits = [str(name) for name in told.get("splits", ())]
    elif (folder / "state.json").is_file() and (folder / "dataset_info.json").is_file():
        splits = [""]
    else:
        return []
    parts = []
    for split in splits:
        home = folder / Path(split).name
        state = read_json(home / "state.json")
        try:
            names = [Path(file["filename"]).name for file in (state or {})["_data_files"]]
        except (KeyError, TypeError):
            raise SourceError(f"{home / 'state.json'} names no files; save the set again") from None
        prefix = f"{split}/" if split else ""
        parts += [_inside(folder, (prefix, home / name)) for name in names]
    return parts


def _inside(folder: Path, part: Part) -> Part:
    if not part[1].resolve().is_relative_to(folder.resolve()):
        raise SourceError(f"{part[1]} is a link to outside the folder; give the files themselves")
    return part


def _picture_column(file: arrow.ColumnFile, path: Path) -> tuple[str, tuple[str, ...]]:
    """The first column of pictures, and a notice where there are more."""
    told = arrow.features(file.schema)
    try:
        found = [field.name for field in file.schema if _holds_pictures(file, field, told)]
    except arrow.damage(path) as error:
        raise arrow.damaged(path, error) from None
    if not found:
        names = ", ".join(file.schema.names) or "none"
        raise SourceError(
            f"{path}: no column holds pictures (there are: {names}); write encoded pictures to one called image"
        )
    if len(found) == 1:
        return found[0], ()
    others = ", ".join(found[1:])
    return found[0], (
        f"{path}: the pictures of column {found[0]!r} are taken, not those of {others}",
    )


def _holds_pictures(file: arrow.ColumnFile, field: Any, told: dict[str, Any]) -> bool:
    import pyarrow.types as of

    feature = told.get(field.name)
    if isinstance(feature, dict) and feature.get("_type") == "Image":
        return True
    if of.is_struct(field.type):
        return bool(field.type.get_field_index("bytes") >= 0)
    is_text = of.is_string(field.type) or of.is_large_string(field.type)
    is_binary = of.is_binary(field.type) or of.is_large_binary(field.type)
    if (is_text or is_binary) and field.name.lower() in _NAMES:
        return True
    return bool(is_binary) and _begins_as_picture(file, field.name)


def _begins_as_picture(file: arrow.ColumnFile, column: str) -> bool:
    """Whether the first value of a column looks like the beginning of a picture's file."""
    for group, _ in enumerate(file.group_sizes()):
        for batch in file.read(group, [column], arrow.ROWS):
            for value in batch.column(0):
                if value.is_valid:
                    return bytes(value.as_py())[:16].startswith(_BEGINNINGS)
    return False


def _categories(told: dict[str, Any]) -> dict[str, tuple[str, ...]]:
    """The categories of the columns for which they are written down."""
    labels = {name: of for name, of in told.items() if isinstance(of, dict)}
    return {
        name: tuple(map(str, of.get("names") or ()))
        for name, of in labels.items()
        if of.get("_type") == "ClassLabel" and of.get("names")
    }
