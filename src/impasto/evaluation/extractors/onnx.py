"""Features of anybody's network in ONNX: pictures in, one row of numbers for each out."""

import hashlib
import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from jaxtyping import Float32, UInt8
from torch import Tensor

from impasto.errors import ConfigError, ModelError
from impasto.evaluation.extractors.base import (
    BATCH,
    IMAGENET_DEVIATION,
    IMAGENET_MEAN,
    Features,
    Images,
    Normal,
    checked_batch,
    in_batches,
    stretched,
)
from impasto.nn.onnx import opened

SIDE = 224  # pixels, where neither the network nor the caller says
PROBES = 2  # pictures that a network is tried with; one would not show that it takes several
LUMA = (
    0.299,
    0.587,
    0.114,
)  # shares of red, green and blue in grey (ITU-R BT.601, as Pillow has it)

# A tensor whose numbers lie in another file has an entry `location` in its field 13 (external_data).
_ELSEWHERE = re.compile(rb"\x6a[\x00-\xff]{1,2}\x0a\x08location\x12")


class OnnxFeatures:
    """The first output of a network in ONNX, averaged over all places if it has any.

    Pictures are stretched to the network's side and normalised with the numbers that the file names in
    its metadata as `mean` and `std` (three each, for red, green and blue in [0, 1], between commas), or
    with ImageNet's. A network of one channel gets grey pictures and the averages of these numbers.

    Args:
        path: the file; all of the network's numbers are in it.
        side: of the square that the network sees, in pixels, where the network leaves it open.
        batch: pictures that go through the network at once, where the network leaves it open.
        device: where the network runs, if ONNX Runtime is installed with support for it; else the CPU.

    Raises:
        ConfigError: `side` or `batch` is too small, or not the network's.
        ModelError: ONNX Runtime is not installed, or the file is no network from pictures to features.
    """

    def __init__(
        self,
        path: Path | str,
        *,
        side: int | None = None,
        batch: int | None = None,
        device: torch.device | str = "cpu",
    ) -> None:
        self.path = Path(path)
        self.name = f"onnx:{self.path.name}"
        raw = _read(self.path)
        self.digest = hashlib.sha256(raw).hexdigest()
        place = torch.device(device)
        self._session = opened(
            raw,
            said=str(self.path),
            error=ModelError,
            threads=torch.get_num_threads(),
            gpu=(place.index or 0) if place.type == "cuda" else None,
        )
        self._input = _input(self._session, self.path)
        self._output = self._session.get_outputs()[0].name
        self._size = _size(self._input, side, self.path)
        self.batch = _batch(self._input, batch, self.path)
        self._mean, self._deviation = _normalisation(self._session, self.path)
        if self._input.channels == 1:
            self._mean, self._deviation = [sum(self._mean) / 3], [sum(self._deviation) / 3]
        self._normal = Normal(self._mean, self._deviation, torch.device("cpu"))
        shape = (min(PROBES, self.batch), self._input.channels, *self._size)
        self.dimensions = self._run(torch.zeros(shape, dtype=torch.float32)).shape[1]

    @property
    def resize(self) -> str:
        """What is done to pictures of another size, and to all of them then, in words."""
        height, width = self._size
        mean, deviation = (
            ", ".join(f"{number:g}" for number in numbers)
            for numbers in (self._mean, self._deviation)
        )
        return (
            f"stretched to {width}x{height}, bicubic, antialiased; "
            f"normalised with mean {mean} and deviation {deviation}"
        )

    def __call__(self, images: Images) -> Features:
        """Features of each picture.

        Raises:
            SourceError: the pictures have neither one channel nor three.
            ModelError: the network fails, or its features are not finite numbers.
        """
        return in_batches(images, self._features, batch=self.batch, dimensions=self.dimensions)

    def _features(self, images: UInt8[Tensor, "n h w c"]) -> Float32[Tensor, "n d"]:
        return self._run(self._prepared(images.cpu()))

    def _prepared(self, images: UInt8[Tensor, "n h w c"]) -> Float32[Tensor, "n c2 h2 w2"]:
        pictures = stretched(images, self._size)
        if self._input.channels == 1 and pictures.shape[1] == 3:
            pictures = torch.einsum(
                "nchw,c->nhw", pictures, torch.tensor(LUMA, dtype=torch.float32)
            )[:, None]
        return self._normal(pictures)

    def _run(self, pictures: Float32[Tensor, "n c h w"]) -> Float32[Tensor, "n d"]:
        """The first output for pictures as the network expects them, averaged over places."""
        count = len(pictures)
        if self._input.batch is not None:  # a network of fixed batch is given the last one again
            last = torch.full((self._input.batch - count,), count - 1)
            pictures = torch.cat([pictures, pictures[last]])
        given = pictures.permute(0, 2, 3, 1) if self._input.last else pictures
        try:
            answers = self._session.run([self._output], {self._input.name: _array(given)})
        except Exception as problem:  # noqa: BLE001 - ONNX Runtime's own errors share no public class
            told = " ".join(str(problem).split())
            raise ModelError(
                f"{self.path}: the network fails with {len(given)} pictures of {tuple(given.shape[1:])} "
                f"({told}); export it with open sizes, or set side and batch to what it takes"
            ) from None
        answer = answers[0]
        if not _are_features(answer, len(given)):
            raise ModelError(
                f"{self.path}: the first output is {_told(answer)} for {len(given)} pictures; export the "
                "network so that it is n x d, or n x d x h x w to be averaged"
            )
        if answer.ndim == 4:
            answer = answer.mean(axis=(1, 2) if self._input.last else (2, 3), dtype=np.float32)
        features = answer[:count].astype(np.float32, copy=False)
        if not np.isfinite(features).all():
            raise ModelError(
                f"{self.path}: features are not all finite numbers; export the network in float32, and "
                "write the `mean` and `std` that it learned with into its metadata"
            )
        return torch.from_numpy(features)


