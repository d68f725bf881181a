"""What a prepared set's manifest and arrays say about its originals, counted in one pass.

A manifest may have a million rows: it is read a row at a time, and what is kept of each picture is a
few numbers. Names are kept for what is broken, and later looked up for the few that are shown.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Int32, Int64, UInt8

from impasto.data import layout
from impasto.data.inspection.facts import SIDES, Aspects, Balance, Numbers, Range, Sizes
from impasto.data.layout import KEPT
from impasto.data.prepared import Prepared
from impasto.data.reasons import Reason
from impasto.data.sources.items import printable

COMMONEST = 5  # sizes and ratios that are told
_BINS = (1, 16, 24, 32, 48, 64, 96, 128, 192, 256, 384, 512, 768, 1024, 1536, 2048, 4096)  # pixels
_TALL = 1 - 1e-9  # so that 1:2 lies where 2:1 does
_SHAPES = {  # width over height up to which a shape is called so
    "taller than 3:1": _TALL / 3,
    "2:1 to 3:1, tall": _TALL / 2,
    "1.3:1 to 2:1, tall": _TALL / 1.3,
    "nearly square, tall": _TALL / 1.05,
    "square": 1.05,
    "nearly square, wide": 1.3,
    "1.3:1 to 2:1, wide": 2.0,
    "2:1 to 3:1, wide": 3.0,
    "wider than 3:1": np.inf,
}


@dataclass(frozen=True)
class Census:
    """Facts by slot, and what is told of the whole.

    Attributes:
        status: what became of each slot, as in status.npy.
        seen: slots that tell of a picture that was decoded; the first of those it was cut into.
        widths: of the upright originals, in pixels; 0 where nothing was decoded.
        heights: likewise.
    """

    status: UInt8[np.ndarray, " slots"]
    seen: Bool[np.ndarray, " slots"]
    widths: Int32[np.ndarray, " slots"]
    heights: Int32[np.ndarray, " slots"]
    modes: dict[str, int]
    broken: tuple[tuple[str, str], ...]


def take_census(prepared: Prepared) -> Census:
    """The facts of a set's originals."""
    status = prepared.status()
    seen = np.zeros(len(status), bool)
    widths, heights = np.zeros((2, len(status)), np.int32)
    modes: Counter[str] = Counter()
    broken: list[tuple[str, str]] = []
    for row in layout.read_rows(prepared.path / layout.ROWS):
        slot = row["slot"]
        if layout.is_invisible(int(status[slot])):
            reason = Reason(row["reason"], row["detail"])
            broken.append((printable(row["name"]), str(reason)))
        elif row["part"] == 0:
            seen[slot] = True
            widths[slot], heights[slot] = row["width"], row["height"]
            modes[row["mode"]] += 1
    return Census(status, seen, widths, heights, dict(modes.most_common()), tuple(broken))


def name_slots(prepared: Prepared, slots: Iterable[int]) -> dict[int, tuple[str, str]]:
    """The name of each of some slots, and the particulars of why it is left out."""
    wanted = set(slots)
    rows = layout.read_rows(prepared.path / layout.ROWS) if wanted else ()
    return {
        row["slot"]: (printable(row["name"]), row["detail"])
        for row in rows
        if row["slot"] in wanted
    }


def sizes_of(census: Census) -> Sizes | None:
    """How large the originals are; None when there are none."""
    widths, heights = census.widths[census.seen], census.heights[census.seen]
    if not len(widths):
        return None
    short = np.minimum(widths, heights)
    sizes, counts = np.unique(widths.astype(np.int64) << 32 | heights, return_counts=True)
    first = np.argsort(-counts, kind="stable")[:COMMONEST]
    commonest = tuple(
        (int(size) >> 32, int(size) & 0xFFFFFFFF, int(count))
        for size, count in zip(sizes[first], counts[first], strict=True)
    )
    edges = [*_BINS, np.iinfo(np.int32).max]
    inside = np.histogram(short, edges)[0].tolist()
    return Sizes(
        _range(widths),
        _range(heights),
        commonest,
        short=_range(short),
        reached={side: _share(short >= side) for side in SIDES},
        bins=_trimmed(list(zip(edges[:-1], edges[1:], inside, strict=True))),
    )


