"""Anomalies: pictures that are unlike the normal ones, by how rare their code is and how badly they come back.

Three numbers are taken of each picture, each brought to the scale that normal pictures have of it, and the
largest parts count most; the threshold is the value that so many normal pictures, never trained on, exceed.
"""

from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Bool, Float
from sklearn.metrics import average_precision_score, roc_auc_score
from torch import Tensor
from torch.nn.functional import avg_pool2d

PARTS = ("density", "reconstruction", "residual")
WINDOW = 7  # pixels on a side over which structure is compared
STEEP = 1.4826  # median deviations in a standard deviation


@dataclass(frozen=True)
class Normals:
    """What normal pictures are like.

    Attributes:
        middle: the median of each part.
        spread: its deviation, from the median one.
        threshold: of the score.
        rate: share of normal pictures above it.
        count: pictures that it was taken from.
    """

    middle: Float[np.ndarray, " 3"]
    spread: Float[np.ndarray, " 3"]
    threshold: float
    rate: float
    count: int

    @classmethod
    def of(cls, parts: Float[np.ndarray, "n 3"], rate: float) -> "Normals":
        """From normal pictures that were held out of training."""
        middle = np.median(parts, 0)
        spread = STEEP * np.median(np.abs(parts - middle), 0) + 1e-9
        scores = _score((parts - middle) / spread)
        return cls(middle, spread, float(np.quantile(scores, 1 - rate)), rate, len(parts))

    def score(self, parts: Float[np.ndarray, "n 3"]) -> Float[np.ndarray, " n"]:
        """How odd pictures are; about 0 for normal ones."""
        return _score((parts - self.middle) / self.spread)


def _score(scaled: Float[np.ndarray, "n 3"]) -> Float[np.ndarray, " n"]:
    """The root mean square of what is above normal."""
    total: np.ndarray = np.sqrt(np.square(np.maximum(scaled, 0)).mean(1))
    return total


def dissimilarity(
    images: Float[Tensor, "n c h w"], others: Float[Tensor, "n c h w"]
) -> Float[Tensor, "n h w"]:
    """How unlike the structure around each pixel is, from 0 to 2: one minus the structural similarity.

    Source: Wang et al., Image quality assessment: from error visibility to structural similarity, 2004, equation 13.
    """

    def mean(values: Float[Tensor, "n c h w"]) -> Float[Tensor, "n c h w"]:
        return avg_pool2d(values, WINDOW, 1, WINDOW // 2, count_include_pad=False)

    x, y = (images.float() + 1) / 2, (others.float() + 1) / 2
    mean_x, mean_y = mean(x), mean(y)
    variance_x = mean(x * x) - mean_x**2
    variance_y = mean(y * y) - mean_y**2
    covariance = mean(x * y) - mean_x * mean_y
    bright, rough = 0.01**2, 0.03**2
    alike = ((2 * mean_x * mean_y + bright) * (2 * covariance + rough)) / (
        (mean_x**2 + mean_y**2 + bright) * (variance_x + variance_y + rough)
    )
    told: Tensor = 1 - alike.mean(1)
    return told


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


def heat(map_: Float[Tensor, "h w"], ceiling: float) -> Float[Tensor, "h w"]:
    """Values from 0 to 1, of which 1 is as odd as `ceiling` and more."""
    return torch.clamp(map_ / max(ceiling, 1e-9), 0, 1)
