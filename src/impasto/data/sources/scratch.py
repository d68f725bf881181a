"""Temporary files and databases without a name: gone with the process, whatever ends it.

They lie in the folder for temporary files (`TMPDIR`); where that is a disk in memory, a listing of
very many pictures wants it set to another.
"""

import errno
import mmap
import os
import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
from jaxtyping import Int64

from impasto.errors import SourceError

_BUFFER = 2**20  # bytes


class Scratch:
    """A file that is appended to, and then mapped."""

    def __init__(self) -> None:
        self._descriptor = _open()
        self._buffer = bytearray()

    def __del__(self) -> None:
        if getattr(self, "_descriptor", -1) >= 0:
            os.close(self._descriptor)

    def write(self, content: bytes) -> None:
        """Puts bytes behind those that are there."""
        self._buffer += content
        if len(self._buffer) >= _BUFFER:
            self._flush()

    def map(self) -> mmap.mmap | bytes:
        """All that was written, not read yet; nothing can be written any more."""
        self._flush()
        with no_room():
            size = os.fstat(self._descriptor).st_size
            # An empty file cannot be mapped.
            mapped = mmap.mmap(self._descriptor, 0, access=mmap.ACCESS_READ) if size else b""
        os.close(self._descriptor)
        self._descriptor = -1
        return mapped

    def _flush(self) -> None:
        with no_room():
            while self._buffer:  # a write may take less than it is given
                del self._buffer[: os.write(self._descriptor, self._buffer)]


class Database(sqlite3.Connection):
    """A database that closes when nobody holds it any more."""

    def __del__(self) -> None:
        self.close()


def temporary_database() -> sqlite3.Connection:
    """A database of its own that overflows to a temporary file and vanishes when it is closed."""
    database = sqlite3.connect("", isolation_level=None, check_same_thread=False, factory=Database)
    database.execute("PRAGMA journal_mode = OFF")
    database.execute("PRAGMA synchronous = OFF")
    return database


def zeros(count: int) -> Int64[np.ndarray, " n"]:
    """So many zeros in a mapped temporary file, to be overwritten."""
    with no_room():
        descriptor = _open()
        try:
            os.truncate(descriptor, 8 * count)
            return np.frombuffer(mmap.mmap(descriptor, 8 * count), np.int64)
        finally:
            os.close(descriptor)


@contextmanager
def no_room() -> Iterator[None]:
    """One clear error where temporary files find no room.

    Raises:
        SourceError: the disk is full.
    """
    try:
        yield
    except (OSError, sqlite3.OperationalError) as error:
        if isinstance(error, OSError) and error.errno not in {errno.ENOSPC, errno.EDQUOT}:
            raise
        raise SourceError(
            f"{tempfile.gettempdir()} has no room for the list of pictures ({error}); free some "
            "space, or set TMPDIR to a folder on a larger disk"
        ) from None


def _open() -> int:
    with no_room(), tempfile.TemporaryFile() as file:
        return os.dup(file.fileno())
