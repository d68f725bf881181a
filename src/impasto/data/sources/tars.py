"""Tar archives, one or many shards of them, read in place.

A plain archive is read at the places that were noted down when it was listed, so that starting in
the middle takes no time; a compressed one is read from front to back.
"""

import hashlib
import tarfile
from collections.abc import Iterator, Sequence
from itertools import groupby
from pathlib import Path

from impasto.data.config import DataConfig
from impasto.data.sources.archives import DAMAGE, LARGEST_FILE, damaged
from impasto.data.sources.items import Item, Payload, Unreadable
from impasto.data.sources.listed import Listed
from impasto.data.sources.listing import Listing
from impasto.data.sources.samples import LINK, Samples, is_plain, members
from impasto.data.sources.selection import Entry, select
from impasto.data.sources.tables import table_of


class Tar(Listed):
    """The pictures in a tar archive, compressed or not, or in several that make up one set."""

    def __init__(self, shards: Sequence[Path], config: DataConfig, name: str | None = None) -> None:
        """Lists all archives, and reads the labels in them.

        Args:
            shards: the archives in their order. Where there are several, the name of each goes
                before the names of its pictures, and a picture is what is called like one.
            config: the selection.
            name: what to call several archives.

        Raises:
            SourceError: an archive cannot be read, or nothing in them is selected.
        """
        where = name or str(shards[0])
        self._shards = tuple(shards)
        samples = Samples(self._shards, where)
        names = Listing(samples.rows(), beside=4)
        home = shards[0] if len(shards) == 1 else shards[0].parent
        table = table_of(home, config, own=samples.columns())
        known_as = str if len(shards) == 1 else _within
        chosen = select(names, config, where=where, table=table, known_as=known_as)
        super().__init__(where, chosen, samples.notices())

    def signature(self) -> str:
        """A hash of the archives' places, sizes and times and of what is selected in them."""
        digest = hashlib.sha256(b"tar")
        for path in self._shards:
            facts = path.stat()
            digest.update(f"{path.resolve()} {facts.st_size} {facts.st_mtime_ns}\0".encode())
        self._chosen.update(digest)
        return digest.hexdigest()

    def items(self, start: int = 0) -> Iterator[Item]:
        """The members, read one by one; archives that hold none of them are not opened."""
        for shard, entries in groupby(self._chosen.entries(start), key=_shard):
            path = self._shards[shard]
            read = _read_plain if is_plain(path) else _read_packed
            try:
                yield from read(path, entries)
            except DAMAGE as error:
                raise damaged(path, error) from None


def _shard(entry: Entry) -> int:
    return entry.beside[0]


def _within(name: str) -> str:
    """A name without that of the archive."""
    return name.partition("/")[2]


def _read_plain(path: Path, entries: Iterator[Entry]) -> Iterator[Item]:
    with path.open("rb") as file:
        for entry in entries:
            _, _, size, begin = entry.beside
            payload = _refusal(size, begin)
            if payload is None:
                file.seek(begin)
                content = file.read(size)
                payload = (
                    content if len(content) == size else Unreadable("cut short in the archive")
                )
            yield entry.item(payload)


def _read_packed(path: Path, entries: Iterator[Entry]) -> Iterator[Item]:
    with tarfile.open(path, "r|*") as archive:
        stream = enumerate(members(archive))
        for entry in entries:
            _, wanted, size, begin = entry.beside
            member = next((of for place, of in stream if place == wanted), None)
            if member is None:
                raise tarfile.ReadError(f"{entry.name} is gone")
            payload = _refusal(size, begin)
            if payload is None:
                content = archive.extractfile(member)
                payload = content.read() if content else Unreadable("a special file in the archive")
            yield entry.item(payload)


def _refusal(size: int, begin: int) -> Payload | None:
    if begin == LINK:
        return Unreadable("a link or special file in the archive")
    return (
        Unreadable(f"a file of more than {LARGEST_FILE // 2**20} MiB", "too large")
        if size > LARGEST_FILE
        else None
    )
