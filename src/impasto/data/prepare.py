"""Pictures decoded and resized once, in parallel, into a set that training maps into memory.

A set is keyed by what is selected and by the settings that shape its pixels: asked for again, it
opens at once; interrupted, even by `kill -9`, it goes on after the last row of `pictures.jsonl`.
"""

import contextlib
import errno
import fcntl
import hashlib
import json
import os
import shutil
from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import Any, TextIO

import numpy as np

from impasto.config import to_plain
from impasto.data import layout
from impasto.data.config import DataConfig
from impasto.data.crew import crew_size, run
from impasto.data.crop import stored_side
from impasto.data.items import Source
from impasto.data.jobs import Job, jobs
from impasto.data.prepared import Prepared, is_prepared
from impasto.data.sources import open_source
from impasto.data.work import Outcome
from impasto.errors import SourceError

Report = Callable[[int, int], None]


def prepare(
    source: str | Path,
    config: DataConfig,
    to: Path | None = None,
    *,
    workers: int | None = None,
    report: Report | None = None,
) -> Prepared:
    """The prepared set of a source: opened if it is there, finished if it was begun, made if not.

    Args:
        source: a folder, an archive, an IDX file, or a built-in name such as `kittens:1000`.
        config: what to select, and at which size and crop.
        to: the folder to put it in; in the cache (`IMPASTO_CACHE`, else `XDG_CACHE_HOME/impasto`,
            else `~/.cache/impasto`) by default.
        workers: processes that decode; one for each processor by default.
        report: called with the pictures done and their total, after each block.

    Raises:
        SourceError: the source cannot be used, none of it is a picture, `to` holds something else,
            or the disk is full.
    """
    opened = open_source(source, config)
    key = key_of(opened, config)
    home = cache_home() / "sets" / key[:32] if to is None else Path(to)
    if _is_complete(home, key):
        return replace(Prepared.open(home), config=config)
    with _disk_errors(home), _locked(home):
        if not _is_complete(home, key):  # another process may have made it while we waited
            _claim(home, key)
            _fill(home, opened, config, key, workers=workers, report=report)
    return replace(Prepared.open(home), config=config)


def cache_home() -> Path:
    """The folder that prepared sets are kept in unless told otherwise."""
    if own := os.environ.get("IMPASTO_CACHE"):
        return Path(own)
    shared = os.environ.get("XDG_CACHE_HOME")
    return (Path(shared) if shared else Path.home() / ".cache") / "impasto"


def key_of(source: Source, config: DataConfig) -> str:
    """A hash of what is selected and of the settings that shape the pixels, in hexadecimal."""
    facts = [layout.FORMAT, source.signature(), _pixel_settings(config), source.label_names]
    return hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()


def _pixel_settings(config: DataConfig) -> dict[str, Any]:
    settings: dict[str, Any] = to_plain(config)
    unused = {"flip", "validation"} | ({"split_seed"} if config.limit is None else set())
    return {name: value for name, value in settings.items() if name not in unused}


def _is_complete(home: Path, key: str) -> bool:
    if not is_prepared(home):
        return False
    facts = layout.read_json(home / layout.FACTS) or {}
    if facts.get("key") == key:
        return True
    raise SourceError(
        f"{home} holds a set prepared from other pictures or settings; train on it as it is, "
        "choose another --to, or delete it"
    )


def _claim(home: Path, key: str) -> None:
    draft = layout.read_json(home / layout.DRAFT)
    if draft is not None and draft.get("key") == key:
        return
    if draft is None:
        if any(path.name not in {layout.LOCK, f".{layout.DRAFT}.part"} for path in home.iterdir()):
            raise SourceError(f"{home} holds something else; choose another --to, or empty it")
    elif layout.finished_rows(home / layout.ROWS):
        raise SourceError(
            f"{home} holds the beginning of a set of other pictures or settings; choose another "
            "--to, or delete it"
        )
    layout.write_json(home / layout.DRAFT, {"format": layout.FORMAT, "key": key})