@dataclass(frozen=True)
class _Input:
    """What a network takes; None is what it leaves open."""

    name: str
    channels: int
    last: bool  # channels come last
    height: int | None
    width: int | None
    batch: int | None


def _read(path: Path) -> bytes:
    """What is in the file.

    Read once, so that the digest is that of what runs.

    Raises:
        ModelError: it is not there or cannot be read, or part of the network is in other files.
    """
    try:
        raw = path.read_bytes()
    except OSError as error:
        raise ModelError(
            f"{path} cannot be read ({error.strerror}); name the ONNX file of a network"
        ) from None
    if _ELSEWHERE.search(raw):
        raise ModelError(
            f"{path}: part of the network is in other files, which its digest would not cover; save it "
            "as one file (onnx.save with save_as_external_data=False)"
        )
    return raw


def _input(session: Any, path: Path) -> _Input:
    inputs = session.get_inputs()
    shape = inputs[0].shape if len(inputs) == 1 else []
    pictures = len(shape) == 4 and inputs[0].type == "tensor(float)"
    last = pictures and shape[3] in {1, 3}
    sizes = [size if isinstance(size, int) and size > 0 else None for size in shape]
    channels = (sizes[3 if last else 1] or 3) if pictures else 0
    if channels not in {1, 3}:
        given = ", ".join(f"{each.name}: {each.type} {each.shape}" for each in inputs)
        raise ModelError(
            f"{path}: the network takes ({given}); export it with one input of pictures, float32, "
            "n x c x h x w or n x h x w x c with 1 or 3 channels"
        )
    height, width = (sizes[1], sizes[2]) if last else (sizes[2], sizes[3])
    return _Input(inputs[0].name, channels, last, height, width, sizes[0])


def _size(given: _Input, side: int | None, path: Path) -> tuple[int, int]:
    """Height and width that the network sees."""
    if side is not None and side < 1:
        raise ConfigError(f"side: {side} is too small; use 1 or more")
    if side is not None and {given.height, given.width} - {None, side}:
        raise ConfigError(
            f"side: {side}: {path} takes pictures of {given.width}x{given.height}; leave it out"
        )
    open_side = given.height or given.width or side or SIDE
    return given.height or open_side, given.width or open_side


def _batch(given: _Input, batch: int | None, path: Path) -> int:
    if batch is not None and given.batch not in {None, batch}:
        raise ConfigError(
            f"batch: {batch}: {path} takes {given.batch} pictures at once; leave it out"
        )
    return checked_batch(batch if batch is not None else given.batch or BATCH)


def _normalisation(session: Any, path: Path) -> tuple[Sequence[float], Sequence[float]]:
    """Mean and deviation for red, green and blue in [0, 1].

    Raises:
        ModelError: the file's metadata name one of them only, or not three numbers.
    """
    metadata = session.get_modelmeta().custom_metadata_map
    if "mean" not in metadata and "std" not in metadata:
        return IMAGENET_MEAN, IMAGENET_DEVIATION
    mean, deviation = (_three(metadata.get(key, "")) for key in ("mean", "std"))
    if mean is None or deviation is None or min(deviation) <= 0:
        told = ", ".join(f"{key}: {metadata.get(key, 'missing')}" for key in ("mean", "std"))
        raise ModelError(
            f"{path}: the metadata name as normalisation ({told}); write both as three numbers between "
            "commas, those of std above 0"
        )
    return mean, deviation


def _three(text: str) -> list[float] | None:
    try:
        numbers = [float(part) for part in text.split(",")]
    except ValueError:
        return None
    return numbers if len(numbers) == 3 and all(map(math.isfinite, numbers)) else None


def _array(pictures: Tensor) -> np.ndarray:
    return np.ascontiguousarray(pictures.numpy(), np.float32)


def _are_features(answer: Any, count: int) -> bool:
    return (
        isinstance(answer, np.ndarray)
        and np.issubdtype(answer.dtype, np.floating)
        and answer.ndim in {2, 4}
        and len(answer) == count
        and answer.size > 0
    )


def _told(answer: Any) -> str:
    if isinstance(answer, np.ndarray):
        return f"{answer.dtype} {' x '.join(map(str, answer.shape)) or 'alone'}"
    return f"a {type(answer).__name__}"
