"""Features of unit length: what a picture shows, without how strongly."""

import numpy as np
from jaxtyping import Float, Float64


def directions(features: Float[np.ndarray, "n d"]) -> Float64[np.ndarray, "n d"]:
    """The features in double precision, each divided by its length.

    Where all features are 0 there is no direction; such pictures get one in common, since they are alike.
    """
    wide = features.astype(np.float64)
    lengths = np.linalg.norm(wide, axis=1)
    wide[lengths == 0] = 1
    lengths[lengths == 0] = wide.shape[1] ** 0.5
    wide /= lengths[:, None]
    return wide
