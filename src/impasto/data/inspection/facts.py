"""What a look at some pictures tells: plain facts, and what they mean for training in words."""

from dataclasses import asdict, dataclass, field, fields
from typing import Any, Literal

import numpy as np
from jaxtyping import UInt8

Topic = Literal[
    "pictures",
    "resolution",
    "crop",
    "amount",
    "framing",
    "classes",
    "colour",
    "background",
    "style",
    "duplicates",
    "rejects",
    "recipe",
]
Severity = Literal["good", "note", "warning"]
SIDES = (28, 32, 64, 96, 128, 256)  # pixels; what recipes and networks are made for


@dataclass(frozen=True)
class Range:
    """The smallest, the median and the largest of some numbers."""

    smallest: int
    median: float
    largest: int


@dataclass(frozen=True)
class Sizes:
    """Widths and heights in pixels, upright; the commonest few as (width, height, pictures).

    Attributes:
        short: the shorter side of each picture, which a square is cut from.
        reached: the share of pictures whose short side is at least so long, by pixels.
        bins: how long short sides are: from, below, pictures.
    """

    width: Range
    height: Range
    commonest: tuple[tuple[int, int, int], ...]
    short: Range
    reached: dict[int, float]
    bins: tuple[tuple[int, int, int], ...]


@dataclass(frozen=True)
class Aspects:
    """Widths over heights; the commonest few, to one decimal, as (ratio, pictures).

    Attributes:
        square: the share of pictures whose long side is at most 1.05 times the short one.
        beyond_two: the share whose long side is more than twice the short one.
        beyond_three: the same for three times.
        lost: the median share of a picture that its largest square leaves out.
        bins: by shape in words, tall ones first: pictures.
    """

    smallest: float
    median: float
    largest: float
    commonest: tuple[tuple[float, int], ...]
    square: float
    beyond_two: float
    beyond_three: float
    lost: float
    bins: dict[str, int]


@dataclass(frozen=True)
class Balance:
    """How evenly pictures spread over classes.

    Attributes:
        ratio: pictures in the largest class over those in the smallest; None when that has none.
        rarest: the share of labelled pictures in the smallest class.
        effective: how many classes of equal size would be as varied: exp of the entropy.
    """

    ratio: float | None
    rarest: float
    effective: float


@dataclass(frozen=True)
class Numbers:
    """A numeric attribute; None where all of it is missing."""

    smallest: float | None
    median: float | None
    largest: float | None
    missing: int


@dataclass(frozen=True)
class Measured:
    """A measure of the pictures: the value that 5, 50 and 95 in 100 lie below, and its meaning."""

    low: float
    median: float
    high: float
    meaning: str


@dataclass(frozen=True)
class Twins:
    """Pictures left out since they look like one that is kept: how many, and the first few.

    Attributes:
        pairs: the name left out, the name kept, and the bits that differ.
    """

    count: int
    pairs: tuple[tuple[str, str, int], ...]


@dataclass(frozen=True)
class Advice:
    """One thing to do or to know, in a sentence or two, with the numbers it follows from."""

    topic: Topic
    text: str
    severity: Severity


@dataclass(frozen=True)
class Shown:
    """The pictures to look at, in stored pixels; they are no part of the JSON.

    Attributes:
        some: kept pictures, drawn evenly.
        mean: the average of kept pictures; None when nothing is kept.
        averaged: how many the average is of.
        rejects: by kind of reason, those in `examples`, in its order.
        twins: the pictures of each pair of near duplicates: left out, kept.
    """

    some: UInt8[np.ndarray, "n h w c"]
    mean: UInt8[np.ndarray, "h w c"] | None
    averaged: int
    rejects: dict[str, UInt8[np.ndarray, "_ h w c"]]
    twins: UInt8[np.ndarray, "m 2 h w c"]


@dataclass(frozen=True, kw_only=True)
class Inspection:
    """What a source holds, and what to make of it.

    Attributes:
        notices: what was worth telling while it was looked through.
        found: candidates.
        pictures: candidates that decode.
        kept: pictures that the rules leave.
        prepared: side in pixels of a set that is prepared already; None for other sources.
        modes: pictures by Pillow's name for their kind of pixels.
        grey: the share of kept pictures, of those looked at, that have no colour.
        shared: how much of what varies within kept pictures is the same in all, 0 to 1: near 0 for
            mixed poses, above 0.1 where all are framed alike.
        classes: pictures by class; empty without folders or labels.
        attributes: pictures by category, for each further column of labels.
        missing: pictures without a label, by column; columns without gaps are left out.
        numbers: the numeric columns.
        duplicates: names of files with the same content, in groups.
        rejected: files by the kind of reason that they are left out for.
        examples: by kind of reason, some of their names, each with the particulars.
        broken: name and reason of everything that does not decode.
        photographs: whether most pictures are photographs rather than drawings.
    """

    source: str
    credit: str | None
    notices: tuple[str, ...]
    found: int
    pictures: int
    kept: int
    prepared: int | None
    sizes: Sizes | None  # None, like the other facts about pictures, when nothing decodes
    aspects: Aspects | None
    modes: dict[str, int]
    grey: float | None
    shared: float | None
    classes: dict[str, int]
    balance: Balance | None
    attributes: dict[str, dict[str, int]]
    missing: dict[str, int]
    numbers: dict[str, Numbers]
    duplicates: tuple[tuple[str, ...], ...]
    near_duplicates: Twins
    rejected: dict[str, int]
    examples: dict[str, tuple[tuple[str, str], ...]]
    broken: tuple[tuple[str, str], ...]
    photographs: bool | None
    measures: dict[str, Measured]
    advice: tuple[Advice, ...] = ()
    shown: Shown | None = field(default=None, compare=False, repr=False)

    def to_plain(self) -> dict[str, Any]:
        """The same as dicts, lists, strings and numbers, ready for JSON; without the pictures."""
        told = (field.name for field in fields(self) if field.name != "shown")
        return {name: _plain(getattr(self, name)) for name in told}


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {str(name): _plain(of) for name, of in value.items()}
    if isinstance(value, tuple):
        return [_plain(of) for of in value]
    return _plain(asdict(value)) if hasattr(value, "__dataclass_fields__") else value
