"""The door to all sources: folders, archives read in place, IDX pairs, built-in sets."""

import re
from pathlib import Path

from impasto.data.archives import Zip
from impasto.data.config import DataConfig
from impasto.data.folders import Folder
from impasto.data.idx import Idx, images_file, is_idx
from impasto.data.items import Item, Payload, Source
from impasto.data.kittens import DEFAULT_COUNT, Kittens
from impasto.data.tars import Tar
from impasto.errors import SourceError, nearest

__all__ = ["BUILT_IN", "Item", "Payload", "Source", "open_source"]

BUILT_IN = ("kittens",)
_TAR = (".tar", ".tar.gz", ".tgz", ".tar.bz2", ".tbz2", ".tar.xz", ".txz")


def open_source(source: str | Path, config: DataConfig) -> Source:
    """The pictures that a path or a built-in name stands for, as far as they are selected.

    A built-in name wins over a folder of that name; write `./kittens` for the folder.

    Raises:
        SourceError: nothing there, no pictures, an unknown name or class, a pattern that matches
        nothing.
    """
    built_in = re.fullmatch(r"([A-Za-z]\w*)(?::(.*))?", str(source))
    path = Path(source)
    if built_in and built_in[1] in BUILT_IN and not (isinstance(source, Path) and path.exists()):
        return Kittens(_count(str(source), built_in[2]), config)
    if not path.exists():
        raise SourceError(_missing(path, built_in[1] if built_in else path.name))
    return _open_folder(path, config) if path.is_dir() else _open_file(path, config)


def _open_folder(path: Path, config: DataConfig) -> Source:
    if (path / "set.json").is_file() and (path / "pixels.npy").is_file():
        raise SourceError(f"{path} is a prepared set already; train on it as it is")
    images = images_file(path)
    return Idx(images, config) if images else Folder(path, config)


def _open_file(path: Path, config: DataConfig) -> Source:
    name = path.name.lower()
    if name.endswith(".zip"):
        return Zip(path, config)
    if name.endswith(_TAR):
        return Tar([path], config)
    if path.is_file() and is_idx(path):
        return Idx(path, config)
    raise SourceError(f"{path} is neither a folder nor a zip, tar or IDX file; give one of those")


def _count(source: str, text: str | None) -> int:
    if text is None:
        return DEFAULT_COUNT
    if not (text.isascii() and text.isdigit()):
        raise SourceError(
            f"{source}: {text!r} is not a number; write kittens or kittens:{DEFAULT_COUNT}"
        )
    return int(text)


def _missing(path: Path, name: str) -> str:
    parent = path.parent
    known = list(BUILT_IN)
    if parent.is_dir():
        known += sorted(
            str(parent / entry.name) for entry in parent.iterdir() if entry.name[0] != "."
        )
    hint = nearest(str(path), known)
    if not hint.startswith("did you mean"):
        hint = (
            f"give a folder, a zip, tar or IDX file, or a built-in set: {nearest(name, BUILT_IN)}"
        )
    return f"{path}: no such folder, archive or built-in set; {hint.partition(' Known:')[0]}"