def aspects_of(census: Census) -> Aspects | None:
    """How wide the originals are for their height; None when there are none."""
    widths, heights = census.widths[census.seen], census.heights[census.seen]
    if not len(widths):
        return None
    ratios = widths / heights.astype(np.float64)
    long = np.maximum(ratios, 1 / ratios)
    rounded, counts = np.unique(ratios.round(1), return_counts=True)
    first = np.argsort(-counts, kind="stable")[:COMMONEST]
    places = np.searchsorted(list(_SHAPES.values()), ratios)
    inside = np.bincount(places, minlength=len(_SHAPES)).tolist()
    return Aspects(
        smallest=round(float(ratios.min()), 3),
        median=round(float(np.median(ratios)), 3),
        largest=round(float(ratios.max()), 3),
        commonest=tuple(
            (float(ratio), int(count))
            for ratio, count in zip(rounded[first], counts[first], strict=True)
        ),
        square=_share(long <= 1.05),
        beyond_two=_share(long > 2),
        beyond_three=_share(long > 3),
        lost=round(1 - 1 / float(np.median(long)), 4),
        bins={shape: count for shape, count in zip(_SHAPES, inside, strict=True) if count},
    )


def labels_of(
    prepared: Prepared, census: Census
) -> tuple[dict[str, dict[str, int]], dict[str, int]]:
    """Pictures by category for each column of labels, and by column how many have none."""
    counts: dict[str, dict[str, int]] = {}
    missing: dict[str, int] = {}
    for column, (title, names) in enumerate(prepared.label_names.items()):
        labels = prepared.arrays.labels[:, column][census.seen]
        known = np.bincount(labels[labels >= 0], minlength=len(names)).tolist()
        counts[title] = dict(zip(names, known, strict=True))
        if unknown := int((labels < 0).sum()):
            missing[title] = unknown
    return counts, missing


def balance_of(classes: dict[str, int]) -> Balance | None:
    """How evenly pictures spread over classes; None with fewer than two."""
    counts = np.array(list(classes.values()), np.float64)
    if len(counts) < 2 or not counts.sum():
        return None
    shares = counts / counts.sum()
    filled = shares[shares > 0]
    return Balance(
        ratio=round(float(counts.max() / counts.min()), 2) if counts.min() else None,
        rarest=round(float(shares.min()), 4),
        effective=round(float(np.exp(-(filled * np.log(filled)).sum())), 2),
    )


def numbers_of(prepared: Prepared, census: Census) -> dict[str, Numbers]:
    """The numeric columns."""
    told = {}
    for column, title in enumerate(prepared.number_names):
        values = prepared.arrays.numbers[:, column][census.seen]
        known = values[~np.isnan(values)]
        ends = (
            [round(float(of(known)), 6) for of in (np.min, np.median, np.max)] if len(known) else []
        )
        smallest, median, largest = ends or (None, None, None)
        told[title] = Numbers(smallest, median, largest, len(values) - len(known))
    return told


def copies_of(prepared: Prepared, census: Census) -> list[Int64[np.ndarray, " n"]]:
    """The slots of files with the same content, in groups, as they come."""
    slots = np.flatnonzero(census.seen)
    keys = prepared.arrays.keys[slots]
    order = np.argsort(keys, kind="stable")
    starts = np.flatnonzero(np.diff(keys[order], prepend=~keys[order][:1]))
    lengths = np.diff(starts, append=len(order))
    groups = [
        slots[order[start : start + length]]
        for start, length in zip(starts[lengths > 1], lengths[lengths > 1], strict=True)
    ]
    return sorted(groups, key=lambda group: int(group[0]))


def counts_of(status: UInt8[np.ndarray, " slots"]) -> dict[str, int]:
    """Slots by the kind of reason they are left out for, the commonest first."""
    codes = np.bincount(status)
    left_out = [code for code in np.argsort(-codes, kind="stable").tolist() if code > KEPT]
    return {layout.kind_of(code): int(codes[code]) for code in left_out if codes[code]}


def _range(numbers: Int32[np.ndarray, " n"]) -> Range:
    return Range(int(numbers.min()), float(np.median(numbers)), int(numbers.max()))


def _share(which: Bool[np.ndarray, " n"]) -> float:
    return round(float(which.mean()), 4)


def _trimmed(bins: list[tuple[int, int, int]]) -> tuple[tuple[int, int, int], ...]:
    """Without the empty bins at both ends."""
    full = [place for place, (_, _, count) in enumerate(bins) if count]
    return tuple(bins[full[0] : full[-1] + 1])
