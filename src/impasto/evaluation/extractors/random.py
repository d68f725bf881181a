"""Features of random convolutions: an extractor for tests, which needs no file."""

import hashlib
import math
from itertools import pairwise

import torch
from jaxtyping import Float32, UInt8
from torch import Tensor
from torch.nn import functional

from impasto.errors import ConfigError
from impasto.evaluation.extractors.base import Features, Images, checked_batch, in_batches


class RandomFeatures:
    """Features of a small network with random weights: an extractor for tests, which needs no file.

    Weights are -1, 0 and 1, drawn from a hash of the seed, and pixels stay whole numbers, so that sums are
    exact whatever their order: every machine gives the same bits.

    Args:
        seed: of the weights.
        side: not to be given; pictures are seen as they are.
        batch: pictures that go through the network at once; features do not depend on it.
        device: taken as other extractors take it, and not used: the CPU's sums are exact.

    Raises:
        ConfigError: a side is given, or `batch` is too small.
    """

    name = "random"
    resize = "none"
    widths = (16, 32, 64)
    dimensions = widths[-1]

    def __init__(
        self,
        *,
        seed: int = 0,
        side: int | None = None,
        batch: int = 64,
        device: torch.device | str = "cpu",
    ) -> None:
        del device
        if side is not None:
            raise ConfigError(
                f"side: {side}: random features see pictures as they are; leave it out"
            )
        self.seed = seed
        self.batch = checked_batch(batch)
        inputs = (3, *self.widths)
        shapes = [(out, into, 3, 3) for into, out in pairwise(inputs)]
        counts = [math.prod(shape) for shape in shapes]
        raw = hashlib.shake_256(f"{seed}/random features".encode()).digest(sum(counts))
        self.digest = hashlib.sha256(raw).hexdigest()
        drawn = torch.tensor(list(raw), dtype=torch.float64) % 3 - 1
        parts = torch.split(drawn, counts)
        self._weights = [part.view(shape) for part, shape in zip(parts, shapes, strict=True)]

    def __call__(self, images: Images) -> Features:
        """64 features of each picture.

        Raises:
            SourceError: the pictures have neither one channel nor three.
        """
        return in_batches(images, self._features, batch=self.batch, dimensions=self.dimensions)

    def _features(self, images: UInt8[Tensor, "n h w c"]) -> Float32[Tensor, "n d"]:
        # Sums grow beyond the whole numbers that float32 holds, hence the doubles.
        maps = images.cpu().permute(0, 3, 1, 2).double().expand(-1, 3, -1, -1)
        for weight in self._weights:
            maps = functional.conv2d(maps, weight, stride=2, padding=1).relu()
        places = maps.shape[2] * maps.shape[3]
        return (maps.sum((2, 3)) / places / 2**12).float()
