"""What a network usually sees in pictures of one kind, and how much of what it sees in another lies outside of that."""

import torch
from jaxtyping import Float
from torch import Tensor, nn

DIRECTIONS = 64
EACH = 4  # pictures for every direction


class Familiar(nn.Module):
    """The mean of unit-length features, and the directions in which they vary most.

    Args:
        dimensions: of the features.
        directions: how many.
    """

    mean: Float[Tensor, " d"]
    directions: Float[Tensor, "k d"]

    def __init__(self, dimensions: int, directions: int) -> None:
        super().__init__()
        self.register_buffer("mean", torch.zeros(dimensions))
        self.register_buffer("directions", torch.zeros(directions, dimensions))

    @classmethod
    def of(cls, features: Float[Tensor, "n d"]) -> "Familiar":
        """Of the features of some hundred pictures."""
        rows = nn.functional.normalize(features.double())
        mean = rows.mean(0)
        count = min(DIRECTIONS, len(rows) // EACH, rows.shape[1] // 2)
        found = cls(rows.shape[1], count)
        found.mean.copy_(mean)
        found.directions.copy_(torch.linalg.svd(rows - mean, full_matrices=False).Vh[:count])
        return found

    def residual(self, features: Float[Tensor, "n d"]) -> Float[Tensor, " n"]:
        """The squared length of what these directions do not reach of the features' way from the mean, from 0 to 4."""
        way = nn.functional.normalize(features.double()) - self.mean.double()
        reached = way @ self.directions.double().T
        return (way.square().sum(1) - reached.square().sum(1)).clamp(min=0)
