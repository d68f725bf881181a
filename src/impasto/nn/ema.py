"""The moving average of a network's weights, from which pictures are drawn."""

import copy

import torch
from torch import nn

# A young average would remember the random start for one half-life; so that it never does, the
# half-life is at most this share of what has been seen.
RAMP = 0.05


def decay(half_life: float, images_seen: int, batch: int) -> float:
    """The factor that the average keeps over one step: 0.5 ** (batch / half-life).

    Args:
        half_life: images after which an old weight counts half.
        images_seen: before this step.
        batch: images in this step, over all processes.
    """
    ramped = min(half_life, RAMP * images_seen)
    return float(0.5 ** (batch / ramped)) if ramped > 0 else 0.0


class Ema:
    """A copy of a network that follows it, by a half-life in images.

    Running statistics of batch norm are averaged like weights: they belong to them.
    """

    def __init__(self, network: nn.Module, half_life: float) -> None:
        self.network = copy.deepcopy(network).eval().requires_grad_(requires_grad=False)
        self.half_life = half_life

    @torch.no_grad()
    def update(self, network: nn.Module, images_seen: int, batch: int) -> None:
        """Moves the average towards the network by one step."""
        weight = 1 - decay(self.half_life, images_seen, batch)
        pairs = list(zip(self._tensors(self.network), self._tensors(network), strict=True))
        floating = [(mine, theirs) for mine, theirs in pairs if mine.is_floating_point()]
        torch._foreach_lerp_([m for m, _ in floating], [t for _, t in floating], weight)
        for mine, theirs in pairs:
            if not mine.is_floating_point():
                mine.copy_(theirs)

    @staticmethod
    def _tensors(network: nn.Module) -> list[torch.Tensor]:
        return [*network.parameters(), *network.buffers()]
