"""What a person typed becomes a configuration, or an error before anything is begun."""

import re
from dataclasses import replace
from typing import Any, Literal

import numpy as np
from jaxtyping import Int64

from impasto.data.config import DataConfig
from impasto.data.prepared import Prepared
from impasto.errors import ConfigError, SourceError
from impasto.families import FAMILIES
from impasto.recipes import parameters
from impasto.runs.checkpoint import State
from impasto.runs.config import RunConfig, ScoringConfig, TrainConfig
from impasto.types import Budget

Device = Literal["auto", "cpu", "cuda", "mps"]


def budget(
    minutes: float | None, images: int | None, epochs: float | None, steps: int | None
) -> Budget | None:
    """The one budget that was given, if any.

    Raises:
        ConfigError: more than one was given, or it is not above zero.
    """
    given: list[tuple[float | None, Any]] = [
        (minutes, "minutes"),
        (images, "images"),
        (epochs, "epochs"),
        (steps, "steps"),
    ]
    chosen = [(amount, unit) for amount, unit in given if amount is not None]
    if len(chosen) > 1:
        names = " and ".join(f"--{unit}" for _, unit in chosen)
        raise ConfigError(f"{names}: one budget at a time; leave all but one out")
    for amount, unit in chosen:
        if not 0 < amount < float("inf"):
            raise ConfigError(f"--{unit} {amount:g}: must be above zero")
        return Budget(amount, unit)
    return None


def informed(config: RunConfig, prepared: Prepared, trained: Int64[np.ndarray, " n"]) -> RunConfig:
    """The configuration with the attributes put in that its family is to be told of these pictures.

    Raises:
        ConfigError: a name is no attribute of theirs, or nothing is known of them.
    """
    wanted = getattr(config.family, "condition", ())
    if not wanted and not FAMILIES[config.family.name].conditional:
        return config
    told: dict[str, Any] = {"attributes": prepared.attributes(trained, wanted)}
    return replace(config, family=replace(config.family, **told))


def check(config: RunConfig, pictures: int) -> None:
    """Whether training can start at all.

    Raises:
        ConfigError: the family cannot make such pictures.
        SourceError: there are fewer pictures than a batch.
    """
    parameters(config)
    if pictures < config.train.batch:
        held = f" ({config.data.validation:.0%} are held out)" if config.data.validation else ""
        raise SourceError(
            f"{pictures} pictures to train on{held} are fewer than a batch of {config.train.batch}; give more, or "
            f"use --set train.batch={max(1, pictures // 2)}"
        )


def selected(
    config: RunConfig, classes: tuple[str, ...], only: tuple[str, ...], limit: int | None
) -> RunConfig:
    """The configuration with this selection of pictures put in.

    Raises:
        ConfigError: the limit is not above zero.
    """
    return replace(config, data=selection(config.data, classes, only, limit))


def selection(
    data: DataConfig, classes: tuple[str, ...], only: tuple[str, ...], limit: int | None
) -> DataConfig:
    """The configuration of the data with this selection put in.

    Raises:
        ConfigError: the limit is not above zero.
    """
    if limit is not None and limit < 1:
        raise ConfigError(f"--limit {limit}: must be above zero")
    return replace(
        data,
        classes=classes or data.classes,
        only=only or data.only,
        limit=data.limit if limit is None else limit,
    )


def trained(
    train: TrainConfig,
    amount: Budget | None,
    seed: int | None,
    device: Device | None,
    devices: int | None,
) -> TrainConfig:
    """The configuration with what was given put in, and the recipe's own where nothing was.

    Raises:
        ConfigError: the seed is negative, or there are no devices.
    """
    if seed is not None and seed < 0:
        raise ConfigError(f"--seed {seed}: must not be negative")
    if devices is not None and devices < 1:
        raise ConfigError(f"--devices {devices}: must be above zero")
    return replace(
        train,
        budget=amount or train.budget,
        seed=train.seed if seed is None else seed,
        device=device or train.device,
        devices=devices or train.devices,
    )


def scored(scoring: ScoringConfig, every: str | int | None, patience: int | None) -> ScoringConfig:
    """The configuration of scores with what was given put in.

    Args:
        scoring: as the recipe or the run has it.
        every: images between two scores, such as 50_000, `50k`, `1.5M` or `off`.
        patience: scores without a better one after which the run ends.

    Raises:
        ConfigError: not such a number, or patience without scores.
    """
    if every is not None:
        scoring = replace(scoring, every=images(every, "--evaluate-every"))
    if patience is not None:
        if patience < 0:
            raise ConfigError(f"--patience {patience}: must not be negative")
        scoring = replace(scoring, patience=patience)
    if scoring.patience and not scoring.every:
        raise ConfigError(
            f"--patience {scoring.patience}: nothing is scored; add --evaluate-every, such as 50k"
        )
    return scoring


def images(text: str | int, name: str) -> int:
    """A number of images as people write it: 5000, 50k, 1.5M; `off` is none.

    Raises:
        ConfigError: not such a number.
    """
    found = re.fullmatch(r"(\d+(?:\.\d+)?)([kKmM]?)", str(text).replace("_", "").replace(",", ""))
    if str(text) == "off":
        return 0
    count = (
        round(float(found[1]) * {"": 1, "k": 1_000, "m": 1_000_000}[found[2].lower()])
        if found
        else 0
    )
    if count < 1:
        raise ConfigError(f"{name} {text}: not a number of images; write 5000, 50k, 1M or off")
    return count


def extended(state: State | None, more: Budget) -> Budget:
    """The budget that gives a run so much more than it has had.

    Args:
        state: where the run stands.
        more: in images or minutes.
    """
    if state is None:
        return more
    done = state.images_seen if more.unit == "images" else state.seconds / 60
    return Budget(done + more.amount, more.unit)
