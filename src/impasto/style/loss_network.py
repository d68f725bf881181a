"""The loss network, which sees content and manner: a frozen VGG with its weights, normalisation and layers.

VGG-19 is the published one; where its half a gigabyte is not on this machine, a VGG-16 of thirty megabytes
stands in. Layers go by the numbers that torchvision's files give them.
"""

import json
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import torch
from jaxtyping import Float
from safetensors import safe_open
from torch import Tensor, nn

from impasto.errors import WeightsError
from impasto.nn.blocks import outlined, placed
from impasto.nn.pretrained import find, require
from impasto.nn.vgg import VGG, Depth, Padding, Pooling, multiply_adds, normalised, reach, stride
from impasto.nn.weights import read_published

NetworkName = Literal["auto", "vgg-19", "vgg16-hed"]
IMAGENET = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
BACKWARD = 1.0  # of the forward cost: gradients are taken for pixels, not for weights


@dataclass(frozen=True)
class Kind:
    """A published VGG: its depth, and the layers that manner and content are read from.

    Attributes:
        published: the five layers of the loop as published, or the corresponding ones.
        style: the first convolution of each of the five blocks, from fine to coarse.
        content: where what is shown is read.
    """

    depth: Depth
    published: tuple[int, ...]
    style: tuple[int, ...]
    content: int


KINDS: dict[str, Kind] = {
    "vgg-19": Kind(19, (0, 5, 10, 19, 28), (0, 5, 10, 19, 28), 21),
    "vgg16-hed": Kind(16, (0, 5, 10, 17, 24), (0, 5, 10, 17, 24), 19),
}


class LossNetwork(nn.Module):
    """A frozen VGG that is shown pictures in [-1, 1].

    Args:
        network: what sees.
        kind: which layers of it say what.
        mean: of the pixels in [0, 1] that it learnt from, by channel.
        deviation: of the same.
    """

    def __init__(
        self,
        network: VGG,
        kind: Kind,
        mean: tuple[float, ...] = IMAGENET[0],
        deviation: tuple[float, ...] = IMAGENET[1],
    ) -> None:
        super().__init__()
        self.network, self.kind, self.mean, self.deviation = network, kind, mean, deviation
        # A network of ReLUs that is shown pixels k times as large sees features about k times as large.
        self.units = sum(IMAGENET[1]) / sum(deviation)

    @classmethod
    def published(
        cls,
        name: str,
        layers: Collection[int],
        *,
        pooling: Pooling = "max",
        padding: Padding = "zeros",
        device: torch.device | None = None,
    ) -> "LossNetwork":
        """A network with its published weights.

        Args:
            name: in `KINDS`.
            layers: the numbers of the layers that will be asked for; what lies behind them is not built.
            pooling: maximum as published, or average.
            padding: zeros as published, or the border once more.
            device: where it computes; the CPU by default.

        Raises:
            WeightsError: its weights are not on this machine; the message says how to get them.
            DamagedFile: the file of weights is not the published one.
        """
        kind, path = KINDS[name], require(name)
        with outlined():
            network = VGG(kind.depth, max(layers), pooling=pooling, padding=padding)
        network.load(read_published(path))
        known = _normalisation(path) if path.suffix == ".safetensors" else IMAGENET
        placed(network, device or torch.device("cpu"))
        return cls(network, kind, *known)

    def forward(
        self, pictures: Float[Tensor, "n 3 h w"], layers: Collection[int]
    ) -> dict[int, Tensor]:
        """What the network sees in the pictures at these layers, `n c h w`, in the units of VGG-19."""
        seen: dict[int, Tensor] = self.network(
            normalised(pictures, self.mean, self.deviation), layers
        )
        return seen if self.units == 1 else {n: maps / self.units for n, maps in seen.items()}

    @property
    def layers(self) -> tuple[int, ...]:
        """The layers that it has, up to the last one that is needed."""
        return tuple(int(number) for number in self.network.features)

    def channels(self, layer: int) -> int:
        """How many features this layer sees."""
        return self.network.get_parameter(f"features.{layer}.weight").shape[0]

    def stride(self, layer: int) -> int:
        """Pixels to a place of this layer, along each side."""
        return stride(self.kind.depth, layer)

    def reach(self, layer: int) -> int:
        """Pixels beside those of a place that decide what this layer sees there, on each side."""
        return reach(self.kind.depth, layer)

    def flops(self, last: int, height: int, width: int) -> float:
        """Operations of one look at a picture and back to its pixels, a multiply-add being two."""
        return 2 * (1 + BACKWARD) * multiply_adds(self.kind.depth, last, height, width)


def network_name(wanted: NetworkName) -> NetworkName:
    """Which network to use, where `auto` may have been said.

    Raises:
        WeightsError: the weights of neither are on this machine.
    """
    if wanted != "auto":
        return wanted
    if find("vgg-19") is None and find("vgg16-hed") is not None:
        return "vgg16-hed"
    try:
        require("vgg-19")
    except WeightsError as error:
        raise WeightsError(
            f"{error}; vgg16-hed.safetensors (30 MB) in such a folder does too"
        ) from None
    return "vgg-19"


def _normalisation(path: Path) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Mean and deviation as the file's header tells them, of pixels in [0, 1]."""
    with safe_open(path, framework="pt") as file:
        told = file.metadata() or {}
    try:
        return tuple(json.loads(told["mean"])), tuple(json.loads(told["std"]))
    except (KeyError, ValueError):
        raise WeightsError(
            f"{path}: its header does not say how pictures are normalised (mean, std); get the published file"
        ) from None
