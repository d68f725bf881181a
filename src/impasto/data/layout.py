"""The files of a prepared set, and how they are made, opened and grown.

pixels.npy      uint8  slots x side x side x channels; rejected candidates have a slot too
status.npy      uint8  slots: 0 pending, 1 kept, 2 rejected
labels.npy      int32  slots x columns, -1 unknown
boxes.npy       int32  slots x 4: the part kept, in source pixels: left, top, right, bottom
keys.npy        uint64 slots: the head of the sha256 of each picture's file
pictures.jsonl  a row for each finished slot, in order
draft.json      what is being prepared; there while it is unfinished
set.json        the set's facts; its presence means that all the rest is complete
"""

import errno
import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from impasto.errors import SourceError

FORMAT = 1
PENDING, KEPT, REJECTED = 0, 1, 2
FACTS, DRAFT, ROWS, LOCK = "set.json", "draft.json", "pictures.jsonl", "lock"


@dataclass(frozen=True)
class Shape:
    """What the sizes of all arrays follow from."""

    slots: int
    side: int
    channels: int
    columns: int

    def arrays(self) -> dict[str, tuple[type[np.generic], tuple[int, ...]]]:
        """Type and shape of each array, by the name of its file."""
        return {
            "pixels.npy": (np.uint8, (self.slots, self.side, self.side, self.channels)),
            "status.npy": (np.uint8, (self.slots,)),
            "labels.npy": (np.int32, (self.slots, self.columns)),
            "boxes.npy": (np.int32, (self.slots, 4)),
            "keys.npy": (np.uint64, (self.slots,)),
        }


@dataclass(frozen=True)
class Arrays:
    """The arrays of a set, mapped from disk."""

    pixels: np.ndarray
    status: np.ndarray
    labels: np.ndarray
    boxes: np.ndarray
    keys: np.ndarray

    def flush(self) -> None:
        """Writes to disk what the system still holds back."""
        for array in (self.pixels, self.status, self.labels, self.boxes, self.keys):
            if isinstance(array.base, np.memmap):
                array.base.flush()


def create(home: Path, shape: Shape) -> None:
    """Makes the arrays, all zero, and reserves their space on disk.

    Raises:
        SourceError: the disk is too small.
    """
    arrays = shape.arrays()
    needed = sum(int(np.prod(size)) * np.dtype(kind).itemsize for kind, size in arrays.values())
    try:
        for name, (kind, size) in arrays.items():
            with (home / name).open("wb") as file:
                header = {"descr": np.dtype(kind).str, "fortran_order": False, "shape": size}
                np.lib.format.write_array_header_1_0(file, header)
                file.flush()
                _reserve(file.fileno(), file.tell() + int(np.prod(size)) * np.dtype(kind).itemsize)
    except OSError as error:
        if error.errno not in {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}:
            raise
        for name in arrays:
            (home / name).unlink(missing_ok=True)
        raise SourceError(
            f"{home}: no room for {needed / 2**30:,.1f} GiB of pixels; prepare to another disk "
            "with --to, or with a smaller --size or --limit"
        ) from None


def _reserve(descriptor: int, size: int) -> None:
    os.truncate(descriptor, size)
    if not hasattr(os, "posix_fallocate"):
        return
    try:
        os.posix_fallocate(descriptor, 0, size)
    except OSError as error:
        if error.errno not in {errno.EOPNOTSUPP, errno.EINVAL, errno.ENOSYS}:  # not every disk can
            raise


def open_arrays(home: Path, shape: Shape, *, write: bool) -> Arrays:
    """The arrays of a set, mapped and not read.

    Raises:
        SourceError: one is missing, cut short, or of another shape.
    """
    return Arrays(
        *(_map(home / name, *wanted, write=write) for name, wanted in shape.arrays().items())
    )


def _map(path: Path, kind: type[np.generic], size: tuple[int, ...], *, write: bool) -> np.ndarray:
    if 0 in size:
        return np.zeros(size, kind)
    try:
        array = np.load(path, mmap_mode="r+" if write else "r", allow_pickle=False)
    except (OSError, ValueError, EOFError) as error:
        raise SourceError(
            f"{path} is damaged ({error}); delete {path.parent} and prepare again"
        ) from None
    if array.shape != size or array.dtype != kind:
        raise SourceError(
            f"{path} does not belong to its set; delete {path.parent} and prepare again"
        )
    # A plain view of the map: the subclass slows every index, and nothing here needs it.
    return np.asarray(array)


def write_json(path: Path, facts: dict[str, Any]) -> None:
    """Writes a file of JSON whole or not at all, and waits until it is on disk."""
    part = path.with_name(f".{path.name}.part")
    with part.open("w", encoding="utf-8") as file:
        json.dump(facts, file, indent=1)
        file.flush()
        os.fsync(file.fileno())
    part.replace(path)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def read_json(path: Path) -> dict[str, Any] | None:
    """The facts in a file of JSON, or None when there is no such file or it is not that."""
    try:
        facts = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return facts if isinstance(facts, dict) else None


def finished_rows(path: Path) -> int:
    """How many rows are complete, from the first on; a torn end is cut off."""
    if not path.exists():
        return 0
    rows = whole = 0
    with path.open("rb+") as file:
        for line in file:
            if not line.endswith(b"\n") or _slot(line) != rows:
                break
            rows += 1
            whole += len(line)
        file.truncate(whole)
    return rows


def read_rows(path: Path) -> Iterator[dict[str, Any]]:
    """The rows of a complete set, one at a time."""
    with path.open(encoding="utf-8") as file:
        for line in file:
            yield json.loads(line)


def _slot(line: bytes) -> int | None:
    try:
        row = json.loads(line)
    except ValueError:
        return None
    return row.get("slot") if isinstance(row, dict) else None
