"""A picture in tiles that fit into memory, which together are the whole: its features, and its gradient.

A tile is looked at with a margin around it, and counts only within. Features near its edge then see what they
would see in the whole; with a margin as wide as what the deepest layer sees, they are the same to the bit of
rounding. Tiles begin at multiples of 16 pixels, where the network's grid of poolings does.
"""

from collections.abc import Iterator
from dataclasses import dataclass

STRIDE = 16  # pixels to a place of the deepest layer


@dataclass(frozen=True)
class Tile:
    """A part of a picture: what counts, and what is looked at for it; in pixels, ends not included.

    Attributes:
        top, left, bottom, right: what counts.
        outer: the same four, with the margin, within the picture.
    """

    top: int
    left: int
    bottom: int
    right: int
    outer: tuple[int, int, int, int]

    def within(self, stride: int) -> tuple[slice, slice]:
        """Rows and columns that count, of features with so many pixels to a place."""
        top, left, bottom, right = self.outer
        rows, columns = (bottom - top) // stride, (right - left) // stride
        return (
            _places(self.top - top, self.bottom - top, stride, rows, last=self.bottom == bottom),
            _places(self.left - left, self.right - left, stride, columns, last=self.right == right),
        )

    def among(self, stride: int, height: int, width: int) -> tuple[slice, slice]:
        """The same rows and columns among those of the whole picture of this size."""
        return (
            _places(self.top, self.bottom, stride, height // stride, last=self.bottom == height),
            _places(self.left, self.right, stride, width // stride, last=self.right == width),
        )


def grid(
    height: int, width: int, *, side: int, margin: int, shift: tuple[int, int] = (0, 0)
) -> Iterator[Tile]:
    """Tiles that cover a picture once.

    Args:
        height: of the picture, in pixels.
        width: of the picture, in pixels.
        side: of what counts in a tile, a multiple of 16.
        margin: around it, a multiple of 16.
        shift: how far the grid is moved up and left, multiples of 16 below `side`.
    """
    for top, bottom in _spans(height, side, shift[0]):
        for left, right in _spans(width, side, shift[1]):
            outer = (
                max(0, top - margin),
                max(0, left - margin),
                min(height, bottom + margin),
                min(width, right + margin),
            )
            yield Tile(top, left, bottom, right, outer)


def _spans(length: int, side: int, shift: int) -> Iterator[tuple[int, int]]:
    """Stretches of `side` from -shift on, cut to the picture; a last one of less than a place joins its neighbour."""
    starts = [start for start in range(-shift, length, side) if length - max(start, 0) >= STRIDE]
    for start, end in zip(starts, [*starts[1:], length], strict=True):
        if end > 0:
            yield max(start, 0), end


def _places(start: int, end: int, stride: int, count: int, *, last: bool) -> slice:
    """Places for a stretch of pixels; the last stretch has what the poolings left of the rest."""
    return slice(start // stride, count if last else end // stride)
