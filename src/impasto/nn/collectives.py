"""What processes do together. With one process every function here is the identity."""

from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor


def processes() -> int:
    """How many processes train together."""
    return dist.get_world_size() if dist.is_available() and dist.is_initialized() else 1


def average_(tensors: list[Tensor]) -> None:
    """Replaces each tensor by its mean over processes, in one exchange of one flat buffer."""
    if processes() == 1:
        return
    flat = torch.cat([tensor.reshape(-1) for tensor in tensors])
    dist.all_reduce(flat)
    flat /= processes()
    for tensor, mean in zip(tensors, torch.split(flat, [t.numel() for t in tensors]), strict=True):
        tensor.copy_(mean.view_as(tensor))


def global_sum(local: Tensor) -> Tensor:
    """The sum over processes, differentiable any number of times."""
    return _GlobalSum.apply(local) if processes() > 1 else local  # type: ignore[no-untyped-call]


class _GlobalSum(torch.autograd.Function):
    # The sum's gradient towards one process is the sum of what all processes ask of it: itself again.

    @staticmethod
    def forward(ctx: Any, local: Tensor) -> Tensor:
        del ctx
        total = local.clone(memory_format=torch.contiguous_format)
        dist.all_reduce(total)
        return total

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> Tensor:
        del ctx
        return global_sum(gradients[0])
