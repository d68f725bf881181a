"""What is held until it is closed, and files that one process at a time may hold, however it ends."""

import fcntl
import os
from abc import ABC, abstractmethod
from pathlib import Path
from typing import TypeVar

C = TypeVar("C", bound="Closing")


class Closing(ABC):
    """What closes itself when a `with` is left."""

    def __enter__(self: C) -> C:  # noqa: PYI019 - the type checks of the tests do not know Self
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @abstractmethod
    def close(self) -> None:
        """Lets go of what is held."""


class Hold(Closing):
    """A file held by one process at a time; let go when it is closed, forgotten, or its process ends."""

    def __init__(self, path: Path) -> None:
        self._descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o666)
        try:
            fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            self.mine = True
        except BlockingIOError:
            self.mine = False

    def __del__(self) -> None:
        self.close()

    def close(self) -> None:
        """Lets go."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
        self._descriptor = -1
