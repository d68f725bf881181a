"""What a source of pictures is: items in a fixed order, each a name, labels and a payload.

A payload is whatever is cheapest to hand over: a path for a file in a folder (a worker reads it),
bytes for a member of an archive, an array for what was never encoded.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, runtime_checkable

import numpy as np
from jaxtyping import UInt8

from impasto.data.reasons import Kind


@dataclass(frozen=True)
class Drawn:
    """A picture that was made at the stored size, from an original of `width` x `height` pixels."""

    pixels: UInt8[np.ndarray, "side side c"]
    width: int
    height: int


@dataclass(frozen=True)
class Unreadable:
    """A candidate that cannot even be read, and why."""

    reason: str
    kind: Kind = "cannot be read"


Payload = Path | bytes | np.ndarray | Drawn | Unreadable


def printable(name: str) -> str:
    """A file's name on one line of any text; bytes that are not UTF-8, and line breaks, as escapes."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in name)


def tidy(name: str) -> str:
    """A name without the `./`, doubled or leading slashes and backslashes that some tools put in."""
    return "/".join(part for part in name.replace("\\", "/").split("/") if part not in {"", "."})


@dataclass(frozen=True)
class Item:
    """One candidate: its name with `/` between folders, a label per column, and what to decode."""

    name: str
    labels: tuple[int, ...]  # -1 means unknown
    payload: Payload
    numbers: tuple[float, ...] = ()  # nan means unknown


@runtime_checkable
class Source(Protocol):
    """A selected list of pictures that has not been decoded yet."""

    @property
    def name(self) -> str:
        """The source as a person would say it."""

    @property
    def credit(self) -> str | None:
        """Whom to name wherever the pictures are shown."""

    @property
    def label_names(self) -> dict[str, tuple[str, ...]]:
        """Category names by column; empty when the pictures carry no labels."""

    @property
    def number_names(self) -> tuple[str, ...]:
        """The columns of numbers; empty when the pictures carry none."""

    @property
    def notices(self) -> tuple[str, ...]:
        """What a person should know about the listing, a sentence each."""

    @property
    def encoded(self) -> bool:
        """True when decoding is work worth spreading over processes."""

    def signature(self) -> str:
        """A hash of the selected names, sizes, and times or checksums; no picture is read."""

    def __len__(self) -> int: ...

    def items(self, start: int = 0) -> Iterator[Item]:
        """The items from place `start` on, always in the same order."""
