"""One block of candidates worked through: hashed, decoded, cut, measured."""

import hashlib
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float32, UInt8

from impasto.data.config import DataConfig
from impasto.data.crop import Box
from impasto.data.decode import Cut, Decoded, Undecodable, develop, read
from impasto.data.looks.likeness import looks
from impasto.data.looks.measures import measure
from impasto.data.reasons import Reason
from impasto.data.sources.items import Drawn, Payload


@dataclass(frozen=True)
class Block:
    """Candidates, and what is to be made of them."""

    payloads: tuple[Payload, ...]
    config: DataConfig


@dataclass(frozen=True)
class Slot:
    """What fills one slot of a set."""

    pixels: UInt8[np.ndarray, "h w c"]
    box: Box
    hash: UInt8[np.ndarray, " bytes"]
    measures: Float32[np.ndarray, " measures"]


@dataclass(frozen=True)
class Outcome:
    """What became of one candidate: a slot for each part that was cut out, or the reason for none."""

    sha256: str | None = None
    width: int = 0  # of the upright original, in pixels
    height: int = 0
    mode: str = ""  # Pillow's name for the original's kind of pixels
    slots: tuple[Slot, ...] = ()
    reason: Reason | None = None


def work(block: Block) -> list[Outcome]:
    """The outcomes of a block, in its order."""
    return [work_one(payload, block.config) for payload in block.payloads]


def work_one(payload: Payload, config: DataConfig) -> Outcome:
    """The outcome of one candidate.

    Raises:
        SourceError: the detector cannot be used.
    """
    digest = None
    try:
        content = payload if isinstance(payload, Drawn | np.ndarray) else read(payload)
        digest = _digest(content)
        decoded = develop(content, config)
    except Undecodable as problem:
        return Outcome(digest, reason=problem.reason)
    slots = tuple(_slot(cut, decoded) for cut in decoded.cuts)
    reason = Reason("no subject", decoded.missing) if decoded.missing else None
    return Outcome(digest, decoded.width, decoded.height, decoded.mode, slots, reason)


def _slot(cut: Cut, decoded: Decoded) -> Slot:
    wide, high = cut.box[2] - cut.box[0], cut.box[3] - cut.box[1]
    scale = min(wide, high) / cut.pixels.shape[0]
    sides = decoded.width, decoded.height
    came_about = np.array([scale, max(sides) / min(sides), cut.score], np.float32)
    measures = np.concatenate([measure(cut.pixels).row(), came_about])
    return Slot(cut.pixels, cut.box, looks(cut.pixels), measures)


def _digest(content: bytes | np.ndarray | Drawn) -> str:
    if isinstance(content, bytes):
        return hashlib.sha256(content).hexdigest()
    array = content.pixels if isinstance(content, Drawn) else content
    return hashlib.sha256(repr(array.shape).encode() + array.tobytes()).hexdigest()
