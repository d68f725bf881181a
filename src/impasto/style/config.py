"""How a picture is painted: one frozen configuration, as of a training."""

import hashlib
import json
from typing import Annotated, Literal

from annotated_types import Ge, Gt, Le
from pydantic import Field, NonNegativeFloat, NonNegativeInt, PositiveFloat, PositiveInt

from impasto.config import configuration, to_plain
from impasto.nn.vgg import Pooling
from impasto.style.color import KeepColor
from impasto.style.descent import OptimizerName
from impasto.style.loss_network import NetworkName
from impasto.style.objective import Statistics


@configuration
class PublishedConfig:
    """The loop as published."""

    name: Literal["published"] = "published"
    learning_rate: PositiveFloat = 0.003  # in units of ImageNet's normalised pixels
    betas: tuple[float, float] = (0.5, 0.999)
    style_weight: NonNegativeFloat = 100.0
    steps: PositiveInt = 2_000


@configuration
class PyramidConfig:
    """From coarse to fine."""

    name: Literal["pyramid"] = "pyramid"
    strength: Annotated[float, Gt(0), Le(1)] = (
        0.5  # of the manner against the content; 1 is manner alone
    )
    detail: Annotated[float, Ge(-2), Le(2)] = 0.0  # of fine layers against coarse ones
    scale: Annotated[float, Gt(0), Le(8)] = 1.0  # of brush strokes; 2 is twice as large
    statistics: Statistics = "wasserstein"
    optimizer: OptimizerName = "adam"
    learning_rate: PositiveFloat = 0.02  # of Adam, in levels of [-1, 1]
    # Half-life of the average of Adam's iterates, in the steps at a size.
    average: Annotated[float, Ge(0), Le(1)] = 0.1
    memory: PositiveInt = 10  # pairs of steps that L-BFGS keeps
    start: Literal["content", "noise"] = "content"
    least_size: Annotated[int, Ge(32)] = 128  # pixels on the longest side to begin with
    growth: Annotated[float, Gt(1)] = 2**0.5  # of the sides from one size to the next, at most
    first_steps: PositiveInt = 200  # at the smallest size
    decline: NonNegativeFloat = 0.7  # steps fall by 2 ** -0.7 where sides are doubled
    steps: PositiveInt | None = None  # in all, shared out in the same proportions
    pooling: Pooling = "max"
    smooth: NonNegativeFloat = 8.0  # weight of the total variation, against grain in flat places
    seed: NonNegativeInt = 0  # of noise


@configuration
class StyleConfig:
    """A recipe of painting, and everything that decides what comes of two pictures."""

    name: str
    description: str = ""
    size: Annotated[int, Ge(16)] = 512  # pixels on the longest side
    network: NetworkName = "auto"
    keep_color: KeepColor = "no"
    painter: Annotated[PyramidConfig | PublishedConfig, Field(discriminator="name")] = (
        PyramidConfig()
    )
    seed: NonNegativeInt = 0


def settings_of(config: object) -> str:
    """A hash of everything in a configuration that decides what is painted: all but its name and description."""
    plain = {
        k: v for k, v in to_plain(config).items() if k not in {"name", "description", "budget"}
    }
    return hashlib.sha256(json.dumps(plain, sort_keys=True).encode()).hexdigest()
