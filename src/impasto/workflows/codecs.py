"""What JPEG, WebP and AVIF make of a picture: in no more bytes than another file has, and as true as it is."""

import io
from bisect import bisect_left, bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

import numpy as np
import torch
from jaxtyping import UInt8
from PIL import Image, features

from impasto.images import to_float
from impasto.losses.structure import dissimilarity
from impasto.sheets import to_picture

CODECS = {"jpeg": ("jpg", "JPEG"), "webp": ("webp", "WEBP"), "avif": ("avif", "AVIF")}
SHRUNK = (1, 2, 4, 8)  # times, for a codec may be truer to a smaller picture in as many bytes
QUALITIES = range(1, 96)

Pixels = UInt8[np.ndarray, "h w c"]


@dataclass(frozen=True)
class Rendition:
    """A picture as a codec left it.

    Attributes:
        bytes: of the file.
        psnr: peak signal over noise, in dB; infinite where nothing was lost.
        ssim: structural similarity, up to 1.
    """

    bytes: int
    psnr: float
    ssim: float


@dataclass(frozen=True)
class Rival:
    """What a codec makes of a picture that was compressed by other means.

    Attributes:
        within: the truest in no more bytes; None where it cannot be so small.
        as_true: bytes of the smallest file that is as true; None where none is.
        smallest: bytes of its smallest file.
    """

    within: Rendition | None
    as_true: int | None
    smallest: int


def rendition(size: int, image: Pixels, back: Pixels) -> Rendition:
    """How true what came back of a picture is."""
    pair = [to_float(torch.from_numpy(np.array(each[None]))) for each in (image, back)]
    return Rendition(size, _psnr(image, back), 1 - float(dissimilarity(*pair).mean()))


def rivals(image: Pixels, own: Rendition) -> Iterator[tuple[str, Rival]]:
    """What each codec that Pillow has here makes of the same picture."""
    for name, (feature, codec) in CODECS.items():
        if features.check(feature):
            yield name, _rival(image, codec, own)


def _rival(image: Pixels, codec: str, own: Rendition) -> Rival:
    sizes = [_Files(image, codec, times) for times in SHRUNK]
    fitting = [
        (files, QUALITIES[count - 1])
        for files in sizes
        if (count := bisect_right(QUALITIES, own.bytes, key=files.length))
    ]
    within = [rendition(files.length(q), image, files.back(q)) for files, q in fitting]
    as_true = [
        files.length(QUALITIES[first])
        for files in sizes
        if (first := bisect_left(QUALITIES, own.psnr, key=files.psnr)) < len(QUALITIES)
    ]
    return Rival(
        max(within, key=lambda told: told.psnr, default=None),
        min(as_true, default=None),
        min(files.length(QUALITIES[0]) for files in sizes),
    )


class _Files:
    """A codec's files of a picture that was shrunk so many times, by quality."""

    def __init__(self, image: Pixels, codec: str, times: int) -> None:
        self._image, self._picture, self._codec = image, to_picture(image), codec
        size = max(1, self._picture.width // times), max(1, self._picture.height // times)
        self._small = self._picture.resize(size, Image.Resampling.LANCZOS)
        self._content = cache(self._made)

    def length(self, quality: int) -> int:
        """Bytes."""
        return len(self._content(quality))

    def back(self, quality: int) -> Pixels:
        """What comes back, at the picture's size."""
        with Image.open(io.BytesIO(self._content(quality))) as again:
            whole = again.convert(self._picture.mode)
        whole = whole.resize(self._picture.size, Image.Resampling.BICUBIC)
        return np.asarray(whole).reshape(self._image.shape)

    def psnr(self, quality: int) -> float:
        """How true that is."""
        return _psnr(self._image, self.back(quality))

    def _made(self, quality: int) -> bytes:
        buffer = io.BytesIO()
        self._small.save(buffer, self._codec, quality=quality)
        return buffer.getvalue()


def _psnr(image: Pixels, back: Pixels) -> float:
    error = float(np.square(image.astype(np.float64) - back).mean())
    return float(10 * np.log10(255**2 / error)) if error else float("inf")
