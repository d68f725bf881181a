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
import shutil
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from typing import Any, Literal

import numpy as np

from impasto.config import to_plain
from impasto.data import curate, layout
from impasto.data.config import DataConfig, Subject
from impasto.data.crop import stored_side
from impasto.data.engine.crew import crew_size, run
from impasto.data.engine.jobs import jobs
from impasto.data.features import Extract
from impasto.data.gather import gather
from impasto.data.looks.measures import MEASURES
from impasto.data.prepared import Prepared, is_prepared
from impasto.data.reasons import Reason
from impasto.data.sources.items import Source, printable
from impasto.data.sources.opening import open_source
from impasto.data.subjects.detectors import KNOWN, detector_of, digest_of
from impasto.errors import SourceError
from impasto.places import cache_home

# What else than a full disk keeps a folder from being written; all other errors are ours.
_UNWRITABLE = frozenset(
    {
        *(errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOLCK, errno.EOPNOTSUPP),
        *(errno.EFBIG, errno.EIO, errno.ENAMETOOLONG, errno.ESTALE),
    }
)

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
    task = _Task(home, opened, config, key, shards)
    if not task.is_done():
        with _disk_errors(home), _locked(home):
            if not task.is_done():  # another process may have made it while we waited
                task.claim()
                slots, starts = task.collect(engine, workers, report)
                task.finish(slots, starts, extract, least)
    return Prepared.open(home).viewed(config)


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
    # What labels and the step between frames change is in the source's signature.
    unused = {"flip", "validation", "rules", "labels", "frame_step"}
    unused |= {"split_seed"} if config.limit is None else set()
    if config.subject.name == "whole":
        settings["subject"] = to_plain(Subject())
    settings["subject"]["name"] = digest_of(config.subject)
    return {name: value for name, value in settings.items() if name not in unused}


@dataclass(frozen=True)
class _Task:
    """One set to be made: where, of what, how."""

    home: Path
    source: Source
    config: DataConfig
    key: str
    shards: int

    @property
    def shape(self) -> layout.Shape:
        columns, numbers = len(self.source.label_names), len(self.source.number_names)
        return layout.Shape(stored_side(self.config), self.config.channels, columns, numbers)

    def is_done(self) -> bool:
        """Whether the set is there, judged by the same rules.

        Raises:
            SourceError: another set is there.
        """
        if not is_prepared(self.home):
            return False
        facts = layout.read_json(self.home / layout.FACTS) or {}
        if facts.get("key") != self.key or len(facts.get("starts", ())) != self.shards:
            raise SourceError(
                f"{self.home} holds a set prepared from other pictures or settings; train on it as it is, "
                "choose another --to, or delete it"
            )
        return bool(facts["config"].get("rules") == to_plain(self.config.rules))

    def claim(self) -> None:
        """Makes the folder this set's, or leaves it so."""
        home = self.home
        draft = layout.read_json(home / layout.DRAFT)
        mark = {"format": layout.FORMAT, "key": self.key, "shards": self.shards}
        if is_prepared(home):  # complete but for its rules: the pictures are judged anew
            layout.write_json(home / layout.DRAFT, mark)
            (home / layout.FACTS).unlink()
            draft = mark
        if draft == mark:
            if (home / layout.ROWS).exists() and not (home / layout.FOUND).exists():
                (home / layout.ROWS).replace(home / layout.FOUND)
            return
        own = {layout.LOCK, f".{layout.DRAFT}.part"}
        if draft is None and any(path.name not in own for path in home.iterdir()):
            raise SourceError(f"{home} holds something else; choose another --to, or empty it")
        if (home / layout.FOUND).exists() and (home / layout.FOUND).stat().st_size:
            raise SourceError(
                f"{home} holds the beginning of a set of other pictures or settings; choose another "
                "--to, or delete it"
            )
        _discard(home)
        layout.write_json(home / layout.DRAFT, mark)

    def collect(
        self, engine: Engine, workers: int | None, report: Report | None
    ) -> tuple[int, list[int]]:
        """Writes what comes in, as it comes; returns the slots, and the first of each shard."""
        total = len(self.source)
        writer = layout.Writer(self.home, self.shape, shards=self.shards, candidates=total)
        with writer:
            pending = total - writer.candidates
            layout.check_room(self.home, self.shape.slot_bytes * pending)
            work = jobs(self.source, self.config, start=writer.candidates, shards=self.shards)
            if engine == "ray":
                from impasto.data.engine.ray_engine import run as run_by_ray

                results = run_by_ray(work, workers)
            else:
                results = run(work, crew_size(self.source, pending, workers))
            with contextlib.closing(results):
                for job, outcomes in results:
                    gather(writer, job, outcomes)
                    if report is not None:
                        report(job.done, total)
            writer.finish()
        return writer.slots, writer.starts

    def finish(self, slots: int, starts: list[int], extract: Extract | None, least: int) -> None:
        """Judges the pictures, and writes the manifest and the facts that make the set whole."""
        home, source = self.home, self.source
        arrays = layout.open_arrays(home, self.shape, slots, starts)
        verdicts = curate.judge(home, arrays, self.config.rules, extract)
        counts = curate.write_manifest(home, arrays, self.config.rules, verdicts)
        kept = slots - counts.total()
        if kept < least:
            problem = _none_kept(home, source, counts)
            _discard(home)
            raise SourceError(problem)
        facts = {
            "format": layout.FORMAT,
            "key": self.key,
            "source": source.name,
            "credit": source.credit,
            "config": to_plain(self.config),
            "side": self.shape.side,
            "found": len(source),
            "slots": slots,
            "starts": starts,
            "kept": kept,
            "rejected": slots - kept,
            "reasons": dict(counts.most_common()),
            "notices": [*source.notices, *verdicts.notices()],
            "measures": MEASURES,
            "label_names": source.label_names,
            "number_names": source.number_names,
            "fingerprint": _fingerprint(arrays, source, self.config),
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
        elif error.errno in _UNWRITABLE:
            way_out = "choose another folder with --to, or set IMPASTO_CACHE"
        else:
            raise
        raise SourceError(f"{home} cannot be written ({error.strerror}); {way_out}") from None
