"""A folder of pictures, searched through all its own folders.

Nothing outside the folder is read: links to folders are not followed, and a link to a file
elsewhere is listed as rejected. Files come folder by folder, the entries of each in the order of
their names. Only the names of one folder at a time are in memory, and of a large one not even
these; files are read by the workers.
"""

import hashlib
import os
from collections.abc import Iterator
from pathlib import Path

from impasto.data import layout
from impasto.data.config import DataConfig
from impasto.data.sources.candidates import VIDEOS, is_candidate
from impasto.data.sources.items import Item, Payload, Unreadable
from impasto.data.sources.listed import Listed
from impasto.data.sources.listing import Listing, in_order
from impasto.data.sources.selection import select
from impasto.data.sources.tables import table_of
from impasto.errors import SourceError

# Why a file is not even read; above zero, the number of the system's error stands for itself.
_FINE, LINK_OUTSIDE, VIDEO = 0, -1, -2
_REFUSALS = {
    LINK_OUTSIDE: "a link to outside the folder",
    VIDEO: "a video; give the file itself, or a folder of videos",
}
_FOLDER = -3  # an entry to go down into


class Folder(Listed):
    """The pictures in a folder and below it."""

    def __init__(self, root: Path, config: DataConfig) -> None:
        names = Listing(walk(root), beside=1)
        table = table_of(root, config)
        super().__init__(str(root), select(names, config, where=str(root), table=table))
        self._root = root

    def signature(self) -> str:
        """A hash of the folder's place and of the names, sizes, times and labels selected in it."""
        digest = hashlib.sha256(os.fsencode(self._root.resolve()))
        self._chosen.update(digest)
        for entry in self._chosen.entries():
            digest.update(stamp(self._root / entry.name).encode())
        return digest.hexdigest()

    def items(self, start: int = 0) -> Iterator[Item]:
        """The files in their order."""
        for entry in self._chosen.entries(start):
            (refusal,) = entry.beside
            payload: Payload = self._root / entry.name if refusal == _FINE else _refused(refusal)
            yield entry.item(payload)


def walk(root: Path, *, unordered: bool = False) -> Iterator[tuple[str, int]]:
    """The names of all candidates in a folder, and 0, or the number of a reason to read none of it.

    Args:
        root: the folder.
        unordered: as the system lists them, so that the first come at once.

    Raises:
        SourceError: the folder itself cannot be listed.
    """
    inside = root.resolve()
    pending = [_entries(root, "", inside, unordered=unordered)]
    while pending:
        try:
            name, kind = next(pending[-1])
        except StopIteration:
            pending.pop()
            continue
        except OSError as error:
            raise SourceError(f"{root} cannot be listed: {error.strerror}") from None
        if kind != _FOLDER:
            yield name, kind
            continue
        try:
            if not _is_ours(root / name):
                pending.append(_entries(root, name + "/", inside, unordered=unordered))
        except OSError as error:
            yield name, error.errno or 1


def _entries(root: Path, below: str, inside: Path, *, unordered: bool) -> Iterator[tuple[str, int]]:
    found = _scan(root / below, inside)
    entries = found if unordered else in_order(found)
    return ((below + os.fsdecode(name), kind) for name, kind in entries)


def _scan(folder: Path, inside: Path) -> Iterator[tuple[bytes, int]]:
    listing = os.scandir(folder)  # here, so that a folder that cannot be listed says so at once
    return _kinds(listing, inside)


def _kinds(listing: "os._ScandirIterator[str]", inside: Path) -> Iterator[tuple[bytes, int]]:
    with listing:
        for entry in listing:
            if entry.is_dir(follow_symlinks=False):
                if is_candidate(entry.name + "/picture"):
                    yield os.fsencode(entry.name), _FOLDER
            elif is_candidate(entry.name) and not _is_linked_folder(entry):
                yield os.fsencode(entry.name), _kind(entry, inside)


def _is_linked_folder(entry: os.DirEntry[str]) -> bool:
    return entry.is_symlink() and os.path.isdir(entry.path)  # noqa: PTH112 - False for a link loop


def _kind(entry: os.DirEntry[str], inside: Path) -> int:
    if entry.is_symlink() and not Path(os.path.realpath(entry.path)).is_relative_to(inside):
        return LINK_OUTSIDE
    return VIDEO if entry.name.lower().endswith(VIDEOS) else _FINE


def _refused(refusal: int) -> Unreadable:
    return Unreadable(_REFUSALS.get(refusal) or f"cannot be listed: {os.strerror(refusal)}")


def _is_ours(folder: Path) -> bool:
    """Whether a folder is a run or a prepared set: what was made of pictures is no source of them."""
    if _holds(folder, "run.json"):
        return _holds(folder, "config.yaml")
    prepared = _holds(folder, layout.FACTS) or _holds(folder, layout.DRAFT)
    return prepared and (_holds(folder, "pixels.npy") or _holds(folder, "status.npy"))


def _holds(folder: Path, name: str) -> bool:
    return os.path.lexists(folder / name)


def stamp(path: Path) -> str:
    """Size and time of a file; that it is gone, where it is."""
    try:
        facts = path.lstat()
    except OSError as error:
        return f"\0gone: {error.errno}"
    return f"\0{facts.st_size} {facts.st_mtime_ns}"
