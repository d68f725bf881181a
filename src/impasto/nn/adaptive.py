"""What paints in any manner that it is shown: a transfer network whose norms take their scales from a painting.

A painting is told by the means and deviations of its features. A small network makes a code of them, in place of the
number of a style that was learnt by heart, and each normalisation of the network that paints takes its scale and shift
from the code.

Source: arXiv 1703.06868 (adaptive instance normalisation); 1705.06830 (scales and shifts from a code of the style).
Differs: the code is of the statistics themselves, by layer; pixels are a layer too, and the painting is given the
means and deviations of the style's, so that any manner has its colours.
"""

from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.functional import relu

from impasto.nn.transfer import StyledNorm, TransferNetwork

TINY = 1e-5  # added to variances
HIDDEN = 64  # channels between statistics and code
VARIED = 0.2  # how far scales and shifts go by the code at first
FAR = 3.0  # of its usual spread: statistics that are further off count as that
LEAST = 1e-3  # the spread of statistics that hardly vary

Statistics = tuple[
    Float[Tensor, "n c 1 1"], Float[Tensor, "n c 1 1"]
]  # each channel's mean and deviation
# Of pixels, and of features by layer, the finest first
Manner = tuple[tuple[Float[Tensor, "_ _ 1 1"], Float[Tensor, "_ _ 1 1"]], ...]


def statistics(maps: Float[Tensor, "n c h w"]) -> Statistics:
    """Each channel's mean and deviation over a picture."""
    deviation = (maps.var((2, 3), correction=0, keepdim=True) + TINY).sqrt()
    return maps.mean((2, 3), keepdim=True), deviation


def adapted(maps: Float[Tensor, "n c h w"], wanted: Statistics) -> Float[Tensor, "n c h w"]:
    """The maps at the mean and deviation that are wanted, channel by channel: equation 8."""
    own, wide = statistics(maps)
    return (maps - own) / wide * wanted[1] + wanted[0]


class StyleCode(nn.Module):
    """Few numbers for a manner, of many: the means and deviations of features by layer.

    Args:
        channels: of the layers.
        codes: how many numbers, behind a first one that is always 1.
    """

    center: Float[Tensor, " d"]
    spread: Float[Tensor, " d"]

    def __init__(self, channels: Sequence[int], codes: int) -> None:
        super().__init__()
        told = 2 * sum(channels)
        self.register_buffer("center", torch.zeros(told))
        self.register_buffer("spread", torch.ones(told))
        self.first = nn.Linear(told, HIDDEN)
        self.second = nn.Linear(HIDDEN, codes)

    @torch.no_grad()
    def fit(self, manner: Manner) -> None:
        """From now on a manner is told by how it differs from what is usual among these, two at least."""
        told = torch.cat(_flat(manner), 1)
        self.center.copy_(told.mean(0))
        self.spread.copy_(told.std(0).clamp(min=LEAST))

    def forward(self, manner: Manner) -> Float[Tensor, "n codes"]:
        """The codes of manners, each layer counting alike in them."""
        told = _flat(manner)
        alike = torch.cat([torch.full_like(each, each.shape[1] ** -0.5) for each in told], 1)
        unusual = ((torch.cat(told, 1) - self.center) / self.spread).clamp(-FAR, FAR)
        code = self.second(relu(self.first(unusual * alike)))
        return torch.cat([torch.ones_like(code[:, :1]), code], 1)


def _flat(manner: Manner) -> list[Float[Tensor, "n _"]]:
    """By layer, for deviations are as often half as they are twice the usual: their logarithms."""
    return [torch.cat([mean, wide.log()], 1).flatten(1) for mean, wide in manner]


class AdaptivePainter(nn.Module):
    """Pictures and the statistics of manners in, paintings out, at any size.

    Args:
        width: of the transfer network: channels beside the picture.
        channels: of the layers that a manner is told by; the first are pixels.
        codes: numbers that it knows a manner by.
    """

    def __init__(self, width: int, channels: Sequence[int], codes: int) -> None:
        super().__init__()
        self.code, self.transfer = StyleCode(channels, codes), TransferNetwork(width, codes + 1)
        for module in self.transfer.modules():
            if isinstance(module, StyledNorm):
                for part in (module.scale, module.shift):
                    nn.init.normal_(part[1:], std=VARIED)

    def forward(
        self, pictures: Float[Tensor, "n 3 h w"], manner: Manner
    ) -> Float[Tensor, "n 3 h w"]:
        """The paintings, about in [-1, 1], their pixels at the means and deviations of the styles'.

        Args:
            pictures: in [-1, 1], with sides that are multiples of 4.
            manner: means and deviations by layer, the first those of pixels.
        """
        return adapted(self.transfer(pictures, self.code(manner)), manner[0])
