"""Does a generator repeat its training pictures?

Each sample is asked for its nearest training picture in feature space, and so are real pictures that
nobody trained on. Where no real picture comes so close, a sample has copied. Two distances are asked,
both between directions (features of unit length):

    distance   to the nearest training picture
    relative   the same over the mean distance to the 2nd to 50th nearest: a copy painted badly lies far
               from everything, and is still told by the one picture that it singles out

and for each the share of samples below the hundredth part of the held-out pictures' own distances. If
samples were new pictures of the same kind, each share would be a hundredth; how unlikely the found one is
then, follows by counting (hypergeometric), whatever the distances are like. The verdict is the relative
distance's: samples less varied than the reals, in the midst of them, are nearer to everything, and copy nothing.

Training pictures that are there twice count once: else the twin of a copied picture would be as near as the
picture itself, and none would be singled out.

The idea of the test by held-out pictures: arXiv 2004.05675.
"""

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from jaxtyping import Float, Int64
from scipy.stats import hypergeom

from impasto.evaluation.bands import bands
from impasto.evaluation.directions import directions

EXPECTED = 0.01  # share of held-out pictures that lie below the threshold
NEIGHBOURS = 50  # the relative distance is over so many
FEWEST_HELD_OUT = 100  # below this, training pictures are asked for one another
LEAST_SHARE = 0.05  # of samples that copy, to be called memorisation
UNLIKELY = 1e-3
SAME = 1e-3  # distance below which two training pictures are one picture twice

Among = Literal["training", "real"]  # training pictures, or real ones that may or may not be those

Features = Float[np.ndarray, "n d"]
Others = Float[np.ndarray, "m d"]
Distances = Float[np.ndarray, " n"]


@dataclass(frozen=True)
class Closeness:
    """How samples lie to training pictures by one distance, beside pictures that nobody trained on."""

    share: float  # of samples closer than the threshold
    threshold: float  # the hundredth part of the reference's distances
    median: float  # of samples
    reference_median: float
    p_value: float  # of so large a share, if samples were new pictures

    @property
    def caught(self) -> bool:
        """Whether so many samples are so close that they must be copies."""
        return self.share >= LEAST_SHARE and self.p_value < UNLIKELY


@dataclass(frozen=True)
class Memorization:
    """What the nearest training pictures of samples tell.

    Attributes:
        among: what samples are asked for: pictures known to be those trained on, or any real ones.
        reference: what samples are compared with: `held-out`, or `training` pictures among themselves.
        nearest: for each sample, its nearest training picture.
        distances: and how far it is.
        order: samples, the likeliest copies first.
    """

    n_generated: int
    n_training: int
    n_reference: int
    among: Among
    reference: str
    distance: Closeness
    relative: Closeness
    nearest: Int64[np.ndarray, " n"]
    distances: Distances
    order: Int64[np.ndarray, " n"]

    @property
    def caught(self) -> bool:
        """Whether the generator repeats its training pictures."""
        return self.relative.caught

    @property
    def share(self) -> float:
        """The share of samples that single out a training picture as reals do not."""
        return self.relative.share

    def __str__(self) -> str:
        """The verdict in a sentence, with what it rests on."""
        verdict = f"repeats {self.among} pictures" if self.caught else "no sign of it"
        asked = (
            f"{self.n_reference:,} held-out pictures"
            if self.reference == "held-out"
            else f"{self.among} pictures among themselves, for too few were held out"
        )
        return (
            f"memorisation: {verdict}; of {self.n_generated:,} samples {self.relative.share:.1%} single out one of "
            f"{self.n_training:,} {self.among} pictures as reals do not, and {self.distance.share:.1%} lie closer, "
            f"where {EXPECTED:.0%} is what new pictures would ({asked})"
        )

    def to_plain(self) -> dict[str, Any]:
        """All but the arrays, for JSON."""
        plain: dict[str, Any] = {
            "memorized": self.caught,
            "closer_share": self.distance.share,
            "singled_out_share": self.relative.share,
            "expected_share": EXPECTED,
            "n_generated": self.n_generated,
            "n_training": self.n_training,
            "n_reference": self.n_reference,
            "among": self.among,
            "reference": self.reference,
        }
        for name, told in (("distance", self.distance), ("relative", self.relative)):
            plain[name] = {
                "threshold": told.threshold,
                "median": told.median,
                "reference_median": told.reference_median,
                "p_value": told.p_value,
            }
        return plain


