"""What a painting is judged by at one size: its content, place by place, and its manner, over all places.

Moments are sums over places, so a picture that does not fit into memory is judged in tiles: one look at each
adds up the sums, the losses are taken of these, and a second look brings each tile its share of the gradient.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Literal

import torch
from torch import Tensor

from impasto.images import Picture
from impasto.losses.style import TINY, Moments, Wasserstein, gram_distance, moments, total_variation
from impasto.style.canvas import Canvas, Where, cut
from impasto.style.tiles import Tile

Statistics = Literal["gram", "wasserstein"]
Losses = dict[str, Tensor]  # content, style and total
Aim = Callable[[Moments], Tensor]  # the distance to one manner
AIMS: dict[Statistics, Callable[[Moments], Aim]] = {
    "gram": lambda manner: partial(gram_distance, target=manner),
    "wasserstein": Wasserstein,
}
NEAREST = 0.05  # a content's distance to a manner below which it is not told apart from it


@dataclass(frozen=True)
class Weights:
    """How much each part counts.

    Attributes:
        style: of the manner, by layer.
        content: of the content, by layer.
        smooth: of the total variation.
    """

    style: Mapping[int, float]
    content: Mapping[int, float]
    smooth: float = 0.0

    @property
    def layers(self) -> tuple[int, ...]:
        """All layers that are looked at."""
        return tuple(sorted({*self.style, *self.content}))


@dataclass(frozen=True)
class Region:
    """A part of the painting and its manner.

    Attributes:
        manner: the moments that it should have, by layer.
        where: how much each pixel belongs to it; None for the whole painting.
        share: of all the manner's weight.
    """

    manner: Mapping[int, Moments]
    where: Where | None = None
    share: float = 1.0


@dataclass(frozen=True)
class Kept:
    """What a painting should stay like, pixel by pixel: the frame before, moved to where things are now.

    Attributes:
        picture: in [-1, 1].
        where: how sure it is at each pixel.
        weight: of the mean squared difference.
    """

    picture: Picture
    where: Where
    weight: float

    def loss(self, picture: Picture) -> Tensor:
        """How far the painting has left it."""
        apart = (picture - self.picture).square().mean(1)[0] * self.where
        return self.weight * apart.sum() / self.where.sum().clamp(min=1)


class Objective:
    """The losses of a painting, and their gradient.

    Args:
        canvas: the painting's size and how it is looked at.
        content: what should be shown, in [-1, 1].
        regions: what should be painted how.
        weights: how much each part counts.
        statistics: how moments are compared.
        kept: what it should stay like; None for nothing.
    """

    def __init__(
        self,
        canvas: Canvas,
        content: Picture,
        regions: Sequence[Region],
        weights: Weights,
        *,
        statistics: Statistics = "gram",
        kept: Kept | None = None,
    ) -> None:
        self.canvas, self.regions, self.weights, self.kept = canvas, regions, weights, kept
        self.aims = [{n: AIMS[statistics](r.manner[n]) for n in weights.style} for r in regions]
        self.wanted = canvas.features(content, tuple(weights.content))
        self.scales = {n: maps.square().sum().clamp(min=TINY) for n, maps in self.wanted.items()}
        self.places = [
            None if r.where is None else {n: canvas.places(r.where, n) for n in weights.style}
            for r in regions
        ]
        self.ways = [
            self._ways(content, r, aims) for r, aims in zip(regions, self.aims, strict=True)
        ]

    def gradient(self, picture: Picture, shift: tuple[int, int] = (0, 0)) -> tuple[Losses, Picture]:
        """The losses now, and how the total one changes with each pixel.

        Args:
            picture: the painting, in [-1, 1].
            shift: of the grid of tiles, in multiples of 16 pixels, so that no edge stays where it was.
        """
        tiles = self.canvas.tiles(shift)
        leaf = picture.detach().requires_grad_()
        smooth = self.weights.smooth * total_variation(leaf)
        if self.kept is not None:
            smooth = smooth + self.kept.loss(leaf)
        if len(tiles) == 1:
            losses = self._losses(self._sums(leaf, tiles[0]))
            (gradient,) = torch.autograd.grad(losses["total"] + smooth, [leaf])
        else:
            sums = [part.requires_grad_() for part in self._all_sums(picture, tiles)]
            losses = self._losses(sums)
            pulls = torch.autograd.grad(losses["total"], sums, materialize_grads=True)
            (gradient,) = torch.autograd.grad(smooth, [leaf], materialize_grads=True)
            for tile in tiles:
                part = cut(picture, tile).detach().requires_grad_()
                pulled = [
                    (own, pull)
                    for own, pull in zip(self._sums(part, tile), pulls, strict=True)
                    if own.requires_grad  # the number of places does not
                ]
                outputs, weights = zip(*pulled, strict=True)
                (share,) = torch.autograd.grad(outputs, [part], weights)
                cut(gradient, tile).add_(share)
        return {name: loss.detach() for name, loss in losses.items()}, gradient

    def losses(self, picture: Picture) -> Losses:
        """The losses now."""
        return self._losses(self._all_sums(picture, self.canvas.tiles()))

    @torch.no_grad()
    def _all_sums(self, picture: Picture, tiles: Sequence[Tile]) -> list[Tensor]:
        looks = (self._sums(cut(picture, tile), tile) for tile in tiles)
        total = next(looks)
        for look in looks:
            total = [one + other for one, other in zip(total, look, strict=True)]
        return total

    def _sums(self, part: Picture, tile: Tile) -> list[Tensor]:
        """What adds up over tiles: differences of content by layer, then moments by region and layer."""
        seen = self.canvas.look(part, tile, self.weights.layers)
        found = [
            (seen[n] - self.canvas.part(self.wanted[n], tile, n)).square().sum()
            for n in self.weights.content
        ]
        for places in self.places:
            for n in self.weights.style:
                where = None if places is None else self.canvas.part(places[n], tile, n)
                found += moments(seen[n], where)
        return found

    @torch.no_grad()
    def _ways(self, content: Picture, region: Region, aims: Mapping[int, Aim]) -> dict[int, Tensor]:
        """How far the content is from the manner, by layer.

        The loss is the share of that way which is left. A dark manner, or a flat one, would otherwise be infinitely
        far for being small, and one layer would outweigh all others.
        """
        own = self.canvas.manner(content, tuple(self.weights.style), region.where)
        return {n: aims[n](own[n]).clamp(min=NEAREST) for n in self.weights.style}

    def _losses(self, sums: Sequence[Tensor]) -> Losses:
        told = iter(sums)
        content, style = sums[0].new_zeros(()), sums[0].new_zeros(())
        for n, weight in self.weights.content.items():
            content = content + weight * next(told) / self.scales[n]
        for region, aims, ways in zip(self.regions, self.aims, self.ways, strict=True):
            for n, weight in self.weights.style.items():
                own = Moments(next(told), next(told), next(told))
                left = aims[n](own) / ways[n]
                style = style + region.share * weight * left
        return {"content": content, "style": style, "total": content + style}
