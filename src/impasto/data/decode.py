"""From bytes to pixels, safely: any picture, or one clear reason why not.

The size is checked before anything is decoded. A JPEG is decoded at a fraction of its size when
that still leaves twice the pixels needed, and the rest is resized by Lanczos; this is several times
faster than decoding in full, and less than one level away from it.
"""

import math
import os
import stat
import struct
import warnings
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

import numpy as np
from jaxtyping import UInt8
from PIL import Image, UnidentifiedImageError

from impasto.data.archives import LARGEST_FILE
from impasto.data.color import to_resizable, to_srgb
from impasto.data.config import DataConfig
from impasto.data.crop import Box, source_box, stored_side
from impasto.data.items import Drawn, Payload, Unreadable
from impasto.errors import SourceError

LARGEST_PICTURE = 150_000_000  # pixels; larger ones are refused before decoding
FORMATS = ("JPEG", "PNG", "WEBP", "BMP", "GIF", "TIFF", "PPM", "AVIF", "JPEG2000")

# A picture is first reduced by averaging to no less than so many times the wanted size. From 500x400
# JPEGs to 64x64, 1.75 is a sixth faster than 2 and stays under 0.7 levels from resizing in full.
GAP = 1.75

_ORIENTATION = 0x0112
_TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
_BROKEN_EXIF = (OSError, SyntaxError, ValueError, TypeError, KeyError, IndexError, struct.error)


class Undecodable(SourceError):
    """A candidate that is not a picture, or not a whole one; the message is the reason."""


@dataclass(frozen=True)
class Decoded:
    """A picture at the stored size, and what it was before."""

    pixels: UInt8[np.ndarray, "side side c"]
    width: int  # of the upright original, in pixels
    height: int
    mode: str  # Pillow's name for the original's kind of pixels
    box: Box  # what was kept of the original


def decode(payload: Payload, *, config: DataConfig) -> UInt8[np.ndarray, "h w c"]:
    """The picture in sRGB or grey, cropped and resized as configured, at the stored size.

    Raises:
        Undecodable: with the reason in a few words; nothing else is raised for a bad picture.
    """
    return develop(
        payload if isinstance(payload, Drawn | np.ndarray) else read(payload), config
    ).pixels


def read(payload: Path | bytes | Unreadable) -> bytes:
    """The encoded bytes of a payload.

    Raises:
        Undecodable: the file cannot be read, or is no ordinary file.
    """
    if isinstance(payload, Unreadable):
        raise Undecodable(payload.reason)
    return payload if isinstance(payload, bytes) else _read_file(payload)


def develop(content: bytes | np.ndarray | Drawn, config: DataConfig) -> Decoded:
    """The picture and its facts.

    Raises:
        Undecodable: with the reason in a few words.
    """
    if isinstance(content, Drawn):
        box = source_box(content.width, content.height, config)
        return Decoded(content.pixels, content.width, content.height, "RGB", box)
    if isinstance(content, bytes) and not content:
        raise Undecodable("empty file")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Pillow warns of odd metadata; the pixels decide
            with _open(content) as image:
                return _develop(image, config)
    except Undecodable:
        raise
    except Image.DecompressionBombError:
        raise Undecodable(f"too large: at most {LARGEST_PICTURE:,} pixels are decoded") from None
    except UnidentifiedImageError:
        raise Undecodable(_unknown(content)) from None
    except Exception as error:  # noqa: BLE001 - hostile bytes make decoders raise nearly anything
        raise Undecodable(
            f"damaged: {' '.join(str(error).split()) or type(error).__name__}"
        ) from None


def _read_file(path: Path) -> bytes:
    try:
        # Opened without waiting, so that a pipe left in the folder cannot hold everything up.
        descriptor = os.open(
            path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
        )
        with open(descriptor, "rb") as stream:
            facts = os.fstat(descriptor)
            if not stat.S_ISREG(facts.st_mode):
                raise Undecodable("not an ordinary file")
            if facts.st_size > LARGEST_FILE:
                raise Undecodable(f"larger than {LARGEST_FILE // 2**20} MiB")
            return stream.read()
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else error
        raise Undecodable(f"cannot be read: {reason}") from None


