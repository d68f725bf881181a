"""Features of MobileNetV2: quick, and enough to tell what is unlike the rest."""

import numpy as np
import torch
from jaxtyping import Float32, UInt8
from torch import Tensor

from impasto.errors import ConfigError
from impasto.evaluation.extractors.base import (
    BATCH,
    IMAGENET_DEVIATION,
    IMAGENET_MEAN,
    Features,
    Images,
    Logits,
    Normal,
    checked_batch,
    in_batches,
    stretched,
)
from impasto.nn.blocks import outlined, placed
from impasto.nn.mobilenet import CLASSES, FEATURES, MobileNetV2
from impasto.nn.pretrained import PRETRAINED, require
from impasto.nn.weights import load_published

SMALLEST_SIDE = 32  # the network halves a picture five times


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
    classes = CLASSES
    digest = PRETRAINED["mobilenet-v2"].sha256

    def __init__(
        self, *, side: int = 224, batch: int = BATCH, device: torch.device | str = "cpu"
    ) -> None:
        if side < SMALLEST_SIDE:
            raise ConfigError(f"side: {side} is too small; use {SMALLEST_SIDE} or more")
        self.side = side
        self.batch = checked_batch(batch)
        self.device = torch.device(device)
        with outlined():
            network = MobileNetV2()
        load_published(network, require(self.name))
        self._weight, self._bias = (part.numpy() for part in network.classifier.parameters())
        self._network = placed(network.features, self.device)
        self._normal = Normal(IMAGENET_MEAN, IMAGENET_DEVIATION, self.device)

    @property
    def resize(self) -> str:
        """What is done to pictures of another size, in words."""
        return f"stretched to {self.side}x{self.side}, bicubic, antialiased"

    def __call__(self, images: Images) -> Features:
        """1,280 features of each picture, in [0, 6].

        Raises:
            SourceError: the pictures have neither one channel nor three.
        """
        return in_batches(images, self._features, batch=self.batch, dimensions=self.dimensions)

    def logits(self, features: Features) -> Logits:
        """A score for each of ImageNet's 1,000 classes."""
        scores: np.ndarray = features @ self._weight.T + self._bias
        return scores

    def _features(self, images: UInt8[Tensor, "n h w c"]) -> Float32[Tensor, "n d"]:
        features: Tensor = self._network(self._prepared(images.to(self.device)))
        return features

    def _prepared(self, images: UInt8[Tensor, "n h w c"]) -> Float32[Tensor, "n 3 s s"]:
        return self._normal(stretched(images, (self.side, self.side)))
