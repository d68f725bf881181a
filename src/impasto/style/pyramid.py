"""A painting from coarse to fine: the default, and several times cheaper than the published loop.

What a manner does in the large is found where pictures are small and steps cost little; what it does in the
small is added where the picture has grown. What is wanted is computed once for each size.

Source: the idea is that of arXiv 1611.07865, section 6.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import UInt8
from torch import Tensor

from impasto.images import Picture
from impasto.seeds import stream
from impasto.style.canvas import Canvas, Tiling
from impasto.style.config import PyramidConfig
from impasto.style.descent import LBFGS, Adam, Descent
from impasto.style.loss_network import Kind, LossNetwork
from impasto.style.objective import Kept, Losses, Objective, Weights
from impasto.style.scene import LEAST_SIDE, Scene, preview, resized

CONTENT = 0.3  # the content's weight at a strength of one half, where the manner's is 1


@dataclass(frozen=True)
class Stage:
    """One size of the painting, and how many steps it is worked on."""

    height: int
    width: int
    steps: int


class Pyramid:
    """A painting under way.

    Args:
        network: sees at the layers that `layers` names.
        scene: what is to be painted, at its size in the end.
        config: how.
        tiling: how pictures are cut that do not fit into memory; None for in one piece.
        start: what to begin with instead of what the configuration says.
        kept: what it should stay like at its last size.
    """

    def __init__(
        self,
        network: LossNetwork,
        scene: Scene,
        config: PyramidConfig,
        *,
        tiling: Tiling | None = None,
        start: Picture | None = None,
        kept: Kept | None = None,
    ) -> None:
        self.network, self.scene, self.config, self.tiling = network, scene, config, tiling
        self.kept = kept
        height, width = scene.content.shape[2:]
        self.stages = stages(height, width, config)
        self.weights = weights(network.kind, config)
        self.steps, self.done, self.stage = sum(s.steps for s in self.stages), 0, -1
        self.descent = _descent(config)
        self.average: Picture | None = None
        self.averaged = 0
        self.painting = self._begun(start)
        self._grow()

    @property
    def picture(self) -> Picture:
        """The painting now, in [-1, 1], at the size that is being worked on."""
        return self.here.covered(self.painting if self.average is None else self.average)

    @property
    def size(self) -> tuple[int, int]:
        """Height and width that are being worked on."""
        return self.stages[self.stage].height, self.stages[self.stage].width

    @property
    def final(self) -> tuple[int, int]:
        """Height and width of the painting in the end."""
        return self.stages[-1].height, self.stages[-1].width

    def step(self) -> Losses:
        """One step; its losses, from before it."""
        while self.done >= sum(s.steps for s in self.stages[: self.stage + 1]):
            self._grow()
        shown = self.here.covered(self.painting)
        losses, gradient = self.objective.gradient(shown)
        if self.here.paint is not None:
            gradient = gradient * self.here.paint
        moved = self.descent.step(self.painting, gradient)
        if bool(torch.isfinite(moved).all()):
            self.painting = moved
            self._average()
        else:  # nothing of what the descent remembers can be trusted
            self.descent = _descent(self.config)
        self.done += 1
        return losses

    def told(self) -> dict[str, float]:
        """The size that is being worked on."""
        height, width = self.size
        return {"height": float(height), "width": float(width)}

    def preview(self) -> UInt8[np.ndarray, "1 h w 3"]:
        """The painting now, as large as it will be, or as a screen shows."""
        return preview(self.picture, *self.final)

    def state(self) -> dict[str, Tensor]:
        """All that it takes to go on."""
        held = {"painting": self.painting}
        held |= {"done": torch.tensor(self.done), "stage": torch.tensor(self.stage)}
        if self.average is not None:
            held |= {"average": self.average, "averaged": torch.tensor(self.averaged)}
        return held | {f"descent/{name}": value for name, value in self.descent.state().items()}

    def restore(self, state: Mapping[str, Tensor]) -> None:
        """Goes on where another one was."""
        self.done, self.stage = int(state["done"]), int(state["stage"])
        self._settle()
        self.painting = state["painting"]
        if "average" in state:
            self.average, self.averaged = state["average"], int(state["averaged"])
        self.descent.restore(
            {n.removeprefix("descent/"): v for n, v in state.items() if n.startswith("descent/")}
        )

    def flops(self) -> float:
        """Operations of the network over all steps, targets aside."""
        return self._flops(self.steps)

    def spent(self, seconds: float = 0.0) -> float:
        """The share of its operations that is done; how long it took does not matter."""
        del seconds
        return self._flops(self.done) / self.flops()

    def _flops(self, steps: int) -> float:
        last, total = self.weights.layers[-1], 0.0
        for stage in self.stages:
            total += min(steps, stage.steps) * self.network.flops(last, stage.height, stage.width)
            steps = max(0, steps - stage.steps)
        return total

    def _begun(self, start: Picture | None) -> Picture:
        first = self.stages[0]
        if start is not None:
            return resized(start, first.height, first.width)
        content = resized(self.scene.content, first.height, first.width)
        if self.config.start == "content":
            return content
        drawn = torch.rand(content.shape, generator=stream(self.config.seed, "painting"))
        return ((drawn - 0.5) / 2).to(content)

    def _grow(self) -> None:
        """The next size: the painting is enlarged, and what is wanted is looked at anew."""
        self.stage += 1
        stage = self.stages[self.stage]
        before = self.painting if self.stage == 0 else self.picture
        self.descent.enlarge(stage.height, stage.width)
        self._settle()
        self.painting = resized(before, stage.height, stage.width)

    def _settle(self) -> None:
        stage = self.stages[self.stage]
        self.here = self.scene.at(stage.height, stage.width)
        tiling = self.tiling
        if tiling is not None and stage.height * stage.width <= tiling.pixels:
            tiling = None  # what is no larger than one tile with its margins fits in one piece
        canvas = Canvas(self.network, stage.height, stage.width, tiling)
        regions = self.here.regions(self.network, tuple(self.weights.style), self.tiling)
        self.objective = Objective(
            canvas,
            self.here.content,
            regions,
            self.weights,
            statistics=self.config.statistics,
            kept=self.kept if self.size == self.final else None,
        )
        self.average, self.averaged = None, 0

    def _average(self) -> None:
        """Adam's steps keep trembling; their average does not. L-BFGS settles by itself."""
        if self.config.optimizer == "adam":
            self.averaged += 1
            lasting = self.config.average * self.stages[self.stage].steps
            share = max(1 - 0.5 ** (1 / lasting) if lasting else 1.0, 1 / self.averaged)
            kept = self.painting if self.average is None else self.average
            self.average = torch.lerp(kept, self.painting, share)


