"""Where a picture is odd: the picture, what a model made of it, and the difference in colour over it."""

import numpy as np
from jaxtyping import Float, UInt8
from matplotlib import colormaps
from PIL import Image

HOTTEST = 1.0  # unlikeness that is shown in full
LEAST = 128  # pixels on a side of each of the three


def heated(
    image: UInt8[np.ndarray, "h w c"],
    back: UInt8[np.ndarray, "h w c"],
    unlike: Float[np.ndarray, "h w"],
) -> UInt8[np.ndarray, "h2 w2 3"]:
    """The three side by side.

    Args:
        image: the picture.
        back: what came back of it.
        unlike: from 0 up, where they differ.
    """
    colour = [np.repeat(each, 3 // each.shape[2], 2) for each in (image, back)]
    share = np.clip(unlike / HOTTEST, 0, 1)[..., None]
    glow = colormaps["inferno"](share[..., 0], bytes=True)[..., :3]
    over = (colour[0].mean(2, keepdims=True) * (1 - share) + glow * share).round()
    row = np.concatenate([*colour, over.astype(np.uint8)], 1)
    factor = max(1, LEAST // image.shape[0])
    size = row.shape[1] * factor, row.shape[0] * factor
    shown: np.ndarray = np.asarray(Image.fromarray(row).resize(size, Image.Resampling.NEAREST))
    return shown
