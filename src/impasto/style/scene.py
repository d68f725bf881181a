"""What is to be painted, at any size: the content, and the manner of each of its parts."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from jaxtyping import UInt8
from torch import Tensor
from torch.nn.functional import interpolate

from impasto.images import Picture, to_uint8
from impasto.losses.style import Moments
from impasto.style.canvas import Canvas, Tiling, Where
from impasto.style.loss_network import LossNetwork
from impasto.style.objective import Region

LARGEST_PREVIEW = 800  # pixels on the longest side
LEAST_SIDE = 16  # pixels, to get through all of the network's poolings


@dataclass(frozen=True)
class Style:
    """A picture whose manner is taken.

    Attributes:
        weight: beside the other styles of the same part.
        where: which part of it the manner is taken from; None for all of it.
    """

    picture: Picture
    weight: float = 1.0
    where: Where | None = None


@dataclass(frozen=True)
class Part:
    """A part of the painting and the styles that it has.

    Attributes:
        where: in the content, at the content's size; None for all of it.
    """

    styles: Sequence[Style]
    where: Where | None = None


@dataclass(frozen=True)
class Scene:
    """The content and its parts.

    Attributes:
        content: at the size of the painting in the end.
        scale: the styles' longest side, in the painting's: brush strokes are as large.
        paint: how much of each pixel may be painted; the rest stays content. None for all.
    """

    content: Picture
    parts: Sequence[Part]
    scale: float = 1.0
    paint: Where | None = None

    @property
    def weighed(self) -> int:
        """How many parts are not the whole painting."""
        return sum(part.where is not None for part in self.parts)

    def at(self, height: int, width: int) -> "Scene":
        """The same at another size of the painting."""
        return replace(
            self,
            content=resized(self.content, height, width),
            parts=[replace(p, where=_resized(p.where, height, width)) for p in self.parts],
            paint=_resized(self.paint, height, width),
        )

    def to(self, device: torch.device) -> "Scene":
        """The same on a device."""
        parts = [
            Part(
                [Style(s.picture.to(device), s.weight, _moved(s.where, device)) for s in p.styles],
                _moved(p.where, device),
            )
            for p in self.parts
        ]
        return Scene(self.content.to(device), parts, self.scale, _moved(self.paint, device))

    def regions(
        self, network: LossNetwork, layers: Sequence[int], tiling: Tiling | None
    ) -> list[Region]:
        """What each part should look like at the content's present size."""
        longest = self.scale * max(self.content.shape[2:])
        shares = [1.0 if p.where is None else float(p.where.mean()) for p in self.parts]
        return [
            Region(
                blended(
                    [(s.weight, _manner(s, longest, network, layers, tiling)) for s in p.styles]
                ),
                p.where,
                share / sum(shares),
            )
            for p, share in zip(self.parts, shares, strict=True)
            if share > 0
        ]

    def covered(self, painting: Picture) -> Picture:
        """The painting where it may be painted, and the content elsewhere."""
        return painting if self.paint is None else torch.lerp(self.content, painting, self.paint)


def fitted(
    size: tuple[int, int], longest: float, *, step: int = 1, enlarged: bool = True
) -> tuple[int, int]:
    """Height and width of the same shape with so many pixels on the longest side.

    Args:
        size: height and width.
        longest: pixels.
        step: both are multiples of it.
        enlarged: whether it may be larger than it is.
    """
    share = longest / max(size) if enlarged else min(1.0, longest / max(size))
    least = -(-LEAST_SIDE // step)
    height, width = (max(least, round(side * share / step)) * step for side in size)
    return height, width


def resized(picture: Picture, height: int, width: int) -> Picture:
    """The picture at another size, in [-1, 1]."""
    if picture.shape[2:] == (height, width):
        return picture
    return interpolate(picture, (height, width), mode="bicubic", antialias=True).clamp(-1, 1)


def preview(picture: Picture, height: int, width: int) -> UInt8[np.ndarray, "1 h w 3"]:
    """The picture as large as it will be, or as a screen shows, whatever its size is now."""
    share = min(1.0, LARGEST_PREVIEW / max(height, width))
    shown = resized(picture, round(height * share), round(width * share))
    return to_uint8(shown).cpu().numpy()


def blended(manners: Sequence[tuple[float, dict[int, Moments]]]) -> dict[int, Moments]:
    """The moments of several pictures as of one that shows so much of each."""
    total = sum(weight for weight, _ in manners)
    found: dict[int, Moments] = {}
    for weight, manner in manners:
        for layer, told in manner.items():
            part = told.times(weight / total / float(told.places))
            found[layer] = found[layer].and_of(part) if layer in found else part
    return found


def _manner(
    style: Style,
    longest: float,
    network: LossNetwork,
    layers: Sequence[int],
    tiling: Tiling | None,
) -> dict[int, Moments]:
    """A style's moments, seen at so many pixels, but never enlarged beyond what it has."""
    tall, wide = style.picture.shape[2:]
    height, width = fitted((tall, wide), longest, enlarged=False)
    where = _resized(style.where, height, width)
    canvas = Canvas(network, height, width, tiling)
    return canvas.manner(resized(style.picture, height, width), layers, where)


def _moved(where: Where | None, device: torch.device) -> Tensor | None:
    return None if where is None else where.to(device)


def _resized(where: Where | None, height: int, width: int) -> Tensor | None:
    if where is None or where.shape == (height, width):
        return where
    return interpolate(where[None, None], (height, width), mode="area")[0, 0]
