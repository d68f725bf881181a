"""A picture's codes as a file: quantised, entropy-coded, versioned, and checked.

    4 bytes   IMPZ
    1 byte    version
    8 bytes   head of the SHA-256 of the model that coded it, and without which it cannot be read
    2 x 4     width and height in pixels
    2 x 2     tiles across and down, each of the model's size
    4 bytes   step of quantisation, in deviations of a latent
    4 bytes   length of the payload
    ...       the payload: all codes, tile by tile, by a range coder under a Gaussian for each latent
    4 bytes   CRC-32 of all before it

Numbers are little-endian.
"""

import struct
import zlib
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Float, Float64, Int32

from impasto.errors import ConfigError, DamagedFile

MAGIC, VERSION = b"IMPZ", 1
WIDEST = 4_000  # steps from the middle that a code may lie
_HEAD = struct.Struct("<4sB8sIIHHfI")


@dataclass(frozen=True)
class Coded:
    """What a file holds.

    Attributes:
        codes: a row for each tile, in steps from the mean.
        step: in deviations of a latent.
        model: the head of the model's digest.
    """

    codes: Int32[np.ndarray, "tiles z"]
    width: int
    height: int
    across: int
    down: int
    step: float
    model: bytes


def quantised(
    codes: Float[np.ndarray, "n z"],
    mean: Float[np.ndarray, " z"],
    deviation: Float[np.ndarray, " z"],
    step: float,
) -> Int32[np.ndarray, "n z"]:
    """Codes in steps from their mean."""
    steps: np.ndarray = np.rint((codes - mean) / (deviation * step))
    bounded: np.ndarray = np.clip(steps, -WIDEST, WIDEST).astype(np.int32)
    return bounded


def restored(
    steps: Int32[np.ndarray, "n z"],
    mean: Float[np.ndarray, " z"],
    deviation: Float[np.ndarray, " z"],
    step: float,
) -> Float[np.ndarray, "n z"]:
    """The codes that steps stand for."""
    codes: np.ndarray = (mean + steps * deviation * step).astype(np.float32)
    return codes


def pack(coded: Coded) -> bytes:
    """The file's bytes."""
    stream, coding = _library()
    encoder = stream.queue.RangeEncoder()
    symbols = np.ascontiguousarray(coded.codes.ravel())
    encoder.encode(symbols, coding, *_gaussians(len(symbols), coded.step))
    payload: bytes = encoder.get_compressed().astype("<u4").tobytes()
    head = _HEAD.pack(
        MAGIC,
        VERSION,
        coded.model,
        coded.width,
        coded.height,
        coded.across,
        coded.down,
        coded.step,
        len(payload),
    )
    return head + payload + struct.pack("<I", zlib.crc32(head + payload))


def unpack(content: bytes, latents: int, *, where: str) -> Coded:
    """What is in a file's bytes.

    Args:
        content: of the file.
        latents: numbers in a code.
        where: the file's name, for messages.

    Raises:
        DamagedFile: not such a file, cut short, or changed.
        ConfigError: written by a newer impasto.
    """
    if content[:4] != MAGIC or len(content) < _HEAD.size + 4:
        raise DamagedFile(f"{where}: not a picture that impasto compressed, or cut short")
    if content[4] > VERSION:
        raise ConfigError(
            f"{where}: written in version {content[4]} by a newer impasto, and this one reads up to {VERSION}; "
            "upgrade with `pip install --upgrade impasto`"
        )
    body, (check,) = content[:-4], struct.unpack("<I", content[-4:])
    _, _, model, width, height, across, down, step, length = _HEAD.unpack_from(content)
    if zlib.crc32(body) != check or len(body) != _HEAD.size + length:
        raise DamagedFile(f"{where}: damaged: its checksum is another; compress the picture again")
    stream, coding = _library()
    decoder = stream.queue.RangeDecoder(np.frombuffer(body[_HEAD.size :], "<u4").astype(np.uint32))
    count = across * down * latents
    steps = decoder.decode(coding, *_gaussians(count, step))
    codes = np.asarray(steps, np.int32).reshape(across * down, latents)
    return Coded(codes, width, height, across, down, step, model)


def _gaussians(
    count: int, step: float
) -> tuple[Float64[np.ndarray, " n"], Float64[np.ndarray, " n"]]:
    """Means and deviations of the steps; of the step as a file holds it, for both sides must agree to the last bit."""
    return np.zeros(count), np.full(count, 1 / float(np.float32(step)))


def _library() -> tuple[Any, Any]:
    try:
        from constriction import stream
    except ImportError:
        raise ConfigError(
            "compress: needs an entropy coder; pip install 'impasto[compress]'"
        ) from None
    return stream, stream.model.QuantizedGaussian(-WIDEST, WIDEST)
