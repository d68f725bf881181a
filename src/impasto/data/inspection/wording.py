"""How advice is worded: numbers, shares and lists as people say them."""

from typing import NamedTuple

from impasto.data.inspection.facts import Severity


class Said(NamedTuple):
    """A piece of advice on the topic at hand."""

    severity: Severity
    text: str


def percent(share: float) -> str:
    """A share as people say it: never 0% of something, nor 100% of less than all."""
    if 0 < share < 0.01:
        return "less than 1%"
    if 0.99 < share < 1:
        return "more than 99%"
    return f"{share:.0%}"


def all_are(share: float) -> str:
    """How many pictures are so, as the beginning of a sentence."""
    return "All pictures are" if share == 1 else f"{percent(share)} of the pictures are"


def listed(names: list[str], most: int = 4) -> str:
    """Names in a sentence, the last of many only counted."""
    told = names if len(names) <= most else [*names[: most - 1], f"{len(names) - most + 1:,} more"]
    return told[0] if len(told) == 1 else f"{', '.join(told[:-1])} and {told[-1]}"
