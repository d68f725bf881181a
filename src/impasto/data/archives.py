"""Zip and tar archives, read in place: nothing is extracted, so no name in them can do harm."""

import hashlib
import lzma
import tarfile
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path

from impasto.data.config import DataConfig
from impasto.data.items import Item, Payload, Unreadable
from impasto.data.selection import Selection, is_candidate, select
from impasto.errors import SourceError

LARGEST_FILE = 512 * 2**20  # bytes; larger than any picture worth decoding

# What the standard library raises on a damaged or unsupported archive or member.
_DAMAGE = (
    OSError,
    EOFError,
    ValueError,
    RuntimeError,  # NotImplementedError too
    tarfile.TarError,
    zipfile.BadZipFile,
    zlib.error,
    lzma.LZMAError,
)


class Zip:
    """The pictures in a zip archive, in the archive's order."""

    credit = None
    number_names: tuple[str, ...] = ()
    encoded = True

    def __init__(self, path: Path, config: DataConfig) -> None:
        self.name = str(path)
        self._path = path
        try:
            with zipfile.ZipFile(path) as archive:
                members = [m for m in archive.infolist() if not m.is_dir()]
                members = [m for m in members if is_candidate(_name(m.filename))]
        except _DAMAGE as error:
            raise _damaged(path, error) from None
        chosen = _chosen([_name(member.filename) for member in members], config, path)
        self.label_names, self._labels = chosen.label_names, chosen.labels
        self._members = [members[place] for place in chosen.positions]

    def __len__(self) -> int:
        return len(self._members)

    def signature(self) -> str:
        """A hash of the names, sizes and checksums selected; the archive may be moved."""
        digest = hashlib.sha256(b"zip")
        for member in self._members:
            digest.update(f"\0{member.filename}\0{member.file_size} {member.CRC}".encode())
        return digest.hexdigest()

    def items(self, start: int = 0) -> Iterator[Item]:
        """The members, read one by one."""
        try:
            with zipfile.ZipFile(self._path) as archive:
                for place in range(start, len(self)):
                    member = self._members[place]
                    labels = tuple(self._labels[place].tolist())
                    yield Item(_name(member.filename), labels, _read_member(archive, member))
        except _DAMAGE as error:
            raise _damaged(self._path, error) from None


class Tar:
    """The pictures in a tar archive, compressed or not, read once from front to back."""

    credit = None
    number_names: tuple[str, ...] = ()
    encoded = True

    def __init__(self, path: Path, config: DataConfig) -> None:
        self.name = str(path)
        self._path = path
        names, stamps = [], []
        try:
            with tarfile.open(path, "r:*") as archive:
                for member in _candidates(archive):
                    names.append(_name(member.name))
                    stamps.append((member.size, member.mtime))
        except _DAMAGE as error:
            raise _damaged(path, error) from None
        chosen = _chosen(names, config, path)
        self.label_names, self._labels = chosen.label_names, chosen.labels
        self._positions = chosen.positions
        self._selected = [(names[place], *stamps[place]) for place in chosen.positions]

    def __len__(self) -> int:
        return len(self._positions)

    def signature(self) -> str:
        """A hash of the archive's place, size and time and of the members selected in it."""
        facts = self._path.stat()
        digest = hashlib.sha256(
            f"tar {self._path.resolve()} {facts.st_size} {facts.st_mtime_ns}".encode()
        )
        for name, size, time in self._selected:
            digest.update(f"\0{name}\0{size} {time}".encode("utf-8", "surrogateescape"))
        return digest.hexdigest()

    def items(self, start: int = 0) -> Iterator[Item]:
        """The members, read one by one; those before `start` are passed over."""
        wanted = {
            int(position): place for place, position in enumerate(self._positions) if place >= start
        }
        try:
            with tarfile.open(self._path, "r|*") as archive:
                for position, member in enumerate(_candidates(archive)):
                    if (place := wanted.pop(position, None)) is not None:
                        labels = tuple(self._labels[place].tolist())
                        yield Item(_name(member.name), labels, _extract(archive, member))
                    if not wanted:
                        return
        except _DAMAGE as error:
            raise _damaged(self._path, error) from None


def _candidates(archive: tarfile.TarFile) -> Iterator[tarfile.TarInfo]:
    while (member := archive.next()) is not None:
        if member.size < 0:  # the next member would be this one again, for ever
            raise tarfile.ReadError(f"a negative size, of {member.name!r}")
        if not member.isdir() and is_candidate(_name(member.name)):
            yield member
        archive.members.clear()  # type: ignore[attr-defined]  # it would keep all of them in memory


def _name(raw: str) -> str:
    """A member's name without the `./`, doubled or leading slashes that some packers put in."""
    return "/".join(part for part in raw.replace("\\", "/").split("/") if part not in {"", "."})


def _chosen(names: list[str], config: DataConfig, path: Path) -> Selection:
    if not names:
        raise SourceError(f"{path} holds no pictures; give a folder or archive that does")
    return select(names, config, where=str(path))


def _read_member(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> Payload:
    if member.flag_bits & 1:
        return Unreadable("encrypted in the archive")
    if member.file_size > LARGEST_FILE:
        return Unreadable(f"a file of more than {LARGEST_FILE // 2**20} MiB", "too large")
    try:
        return archive.read(member)
    except _DAMAGE as error:
        return Unreadable(f"damaged in the archive: {error}")


def _extract(archive: tarfile.TarFile, member: tarfile.TarInfo) -> Payload:
    if not member.isreg():
        return Unreadable("a link or special file in the archive")
    if member.size > LARGEST_FILE:
        return Unreadable(f"a file of more than {LARGEST_FILE // 2**20} MiB", "too large")
    stream = archive.extractfile(member)
    return stream.read() if stream else Unreadable("a special file in the archive")


def _damaged(path: Path, error: Exception) -> SourceError:
    return SourceError(f"{path} is not a whole archive ({error}); fetch or pack it again")
