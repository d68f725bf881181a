"""The few values that every floor speaks of: the shape of a picture, a budget, and how far along we are."""

import math
from dataclasses import dataclass
from typing import Annotated, ClassVar, Literal

from annotated_types import Ge, Gt, Lt

# What can be done about a training that goes wrong, whatever the family; each says how it does it.
Lever = Literal[
    "weaken discriminator",
    "strengthen discriminator",
    "slow generator",
    "slow down",
    "speed up",
    "free codes",
    "average weights",
]
Share = Annotated[float, Ge(0), Lt(1)]
BudgetUnit = Literal["images", "steps", "epochs", "minutes"]


@dataclass(frozen=True)
class ImageShape:
    """The shape of a square picture: colour channels (1 or 3) and side in pixels."""

    channels: int
    size: int


@dataclass(frozen=True)
class Budget:
    """How long to train, as a person says it: 50 epochs, 10 minutes, 20_000 images, 300 steps."""

    __pydantic_config__: ClassVar = {"extra": "forbid", "allow_inf_nan": False}

    amount: Annotated[float, Gt(0)]
    unit: BudgetUnit

    def resolve(self, *, batch: int, epoch: int) -> "Budget":
        """The same budget in images, or in minutes: the only two units the loop knows.

        Args:
            batch: images in a step, over all processes.
            epoch: images in the training side of the set.
        """
        match self.unit:
            case "steps":
                return Budget(math.ceil(self.amount) * batch, "images")
            case "epochs":
                return Budget(math.ceil(self.amount * epoch / batch) * batch, "images")
            case "images":
                return Budget(math.ceil(self.amount), "images")
            case "minutes":
                return self

    def __str__(self) -> str:
        """The budget as a person would write it, such as `10 minutes`."""
        long = f"{self.amount:,.1f}".removesuffix(".0")
        return f"{long if self.amount >= 1 else f'{self.amount:g}'} {self.unit}"


@dataclass(frozen=True)
class Progress:
    """Images seen, the only clock of training, and the budget it runs against."""

    images_seen: int
    budget: Budget  # resolved: images or minutes
    epoch: int  # images in the training side of the set
    seconds: float = 0.0  # spent training, over all sittings

    @property
    def fraction(self) -> float:
        """The share of the budget that is spent: 0 at the start, 1 at the end."""
        spent = self.images_seen if self.budget.unit == "images" else self.seconds / 60
        return min(1.0, spent / self.budget.amount)
