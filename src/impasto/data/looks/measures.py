"""Numbers that tell a good picture from a bad one, taken of its stored pixels alone.

Each number answers one question a person would ask: is it blurred, dark, empty, a drawing, a page of
text? They are plain differences between neighbouring pixels, so a picture costs a fraction of a
millisecond. A number is not yet a verdict; the limits below say where the clear cases begin. They
were chosen on photographs of cats, faces and CIFAR's ten classes at 32, 64 and 128 pixels, so that
fewer than one good photograph in 500 is beyond any of them; where they had to err, they let a bad
picture through.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass, fields

import cv2
import numpy as np
from jaxtyping import Bool, Float32, Int64, UInt8

# Sharp photographs have 0.38 to 0.7. A blur of 2 pixels in 64, or enlarging four times, leaves less
# than 0.31 in 97 of 100; of 30,000 photographs one in a thousand is below, and most of those are blurred.
LEAST_SHARPNESS = 0.31
# Among photographs of black cats and faces at night the darkest has 78.
LEAST_HIGHLIGHT = 60.0
# A clear sky has 32, CIFAR's palest picture 22; one colour saved as a JPEG stays below 8.
LEAST_CONTRAST = 16.0
# Logos, plots and screenshots have 0.38 to 0.7, composed cartoons 0.27 to 0.5; of photographs only
# cut-outs on pure white or black come near.
MOST_FLATNESS = 0.35
# Pages and tables have 0.5 to 1, memes that are half text 0.42 to 0.65; photographs of fences and
# carpets, the likest to text, stay below 0.47.
MOST_TEXT = 0.48
# Drawings and text are flaws only where they are the exception.
MOST_EXCEPTIONS = 0.25

EDGE = 4  # pixels over which an edge's whole height is measured
STROKE = 8  # pixels beyond which letters have nothing to do with each other
STRONGEST = 0.005  # share of neighbouring pairs that count as the strongest edges
EQUAL = 1  # levels between neighbours that count as equal: what JPEG does to a flat area
JUMP = 20  # levels between neighbours that are an outline rather than shading

_SAMPLE = 1 << 16  # pictures looked at to judge a whole set

_LEVELS = np.arange(256)

Luma = UInt8[np.ndarray, "h w"]


@dataclass(frozen=True)
class Measures:
    """What a picture's stored pixels say about it. Levels are of 0 to 255."""

    sharpness: float  # steepness of the strongest edges: a step has 1, a ramp 0.25
    brightness: float  # mean luma
    highlight: float  # luma that one pixel in a hundred exceeds
    contrast: float  # luma between the darkest and the lightest hundredth
    flatness: float  # 0 to 1: neighbours are either equal or far apart, as in drawings
    text: float  # 0 to about 1: strokes of the same density all over half the picture

    @classmethod
    def names(cls) -> tuple[str, ...]:
        """The names of the numbers, in the order of a row."""
        return tuple(field.name for field in fields(cls))

    def row(self) -> Float32[np.ndarray, " measures"]:
        """The numbers, for an array with one row a picture."""
        return np.array([getattr(self, name) for name in _NAMES], np.float32)


_NAMES = Measures.names()

# The columns of a set's measures: those of its stored pixels, and three of how they came about.
MEASURES = (
    *_NAMES,
    "scale",  # source pixels for one stored pixel, along a side
    "aspect",  # long side of the original over its short side
    "score",  # how sure the detector was; nan without one
)


def measure(pixels: UInt8[np.ndarray, "h w c"]) -> Measures:
    """The measures of an sRGB or grey picture of at least 2 x 2 pixels."""
    grey = pixels.shape[2] == 1
    luma = (
        np.ascontiguousarray(pixels[:, :, 0]) if grey else cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY)
    )
    count = _counted(luma)
    shadow, highlight = _ranked(count, 0.01), _ranked(count, 0.99)
    return Measures(
        sharpness=sharpness(luma),
        brightness=float(count @ _LEVELS) / luma.size,
        highlight=highlight,
        contrast=highlight - shadow,
        flatness=flatness(pixels),
        text=text(luma),
    )


def sharpness(luma: Luma) -> float:
    """How much of the strongest edges' height lies between neighbouring pixels.

    Only the strongest edges count, so a sharp subject before a blurred background is sharp. Their
    height is measured four pixels apart in the same picture, so contrast and brightness cancel.
    """
    near, far = _strongest(luma, 1), _strongest(luma, EDGE)
    # The addends make a picture without edges a ramp, and keep noise from passing for an edge.
    return (near + 0.5) / (far + 2)


