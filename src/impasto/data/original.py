"""A picture as its file holds it: 8 or 16 bits, opacity and colour profile, at its own size and shape.

Training wants all pictures alike; whoever has one picture painted wants it back as it was. Colours stay in
the file's own RGB, and the profile that says what they mean goes along; a second picture is brought into
the same RGB, so that both mean the same by a number.
"""

import io
import os
import struct
import zlib
from dataclasses import dataclass, replace
from pathlib import Path

import cv2
import numpy as np
from jaxtyping import Shaped, UInt8
from PIL import Image, ImageCms

from impasto.data.color import to_resizable, to_srgb
from impasto.data.decode import Undecodable, decoding, opened, read, turn_of
from impasto.errors import ConfigError, SourceError

WRITABLE = {
    ".png": "PNG",
    ".jpg": "JPEG",
    ".jpeg": "JPEG",
    ".webp": "WEBP",
    ".tif": "TIFF",
    ".tiff": "TIFF",
}
DEEP = 65_535  # the largest level of 16 bits
QUALITY = 95  # of JPEG and WebP
_PNG = b"\x89PNG\r\n\x1a\n"
_DEPTH = 24  # the byte of a PNG that tells its bits
_HEADER = 33  # bytes of a PNG up to the end of its header
_BITS_PER_SAMPLE = 258  # the tag of a TIFF
_TURNED = {  # whether rows become columns, and the direction of rows and columns after it
    Image.Transpose.FLIP_LEFT_RIGHT: (False, 1, -1),
    Image.Transpose.FLIP_TOP_BOTTOM: (False, -1, 1),
    Image.Transpose.ROTATE_90: (True, -1, 1),
    Image.Transpose.ROTATE_180: (False, -1, -1),
    Image.Transpose.ROTATE_270: (True, 1, -1),
    Image.Transpose.TRANSPOSE: (True, 1, 1),
    Image.Transpose.TRANSVERSE: (True, -1, -1),
}


@dataclass(frozen=True)
class Original:
    """A picture in the RGB of its file.

    Attributes:
        levels: uint8, or uint16 where the file has 16 bits.
        opacity: of the same kind; None where nothing is transparent.
        profile: the ICC profile that says what its colours are; None for sRGB.
    """

    levels: Shaped[np.ndarray, "h w 3"]
    opacity: Shaped[np.ndarray, "h w"] | None = None
    profile: bytes | None = None

    @property
    def largest(self) -> int:
        """The level of full light."""
        return int(np.iinfo(self.levels.dtype).max)

    @property
    def size(self) -> tuple[int, int]:
        """Width and height in pixels."""
        return self.levels.shape[1], self.levels.shape[0]


def read_original(path: Path, *, into: bytes | None = None) -> Original:
    """The picture of a file, upright.

    Args:
        path: of a picture.
        into: an ICC profile whose RGB its colours are brought into; by default they stay in the file's own.

    Raises:
        SourceError: it cannot be read or is no picture; the message names the file.
    """
    try:
        content = read(path)
        with decoding(content):
            found = _read(content)
    except Undecodable as error:
        raise SourceError(f"{path}: {error}; give a picture, such as a JPEG or a PNG") from None
    return found if into is None or into == found.profile else _into(found, into)


def write_original(original: Original, path: Path) -> None:
    """Writes the picture whole or not at all; 16 bits stay 16 bits in a PNG, and become 8 elsewhere.

    Where the format knows no transparency, what is transparent is laid over white.

    Raises:
        ConfigError: the name's ending is not that of a format that can be written.
        OSError: the disk is full or cannot be written.
    """
    kind = format_of(path)
    deep = kind == "PNG" and original.largest == DEEP
    content = _deep_png(original) if deep else _shallow(original, kind)
    draft = path.with_name(f".{path.name}.part")
    try:
        draft.write_bytes(content)
        os.replace(draft, path)
    finally:
        draft.unlink(missing_ok=True)


def format_of(path: Path) -> str:
    """The format that a name's ending stands for, as Pillow calls it.

    Raises:
        ConfigError: it stands for none that can be written.
    """
    if path.suffix.lower() not in WRITABLE:
        raise ConfigError(
            f"{path}: pictures are written as {', '.join(WRITABLE)}; choose a name that ends so"
        )
    return WRITABLE[path.suffix.lower()]


def _read(content: bytes) -> Original:
    with opened(content) as image:
        profile = image.info.get("icc_profile")
        if _is_deep(image, content):
            return _read_deep(content, image, profile)
        turn = turn_of(image)
        image.load()
        opacity = None
        if image.has_transparency_data or image.mode in {"LA", "RGBA", "PA"}:
            whole = image.convert("RGBA")
            upright, opacity = whole.convert("RGB"), whole.getchannel("A")
            profile = profile if image.mode in {"RGB", "RGBA", "P"} else None
        else:
            upright = to_resizable(image)
        if turn is not None:
            upright = upright.transpose(turn)
            opacity = opacity.transpose(turn) if opacity else None
    if upright.mode != "RGB":  # grey, of a printing press, or worse: sRGB holds it
        upright, profile = to_srgb(upright, profile, channels=3, background="#ffffff"), None
    alpha = None if opacity is None else np.asarray(opacity)
    seen = alpha is not None and bool((alpha < 255).any())
    return Original(np.asarray(upright), alpha if seen else None, profile or None)


