"""VGG: columns of 3x3 convolutions whose features are what painting in somebody's manner is judged by.

impasto does not train it. It reads weights that others have published, freezes them, and stops after the
last layer that anybody asks for. Layers bear torchvision's numbers: `features.5` is convolution 5, the first
of the second block, and what is told of it is what comes out of the ReLU behind it.
"""

from collections.abc import Collection, Iterator, Mapping
from itertools import accumulate
from typing import Literal

from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional

Depth = Literal[16, 19]
Pooling = Literal["max", "average"]
Padding = Literal["zeros", "replicate"]

CHANNELS = (64, 128, 256, 512, 512)
REPEATS: dict[Depth, tuple[int, ...]] = {16: (2, 2, 3, 3, 3), 19: (2, 2, 4, 4, 4)}
AVERAGE_GAIN = 2.0  # an average of four is about half of their maximum
LEAST = 2 ** (len(CHANNELS) - 1)  # pixels on a side, to get past the last pooling


class VGG(nn.Module):
    """VGG's convolutions up to and including layer `last`, frozen.

    Args:
        depth: 16 or 19.
        last: the number of the last convolution that is needed; those behind it are left out.
        pooling: the published network's maximum, or an average, which passes gradients to every pixel.
        padding: the published network's zeros, or the border once more, which leaves no frame in a painting.

    Source: arXiv 1409.1556, table 1 (D and E).

    Raises:
        ValueError: there is no convolution of that number.
    """

    def __init__(
        self, depth: Depth, last: int, *, pooling: Pooling = "max", padding: Padding = "zeros"
    ) -> None:
        super().__init__()
        numbers = list(convolutions(depth))
        if last not in numbers:
            raise ValueError(f"VGG-{depth} has no convolution {last}, only {numbers}")
        self.depth, self.pooling, self.padding = depth, pooling, padding
        self.features = nn.ModuleDict()
        self.pooled_before = set()
        width, number = 3, 0
        for channels, repeats in zip(CHANNELS, REPEATS[depth], strict=True):
            for repeat in range(repeats):
                if number > last:
                    break
                if repeat == 0 and number:
                    self.pooled_before.add(number)
                self.features[str(number)] = nn.Conv2d(
                    width, channels, 3, padding=1, padding_mode=padding
                )
                width, number = channels, number + 2
            number += 1  # the pooling
        self.eval().requires_grad_(requires_grad=False)

    def forward(
        self, pictures: Float[Tensor, "n 3 h w"], layers: Collection[int]
    ) -> dict[int, Tensor]:
        """What the network sees at each of these layers, `n c h w`, in the order of the network.

        Args:
            pictures: normalised as the weights want it; sides of 16 pixels at least for the last block.
            layers: numbers of convolutions, none behind `last`.
        """
        seen: dict[int, Tensor] = {}
        last = max(layers)
        for name, convolution in self.features.items():
            number = int(name)
            if number > last:
                break
            if number in self.pooled_before:
                pictures = self._pool(pictures)
            pictures = functional.relu(convolution(pictures), inplace=True)
            if number in layers:
                seen[number] = pictures
        return seen

    def load(self, state: Mapping[str, Tensor]) -> None:
        """Takes the weights it needs from a published state, whose keys are `features.N.weight` and so on."""
        own = {
            f"features.{number}.{part}": state[f"features.{number}.{part}"].float()
            for number in self.features
            for part in ("weight", "bias")
        }
        self.load_state_dict(own, assign=True)
        self.requires_grad_(requires_grad=False)

    def _pool(self, maps: Tensor) -> Tensor:
        if self.pooling == "max":
            return functional.max_pool2d(maps, 2)
        return functional.avg_pool2d(maps, 2) * AVERAGE_GAIN


def convolutions(depth: Depth) -> Iterator[int]:
    """The numbers of a network's convolutions: each is followed by a ReLU, and each block by a pooling."""
    number = 0
    for repeats in REPEATS[depth]:
        yield from range(number, number + 2 * repeats, 2)
        number += 2 * repeats + 1


def stride(depth: Depth, layer: int) -> int:
    """Pixels to a place of this layer, along each side."""
    ends = accumulate(2 * repeats + 1 for repeats in REPEATS[depth])
    return int(2 ** sum(end <= layer for end in ends))


def reach(depth: Depth, layer: int) -> int:
    """Pixels beside those of a place that decide what this layer sees there, on each side."""
    return sum(stride(depth, number) for number in convolutions(depth) if number <= layer)


def multiply_adds(depth: Depth, last: int, height: int, width: int) -> int:
    """How many a picture of this size takes on its way forward to layer `last`."""
    total, number, before = 0, 0, 3
    for channels, repeats in zip(CHANNELS, REPEATS[depth], strict=True):
        for _ in range(repeats):
            if number > last:
                return total
            total += 9 * before * channels * height * width
            before, number = channels, number + 2
        number, height, width = number + 1, height // 2, width // 2
    return total


def normalised(
    pictures: Float[Tensor, "n 3 h w"], mean: tuple[float, ...], deviation: tuple[float, ...]
) -> Float[Tensor, "n 3 h w"]:
    """Pictures in [-1, 1] as a network wants them that learnt from pixels in [0, 1] less a mean, over a deviation."""
    shift = pictures.new_tensor(mean).mul(2).sub(1)[:, None, None]
    scale = pictures.new_tensor(deviation).mul(2)[:, None, None]
    return (pictures - shift) / scale