def flatness(pixels: UInt8[np.ndarray, "h w c"]) -> float:
    """The share of equal neighbours, times the share of all change that happens in jumps.

    A sky is flat without jumps, and fur is nothing but jumps; drawings are both.
    """
    one, other = (_counted(_largest(cv2.absdiff(*pair))) for pair in _pairs(pixels, 1))
    count = one + other
    change = count * _LEVELS
    total = count.sum()
    equal = count[: EQUAL + 1].sum() / total
    return float(equal * change[JUMP + 1 :].sum() / (change.sum() + total / 2))


def text(luma: Luma) -> float:
    """How much the picture, its upper or its lower half, looks like lines of text.

    In text, pixels beside each other differ as much as pixels far apart, and every part of the page is as
    dark as the others. In a photograph near pixels are alike, and its parts differ.
    """
    height, width = luma.shape
    if min(height, width) <= 2 * STROKE:
        return 0.0
    half = height // 2
    wide = luma.astype(np.float32)
    parts = (slice(None), slice(half), slice(half, None))
    return max(_uniform_strokes(luma[part], wide[part]) for part in parts)


def mostly_photographs(
    rows: Float32[np.ndarray, "n measures"], among: Bool[np.ndarray, " n"] | None = None
) -> bool:
    """Whether drawings and text are the exception in a set, so that they may be flaws.

    Args:
        rows: the measures of all pictures; further columns after `Measures.names()` are passed over.
        among: the pictures to look at; all if None.
    """
    looked = np.arange(len(rows)) if among is None else np.flatnonzero(among)
    if len(looked) == 0:
        return True
    picked = looked[:: -(-len(looked) // _SAMPLE)]
    names = Measures.names()
    seen = np.asarray(rows[picked])
    drawn = seen[:, names.index("flatness")] > MOST_FLATNESS
    written = seen[:, names.index("text")] > MOST_TEXT
    return bool((drawn | written).mean() < MOST_EXCEPTIONS)


def _uniform_strokes(luma: Luma, wide: Float32[np.ndarray, "h w"]) -> float:
    near, far = (_power(luma, lag) for lag in (1, STROKE))
    sixteenths = cv2.resize(wide, (4, 4), interpolation=cv2.INTER_AREA)
    evenness = 1 - _deviation(sixteenths) / (_deviation(luma) + 2)
    # The addends keep faint noise from passing for strokes.
    return math.sqrt(near / (far + 8)) * evenness


def _deviation(values: np.ndarray) -> float:
    """The standard deviation; OpenCV's, which takes a tenth of NumPy's time on so few values."""
    return float(cv2.meanStdDev(values)[1][0, 0])


def _strongest(luma: Luma, lag: int) -> float:
    """The difference across `lag` pixels that the strongest edges exceed."""
    one, other = (_counted(cv2.absdiff(*pair)) for pair in _pairs(luma, lag))
    return _ranked(one + other, 1 - STRONGEST)


def _power(luma: Luma, lag: int) -> float:
    """The mean squared difference across `lag` pixels, downwards plus sideways."""
    return sum(cv2.norm(*pair, cv2.NORM_L2SQR) / pair[0].size for pair in _pairs(luma, lag))


def _pairs(
    pixels: UInt8[np.ndarray, "h w ..."], lag: int
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """All pixels and those `lag` below them; all pixels and those `lag` beside them."""
    below, beside = min(lag, pixels.shape[0] - 1), min(lag, pixels.shape[1] - 1)
    yield pixels[below:], pixels[: len(pixels) - below]
    yield pixels[:, beside:], pixels[:, : pixels.shape[1] - beside]


def _largest(change: np.ndarray) -> np.ndarray:
    """The largest change among a pixel's channels."""
    if change.ndim == 2 or change.shape[2] == 1:
        return change
    red, green, blue = cv2.split(change)
    return np.asarray(cv2.max(cv2.max(red, green), blue))


def _counted(levels: UInt8[np.ndarray, "..."]) -> Int64[np.ndarray, " 256"]:
    """How often each level occurs."""
    return np.bincount(levels.ravel(), minlength=256)


def _ranked(count: Int64[np.ndarray, " 256"], share: float) -> float:
    """The level that this share of all is at or below."""
    heaped = np.cumsum(count)
    return float(np.searchsorted(heaped, share * (heaped[-1] - 1), side="right"))
