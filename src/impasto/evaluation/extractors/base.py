"""What all extractors are, and what they share: batches, shapes, loading, stretching.

Features of two extractors can be compared only if name, digest and resizing agree, so all three are told.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Protocol, runtime_checkable

import numpy as np
import torch
from jaxtyping import Float, Float32, UInt8
from torch import Tensor
from torch.nn import functional

from impasto.errors import ConfigError, SourceError
from impasto.images import to_float

Images = UInt8[np.ndarray, "n h w c"] | UInt8[Tensor, "n h w c"]
Features = Float32[np.ndarray, "n d"]
Logits = Float32[np.ndarray, "n k"]

BATCH = 16  # pictures at once; on one core more are no quicker, and each takes some MB

IMAGENET_MEAN = (0.485, 0.456, 0.406)  # of red, green and blue in [0, 1], as most weights expect
IMAGENET_DEVIATION = (0.229, 0.224, 0.225)


@runtime_checkable
class Extractor(Protocol):
    """What turns pictures into features, and says how."""

    @property
    def name(self) -> str:
        """Its name in `EXTRACTORS`, or `onnx:` and the name of its file."""

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


@runtime_checkable
class Classifier(Extractor, Protocol):
    """An extractor whose network also says which of its classes a picture shows."""

    @property
    def classes(self) -> int:
        """How many classes it knows."""

    def logits(self, features: Features) -> Logits:
        """A score for each class, from features alone; softmax makes them probabilities."""


def in_batches(
    images: Images,
    compute: Callable[[UInt8[Tensor, "b h w c"]], Float32[Tensor, "b d"]],
    *,
    batch: int,
    dimensions: int,
) -> Features:
    """Features of all pictures, computed batch by batch; a memory map is read part by part.

    Raises:
        SourceError: the pictures have neither one channel nor three.
    """
    if images.shape[3] not in {1, 3}:
        raise SourceError(
            f"these pictures have {images.shape[3]} channels; give grey ones (1) or RGB (3)"
        )
    found = np.empty((len(images), dimensions), np.float32)
    with torch.inference_mode(), _full_precision():
        for start, part in _parts(images, batch):
            found[start : start + len(part)] = compute(part).cpu().numpy()
    return found


def _parts(images: Images, batch: int) -> Iterator[tuple[int, UInt8[Tensor, "b h w c"]]]:
    for start in range(0, len(images), batch):
        part = images[start : start + batch]
        # Copied, because torch warns of arrays that it cannot write to, such as those of prepared sets.
        yield start, part if isinstance(part, Tensor) else torch.from_numpy(np.array(part))


@contextmanager
def _full_precision() -> Iterator[None]:
    # Graphics cards would round to 10 bits in convolutions, and features differ from card to card.
    with torch.backends.cudnn.flags(
        enabled=torch.backends.cudnn.enabled, deterministic=True, allow_tf32=False
    ):
        yield


def checked_batch(batch: int) -> int:
    """The batch.

    Raises:
        ConfigError: it is too small.
    """
    if batch < 1:
        raise ConfigError(f"batch: {batch} is too small; use 1 or more")
    return batch


def stretched(
    images: UInt8[Tensor, "n h w c"], size: tuple[int, int]
) -> Float32[Tensor, "n c h2 w2"]:
    """The pictures at another height and width in [-1, 1], bicubic and antialiased."""
    pictures = to_float(images)
    if pictures.shape[2:] != size:
        pictures = functional.interpolate(pictures, size, mode="bicubic", antialias=True)
        pictures = pictures.clamp_(-1, 1)  # bicubic overshoots at edges; no picture does
    return pictures


class Normal:
    """What pictures in [-1, 1] become before a network sees them: centred and scaled by channel.

    Args:
        mean: of each channel, for pictures in [0, 1], as they are published.
        deviation: likewise.
        device: where the pictures are.
    """

    def __init__(
        self, mean: Sequence[float], deviation: Sequence[float], device: torch.device
    ) -> None:
        self.mean = torch.tensor(mean, dtype=torch.float32, device=device)[:, None, None] * 2 - 1
        self.deviation = (
            torch.tensor(deviation, dtype=torch.float32, device=device)[:, None, None] * 2
        )

    def __call__(self, pictures: Float[Tensor, "n c h w"]) -> Float[Tensor, "n c2 h w"]:
        """The pictures as the network learned with them; grey ones get as many channels as there are means."""
        return (pictures - self.mean) / self.deviation
