"""Which pictures are thrown out: a rule for each kind of flaw, its number, and why that number.

None, or false, switches a rule off. Nothing is thrown out unless asked for: `Rules()` has all rules
off, and `STANDARD` is what `impasto prepare` uses. Pictures are never deleted; a rejected one stays in
the set with its reason, and a person can restore it.
"""

from typing import Annotated

from pydantic import Field, NonNegativeFloat

from impasto.config import configuration, from_plain, to_plain
from impasto.errors import ConfigError, nearest


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


def rules_of(words: tuple[str, ...]) -> Rules:
    """The usual rules with these changes, such as `blurred=off dark=12`; `off` alone for no rules.

    Raises:
        ConfigError: a rule that there is not, or a number that it cannot take.
    """
    if words == ("off",):
        return Rules()
    plain = to_plain(STANDARD)
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
