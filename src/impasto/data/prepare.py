"""Pictures decoded, cut and resized once, in parallel, into a set that training maps into memory.

A set is keyed by what is selected and by the settings that shape its pixels: asked for again, it
opens at once; interrupted, even by `kill -9`, it goes on after the last picture that was finished.
Which pictures are kept is judged when all of them are there, so that other rules need no decoding.
"""

import contextlib
import errno
import fcntl
import hashlib
import json
import os
import shutil
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import Any, Literal

import numpy as np

from impasto.config import to_plain
from impasto.data import curate, layout
from impasto.data.config import DataConfig, Subject
from impasto.data.crew import crew_size, run
from impasto.data.crop import stored_side
from impasto.data.detectors import KNOWN, detector_of, digest_of
from impasto.data.features import Extract
from impasto.data.items import Source, printable
from impasto.data.jobs import Job, jobs
from impasto.data.measures import MEASURES
from impasto.data.prepared import Prepared, is_prepared
from impasto.data.reasons import Reason
from impasto.data.sources import open_source
from impasto.data.work import Outcome
from impasto.errors import SourceError

Report = Callable[[int, int], None]
Engine = Literal["processes", "ray"]


def prepare(
    source: str | Path,
    config: DataConfig,
    to: Path | None = None,
    *,
    workers: int | None = None,
    engine: Engine = "processes",
    shards: int = 1,
    extract: Extract | None = None,
    least: int = 1,
    report: Report | None = None,
) -> Prepared:
    """The prepared set of a source: opened if it is there, finished if it was begun, made if not.

    Args:
        source: a folder, an archive, an IDX file, or a built-in name such as `kittens:1000`.
        config: what to select, what to look for and throw out, and at which size and crop.
        to: the folder to put it in; in the cache (`IMPASTO_CACHE`, else `XDG_CACHE_HOME/impasto`,
            else `~/.cache/impasto`) by default.
        workers: processes that decode; one for each processor by default.
        engine: `processes` on this machine, or `ray` on whatever Ray reaches.
        shards: files to spread the pixels over.
        extract: features of pictures, for the rule on outliers; without it, that rule is silent.
        least: pictures that must be kept; 0 to look at what there is, whatever it is.
        report: called with the pictures done and their total, after each block.

    Raises:
        SourceError: the source cannot be used, none of it is a picture, `to` holds something else,
            or the disk is full.
    """
    config = _located(config)
    detector_of(config.subject)  # what is wrong with it is said before anything is begun
    if shards < 1:
        raise SourceError(f"shards: at least 1 is needed, not {shards}")
    opened = open_source(source, config)
    key = key_of(opened, config)
    home = Path(to) if to is not None else _cached(key, config, shards)
    if _is_complete(home, key, config, shards):
        return Prepared.open(home).viewed(config)
    with _disk_errors(home), _locked(home):
        if not _is_complete(home, key, config, shards):  # another may have made it while we waited
            _claim(home, key, shards)
            shape = _shape(opened, config)
            with layout.Writer(home, shape, shards=shards, candidates=len(opened)) as writer:
                layout.check_room(home, shape.slot_bytes * (len(opened) - writer.candidates))
                _collect(writer, opened, config, workers, engine, shards, report)
                writer.finish()
            _finish(home, opened, config, key, writer, extract, least)
    return Prepared.open(home).viewed(config)


def cache_home() -> Path:
    """The folder that prepared sets are kept in unless told otherwise."""
    if own := os.environ.get("IMPASTO_CACHE"):
        return Path(own)
    shared = os.environ.get("XDG_CACHE_HOME")
    return (Path(shared) if shared else Path.home() / ".cache") / "impasto"


def key_of(source: Source, config: DataConfig) -> str:
    """A hash of what is selected and of the settings that shape the pixels, in hexadecimal."""
    facts = [
        layout.FORMAT,
        source.signature(),
        _pixel_settings(config),
        source.label_names,
        source.number_names,
    ]
    return hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()


