"""Units that tell nothing: channels behind an activation that answer alike to every picture."""

from contextlib import ExitStack
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn

ACTIVATIONS = (nn.ReLU, nn.LeakyReLU)
LOOKED_AT = 16  # pictures of a batch; to find what never moves takes no more
STILL = 1e-6  # spread over pictures and places, against the largest of the layer's channels


class Liveness:
    """Watches a network's activations while it is in use: `with Liveness(network) as watched: ...`.

    Attributes:
        dead: share of units that were still, over all layers, once pictures have passed.
    """

    def __init__(self, network: nn.Module) -> None:
        self._network = network
        self._stack = ExitStack()
        self._moving: dict[int, Tensor] = {}  # by layer, which channels have moved

    def __enter__(self) -> "Liveness":
        for index, module in enumerate(self._network.modules()):
            if isinstance(module, ACTIVATIONS):
                handle = module.register_forward_hook(partial(self._look, index))
                self._stack.callback(handle.remove)
        return self

    def __exit__(self, *error: object) -> None:
        self._stack.close()

    @property
    def dead(self) -> Tensor:
        """The share of units that never moved; 0 where there is nothing to watch."""
        if not self._moving:
            return torch.zeros(())
        return 1 - torch.cat(list(self._moving.values())).float().mean()

    def _look(self, index: int, module: nn.Module, inputs: Any, output: Tensor) -> None:
        del module, inputs
        by_channel = output.detach()[:LOOKED_AT].transpose(0, 1).flatten(1)
        spread = by_channel.float().std(1)
        moved = spread > STILL * spread.max().clamp_min(1e-12)
        before = self._moving.get(index)
        self._moving[index] = moved if before is None else before | moved
