"""The door to all sources: folders, archives, databases, files of columns, videos, built-in sets."""

import glob
import re
from pathlib import Path

from impasto.data.config import DataConfig
from impasto.data.sources.archives import Zip
from impasto.data.sources.candidates import TARS, VIDEOS
from impasto.data.sources.columnar import Columnar, parquet_parts, saved_parts
from impasto.data.sources.databases import FILE, Database
from impasto.data.sources.folders import Folder, walk
from impasto.data.sources.idx import Idx, images_file, is_idx
from impasto.data.sources.items import Item, Payload, Source
from impasto.data.sources.kittens import DEFAULT_COUNT, Kittens
from impasto.data.sources.tars import Tar
from impasto.data.sources.videos import Videos
from impasto.errors import SourceError, nearest

__all__ = ["BUILT_IN", "Item", "Payload", "Source", "is_made", "open_source"]

BUILT_IN = ("kittens",)
_MOST_SHARDS = 100_000
_PATTERN = re.compile(r"[*?\[{]")


def open_source(source: str | Path, config: DataConfig) -> Source:
    """The pictures that a path, a pattern of paths or a built-in name stands for, as selected.

    A built-in name wins over a folder of that name; write `./kittens` for the folder.

    Raises:
        SourceError: nothing there, no pictures, an unknown name or class, a pattern that matches
        nothing.
    """
    built_in = re.fullmatch(r"([A-Za-z]\w*)(?::(.*))?", str(source))
    path = Path(source)
    if built_in and built_in[1] in BUILT_IN and not (isinstance(source, Path) and path.exists()):
        return Kittens(_count(str(source), built_in[2]), config)
    if path.exists():
        return _open_folder(path, config) if path.is_dir() else _open_file(path, config)
    if _PATTERN.search(str(source)):
        return _open_shards(str(source), config)
    raise SourceError(_missing(path, built_in[1] if built_in else path.name))


def is_made(source: str | Path) -> bool:
    """Whether these pictures were made as a set (IDX, built in), and not found: none is there by accident."""
    path = Path(source)
    if path.is_dir():
        return images_file(path) is not None
    if path.is_file():
        return is_idx(path)
    return str(source).partition(":")[0] in BUILT_IN


def _open_folder(path: Path, config: DataConfig) -> Source:
    if (path / "set.json").is_file() and (path / "status.npy").is_file():
        raise SourceError(f"{path} is a prepared set already; train on it as it is")
    if (path / FILE).is_file():
        return Database(path, config)
    images = images_file(path)
    if images is not None:
        return Idx(images, config)
    parts = saved_parts(path)
    endings = () if parts else _endings(path)
    if endings is None:
        parts = parquet_parts(path)
    if parts:
        return Columnar(path, parts, config)
    if endings == VIDEOS:
        return Videos(path, config)
    if endings == TARS:
        return Tar([path / name for name, _ in walk(path)], config, str(path))
    return Folder(path, config)


def _endings(folder: Path) -> tuple[str, ...] | None:
    """What all names in a folder end with, videos or archives; nothing common, or none to look at."""
    names = (name.lower() for name, _ in walk(folder, unordered=True))
    first = next(names, None)
    if first is None:
        return None
    alike = next((endings for endings in (VIDEOS, TARS) if first.endswith(endings)), ())
    return alike if alike and all(name.endswith(alike) for name in names) else ()


def _open_file(path: Path, config: DataConfig) -> Source:
    name = path.name.lower()
    if name.endswith(".zip"):
        return Zip(path, config)
    if name.endswith(TARS):
        return Tar([path], config)
    if name.endswith((".mdb", ".lmdb")):
        return Database(path, config)
    if name.endswith((".parquet", ".arrow")):
        return Columnar(path, [("", path)], config)
    if name.endswith(VIDEOS):
        return Videos(path, config)
    if path.is_file() and is_idx(path):
        return Idx(path, config)
    raise SourceError(
        f"{path} is neither a folder nor a zip, tar, IDX, LMDB, Parquet or video file; "
        "give one of those"
    )


def _open_shards(pattern: str, config: DataConfig) -> Source:
    """The tar archives that a pattern of braces or stars stands for, in its order."""
    shards = [Path(name) for text in _unbraced(pattern) for name in _matches(text)]
    if not shards:
        raise SourceError(f"{pattern}: nothing is called so; give tar archives that are there")
    if other := next((path for path in shards if not path.name.lower().endswith(TARS)), None):
        raise SourceError(
            f"{pattern}: {other} is no tar archive; a pattern stands for tar archives"
        )
    if gone := next((path for path in shards if not path.is_file()), None):
        raise SourceError(f"{pattern}: {gone} is not there; fetch it, or give a pattern without it")
    return Tar(shards, config, pattern)


def _matches(text: str) -> list[str]:
    return sorted(glob.glob(text)) if re.search(r"[*?\[]", text) else [text]  # noqa: PTH207 - may be absolute


def _unbraced(pattern: str) -> list[str]:
    """What `{00..12}` and `{a,b}` in a pattern stand for.

    Raises:
        SourceError: that is too much.
    """
    found = re.search(r"\{(?:(\d+)\.\.(\d+)|([^{}]*,[^{}]*))\}", pattern)
    if found is None:
        return [pattern]
    first, last, listed = found.groups()
    if listed is None:
        count = int(last) - int(first) + 1
        if count > _MOST_SHARDS:
            raise SourceError(f"{pattern}: more than {_MOST_SHARDS:,} archives; give fewer")
        parts = [str(number).zfill(len(first)) for number in range(int(first), int(last) + 1)]
    else:
        parts = listed.split(",")
    head, tail = pattern[: found.start()], pattern[found.end() :]
    return [head + part + rest for part in parts for rest in _unbraced(tail)]


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
        hint = f"give a folder, an archive or another source, or a built-in set: {nearest(name, BUILT_IN)}"
    return f"{path}: no such folder, archive or built-in set; {hint.partition(' Known:')[0]}"
