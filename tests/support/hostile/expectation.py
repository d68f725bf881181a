"""What must become of a file: one of a few ends, and the group that it is counted in."""

from dataclasses import dataclass

KEPT = "kept"
BROKEN = frozenset({"not a picture", "damaged"})  # no decoder says more about bytes gone wrong
ANY = BROKEN | {KEPT, "too large"}


@dataclass(frozen=True)
class Expectation:
    """The ends that a file may come to; with none, it must not be listed at all."""

    group: str
    ends: frozenset[str]


@dataclass(frozen=True)
class Sample:
    """The content of a file, and what must become of it."""

    name: str  # without the folder, with an extension
    data: bytes
    ends: frozenset[str]


def ends(*names: str) -> frozenset[str]:
    """The ends of these names."""
    return frozenset(names)
