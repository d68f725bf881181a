"""What a detector saw becomes the part to cut out: grown about its centre, square, within the picture."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from impasto.data.config import Subject
from impasto.data.crop import Box


@dataclass(frozen=True)
class Sighting:
    """A box in which a detector saw its subject, in pixels of what it looked at."""

    left: float
    top: float
    width: float
    height: float
    score: float  # the higher, the surer

    def scaled(self, factor: float) -> "Sighting":
        """The same in a picture that is so many times as large."""
        corner = self.left * factor, self.top * factor
        return Sighting(*corner, self.width * factor, self.height * factor, self.score)

    def moved(self, across: float, down: float) -> "Sighting":
        """The same in a picture of which this one was a part that began there."""
        return Sighting(self.left + across, self.top + down, self.width, self.height, self.score)


@dataclass(frozen=True)
class Part:
    """A part of a picture to be cut out, in its own pixels; one that is padded reaches over the edge."""

    box: Box
    score: float = math.nan

    @property
    def size(self) -> tuple[int, int]:
        """Width and height in pixels."""
        return self.box[2] - self.box[0], self.box[3] - self.box[1]


def parts_of(
    sightings: Sequence[Sighting], width: int, height: int, subject: Subject
) -> list[Part]:
    """The parts to cut out, the surest first; none where nothing was seen.

    Args:
        sightings: in pixels of the upright picture.
        width: of that picture, in pixels.
        height: likewise.
        subject: how far to grow, what to do at the border, and how many to keep.
    """
    surest = sorted(sightings, key=lambda seen: (-seen.score, seen.top, seen.left))
    wanted = surest[:1] if subject.boxes == "best" else surest
    return [Part(_square(seen, width, height, subject), seen.score) for seen in wanted]


def _square(seen: Sighting, width: int, height: int, subject: Subject) -> Box:
    across, down = seen.left + seen.width / 2, seen.top + seen.height / 2
    side = max(seen.width, seen.height) * subject.grow
    if subject.border == "pad":
        whole = max(1, round(side))
        left, top = round(across - whole / 2), round(down - whole / 2)
        return left, top, left + whole, top + whole
    # Clipped to the picture, it may have lost its shape: the square within it nearest to the centre.
    columns = max(0.0, across - side / 2), min(float(width), across + side / 2)
    rows = max(0.0, down - side / 2), min(float(height), down + side / 2)
    whole = max(1, math.floor(min(columns[1] - columns[0], rows[1] - rows[0])))
    left = _nearest(across, whole, columns, width)
    top = _nearest(down, whole, rows, height)
    return left, top, left + whole, top + whole


def _nearest(center: float, side: int, span: tuple[float, float], limit: int) -> int:
    """Where a stretch of this length begins that lies in the span, its middle nearest to the centre."""
    start = round(min(max(center - side / 2, span[0]), span[1] - side))
    return min(max(0, start), max(0, limit - side))
