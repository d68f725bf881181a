"""Two ways downhill for the pixels of a picture, which stay pixels: L-BFGS, and Adam.

Each takes a picture and the gradient there, and gives the next picture, clamped to [-1, 1]. What it remembers
can be written down, and, where that makes sense, enlarged with the picture.
"""

from collections.abc import Mapping
from typing import Literal, Protocol, runtime_checkable

import torch
from torch import Tensor
from torch.nn.functional import interpolate

from impasto.images import Picture

OptimizerName = Literal["lbfgs", "adam"]
FIRST_STEP = 0.02  # average change of a pixel in L-BFGS's first step, before it knows any curvature
LONGEST_STEP = 0.15  # root of the mean squared change of pixels in one step; curvature may mislead
LEAST_CURVATURE = 1e-10  # of a pair of steps that is worth keeping


@runtime_checkable
class Descent(Protocol):
    """A way downhill."""

    def step(self, picture: Picture, gradient: Picture) -> Picture:
        """The next picture."""

    def enlarge(self, height: int, width: int) -> None:
        """Goes on at another size, with what can be taken along."""

    def state(self) -> dict[str, Tensor]:
        """What it remembers."""

    def restore(self, state: Mapping[str, Tensor]) -> None:
        """Remembers what another one did."""


class Adam:
    """Adam on pixels; source: arXiv 1412.6980, algorithm 1.

    Args:
        learning_rate: in levels of [-1, 1].
        betas: how long both moments last.
    """

    def __init__(self, learning_rate: float, betas: tuple[float, float] = (0.9, 0.99)) -> None:
        self.rate, self.betas = learning_rate, betas
        self.mean = self.square = torch.zeros(())
        self.steps = 0

    def step(self, picture: Picture, gradient: Picture) -> Picture:
        """The next picture."""
        self.steps += 1
        slow, slower = self.betas
        self.mean = slow * self.mean + (1 - slow) * gradient
        self.square = slower * self.square + (1 - slower) * gradient.square()
        mean = self.mean / (1 - slow**self.steps)
        deviation = (self.square / (1 - slower**self.steps)).sqrt()
        return (picture - self.rate * mean / (deviation + 1e-12)).clamp(-1, 1)

    def enlarge(self, height: int, width: int) -> None:
        """Each new pixel has the moments of those around it, and its share of the loss is as much smaller."""
        if self.steps:
            size = height, width
            share = self.mean.shape[2] * self.mean.shape[3] / (height * width)
            self.mean = interpolate(self.mean, size, mode="bilinear") * share
            self.square = interpolate(self.square, size, mode="bilinear") * share**2

    def state(self) -> dict[str, Tensor]:
        """Both moments and the count of steps."""
        return {"mean": self.mean, "square": self.square, "steps": torch.tensor(self.steps)}

    def restore(self, state: Mapping[str, Tensor]) -> None:
        """Remembers what another one did."""
        self.mean, self.square, self.steps = state["mean"], state["square"], int(state["steps"])


class LBFGS:
    """Limited-memory BFGS without a line search: each gradient is a step.

    Source: Nocedal and Wright, Numerical Optimization, algorithm 7.4.
    Differs: no line search, but a longest step; pairs are of where clamping let the picture go.

    Args:
        memory: pairs of steps and changes of the gradient that are kept.
    """

    def __init__(self, memory: int = 10) -> None:
        self.memory = memory
        self.moves: list[Tensor] = []
        self.changes: list[Tensor] = []
        self.last: tuple[Tensor, Tensor] | None = None

    def step(self, picture: Picture, gradient: Picture) -> Picture:
        """The next picture."""
        if self.last is not None:
            self._remember(picture - self.last[0], gradient - self.last[1])
        self.last = picture, gradient
        way = self._direction(gradient)
        length = way.square().mean().sqrt()
        return (picture - way * (LONGEST_STEP / length).clamp(max=1)).clamp(-1, 1)

    def enlarge(self, height: int, width: int) -> None:
        """Begins anew: curvature at one size says little about another."""
        del height, width
        self.moves, self.changes, self.last = [], [], None

    def state(self) -> dict[str, Tensor]:
        """The pairs, and where it was."""
        held = {f"move{i}": each for i, each in enumerate(self.moves)}
        held |= {f"change{i}": each for i, each in enumerate(self.changes)}
        return held | (dict(zip(("at", "slope"), self.last, strict=True)) if self.last else {})

    def restore(self, state: Mapping[str, Tensor]) -> None:
        """Remembers what another one did."""
        count = sum(name.startswith("move") for name in state)
        self.moves = [state[f"move{i}"] for i in range(count)]
        self.changes = [state[f"change{i}"] for i in range(count)]
        self.last = (state["at"], state["slope"]) if "at" in state else None

    def _remember(self, move: Tensor, change: Tensor) -> None:
        if _dot(move, change) > LEAST_CURVATURE * _dot(change, change):
            self.moves = [*self.moves, move][-self.memory :]
            self.changes = [*self.changes, change][-self.memory :]

    def _direction(self, gradient: Tensor) -> Tensor:
        """The gradient times what is known of the inverse curvature: the two loops over the pairs."""
        way, shares = gradient.clone(), []
        pairs = list(zip(self.moves, self.changes, strict=True))
        for move, change in reversed(pairs):
            share = _dot(move, way) / _dot(move, change)
            shares.append(share)
            way -= share * change
        if pairs:
            way *= _dot(*pairs[-1]) / _dot(pairs[-1][1], pairs[-1][1])
        else:
            way *= FIRST_STEP / gradient.abs().mean().clamp(min=1e-30)
        for (move, change), share in zip(pairs, reversed(shares), strict=True):
            way += (share - _dot(change, way) / _dot(move, change)) * move
        return way


def _dot(one: Tensor, other: Tensor) -> Tensor:
    return (one * other).sum()
