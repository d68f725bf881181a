"""Many small pictures as one: what a page fetches at once and cuts up again."""

import io

import numpy as np
from jaxtyping import UInt8
from PIL import Image

QUALITY = 85


def encode_sprite(pictures: UInt8[np.ndarray, "n h w c"], columns: int, side: int) -> bytes:
    """The bytes of a JPEG with the pictures row by row, without gaps; empty places are black.

    Args:
        pictures: square, of one size, at least one.
        columns: pictures in a row.
        side: of each in the sheet, in pixels; never more than they have.
    """
    count, stored, _, channels = pictures.shape
    rows = -(-count // columns)
    sheet = np.zeros((rows * columns, stored, stored, channels), np.uint8)
    sheet[:count] = pictures
    sheet = (
        sheet.reshape(rows, columns, stored, stored, channels)
        .swapaxes(1, 2)
        .reshape(rows * stored, columns * stored, channels)
    )
    image = Image.fromarray(sheet[:, :, 0] if channels == 1 else sheet)
    if side < stored:  # a box never reaches over the edge between two pictures
        image = image.resize((columns * side, rows * side), Image.Resampling.BOX)
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", quality=QUALITY, subsampling=0)
    return buffer.getvalue()
