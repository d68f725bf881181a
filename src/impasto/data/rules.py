"""Which pictures are thrown out: a rule for each kind of flaw, its number, and why that number.

A rule that most pictures of a set break is not applied: it says more about the set than about them.

None, or false, switches a rule off. Nothing is thrown out unless asked for: `Rules()` has all rules
off, and `STANDARD` is what `impasto prepare` uses. Pictures are never deleted; a rejected one stays in
the set with its reason, and a person can restore it.
"""

from typing import Annotated

from pydantic import Field, NonNegativeFloat

from impasto.config import configuration, from_plain, to_plain
from impasto.data.looks.likeness import NEAR
from impasto.data.looks.measures import (
    LEAST_CONTRAST,
    LEAST_HIGHLIGHT,
    LEAST_SHARPNESS,
    MOST_FLATNESS,
    MOST_TEXT,
)
from impasto.errors import ConfigError, nearest


@configuration
class Rules:
    """The number of each rule; a picture beyond it is left out."""

    too_small: NonNegativeFloat | None = None  # least source pixels for one stored pixel
    odd_aspect: Annotated[float, Field(ge=1)] | None = None  # most long side over short side
    dark: NonNegativeFloat | None = None  # least luma of the lightest hundredth
    uniform: NonNegativeFloat | None = None  # least levels from darkest to lightest hundredth
    blurred: NonNegativeFloat | None = None  # least sharpness
    text: NonNegativeFloat | None = None  # most likeness to text, among photographs
    drawn: NonNegativeFloat | None = None  # most flatness, among photographs
    duplicate: bool = False  # the same file again
    near_duplicate: Annotated[int, Field(ge=0, le=2 * NEAR)] | None = None  # most bits of 144
    outlier: Annotated[float, Field(gt=0)] | None = None  # robust deviations in features


STANDARD = Rules(
    too_small=0.5,  # enlarged to more than twice its size, a picture is a blur
    odd_aspect=3.0,  # a strip: its centre says little about it
    dark=LEAST_HIGHLIGHT,
    uniform=LEAST_CONTRAST,
    blurred=LEAST_SHARPNESS,
    text=MOST_TEXT,
    drawn=MOST_FLATNESS,
    duplicate=True,
    near_duplicate=NEAR,
    outlier=6.0,  # of 708 crops of cat faces 3 are beyond it, and none of the 3 shows a face
)


def rules_of(words: tuple[str, ...], usual: Rules = STANDARD) -> Rules:
    """The usual rules with these changes, such as `blurred=off dark=12`; `off` alone for no rules.

    Raises:
        ConfigError: a rule that there is not, or a number that it cannot take.
    """
    if words == ("off",):
        return Rules()
    plain = to_plain(usual)
    for word in words:
        name, equals, text = word.partition("=")
        name = name.strip().replace("-", "_")
        if not equals:
            raise ConfigError(f"--rules {word}: expected NAME=NUMBER or NAME=off, or off alone")
        if name not in plain:
            raise ConfigError(f"--rules {word}: no rule {name!r}: {nearest(name, plain)}")
        if text.strip().lower() in {"off", "no", "none"}:
            plain[name] = False if isinstance(plain[name], bool) else None
        elif text.strip().lower() == "on":
            plain[name] = to_plain(STANDARD)[name]
        else:
            plain[name] = text.strip()
    return from_plain(Rules, plain, where="--rules")
