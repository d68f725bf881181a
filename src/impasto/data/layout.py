"""The files of a prepared set, and how they are grown, opened and told whole from half.

pixels.npy      uint8   slots x side x side x channels; or several, pixels-00000-of-00004.npy and so on
status.npy      uint8   slots: 0 pending, 1 kept, 2 and above the kind of reason it is left out for
labels.npy      int32   slots x columns, -1 unknown
numbers.npy     float32 slots x numeric columns, nan unknown
boxes.npy       int32   slots x 4: the part kept, in source pixels: left, top, right, bottom
keys.npy        uint64  slots: the head of the sha256 of each picture's file
hashes.npy      uint8   slots x 18: what the picture looks like, to find near duplicates
measures.npy    float32 slots x measures: sharpness, brightness and so on, nan where there is no picture
pictures.jsonl  a row for each slot, in order: the manifest
found.jsonl     the same while the set is unfinished, and reasons not all known
draft.json      what is being prepared; there while it is unfinished
set.json        the set's facts; its presence means that all the rest is complete
review.jsonl    what a person decided, a line for each decision
review-seen.npy bool    slots: what a person has looked at

A candidate has one slot, or as many as subjects were found in it. Arrays grow at their end, and a row
of found.jsonl is written after everything it speaks of: what a killed process left is cut back to the
last candidate whose rows are complete.
"""

import errno
import json
import os
from collections.abc import Iterator
from contextlib import ExitStack, closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from jaxtyping import Int64, UInt8

from impasto.data.looks.likeness import HASH_BYTES
from impasto.data.looks.measures import MEASURES
from impasto.data.reasons import INVISIBLE, KINDS, Kind
from impasto.errors import SourceError
from impasto.holds import Closing

FORMAT = 2
PENDING, KEPT = 0, 1
FACTS, DRAFT, FOUND, ROWS, LOCK = "set.json", "draft.json", "found.jsonl", "pictures.jsonl", "lock"
_HEADER = 128  # bytes; numpy leaves room in it for any number of slots


def code(kind: Kind) -> int:
    """The number that stands in status.npy for a kind of reason."""
    return 2 + KINDS.index(kind)


def kind_of(status: int) -> Kind:
    """The kind of reason that a number in status.npy above 1 stands for."""
    return KINDS[status - 2]


def is_invisible(status: int) -> bool:
    """Whether nothing was decoded for a slot of this status, so that nothing can bring it back."""
    return KEPT < status < 2 + len(INVISIBLE)


@dataclass(frozen=True)
class Shape:
    """What the sizes of all arrays but the number of slots follow from."""

    side: int
    channels: int
    columns: int = 0
    numbers: int = 0

    def arrays(self) -> dict[str, tuple[np.dtype[Any], tuple[int, ...]]]:
        """Type and shape of a slot in each array, by the name of its file; pixels apart."""
        return {
            "status.npy": (np.dtype(np.uint8), ()),
            "labels.npy": (np.dtype(np.int32), (self.columns,)),
            "numbers.npy": (np.dtype(np.float32), (self.numbers,)),
            "boxes.npy": (np.dtype(np.int32), (4,)),
            "keys.npy": (np.dtype(np.uint64), ()),
            "hashes.npy": (np.dtype(np.uint8), (HASH_BYTES,)),
            "measures.npy": (np.dtype(np.float32), (len(MEASURES),)),
        }

    @property
    def picture(self) -> tuple[int, int, int]:
        """The shape of one picture."""
        return self.side, self.side, self.channels

    @property
    def slot_bytes(self) -> int:
        """What a slot takes on disk in all arrays together."""
        small = (np.prod(size, dtype=int) * kind.itemsize for kind, size in self.arrays().values())
        return int(np.prod(self.picture)) + int(sum(small))


def pixel_files(shards: int) -> list[str]:
    """The names of the files of pixels."""
    if shards == 1:
        return ["pixels.npy"]
    return [f"pixels-{shard:05d}-of-{shards:05d}.npy" for shard in range(shards)]


