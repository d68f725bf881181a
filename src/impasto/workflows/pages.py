"""Pages that a person asked for under a name of their own."""

import os
from pathlib import Path

from impasto.errors import ConfigError


def writable_page(path: Path) -> Path:
    """The path, found out to be in vain before the work is done rather than after.

    Raises:
        ConfigError: it is a folder, or lies in one that is not there.
    """
    if path.is_dir() or not path.parent.is_dir():
        problem = "is a folder" if path.is_dir() else f"lies in {path.parent}, which is not there"
        raise ConfigError(f"--html {path}: {problem}; name a file in a folder that is there")
    return path


def write_page(path: Path, text: str) -> None:
    """Writes a file whole or not at all.

    Raises:
        ConfigError: it cannot be written.
    """
    draft = path.with_name(f".{path.name}.part")
    try:
        draft.write_text(text, encoding="utf-8")
        os.replace(draft, path)
    except OSError as error:
        raise ConfigError(
            f"--html {path}: cannot be written ({error.strerror}); choose another place"
        ) from None
