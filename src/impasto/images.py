"""Where pixels change their form: uint8 to [-1, 1] and back, grids, PNG.

This is the only module in which bytes become numbers around zero. Everything upstream of it holds
uint8 pictures `n h w c`, everything a network sees is float `n c h w` in [-1, 1].
"""

import io
import math
import os
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float, UInt8
from PIL import Image
from torch import Tensor


def to_float(images: UInt8[Tensor, "n h w c"]) -> Float[Tensor, "n c h w"]:
    """Pixels in [-1, 1]: 0 becomes -1 and 255 becomes 1. Memory stays channels-last."""
    return images.permute(0, 3, 1, 2).float().div_(127.5).sub_(1)


def to_uint8(images: Float[Tensor, "n c h w"]) -> UInt8[Tensor, "n h w c"]:
    """Pixels in 0..255, rounded; what lies outside [-1, 1] is clipped."""
    levels = images.detach().float().add(1).mul(127.5).round_().clamp_(0, 255)
    return levels.to(torch.uint8).permute(0, 2, 3, 1).contiguous()


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
    to_picture(image).save(buffer, "PNG", optimize=True)
    return buffer.getvalue()


def write_png(image: UInt8[np.ndarray, "h w c"], path: Path) -> None:
    """Writes a PNG file whole or not at all."""
    draft = path.with_name(f".{path.name}.part")
    draft.write_bytes(encode_png(image))
    os.replace(draft, path)
