"""uint8 pictures on one sheet, and as PNG files. No torch here: preparing pictures needs none."""

import io
import math
import os
from pathlib import Path

import numpy as np
from jaxtyping import UInt8
from PIL import Image


def tile(
    images: UInt8[np.ndarray, "n h w c"], columns: int | None = None, *, gap: int = 2
) -> UInt8[np.ndarray, "gh gw c"]:
    """The pictures on one sheet, row by row, with a white gap between them.

    Args:
        images: pictures of one size.
        columns: pictures in a row; as square a sheet as they make by default.
        gap: pixels between neighbours and around the edge.
    """
    count, height, width, channels = images.shape
    columns = columns or max(1, math.ceil(math.sqrt(count)))
    rows = math.ceil(count / columns)
    sheet = np.full(
        (rows * (height + gap) + gap, columns * (width + gap) + gap, channels), 255, np.uint8
    )
    for index, image in enumerate(images):
        top = gap + (index // columns) * (height + gap)
        left = gap + (index % columns) * (width + gap)
        sheet[top : top + height, left : left + width] = image
    return sheet


def to_picture(image: UInt8[np.ndarray, "h w c"]) -> Image.Image:
    """The picture as Pillow's, grey or RGB."""
    return Image.fromarray(image[:, :, 0] if image.shape[2] == 1 else image)


def encode_png(image: UInt8[np.ndarray, "h w c"]) -> bytes:
    """The picture as the bytes of a PNG file."""
    buffer = io.BytesIO()
    to_picture(image).save(buffer, "PNG", compress_level=4)  # half the time of 6, 2% larger
    return buffer.getvalue()


def write_png(image: UInt8[np.ndarray, "h w c"], path: Path) -> None:
    """Writes a PNG file whole or not at all."""
    draft = path.with_name(f".{path.name}.part")
    draft.write_bytes(encode_png(image))
    os.replace(draft, path)
