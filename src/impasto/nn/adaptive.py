"""What paints in any manner that it is shown: features given another picture's statistics, and a way back to pixels.

Source: arXiv 1703.06868.
"""

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


class Mirror(nn.Module):
    """A VGG's convolutions in the other order, from the features of its last one back to pixels.

    Features are whitened first: most of what they vary in is a few directions, and pixels are in the others too.

    Args:
        encoder: the network that it turns around.
        width: of its layers in the encoder's, beside the first's input and the picture.
    """

    center: Float[Tensor, " c"]
    whitening: Float[Tensor, "c c"]

    def __init__(self, encoder: VGG, width: float = 1.0) -> None:
        super().__init__()
        self.convolutions = nn.ModuleList()
        self.enlarging: list[bool] = []
        there = [
            (name, encoder.get_parameter(f"features.{name}.weight").shape)
            for name in encoder.features
        ]
        given = there[-1][1][0]
        for name, shape in reversed(there):
            before = shape[1]
            out = before if before == 3 else max(8, round(width * before))
            self.convolutions.append(nn.Conv2d(given, out, 3, padding=1, padding_mode="reflect"))
            self.enlarging.append(int(name) in encoder.pooled_before)
            given = out
        for convolution in self.convolutions[:-1]:
            nn.init.kaiming_normal_(convolution.weight, nonlinearity="relu")  # type: ignore[arg-type]
            nn.init.zeros_(convolution.bias)  # type: ignore[arg-type]
        channels = there[-1][1][0]
        self.register_buffer("center", torch.zeros(channels))
        self.register_buffer("whitening", torch.eye(channels))

    @torch.no_grad()
    def whiten(self, maps: Float[Tensor, "n c h w"]) -> None:
        """From now on features like these are taken uncorrelated, each with a variance of one at most."""
        flat = maps.transpose(0, 1).flatten(1).double()
        self.center.copy_(flat.mean(1))
        values, vectors = torch.linalg.eigh(flat.cov(correction=0))
        scales = (values.clamp(min=0) + RIDGE * values.mean()).rsqrt()
        self.whitening.copy_(scales[:, None] * vectors.T)

    def forward(self, maps: Float[Tensor, "n c h w"]) -> Float[Tensor, "n 3 h2 w2"]:
        """Pictures, about in [-1, 1]."""
        maps = conv2d(maps - self.center[:, None, None], self.whitening[:, :, None, None])
        last = len(self.convolutions) - 1
        for number, convolution in enumerate(self.convolutions):
            maps = convolution(maps)
            if number < last:
                maps = relu(maps)
            if self.enlarging[number]:
                maps = interpolate(maps, scale_factor=2.0, mode="nearest")
        return maps
