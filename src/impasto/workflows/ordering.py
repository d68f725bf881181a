"""Which pictures of a set are looked at, and in which order: by what is measured, or what was learnt."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from jaxtyping import Bool, Float32, Int8, Int32, UInt8

from impasto.data import layout
from impasto.data.looks.measures import MEASURES
from impasto.data.reasons import INVISIBLE, KINDS
from impasto.workflows.history import NOTHING

Learnt = Literal["likeliest", "unsure"]
_TITLES = {  # rising, falling
    "sharpness": ("Blurred first", "Sharp first"),
    "brightness": ("Dark first", "Bright first"),
    "highlight": ("Dim lights first", "Bright lights first"),
    "contrast": ("Low contrast first", "High contrast first"),
    "text": ("Least like text first", "Most like text first"),
    "flatness": ("Least like a drawing first", "Most like a drawing first"),
    "scale": ("Smallest originals first", "Largest originals first"),
    "aspect": ("Squarest originals first", "Longest originals first"),
    "score": ("Least certain subject first", "Most certain subject first"),
}


@dataclass(frozen=True)
class Sort:
    """One order of pictures."""

    title: str
    measure: str | None = None
    learnt: Learnt | None = None
    falling: bool = False


def _sorts() -> dict[str, Sort]:
    sorts = {"source": Sort("As in the source")}
    for name in MEASURES:
        rising, falling = _TITLES.get(name, (f"Low {name} first", f"High {name} first"))
        sorts[f"{name}-up"] = Sort(rising, measure=name)
        sorts[f"{name}-down"] = Sort(falling, measure=name, falling=True)
    sorts["likeliest"] = Sort("Likeliest to be rejected first", learnt="likeliest", falling=True)
    sorts["unsure"] = Sort("Least sure first", learnt="unsure")
    return sorts


SORTS = _sorts()
FILTERS: dict[str, str] = {
    "kept": "Kept",
    "rejected": "Rejected",
    "all": "All",
    "by-hand": "Decided by you",
    "undecided": "Not decided by you",
    "new": "Kept, not looked at yet",
    **{str(kind): kind.capitalize() for kind in KINDS if kind not in INVISIBLE},
}


def chosen(
    name: str,
    now: UInt8[np.ndarray, " slots"],
    said: Int8[np.ndarray, " slots"],
    seen: Bool[np.ndarray, " slots"],
) -> Bool[np.ndarray, " slots"]:
    """Whether each slot passes a filter.

    Args:
        name: one of FILTERS.
        now: the status of each slot, a person's decisions put in.
        said: what a person decided.
        seen: whether a person has looked at it.
    """
    mask: np.ndarray
    visible = (now == layout.KEPT) | (now >= 2 + len(INVISIBLE))
    match name:
        case "all":
            mask = visible
        case "kept":
            mask = now == layout.KEPT
        case "rejected":
            mask = visible & (now != layout.KEPT)
        case "by-hand":
            mask = visible & (said != NOTHING)
        case "undecided":
            mask = visible & (said == NOTHING)
        case "new":
            mask = (now == layout.KEPT) & (said == NOTHING) & ~seen
        case kind:
            mask = now == 2 + [str(known) for known in KINDS].index(kind)
    return mask


def ordered(
    slots: Int32[np.ndarray, " n"], keys: Float32[np.ndarray, " n"], *, falling: bool
) -> Int32[np.ndarray, " n"]:
    """The slots by their keys; those with the same key, and those without one at the end, by slot."""
    places = np.argsort(-keys if falling else keys, kind="stable")  # nan comes last
    in_order: np.ndarray = slots[places]
    return in_order
