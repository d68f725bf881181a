"""Some of many, spread evenly over all of them."""

import numpy as np
from jaxtyping import Int64


def evenly(places: Int64[np.ndarray, " n"], most: int) -> Int64[np.ndarray, " m"]:
    """At most so many of the places, at equal steps, with the first and the last."""
    if len(places) <= most:
        return places
    chosen: np.ndarray = places[np.linspace(0, len(places) - 1, most).round().astype(np.int64)]
    return chosen
