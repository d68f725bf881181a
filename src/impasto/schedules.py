"""Learning-rate schedules: pure functions of progress, as multiples of the base rate."""

import math
from typing import Annotated, Literal

from pydantic import Field, NonNegativeFloat, PositiveFloat

from impasto.config import configuration
from impasto.types import Progress


@configuration
class Constant:
    """The base rate throughout."""

    name: Literal["constant"] = "constant"

    def factor(self, progress: Progress) -> float:
        """1, whatever the progress."""
        del progress
        return 1.0


@configuration
class StepDecay:
    """The rate times `gamma` after every so many epochs."""

    name: Literal["step"] = "step"
    gamma: PositiveFloat = 0.9
    epochs: PositiveFloat = 10

    def factor(self, progress: Progress) -> float:
        """Gamma ** (whole periods of `epochs` passed)."""
        return float(self.gamma ** (progress.images_seen // (self.epochs * progress.epoch)))


@configuration
class Cosine:
    """From the base rate to `final` of it, along half a cosine over the budget."""

    name: Literal["cosine"] = "cosine"
    final: NonNegativeFloat = 0.0

    def factor(self, progress: Progress) -> float:
        """Final + (1 - final) (1 + cos(pi t)) / 2 with t the fraction of the budget spent."""
        return self.final + (1 - self.final) * (1 + math.cos(math.pi * progress.fraction)) / 2


@configuration
class InverseTime:
    """The rate over 1 + `decay` * steps: the `decay` argument of older Keras optimizers."""

    name: Literal["inverse"] = "inverse"
    decay: NonNegativeFloat = 1e-8
    batch: Annotated[int, Field(ge=1)] = 20  # images in one of those steps

    def factor(self, progress: Progress) -> float:
        """1 / (1 + decay * steps)."""
        return 1 / (1 + self.decay * progress.images_seen / self.batch)


Schedule = Annotated[Constant | StepDecay | Cosine | InverseTime, Field(discriminator="name")]
