"""Layers that several families share."""

from collections.abc import Iterator
from contextlib import contextmanager
from itertools import pairwise
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm
from torch.nn.utils.fusion import fuse_conv_bn_eval
from torch.overrides import TorchFunctionMode

from impasto.nn.collectives import global_sum, processes


class BatchNorm2d(nn.BatchNorm2d):
    """Batch normalisation by the statistics of the global batch.

    With one process it is torch's own. With several, mean and variance are taken over all of them, on
    any device, so that the result does not depend on how many share the batch.

    Source: arXiv 1502.03167, algorithm 1.
    """

    def forward(self, input: Float[Tensor, "n c h w"]) -> Float[Tensor, "n c h w"]:  # noqa: A002
        """The input with every channel at its learned mean and scale."""
        if not self.training or processes() == 1:
            return super().forward(input)
        count = input.numel() // input.shape[1] * processes()
        mean = global_sum(input.sum((0, 2, 3), dtype=torch.float32)) / count
        centred = input - mean.to(input.dtype)[:, None, None]
        variance = global_sum(centred.square().sum((0, 2, 3), dtype=torch.float32)) / count
        if self.track_running_stats:
            self._remember(mean, variance * (count / (count - 1)))
        scale = self.weight * torch.rsqrt(variance + self.eps)
        out = centred * scale.to(input.dtype)[:, None, None] + self.bias[:, None, None]
        return out.to(input.dtype)

    @torch.no_grad()
    def _remember(self, mean: Tensor, unbiased_variance: Tensor) -> None:
        if self.num_batches_tracked is not None:
            self.num_batches_tracked += 1
        momentum = 0.1 if self.momentum is None else self.momentum
        for running, new in ((self.running_mean, mean), (self.running_var, unbiased_variance)):
            if running is not None:
                running.lerp_(new, momentum)


def joined(numbers: Float[Tensor, "n z"], known: Float[Tensor, "n k"]) -> Float[Tensor, "n both"]:
    """What is known of each picture behind the numbers that stand for it."""
    return torch.cat([numbers, known], 1) if known.shape[1] else numbers


def beside(
    images: Float[Tensor, "n c h w"], known: Float[Tensor, "n k"]
) -> Float[Tensor, "n both h w"]:
    """What is known of each picture as constant channels beside its own."""
    if not known.shape[1]:
        return images
    return torch.cat([images, known[:, :, None, None].expand(-1, -1, *images.shape[2:])], 1)


def placed(network: nn.Module, device: torch.device) -> nn.Module:
    """The network on the device, its weights channels-last: what convolution kernels prefer everywhere."""
    return network.to(device).to(memory_format=torch.channels_last)  # type: ignore[call-overload,no-any-return]


@contextmanager
def outlined() -> Iterator[None]:
    """Networks made in here have names and shapes and no weights: to be counted, or to be filled."""
    with torch.device("meta"), _NothingDrawn():
        yield


class _NothingDrawn(TorchFunctionMode):
    # Torch draws random numbers for weights that do not exist through its compiler, and importing that
    # takes as long as importing torch.

    def __torch_function__(
        self,
        func: Any,
        types: Any,
        args: tuple[Any, ...] = (),
        kwargs: dict[str, Any] | None = None,
    ) -> Any:
        del types
        if (
            func in {Tensor.normal_, Tensor.uniform_}
            or getattr(func, "__module__", "") == "torch.nn.init"
        ):
            return args[0] if args else (kwargs or {})["tensor"]
        return func(*args, **(kwargs or {}))


@contextmanager
def frozen_statistics(network: nn.Module) -> Iterator[None]:
    """Looks without a trace: batch statistics are used as in training, and not remembered."""
    norms = [module for module in network.modules() if isinstance(module, _BatchNorm)]
    for norm in norms:
        norm.track_running_stats = False
    try:
        yield
    finally:
        for norm in norms:
            norm.track_running_stats = True


def fold_norms(network: nn.Module) -> None:
    """Moves every batch norm into the convolution before it: for inference the same, and half as fast again.

    The state's keys are others afterwards, so weights are loaded before.
    """
    for block in list(network.modules()):
        if isinstance(block, nn.Sequential):
            layers = list(block)
            for index, (layer, norm) in enumerate(pairwise(layers)):
                if isinstance(layer, nn.Conv2d) and isinstance(norm, nn.BatchNorm2d):
                    block[index] = fuse_conv_bn_eval(layer, norm)
                    block[index + 1] = nn.Identity()
