"""Pages that a person asks for by --html."""

import os
from pathlib import Path

from impasto.errors import ConfigError


def writable(path: Path) -> Path:
    """The path, found out to be in vain before the pictures are looked at rather than after.

    Raises:
        ConfigError: it is a folder, or in none.
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
