"""Inception v3 as TensorFlow published it on 2015-12-05: the network that scores of pictures are defined by.

impasto does not train it. It reads weights that others have converted and uses what the network says of a
picture before it classifies it: 2,048 numbers. Scores can be compared with published ones only if the
network is this one to the letter, so its oddities are kept: how it resizes, which pooling its last block
does, and that it knows 1,008 classes.

Modules are named so that the converted state loads as it is, key for key.
"""

from collections.abc import Callable
from typing import NamedTuple

import torch
from jaxtyping import Float, Float32
from torch import Tensor, nn
from torch.nn import functional

SIDE = 299  # pixels
FEATURES = 2048
CLASSES = 1008  # ImageNet's 1,000 and some that were never used


def averaged(maps: Float[Tensor, "n c h w"]) -> Float[Tensor, "n c h w"]:
    """The mean of every 3x3 neighbourhood; at borders, of what there is."""
    return functional.avg_pool2d(maps, 3, stride=1, padding=1, count_include_pad=False)


def largest(maps: Float[Tensor, "n c h w"]) -> Float[Tensor, "n c h w"]:
    """The maximum of every 3x3 neighbourhood."""
    return functional.max_pool2d(maps, 3, stride=1, padding=1)


def halved(maps: Float[Tensor, "n c h w"]) -> Float[Tensor, "n c h2 w2"]:
    """The maximum of every other 3x3 neighbourhood, none of them beyond the border."""
    return functional.max_pool2d(maps, 3, stride=2)


class Step(NamedTuple):
    """A convolution: those of stride 1 keep the size, those of stride 2 stay within the border."""

    channels: int
    kernel: tuple[int, int] = (1, 1)
    stride: int = 1


class Fork(NamedTuple):
    """Two convolutions of the same maps, side by side: the end of a path."""

    left: Step
    right: Step


class Path(NamedTuple):
    """One of the ways through a block: perhaps a pooling, then convolutions one after another."""

    name: str
    steps: tuple[Step | Fork, ...] = ()
    pool: Callable[[Tensor], Tensor] | None = None


SQUARE, WIDE_3, TALL_3, WIDE_7, TALL_7 = (3, 3), (1, 3), (3, 1), (1, 7), (7, 1)


def grid_35(pooled: int) -> tuple[Path, ...]:
    """The block for maps of 35x35. Source: arXiv 1512.00567, figure 5, with one 5x5 left whole."""
    return (
        Path("branch1x1", (Step(64),)),
        Path("branch5x5", (Step(48), Step(64, (5, 5)))),
        Path("branch3x3dbl", (Step(64), Step(96, SQUARE), Step(96, SQUARE))),
        Path("branch_pool", (Step(pooled),), averaged),
    )


def grid_17(narrow: int) -> tuple[Path, ...]:
    """The block for maps of 17x17. Source: arXiv 1512.00567, figure 6."""
    wide, tall = Step(narrow, WIDE_7), Step(narrow, TALL_7)
    return (
        Path("branch1x1", (Step(192),)),
        Path("branch7x7", (Step(narrow), wide, Step(192, TALL_7))),
        Path("branch7x7dbl", (Step(narrow), tall, wide, tall, Step(192, WIDE_7))),
        Path("branch_pool", (Step(192),), averaged),
    )


def grid_8(pool: Callable[[Tensor], Tensor]) -> tuple[Path, ...]:
    """The block for maps of 8x8. Source: arXiv 1512.00567, figure 7."""
    fork = Fork(Step(384, WIDE_3), Step(384, TALL_3))
    return (
        Path("branch1x1", (Step(320),)),
        Path("branch3x3", (Step(384), fork)),
        Path("branch3x3dbl", (Step(448), Step(384, SQUARE), fork)),
        Path("branch_pool", (Step(192),), pool),
    )


FROM_35_TO_17 = (
    Path("branch3x3", (Step(384, SQUARE, 2),)),
    Path("branch3x3dbl", (Step(64), Step(96, SQUARE), Step(96, SQUARE, 2))),
    Path("branch_pool", pool=halved),
)
FROM_17_TO_8 = (
    Path("branch3x3", (Step(192), Step(320, SQUARE, 2))),
    Path("branch7x7x3", (Step(192), Step(192, WIDE_7), Step(192, TALL_7), Step(192, SQUARE, 2))),
    Path("branch_pool", pool=halved),
)

# The last block takes the maximum where the paper takes the mean: a slip, but the published weights learned with it.
BLOCKS = {
    "Mixed_5b": grid_35(32),
    "Mixed_5c": grid_35(64),
    "Mixed_5d": grid_35(64),
    "Mixed_6a": FROM_35_TO_17,
    "Mixed_6b": grid_17(128),
    "Mixed_6c": grid_17(160),
    "Mixed_6d": grid_17(160),
    "Mixed_6e": grid_17(192),
    "Mixed_7a": FROM_17_TO_8,
    "Mixed_7b": grid_8(averaged),
    "Mixed_7c": grid_8(largest),
}


