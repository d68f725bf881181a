"""Zip and tar archives, read in place: nothing is extracted, so no name in them can do harm."""

import hashlib
import lzma
import struct
import tarfile
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path

from impasto.data.config import DataConfig
from impasto.data.sources.candidates import is_candidate
from impasto.data.sources.items import Item, Payload, Unreadable, tidy
from impasto.data.sources.listed import Listed
from impasto.data.sources.listing import Listing
from impasto.data.sources.selection import select
from impasto.data.sources.tables import table_of
from impasto.errors import SourceError

LARGEST_FILE = 512 * 2**20  # bytes; larger than any picture worth decoding

# What the standard library raises on a damaged or unsupported archive or member.
DAMAGE = (
    OSError,
    EOFError,
    ValueError,
    RuntimeError,  # NotImplementedError too
    tarfile.TarError,
    zipfile.BadZipFile,
    struct.error,
    zlib.error,
    lzma.LZMAError,
)


class Zip(Listed):
    """The pictures in a zip archive, in the archive's order.

    The standard library holds the archive's directory in memory while it is open, some 500 bytes
    for each member; it is not kept beyond that.
    """

    def __init__(self, path: Path, config: DataConfig) -> None:
        self._path = path
        try:
            with zipfile.ZipFile(path) as archive:
                names = Listing(_zipped(archive), beside=3)
        except DAMAGE as error:
            raise damaged(path, error) from None
        table = table_of(path, config)
        super().__init__(str(path), select(names, config, where=str(path), table=table))

    def signature(self) -> str:
        """A hash of the names, sizes, checksums and labels selected; the archive may be moved."""
        digest = hashlib.sha256(b"zip")
        self._chosen.update(digest)
        return digest.hexdigest()

    def items(self, start: int = 0) -> Iterator[Item]:
        """The members, read one by one."""
        try:
            with zipfile.ZipFile(self._path) as archive:
                members = archive.infolist()
                for entry in self._chosen.entries(start):
                    member = members[entry.beside[0]]
                    yield entry.item(_read_member(archive, member))
        except (*DAMAGE, IndexError) as error:
            raise damaged(self._path, error) from None


def damaged(path: Path, error: Exception) -> SourceError:
    """What to raise for an archive that cannot be read to its end."""
    told = " ".join(str(error).split())
    return SourceError(f"{path} is not a whole archive ({told}); fetch or pack it again")


def _zipped(archive: zipfile.ZipFile) -> Iterator[tuple[str, int, int, int]]:
    """Name, place, size and checksum of each candidate."""
    for place, member in enumerate(archive.infolist()):
        name = tidy(member.filename)
        # Its own `is_dir` fails on an empty name.
        if not member.filename.endswith("/") and is_candidate(name):
            yield name, place, member.file_size, member.CRC


def _read_member(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> Payload:
    if member.flag_bits & 1:
        return Unreadable("encrypted in the archive")
    if member.file_size > LARGEST_FILE:
        return Unreadable(f"a file of more than {LARGEST_FILE // 2**20} MiB", "too large")
    try:
        return archive.read(member)
    except DAMAGE as error:
        return Unreadable(f"damaged in the archive: {error}")
