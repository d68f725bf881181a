"""What paints in any manner that it is shown: features given another picture's statistics, and a way back to pixels.

Source: arXiv 1703.06868; 1805.03857, section 4.2, for what the way back is shown besides the deepest features.
"""

from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.functional import conv2d, interpolate, relu

from impasto.nn.vgg import VGG

TINY = 1e-5  # added to variances
RIDGE = 1e-2  # of the mean variance, added to all that are whitened

Statistics = tuple[
    Float[Tensor, "n c 1 1"], Float[Tensor, "n c 1 1"]
]  # each channel's mean and deviation


def statistics(maps: Float[Tensor, "n c h w"]) -> Statistics:
    """Each channel's mean and deviation over a picture."""
    deviation = (maps.var((2, 3), correction=0, keepdim=True) + TINY).sqrt()
    return maps.mean((2, 3), keepdim=True), deviation


def adapted(maps: Float[Tensor, "n c h w"], wanted: Statistics) -> Float[Tensor, "n c h w"]:
    """The maps at the mean and deviation that are wanted, channel by channel: equation 8."""
    own, wide = statistics(maps)
    return (maps - own) / wide * wanted[1] + wanted[0]


class Whitening(nn.Module):
    """Features taken uncorrelated: most of what they vary in is a few directions, and pixels are in the others too.

    Args:
        channels: of the features. Until `fit`, they stay as they are.
    """

    center: Float[Tensor, " c"]
    turn: Float[Tensor, "c c"]

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.register_buffer("center", torch.zeros(channels))
        self.register_buffer("turn", torch.eye(channels))

    @torch.no_grad()
    def fit(self, maps: Float[Tensor, "n c h w"]) -> None:
        """From now on features like these come uncorrelated, each with a variance of one at most."""
        flat = maps.transpose(0, 1).flatten(1).double()
        self.center.copy_(flat.mean(1))
        values, vectors = torch.linalg.eigh(flat.cov(correction=0))
        scales = (values.clamp(min=0) + RIDGE * values.mean()).rsqrt()
        self.turn.copy_(scales[:, None] * vectors.T)

    def forward(self, maps: Float[Tensor, "n c h w"]) -> Float[Tensor, "n c h w"]:
        """The features, whitened."""
        return conv2d(maps - self.center[:, None, None], self.turn[:, :, None, None])


def _silenced(module: nn.Module) -> None:
    for values in module.parameters():
        nn.init.zeros_(values)


class Mirror(nn.Module):
    """A VGG's convolutions in the other order, from the features of its last one back to pixels.

    On its way it is shown what the other blocks saw first, too, for edges, which the deepest features hardly tell. For
    colours, which none tells well, what it paints is added to a picture.

    Args:
        encoder: the network that it turns around; its last convolution is the first one of a block.
        width: of its layers in the encoder's, beside the first's input and the picture.
    """

    def __init__(self, encoder: VGG, width: float = 1.0) -> None:
        super().__init__()
        there = {
            int(name): encoder.get_parameter(f"features.{name}.weight").shape
            for name in encoder.features
        }
        firsts = [0, *sorted(encoder.pooled_before)]
        self.whitenings = nn.ModuleList(Whitening(there[number][0]) for number in firsts)
        self.convolutions, self.skips = nn.ModuleList(), nn.ModuleList()
        self.enlarging: list[bool] = []
        given = there[firsts[-1]][0]
        for number, shape in reversed(there.items()):
            before = shape[1]
            out = before if before == 3 else max(8, round(width * before))
            self.convolutions.append(nn.Conv2d(given, out, 3, padding=1, padding_mode="reflect"))
            self.enlarging.append(number in encoder.pooled_before)
            if self.enlarging[-1]:
                self.skips.append(nn.Conv2d(before, out, 1))  # each block ends as wide as it began
            given = out
        for convolution in (*self.convolutions[:-1], *self.skips):
            nn.init.kaiming_normal_(convolution.weight, nonlinearity="relu")
            nn.init.zeros_(convolution.bias)
        self.convolutions[-1].apply(_silenced)  # it begins with the picture that it is given

    def whiten(self, seen: Sequence[Float[Tensor, "n _ _ _"]]) -> None:
        """From now on features like these, behind a picture, come whitened."""
        for whitening, maps in zip(self.whitenings, seen[1:], strict=True):
            assert isinstance(whitening, Whitening)
            whitening.fit(maps)

    def forward(self, seen: Sequence[Float[Tensor, "n _ _ _"]]) -> Float[Tensor, "n 3 h w"]:
        """Pictures, about in [-1, 1].

        Args:
            seen: a picture, and features of the first convolution of each block, the finest first.
        """
        told = [whitening(maps) for whitening, maps in zip(self.whitenings, seen[1:], strict=True)]
        maps: Tensor = told.pop()
        blocks = iter(self.skips)
        last = len(self.convolutions) - 1
        for number, convolution in enumerate(self.convolutions):
            maps = convolution(maps)
            if number < last:
                maps = relu(maps)
            if self.enlarging[number]:
                maps = interpolate(maps, scale_factor=2.0, mode="nearest")
                maps = maps + next(blocks)(told.pop())
        return seen[0] + maps