class CopyTest:
    """Asks samples, again and again, for their nearest training pictures.

    Args:
        training: features of at least three different pictures that a generator is trained on.
        held_out: features of real pictures that it is not trained on; with too few of them, training
            pictures are asked for one another instead.
        among: whether the former are known to be those, or may be.
    """

    def __init__(self, training: Features, held_out: Others, *, among: Among = "training") -> None:
        self.among: Among = among
        self.reference = "held-out" if len(held_out) >= FEWEST_HELD_OUT else "training"
        self._count = len(training)
        everything = directions(training)
        self._kept = _distinct(everything)
        self._originals = everything[self._kept]
        alone = self.reference == "held-out"
        asked = directions(held_out) if alone else self._originals
        _, self._near, self._relative = _nearest(asked, self._originals)

    def __call__(self, generated: Features) -> Memorization:
        """What the nearest training pictures of samples tell."""
        which, near, relative = _nearest(directions(generated), self._originals)
        distance = _closeness(near, self._near)
        singled = _closeness(relative, self._relative)
        limits = max(distance.threshold, 1e-12), max(singled.threshold, 1e-12)
        return Memorization(
            n_generated=len(generated),
            n_training=self._count,
            n_reference=len(self._near),
            among=self.among,
            reference=self.reference,
            distance=distance,
            relative=singled,
            nearest=self._kept[which],
            distances=near,
            order=np.argsort(np.minimum(near / limits[0], relative / limits[1]), kind="stable"),
        )


def _closeness(found: Distances, reference: Float[np.ndarray, " m"]) -> Closeness:
    below = max(1, round(EXPECTED * len(reference)))  # of the reference, at or below the threshold
    threshold = float(np.sort(reference)[below - 1])
    closer = int((found < threshold).sum())
    # Of all distances ranked together, the first closer + below - 1 hold at most below - 1 of the reference.
    first = closer + below - 1
    likely = hypergeom.cdf(below - 1, len(found) + len(reference), len(reference), first)
    return Closeness(
        share=closer / len(found),
        threshold=threshold,
        median=float(np.median(found)),
        reference_median=float(np.median(reference)),
        p_value=float(likely) if closer else 1.0,
    )


def _distinct(everything: Features) -> Int64[np.ndarray, " k"]:
    """Which pictures are not there before, in the order that they have."""
    first = np.ones(len(everything), bool)
    for rows in bands(len(everything), len(everything)):
        earlier = everything[: rows.stop]
        squares = 2 - 2 * (everything[rows] @ earlier.T)
        before = np.arange(len(earlier)) < np.arange(rows.start, rows.stop)[:, None]
        first[rows] = ~((squares < SAME**2) & before).any(1)
    return np.flatnonzero(first)


def _nearest(of: Features, among: Others) -> tuple[Int64[np.ndarray, " n"], Distances, Distances]:
    """Which picture is nearest, its distance, and that over the mean distance to the next ones.

    Args:
        of: directions; where they are `among`, nobody is asked for itself.
        among: directions, all different.
    """
    which, near, relative = [], [], []
    themselves = of is among
    neighbours = max(1, min(NEIGHBOURS, len(among) - themselves))
    for rows in bands(len(of), len(among)):
        distances = np.sqrt(np.maximum(2 - 2 * (of[rows] @ among.T), 0.0))
        if themselves:
            np.fill_diagonal(distances[:, rows], np.inf)
        ranked = np.sort(np.partition(distances, neighbours - 1, axis=1)[:, :neighbours], axis=1)
        ranked[~np.isfinite(ranked)] = 0.0  # a picture that is alone
        first, rest = ranked[:, 0], ranked[:, 1:]
        which.append(distances.argmin(1))
        near.append(first)
        mean = rest.mean(1) if neighbours > 1 else first
        relative.append(first / np.maximum(mean, 1e-12))
    return np.concatenate(which), np.concatenate(near), np.concatenate(relative)
