"""Features of the Inception network of 2015: those that the Frechet inception distance is defined by."""

import numpy as np
import torch
from jaxtyping import Float32, UInt8
from torch import Tensor

from impasto.errors import ConfigError
from impasto.evaluation.extractors.base import (
    BATCH,
    Features,
    Images,
    Logits,
    checked_batch,
    in_batches,
)
from impasto.images import to_centred
from impasto.nn.blocks import outlined, placed
from impasto.nn.inception import CLASSES, FEATURES, SIDE, InceptionV3, resized_like_tensorflow
from impasto.nn.pretrained import PRETRAINED, require
from impasto.nn.weights import load_published


class InceptionFeatures:
    """The features of Inception v3 in TensorFlow's graph of 2015-12-05, resizing and all.

    Published scores are made with exactly these, and with no other Inception, so nothing can be set.

    Args:
        side: 299 if given; the network sees nothing else.
        batch: pictures that go through the network at once; speed depends on it and features do not.
        device: where the network runs.

    Raises:
        ConfigError: `side` is another one, or `batch` is too small.
        WeightsError: the weights are not on this machine; the message says how to get them.
        DamagedFile: the file of weights is not the published one.

    Source: arXiv 1706.08500, section 4; arXiv 1606.03498, section 4.
    """

    name = "inception-v3"
    dimensions = FEATURES
    classes = CLASSES
    digest = PRETRAINED["inception-v3"].sha256
    resize = f"stretched to {SIDE}x{SIDE}, bilinear as in TensorFlow 1, not antialiased"

    def __init__(
        self,
        *,
        side: int = SIDE,
        batch: int = BATCH,
        device: torch.device | str = "cpu",
    ) -> None:
        if side != SIDE:
            raise ConfigError(f"side: {side}: {self.name} sees {SIDE} pixels, always; leave it out")
        self.batch = checked_batch(batch)
        self.device = torch.device(device)
        with outlined():
            network = InceptionV3()
        load_published(network, require(self.name))
        self._weight: np.ndarray = network.fc.weight.numpy()
        self._network = network
        placed(network, self.device)

    def __call__(self, images: Images) -> Features:
        """2,048 features of each picture, 0 or more.

        Raises:
            SourceError: the pictures have neither one channel nor three.
        """
        return in_batches(images, self._features, batch=self.batch, dimensions=self.dimensions)

    def logits(self, features: Features) -> Logits:
        """A score for each of 1,008 classes, without the bias, as the inception score is computed.

        Source: the code to arXiv 1606.03498, which multiplies by the weights and leaves the bias out.
        """
        scores: np.ndarray = features @ self._weight.T
        return scores

    def _features(self, images: UInt8[Tensor, "n h w c"]) -> Float32[Tensor, "n d"]:
        return self._network.features(self._prepared(images.to(self.device)))

    def _prepared(self, images: UInt8[Tensor, "n h w c"]) -> Float32[Tensor, "n 3 s s"]:
        return resized_like_tensorflow(to_centred(images), SIDE).expand(-1, 3, -1, -1)
