"""Where a picture is cut: boxes in source pixels, and the random resized crop of training time.

For `crop="random"` a picture is stored with a margin: cut about its centre to an aspect between 0.9
and 1.1, then squashed to a square somewhat larger than needed. The box keeps the true aspect, so
that a crop can be drawn in the picture's own pixels later.
"""

import math

import numpy as np
from jaxtyping import Float, Float64, UInt8
from PIL import Image

from impasto.data.config import DataConfig

Box = tuple[int, int, int, int]  # left, top, right, bottom

MARGIN = 1.125  # stored side over final side when the crop is drawn at training time
AREA = (0.9, 1.0)  # of the stored box, for a random crop
RATIO = (0.9, 1.1)  # width over height, for a random crop
TRIES = 10  # draws of area and ratio until one fits


def stored_side(config: DataConfig) -> int:
    """The side in pixels at which pictures are stored."""
    return round(config.size * MARGIN) if config.crop == "random" else config.size


def source_box(width: int, height: int, config: DataConfig) -> Box:
    """The centred part of a picture, in its own pixels, that is kept."""
    longest = config.crop_pixels or max(width, height)
    wide, high = min(width, longest), min(height, longest)
    if config.crop == "center":
        wide = high = min(wide, high)
    elif config.crop == "random":
        wide, high = min(wide, math.floor(high * RATIO[1])), min(high, math.floor(wide / RATIO[0]))
    wide, high = max(1, wide), max(1, high)
    left, top = (width - wide) // 2, (height - high) // 2
    return left, top, left + wide, top + high


def centered(box: Box, side: int) -> tuple[float, float, float, float]:
    """The largest centred square of the picture, as a box in its squashed and stored pixels."""
    wide, high = box[2] - box[0], box[3] - box[1]
    shortest = min(wide, high)
    across, down = side * shortest / wide, side * shortest / high
    return (side - across) / 2, (side - down) / 2, (side + across) / 2, (side + down) / 2


def random_boxes(
    wide: Float64[np.ndarray, " n"],
    high: Float64[np.ndarray, " n"],
    shapes: Float[np.ndarray, "n tries 2"],
    places: Float[np.ndarray, "n 2"],
    side: int,
) -> Float64[np.ndarray, "n 4"]:
    """Random crops as boxes in stored pixels: the first shape drawn that fits, else the square.

    Args:
        wide: true widths of the stored boxes, in source pixels.
        high: true heights.
        shapes: uniform numbers in [0, 1) for area and aspect ratio.
        places: uniform numbers in [0, 1) for left and top.
        side: of the stored pictures.
    """
    area = (AREA[0] + (AREA[1] - AREA[0]) * shapes[..., 0]) * (wide * high)[:, None]
    ratio = RATIO[0] * (RATIO[1] / RATIO[0]) ** shapes[..., 1]  # evenly on a logarithmic scale
    across, down = np.sqrt(area * ratio) / wide[:, None], np.sqrt(area / ratio) / high[:, None]
    fits = (across <= 1) & (down <= 1)
    rows, first = np.arange(len(wide)), fits.argmax(axis=1)
    any_fits = fits[rows, first]
    square = np.minimum(wide, high)
    across = np.where(any_fits, across[rows, first], square / wide)
    down = np.where(any_fits, down[rows, first], square / high)
    left = (1 - across) * np.where(any_fits, places[:, 0], 0.5)
    top = (1 - down) * np.where(any_fits, places[:, 1], 0.5)
    boxes = np.stack([left, top, left + across, top + down], axis=1)
    scaled: np.ndarray = np.clip(boxes, 0, 1) * side
    return scaled


def resample(
    picture: UInt8[np.ndarray, "h w c"], box: tuple[float, float, float, float], size: int
) -> UInt8[np.ndarray, "size size c"]:
    """The box of a stored picture, bilinearly, at `size` x `size`."""
    grey = picture.shape[2] == 1
    image = Image.fromarray(picture[:, :, 0] if grey else picture)
    resized = image.resize((size, size), Image.Resampling.BILINEAR, box=box)
    return np.asarray(resized).reshape(size, size, -1)
