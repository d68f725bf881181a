"""Which pictures of a set are kept: each rule judged over all of them, in bounded memory.

Rules that look at a single picture compare one of its measures with one number. The rules on
duplicates keep one of several; the rule on outliers compares features with those of all the others.
The rule on likeness comes after those
on flaws, so that no flawed picture stands in for a good one.
"""

import json
import os
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from jaxtyping import Bool, Float32

from impasto.data import layout
from impasto.data.features import Extract, features_of, outlyingness
from impasto.data.layout import KEPT, Arrays, code
from impasto.data.looks.likeness import HASH_BYTES, duplicates, thin
from impasto.data.looks.measures import LEAST_CONTRAST, MEASURES, mostly_photographs
from impasto.data.reasons import INVISIBLE, Kind, Reason
from impasto.data.rules import Rules
from impasto.data.sources.items import printable

__all__ = ["INVISIBLE", "Verdicts", "judge", "write_manifest"]

MOST_BROKEN = 0.5  # a rule that more than this share breaks tells of the set, not of its pictures
CHUNK = 1 << 18  # slots looked at together
NAMED = (
    1 << 20
)  # pictures whose names are looked up for the manifest's details; memory is for so many


@dataclass(frozen=True)
class Verdicts:
    """What a manifest tells beside status and measures: the twin that was kept, how far it is."""

    twins: dict[int, tuple[int, int]] = field(default_factory=dict)  # slot -> (slot kept, bits)
    distances: dict[int, float] = field(default_factory=dict)  # slot -> deviations, of outliers
    silent: dict[Kind, float] = field(default_factory=dict)  # rules that so large a share breaks

    def notices(self) -> list[str]:
        """What a person should be told of the rules themselves."""
        return [
            f"rule {kind.replace(' ', '_')!r} was not applied: {share:.0%} of the pictures break it, which says "
            "more about the set than about them"
            for kind, share in self.silent.items()
        ]


@dataclass(frozen=True)
class _Limit:
    """One rule on one measure."""

    kind: Kind
    measure: str
    unit: str
    most: bool = False  # the number is the most allowed; else the least
    among_photographs: bool = False

    @property
    def field(self) -> str:
        return self.kind.replace(" ", "_")

    def flawed(self, values: Float32[np.ndarray, " n"], number: float) -> Bool[np.ndarray, " n"]:
        flawed: np.ndarray = values > number if self.most else values < number
        return flawed

    def tell(self, value: float, number: float) -> str:
        return f"{self.unit} {value:.3g}, {'at most' if self.most else 'at least'} {number:g}"


LIMITS = (
    _Limit("too small", "scale", "source pixels for one stored"),
    _Limit("odd aspect", "aspect", "long side over short side", most=True),
    _Limit("dark", "highlight", "lightest parts have level"),
    _Limit("uniform", "contrast", "levels from dark to light:"),
    _Limit("blurred", "sharpness", "sharpness"),
    _Limit("text", "text", "likeness to text", most=True, among_photographs=True),
    _Limit("drawn", "flatness", "flatness", most=True, among_photographs=True),
)


def judge(home: Path, arrays: Arrays, rules: Rules, extract: Extract | None) -> Verdicts:
    """Writes status.npy anew by these rules, and returns what else there is to tell.

    Args:
        home: the set's folder.
        arrays: all of its slots.
        rules: those that are None or false are off.
        extract: features of pictures; without it the rule on outliers is off.
    """
    status = np.load(home / "status.npy", mmap_mode="r+")
    for chunk in _chunks(len(status)):
        block = status[chunk]
        block[block > code("no subject")] = KEPT
    verdicts = Verdicts()
    if rules.duplicate:
        _judge_copies(status, arrays, verdicts)
    _judge_singly(status, arrays.measures, rules, verdicts)
    if rules.near_duplicate is not None:
        _judge_likeness(status, arrays, rules.near_duplicate, verdicts)
    if rules.outlier is not None and extract is not None:
        features = features_of(home, arrays, extract)
        distances = outlyingness(features, status == KEPT)
        far = np.flatnonzero((status == KEPT) & (distances > rules.outlier))
        status[far] = code("outlier")
        verdicts.distances.update(zip(far.tolist(), distances[far].tolist(), strict=True))
    status.flush()
    return verdicts


