"""Numbers that tell a good picture from a bad one, taken of its stored pixels alone.

Each number answers one question a person would ask: is it blurred, dark, empty, a drawing, a page of
text? They are plain differences between neighbouring pixels, so a picture costs a fraction of a
millisecond. A number is not yet a verdict; the limits below say where the clear cases begin. They
were chosen on photographs of cats, faces and CIFAR's ten classes at 32, 64 and 128 pixels, so that
fewer than one good photograph in 500 is beyond any of them; where they had to err, they let a bad
picture through.
"""

import math
from dataclasses import astuple, dataclass, fields

import numpy as np
from jaxtyping import Bool, Float32, UInt8

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

_LUMA = np.array([0.299, 0.587, 0.114], np.float32)
_SAMPLE = 1 << 16  # pictures looked at to judge a whole set

Luma = Float32[np.ndarray, "h w"]


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
        return np.array(astuple(self), np.float32)


# The columns of a set's measures: those of its stored pixels, and three of how they came about.
MEASURES = (
    *Measures.names(),
    "scale",  # source pixels for one stored pixel, along a side
    "aspect",  # long side of the original over its short side
    "score",  # how sure the detector was; nan without one
)


def measure(pixels: UInt8[np.ndarray, "h w c"]) -> Measures:
    """The measures of an sRGB or grey picture of at least 2 x 2 pixels."""
    grey = pixels.shape[2] == 1
    luma = pixels[:, :, 0].astype(np.float32) if grey else pixels @ _LUMA
    shadow, highlight = _percentiles(luma, 1, 99)
    return Measures(
        sharpness=sharpness(luma),
        brightness=float(luma.mean()),
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
    planes = pixels.transpose(2, 0, 1).astype(
        np.int16, order="C"
    )  # planes are several times faster
    across = np.abs(planes[:, :, 1:] - planes[:, :, :-1]).max(axis=0)
    down = np.abs(planes[:, 1:] - planes[:, :-1]).max(axis=0)
    count = np.bincount(across.ravel(), minlength=256) + np.bincount(down.ravel(), minlength=256)
    change = count * np.arange(256)
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
    return max(_uniform_strokes(part) for part in (luma, luma[:half], luma[half:]))


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


def _strongest(luma: Luma, lag: int) -> float:
    """The difference across `lag` pixels that the strongest edges exceed."""
    steps = [_steps(luma, lag, axis).ravel() for axis in (0, 1)]
    absolute = np.abs(np.concatenate(steps))
    rank = len(absolute) - 1 - int(STRONGEST * len(absolute))
    return float(np.partition(absolute, rank)[rank])


def _uniform_strokes(luma: Luma) -> float:
    near, far = (sum(_power(_steps(luma, lag, axis)) for axis in (0, 1)) for lag in (1, STROKE))
    high, wide = luma.shape[0] // 4, luma.shape[1] // 4
    rows = luma[: 4 * high, : 4 * wide].reshape(4, high, -1).sum(axis=1)
    sixteenths = rows.reshape(4, 4, wide).sum(axis=2) / (high * wide)
    evenness = 1 - _deviation(sixteenths) / (_deviation(luma) + 2)
    # The addends keep faint noise from passing for strokes.
    return math.sqrt(near / (far + 8)) * evenness


def _power(values: Luma) -> float:
    return float(np.vdot(values, values)) / values.size


def _deviation(values: Luma) -> float:
    return math.sqrt(_power(values - values.mean()))


def _steps(luma: Luma, lag: int, axis: int) -> Float32[np.ndarray, "h2 w2"]:
    lag = min(lag, luma.shape[axis] - 1)
    steps: np.ndarray = luma[lag:] - luma[:-lag] if axis == 0 else luma[:, lag:] - luma[:, :-lag]
    return steps


def _percentiles(luma: Luma, low: int, high: int) -> tuple[float, float]:
    last = luma.size - 1
    ranks = round(last * low / 100), round(last * high / 100)
    ordered = np.partition(luma.ravel(), ranks)
    return float(ordered[ranks[0]]), float(ordered[ranks[1]])
