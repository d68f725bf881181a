"""Which pictures are thrown out: a rule for each kind of flaw, its number, and why that number.

None, or false, switches a rule off. Nothing is thrown out unless asked for: `Rules()` has all rules
off, and `STANDARD` is what `impasto prepare` uses. Pictures are never deleted; a rejected one stays in
the set with its reason, and a person can restore it.
"""

from typing import Annotated

from pydantic import Field, NonNegativeFloat

from impasto.config import configuration


@configuration
class Rules:
    """The number of each rule; a picture beyond it is left out."""

    too_small: NonNegativeFloat | None = None  # least source pixels for one stored pixel
    odd_aspect: Annotated[float, Field(ge=1)] | None = None  # most long side over short side
    dark: NonNegativeFloat | None = None  # least brightness
    uniform: NonNegativeFloat | None = None  # least contrast
    blurred: NonNegativeFloat | None = None  # least sharpness
    text: NonNegativeFloat | None = None  # most likeness to text, among photographs
    drawn: NonNegativeFloat | None = None  # most flatness, among photographs
    duplicate: bool = False  # the same file again
    near_duplicate: Annotated[int, Field(ge=0, le=64)] | None = None  # bits of 256 that differ
    outlier: Annotated[float, Field(gt=0)] | None = None  # robust deviations in features


STANDARD = Rules(duplicate=True)