class Growing:
    """An array on disk that grows at its end, and is a plain NPY file whenever it is closed."""

    def __init__(
        self, path: Path, kind: np.dtype[Any], size: tuple[int, ...], *, slots: int
    ) -> None:
        """Opens the file with its first `slots` slots, and cuts off what is beyond them."""
        self._kind, self._size = kind, size
        self._bytes = int(np.prod(size, dtype=int)) * kind.itemsize
        self._file: BinaryIO = path.open("r+b" if path.exists() else "w+b", buffering=0)
        self.slots = slots
        size_now = os.fstat(self._file.fileno()).st_size
        if slots and size_now < _HEADER + slots * self._bytes:
            self._file.close()
            raise SourceError(
                f"{path} is cut short; delete {path.parent}, or choose another --to, and prepare again"
            )
        self._write_header()
        self._file.truncate(_HEADER + slots * self._bytes)
        self._file.seek(0, os.SEEK_END)

    def append(self, rows: np.ndarray) -> None:
        """Puts rows behind those that are there."""
        content = np.ascontiguousarray(rows, self._kind).reshape(len(rows), *self._size)
        view = memoryview(content.reshape(-1).view(np.uint8).data)
        while view:  # a raw file may take less than it is given
            view = view[self._file.write(view) :]
        self.slots += len(rows)

    def close(self, *, durable: bool = False) -> None:
        """Writes the header that fits the number of slots; `durable` waits for the disk."""
        if self._file.closed:
            return
        try:
            self._write_header()
            if durable:
                os.fsync(self._file.fileno())
        finally:
            self._file.close()

    def _write_header(self) -> None:
        end = self._file.seek(0, os.SEEK_END)
        self._file.seek(0)
        shape = (self.slots, *self._size)
        header = {"descr": self._kind.str, "fortran_order": False, "shape": shape}
        np.lib.format.write_array_header_1_0(self._file, header)
        if self._file.tell() != _HEADER:
            raise AssertionError(f"an NPY header of {self._file.tell()} bytes")
        self._file.seek(max(end, _HEADER))


class Writer(Closing):
    """All arrays and the rows of a set that is being prepared, growing together."""

    def __init__(self, home: Path, shape: Shape, *, shards: int, candidates: int) -> None:
        """Opens what is there and cuts it back to the last complete candidate.

        Args:
            home: the set's folder.
            shape: of its arrays.
            shards: files to spread the pixels over.
            candidates: how many there are in all; shard s takes an equal run of them.
        """
        self._home, self.shape = home, shape
        self._shards, self._candidates = shards, candidates
        self.candidates, self.slots, starts = finished(home / FOUND, shards, candidates)
        self.starts = starts  # the first slot of each shard begun
        with ExitStack() as opened:  # one that is cut short must not leave the others open
            self._arrays = {
                name: opened.enter_context(
                    closing(Growing(home / name, kind, size, slots=self.slots))
                )
                for name, (kind, size) in shape.arrays().items()
            }
            self._pixels = opened.enter_context(closing(self._open_pixels()))
            self._rows = opened.enter_context((home / FOUND).open("ab"))
            opened.pop_all()

    def append(
        self,
        candidates: int,
        pixels: UInt8[np.ndarray, "n h w c"],
        columns: dict[str, np.ndarray],
        rows: list[dict[str, Any]],
    ) -> None:
        """Puts the slots of the next few candidates, all of one shard, behind those that are there.

        Args:
            candidates: how many.
            pixels: of their slots.
            columns: what goes into each other array, by the name of its file.
            rows: of the manifest; slots are put in here.
        """
        while len(self.starts) <= self.candidates * self._shards // self._candidates:
            self._begin_shard()
        self._pixels.append(pixels)
        for name, array in self._arrays.items():
            array.append(columns[name])
        numbered = ({"slot": self.slots + place, **row} for place, row in enumerate(rows))
        self._rows.write(b"".join(json.dumps(row).encode() + b"\n" for row in numbered))
        self._rows.flush()  # to the system, which keeps it when this process is killed
        self.slots += len(rows)
        self.candidates += candidates

    def close(self, *, durable: bool = False) -> None:
        """Closes all files; `durable` waits until they are on disk."""
        with ExitStack() as closed:  # all of them, though closing one may fail on a full disk
            for array in (*self._arrays.values(), self._pixels):
                closed.callback(array.close, durable=durable)
            closed.callback(self._rows.close)

    def finish(self) -> None:
        """Closes all files, on disk, and makes those of shards that no candidate fell into."""
        while len(self.starts) < self._shards:
            self._begin_shard()
        self.close(durable=True)

    def _begin_shard(self) -> None:
        self._pixels.close(durable=True)
        self.starts.append(self.slots)
        self._pixels = self._open_pixels()

    def _open_pixels(self) -> Growing:
        shard = len(self.starts) - 1
        path = self._home / pixel_files(self._shards)[shard]
        kind = np.dtype(np.uint8)
        return Growing(path, kind, self.shape.picture, slots=self.slots - self.starts[-1])


