"""Training, from a source of pictures or from where a run was left."""

import platform
import sys
from collections.abc import Iterable, Iterator
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch

from impasto.config import override
from impasto.data.config import DataConfig
from impasto.data.prepare import prepare
from impasto.data.prepared import Prepared, is_prepared
from impasto.errors import ConfigError, RunError
from impasto.events import Event, Noticed
from impasto.families import Model
from impasto.holds import Hold
from impasto.recipes import find_recipe
from impasto.runs.config import RunConfig, settings_of
from impasto.runs.devices import Processes, check_devices, first_process, launch
from impasto.runs.directory import Run
from impasto.runs.export import read_model
from impasto.runs.loop import train as _train
from impasto.runs.scoring import extractor_of
from impasto.runs.sitting import Sitting
from impasto.runs.watching import data_facts
from impasto.version import __version__
from impasto.workflows.choosing import choose
from impasto.workflows.pictures import Report
from impasto.workflows.settings import (
    Device,
    budget,
    check,
    extended,
    informed,
    scored,
    selected,
    selection,
    trained,
)
from impasto.workflows.underway import Underway, take_up, usable_state


class Training(Underway):
    """A run under way: an iterator over its events. Leaving it, in whatever way, saves.

    Attributes:
        path: the run's directory.
        config: what it does.
        why: why this recipe, where it was chosen and not named.
        first: whether this is the process that writes and should speak.
    """

    def __init__(
        self,
        path: Path,
        config: RunConfig,
        events: Iterator[Event],
        *,
        why: str = "",
        first: bool = True,
    ) -> None:
        super().__init__(events)
        self.path, self.config, self.why, self.first = path, config, why, first

    def finish(self) -> Model:
        """The model, once the budget is spent."""
        self.exhaust()
        return read_model(self.path / "model.safetensors")


def train(
    source: str | Path,
    *,
    recipe: str | RunConfig | None = None,
    to: str | Path | None = None,
    minutes: float | None = None,
    images: int | None = None,
    epochs: float | None = None,
    steps: int | None = None,
    settings: tuple[str, ...] = (),
    seed: int | None = None,
    device: Device | None = None,
    devices: int | None = None,
    classes: tuple[str, ...] = (),
    only: tuple[str, ...] = (),
    limit: int | None = None,
    evaluate_every: str | int | None = None,
    patience: int | None = None,
    heal: bool = False,
    report: Report | None = None,
) -> Training:
    """A new run on these pictures, under way: iterate over its events, or `finish()` it.

    Args:
        source: a folder, a zip or tar, an IDX file or folder, `kittens[:N]`, or a prepared set.
        recipe: a recipe's name, its YAML file, or the value itself; chosen by the pictures' size and
            number by default.
        to: the run's directory; the next free one below `runs/` by default.
        minutes: the budget as time (at most one of the four budgets).
        images: the budget as images seen.
        epochs: the budget as passes over the training side.
        steps: the budget as steps.
        settings: overrides such as `train.batch=32`.
        seed: of weights, noise and order.
        device: where to train; the best there is by default.
        devices: processes on this machine, one a device.
        classes: keep these only.
        only: keep names that match one of these patterns.
        limit: keep at most so many, drawn evenly.
        evaluate_every: images between two scores, such as `50k`; the best model is kept.
        patience: scores without a better one after which the run ends; 0 for never.
        heal: whether the run applies remedies to what goes wrong, within bounds.
        report: told how many pictures are prepared, of how many.

    Raises:
        BadInput: source, recipe, settings or directory cannot be used; the message says why and what
            to do.
    """
    why = ""
    if recipe is None:
        config, why = choose(source, selection(DataConfig(), classes, only, limit))
    else:
        config = recipe if isinstance(recipe, RunConfig) else find_recipe(recipe)
    config = selected(override(config, settings), classes, only, limit)
    config = replace(
        config,
        train=trained(config.train, budget(minutes, images, epochs, steps), seed, device, devices),
    )
    config = _scored(config, evaluate_every, patience)
    if heal:
        config = replace(config, train=replace(config.train, heal=True))
    check_devices(config.train)
    prepared = _pictures(source, config, settings, report)
    config = replace(config, data=prepared.config)
    sides = prepared.split(config.data.split_seed, config.data.validation)
    config = informed(config, prepared, sides[0])
    check(config, len(sides[0]))
    first = first_process()
    path = Path(to) if to is not None else _next_path(config.name)
    run = Run.create(path, config, _facts(source, prepared, why)) if first else None
    lock = run.claim() if run else None
    processes = launch(config.train)
    path = Path(processes.shared(str(path)))
    told = _noticed(
        prepared.notices, 0, _train(Sitting(config, prepared, processes, run, None)), run
    )
    return Training(path, config, _alone(lock, processes, told), why=why, first=first)


