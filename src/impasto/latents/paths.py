"""Ways from one point among latents to another."""

import torch
from jaxtyping import Float
from torch import Tensor

STRAIGHT = 1e-4  # radians; between closer directions a great circle is a line


def linear(
    start: Float[Tensor, " z"], end: Float[Tensor, " z"], steps: int
) -> Float[Tensor, "steps z"]:
    """Equal steps along the line, both ends included."""
    shares = torch.linspace(0, 1, steps, dtype=start.dtype)[:, None]
    return torch.lerp(start.expand(steps, -1), end.expand(steps, -1), shares)


def spherical(
    start: Float[Tensor, " z"], end: Float[Tensor, " z"], steps: int
) -> Float[Tensor, "steps z"]:
    """Equal angles along the great circle, with lengths in between: latents of noise all lie near one sphere.

    Source: Shoemake, Animating rotation with quaternion curves, 1985.
    """
    lengths = start.norm(), end.norm()
    if not all(length > 0 for length in lengths):
        return linear(start, end, steps)
    ways = start / lengths[0], end / lengths[1]
    # Exact where the cosine is not: between directions that are nearly the same, or opposite.
    angle = 2 * torch.atan2((ways[0] - ways[1]).norm(), (ways[0] + ways[1]).norm())
    if not STRAIGHT < angle < torch.pi - STRAIGHT:
        return linear(start, end, steps)
    shares = torch.linspace(0, 1, steps, dtype=start.dtype)[:, None]
    directions = (
        torch.sin((1 - shares) * angle) * ways[0] + torch.sin(shares * angle) * ways[1]
    ) / torch.sin(angle)
    between = torch.lerp(lengths[0].expand(steps), lengths[1].expand(steps), shares[:, 0])
    points: Tensor = directions * between[:, None]
    return points


def through(
    stations: Float[Tensor, "n z"], steps: int, *, spherically: bool
) -> Float[Tensor, "m z"]:
    """So many steps from each station to the next, every station once."""
    way = spherical if spherically else linear
    parts = [way(stations[i], stations[i + 1], steps + 1)[:-1] for i in range(len(stations) - 1)]
    return torch.cat([*parts, stations[-1:]])
