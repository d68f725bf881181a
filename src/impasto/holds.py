"""Files that one process at a time may hold, however it ends."""

import fcntl
import os
from pathlib import Path


class Hold:
    """A file held by one process at a time; let go when it is closed, forgotten, or its process ends."""

    def __init__(self, path: Path) -> None:
        self._descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o666)
        try:
            fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            self.mine = True
        except BlockingIOError:
            self.mine = False

    def __enter__(self) -> "Hold":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __del__(self) -> None:
        self.close()

    def close(self) -> None:
        """Lets go."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
        self._descriptor = -1
