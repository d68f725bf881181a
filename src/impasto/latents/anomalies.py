"""Anomalies: pictures that are unlike the normal ones: rare codes, a bad return, features that normal ones lack.

Three numbers are taken of each picture, each brought to the scale that normal pictures have of it, and the
largest parts count most; the threshold is the value that so many normal pictures, never trained on, exceed.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from jaxtyping import Bool, Float
from sklearn.metrics import average_precision_score, roc_auc_score
from torch import Tensor

PARTS = ("density", "reconstruction", "residual")
STEEP = 1.4826  # median deviations in a standard deviation


@dataclass(frozen=True)
class Normals:
    """What normal pictures are like.

    Attributes:
        middle: the median of each part.
        spread: its deviation, from the median one.
        threshold: of the score.
        rate: share of normal pictures above it.
        held_out: the scores of the pictures that all this was taken from.
    """

    middle: Float[np.ndarray, " 3"]
    spread: Float[np.ndarray, " 3"]
    threshold: float
    rate: float
    held_out: Float[np.ndarray, " n"]  # their scores

    @classmethod
    def of(cls, parts: Float[np.ndarray, "n 3"], rate: float) -> "Normals":
        """From normal pictures that were held out of training."""
        middle = np.median(parts, 0)
        spread = STEEP * np.median(np.abs(parts - middle), 0) + 1e-9
        scores = _score((parts - middle) / spread)
        return cls(middle, spread, _threshold(scores, rate), rate, scores)

    @classmethod
    def from_plain(cls, plain: Mapping[str, Any]) -> "Normals":
        """What `to_plain` told."""
        rows = (np.array(plain[name], np.float64) for name in ("middle", "spread", "held_out"))
        middle, spread, held_out = rows
        return cls(middle, spread, float(plain["threshold"]), float(plain["rate"]), held_out)

    def to_plain(self) -> dict[str, Any]:
        """As a model's header keeps it."""
        return {
            "middle": self.middle.tolist(),
            "spread": self.spread.tolist(),
            "threshold": self.threshold,
            "rate": self.rate,
            "held_out": [round(score, 4) for score in self.held_out.tolist()],
        }

    @property
    def told_rate(self) -> float:
        """The least share that so many held-out pictures can tell, or the one that was asked for."""
        return max(self.rate, 1 / (len(self.held_out) + 1))

    def at(self, rate: float) -> "Normals":
        """The same with the threshold for another share of false alarms."""
        return replace(self, threshold=_threshold(self.held_out, rate), rate=rate)

    def score(self, parts: Float[np.ndarray, "n 3"]) -> Float[np.ndarray, " n"]:
        """How odd pictures are; about 0 for normal ones."""
        return _score((parts - self.middle) / self.spread)


def _threshold(scores: Float[np.ndarray, " n"], rate: float) -> float:
    """What so many of these exceed; where they are too few to tell so small a share, what none of them does."""
    return float(np.quantile(scores, 1 - rate, method="higher"))


def _score(scaled: Float[np.ndarray, "n 3"]) -> Float[np.ndarray, " n"]:
    """The root mean square of what is above normal."""
    total: np.ndarray = np.sqrt(np.square(np.maximum(scaled, 0)).mean(1))
    return total


@dataclass(frozen=True)
class Ranking:
    """How well scores tell odd pictures from normal ones, where it is known which is which."""

    auroc: float
    average_precision: float
    found: float  # share of the odd ones above the threshold
    false_alarms: float  # share of the normal ones above it


def ranking(
    scores: Float[np.ndarray, " n"], odd: Bool[np.ndarray, " n"], threshold: float
) -> Ranking | None:
    """The ranking; None where all pictures are of one kind."""
    if odd.all() or not odd.any():
        return None
    above = scores > threshold
    return Ranking(
        float(roc_auc_score(odd, scores)),
        float(average_precision_score(odd, scores)),
        float(above[odd].mean()),
        float(above[~odd].mean()),
    )


def rarity(log_densities: Float[Tensor, " n"], dimensions: int) -> Float[np.ndarray, " n"]:
    """Minus the log-density by dimension."""
    return np.asarray((-log_densities / dimensions).double().numpy(), dtype=np.float64)
