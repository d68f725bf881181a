"""IDX files, the format of MNIST: one of pictures, and one of labels beside it, gzipped or not."""

import gzip
import hashlib
import struct
import zlib
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from jaxtyping import UInt8

from impasto.data.config import DataConfig
from impasto.data.sources.items import Item
from impasto.data.sources.listed import Listed
from impasto.data.sources.listing import Listing
from impasto.data.sources.selection import select
from impasto.data.sources.tables import table_of
from impasto.errors import SourceError

_UINT8 = 0x08
_LARGEST = 2**34  # bytes of pixels


class Idx(Listed):
    """The pictures of an IDX file; the class is the label's number, and names are `label/place`."""

    encoded = False

    def __init__(self, path: Path, config: DataConfig) -> None:
        self._files = [path]
        self._shape = _read_shape(path, dimensions=3)
        labels: np.ndarray | None = None
        if labels_file := _beside(path):
            self._files.append(labels_file)
            labels = _read(labels_file, _read_shape(labels_file, dimensions=1))
            if len(labels) != self._shape[0]:
                raise SourceError(
                    f"{labels_file} holds {len(labels)} labels for the {self._shape[0]} pictures of "
                    f"{path}; put the file that belongs to it there, or take it away"
                )
        names = Listing(_names(self._shape[0], labels), beside=1)
        table = table_of(path, config)
        super().__init__(str(path), select(names, config, where=str(path), table=table))

    def signature(self) -> str:
        """A hash of the files' places, sizes and times, and of the names selected."""
        stamps = [
            (str(file.resolve()), file.stat().st_size, file.stat().st_mtime_ns)
            for file in self._files
        ]
        digest = hashlib.sha256(repr(stamps).encode())
        self._chosen.update(digest)
        return digest.hexdigest()

    def items(self, start: int = 0) -> Iterator[Item]:
        """The pictures as grey arrays."""
        pictures = _read(self._files[0], self._shape)
        for entry in self._chosen.entries(start):
            yield entry.item(pictures[entry.beside[0]][:, :, None])


def is_idx(path: Path) -> bool:
    """Whether a file begins as IDX pictures do."""
    try:
        _read_shape(path, dimensions=3)
    except SourceError:
        return False
    return True


def images_file(folder: Path) -> Path | None:
    """The IDX pictures of a folder: the training ones where there are several; None without any."""
    files = [
        p
        for p in sorted(folder.glob("*images?idx3-ubyte*"))
        if p.suffix in {"", ".gz", ".idx3-ubyte"}
    ]
    return next(
        (file for file in files if file.name.startswith("train")), files[0] if files else None
    )


def _names(count: int, labels: np.ndarray | None) -> Iterator[tuple[str, int]]:
    for place in range(count):
        yield f"{place:05d}" if labels is None else f"{labels[place]}/{place:05d}", place


def _beside(path: Path) -> Path | None:
    name = path.name.removesuffix(".gz").replace("images", "labels").replace("idx3", "idx1")
    places = [path.with_name(name), path.with_name(name + ".gz")]
    return next((place for place in places if place != path and place.is_file()), None)


def _read_shape(path: Path, *, dimensions: int) -> tuple[int, ...]:
    header = _read_bytes(path, 4 + 4 * dimensions)
    if len(header) < 4 + 4 * dimensions or header[:4] != bytes([0, 0, _UINT8, dimensions]):
        raise SourceError(f"{path} is not an IDX file of {dimensions} dimensions; fetch it again")
    return struct.unpack(f">{dimensions}I", header[4:])


def _read(path: Path, shape: tuple[int, ...]) -> UInt8[np.ndarray, "..."]:
    size, start = int(np.prod(shape, dtype=object)), 4 + 4 * len(shape)
    content = _read_bytes(path, start + size) if size < _LARGEST else b""
    if len(content) != start + size:
        raise SourceError(f"{path} is cut short: it promises {size:,} bytes; fetch it again")
    return np.frombuffer(content, np.uint8, offset=start).reshape(shape)


def _read_bytes(path: Path, count: int) -> bytes:
    try:
        with gzip.open(path) if path.suffix == ".gz" else path.open("rb") as stream:
            return stream.read(count)
    except (OSError, EOFError, zlib.error) as error:
        raise SourceError(f"{path} cannot be read ({error}); fetch it again") from None
