"""Features of a set's pictures, kept beside it, and how far each picture lies from all the others.

The features come from an extractor that is handed in: what computes them needs torch, this does not.
They are kept in features.npy, a row of float16 for each slot, and grow at its end like the rest.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Protocol, runtime_checkable

import numpy as np
from jaxtyping import Bool, Float, Float16, Float32, UInt8

from impasto.data import layout
from impasto.data.layout import Arrays, Growing

NAME, FACTS = "features.npy", "features.json"
BATCH = 64  # pictures given to the extractor at a time
SAMPLE = 20_000  # pictures that the usual is learnt from
FEWEST = 50  # pictures below which nothing can be called unusual
DIRECTIONS = 64  # principal directions that are told apart; the rest is one residual


@runtime_checkable
class Extract(Protocol):
    """What turns pictures into features."""

    @property
    def name(self) -> str:
        """The extractor's name."""

    @property
    def digest(self) -> str:
        """A hash of its weights and settings."""

    @property
    def dimensions(self) -> int:
        """Numbers for each picture."""

    def __call__(self, images: UInt8[np.ndarray, "n h w c"]) -> Float32[np.ndarray, "n d"]:
        """The features of pictures, independent of what else is in the batch."""


def features_of(
    home: Path,
    arrays: Arrays,
    extract: Extract,
    report: Callable[[int, int], None] | None = None,
) -> Float16[np.ndarray, "slots d"]:
    """The features of all slots, mapped; those that are not there yet are computed first.

    Args:
        home: the set's folder.
        arrays: its arrays.
        extract: features of another extractor are done anew.
        report: called with the slots done and their total.
    """
    slots = len(arrays.status)
    facts = {"extractor": extract.name, "digest": extract.digest, "dimensions": extract.dimensions}
    size = (extract.dimensions,)
    path = home / NAME
    if layout.read_json(home / FACTS) != facts:
        path.unlink(missing_ok=True)
        layout.write_json(home / FACTS, facts)
    growing = Growing(path, np.dtype(np.float16), size, slots=_done(path, slots, size))
    try:
        while growing.slots < slots:
            batch = np.arange(growing.slots, min(growing.slots + BATCH, slots))
            growing.append(extract(arrays.pixels[batch]))
            if report is not None:
                report(growing.slots, slots)
    finally:
        growing.close()
    features: np.ndarray = np.load(path, mmap_mode="r")
    return features


def _done(path: Path, slots: int, size: tuple[int, ...]) -> int:
    """The rows of a file that are whole; its header is of no use when it was left in a hurry."""
    if not path.exists():
        return 0
    return min(slots, layout.rows_in(path, np.dtype(np.float16), size))


def outlyingness(
    features: Float16[np.ndarray, "slots d"], among: Bool[np.ndarray, " slots"]
) -> Float[np.ndarray, " slots"]:
    """How unlike the rest each picture is, in robust deviations: about 0 for the median, nan outside.

    The distance is Mahalanobis's in the principal directions of a sample, with what lies outside them
    as one more; its logarithm is centred on the median and divided by 1.4826 times the median absolute
    deviation, so that the outliers themselves hardly matter.

    Args:
        features: of all slots.
        among: the slots that are looked at.
    """
    inside = np.flatnonzero(among)
    distances = np.full(len(features), np.nan)
    if len(inside) < FEWEST:
        return distances
    sample = inside[:: -(-len(inside) // SAMPLE)]
    known = features[sample].astype(np.float64)
    mean = known.mean(axis=0)
    variances, directions = np.linalg.eigh(np.cov(known - mean, rowvar=False))
    count = min(DIRECTIONS, len(sample) // 4)
    variances, directions = variances[::-1], directions[:, ::-1][:, :count]
    # Directions without any variance, and rounding errors, must not count as unusual.
    floor = max(float(variances.sum()), 1e-12) * 1e-6
    rest = max(float(variances[count:].sum()), floor)
    spread = np.maximum(variances[:count], floor)
    for start in range(0, len(inside), BATCH * 64):
        slots = inside[start : start + BATCH * 64]
        centred = features[slots].astype(np.float64) - mean
        along = centred @ directions
        outside = np.maximum((centred**2).sum(axis=1) - (along**2).sum(axis=1), 0)
        squared = (along**2 / spread).sum(axis=1) + len(spread) * outside / rest
        distances[slots] = np.log(np.maximum(squared, 1e-12))
    usual = np.nanmedian(distances)
    deviation = 1.4826 * np.nanmedian(np.abs(distances - usual))
    robust: np.ndarray = (distances - usual) / max(float(deviation), 1e-12)
    return robust
