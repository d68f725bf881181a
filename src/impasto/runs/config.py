"""The one configuration: what a recipe is, what a run keeps, what a model's header repeats."""

import hashlib
import json
from typing import Annotated, Literal

from pydantic import BeforeValidator, NonNegativeInt, PositiveInt

from impasto.config import configuration, to_plain
from impasto.data.config import DataConfig
from impasto.families import FamilyConfig
from impasto.types import Budget, ImageShape


@configuration
class ScoringConfig:
    """How often a run is scored while it trains, by what, and what follows."""

    every: NonNegativeInt = 0  # images between two scores; 0 for none
    extractor: str = "mobilenet-v2"  # or inception-v3, random, or an ONNX file
    pictures: PositiveInt = 1_000  # on each side, at most
    patience: NonNegativeInt = (
        0  # scores without a better one after which the run ends; 0 for never
    )


@configuration
class TrainConfig:
    """How long, how much at once, where, and how often to look."""

    budget: Budget = Budget(50, "epochs")
    batch: PositiveInt = 64  # images in a step, over all processes
    seed: NonNegativeInt = 0  # of weights, noise and the order of pictures
    ticks: PositiveInt = 200  # how often in a run the averages are told
    looks: NonNegativeInt = 50  # how often in a run its health is looked at; 0 for never
    snapshots: PositiveInt = 40  # how often in a run the grid is drawn and the state saved
    grid: PositiveInt = 64  # pictures on the grid
    scoring: ScoringConfig = ScoringConfig()
    heal: bool = False  # whether the run applies remedies to itself
    device: Literal["auto", "cpu", "cuda", "mps"] = "auto"
    devices: PositiveInt = 1  # processes on this machine, one a device
    # auto: bf16 on accelerators that have it. On the command line 32 comes as a number.
    precision: Annotated[Literal["auto", "32", "bf16"], BeforeValidator(str)] = "auto"
    deterministic: bool = True  # bit-for-bit repeatable; false may be faster on CUDA


@configuration
class RunConfig:
    """A recipe, and everything that decides what a run does with its pictures."""

    name: str
    description: str = ""
    data: DataConfig = DataConfig()
    family: FamilyConfig
    train: TrainConfig = TrainConfig()

    @property
    def shape(self) -> ImageShape:
        """The shape of the pictures that go in and come out."""
        return ImageShape(self.data.channels, self.data.size)


_FREE = {"budget", "device", "devices", "scoring"}  # may change from one sitting to the next


def settings_of(config: RunConfig) -> str:
    """A hash of all settings that a run keeps to its end: not its budget, its scores, nor its device."""
    plain = to_plain(config)
    train = {name: value for name, value in plain["train"].items() if name not in _FREE}
    kept = {"data": plain["data"], "family": plain["family"], "train": train}
    return hashlib.sha256(json.dumps(kept, sort_keys=True).encode()).hexdigest()
