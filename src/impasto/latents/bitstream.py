"""A picture's codes as a file: quantised, entropy-coded, versioned, and checked.

    4 bytes   IMPZ
    1 byte    version
    8 bytes   head of the SHA-256 of the model that coded it, and without which it cannot be read
    2 x 2     width and height in pixels
    4 bytes   step of quantisation, as a share of the codes' largest deviation
    ...       the codes of the picture's tiles, row by row, each along its principal axes, by a range coder
              under a Gaussian for each axis
    4 bytes   CRC-32 of all before it

Numbers are little-endian.
"""

import math
import struct
import zlib
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Float, Float32, Float64, Int32

from impasto.errors import ConfigError, DamagedFile

MAGIC, VERSION = b"IMPZ", 1
WIDEST = 4_000  # steps from the middle that a code may lie
LARGEST = 16_384  # pixels on a side of a picture
FINE = 8  # parts of a doubling that deviations are told in
LEAST = 0.05  # steps; a deviation below it costs nothing as it is
_HEAD = struct.Struct("<4sB8sHHf")


@dataclass(frozen=True)
class Basis:
    """Axes along which codes vary independently, as far as their covariance tells.

    Attributes:
        mean: of codes.
        axes: a row each, of length 1, the one along which codes vary most first.
        spreads: the deviation along each, as 8 log2 of it: whole numbers, so that both sides agree to the last bit.
    """

    mean: Float64[np.ndarray, " z"]
    axes: Float64[np.ndarray, "z z"]
    spreads: Int32[np.ndarray, " z"]

    @classmethod
    def of(
        cls,
        mean: Float64[np.ndarray, " z"],
        covariance: Float64[np.ndarray, "z z"],
        axes: Float64[np.ndarray, "z z"],
    ) -> "Basis":
        """Of codes with these moments, along their principal axes."""
        variances = np.einsum("ij,jk,ik->i", axes, covariance, axes)
        deviations = np.sqrt(np.maximum(variances, 1e-12))
        return cls(mean, axes, np.rint(FINE * np.log2(deviations)).astype(np.int32))

    @property
    def deviations(self) -> Float64[np.ndarray, " z"]:
        """Along each axis."""
        told: np.ndarray = np.exp2(self.spreads / FINE)
        return told

    def quantised(self, codes: Float[np.ndarray, "n z"], step: float) -> Int32[np.ndarray, "n z"]:
        """Codes in steps along each axis; a step is that share of the largest deviation."""
        steps: np.ndarray = np.rint((codes - self.mean) @ self.axes.T / self._length(step))
        bounded: np.ndarray = np.clip(steps, -WIDEST, WIDEST).astype(np.int32)
        return bounded

    def restored(self, steps: Int32[np.ndarray, "n z"], step: float) -> Float32[np.ndarray, "n z"]:
        """The codes that steps stand for."""
        codes: np.ndarray = (self.mean + steps * self._length(step) @ self.axes).astype(np.float32)
        return codes

    def in_steps(self, step: float) -> Float64[np.ndarray, " z"]:
        """The deviation along each axis, in steps."""
        told: np.ndarray = self.deviations / self._length(step)
        return told

    def _length(self, step: float) -> float:
        return float(np.float32(step)) * float(self.deviations[0])


@dataclass(frozen=True)
class Coded:
    """What a file holds.

    Attributes:
        codes: a row for each tile, in steps.
        step: as a share of the largest deviation.
        model: the head of the model's digest.
    """

    codes: Int32[np.ndarray, "tiles z"]
    width: int
    height: int
    step: float
    model: bytes


def pack(coded: Coded, basis: Basis) -> bytes:
    """The file's bytes."""
    stream, coding = _library()
    encoder = stream.queue.RangeEncoder()
    symbols = np.ascontiguousarray(coded.codes.ravel())
    encoder.encode(symbols, coding, *_gaussians(basis, len(coded.codes), coded.step))
    payload: bytes = encoder.get_compressed().astype("<u4").tobytes()
    head = _HEAD.pack(MAGIC, VERSION, coded.model, coded.width, coded.height, coded.step)
    return head + payload + struct.pack("<I", zlib.crc32(head + payload))


def tiles_of(width: int, height: int, side: int) -> tuple[int, int]:
    """Tiles down and across that cover a picture."""
    return -(-height // side), -(-width // side)


def model_of(content: bytes, *, where: str) -> bytes:
    """The head of the digest of the model that a file was coded by.

    Raises:
        DamagedFile: not such a file, cut short, or changed.
        ConfigError: written by a newer impasto.
    """
    told: bytes = _checked(content, where)[2]
    return told


def unpack(content: bytes, basis: Basis, side: int, *, where: str) -> Coded:
    """What is in a file's bytes.

    Args:
        content: of the file.
        basis: of the codes of the model that it was coded by.
        side: of a tile, in pixels.
        where: the file's name, for messages.

    Raises:
        DamagedFile: not such a file, cut short, or changed.
        ConfigError: written by a newer impasto.
    """
    _, _, model, width, height, step = _checked(content, where)
    stream, coding = _library()
    payload = content[_HEAD.size : -4]
    down, across = tiles_of(width, height, side)
    decoder = stream.queue.RangeDecoder(np.frombuffer(payload, "<u4").astype(np.uint32))
    steps = decoder.decode(coding, *_gaussians(basis, across * down, step))
    codes = np.asarray(steps, np.int32).reshape(across * down, -1)
    return Coded(codes, width, height, step, model)


def _checked(content: bytes, where: str) -> tuple[Any, ...]:
    """The head of a file that is whole."""
    if content[:4] != MAGIC or len(content) < _HEAD.size + 4:
        raise DamagedFile(f"{where}: not a picture that impasto compressed, or cut short")
    if content[4] > VERSION:
        raise ConfigError(
            f"{where}: written in version {content[4]} by a newer impasto, and this one reads up to {VERSION}; "
            "upgrade with `pip install --upgrade impasto`"
        )
    body, (check,) = content[:-4], struct.unpack("<I", content[-4:])
    head = _HEAD.unpack_from(content)
    whole = (len(body) - _HEAD.size) % 4 == 0 and min(head[3:5]) > 0 and 0 < head[5] < math.inf
    if zlib.crc32(body) != check or not whole or max(head[3:5]) > LARGEST:
        raise DamagedFile(f"{where}: damaged: its checksum is another; compress the picture again")
    return head


def _gaussians(
    basis: Basis, tiles: int, step: float
) -> tuple[Float64[np.ndarray, " n"], Float64[np.ndarray, " n"]]:
    """Means and deviations of the steps; of the step as a file holds it, for both sides must agree to the last bit."""
    deviations = np.maximum(basis.in_steps(step), LEAST)
    return np.zeros(tiles * len(deviations)), np.tile(deviations, tiles)


def _library() -> tuple[Any, Any]:
    try:
        from constriction import stream
    except ImportError:
        raise ConfigError(
            "compress: needs an entropy coder; pip install 'impasto[compress]'"
        ) from None
    return stream, stream.model.QuantizedGaussian(-WIDEST, WIDEST)