@dataclass(frozen=True)
class Pixels:
    """The pictures of a set, in one file or several, read as one array by slot."""

    files: tuple[np.ndarray, ...]
    starts: Int64[np.ndarray, " files"]  # the first slot of each file

    def __len__(self) -> int:
        return sum(len(file) for file in self.files)

    def __getitem__(self, slots: Int64[np.ndarray, " n"]) -> UInt8[np.ndarray, "n h w c"]:
        """The pictures in these slots."""
        if len(self.files) == 1:
            taken: np.ndarray = self.files[0][slots]
            return taken
        shards = np.searchsorted(self.starts, slots, side="right") - 1
        gathered = np.empty((len(slots), *self.files[0].shape[1:]), np.uint8)
        for shard in np.unique(shards):
            here = shards == shard
            gathered[here] = self.files[shard][slots[here] - self.starts[shard]]
        return gathered


@dataclass(frozen=True)
class Arrays:
    """The arrays of a set, mapped from disk."""

    pixels: Pixels
    status: np.ndarray
    labels: np.ndarray
    numbers: np.ndarray
    boxes: np.ndarray
    keys: np.ndarray
    hashes: np.ndarray
    measures: np.ndarray


def open_arrays(home: Path, shape: Shape, slots: int, starts: list[int]) -> Arrays:
    """The arrays of a set, mapped and not read.

    Raises:
        SourceError: one is missing, cut short, or of another shape.
    """
    ends = [*starts[1:], slots]
    files = tuple(
        _map(home / name, np.dtype(np.uint8), (end - start, *shape.picture))
        for name, start, end in zip(pixel_files(len(starts)), starts, ends, strict=True)
    )
    small = {
        name.removesuffix(".npy"): _map(home / name, kind, (slots, *size))
        for name, (kind, size) in shape.arrays().items()
    }
    return Arrays(Pixels(files, np.array(starts, np.int64)), **small)


def _map(path: Path, kind: np.dtype[Any], size: tuple[int, ...]) -> np.ndarray:
    if 0 in size:
        return np.zeros(size, kind)
    try:
        array = np.load(path, mmap_mode="r", allow_pickle=False)
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


def rows_in(path: Path, kind: np.dtype[Any], size: tuple[int, ...]) -> int:
    """How many whole rows a growing array has, whatever its header says."""
    row = int(np.prod(size, dtype=int)) * kind.itemsize
    return max(0, path.stat().st_size - _HEADER) // row


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


def read_rows(path: Path) -> Iterator[dict[str, Any]]:
    """The rows of a manifest, one at a time."""
    with path.open(encoding="utf-8") as file:
        for line in file:
            yield json.loads(line)


def first_of(shard: int, shards: int, candidates: int) -> int:
    """The first candidate of a shard: each takes an equal run of them."""
    return -(-shard * candidates // shards)


def check_room(home: Path, needed: int) -> None:
    """Nothing, when the disk has so many bytes to spare.

    Raises:
        SourceError: it has not.
    """
    facts = os.statvfs(home)
    free = facts.f_bavail * facts.f_frsize
    if free < needed:
        raise SourceError(
            f"{home}: no room for {needed / 2**30:,.1f} GiB of pixels ({free / 2**30:,.1f} GiB are free); "
            "prepare to another disk with --to, or with a smaller --size or --limit"
        ) from OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def finished(path: Path, shards: int, candidates: int) -> tuple[int, int, list[int]]:
    """Candidates and slots that are complete, and the first slot of each shard begun.

    A torn end, and rows of a candidate that has not all of its own, are cut off.
    """
    done = slots = whole = rows = size = 0
    starts = [0]
    if not path.exists():
        return done, slots, starts
    with path.open("rb+") as file:
        for line in file:
            row = _row(line)
            if row is None or row.get("slot") != rows or row.get("candidate") != done:
                break
            while len(starts) <= done * shards // candidates:
                starts.append(slots)
            rows += 1
            size += len(line)
            if row["part"] + 1 == row["parts"]:
                done, slots, whole = done + 1, rows, size
        file.truncate(whole)
    # A shard that only a cut-off candidate began is begun anew.
    begun = [
        start for shard, start in enumerate(starts) if first_of(shard, shards, candidates) < done
    ]
    return done, slots, begun or [0]


def _row(line: bytes) -> dict[str, Any] | None:
    if not line.endswith(b"\n"):
        return None
    try:
        row = json.loads(line)
    except ValueError:
        return None
    return row if isinstance(row, dict) and {"part", "parts"} <= row.keys() else None