def _fill(
    home: Path,
    source: Source,
    config: DataConfig,
    key: str,
    *,
    workers: int | None,
    report: Report | None,
) -> None:
    shape = layout.Shape(len(source), stored_side(config), config.channels, len(source.label_names))
    done = layout.finished_rows(home / layout.ROWS)
    if done == 0:
        layout.create(home, shape)
    arrays = layout.open_arrays(home, shape, write=True)
    work = jobs(source, config, pixels=(home / "pixels.npy").resolve(), start=done)
    crew = crew_size(source, len(source) - done, workers)
    with (home / layout.ROWS).open("a", encoding="utf-8") as rows:
        for job, outcomes in run(work, crew):
            _keep(arrays, rows, job, outcomes)
            if report is not None:
                report(job.done, len(source))
    _finish(home, source, config, key, arrays)


def _keep(arrays: layout.Arrays, rows: TextIO, job: Job, outcomes: list[Outcome]) -> None:
    facts = zip(job.names, job.labels, outcomes, strict=True)
    for slot, (name, labels, outcome) in enumerate(facts, job.block.first):
        arrays.labels[slot] = labels
        arrays.boxes[slot] = outcome.box
        arrays.keys[slot] = int((outcome.sha256 or "0")[:16], 16)
        arrays.status[slot] = layout.REJECTED if outcome.reason else layout.KEPT
        row = {
            "slot": slot,
            "name": name,
            "sha256": outcome.sha256,
            "width": outcome.width,
            "height": outcome.height,
            "labels": labels,
            "reason": outcome.reason,
        }
        rows.write(json.dumps(row) + "\n")
    rows.flush()


def _finish(
    home: Path, source: Source, config: DataConfig, key: str, arrays: layout.Arrays
) -> None:
    kept = int((arrays.status == layout.KEPT).sum())
    if kept == 0:
        reasons = [
            f"{row['name']}: {row['reason']}"
            for row in islice(layout.read_rows(home / layout.ROWS), 3)
        ]
        _discard(home)
        raise SourceError(
            f"{source.name}: none of {len(source):,} files is a picture ({'; '.join(reasons)}); "
            "give a folder or archive of pictures"
        )
    arrays.flush()
    facts = {
        "format": layout.FORMAT,
        "key": key,
        "source": source.name,
        "credit": source.credit,
        "config": to_plain(config),
        "side": stored_side(config),
        "found": len(source),
        "kept": kept,
        "rejected": len(source) - kept,
        "label_names": source.label_names,
        "fingerprint": _fingerprint(arrays, source, config),
    }
    layout.write_json(home / layout.FACTS, facts)
    (home / layout.DRAFT).unlink(missing_ok=True)


def _fingerprint(arrays: layout.Arrays, source: Source, config: DataConfig) -> str:
    settings = [layout.FORMAT, _pixel_settings(config), source.label_names]
    digest = hashlib.sha256(json.dumps(settings, sort_keys=True).encode())
    for array in (arrays.keys, arrays.status, arrays.labels):
        digest.update(np.ascontiguousarray(array).data)
    return digest.hexdigest()


def _discard(home: Path) -> None:
    for name in (*layout.Shape(1, 1, 1, 1).arrays(), layout.ROWS, layout.DRAFT):
        (home / name).unlink(missing_ok=True)


@contextlib.contextmanager
def _locked(home: Path) -> Iterator[None]:
    """Waits until no other process prepares the same set."""
    if home.exists() and not home.is_dir():
        raise SourceError(f"{home} is a file; choose another --to")
    home.mkdir(parents=True, exist_ok=True)
    others = [path for path in home.iterdir() if path.name != layout.LOCK]
    if others and not (home / layout.LOCK).exists():  # in this order: a lock comes before all else
        raise SourceError(f"{home} holds something else; choose another --to, or empty it")
    with (home / layout.LOCK).open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


@contextlib.contextmanager
def _disk_errors(home: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        if error.errno in {errno.ENOSPC, errno.EDQUOT}:
            free = shutil.disk_usage(home if home.exists() else Path.cwd()).free
            way_out = (
                f"free some space ({free / 2**30:,.1f} GiB are left) and run it again to go on"
            )
        elif error.errno in {
            errno.EACCES,
            errno.EROFS,
            errno.EPERM,
            errno.ENOLCK,
            errno.EOPNOTSUPP,
        }:
            way_out = "choose another folder with --to, or set IMPASTO_CACHE"
        else:
            raise
        raise SourceError(f"{home} cannot be written ({error.strerror}); {way_out}") from None
