"""Why a candidate is left out: one of a few kinds, each with a number, and the particulars in words."""

from dataclasses import dataclass
from typing import Literal, get_args

Kind = Literal[
    # nothing to show
    "cannot be read",
    "not a picture",
    "damaged",
    "too large",
    # of the single picture
    "no subject",
    "too small",
    "odd aspect",
    "dark",
    "uniform",
    "blurred",
    "text",
    "drawn",
    # among all pictures
    "duplicate",
    "near duplicate",
    "outlier",
    # a person's own
    "by hand",
]

KINDS: tuple[Kind, ...] = get_args(Kind)
INVISIBLE: tuple[Kind, ...] = KINDS[:4]  # no pixels came of it


@dataclass(frozen=True)
class Reason:
    """Why one candidate is left out."""

    kind: Kind
    detail: str = ""

    def __str__(self) -> str:
        """The kind, and the particulars where there are any."""
        return f"{self.kind}: {self.detail}" if self.detail else self.kind
