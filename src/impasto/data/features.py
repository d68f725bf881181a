"""Features of a set's pictures, kept beside it, and how far each picture lies from all the others.

The features come from an extractor that is handed in: what computes them needs torch, this does not.
They are kept in features.npy, a row of float16 for each slot, and grow at its end like the rest.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, runtime_checkable

import numpy as np
from jaxtyping import Bool, Float16, Float32, Float64, UInt8

from impasto.data import layout
from impasto.data.layout import Arrays, Growing

NAME, FACTS = "features.npy", "features.json"
BATCH = 64  # pictures given to the extractor at a time
SAMPLE = 20_000  # pictures that the usual is learnt from
TRIMMED = 0.75  # share of the sample that the usual is fitted to in the end
CHUNK = 4096  # pictures whose distance is computed at a time
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
) -> Float64[np.ndarray, " slots"]:
    """How unlike the rest each picture is, in robust deviations: about 0 for the median, nan outside.

    The distance is Mahalanobis's in the principal directions of a sample, with what lies outside them
    as one more part. The sample is trimmed to its nearest three quarters and fitted again, lest the
    outliers themselves set the measure. The cube root of the squared distance, nearly normal for what
    is usual, is centred on its median and divided by 1.4826 times its median absolute deviation.

    Source: Wilson and Hilferty 1931 for the cube root; Rousseeuw and Van Driessen 1999 for trimming.

    Args:
        features: of all slots.
        among: the slots that are looked at.
    """
    inside = np.flatnonzero(among)
    distances = np.full(len(features), np.nan)
    if len(inside) < FEWEST:
        return distances
    sample = features[inside[:: -(-len(inside) // SAMPLE)]].astype(np.float64)
    usual = _fit(sample)
    for _ in range(2):
        far = usual.distance(sample)
        usual = _fit(sample[far <= np.quantile(far, TRIMMED)])
    for start in range(0, len(inside), CHUNK):
        slots = inside[start : start + CHUNK]
        distances[slots] = usual.distance(features[slots].astype(np.float64))
    middle = np.nanmedian(distances)
    deviation = 1.4826 * np.nanmedian(np.abs(distances - middle))
    robust: np.ndarray = (distances - middle) / max(float(deviation), 1e-12)
    return robust


@dataclass(frozen=True)
class _Usual:
    """What most of a sample looks like."""

    mean: Float64[np.ndarray, " d"]
    directions: Float64[np.ndarray, "d k"]
    spread: Float64[np.ndarray, " k"]  # variance along each direction
    rest: float  # variance outside them

    def distance(self, points: Float64[np.ndarray, "n d"]) -> Float64[np.ndarray, " n"]:
        """The cube root of the squared distance of each point."""
        centred = points - self.mean
        along = centred @ self.directions
        outside = np.maximum((centred**2).sum(axis=1) - (along**2).sum(axis=1), 0)
        squared = (along**2 / self.spread).sum(axis=1) + len(self.spread) * outside / self.rest
        root: np.ndarray = np.cbrt(squared)
        return root


def _fit(sample: Float64[np.ndarray, "n d"]) -> _Usual:
    mean = sample.mean(axis=0)
    variances, directions = np.linalg.eigh(np.cov(sample, rowvar=False))
    variances, directions = variances[::-1], directions[:, ::-1]
    count = min(DIRECTIONS, len(sample) // 4)
    # Directions without any variance, and rounding errors, must not count as unusual.
    floor = max(float(variances.sum()), 1e-12) * 1e-6
    rest = max(float(variances[count:].sum()), floor)
    return _Usual(mean, directions[:, :count], np.maximum(variances[:count], floor), rest)
