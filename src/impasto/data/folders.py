"""A folder of pictures, searched through all its own folders.

Nothing outside the folder is read: links to folders are not followed, and a link to a file
elsewhere is listed as rejected. Only names are kept in memory; files are read by the workers.
"""

import hashlib
import os
from collections.abc import Iterator
from pathlib import Path

from impasto.data import layout
from impasto.data.config import DataConfig
from impasto.data.items import Item, Payload, Unreadable
from impasto.data.selection import is_candidate, select
from impasto.errors import SourceError


class Folder:
    """The pictures in a folder and below it."""

    credit = None
    number_names: tuple[str, ...] = ()
    encoded = True

    def __init__(self, root: Path, config: DataConfig) -> None:
        self.name = str(root)
        self._root = root
        self._refused: dict[str, str] = {}  # name -> why it is not even read
        names = sorted(self._walk())
        if not names:
            raise SourceError(f"{root} holds no pictures; give a folder or archive that does")
        chosen = select(names, config, where=self.name)
        self.label_names = chosen.label_names
        self._labels = chosen.labels
        self._names = [names[place] for place in chosen.positions]

    def __len__(self) -> int:
        return len(self._names)

    def signature(self) -> str:
        """A hash of the folder's place and of the names, sizes and times selected in it."""
        digest = hashlib.sha256(os.fsencode(self._root.resolve()))
        for name in self._names:
            digest.update(
                f"\0{name}\0{_stamp(self._root / name)}".encode("utf-8", "surrogateescape")
            )
        return digest.hexdigest()

    def items(self, start: int = 0) -> Iterator[Item]:
        """The files in the order of their names."""
        for place in range(start, len(self._names)):
            name = self._names[place]
            refusal = self._refused.get(name)
            payload: Payload = self._root / name if refusal is None else Unreadable(refusal)
            yield Item(name, tuple(self._labels[place].tolist()), payload)

    def _walk(self) -> Iterator[str]:
        inside = self._root.resolve()
        pending = [""]
        while pending:
            below = pending.pop()
            try:
                with os.scandir(self._root / below) as found:
                    entries = list(found)
                    if below and _is_ours({entry.name for entry in entries}):
                        continue
                    for entry in entries:
                        name = below + entry.name
                        if entry.is_dir(follow_symlinks=False):
                            if is_candidate(entry.name + "/picture"):
                                pending.append(name + "/")
                        elif is_candidate(entry.name) and not self._is_linked_folder(entry):
                            self._check_link(entry, name, inside)
                            yield name
            except OSError as error:
                if not below:
                    raise SourceError(f"{self._root} cannot be listed: {error.strerror}") from None
                self._refused[below.rstrip("/")] = f"cannot be listed: {error.strerror}"
                yield below.rstrip("/")

    @staticmethod
    def _is_linked_folder(entry: os.DirEntry[str]) -> bool:
        return entry.is_symlink() and os.path.isdir(entry.path)  # noqa: PTH112 - False for a link loop

    def _check_link(self, entry: os.DirEntry[str], name: str, inside: Path) -> None:
        if entry.is_symlink() and not Path(os.path.realpath(entry.path)).is_relative_to(inside):
            self._refused[name] = "a link to outside the folder"


def _is_ours(names: set[str]) -> bool:
    """Whether a folder of these names is a run or a prepared set: what was made of pictures is no source of them."""
    return {"config.yaml", "run.json"} <= names or bool(
        "pixels.npy" in names and {layout.FACTS, layout.DRAFT} & names
    )


def _stamp(path: Path) -> str:
    try:
        facts = path.lstat()
    except OSError as error:
        return f"gone: {error.errno}"
    return f"{facts.st_size} {facts.st_mtime_ns}"