def resume(
    run: str | Path,
    *,
    minutes: float | None = None,
    images: int | None = None,
    epochs: float | None = None,
    steps: int | None = None,
    device: Device | None = None,
    devices: int | None = None,
    evaluate_every: str | int | None = None,
    patience: int | None = None,
    report: Report | None = None,
) -> Training:
    """A run taken up again at its last saved state, under way.

    Args:
        run: the run's directory.
        minutes: more time than it has had (at most one of the four), instead of what is left.
        images: more images.
        epochs: more passes over the training side.
        steps: more steps.
        device: where to train from now on; as before by default.
        devices: processes on this machine; as before by default.
        evaluate_every: images between two scores from now on; as before by default.
        patience: scores without a better one after which the run ends; as before by default.
        report: told how many pictures are prepared, of how many.

    Raises:
        BadInput: there is no such run, somebody else is training it, its pictures or settings changed, no
            state of it can be used, or its directory cannot be written.
    """
    held = Run.open(Path(run))
    config, facts = held.config, held.facts
    prepared = _same_pictures(facts, config, report)
    state, damaged = usable_state(held, settings_of(config))
    more = budget(minutes, images, epochs, steps)
    train = replace(
        config.train,
        device=device or config.train.device,
        devices=devices or config.train.devices,
    )
    if more is not None:
        epoch = len(prepared.split(config.data.split_seed, config.data.validation)[0])
        train = replace(train, budget=extended(state, more.resolve(batch=train.batch, epoch=epoch)))
    config = _scored(replace(config, train=train), evaluate_every, patience)
    check_devices(config.train)
    first = first_process()
    lock = take_up(held, state, damaged, config) if first else None
    processes = launch(config.train)
    sitting = Sitting(config, prepared, processes, held if first else None, state)
    seen = state.images_seen if state else 0
    sentences = [f"{sentence}. Going on from the state before it" for sentence in damaged.values()]
    told = _noticed(sentences, seen, _train(sitting), held if first else None)
    return Training(held.path, config, _alone(lock, processes, told), first=first)


def _alone(lock: Hold | None, processes: Processes, events: Iterator[Event]) -> Iterator[Event]:
    """The events, the run being held until they end; after the last, all is on disk for every process."""
    with lock or nullcontext():
        yield from events
        processes.wait()


def _scored(config: RunConfig, every: str | int | None, patience: int | None) -> RunConfig:
    """The configuration with these scores put in, once it is sure that there is an extractor for them."""
    scoring = scored(config.train.scoring, every, patience)
    if scoring.every:
        extractor_of(scoring, torch.device("cpu"))
    return replace(config, train=replace(config.train, scoring=scoring))


def _pictures(
    source: str | Path, config: RunConfig, settings: tuple[str, ...], report: Report | None
) -> Prepared:
    path = Path(source)
    if not is_prepared(path):
        return prepare(source, config.data, report=report)
    prepared = Prepared.open(path)
    wanted, found = config.data, prepared.config
    if found.size < wanted.size or found.channels != wanted.channels:
        raise ConfigError(
            f"{path}: prepared at {found.size} pixels with {found.channels} channels, and recipe {config.name} wants "
            f"{wanted.size} with {wanted.channels}; prepare it anew with --size {wanted.size} --channels "
            f"{wanted.channels}, or train with --set data.size={found.size} data.channels={found.channels}"
        )
    # What preparation has decided cannot be decided again, and is not ignored in silence.
    selection = {"classes": wanted.classes, "only": wanted.only, "limit": wanted.limit}
    named = {setting.partition("=")[0] for setting in settings}
    late = [name for name, value in selection.items() if value and value != getattr(found, name)]
    late += [n for n in ("crop", "crop_pixels", "background") if f"data.{n}" in named]
    if late:
        raise ConfigError(
            f"{path}: prepared already, so data.{late[0]} can no longer be chosen; leave it out, or prepare the "
            "source again with it"
        )
    return prepared.viewed(wanted)


def _same_pictures(facts: dict[str, Any], config: RunConfig, report: Report | None) -> Prepared:
    place = Path(facts["prepared"])
    prepared = (
        Prepared.open(place)
        if is_prepared(place)
        else prepare(facts["source"], config.data, report=report)
    )
    if prepared.fingerprint != facts["fingerprint"]:
        raise RunError(
            f"{facts['source']}: its pictures are not those that this run was trained on; restore them, or start "
            "a new run with `impasto train`"
        )
    return prepared.viewed(config.data)


def _noticed(
    sentences: Iterable[str], seen: int, events: Iterator[Event], run: Run | None
) -> Iterator[Event]:
    for sentence in sentences:
        notice = Noticed(seen, sentence)
        if run is not None:
            run.record(notice)
        yield notice
    yield from events


def _next_path(name: str) -> Path:
    number = 1
    while (path := Path("runs") / f"{name}-{number:03d}").exists():
        number += 1
    return path


def _facts(source: str | Path, prepared: Prepared, why: str) -> dict[str, Any]:
    place = str(source)
    return {
        "source": str(Path(place).resolve()) if Path(place).exists() else place,
        "prepared": str(prepared.path.resolve()),
        "fingerprint": prepared.fingerprint,
        "credit": prepared.credit,
        "found": prepared.found,
        "kept": prepared.kept,
        "rejected": prepared.rejected,
        **data_facts(prepared),
        "recipe_chosen_because": why,
        "environment": {
            "impasto": __version__,
            "python": platform.python_version(),
            "torch": torch.__version__,
            "platform": platform.platform(),
            "processor": platform.processor() or platform.machine(),
            "threads": torch.get_num_threads(),
            "command": " ".join(["impasto", *sys.argv[1:]]),
        },
    }
