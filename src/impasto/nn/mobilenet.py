"""MobileNetV2: a small network that has learned, on ImageNet, what pictures show.

impasto does not train it. It reads weights that others have published and uses what the network says of
a picture before it classifies it: 1,280 numbers, near one another for pictures that look alike to a person.

Modules are named so that the state of torchvision's `mobilenet_v2` loads as it is, key for key.
"""

from typing import NamedTuple

from jaxtyping import Float
from torch import Tensor, nn

FEATURES = 1280
CLASSES = 1000


class Stage(NamedTuple):
    """A row of the paper's table 2: `repeats` blocks, of which the first one takes the stride."""

    expansion: int
    channels: int
    repeats: int
    stride: int


STEM = 32  # channels of the first convolution, which halves the picture
STAGES = (
    Stage(1, 16, 1, 1),
    Stage(6, 24, 2, 2),
    Stage(6, 32, 3, 2),
    Stage(6, 64, 4, 2),
    Stage(6, 96, 3, 1),
    Stage(6, 160, 3, 2),
    Stage(6, 320, 1, 1),
)


class MobileNetV2(nn.Module):
    """MobileNetV2 of width 1, for inference; `features` is the network up to its classifier.

    Source: arXiv 1801.04381, tables 1 and 2.
    Differs: there is no dropout, which is for training only.
    """

    def __init__(self) -> None:
        super().__init__()
        layers: list[nn.Module] = [convolution(3, STEM, kernel=3, stride=2)]
        width = STEM
        for stage in STAGES:
            for index in range(stage.repeats):
                stride = stage.stride if index == 0 else 1
                layers.append(InvertedResidual(width, stage.channels, stage.expansion, stride))
                width = stage.channels
        layers.append(convolution(width, FEATURES))
        self.features = AveragedFeatures(*layers)
        # The published state counts the layer of dropout before the classifier, hence its key `classifier.1`.
        self.classifier = nn.Sequential(nn.Identity(), nn.Linear(FEATURES, CLASSES))

    def forward(self, pictures: Float[Tensor, "n 3 h w"]) -> Float[Tensor, "n 1000"]:
        """A score for each of ImageNet's classes, larger where the network is surer (logits)."""
        scores: Tensor = self.classifier(self.features(pictures))
        return scores


class AveragedFeatures(nn.Sequential):
    """Layers, and the average of what the last one says over all places of the picture."""

    def forward(self, pictures: Float[Tensor, "n 3 h w"]) -> Float[Tensor, "n 1280"]:
        """The features of pictures normalised as in training; they lie in [0, 6]."""
        maps: Tensor = super().forward(pictures)  # type: ignore[no-untyped-call]
        return maps.mean((2, 3))


class InvertedResidual(nn.Module):
    """Widens with 1x1, filters each channel by itself, narrows without a nonlinearity; adds if it can."""

    def __init__(self, channels: int, out_channels: int, expansion: int, stride: int) -> None:
        super().__init__()
        wide = channels * expansion
        layers: list[nn.Module] = [convolution(channels, wide)] if expansion != 1 else []
        layers += [
            convolution(wide, wide, kernel=3, stride=stride, groups=wide),
            nn.Conv2d(wide, out_channels, 1, bias=False),
            nn.BatchNorm2d(out_channels),
        ]
        self.conv = nn.Sequential(*layers)
        self.adds = stride == 1 and channels == out_channels

    def forward(self, maps: Float[Tensor, "n c h w"]) -> Float[Tensor, "n c2 h2 w2"]:
        """The maps, refined or replaced."""
        out: Tensor = self.conv(maps)
        return maps + out if self.adds else out


def convolution(
    channels: int, out_channels: int, *, kernel: int = 1, stride: int = 1, groups: int = 1
) -> nn.Sequential:
    """A convolution that keeps the size for stride 1, batch norm, and ReLU cut off at 6."""
    return nn.Sequential(
        nn.Conv2d(
            channels, out_channels, kernel, stride, (kernel - 1) // 2, groups=groups, bias=False
        ),
        nn.BatchNorm2d(out_channels),
        nn.ReLU6(inplace=True),
    )
