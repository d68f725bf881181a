"""What paints: whatever takes steps towards a picture, can be looked at between them, and can be put away."""

from collections.abc import Mapping
from typing import Protocol, runtime_checkable

import numpy as np
from jaxtyping import UInt8
from torch import Tensor

from impasto.images import Picture
from impasto.style.canvas import Tiling
from impasto.style.config import PyramidConfig, StyleConfig
from impasto.style.loss_network import KINDS, LossNetwork
from impasto.style.objective import Losses
from impasto.style.published import PublishedLoop
from impasto.style.pyramid import Pyramid, weights
from impasto.style.scene import Scene, resized


@runtime_checkable
class Painter(Protocol):
    """A painting under way.

    Attributes:
        steps: that it takes in all.
        done: steps so far.
    """

    steps: int
    done: int

    @property
    def picture(self) -> Picture:
        """The painting now, in [-1, 1], at the size that is being worked on."""

    @property
    def size(self) -> tuple[int, int]:
        """Height and width that are being worked on."""

    @property
    def final(self) -> tuple[int, int]:
        """Height and width of the painting in the end."""

    def step(self) -> Losses:
        """One step; its losses, from before it."""

    def flops(self) -> float:
        """Operations of the network over all steps, targets aside."""

    def spent(self, seconds: float) -> float:
        """The share of them that is done."""

    def told(self) -> dict[str, float]:
        """The size that is being worked on."""

    def preview(self) -> UInt8[np.ndarray, "1 h w 3"]:
        """The painting now, as large as it will be, or as a screen shows."""

    def state(self) -> dict[str, Tensor]:
        """All that it takes to go on."""

    def restore(self, state: Mapping[str, Tensor]) -> None:
        """Goes on where another one was."""


def layers(config: StyleConfig, network: str) -> tuple[int, ...]:
    """The layers of the loss network that a recipe looks at."""
    kind = KINDS[network]
    if isinstance(config.painter, PyramidConfig):
        return weights(kind, config.painter).layers
    return kind.published


def painter_of(
    config: StyleConfig,
    network: LossNetwork,
    scene: Scene,
    *,
    tiling: Tiling | None = None,
    start: Picture | None = None,
) -> Painter:
    """The painter that a recipe names, before its first step.

    Args:
        config: the recipe.
        network: what sees, at the layers that `layers` names.
        scene: what is to be painted; the published loop knows one style, and no parts.
        tiling: how pictures are cut that do not fit into memory.
        start: a picture to begin with, instead of the content or noise.
    """
    if isinstance(config.painter, PyramidConfig):
        return Pyramid(network, scene, config.painter, tiling=tiling, start=start)
    style = resized(scene.parts[0].styles[0].picture, *scene.content.shape[2:])
    return PublishedLoop(network, scene.content, style, config.painter)
