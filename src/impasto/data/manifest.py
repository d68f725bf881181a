"""The rows of a set's manifest by slot: found by where they begin, read when they are asked for."""

import json
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Int64

from impasto.data import layout
from impasto.errors import SourceError

_BLOCK = 1 << 22  # bytes looked through at a time


class Manifest:
    """pictures.jsonl, a row for each slot; memory is for eight bytes a row, however long they are."""

    def __init__(self, home: Path, slots: int) -> None:
        """Finds where the rows begin.

        Raises:
            SourceError: there are not as many rows as slots.
        """
        self._path = home / layout.ROWS
        self._starts = _starts(self._path)
        if len(self._starts) != slots + 1:
            raise SourceError(f"{self._path} does not belong to its set; prepare {home} again")

    def __getitem__(self, slot: int) -> dict[str, Any]:
        """The row of a slot."""
        start, end = self._starts[slot : slot + 2]
        with self._path.open("rb") as file:
            file.seek(start)
            row: dict[str, Any] = json.loads(file.read(end - start))
        return row


def _starts(path: Path) -> Int64[np.ndarray, " rows_and_one"]:
    """Where each row begins, and where the last one ends."""
    begun = [np.zeros(1, np.int64)]
    place = 0
    try:
        with path.open("rb") as file:
            while block := file.read(_BLOCK):
                ends = np.flatnonzero(np.frombuffer(block, np.uint8) == ord("\n"))
                begun.append(ends + (place + 1))
                place += len(block)
    except OSError as error:
        raise SourceError(f"{path} cannot be read ({error.strerror}); prepare again") from None
    return np.concatenate(begun)
