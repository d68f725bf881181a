"""From bytes to pixels, safely: any picture, or one clear reason why not.

The size is checked before anything is decoded. A JPEG is decoded at a fraction of its size when
that still leaves twice the pixels needed, and the rest is resized by Lanczos; this is several times
faster than decoding in full, and less than one level away from it.
"""

import math
import os
import re
import stat
import struct
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

import numpy as np
from jaxtyping import UInt8
from PIL import Image, UnidentifiedImageError

from impasto.data.color import to_resizable, to_srgb
from impasto.data.config import DataConfig
from impasto.data.crop import Box, source_box, stored_side
from impasto.data.reasons import Kind, Reason
from impasto.data.signatures import recognize
from impasto.data.sources.archives import LARGEST_FILE
from impasto.data.sources.items import Drawn, Payload, Unreadable, printable
from impasto.data.subjects.detectors import Detector, detector_of
from impasto.data.subjects.parts import Part, parts_of
from impasto.errors import SourceError

LARGEST_PICTURE = 150_000_000  # pixels; larger ones are refused before decoding
# These decoders hold several copies of the whole picture: 16 to 20 bytes for each of its pixels, where
# others need 4 to 8. With these limits, none needs more than 2 GB.
LARGEST_COPIED = LARGEST_PICTURE // 2
_COPIED = frozenset({"WEBP", "AVIF", "JPEG2000"})
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

    def __init__(self, kind: Kind, detail: str) -> None:
        self.reason = Reason(kind, detail)
        super().__init__(str(self.reason))


@dataclass(frozen=True)
class Cut:
    """A part of a picture at the stored size."""

    pixels: UInt8[np.ndarray, "side side c"]
    box: Box  # the part, in pixels of the upright original
    score: float = math.nan  # how sure the detector was


@dataclass(frozen=True)
class Decoded:
    """The parts cut out of a picture, and what it was before."""

    cuts: tuple[Cut, ...]
    width: int  # of the upright original, in pixels
    height: int
    mode: str  # Pillow's name for the original's kind of pixels
    missing: str = ""  # the subject that was looked for in vain; the one cut shows the whole then


def decode(payload: Payload, *, config: DataConfig) -> UInt8[np.ndarray, "h w c"]:
    """The picture in sRGB or grey, cropped and resized as configured, at the stored size.

    With a subject, the part that shows it best; the whole picture where it is not found.

    Raises:
        Undecodable: with the reason in a few words; nothing else is raised for a bad picture.
    """
    content = payload if isinstance(payload, Drawn | np.ndarray) else read(payload)
    return develop(content, config).cuts[0].pixels


def read(payload: Path | bytes | Unreadable) -> bytes:
    """The encoded bytes of a payload.

    Raises:
        Undecodable: the file cannot be read, or is no ordinary file.
    """
    if isinstance(payload, Unreadable):
        raise Undecodable(payload.kind, payload.reason)
    return payload if isinstance(payload, bytes) else _read_file(payload)


def develop(content: bytes | np.ndarray | Drawn, config: DataConfig) -> Decoded:
    """The picture's parts and its facts.

    Raises:
        Undecodable: with the reason in a few words.
    """
    if isinstance(content, Drawn):
        box = source_box(content.width, content.height, config)
        return Decoded((Cut(content.pixels, box),), content.width, content.height, "RGB")
    if isinstance(content, bytes) and not content:
        raise Undecodable("not a picture", "empty file")
    with decoding(content if isinstance(content, bytes) else b""):
        return _develop(content, config)


