"""Large matrices, a band of rows at a time, so that memory does not grow with the square of the pictures."""

from collections.abc import Iterator

BAND = 1 << 23  # numbers in a band: 64 MB in double precision, and a few such bands exist at once


def bands(rows: int, width: int) -> Iterator[slice]:
    """The rows of a matrix of this width, in bands."""
    height = max(1, BAND // max(1, width))
    for start in range(0, rows, height):
        yield slice(start, min(start + height, rows))
