"""The members of tar archives, gathered into WebDataset's samples: a picture and its labels.

A sample is a run of members whose names are the same up to the first dot of the last part:
`0001.jpg`, `0001.cls` with the class, `0001.json` with more labels. Archives that know of no
samples come out as plain pictures.
"""

import json
import tarfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from impasto.data.sources.archives import DAMAGE, LARGEST_FILE, damaged
from impasto.data.sources.candidates import PICTURES, is_candidate
from impasto.data.sources.columns import Cell, Columns, Gathered
from impasto.data.sources.items import printable, tidy
from impasto.data.sources.rows import is_scalar

LINK, PACKED = -1, -2  # in place of where a member's content begins
_LARGEST_LABEL = 2**20  # bytes of a .cls or .json
_LARGEST_SAMPLE = 1000  # pictures; in an archive that knows no samples, a run may be endless

Row = tuple[str, int, int, int, int]  # name, shard, place in it, size, where its content begins


class Samples:
    """A row for each picture in some archives, and labels to go with the rows."""

    def __init__(self, shards: Sequence[Path], where: str) -> None:
        self._shards = shards
        self._where = where
        self._labels = Gathered(where)
        self._is_labelled = False
        self._unread, self._first_unread = 0, ""

    def rows(self) -> Iterator[Row]:
        """The pictures in the order of the archives; labels are gathered by the way.

        Raises:
            SourceError: an archive cannot be read.
        """
        prefixes = shard_names(self._shards)
        for shard, (path, prefix) in enumerate(zip(self._shards, prefixes, strict=True)):
            try:
                with tarfile.open(path) as archive:
                    plain = is_plain(path)
                    yield from self._pictures(archive, shard, prefix, plain=plain)
                    if plain:
                        _check_end(archive, path)
            except DAMAGE as error:
                raise damaged(path, error) from None

    def columns(self) -> Columns | None:
        """The labels of all rows; None where no sample has any."""
        return self._labels.columns() if self._is_labelled else None

    def notices(self) -> tuple[str, ...]:
        """How many labels could not be read."""
        if not self._unread:
            return ()
        told = f"{self._unread:,} files of labels cannot be read, and count as missing"
        return (f"{self._where}: {told}; the first is {printable(self._first_unread)!r}",)

    def _pictures(
        self, archive: tarfile.TarFile, shard: int, prefix: str, *, plain: bool
    ) -> Iterator[Row]:
        """The rows of one archive."""
        sample, key = _Sample(), ""
        for place, member in enumerate(members(archive)):
            name = tidy(member.name)
            if key != (key := _key(name)) or len(sample.pictures) > _LARGEST_SAMPLE:
                yield from self._finish(sample)
                sample = _Sample()
            if name.lower().endswith((".cls", ".json")):
                sample.add_labels(name, _content(archive, member))
            elif self._is_picture(name) and not member.isdir():
                size = min(member.size, LARGEST_FILE + 1)
                begin = _begin(member, plain=plain)
                sample.pictures.append((prefix + name, shard, place, size, begin))
        yield from self._finish(sample)

    def _finish(self, sample: "_Sample") -> Iterator[Row]:
        if sample.pictures and sample.unread:
            self._unread += len(sample.unread)
            self._first_unread = self._first_unread or sample.unread[0]
        self._is_labelled |= bool(sample.pictures and sample.cells)
        for row in sample.pictures:
            self._labels.append(sample.cells)
            yield row

    def _is_picture(self, name: str) -> bool:
        return is_candidate(name) and (len(self._shards) == 1 or name.lower().endswith(PICTURES))


@dataclass
class _Sample:
    """What has been seen of one sample."""

    pictures: list[Row] = field(default_factory=list)
    cells: dict[str, Cell] = field(default_factory=dict)
    unread: list[str] = field(default_factory=list)

    def add_labels(self, name: str, content: bytes) -> None:
        try:
            text = content.decode().strip()
            told = {"class": text} if name.lower().endswith(".cls") else json.loads(text)
            self.cells |= {key: cell for key, cell in told.items() if is_scalar(cell)}
        except (ValueError, AttributeError, RecursionError):
            self.unread.append(name)


def members(archive: tarfile.TarFile) -> Iterator[tarfile.TarInfo]:
    """The members of an archive, none of which stays in memory."""
    while (member := archive.next()) is not None:
        if member.size < 0:  # what comes next would lie before it, and be read without end
            raise tarfile.ReadError(f"{printable(member.name)!r} has a negative size")
        yield member
        archive.members.clear()  # type: ignore[attr-defined]  # it would keep all of them


def is_plain(path: Path) -> bool:
    """Whether an archive is not compressed."""
    try:
        tarfile.open(path, "r:").close()
    except tarfile.ReadError:
        return False
    return True


def shard_names(shards: Sequence[Path]) -> list[str]:
    """What each archive puts before the names of its members: nothing where there is only one."""
    if len(shards) == 1:
        return [""]
    names = [shard.name for shard in shards]
    if len(set(names)) < len(names):
        names = [str(shard).replace("/", "-") for shard in shards]
    return [f"{name}/" for name in names]


def _key(name: str) -> str:
    folder, _, last = name.rpartition("/")
    return f"{folder}/{last.partition('.')[0]}"


def _content(archive: tarfile.TarFile, member: tarfile.TarInfo) -> bytes:
    """What is in a small file; nothing of one that is none."""
    stream = archive.extractfile(member) if member.isreg() else None
    return stream.read() if stream and member.size <= _LARGEST_LABEL else b""


def _begin(member: tarfile.TarInfo, *, plain: bool) -> int:
    if not member.isreg() or member.issparse():
        return LINK
    return member.offset_data if plain else PACKED


def _check_end(archive: tarfile.TarFile, path: Path) -> None:
    """Nothing, where an archive ends in zeros: what cannot be read is else taken for its end."""
    with path.open("rb") as file:
        file.seek(archive.offset)
        if file.read(tarfile.BLOCKSIZE).strip(b"\0"):
            raise tarfile.ReadError(f"no header at byte {archive.offset:,}")
