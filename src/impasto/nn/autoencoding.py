"""Encoders and decoders of pictures of any side from 8 pixels: strided convolutions with a residual block at each size.

Norms are group norms, so that a picture's code does not depend on the batch that it comes in. Sides are
halved, rounding down, until another halving would leave less than 4; the decoder goes back by the same
sides.
"""

from itertools import pairwise

import torch
from jaxtyping import Float
from torch import Tensor, nn

from impasto.nn.blocks import beside, joined
from impasto.types import ImageShape

WIDEST = 8  # times the width beside the picture
COARSEST = 4  # pixels


def sides(size: int) -> list[int]:
    """The sides that a picture is reduced to, its own first."""
    found = [size]
    while found[-1] // 2 >= COARSEST:
        found.append(found[-1] // 2)
    return found


def widths(size: int, width: int) -> list[int]:
    """Channels at each side but the picture's own."""
    return [width * min(2**level, WIDEST) for level in range(len(sides(size)) - 1)]


class Residual(nn.Module):
    """The input and what two convolutions make of it, each after a norm and an activation.

    Source: arXiv 1603.05027, figure 1 (b).
    """

    def __init__(self, width: int) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            *_activated(width),
            nn.Conv2d(width, width, 3, padding=1),
            *_activated(width),
            nn.Conv2d(width, width, 3, padding=1),
        )
        nn.init.zeros_(self.layers[-1].weight)  # type: ignore[arg-type]

    def forward(self, input: Float[Tensor, "n c h w"]) -> Float[Tensor, "n c h w"]:  # noqa: A002
        """The sum of both."""
        out: Tensor = input + self.layers(input)
        return out


class Encoder(nn.Module):
    """Pictures, with what is known of them, to numbers."""

    def __init__(self, shape: ImageShape, width: int, outputs: int, conditions: int = 0) -> None:
        super().__init__()
        self.conditions = conditions
        ladder, channels = sides(shape.size), widths(shape.size, width)
        layers: list[nn.Module] = []
        before = shape.channels + conditions
        for after in channels:
            layers += [nn.Conv2d(before, after, 4, stride=2, padding=1), Residual(after)]
            before = after
        self.layers = nn.Sequential(*layers, *_activated(before), nn.Flatten())
        self.last = nn.Linear(before * ladder[-1] ** 2, outputs)

    def forward(
        self, images: Float[Tensor, "n c h w"], known: Float[Tensor, "n k"]
    ) -> Float[Tensor, "n z"]:
        """The numbers; what is known is laid beside the picture as constant channels, if it is looked at."""
        if self.conditions:
            images = beside(images, known)
        out: Tensor = self.last(self.layers(images))
        return out


class Decoder(nn.Module):
    """Numbers, with what is known of a picture, to the picture.

    What is known may be joined again at every layer, as constant channels before each enlargement.
    """

    def __init__(self, shape: ImageShape, width: int, inputs: int, conditions: int = 0) -> None:
        super().__init__()
        self.conditions = conditions
        ladder, channels = sides(shape.size)[::-1], widths(shape.size, width)[::-1]
        self.start = (channels[0], ladder[0], ladder[0])
        self.first = nn.Linear(inputs, channels[0] * ladder[0] ** 2)
        self.blocks = nn.ModuleList(Residual(count) for count in channels)
        self.enlarge = nn.ModuleList(
            nn.ConvTranspose2d(
                before + conditions, after, 4, 2, 1, output_padding=larger - 2 * side
            )
            for before, after, (side, larger) in zip(
                channels, [*channels[1:], channels[-1]], pairwise(ladder), strict=True
            )
        )
        self.last = nn.Sequential(
            *_activated(channels[-1]), nn.Conv2d(channels[-1], shape.channels, 3, padding=1)
        )

    def forward(
        self, latents: Float[Tensor, "n z"], known: Float[Tensor, "n k"]
    ) -> Float[Tensor, "n c h w"]:
        """Pictures without a bound."""
        out: Tensor = self.first(joined(latents, known)).view(-1, *self.start)
        for block, enlarge in zip(self.blocks, self.enlarge, strict=True):
            out = block(out)
            out = enlarge(beside(out, known) if self.conditions else out)
        shown: Tensor = self.last(out)
        return shown


