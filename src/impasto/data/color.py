"""Any mode that a picture file can have, brought to sRGB or grey.

It is done in two parts. Before resizing, a picture is brought to one of the few modes that can be
resized rightly: 16-bit and floating levels are scaled to 8 bits, palettes are looked up, and
colours are weighted by their opacity. After resizing, when few pixels are left, colour profiles are
applied and what is transparent is laid over the background.
"""

import functools
import io
from collections.abc import Iterator

import numpy as np
from jaxtyping import Float64, UInt8
from PIL import Image, ImageCms

_DIRECT = frozenset({"L", "RGB", "CMYK", "LAB"})
_WIDE = frozenset({"I", "F"})
_SPACES = {"L": "GRAY", "RGB": "RGB ", "CMYK": "CMYK", "LAB": "Lab "}  # a profile's space, by mode
_NEARLY = 2  # levels by which a profile may differ from sRGB and count as sRGB
_LARGEST_PROFILE = 4 * 2**20  # bytes; those of printing presses have one or two million
_STRIP = 2**22  # pixels brought to 8 bits at a time; a whole picture may be forty times as large


def to_resizable(image: Image.Image) -> Image.Image:
    """The picture in L, La, RGB, RGBa, CMYK or LAB; `a` means colours weighted by their opacity."""
    if image.mode.startswith("I;16") or image.mode in _WIDE:
        return Image.fromarray(_to_levels(image))
    if image.mode in {"LA", "La"}:
        return _weighted(image, "LA", "La")
    if image.has_transparency_data or image.mode in {"RGBA", "RGBa", "PA"}:
        return _weighted(image, "RGBA", "RGBa")
    if image.mode in _DIRECT:
        return image
    return image.convert("L" if image.mode == "1" else "RGB")


def to_srgb(
    image: Image.Image, profile: bytes | None, *, channels: int, background: str
) -> Image.Image:
    """The resized picture in RGB, or in L for one channel.

    Args:
        image: in a mode that `to_resizable` returns.
        profile: the ICC profile that came with it; one that cannot be read or does not fit is
        ignored.
        channels: 1 or 3.
        background: the colour, such as `#ffffff`, that shows through where the picture is
        transparent.
    """
    alpha = None
    if image.mode in {"La", "RGBa"}:
        straight = image.convert(image.mode.upper())
        alpha = straight.getchannel("A")
        image = straight.convert(straight.mode[:-1])
    image = _apply_profile(image, profile)
    target = "L" if channels == 1 else "RGB"
    if image.mode != target:
        image = image.convert(target)
    if alpha is None:
        return image
    below = Image.new("RGB", image.size, background).convert(target)
    below.paste(image, (0, 0), alpha)
    return below


def _strips(image: Image.Image) -> Iterator[tuple[tuple[int, int, int, int], Image.Image]]:
    """A picture in strips, each with its box: what is made of one needs little memory beside it."""
    rows = max(1, _STRIP // image.width)
    for top in range(0, image.height, rows):
        box = (0, top, image.width, min(top + rows, image.height))
        yield box, image.crop(box)


def _weighted(image: Image.Image, straight: str, weighted: str) -> Image.Image:
    whole = Image.new(weighted, image.size)
    for box, strip in _strips(image):
        whole.paste(strip.convert(straight).convert(weighted), box)
    return whole


def _to_levels(image: Image.Image) -> UInt8[np.ndarray, "h w"]:
    """Wider numbers scaled to 0..255, by the range they are meant in.

    Files of 32-bit or floating numbers do not say their range, so it is the smallest usual one that
    holds the picture: 1 (floating numbers only), 8 bits, 16 bits, and else from the smallest to the
    largest.
    """
    levels = np.empty((image.height, image.width), np.uint8)
    if image.mode.startswith("I;16"):
        for (_, top, _, bottom), strip in _strips(image):
            values = np.asarray(strip).astype(np.uint32)
            levels[top:bottom] = (values + 128) // 257
        return levels
    limits = [(float(values.min()), float(values.max())) for _, values in _numbers(image)]
    low, high = min(low for low, _ in limits), max(high for _, high in limits)
    ranges = (1, 255, 65535) if image.mode == "F" else (255, 65535)
    fitting: list[float] = [top for top in ranges if low >= 0 and high <= top]
    offset, span = (0.0, fitting[0]) if fitting else (low, high - low or 1.0)
    for (_, top, _, bottom), values in _numbers(image):
        levels[top:bottom] = np.rint((values - offset) * (255 / span))
    return levels


def _numbers(
    image: Image.Image,
) -> Iterator[tuple[tuple[int, int, int, int], Float64[np.ndarray, "h w"]]]:
    """The finite numbers of a picture in strips; what is none counts as 0."""
    for box, strip in _strips(image):
        values = np.asarray(strip).astype(np.float64)
        yield box, np.nan_to_num(values, copy=False, nan=0.0, posinf=0.0, neginf=0.0)


def _apply_profile(image: Image.Image, profile: bytes | None) -> Image.Image:
    if image.mode == "LAB" and profile is None:
        profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB")).tobytes()
    fits = profile is not None and 0 < len(profile) <= _LARGEST_PROFILE  # some are kept in memory
    transform = _transform(profile, image.mode) if profile and fits else None
    if transform is None:
        return image.convert("RGB") if image.mode == "CMYK" else image
    return ImageCms.applyTransform(image, transform) or image


@functools.lru_cache(maxsize=64)
def _transform(profile: bytes, mode: str) -> ImageCms.ImageCmsTransform | None:
    """From the profile's space to sRGB; None where nothing is to be done, or nothing can be."""
    try:
        source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        if source.profile.xcolor_space != _SPACES.get(mode):
            return None
        transform = ImageCms.buildTransform(source, ImageCms.createProfile("sRGB"), mode, "RGB")
    except (ImageCms.PyCMSError, OSError, ValueError, TypeError):
        return None
    return None if mode in {"L", "RGB"} and _changes_nothing(transform, mode) else transform


def _changes_nothing(transform: ImageCms.ImageCmsTransform, mode: str) -> bool:
    """Whether a coarse grid of all colours comes out as it went in, as with sRGB's own profile."""
    steps = np.linspace(0, 255, 9).astype(np.uint8)
    if mode == "L":
        probe = Image.fromarray(steps.reshape(1, -1))
    else:
        probe = Image.fromarray(np.stack(np.meshgrid(steps, steps, steps), -1).reshape(9, 81, 3))
    mapped = ImageCms.applyTransform(probe, transform) or probe
    difference = np.asarray(mapped).astype(int) - np.asarray(probe.convert("RGB"))
    return bool(np.abs(difference).max() <= _NEARLY)