def _open(content: bytes | np.ndarray) -> Image.Image:
    if isinstance(content, bytes):
        return Image.open(BytesIO(content), formats=FORMATS)
    return Image.fromarray(
        content[:, :, 0] if content.ndim == 3 and content.shape[2] == 1 else content
    )


def _develop(image: Image.Image, config: DataConfig) -> Decoded:
    if image.width * image.height > LARGEST_PICTURE:
        found = f"{image.width} x {image.height} pixels"
        raise Undecodable(f"too large: {found}, at most {LARGEST_PICTURE:,} are decoded")
    mode, turn = image.mode, _turn(image)
    width, height = image.size if turn is None or _keeps_sides(turn) else image.size[::-1]
    box = source_box(width, height, config)
    profile = image.info.get("icc_profile")
    shrunk = _draft(image, min(box[2] - box[0], box[3] - box[1]), config, plain=not profile)
    image.load()
    upright = to_resizable(image)
    if turn is not None:
        upright = upright.transpose(turn)
    small = _resize(upright, box, shrunk, config)
    color = to_srgb(small, profile, channels=config.channels, background=config.background)
    pixels = np.asarray(_padded(color, config))
    return Decoded(pixels.reshape(*pixels.shape[:2], config.channels), width, height, mode, box)


def _turn(image: Image.Image) -> Image.Transpose | None:
    """How to turn the picture upright. Pillow itself turns TIFF on loading."""
    if image.format is None or image.format == "TIFF":
        return None
    try:
        return _TURNS.get(image.getexif().get(_ORIENTATION, 1))
    except _BROKEN_EXIF:  # the picture itself may still be whole
        return None


def _keeps_sides(turn: Image.Transpose) -> bool:
    return turn in {_TURNS[2], _TURNS[3], _TURNS[4]}


def _draft(image: Image.Image, shortest: int, config: DataConfig, *, plain: bool) -> float:
    """The scale, 1 to 1/8, at which a JPEG will decode: at least twice the side needed is left."""
    needed = 2 * stored_side(config) / shortest
    size = math.ceil(image.width * needed), math.ceil(image.height * needed)
    width = image.width
    drafted = image.draft(
        "L" if plain and config.channels == 1 and image.mode == "RGB" else None, size
    )
    return drafted[1][2] / width if drafted else 1.0


def _resize(image: Image.Image, box: Box, shrunk: float, config: DataConfig) -> Image.Image:
    left, top, right, bottom = (edge * shrunk for edge in box)
    region = left, top, min(right, image.width), min(bottom, image.height)
    size = _size(box, config)
    return image.resize(size, Image.Resampling.LANCZOS, box=region, reducing_gap=GAP)


def _size(box: Box, config: DataConfig) -> tuple[int, int]:
    side = stored_side(config)
    if config.crop != "pad":
        return side, side
    wide, high = box[2] - box[0], box[3] - box[1]
    longest = max(wide, high)
    return max(1, round(side * wide / longest)), max(1, round(side * high / longest))


def _padded(image: Image.Image, config: DataConfig) -> Image.Image:
    side = stored_side(config)
    if image.size == (side, side):
        return image
    canvas = Image.new("RGB", (side, side), config.background).convert(image.mode)
    canvas.paste(image, ((side - image.width) // 2, (side - image.height) // 2))
    return canvas


def _unknown(content: object) -> str:
    if (
        isinstance(content, bytes)
        and content[4:8] == b"ftyp"
        and content[8:11] in {b"hei", b"hev", b"mif"}
    ):
        return "HEIC is not read; convert it to JPEG"
    return f"not a picture ({', '.join(FORMATS[:6])})"