class SpatialEncoder(nn.Module):
    """Pictures to a small map of latents, told as one row: codes that keep their place."""

    def __init__(self, shape: ImageShape, width: int, channels: int, halvings: int) -> None:
        super().__init__()
        layers: list[nn.Module] = [nn.Conv2d(shape.channels, width, 3, padding=1)]
        before = width
        for level in range(halvings):
            after = width * min(2 ** (level + 1), WIDEST)
            layers += [nn.Conv2d(before, after, 4, stride=2, padding=1), Residual(after)]
            before = after
        self.layers = nn.Sequential(
            *layers, *_activated(before), nn.Conv2d(before, 2 * channels, 1)
        )

    def forward(
        self, images: Float[Tensor, "n c h w"], known: Float[Tensor, "n k"]
    ) -> Float[Tensor, "n z"]:
        """Means, then log-variances."""
        del known
        mean, log_variance = self.layers(images).chunk(2, 1)
        return torch.cat([mean.flatten(1), log_variance.flatten(1)], 1)


class SpatialDecoder(nn.Module):
    """A map of latents, told as one row, to a picture."""

    def __init__(self, shape: ImageShape, width: int, channels: int, halvings: int) -> None:
        super().__init__()
        levels = range(halvings, -1, -1)
        ladder = [shape.size >> level for level in levels]
        self.start = (channels, ladder[0], ladder[0])
        widths_ = [width * min(2**level, WIDEST) for level in levels]
        layers: list[nn.Module] = [nn.Conv2d(channels, widths_[0], 3, padding=1)]
        for (before, after), (side, larger) in zip(
            pairwise(widths_), pairwise(ladder), strict=True
        ):
            enlarge = nn.ConvTranspose2d(before, after, 4, 2, 1, output_padding=larger - 2 * side)
            layers += [Residual(before), enlarge]
        self.layers = nn.Sequential(*layers, *_activated(widths_[-1]))
        self.last = nn.Conv2d(widths_[-1], shape.channels, 3, padding=1)

    def forward(
        self, latents: Float[Tensor, "n z"], known: Float[Tensor, "n k"]
    ) -> Float[Tensor, "n c h w"]:
        """Pictures without a bound."""
        del known
        out: Tensor = self.last(self.layers(latents.reshape(-1, *self.start)))
        return out


class PatchDiscriminator(nn.Module):
    """Pictures to a logit for each patch of them.

    Source: arXiv 1611.07004, section 3.2.2.
    """

    def __init__(self, shape: ImageShape, width: int, halvings: int = 2) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        before = shape.channels
        for level in range(halvings):
            after = width * 2**level
            layers += [nn.Conv2d(before, after, 4, stride=2, padding=1)]
            layers += [nn.LeakyReLU(0.2, inplace=True)]
            before = after
        layers += [nn.Conv2d(before, 2 * before, 3, padding=1), nn.LeakyReLU(0.2, inplace=True)]
        self.layers = nn.Sequential(*layers, nn.Conv2d(2 * before, 1, 3, padding=1, bias=False))

    def forward(self, images: Float[Tensor, "n c h w"]) -> Float[Tensor, "n h2 w2"]:
        """Logits; positive means real."""
        out: Tensor = self.layers(images)
        return out[:, 0]


class LinearEncoder(nn.Module):
    """One matrix."""

    def __init__(self, shape: ImageShape, outputs: int) -> None:
        super().__init__()
        self.layer = nn.Linear(shape.channels * shape.size**2, outputs)

    def forward(
        self, images: Float[Tensor, "n c h w"], known: Float[Tensor, "n k"]
    ) -> Float[Tensor, "n z"]:
        """Codes."""
        del known
        out: Tensor = self.layer(images.flatten(1))
        return out


class LinearDecoder(nn.Module):
    """One matrix back."""

    def __init__(self, shape: ImageShape, inputs: int) -> None:
        super().__init__()
        self.shape = (shape.channels, shape.size, shape.size)
        self.layer = nn.Linear(inputs, shape.channels * shape.size**2)

    def forward(
        self, latents: Float[Tensor, "n z"], known: Float[Tensor, "n k"]
    ) -> Float[Tensor, "n c h w"]:
        """Pictures without a bound."""
        out: Tensor = self.layer(joined(latents, known))
        return out.view(-1, *self.shape)


def _activated(width: int) -> list[nn.Module]:
    return [nn.GroupNorm(min(8, width // 4) or 1, width), nn.SiLU()]