def _located(config: DataConfig) -> DataConfig:
    """The configuration with the detector's file told from any folder."""
    name = config.subject.name
    if name in KNOWN or not Path(name).suffix:
        return config
    return replace(config, subject=replace(config.subject, name=str(Path(name).resolve())))


def _cached(key: str, config: DataConfig, shards: int) -> Path:
    """The place in the cache; other rules make another set, so that no run loses its pictures."""
    rules = json.dumps([to_plain(config.rules), shards])
    whole = hashlib.sha256(f"{key} {rules}".encode()).hexdigest()
    return cache_home() / "sets" / whole[:32]


def _pixel_settings(config: DataConfig) -> dict[str, Any]:
    settings: dict[str, Any] = to_plain(config)
    unused = {"flip", "validation", "rules"}
    unused |= {"split_seed"} if config.limit is None else set()
    if config.subject.name == "whole":
        settings["subject"] = to_plain(Subject())
    settings["subject"]["name"] = digest_of(config.subject)
    return {name: value for name, value in settings.items() if name not in unused}


def _is_complete(home: Path, key: str, config: DataConfig, shards: int) -> bool:
    if not is_prepared(home):
        return False
    facts = layout.read_json(home / layout.FACTS) or {}
    if facts.get("key") != key or len(facts.get("starts", ())) != shards:
        raise SourceError(
            f"{home} holds a set prepared from other pictures or settings; train on it as it is, "
            "choose another --to, or delete it"
        )
    return bool(facts["config"].get("rules") == to_plain(config.rules))


def _claim(home: Path, key: str, shards: int) -> None:
    draft = layout.read_json(home / layout.DRAFT)
    mark = {"format": layout.FORMAT, "key": key, "shards": shards}
    if is_prepared(home):  # complete but for its rules: the pictures are judged anew
        layout.write_json(home / layout.DRAFT, mark)
        (home / layout.FACTS).unlink()
        draft = mark
    if draft is None:
        if any(path.name not in {layout.LOCK, f".{layout.DRAFT}.part"} for path in home.iterdir()):
            raise SourceError(f"{home} holds something else; choose another --to, or empty it")
    elif draft == mark:
        if (home / layout.ROWS).exists() and not (home / layout.FOUND).exists():
            (home / layout.ROWS).replace(home / layout.FOUND)
        return
    elif (home / layout.FOUND).exists() and (home / layout.FOUND).stat().st_size:
        raise SourceError(
            f"{home} holds the beginning of a set of other pictures or settings; choose another "
            "--to, or delete it"
        )
    _discard(home)
    layout.write_json(home / layout.DRAFT, mark)


def _shape(source: Source, config: DataConfig) -> layout.Shape:
    columns, numbers = len(source.label_names), len(source.number_names)
    return layout.Shape(stored_side(config), config.channels, columns, numbers)


def _collect(
    writer: layout.Writer,
    source: Source,
    config: DataConfig,
    workers: int | None,
    engine: Engine,
    shards: int,
    report: Report | None,
) -> None:
    work = jobs(source, config, start=writer.candidates, shards=shards)
    if engine == "ray":
        from impasto.data.ray_engine import run as run_by_ray

        results = run_by_ray(work, workers)
    else:
        results = run(work, crew_size(source, len(source) - writer.candidates, workers))
    with contextlib.closing(results):
        for job, outcomes in results:
            _keep(writer, job, outcomes)
            if report is not None:
                report(job.done, len(source))


