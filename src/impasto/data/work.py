"""One block of candidates worked through: hashed, decoded, written to its slots."""

import hashlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from impasto.data.config import DataConfig
from impasto.data.crop import Box
from impasto.data.decode import Undecodable, develop, read
from impasto.data.items import Drawn, Payload


@dataclass(frozen=True)
class Block:
    """Candidates for neighbouring slots, from `first` on."""

    first: int
    payloads: tuple[Payload, ...]
    config: DataConfig
    pixels: Path | None  # the array to write into; None to look only


@dataclass(frozen=True)
class Outcome:
    """What became of one candidate: facts of a picture, or the reason why it is none."""

    sha256: str | None = None
    width: int = 0
    height: int = 0
    mode: str = ""
    box: Box = (0, 0, 0, 0)
    reason: str | None = None


def work(block: Block) -> list[Outcome]:
    """The outcomes of a block, in its order; pixels go straight into the mapped file."""
    pixels = None if block.pixels is None else _mapped(block.pixels)
    slots = range(block.first, block.first + len(block.payloads))
    return [
        _work_one(payload, block.config, None if pixels is None else pixels[slot])
        for slot, payload in zip(slots, block.payloads, strict=True)
    ]


def _work_one(payload: Payload, config: DataConfig, target: np.ndarray | None) -> Outcome:
    digest = None
    try:
        content = payload if isinstance(payload, Drawn | np.ndarray) else read(payload)
        digest = _digest(content)
        decoded = develop(content, config)
    except Undecodable as problem:
        if target is not None:
            target[:] = 0
        return Outcome(digest, reason=str(problem))
    if target is not None:
        target[:] = decoded.pixels
    return Outcome(digest, decoded.width, decoded.height, decoded.mode, decoded.box)


def _digest(content: bytes | np.ndarray | Drawn) -> str:
    if isinstance(content, bytes):
        return hashlib.sha256(content).hexdigest()
    array = content.pixels if isinstance(content, Drawn) else content
    return hashlib.sha256(repr(array.shape).encode() + array.tobytes()).hexdigest()


def _mapped(path: Path) -> np.ndarray:
    return np.asarray(np.load(path, mmap_mode="r+", allow_pickle=False))
