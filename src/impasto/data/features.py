"""Features of a set's pictures, kept beside it, and how far each picture lies from all the others.

The features come from an extractor that is handed in: what computes them needs torch, this does not.
They are kept in features.npy, a row of float16 for each slot, and grow at its end like the rest.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Protocol, runtime_checkable

import numpy as np
from jaxtyping import Bool, Float16, Float32, Float64, UInt8

from impasto.data import layout
from impasto.data.layout import Arrays, Growing

NAME, FACTS = "features.npy", "features.json"
BATCH = 64  # pictures given to the extractor at a time
SAMPLE = 20_000  # pictures that the usual is learnt from
TRIMMED = 0.75  # share of the sample that says what is usual in the end
CHUNK = 4096  # pictures whose distance is computed at a time
FEWEST = 50  # pictures below which nothing can be called unusual


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

    The distance is one minus the cosine to the mean direction of the nearest three quarters, lest the
    outliers themselves set the measure. It is centred on its median and divided by 1.4826 times its
    median absolute deviation.

    On cat faces with a few human faces, drawings or whole cats among them this told the strangers from
    the rest better than Mahalanobis's distance, which forgives whatever lies within a broad spread,
    and than the distance to neighbours, which forgives strangers that come in a group.

    Args:
        features: of all slots.
        among: the slots that are looked at.
    """
    inside = np.flatnonzero(among)
    distances = np.full(len(features), np.nan)
    if len(inside) < FEWEST:
        return distances
    sample = _directions(features[inside[:: -(-len(inside) // SAMPLE)]])
    usual = sample.mean(axis=0)
    for _ in range(2):
        far = 1 - sample @ usual / max(float(np.linalg.norm(usual)), 1e-12)
        usual = sample[far <= np.quantile(far, TRIMMED)].mean(axis=0)
    usual /= max(float(np.linalg.norm(usual)), 1e-12)
    for start in range(0, len(inside), CHUNK):
        slots = inside[start : start + CHUNK]
        distances[slots] = 1 - _directions(features[slots]) @ usual
    middle = np.nanmedian(distances)
    deviation = 1.4826 * np.nanmedian(np.abs(distances - middle))
    robust: np.ndarray = (distances - middle) / max(float(deviation), 1e-12)
    return robust


def _directions(features: Float16[np.ndarray, "n d"]) -> Float64[np.ndarray, "n d"]:
    """The features brought to length 1."""
    wide = features.astype(np.float64)
    directions: np.ndarray = wide / np.maximum(np.linalg.norm(wide, axis=1, keepdims=True), 1e-12)
    return directions
