"""Features of unit length: what a picture shows, without how strongly."""

import numpy as np
from jaxtyping import Float, Float64

NOTHING = 1e-12  # length below which features have no direction


def directions(features: Float[np.ndarray, "n d"]) -> Float64[np.ndarray, "n d"]:
    """The features in double precision, each divided by its length; zeros stay."""
    wide = features.astype(np.float64)
    wide /= np.maximum(np.linalg.norm(wide, axis=1, keepdims=True), NOTHING)
    return wide
