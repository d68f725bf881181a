"""Directions among latents along which one attribute changes, and the others as little as can be.

Codes of real pictures carry labels of many attributes at once: what each does to a code is found together with the
others, so that what only goes along with it is not taken for it. A picture is then led away from what it most likely
shows now, not from the mean of all that it might show: from a seven to an eight is another way than from a three.

Latents of a GAN are independent of each other; there it is the normal of the plane that parts scores.
"""

import numpy as np
from jaxtyping import Float, Int
from sklearn.linear_model import LogisticRegression, Ridge

FEWEST = 10  # pictures with, and without, that an attribute is learnt from
PULL = 1e-3  # of each effect towards none, beside the variance of what is told


def effects(
    codes: Float[np.ndarray, "n z"], known: Float[np.ndarray, "n k"]
) -> Float[np.ndarray, "k z"]:
    """What each number that is known of a picture does to its code, the others being the same.

    Args:
        codes: of pictures.
        known: of the same pictures, as a network is told it: zeros where nothing is.

    Source: least squares of many outputs, with a small ridge.
    """
    found = Ridge(alpha=PULL * len(codes)).fit(known, codes)
    each: np.ndarray = np.asarray(found.coef_, np.float32).reshape(codes.shape[1], -1).T
    return each


def probabilities(
    codes: Float[np.ndarray, "n z"],
    values: Int[np.ndarray, " n"],
    latents: Float[np.ndarray, "m z"],
    count: int,
) -> Float[np.ndarray, "m count"]:
    """That these latents show each value of an attribute, as pictures with known values tell.

    Args:
        codes: of pictures whose values are known.
        values: theirs, two different ones at least.
        latents: of other pictures.
        count: of values that there are.
    """
    scale = codes.std(0) + 1e-6
    model = LogisticRegression(C=0.1, max_iter=500).fit(codes / scale, values)
    chances = np.zeros((len(latents), count), np.float32)
    chances[:, model.classes_] = model.predict_proba(latents / scale)
    return chances


def towards(
    value: int, means: Float[np.ndarray, "k z"], chances: Float[np.ndarray, "m k"]
) -> Float[np.ndarray, "m z"]:
    """From what each picture most likely shows if not this value, to this value.

    Args:
        value: which.
        means: of the codes that show each value, or what each does to a code.
        chances: that a picture shows each.
    """
    others = chances.astype(np.float64)
    others[:, value] = 0
    others = others / np.maximum(others.sum(1, keepdims=True), 1e-30)
    way: np.ndarray = (means[value] - others @ means).astype(np.float32)
    return way


def direction_of_score(
    latents: Float[np.ndarray, "n z"], scores: Float[np.ndarray, " n"]
) -> Float[np.ndarray, " z"]:
    """From small scores to large ones, as long as the latents above and below the middle are apart along it.

    Source: arXiv 1907.10786, section 3.
    """
    scale = latents.std(0) + 1e-6
    told = (scores - scores.mean()) / max(float(scores.std()), 1e-12)
    way = Ridge(alpha=len(latents) * 0.01).fit(latents / scale, told).coef_ * scale
    unit = way / max(float(np.linalg.norm(way)), 1e-12)
    above = scores > np.median(scores)
    apart = float((latents[above].mean(0) - latents[~above].mean(0)) @ unit)
    stretched: np.ndarray = (unit * apart).astype(np.float32)
    return stretched