def _is_deep(image: Image.Image, content: bytes) -> bool:
    """Whether the file has 16 bits a colour, of which Pillow would keep 8."""
    if image.format == "PNG":
        return content[_DEPTH] == 16
    if image.format == "TIFF" and hasattr(image, "tag_v2"):
        bits = image.tag_v2.get(_BITS_PER_SAMPLE, (8,))
        return set(bits) == {16} and len(bits) in {1, 3, 4}
    return False


def _read_deep(content: bytes, image: Image.Image, profile: bytes | None) -> Original:
    found = cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_UNCHANGED)
    if found is None or found.dtype != np.uint16:
        raise Undecodable("damaged", "its 16 bits a colour cannot be decoded")
    found = found[..., None] if found.ndim == 2 else found
    if found.shape[2] <= 2:
        profile = None  # of grey
        levels = np.repeat(found[..., :1], 3, 2)
        opacity = found[..., 1] if found.shape[2] == 2 else None
    else:
        levels = found[..., 2::-1]
        opacity = found[..., 3] if found.shape[2] == 4 else None
    turn = turn_of(image)
    if turn is not None:
        levels = _turned(levels, turn)
        opacity = None if opacity is None else _turned(opacity, turn)
    seen = opacity is not None and bool((opacity < DEEP).any())
    return Original(
        np.ascontiguousarray(levels), np.ascontiguousarray(opacity) if seen else None, profile
    )


def _turned(
    levels: Shaped[np.ndarray, "h w *c"], turn: Image.Transpose
) -> Shaped[np.ndarray, "h2 w2 *c"]:
    swapped, *steps = _TURNED[turn]
    whole = levels.swapaxes(0, 1) if swapped else levels
    return whole[:: steps[0], :: steps[1]]


def flattened(original: Original, channels: int) -> UInt8[np.ndarray, "h w c"]:
    """The picture in sRGB or in grey, 8 bits, over white where it is transparent.

    Args:
        original: of any depth.
        channels: 3 or 1.
    """
    image = Image.fromarray(_shallow_levels(original.levels))
    if original.opacity is not None:
        image.putalpha(Image.fromarray(_shallow_levels(original.opacity)))
        image = to_resizable(image)
    shown = to_srgb(image, original.profile, channels=channels, background="#ffffff")
    return np.asarray(shown).reshape(shown.height, shown.width, channels)


def _into(original: Original, profile: bytes) -> Original:
    """The picture in another RGB, with 8 bits; as it is where a profile cannot be used."""
    own = io.BytesIO(original.profile) if original.profile else ImageCms.createProfile("sRGB")
    image = Image.fromarray(_shallow_levels(original.levels))
    try:
        turned = ImageCms.profileToProfile(image, own, io.BytesIO(profile), outputMode="RGB")
    except (ImageCms.PyCMSError, OSError, ValueError, TypeError):
        return original
    opacity = original.opacity
    return replace(
        original,
        levels=np.asarray(turned or image),
        opacity=None if opacity is None else _shallow_levels(opacity),
        profile=profile,
    )


def _shallow_levels(levels: Shaped[np.ndarray, "h w *c"]) -> UInt8[np.ndarray, "h w *c"]:
    if levels.dtype == np.uint8:
        return levels
    return ((levels.astype(np.uint32) + 128) // 257).astype(np.uint8)


def _shallow(original: Original, kind: str) -> bytes:
    image = Image.fromarray(_shallow_levels(original.levels))
    if original.opacity is not None:
        opacity = Image.fromarray(_shallow_levels(original.opacity))
        if kind == "JPEG":
            below = Image.new("RGB", image.size, "#ffffff")
            below.paste(image, (0, 0), opacity)
            image = below
        else:
            image.putalpha(opacity)
    buffer = io.BytesIO()
    extra: dict[str, object] = {} if kind in {"PNG", "TIFF"} else {"quality": QUALITY}
    image.save(buffer, kind, icc_profile=original.profile, **extra)
    return buffer.getvalue()


def _deep_png(original: Original) -> bytes:
    """A PNG of 16 bits, which Pillow does not write, with its profile, which OpenCV does not write."""
    channels = [original.levels[..., ::-1]]
    if original.opacity is not None:
        channels.append(original.opacity[..., None])
    done, encoded = cv2.imencode(".png", np.concatenate(channels, 2))
    if not done:
        raise OSError("the picture could not be encoded as PNG")
    content = encoded.tobytes()
    if not original.profile:
        return content
    body = b"iCCP" + b"ICC\0\0" + zlib.compress(original.profile)
    chunk = struct.pack(">I", len(body) - 4) + body + struct.pack(">I", zlib.crc32(body))
    return content[:_HEADER] + chunk + content[_HEADER:]
