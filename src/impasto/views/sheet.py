"""Pictures on one sheet: real ones beside generated ones, or what was kept and what was left out."""

import math
from collections.abc import Mapping, Sequence

import numpy as np
from jaxtyping import UInt8
from PIL import Image, ImageDraw, ImageFont

from impasto.sheets import tile

COMFORTABLE = 64  # pixels; smaller pictures are enlarged to at least this
_MARGIN = 16  # pixels between the two halves
_CELL_GAP = 8  # pixels between pictures with labels
_CAPTION = 18  # pixels, the height of the letters


def beside(
    left: UInt8[np.ndarray, "n h w c"],
    right: UInt8[np.ndarray, "m h2 w2 c2"],
    titles: tuple[str, str],
) -> UInt8[np.ndarray, "sh sw sc"]:
    """One sheet with the two sets side by side, each under its title; grey only if both are.

    Args:
        left: pictures of one size, usually real ones.
        right: pictures of one size, usually generated ones.
        titles: a few words over each half.
    """
    channels = max(left.shape[3], right.shape[3])
    columns = math.ceil(math.sqrt(max(len(left), len(right))))
    halves = [
        _captioned(tile(enlarge(_channels(images, channels)), columns), title)
        for images, title in zip((left, right), titles, strict=True)
    ]
    height = max(half.shape[0] for half in halves)
    width = sum(half.shape[1] for half in halves) + _MARGIN
    sheet = np.full((height, width, channels), 255, np.uint8)
    for half, place in zip(halves, (0, width - halves[1].shape[1]), strict=True):
        sheet[: half.shape[0], place : place + half.shape[1]] = half
    return sheet


def stacked(
    groups: Mapping[str, UInt8[np.ndarray, "_ h w c"]], columns: int
) -> UInt8[np.ndarray, "sh sw c"]:
    """One sheet with the groups below one another, each under its title.

    Args:
        groups: pictures of one size by their title; at least one group of at least one picture.
        columns: pictures in a row.
    """
    blocks = [
        _captioned(tile(enlarge(images), min(columns, len(images))), title)
        for title, images in groups.items()
    ]
    width = max(block.shape[1] for block in blocks)
    padded = (
        np.pad(block, ((0, 0), (0, width - block.shape[1]), (0, 0)), constant_values=255)
        for block in blocks
    )
    return np.concatenate(list(padded))


def labelled(
    pictures: Sequence[tuple[str, UInt8[np.ndarray, "_ _ 3"]]], columns: int | None = None
) -> UInt8[np.ndarray, "sh sw 3"]:
    """One sheet with pictures of any size, each under its label, in as square an order as they make."""
    cells = [_captioned(picture, label) for label, picture in pictures]
    height, width = (max(cell.shape[axis] for cell in cells) + _CELL_GAP for axis in (0, 1))
    placed = [
        np.pad(
            cell,
            ((0, height - cell.shape[0]), (0, width - cell.shape[1]), (0, 0)),
            constant_values=255,
        )
        for cell in cells
    ]
    return tile(np.stack(placed), columns, gap=0)


def enlarge(
    images: UInt8[np.ndarray, "n h w c"], least: int = COMFORTABLE
) -> UInt8[np.ndarray, "n h2 w2 c"]:
    """The pictures, every pixel repeated a whole number of times until they are easy to see."""
    factor = max(1, math.ceil(least / min(images.shape[1:3])))
    return images.repeat(factor, axis=1).repeat(factor, axis=2)


def _channels(images: UInt8[np.ndarray, "n h w c"], count: int) -> UInt8[np.ndarray, "n h w c2"]:
    return images if images.shape[3] == count else images.repeat(count, axis=3)


def _captioned(grid: UInt8[np.ndarray, "h w c"], title: str) -> UInt8[np.ndarray, "h2 w2 c"]:
    caption = _caption(title, least=grid.shape[1])[:, :, None].repeat(grid.shape[2], axis=2)
    spare = caption.shape[1] - grid.shape[1]
    padded = np.pad(grid, ((0, 0), (0, spare), (0, 0)), constant_values=255)
    return np.concatenate([caption, padded])


def _caption(title: str, *, least: int) -> UInt8[np.ndarray, "h w"]:
    """The title in dark grey on white, as wide as its words need and at least `least` pixels."""
    font = ImageFont.load_default(_CAPTION)
    width = max(least, math.ceil(font.getlength(title)) + 8)
    strip = Image.new("L", (width, 2 * _CAPTION), 255)
    ImageDraw.Draw(strip).text((3, _CAPTION), title, fill=40, font=font, anchor="lm")
    return np.asarray(strip)
