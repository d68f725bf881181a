"""A network that repaints a picture at once: convolutions down, residual blocks, convolutions up.

What differs from style to style is only the scale and the shift behind each normalisation, so that one network
holds many styles, and a mixture of their numbers is a mixture of the styles.

Source: arXiv 1603.08155 (the network), 1607.08022 (instance norm), 1610.07629 (one network for many styles).
"""

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.functional import instance_norm, interpolate, relu

BLOCKS = 5  # residual blocks
STRIDE = 4  # pixels to a place in the middle


class StyledNorm(nn.Module):
    """Instance normalisation whose scale and shift are those of a style, or of a mixture of styles."""

    def __init__(self, channels: int, styles: int) -> None:
        super().__init__()
        self.scale = nn.Parameter(torch.ones(styles, channels))
        self.shift = nn.Parameter(torch.zeros(styles, channels))

    def forward(
        self, maps: Float[Tensor, "n c h w"], mix: Float[Tensor, "n styles"]
    ) -> Float[Tensor, "n c h w"]:
        """The maps, each channel of each picture at the style's deviation and mean."""
        scale, shift = (mix @ each for each in (self.scale, self.shift))
        return instance_norm(maps) * scale[:, :, None, None] + shift[:, :, None, None]


class StyledConvolution(nn.Module):
    """A convolution that mirrors at the border, and its norm; enlarges first where told to."""

    def __init__(
        self, channels: int, out_channels: int, kernel: int, styles: int, *, stride: int = 1, enlarge: int = 1
    ) -> None:  # fmt: skip
        super().__init__()
        self.enlarge = enlarge
        self.convolution = nn.Conv2d(
            channels, out_channels, kernel, stride, kernel // 2, padding_mode="reflect", bias=False
        )
        self.norm = StyledNorm(out_channels, styles)

    def forward(
        self, maps: Float[Tensor, "n c h w"], mix: Float[Tensor, "n styles"]
    ) -> Float[Tensor, "n c2 h2 w2"]:
        """The maps, filtered and normalised."""
        if self.enlarge > 1:  # rather than a transposed convolution, which leaves a checkerboard
            maps = interpolate(maps, scale_factor=float(self.enlarge), mode="nearest")
        normed: Tensor = self.norm(self.convolution(maps), mix)
        return normed


class Residual(nn.Module):
    """Two convolutions, added to what they were given."""

    def __init__(self, channels: int, styles: int) -> None:
        super().__init__()
        self.first = StyledConvolution(channels, channels, 3, styles)
        self.second = StyledConvolution(channels, channels, 3, styles)

    def forward(
        self, maps: Float[Tensor, "n c h w"], mix: Float[Tensor, "n styles"]
    ) -> Float[Tensor, "n c h w"]:
        """The maps, refined."""
        refined: Tensor = self.second(relu(self.first(maps, mix)), mix)
        return maps + refined


class TransferNetwork(nn.Module):
    """Pictures in, paintings out, at any size.

    Args:
        width: channels beside the picture; four times as many in the middle.
        styles: how many it holds.
    """

    def __init__(self, width: int, styles: int) -> None:
        super().__init__()
        self.styles = styles
        self.down = nn.ModuleList(
            [
                StyledConvolution(3, width, 9, styles),
                StyledConvolution(width, 2 * width, 3, styles, stride=2),
                StyledConvolution(2 * width, 4 * width, 3, styles, stride=2),
            ]
        )
        self.middle = nn.ModuleList([Residual(4 * width, styles) for _ in range(BLOCKS)])
        self.up = nn.ModuleList(
            [
                StyledConvolution(4 * width, 2 * width, 3, styles, enlarge=2),
                StyledConvolution(2 * width, width, 3, styles, enlarge=2),
            ]
        )
        self.last = nn.Conv2d(width, 3, 9, padding=4, padding_mode="reflect")

    def forward(
        self, pictures: Float[Tensor, "n 3 h w"], mix: Float[Tensor, "n styles"]
    ) -> Float[Tensor, "n 3 h w"]:
        """The paintings, in [-1, 1].

        Args:
            pictures: in [-1, 1], with sides that are multiples of 4.
            mix: how much of each style; 1 in all.
        """
        maps = pictures
        for layer in self.down:
            maps = relu(layer(maps, mix))
        for block in self.middle:
            maps = block(maps, mix)
        for layer in self.up:
            maps = relu(layer(maps, mix))
        return torch.tanh(self.last(maps))
