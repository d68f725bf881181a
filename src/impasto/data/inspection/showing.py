"""The pictures of a set that are worth a look: some of all, their average, and what was left out."""

from collections.abc import Iterator

import numpy as np
from jaxtyping import Float64, Int64, UInt8

from impasto.data.inspection.census import Census
from impasto.data.inspection.facts import Shown
from impasto.data.layout import KEPT, code
from impasto.data.prepared import Prepared
from impasto.data.reasons import INVISIBLE, KINDS
from impasto.data.spread import evenly

SOME = 48  # kept pictures
EXAMPLES = 24  # pictures for each reason
PAIRS = 12  # near duplicates, each with its twin
AVERAGED = 50_000  # pictures; more would not change the average by half a level
LOOKED_AT = 2_000  # pictures that are asked for colour and framing
COLOURLESS = 1.0  # levels that the channels of a grey picture may lie apart, on average
_BYTES = 1 << 21  # of pictures held at a time
_BITS = np.array([byte.bit_count() for byte in range(256)], np.uint8)


def examples_of(status: UInt8[np.ndarray, " slots"]) -> dict[str, Int64[np.ndarray, " _"]]:
    """Some slots of each kind of reason, drawn evenly; of what was never decoded too."""
    found = {kind: np.flatnonzero(status == code(kind)) for kind in KINDS}
    return {kind: evenly(slots, EXAMPLES) for kind, slots in found.items() if len(slots)}


def show(
    prepared: Prepared,
    census: Census,
    examples: dict[str, Int64[np.ndarray, " _"]],
    twins: Int64[np.ndarray, "m 3"],
) -> Shown:
    """The pictures of some kept slots, of the examples and of the twins, and the average."""
    pixels = prepared.arrays.pixels
    kept = np.flatnonzero(census.status == KEPT)
    averaged = evenly(kept, AVERAGED)
    pairs = pixels[twins[:, :2].reshape(-1)]
    return Shown(
        some=pixels[evenly(kept, SOME)],
        mean=_mean(prepared, averaged).round().astype(np.uint8) if len(kept) else None,
        averaged=len(averaged),
        rejects={kind: pixels[slots] for kind, slots in examples.items() if kind not in INVISIBLE},
        twins=pairs.reshape(len(twins), 2, *pairs.shape[1:]),
    )


def twins_of(prepared: Prepared, census: Census) -> Int64[np.ndarray, "m 3"]:
    """Some near duplicates: the slot left out, the kept one most like it, and the bits that differ."""
    status, hashes = census.status, prepared.arrays.hashes
    kept = np.flatnonzero(status == KEPT)
    left_out = evenly(np.flatnonzero(status == code("near duplicate")), PAIRS)
    if not len(kept):
        left_out = left_out[:0]
    rows = []
    for slot in left_out.tolist():
        distances = np.concatenate(
            [
                _BITS[hashes[part] ^ hashes[slot]].sum(axis=1, dtype=np.int64)
                for part in np.array_split(kept, len(kept) // (1 << 16) + 1)
            ]
        )
        nearest = int(distances.argmin())
        rows.append((slot, int(kept[nearest]), int(distances[nearest])))
    return np.array(rows, np.int64).reshape(-1, 3)


def colour_and_framing(prepared: Prepared, census: Census) -> tuple[float, float] | None:
    """The share of kept pictures without colour, and how much of them is the same in all.

    The latter is the variance over the average picture's pixels, over the variance over pixels
    within a picture, less what an average of so few pictures would show by chance.
    """
    slots = evenly(np.flatnonzero(census.status == KEPT), LOOKED_AT)
    if not len(slots):
        return None
    mean = _mean(prepared, slots)
    common = float(((mean - mean.mean(axis=(0, 1))) ** 2).mean())
    within, grey = 0.0, 0
    for images in _batches(prepared, slots):
        wide = images.astype(np.float32)
        within += float(wide.var(axis=(1, 2)).mean(axis=1).sum())
        chroma = np.abs(wide - wide.mean(axis=3, keepdims=True)).mean(axis=(1, 2, 3))
        grey += int((chroma < COLOURLESS).sum())
    share = common / (within / len(slots)) if within else 1.0
    chance = 1 / len(slots)
    shared = max(0.0, (share - chance) / (1 - chance)) if chance < 1 else 1.0
    return round(grey / len(slots), 4), round(shared, 4)


def _mean(prepared: Prepared, slots: Int64[np.ndarray, " n"]) -> Float64[np.ndarray, "h w c"]:
    total = sum(images.sum(axis=0, dtype=np.float64) for images in _batches(prepared, slots))
    mean: np.ndarray = np.asarray(total) / len(slots)
    return mean


def _batches(
    prepared: Prepared, slots: Int64[np.ndarray, " n"]
) -> Iterator[UInt8[np.ndarray, "_ h w c"]]:
    picture = prepared.side**2 * prepared.config.channels
    for part in np.array_split(slots, len(slots) * picture // _BYTES + 1):
        yield prepared.arrays.pixels[part]
