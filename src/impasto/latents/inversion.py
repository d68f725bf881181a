"""Inversion: the latents from which a generator draws something like a given picture."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn.functional import avg_pool2d

STARTS = 512  # latents that are tried before the best few are improved
KEPT = 4  # that are improved together; the best of them is told
PULL = 2e-3  # towards what latents are like, against pictures that no latents of training stand for

Draw = Callable[[Float[Tensor, "n z"]], Float[Tensor, "n c h w"]]


@dataclass(frozen=True)
class Found:
    """Latents, and how far their picture is from the one looked for: mean squared error of pixels in [-1, 1]."""

    latents: Float[Tensor, " z"]
    error: float


def invert(
    draw: Draw,
    picture: Float[Tensor, "c h w"],
    starts: Float[Tensor, "n z"],
    *,
    steps: int = 300,
    learning_rate: float = 0.05,
) -> Iterator[Found]:
    """Goes down from the starts whose pictures are nearest; tells the best so far, step by step.

    Args:
        draw: pictures in [-1, 1] of latents, with gradients.
        picture: in [-1, 1].
        starts: latents as they are drawn, or as an encoder tells them.
        steps: of Adam.
        learning_rate: in latents.
    """
    with torch.no_grad():
        errors = torch.cat([_distance(draw(some), picture) for some in torch.split(starts, 64)])
    latents = starts[errors.argsort()[:KEPT]].clone().requires_grad_(True)
    optimizer = torch.optim.Adam([latents], learning_rate)
    best = Found(starts[errors.argmin()], float("inf"))
    for step in range(steps + 1):
        drawn = draw(latents)
        with torch.no_grad():
            errors = (drawn - picture).square().mean((1, 2, 3))
            if float(errors.min()) < best.error:
                best = Found(latents[errors.argmin()].detach().clone(), float(errors.min()))
        yield best
        if step == steps:
            return
        loss = _distance(drawn, picture) + PULL * latents.square().mean(1)
        for group in optimizer.param_groups:
            group["lr"] = learning_rate * (1 - step / steps)
        (latents.grad,) = torch.autograd.grad(loss.sum(), [latents])
        optimizer.step()


def _distance(
    drawn: Float[Tensor, "n c h w"], picture: Float[Tensor, "c h w"]
) -> Float[Tensor, " n"]:
    """The squared error over several scales, so that what lies beside its place is better than nothing."""
    wanted = picture.expand_as(drawn)
    total = (drawn - wanted).square().mean((1, 2, 3))
    while drawn.shape[-1] >= 16:
        drawn, wanted = avg_pool2d(drawn, 2), avg_pool2d(wanted, 2)
        total = total + (drawn - wanted).square().mean((1, 2, 3))
    return total