class InceptionV3(nn.Module):
    """Inception v3, for inference; `features` is the network up to its classifier.

    Source: arXiv 1512.00567, table 1 and section 6; what the paper leaves open is as in the graph of
    2015-12-05.
    Differs: there are neither dropout nor auxiliary classifiers, which are for training only.
    """

    def __init__(self) -> None:
        super().__init__()
        self.Conv2d_1a_3x3 = convolution(3, 32, SQUARE, stride=2, padding=(0, 0))
        self.Conv2d_2a_3x3 = convolution(32, 32, SQUARE, padding=(0, 0))
        self.Conv2d_2b_3x3 = convolution(32, 64, SQUARE)
        self.Conv2d_3b_1x1 = convolution(64, 80)
        self.Conv2d_4a_3x3 = convolution(80, 192, SQUARE, padding=(0, 0))
        channels = 192
        for name, paths in BLOCKS.items():
            block = Mixed(channels, paths)
            self.add_module(name, block)
            channels = block.out_channels
        self.fc = nn.Linear(FEATURES, CLASSES)

    def features(self, pictures: Float[Tensor, "n 3 h w"]) -> Float[Tensor, "n 2048"]:
        """The features of pictures in [-1, 1), averaged over all places; they are 0 or more."""
        maps: Tensor = self.Conv2d_2b_3x3(self.Conv2d_2a_3x3(self.Conv2d_1a_3x3(pictures)))
        maps = self.Conv2d_4a_3x3(self.Conv2d_3b_1x1(halved(maps)))
        maps = halved(maps)
        for name in BLOCKS:
            maps = self.get_submodule(name)(maps)
        return maps.mean((2, 3))

    def forward(self, pictures: Float[Tensor, "n 3 h w"]) -> Float[Tensor, "n 1008"]:
        """A score for each class, larger where the network is surer (logits)."""
        scores: Tensor = self.fc(self.features(pictures))
        return scores


class Mixed(nn.ModuleDict):
    """Paths through the same maps side by side; what comes out of them is stacked."""

    def __init__(self, channels: int, paths: tuple[Path, ...]) -> None:
        super().__init__()
        self._paths = paths
        self.out_channels = 0
        for path in paths:
            width = channels
            for keys, steps in _named(path):
                for key, step in zip(keys, steps, strict=True):
                    self[key] = convolution(width, step.channels, step.kernel, stride=step.stride)
                width = sum(step.channels for step in steps)
            self.out_channels += width

    def forward(self, maps: Float[Tensor, "n c h w"]) -> Float[Tensor, "n c2 h2 w2"]:
        """What all paths make of the maps."""
        return torch.cat([self._along(path, maps) for path in self._paths], 1)

    def _along(self, path: Path, maps: Tensor) -> Tensor:
        if path.pool is not None:
            maps = path.pool(maps)
        for keys, _ in _named(path):
            out = [self[key](maps) for key in keys]
            maps = torch.cat(out, 1) if len(out) > 1 else out[0]
        return maps


def _named(path: Path) -> list[tuple[list[str], tuple[Step, ...]]]:
    """The steps of a path with their keys: a number if there are several, a letter where it forks."""
    named: list[tuple[list[str], tuple[Step, ...]]] = []
    for number, step in enumerate(path.steps, 1):
        key = f"{path.name}_{number}" if len(path.steps) > 1 else path.name
        if isinstance(step, Fork):
            named.append(([f"{key}a", f"{key}b"], tuple(step)))
        else:
            named.append(([key], (step,)))
    return named


def convolution(
    channels: int,
    out_channels: int,
    kernel: tuple[int, int] = (1, 1),
    *,
    stride: int = 1,
    padding: tuple[int, int] | None = None,
) -> nn.Sequential:
    """A convolution, batch norm and ReLU; padded to keep the size for stride 1, else not, unless told."""
    if padding is None:
        padding = (kernel[0] // 2, kernel[1] // 2) if stride == 1 else (0, 0)
    layers = nn.Sequential()
    layers.add_module(
        "conv", nn.Conv2d(channels, out_channels, kernel, stride, padding, bias=False)
    )
    layers.add_module("bn", nn.BatchNorm2d(out_channels, eps=1e-3))
    layers.add_module("relu", nn.ReLU(inplace=True))
    return layers


def resized_like_tensorflow(
    pictures: Float32[Tensor, "n c h w"], side: int
) -> Float32[Tensor, "n c s s"]:
    """The pictures at side x side, bilinear as TensorFlow 1 did it: corners of pixels are not aligned.

    Pixel i of the result lies at i * scale in the source, so the picture shifts a little, and shrinking
    passes over pixels. Better resizing would give better pictures and other scores.

    Source: TensorFlow 1, resize_bilinear with align_corners and half_pixel_centers off; arXiv 2104.11222
    shows what it does to scores.
    """
    for axis in (3, 2):
        size = pictures.shape[axis]
        if size == side:
            continue
        at = torch.arange(side, device=pictures.device, dtype=torch.float32) * (size / side)
        low = at.long()
        high = (low + 1).clamp_max(size - 1)
        share = (at - low).reshape(-1, *[1] * (3 - axis))
        pictures = torch.lerp(
            pictures.index_select(axis, low), pictures.index_select(axis, high), share
        )
    return pictures
