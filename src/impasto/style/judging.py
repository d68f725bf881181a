"""How far a painting is from its content and from its style, by one yardstick for all ways of painting.

Everything is brought to one size, so that a painting of 400 pixels compares with one of 4,000, and both
distances are shares: 0 for the thing itself, about 1 for something else.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch

from impasto.images import Picture
from impasto.losses.style import TINY, content_distance
from impasto.losses.style import wasserstein as between
from impasto.style.canvas import Canvas
from impasto.style.loss_network import KINDS, LossNetwork
from impasto.style.scene import blended, fitted, resized
from impasto.style.tiles import Tile

SIDE = 384  # pixels on the longest side


@dataclass(frozen=True)
class Distances:
    """Apart, because a painting can be near to one by being far from the other.

    Attributes:
        content: squared difference of what is seen place by place, over the content's square.
        style: squared 2-Wasserstein distance of what is seen anywhere, over the style's second moment; the mean
            over the published layers.
    """

    content: float
    style: float

    @property
    def together(self) -> float:
        """(1 + content) (1 + style): ArtFID's form (arXiv 2207.12280), though not of its distances."""
        return (1 + self.content) * (1 + self.style)

    def to_plain(self) -> dict[str, float]:
        """All three by the names that facts have for them."""
        return {
            "content_distance": round(self.content, 5),
            "style_distance": round(self.style, 5),
            "distances_together": round(self.together, 5),
        }


def onlooker(name: str) -> LossNetwork:
    """The network that tells the distances: of this name, up to its last published layer.

    Raises:
        WeightsError: its weights are not on this machine.
    """
    kind = KINDS[name]
    return LossNetwork.published(name, (*kind.published, kind.content), padding="replicate")


@torch.no_grad()
def distances(
    network: LossNetwork,
    painting: Picture,
    content: Picture,
    styles: Sequence[tuple[Picture, float]],
) -> Distances:
    """The distances of a painting.

    Args:
        network: sees at the published layers and where content is read.
        painting: in [-1, 1], of any size.
        content: of the same shape, though perhaps of another size.
        styles: pictures and their weights.
    """
    height, width = fitted(_size(content), SIDE)
    canvas, kind = Canvas(network, height, width), network.kind
    shown, wanted = (
        canvas.features(resized(each, height, width), (kind.content,))[kind.content]
        for each in (painting, content)
    )
    own = canvas.manner(resized(painting, height, width), kind.published)
    manners = []
    for style, weight in styles:
        size = fitted(_size(style), SIDE)
        manner = Canvas(network, *size).manner(resized(style, *size), kind.published)
        manners.append((weight, manner))
    target = blended(manners)
    apart = [float(between(own[n], target[n])) for n in kind.published]
    return Distances(float(content_distance(shown, wanted)), sum(apart) / len(apart))


def seams(painting: Picture, tiles: Sequence[Tile]) -> float:
    """How much more pixels differ across the edges of tiles than elsewhere: about 1 where no seam can be seen.

    The ratio of mean squared differences of neighbours, along rows and along columns.

    Args:
        painting: in [-1, 1].
        tiles: those that it was painted in, two at least.
    """
    on, off = [], []
    for axis, edges in ((2, {t.top for t in tiles}), (3, {t.left for t in tiles})):
        apart = painting.diff(dim=axis).square().mean([d for d in range(4) if d != axis])
        crossed = torch.zeros(len(apart), dtype=torch.bool)
        crossed[[edge - 1 for edge in edges if edge]] = True
        on.append(apart.cpu()[crossed])
        off.append(apart.cpu()[~crossed])
    return float(torch.cat(on).mean() / torch.cat(off).mean().clamp(min=TINY))


def _size(picture: Picture) -> tuple[int, int]:
    return picture.shape[2], picture.shape[3]
