"""What is in a source of pictures, found out by decoding all of it and keeping none of it."""

from array import array
from collections import Counter
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median
from typing import Any

from impasto.data.config import DataConfig
from impasto.data.crew import crew_size, run
from impasto.data.items import Source, printable
from impasto.data.jobs import jobs
from impasto.data.sources import open_source
from impasto.data.work import Outcome

COMMONEST = 5  # sizes that are told


@dataclass(frozen=True)
class Range:
    """The smallest, the median and the largest of some numbers."""

    smallest: int
    median: float
    largest: int


@dataclass(frozen=True)
class Sizes:
    """Widths and heights in pixels, upright; the commonest few as (width, height, pictures)."""

    width: Range
    height: Range
    commonest: tuple[tuple[int, int, int], ...]


@dataclass(frozen=True)
class Inspection:
    """What a source holds."""

    source: str
    credit: str | None
    found: int  # candidates
    pictures: int  # candidates that decode
    sizes: Sizes | None  # None when nothing decodes
    modes: dict[str, int]  # pictures by Pillow's name for their kind of pixels
    classes: dict[str, int]  # pictures by class; empty without folders or labels
    attributes: dict[str, dict[str, int]]  # pictures by category, for each further column of labels
    broken: tuple[tuple[str, str], ...]  # name and reason of what does not decode
    duplicates: tuple[tuple[str, ...], ...]  # names of files with the same content

    def to_plain(self) -> dict[str, Any]:
        """The same as dicts, lists, strings and numbers, ready for JSON."""
        return asdict(self)


def inspect(
    source: str | Path,
    config: DataConfig,
    *,
    workers: int | None = None,
    report: Callable[[int, int], None] | None = None,
) -> Inspection:
    """Counts, sizes, classes, broken files and exact duplicates of a source.

    Args:
        source: what `prepare` takes.
        config: the selection is heeded; size and crop do not matter.
        workers: processes that decode; one for each processor by default.
        report: called with the pictures done and their total, after each block.

    Raises:
        SourceError: the source cannot be used. Broken pictures are listed, never raised.
    """
    opened = open_source(source, config)
    tally = _Tally(opened)
    work = jobs(opened, config, pixels=None)
    for job, outcomes in run(work, crew_size(opened, len(opened), workers)):
        for name, labels, outcome in zip(job.names, job.labels, outcomes, strict=True):
            tally.add(name, labels, outcome)
        if report is not None:
            report(job.done, len(opened))
    return tally.total()


class _Tally:
    """What has been seen so far."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self._widths, self._heights = array("I"), array("I")
        self._sizes: Counter[tuple[int, int]] = Counter()
        self._modes: Counter[str] = Counter()
        self._labels = [[0] * len(names) for names in source.label_names.values()]
        self._broken: list[tuple[str, str]] = []
        self._first: dict[bytes, str] = {}  # content -> the name it was first seen under
        self._again: dict[bytes, list[str]] = {}

    def add(self, name: str, labels: tuple[int, ...], outcome: Outcome) -> None:
        if outcome.reason is not None:
            self._broken.append((printable(name), outcome.reason))
            return
        self._widths.append(outcome.width)
        self._heights.append(outcome.height)
        self._sizes[outcome.width, outcome.height] += 1
        self._modes[outcome.mode] += 1
        for counts, label in zip(self._labels, labels, strict=True):
            if label >= 0:
                counts[label] += 1
        content = bytes.fromhex(outcome.sha256 or "")
        first = self._first.setdefault(content, name)
        if first is not name:
            self._again.setdefault(content, [first]).append(name)

    def total(self) -> Inspection:
        columns = {
            column: dict(zip(names, counts, strict=True))
            for (column, names), counts in zip(
                self._source.label_names.items(), self._labels, strict=True
            )
        }
        return Inspection(
            source=self._source.name,
            credit=self._source.credit,
            found=len(self._source),
            pictures=len(self._widths),
            sizes=self._measured() if self._widths else None,
            modes=dict(self._modes.most_common()),
            classes=columns.pop("class", {}),
            attributes=columns,
            broken=tuple(self._broken),
            duplicates=tuple(tuple(map(printable, names)) for names in self._again.values()),
        )

    def _measured(self) -> Sizes:
        commonest = self._sizes.most_common(COMMONEST)
        return Sizes(
            _range(self._widths),
            _range(self._heights),
            tuple((width, height, count) for (width, height), count in commonest),
        )


def _range(numbers: "array[int]") -> Range:
    return Range(min(numbers), float(median(numbers)), max(numbers))