def stages(height: int, width: int, config: PyramidConfig) -> list[Stage]:
    """Sizes from the coarsest up to the painting's own, and steps that become fewer as they cost more.

    How many there are at a size does not depend on how large the painting will be. With a number of steps in all, the
    coarse sizes are left out that it has none for.
    """
    longest = max(height, width)
    count = max(0, math.ceil(math.log(longest / config.least_size, config.growth) - 1e-9))
    sides = [
        longest * (config.least_size / longest) ** (1 - each / count) if count else longest
        for each in range(count + 1)
    ]
    planned = [
        config.first_steps * min(1.0, config.least_size / side) ** config.decline for side in sides
    ]
    if config.steps is not None:
        planned = [steps * config.steps / sum(planned) for steps in planned]
    found, left = [], round(sum(planned))
    for number in range(count, -1, -1):  # the finest has one at least
        tall, wide = (max(LEAST_SIDE, round(n * sides[number] / longest)) for n in (height, width))
        own = min(left, max(round(planned[number]), 1)) if number else left
        left -= own
        if own:
            found.append(Stage(tall, wide, own))
    return found[::-1]


def weights(kind: Kind, config: PyramidConfig) -> Weights:
    """How much each layer counts: together the same at any setting of the details."""
    middle = (len(kind.style) - 1) / 2
    raw = {n: 2 ** (config.detail * (middle - i)) for i, n in enumerate(kind.style)}
    style = {n: weight / sum(raw.values()) for n, weight in raw.items()}
    kept = (1 - config.strength) / config.strength * CONTENT
    return Weights(style, {kind.content: kept} if kept else {}, config.smooth)


def _descent(config: PyramidConfig) -> Descent:
    return LBFGS(config.memory) if config.optimizer == "lbfgs" else Adam(config.learning_rate)
