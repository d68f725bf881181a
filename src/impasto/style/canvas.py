"""A picture of one size as a network sees it: in one piece, or in tiles that fit into memory."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn.functional import adaptive_avg_pool2d

from impasto.images import Picture
from impasto.losses.style import Moments, moments
from impasto.style.loss_network import LossNetwork
from impasto.style.tiles import Tile, grid

Where = Float[Tensor, "h w"]  # how much each pixel belongs to a region, in [0, 1]


@dataclass(frozen=True)
class Tiling:
    """How a picture is cut that does not fit: side of what counts, and the margin around it, in pixels."""

    side: int
    margin: int

    @property
    def pixels(self) -> int:
        """That are looked at together."""
        return (self.side + 2 * self.margin) ** 2


@dataclass(frozen=True)
class Canvas:
    """A size of pictures, and how a network looks at them.

    Attributes:
        tiling: None for in one piece.
    """

    network: LossNetwork
    height: int
    width: int
    tiling: Tiling | None = None

    def tiles(self, shift: tuple[int, int] = (0, 0)) -> list[Tile]:
        """What is looked at, one after the other; the grid is moved up and left by `shift`."""
        if self.tiling is None:
            whole = (0, 0, self.height, self.width)
            return [Tile(*whole, whole)]
        side, margin = self.tiling.side, self.tiling.margin
        return list(grid(self.height, self.width, side=side, margin=margin, shift=shift))

    def look(self, cut: Picture, tile: Tile, layers: Sequence[int]) -> dict[int, Tensor]:
        """What the network sees of a tile, by layer: only what counts, without the margin."""
        seen = self.network(cut, layers)
        return {n: maps[:, :, *tile.within(self.network.stride(n))] for n, maps in seen.items()}

    def part(self, maps: Tensor, tile: Tile, layer: int) -> Tensor:
        """The tile's part of the whole picture's features at this layer."""
        return maps[..., *tile.among(self.network.stride(layer), self.height, self.width)]

    def places(self, where: Where, layer: int) -> Float[Tensor, "h2 w2"]:
        """How much each place of this layer belongs to a region."""
        return adaptive_avg_pool2d(where[None], self._size(layer))[0]

    @torch.no_grad()
    def features(self, picture: Picture, layers: Sequence[int]) -> dict[int, Tensor]:
        """What the network sees of the whole picture, by layer."""
        whole: dict[int, Tensor] = {}
        if not layers:
            return whole
        for tile, seen in self._seen(picture, layers):
            for n, maps in seen.items():
                if n not in whole:
                    whole[n] = maps.new_empty(1, maps.shape[1], *self._size(n))
                self.part(whole[n], tile, n).copy_(maps)
        return whole

    @torch.no_grad()
    def manner(
        self, picture: Picture, layers: Sequence[int], where: Where | None = None
    ) -> dict[int, Moments]:
        """The moments of what the network sees of the picture, or of a region of it, by layer."""
        found: dict[int, Moments] = {}
        weights = {n: self.places(where, n) for n in layers} if where is not None else {}
        for tile, seen in self._seen(picture, layers):
            for n, maps in seen.items():
                one = moments(maps, self.part(weights[n], tile, n) if weights else None)
                found[n] = found[n].and_of(one) if n in found else one
        return found

    def _seen(
        self, picture: Picture, layers: Sequence[int]
    ) -> Iterator[tuple[Tile, dict[int, Tensor]]]:
        for tile in self.tiles():
            yield tile, self.look(cut(picture, tile), tile, layers)

    def _size(self, layer: int) -> tuple[int, int]:
        stride = self.network.stride(layer)
        return self.height // stride, self.width // stride


def cut(picture: Picture, tile: Tile) -> Picture:
    """What is looked at for a tile."""
    top, left, bottom, right = tile.outer
    return picture[:, :, top:bottom, left:right]
