"""Weights that others have published: which impasto knows, which are here, and getting those that are not."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from impasto.errors import DamagedFile
from impasto.nn.pretrained import PRETRAINED, Pretrained, Report, fetch, find


@dataclass(frozen=True)
class Held:
    """Published weights, and whether they are on this machine.

    Attributes:
        state: `damaged` where a file of their name holds something else.
        path: where they are; None where they are not.
        problem: what is wrong with a damaged file, and the way out.
    """

    weights: Pretrained
    state: Literal["here", "missing", "damaged"]
    path: Path | None = None
    problem: str = ""

    def to_plain(self) -> dict[str, Any]:
        """All of it as strings and numbers."""
        told = self.weights
        return {
            "name": told.name,
            "purpose": told.purpose,
            "file": told.file,
            "bytes": told.size,
            "licence": told.licence,
            "sha256": told.sha256,
            "url": told.url,
            "state": self.state,
            "path": str(self.path) if self.path else None,
            "problem": self.problem or None,
        }


def weights() -> list[Held]:
    """All published weights that impasto knows; those that are here were checked."""
    return [_held(name) for name in PRETRAINED]


def get_weights(name: str, *, base: str | None = None, report: Report | None = None) -> Held:
    """These weights, downloaded into the cache and checked unless they are on this machine already.

    Args:
        name: in `PRETRAINED`.
        base: URL of the folder to download from; where they are published by default.
        report: told how many bytes have come, of how many.

    Raises:
        BadInput: they are not known, cannot be downloaded, or what came is something else.
    """
    path = fetch(name, base=base, report=report)
    return Held(PRETRAINED[name], "here", path)


def _held(name: str) -> Held:
    known = PRETRAINED[name]
    try:
        path = find(name)
    except DamagedFile as error:
        return Held(known, "damaged", problem=str(error))
    return Held(known, "here" if path else "missing", path)
