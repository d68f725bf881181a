"""Which of the listed names are taken, and the class of each.

A class is the first folder below the root, if there are any folders. Where all the pictures lie
under one folder that holds folders itself (`dataset/cat/1.jpg`, or what `--only 'train/*'` leaves),
that folder tells nothing and is looked through. Pictures beside the folders have no class.
"""

import fnmatch
import hashlib
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Int32, Int64

from impasto.data.config import DataConfig
from impasto.errors import SourceError, nearest

_SIDE_FILES = frozenset(
    f".{kind}"
    for kind in (
        *("txt", "csv", "tsv", "json", "jsonl", "xml", "yaml", "yml", "toml", "ini", "cfg"),
        *("md", "rst", "html", "htm", "css", "js", "py", "sh", "ipynb", "log", "lock", "url"),
        *(
            "db",
            "sqlite",
            "npy",
            "npz",
            "pt",
            "pth",
            "ckpt",
            "pkl",
            "safetensors",
            "parquet",
            "mat",
        ),
    )
)
_SIDE_NAMES = frozenset(
    {"readme", "license", "licence", "copying", "notice", "thumbs.db", "desktop.ini"}
)


@dataclass(frozen=True)
class Selection:
    """Places in a listing, ascending, and the labels of what lies there."""

    positions: Int64[np.ndarray, " n"]
    label_names: dict[str, tuple[str, ...]]
    labels: Int32[np.ndarray, "n columns"]


def is_candidate(name: str) -> bool:
    """Whether a name may be a picture's: not hidden, and not one of the usual side files."""
    parts = name.split("/")
    if any(part == "__MACOSX" or (part[:1] == "." and part != "..") for part in parts):
        return False
    last = parts[-1].lower()
    extension = last[last.rfind(".") :] if "." in last else ""
    return last not in _SIDE_NAMES and extension not in _SIDE_FILES


def select(names: Sequence[str], config: DataConfig, *, where: str) -> Selection:
    """What `only`, `classes` and `limit` leave of the names, with the class of each.

    Raises:
        SourceError: a pattern that matches nothing, or a class that is not there.
    """
    positions = matching(names, config.only, where=where)
    classes, labels = _classes([names[place] for place in positions])
    if config.classes:
        classes, labels, kept = _keep_classes(classes, labels, config.classes, where)
        positions, labels = positions[kept], labels[kept]
    drawn = draw(len(positions), config.limit, config.split_seed)
    label_names = {"class": classes} if classes else {}
    return Selection(positions[drawn], label_names, labels[drawn, : len(label_names)])


def matching(
    names: Sequence[str], patterns: Iterable[str], *, where: str
) -> Int64[np.ndarray, " n"]:
    """The places of the names that match any of the patterns; all of them when there is no pattern.

    Raises:
        SourceError: nothing matches.
    """
    patterns = tuple(patterns)
    if not patterns:
        return np.arange(len(names), dtype=np.int64)
    matches = re.compile("|".join(fnmatch.translate(pattern) for pattern in patterns)).match
    found = np.array([place for place, name in enumerate(names) if matches(name)], np.int64)
    if not len(found):
        asked = " ".join(repr(pattern) for pattern in patterns)
        raise SourceError(
            f"{where}: no picture matches --only {asked}; names look like {names[0]!r}"
        )
    return found


def draw(count: int, limit: int | None, seed: int) -> Int64[np.ndarray, " n"]:
    """At most `limit` of `count` places, ascending, drawn evenly; the same for the same seed."""
    if limit is None or limit >= count:
        return np.arange(count, dtype=np.int64)
    head = hashlib.sha256(f"{seed}/limit".encode()).digest()[:8]
    generator = np.random.Generator(np.random.PCG64(int.from_bytes(head, "big")))
    return np.sort(generator.choice(count, limit, replace=False).astype(np.int64))


def _classes(names: Sequence[str]) -> tuple[tuple[str, ...], Int32[np.ndarray, "n 1"]]:
    depth = _shared_folders(names)
    folders = [
        name.split("/", depth + 1)[depth] if name.count("/") > depth else None for name in names
    ]
    classes = tuple(sorted({folder for folder in folders if folder is not None}, key=_class_order))
    places: dict[str | None, int] = {folder: place for place, folder in enumerate(classes)}
    labels = np.array([places.get(folder, -1) for folder in folders], np.int32)
    return classes, labels.reshape(-1, 1)


def _shared_folders(names: Sequence[str]) -> int:
    """How many leading folders all names share that hold further folders."""
    first, last = min(names).split("/")[:-1], max(names).split("/")[:-1]
    shared = next(
        (i for i, pair in enumerate(zip(first, last, strict=False)) if len(set(pair)) > 1), None
    )
    if shared is None:
        shared = min(len(first), len(last))
    holds_folders = any(name.count("/") > shared for name in names)
    return shared if holds_folders else max(0, shared - 1)


def _class_order(name: str) -> tuple[bool, int, str]:
    is_number = name.isascii() and name.isdigit() and len(name) < 10
    return (not is_number, int(name) if is_number else 0, name)


def _keep_classes(
    classes: tuple[str, ...], labels: Int32[np.ndarray, "n 1"], asked: tuple[str, ...], where: str
) -> tuple[tuple[str, ...], Int32[np.ndarray, "n 1"], np.ndarray]:
    for name in asked:
        if name not in classes:
            hint = nearest(name, classes) if classes else "its pictures have no classes"
            raise SourceError(f"{where}: no class {name!r}: {hint}")
    kept_names = tuple(name for name in classes if name in asked)
    places = np.full(len(classes) + 1, -1, np.int32)  # the last place answers for -1
    for place, name in enumerate(kept_names):
        places[classes.index(name)] = place
    narrowed = places[labels]
    return kept_names, narrowed, narrowed[:, 0] >= 0
