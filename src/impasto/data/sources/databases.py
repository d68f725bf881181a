"""LMDB databases in the layout of LSUN: a key for each picture, and its encoded file as the value.

The database is opened for reading only and without locks, so that it may lie on a disk that cannot
be written. Pictures come in the order of the keys.
"""

import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from weakref import WeakValueDictionary

from impasto.data.config import DataConfig
from impasto.data.sources.archives import LARGEST_FILE
from impasto.data.sources.items import Item, Payload, Unreadable
from impasto.data.sources.listed import Listed
from impasto.data.sources.listing import Listing
from impasto.data.sources.selection import select
from impasto.data.sources.tables import table_of
from impasto.errors import SourceError

FILE = "data.mdb"
_COUNTERS = frozenset({b"length", b"num-samples"})  # what some tools keep beside the pictures

# LMDB must not open a file twice in one process.
_OPEN: WeakValueDictionary[Path, Any] = WeakValueDictionary()


class Database(Listed):
    """The pictures in an LMDB database; a name is its key, bytes that are not UTF-8 escaped."""

    def __init__(self, path: Path, config: DataConfig) -> None:
        """Lists the keys.

        Args:
            path: the folder that `data.mdb` lies in, or the file.
            config: the selection.

        Raises:
            SourceError: the package `lmdb` is missing, the file is damaged, or nothing is selected.
        """
        self._file = path / FILE if path.is_dir() else path
        self._environment = _open(self._file)
        names = Listing(_keys(self._environment, self._file))
        home = self._file.parent if self._file.name == FILE else self._file
        table = table_of(home, config)
        super().__init__(str(path), select(names, config, where=str(path), table=table))

    def signature(self) -> str:
        """A hash of the file's place, size and time and of the keys selected in it."""
        facts = self._file.stat()
        told = f"lmdb {self._file.resolve()} {facts.st_size} {facts.st_mtime_ns}"
        digest = hashlib.sha256(told.encode())
        self._chosen.update(digest)
        return digest.hexdigest()

    def items(self, start: int = 0) -> Iterator[Item]:
        """The values in the order of their keys."""
        with self._environment.begin(buffers=True) as transaction:
            for entry in self._chosen.entries(start):
                yield entry.item(_read(transaction, _key(entry.name)))


def _open(file: Path) -> Any:
    try:
        import lmdb
    except ImportError:
        raise SourceError(
            f"{file}: LMDB is read by the package lmdb: pip install 'impasto[lmdb]'"
        ) from None
    place = file.resolve()
    try:
        environment = _OPEN.get(place) or lmdb.open(
            str(place), subdir=False, readonly=True, lock=False, readahead=False
        )
    except lmdb.Error as error:
        raise _damaged(file, error) from None
    _OPEN[place] = environment
    # Beyond the end of the file there is nothing to map, and reading there kills the process.
    needed = (environment.info()["last_pgno"] + 1) * environment.stat()["psize"]
    if file.stat().st_size < needed:
        raise SourceError(f"{file} is cut short: it promises {needed:,} bytes; fetch it again")
    return environment


def _keys(environment: Any, file: Path) -> Iterator[tuple[str]]:
    import lmdb

    try:
        with environment.begin() as transaction:
            for key in transaction.cursor().iternext(keys=True, values=False):
                if key not in _COUNTERS and not (key[:2] == b"__" == key[-2:]):
                    yield (key.decode("utf-8", "surrogateescape"),)
    except lmdb.Error as error:
        raise _damaged(file, error) from None


def _key(name: str) -> bytes:
    return name.encode("utf-8", "surrogateescape")


def _read(transaction: Any, key: bytes) -> Payload:
    import lmdb

    try:
        value = transaction.get(key)
        if value is None:
            return Unreadable("gone from the database")
        if len(value) > LARGEST_FILE:
            return Unreadable(f"a file of more than {LARGEST_FILE // 2**20} MiB", "too large")
        return bytes(value)
    except lmdb.Error as error:
        return Unreadable(f"damaged in the database: {error}")


def _damaged(file: Path, error: Exception) -> SourceError:
    return SourceError(f"{file} is not a whole LMDB database ({error}); fetch it again")
