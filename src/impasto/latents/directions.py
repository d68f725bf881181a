"""Directions among latents along which one attribute changes, and the others as little as can be."""

import numpy as np
from jaxtyping import Bool, Float
from sklearn.linear_model import LogisticRegression, Ridge

FEWEST = 10  # pictures with, and without, that an attribute is learnt from


def direction_of_mark(
    codes: Float[np.ndarray, "n z"], marked: Bool[np.ndarray, " n"]
) -> Float[np.ndarray, " z"]:
    """From pictures without a mark to pictures with it, as long as their means are apart along it.

    The normal of the plane that parts them best: what goes along with the mark only by chance is left alone.

    Source: arXiv 1907.10786, section 3.
    """
    scale = codes.std(0) + 1e-6
    model = LogisticRegression(C=0.1, max_iter=500).fit(codes / scale, marked)
    return _stretched(model.coef_[0] * scale, codes, marked)


def direction_of_number(
    codes: Float[np.ndarray, "n z"], numbers: Float[np.ndarray, " n"]
) -> Float[np.ndarray, " z"]:
    """From small numbers to large ones, two deviations of them apart."""
    scale = codes.std(0) + 1e-6
    model = Ridge(alpha=len(codes) * 0.01).fit(
        codes / scale, (numbers - numbers.mean()) / numbers.std()
    )
    return _stretched(model.coef_ * scale, codes, numbers > np.median(numbers))


def _stretched(
    way: Float[np.ndarray, " z"], codes: Float[np.ndarray, "n z"], marked: Bool[np.ndarray, " n"]
) -> Float[np.ndarray, " z"]:
    unit = way / max(float(np.linalg.norm(way)), 1e-12)
    apart = float((codes[marked].mean(0) - codes[~marked].mean(0)) @ unit)
    stretched: np.ndarray = (unit * apart).astype(np.float32)
    return stretched