@contextmanager
def decoding(content: bytes) -> Iterator[None]:
    """Whatever goes wrong in here with this file's bytes is told as one reason.

    Raises:
        Undecodable: with the reason in a few words.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Pillow warns of odd metadata; the pixels decide
            yield
    except SourceError:  # the picture's own, or the detector's, which no picture can help
        raise
    except Image.DecompressionBombError as error:  # the same, where Pillow is the first to see it
        found = re.search(r"[0-9]+", str(error))
        raise _too_large(f"{int(found[0]):,}" if found else "too many", LARGEST_PICTURE) from None
    except MemoryError:
        raise Undecodable("too large", "there is not enough memory to decode it") from None
    except UnidentifiedImageError:
        known = recognize(content, FORMATS)
        raise Undecodable(known.kind, known.detail) from None
    except Exception as error:  # noqa: BLE001 - hostile bytes make decoders raise nearly anything
        raise _failed(error) from None


def _read_file(path: Path) -> bytes:
    try:
        # Looked at first: merely opening a device may do something. Then opened without waiting, so
        # that a pipe which took the file's place cannot hold everything up.
        if not stat.S_ISREG(os.stat(path).st_mode):  # noqa: PTH116 - beside `os.open`
            raise Undecodable("cannot be read", "not an ordinary file")
        descriptor = os.open(
            path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
        )
        with open(descriptor, "rb") as stream:
            facts = os.fstat(descriptor)
            if not stat.S_ISREG(facts.st_mode):
                raise Undecodable("cannot be read", "not an ordinary file")
            if facts.st_size > LARGEST_FILE:
                raise _too_long()
            content = stream.read(LARGEST_FILE + 1)  # it may have grown since
            if len(content) > LARGEST_FILE:
                raise _too_long()
            return content
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else error
        raise Undecodable("cannot be read", str(reason)) from None


def _too_long() -> Undecodable:
    return Undecodable("too large", f"a file of more than {LARGEST_FILE // 2**20} MiB")


def opened(content: bytes | np.ndarray) -> Image.Image:
    """The picture, its header read and its size found bearable; to be called under `decoding`.

    Raises:
        Undecodable: it has too many pixels.
    """
    if not isinstance(content, bytes):
        return Image.fromarray(
            content[:, :, 0] if content.ndim == 3 and content.shape[2] == 1 else content
        )
    image = Image.open(BytesIO(content), formats=FORMATS)
    largest = LARGEST_COPIED if image.format in _COPIED else LARGEST_PICTURE
    if image.width * image.height > largest:
        raise _too_large(f"{image.width} x {image.height}", largest, image.format or "")
    return image


def _failed(error: Exception) -> Undecodable:
    """What a decoder said, in one line."""
    said = printable(" ".join(str(error).split()))
    if "MAX_TEXT_" in said:
        return Undecodable("too large", "its text or colour profile unpacks to too many bytes")
    return Undecodable("damaged", said or f"the decoder failed ({type(error).__name__})")


def _too_large(found: str, largest: int, kind: str = "") -> Undecodable:
    of_kind = f" of a {kind}" if kind in _COPIED else ""
    return Undecodable("too large", f"{found} pixels, at most {largest:,} are decoded{of_kind}")


def _develop(content: bytes | np.ndarray, config: DataConfig) -> Decoded:
    detector = detector_of(config.subject)
    with opened(content) as image:
        mode, turn = image.mode, turn_of(image)
        width, height = image.size if turn is None or _keeps_sides(turn) else image.size[::-1]
        whole = Part(source_box(width, height, config))
        if detector is None:
            return Decoded(_cut(image, turn, [whole], config), width, height, mode)
        view, whole_view = _view(image, turn, detector, config)
        scale = min(width, height) / min(view.shape[:2])
        seen = [sighting.scaled(scale) for sighting in detector.find(view)]
        parts = parts_of(seen, width, height, config.subject)
        missing = "" if parts else detector.missing
        if whole_view:
            cuts = _cut(image, turn, parts or [whole], config)
            return Decoded(cuts, width, height, mode, missing)
    with opened(content) as again:  # larger, as far as the parts need it
        return Decoded(_cut(again, turn, parts or [whole], config), width, height, mode, missing)


def _view(
    image: Image.Image, turn: Image.Transpose | None, detector: Detector, config: DataConfig
) -> tuple[UInt8[np.ndarray, "h w c"], bool]:
    """The upright picture at the size a detector looks at, and whether it was decoded in full for it."""
    reduced = _draft(image, detector.side / min(image.size)) < 1
    upright = _upright(image, turn)
    scale = min(1.0, detector.side / min(upright.size))
    size = max(1, round(upright.width * scale)), max(1, round(upright.height * scale))
    if size != upright.size:
        upright = upright.resize(size, Image.Resampling.BILINEAR, reducing_gap=GAP)
    channels = detector.channels
    profile = image.info.get("icc_profile")
    view = to_srgb(upright, profile, channels=channels, background=config.background)
    return np.asarray(view).reshape(view.height, view.width, channels), not reduced


def _cut(
    image: Image.Image, turn: Image.Transpose | None, parts: list[Part], config: DataConfig
) -> tuple[Cut, ...]:
    """The parts of a picture, each at the stored size."""
    profile = image.info.get("icc_profile")
    shortest = min(min(part.size) for part in parts)
    grey = config.channels == 1 and not profile
    # Twice the side needed is left, for Lanczos to do the rest.
    shrunk = _draft(image, 2 * stored_side(config) / shortest, grey=grey)
    upright = _upright(image, turn)
    return tuple(_cut_one(upright, part, shrunk, profile, config) for part in parts)


def _cut_one(
    upright: Image.Image, part: Part, shrunk: float, profile: bytes | None, config: DataConfig
) -> Cut:
    side = stored_side(config)
    wide, high = _fitted(part.size, config)
    left, top, right, bottom = part.box
    # Where a padded part reaches over the picture's edge, only what is there is drawn.
    width, height = round(upright.width / shrunk), round(upright.height / shrunk)
    seen = max(left, 0), max(top, 0), min(right, width), min(bottom, height)
    across, down = wide / part.size[0], high / part.size[1]
    size = max(1, round((seen[2] - seen[0]) * across)), max(1, round((seen[3] - seen[1]) * down))
    small = _resize(upright, seen, shrunk, size)
    color = to_srgb(small, profile, channels=config.channels, background=config.background)
    if size != (side, side):
        place = (
            (side - wide) // 2 + round((seen[0] - left) * across),
            (side - high) // 2 + round((seen[1] - top) * down),
        )
        canvas = Image.new("RGB", (side, side), config.background).convert(color.mode)
        canvas.paste(color, place)
        color = canvas
    pixels = np.asarray(color).reshape(side, side, config.channels)
    return Cut(pixels, part.box, part.score)


def _upright(image: Image.Image, turn: Image.Transpose | None) -> Image.Image:
    image.load()
    upright = to_resizable(image)
    return upright if turn is None else upright.transpose(turn)


def turn_of(image: Image.Image) -> Image.Transpose | None:
    """How to turn the picture upright. Pillow itself turns TIFF on loading."""
    if image.format is None or image.format == "TIFF":
        return None
    try:
        return _TURNS.get(image.getexif().get(_ORIENTATION, 1))
    except _BROKEN_EXIF:  # the picture itself may still be whole
        return None


def _keeps_sides(turn: Image.Transpose) -> bool:
    return turn in {_TURNS[2], _TURNS[3], _TURNS[4]}


def _draft(image: Image.Image, share: float, *, grey: bool = False) -> float:
    """The scale, 1 to 1/8, at which a JPEG will decode: at least this share of its side is left."""
    size = math.ceil(image.width * share), math.ceil(image.height * share)
    width = image.width
    drafted = image.draft("L" if grey and image.mode == "RGB" else None, size)
    return drafted[1][2] / width if drafted else 1.0


def _resize(image: Image.Image, box: Box, shrunk: float, size: tuple[int, int]) -> Image.Image:
    left, top, right, bottom = (edge * shrunk for edge in box)
    region = left, top, min(right, image.width), min(bottom, image.height)
    return image.resize(size, Image.Resampling.LANCZOS, box=region, reducing_gap=GAP)


def _fitted(size: tuple[int, int], config: DataConfig) -> tuple[int, int]:
    """The pixels that a part of this size takes of the stored square."""
    side = stored_side(config)
    if config.crop != "pad":
        return side, side
    longest = max(size)
    return max(1, round(side * size[0] / longest)), max(1, round(side * size[1] / longest))
