"""Pieces of paintings to learn from, and what the files of paintings are."""

import hashlib
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path

import torch

from impasto.data.original import WRITABLE
from impasto.errors import SourceError
from impasto.images import Picture
from impasto.seeds import stream
from impasto.style.scene import resized
from impasto.workflows.staging import opened

READABLE = {*WRITABLE, ".bmp", ".gif", ".avif", ".jp2", ".ppm"}
EACH = 10  # pieces of a painting
LARGEST = 2.0  # of a painting's shorter side, in the side of the pieces that are cut from it
HELD = 64  # paintings in memory


def pictures_of(place: Path) -> list[Path]:
    """A picture, or those of a folder.

    Raises:
        SourceError: the folder holds none.
    """
    if not place.is_dir():
        return [place]
    found = sorted(p for p in place.iterdir() if p.suffix.lower() in READABLE and p.is_file())
    if not found:
        raise SourceError(f"{place}: holds no pictures; name a picture, or a folder of them")
    return found


def fingerprint_of(paths: Sequence[Path]) -> str:
    """A hash of what the files hold.

    Raises:
        SourceError: one cannot be read.
    """
    digest = hashlib.sha256()
    for path in paths:
        try:
            digest.update(hashlib.sha256(path.read_bytes()).digest())
        except OSError as error:
            raise SourceError(f"{path}: cannot be read ({error.strerror}); restore it") from None
    return digest.hexdigest()


class Pieces:
    """Square pieces of paintings, each at a size of its own; so many of each painting, by their numbers.

    Args:
        paths: the paintings.
        size: of the pieces' sides, in pixels.
        seed: decides how they are cut.
    """

    def __init__(self, paths: Sequence[Path], size: int, seed: int) -> None:
        self.paths, self.size, self.seed = tuple(paths), size, seed
        self._painting = lru_cache(HELD)(self._read)
        self._painting(self.paths[0])  # a file that is no picture is told now

    def __len__(self) -> int:
        """How many there are."""
        return EACH * len(self.paths)

    def __getitem__(self, number: int) -> Picture:
        """The piece of this number, the same whenever it is asked."""
        drawn = stream(self.seed, "pieces", number)
        larger, down, right, turned = torch.rand(4, generator=drawn).tolist()
        painting = self._painting(self.paths[number % len(self.paths)])
        share = (1 + (LARGEST - 1) * larger) / LARGEST
        height, width = (max(self.size, round(n * share)) for n in painting.shape[2:])
        top, left = round(down * (height - self.size)), round(right * (width - self.size))
        piece = resized(painting, height, width)
        piece = piece[:, :, top : top + self.size, left : left + self.size]
        return piece.flip(3) if turned < 0.5 else piece

    def _read(self, path: Path) -> Picture:
        whole = opened(path)
        share = LARGEST * self.size / min(whole.shape[2:])
        height, width = (max(self.size, round(n * share)) for n in whole.shape[2:])
        return resized(whole, height, width)
