"""Where impasto keeps what it can make or fetch again."""

import os
from pathlib import Path


def cache_home() -> Path:
    """The folder of prepared sets, features and weights, unless told otherwise."""
    if own := os.environ.get("IMPASTO_CACHE"):
        return Path(own)
    shared = os.environ.get("XDG_CACHE_HOME")
    return (Path(shared) if shared else Path.home() / ".cache") / "impasto"
