"""What a person has looked at in a review, kept beside the set from one session to the next."""

from pathlib import Path

import numpy as np
from jaxtyping import Bool, Int32

FILE = "review-seen.npy"


class Seen:
    """Which slots of a set a person has looked at, long enough to judge them."""

    def __init__(self, home: Path, slots: int) -> None:
        """As sessions before left it; a file of another set, or a damaged one, counts for nothing."""
        self._path = home / FILE
        self._unsaved = False
        self.mask: Bool[np.ndarray, " slots"] = np.zeros(slots, bool)
        try:
            before = np.load(self._path, allow_pickle=False)
        except (OSError, ValueError, EOFError):
            return
        if before.dtype == bool and before.shape == (slots,):
            self.mask = before

    def see(self, slots: Int32[np.ndarray, " n"]) -> bool:
        """Notes that these were looked at; whether any had not been."""
        news = bool(len(slots)) and not self.mask[slots].all()
        if news:
            self.mask[slots] = self._unsaved = True
        return news

    def save(self) -> None:
        """Puts what was looked at on disk."""
        if self._unsaved:
            part = self._path.with_name(f".{FILE}.part")
            with part.open("wb") as file:
                np.save(file, self.mask, allow_pickle=False)
            part.replace(self._path)
            self._unsaved = False
