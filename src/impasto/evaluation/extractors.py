"""Extractors: pictures in, features out.

Whoever compares pictures by what they show compares features: curation looks for pictures that are unlike
the others, scores for sets that are unlike one another. All of them speak to one protocol, `Extractor`.
Features of two extractors can be compared only if name, digest and resizing agree, so all three are told.
"""

import hashlib
import math
from collections.abc import Iterator
from itertools import pairwise
from typing import Protocol, runtime_checkable

import numpy as np
import torch
from jaxtyping import Float, Float32, UInt8
from torch import Tensor
from torch.nn import functional

from impasto.errors import ConfigError, DamagedFile, SourceError
from impasto.evaluation.pretrained import PRETRAINED, require
from impasto.images import to_float
from impasto.nn.blocks import outlined, placed
from impasto.nn.mobilenet import FEATURES, MobileNetV2, fold_norms

Images = UInt8[np.ndarray, "n h w c"] | UInt8[Tensor, "n h w c"]
Features = Float32[np.ndarray, "n d"]

IMAGENET_MEAN = (
    0.485,
    0.456,
    0.406,
)  # of red, green and blue in [0, 1], as the weights expect them
IMAGENET_DEVIATION = (0.229, 0.224, 0.225)
SMALLEST_SIDE = 32  # the network halves a picture five times


@runtime_checkable
class Extractor(Protocol):
    """What turns pictures into features, and says how."""

    @property
    def name(self) -> str:
        """Its name in `EXTRACTORS`."""

    @property
    def dimensions(self) -> int:
        """How many numbers a picture becomes."""

    @property
    def digest(self) -> str:
        """SHA-256 of its weights, in hexadecimal."""

    @property
    def resize(self) -> str:
        """What is done to pictures of another size, in words."""

    def __call__(self, images: Images) -> Features:
        """Features of pictures, RGB or grey, of any one size; they do not depend on the company.

        Raises:
            SourceError: the pictures have neither one channel nor three.
        """


class MobileNetFeatures:
    """The features of MobileNetV2 as torchvision published it: what a picture shows, to a small network.

    Pictures are stretched to a square first. Smaller sides are quicker and see less; features of two
    sides are not comparable.

    Args:
        side: of the square that the network sees, in pixels; it learned with 224.
        batch: pictures that go through the network at once; speed depends on it and features do not.
        device: where the network runs.

    Raises:
        ConfigError: `side` or `batch` is too small.
        WeightsError: the weights are not on this machine; the message says how to get them.
        DamagedFile: the file of weights is not the published one.
    """

    name = "mobilenet-v2"
    dimensions = FEATURES
    digest = PRETRAINED["mobilenet-v2"].sha256

    def __init__(
        self, *, side: int = 224, batch: int = 16, device: torch.device | str = "cpu"
    ) -> None:
        if side < SMALLEST_SIDE:
            raise ConfigError(f"side: {side} is too small; use {SMALLEST_SIDE} or more")
        if batch < 1:
            raise ConfigError(f"batch: {batch} is too small; use 1 or more")
        self.side = side
        self.batch = batch
        self.device = torch.device(device)
        self._network = placed(_mobilenet().features, self.device)
        # Pictures come in [-1, 1], and the published numbers are for [0, 1].
        self._mean = torch.tensor(IMAGENET_MEAN, device=self.device)[:, None, None] * 2 - 1
        self._deviation = torch.tensor(IMAGENET_DEVIATION, device=self.device)[:, None, None] * 2

    @property
    def resize(self) -> str:
        """What is done to pictures of another size, in words."""
        return f"stretched to {self.side}x{self.side}, bicubic, antialiased"

    @torch.inference_mode()
    def __call__(self, images: Images) -> Features:
        """1,280 features of each picture, in [0, 6].

        Raises:
            SourceError: the pictures have neither one channel nor three.
        """
        _check_channels(images)
        found = np.empty((len(images), self.dimensions), np.float32)
        for start, part in _batches(images, self.batch):
            features = self._network(self._prepared(part.to(self.device)))
            found[start : start + len(part)] = features.cpu().numpy()
        return found

    def _prepared(self, images: UInt8[Tensor, "n h w c"]) -> Float[Tensor, "n 3 s s"]:
        pictures = to_float(images)
        if pictures.shape[2:] != (self.side, self.side):
            size = (self.side, self.side)
            pictures = functional.interpolate(pictures, size, mode="bicubic", antialias=True)
            pictures = pictures.clamp_(-1, 1)  # bicubic overshoots at edges; no picture does
        return (pictures.expand(-1, 3, -1, -1) - self._mean) / self._deviation


class RandomFeatures:
    """Features of a small network with random weights: an extractor for tests, which needs no file.

    Weights are -1, 0 and 1, drawn from a hash of the seed, and pixels stay whole numbers, so that sums are
    exact whatever their order: every machine gives the same bits.
    """

    name = "random"
    resize = "none"
    widths = (16, 32, 64)
    dimensions = widths[-1]
    batch = 64

    def __init__(self, *, seed: int = 0) -> None:
        self.seed = seed
        inputs = (3, *self.widths)
        shapes = [(out, into, 3, 3) for into, out in pairwise(inputs)]
        counts = [math.prod(shape) for shape in shapes]
        raw = hashlib.shake_256(f"{seed}/random features".encode()).digest(sum(counts))
        self.digest = hashlib.sha256(raw).hexdigest()
        drawn = torch.tensor(list(raw), dtype=torch.float64) % 3 - 1
        parts = torch.split(drawn, counts)
        self._weights = [part.view(shape) for part, shape in zip(parts, shapes, strict=True)]

    @torch.inference_mode()
    def __call__(self, images: Images) -> Features:
        """64 features of each picture.

        Raises:
            SourceError: the pictures have neither one channel nor three.
        """
        _check_channels(images)
        found = np.empty((len(images), self.dimensions), np.float32)
        for start, part in _batches(images, self.batch):
            maps = part.permute(0, 3, 1, 2).double().expand(-1, 3, -1, -1)
            for weight in self._weights:
                maps = functional.conv2d(maps, weight, stride=2, padding=1).relu()
            places = maps.shape[2] * maps.shape[3]
            found[start : start + len(part)] = (maps.sum((2, 3)) / places / 2**12).numpy()
        return found


EXTRACTORS: dict[str, type[Extractor]] = {
    "mobilenet-v2": MobileNetFeatures,
    "random": RandomFeatures,
}


def _mobilenet() -> MobileNetV2:
    """The published network, for inference only."""
    path = require("mobilenet-v2")
    try:
        state = torch.load(path, map_location="cpu", weights_only=True)
    except OSError as error:
        raise DamagedFile(f"{path} cannot be read ({error}); restore it from a copy") from None
    with outlined():
        network = MobileNetV2()
    network.load_state_dict(state, assign=True)
    network.eval().requires_grad_(requires_grad=False)
    fold_norms(network)
    return network


def _check_channels(images: Images) -> None:
    if images.shape[3] not in {1, 3}:
        raise SourceError(
            f"these pictures have {images.shape[3]} channels; give grey ones (1) or RGB (3)"
        )


def _batches(images: Images, batch: int) -> Iterator[tuple[int, UInt8[Tensor, "b h w c"]]]:
    """Parts of the pictures, and where each begins; a memory map is read part by part."""
    for start in range(0, len(images), batch):
        part = images[start : start + batch]
        # Copied, because torch warns of arrays that it cannot write to, such as those of prepared sets.
        yield start, part if isinstance(part, Tensor) else torch.from_numpy(np.array(part))