def write_manifest(home: Path, arrays: Arrays, rules: Rules, verdicts: Verdicts) -> Counter[str]:
    """Writes pictures.jsonl with each slot's final reason, whole or not at all; counts the reasons."""
    names = _names(home, {twin for twin, _ in verdicts.twins.values()})
    telling = _Telling(arrays, rules, verdicts, names)
    counts: Counter[str] = Counter()
    part = home / f".{layout.ROWS}.part"
    with part.open("w", encoding="utf-8") as file:
        for row in layout.read_rows(home / layout.FOUND):
            slot = row["slot"]
            status = int(arrays.status[slot])
            if status <= KEPT:
                row |= {"reason": None, "detail": ""}
            elif status > code("no subject"):
                reason = telling.reason(slot, layout.kind_of(status))
                row |= {"reason": reason.kind, "detail": reason.detail}
            if row["reason"] is not None:
                counts[row["reason"]] += 1
            file.write(json.dumps(row) + "\n")
        file.flush()
        os.fsync(file.fileno())
    part.replace(home / layout.ROWS)
    return counts


def _judge_singly(
    status: np.ndarray, measures: np.ndarray, rules: Rules, verdicts: Verdicts
) -> None:
    for limit in LIMITS:
        number = getattr(rules, limit.field)
        if number is None:
            continue
        values = measures[:, MEASURES.index(limit.measure)]
        if limit.among_photographs:
            if not mostly_photographs(measures, status == KEPT):
                continue
        elif (share := _share(limit, status, values, number)) > MOST_BROKEN:
            verdicts.silent[limit.kind] = share
            continue
        for chunk in _chunks(len(status)):
            block = status[chunk]
            block[(block == KEPT) & limit.flawed(values[chunk], number)] = code(limit.kind)


def _share(limit: _Limit, status: np.ndarray, values: np.ndarray, number: float) -> float:
    """The share of pictures that break a rule."""
    broken = pictures = 0
    for chunk in _chunks(len(status)):
        kept = status[chunk] == KEPT
        broken += int((kept & limit.flawed(values[chunk], number)).sum())
        pictures += int(kept.sum())
    return broken / max(1, pictures)


def _judge_copies(status: np.ndarray, arrays: Arrays, verdicts: Verdicts) -> None:
    for again, first in duplicates(arrays.keys, status == KEPT).tolist():
        # Parts of one picture share its key; only the same part of the same file is a copy.
        if np.array_equal(arrays.boxes[again], arrays.boxes[first]):
            status[again] = code("duplicate")
            verdicts.twins[again] = first, 0


def _judge_likeness(status: np.ndarray, arrays: Arrays, radius: int, verdicts: Verdicts) -> None:
    """Leaves out what looks like a picture that is kept: the larger original stays, then the sharper."""
    # What has hardly any structure has a hash of noise, if its rule was not applied.
    structured = arrays.measures[:, MEASURES.index("contrast")] >= LEAST_CONTRAST
    among = np.flatnonzero((status == KEPT) & structured)
    scale, sharpness = (
        arrays.measures[among, MEASURES.index(name)] for name in ("scale", "sharpness")
    )
    best_first = among[np.lexsort((among, -sharpness, -scale))]
    for slot, twin, bits in thin(arrays.hashes, best_first, radius).tolist():
        status[slot] = code("near duplicate")
        verdicts.twins[slot] = twin, bits


@dataclass(frozen=True)
class _Telling:
    """What the reason of a slot is put into words from."""

    arrays: Arrays
    rules: Rules
    verdicts: Verdicts
    names: Callable[[int], str]

    def reason(self, slot: int, kind: Kind) -> Reason:
        """The reason of a slot that a rule left out."""
        if kind in {"duplicate", "near duplicate"}:
            twin, bits = self.verdicts.twins[slot]
            far = f", {bits} of {8 * HASH_BYTES} bits differ" if kind == "near duplicate" else ""
            return Reason(kind, f"of {self.names(twin)}{far}")
        if kind == "outlier":
            distance = self.verdicts.distances[slot]
            most = self.rules.outlier
            return Reason(kind, f"{distance:.3g} deviations from the usual, at most {most:g}")
        limit = next(limit for limit in LIMITS if limit.kind == kind)
        value = float(self.arrays.measures[slot, MEASURES.index(limit.measure)])
        return Reason(kind, limit.tell(value, getattr(self.rules, limit.field)))


def _names(home: Path, slots: set[int]) -> Callable[[int], str]:
    """The names of some slots; beyond a million, their numbers have to do."""
    wanted = slots if len(slots) <= NAMED else set()
    found = {
        row["slot"]: printable(row["name"])
        for row in (layout.read_rows(home / layout.FOUND) if wanted else ())
        if row["slot"] in wanted
    }
    return lambda slot: found.get(slot, f"slot {slot}")


def _chunks(count: int) -> Iterator[slice]:
    for start in range(0, count, CHUNK):
        yield slice(start, min(start + CHUNK, count))