def _keep(writer: layout.Writer, job: Job, outcomes: list[Outcome]) -> None:
    """Puts the outcomes of a job into the set: a slot for each part, and one for each failure."""
    side = writer.shape.picture
    counts = [max(1, len(outcome.slots)) for outcome in outcomes]
    total = sum(counts)
    pixels = np.zeros((total, *side), np.uint8)
    columns = {
        name: np.zeros((total, *size), kind) for name, (kind, size) in writer.shape.arrays().items()
    }
    columns["measures.npy"][:] = np.nan
    rows: list[dict[str, Any]] = []
    facts = zip(job.names, job.labels, job.numbers, outcomes, strict=True)
    for place, (name, labels, numbers, outcome) in enumerate(facts):
        parts = counts[place]
        for part in range(parts):
            at = len(rows)
            columns["labels.npy"][at] = labels
            columns["numbers.npy"][at] = numbers
            columns["keys.npy"][at] = int((outcome.sha256 or "0")[:16], 16)
            columns["status.npy"][at] = (
                layout.code(outcome.reason.kind) if outcome.reason else layout.KEPT
            )
            if outcome.slots:
                slot = outcome.slots[part]
                pixels[at] = slot.pixels
                columns["boxes.npy"][at] = slot.box
                columns["hashes.npy"][at] = slot.hash
                columns["measures.npy"][at] = slot.measures
            rows.append(
                {
                    "candidate": job.first + place,
                    "part": part,
                    "parts": parts,
                    "name": name,
                    "sha256": outcome.sha256,
                    "width": outcome.width,
                    "height": outcome.height,
                    "mode": outcome.mode,
                    "box": columns["boxes.npy"][at].tolist(),
                    "labels": labels,
                    "numbers": [None if np.isnan(number) else number for number in numbers],
                    "reason": outcome.reason.kind if outcome.reason else None,
                    "detail": outcome.reason.detail if outcome.reason else "",
                }
            )
    writer.append(len(outcomes), pixels, columns, rows)


def _finish(
    home: Path,
    source: Source,
    config: DataConfig,
    key: str,
    writer: layout.Writer,
    extract: Extract | None,
    least: int,
) -> None:
    slots, starts = writer.slots, writer.starts
    arrays = layout.open_arrays(home, writer.shape, slots, starts)
    verdicts = curate.judge(home, arrays, config.rules, extract)
    kept = int((arrays.status == layout.KEPT).sum())
    counts = curate.write_manifest(home, arrays, config.rules, verdicts)
    if kept < least:
        problem = _none_kept(home, source, counts)
        _discard(home)
        raise SourceError(problem)
    facts = {
        "format": layout.FORMAT,
        "key": key,
        "source": source.name,
        "credit": source.credit,
        "config": to_plain(config),
        "side": stored_side(config),
        "found": len(source),
        "slots": slots,
        "starts": starts,
        "kept": kept,
        "rejected": slots - kept,
        "reasons": dict(counts.most_common()),
        "measures": MEASURES,
        "label_names": source.label_names,
        "number_names": source.number_names,
        "fingerprint": _fingerprint(arrays, source, config),
    }
    layout.write_json(home / layout.FACTS, facts)
    for name in (layout.FOUND, layout.DRAFT):
        (home / name).unlink(missing_ok=True)


def _none_kept(home: Path, source: Source, counts: Counter[str]) -> str:
    examples = "; ".join(
        f"{printable(row['name'])}: {Reason(row['reason'], row['detail'])}"
        for row in islice(layout.read_rows(home / layout.ROWS), 3)
    )
    if set(counts) <= set(curate.INVISIBLE):
        return (
            f"{source.name}: none of {len(source):,} files is a picture ({examples}); "
            "give a folder or archive of pictures"
        )
    return (
        f"{source.name}: none of {len(source):,} pictures is left ({examples}); "
        "look for another subject, or switch a rule off with --rules NAME=off"
    )


def _fingerprint(arrays: layout.Arrays, source: Source, config: DataConfig) -> str:
    settings = [
        layout.FORMAT,
        _pixel_settings(config),
        source.label_names,
        source.number_names,
    ]
    digest = hashlib.sha256(json.dumps(settings, sort_keys=True).encode())
    for array in (arrays.keys, arrays.status, arrays.labels, arrays.numbers):
        digest.update(np.ascontiguousarray(array).data)
    return digest.hexdigest()


def _discard(home: Path) -> None:
    """Takes away what a set is made of, but for what a person decided, and the lock."""
    for path in (*home.glob("*.npy"), home / layout.FOUND, home / layout.ROWS, home / layout.DRAFT):
        path.unlink(missing_ok=True)


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
