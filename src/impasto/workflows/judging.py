"""What is compared when something is scored: what was generated, and the real pictures beside it."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

import numpy as np
from jaxtyping import Int64

from impasto.data.config import DataConfig
from impasto.data.prepare import prepare
from impasto.data.prepared import Prepared, is_prepared
from impasto.errors import ConfigError, SourceError
from impasto.evaluation.score import Split
from impasto.families import Model
from impasto.runs.config import RunConfig
from impasto.runs.directory import Run
from impasto.runs.export import read_config, read_model
from impasto.workflows.choosing import common_side
from impasto.workflows.results import model_file

LARGEST = 299  # pixels; no extractor at hand sees more

Sides = dict[Split, Int64[np.ndarray, " _"]]  # positions in a set


@dataclass(frozen=True)
class Judged:
    """A model to draw from, or pictures that somebody else has drawn.

    Attributes:
        run: its run, if it has one.
        config: the model's configuration; None for pictures.
        pictures: None for a model.
        trained_on: the set that the model was trained on, where it is still at hand.
    """

    run: Run | None = None
    config: RunConfig | None = None
    model: Model | None = None
    pictures: Prepared | None = None
    trained_on: Prepared | None = None

    @property
    def averaged(self) -> bool | None:
        """Whether samples are drawn by averaged weights; None for pictures."""
        return None if self.config is None else self.config.family.ema_half_life > 0

    @property
    def fingerprint(self) -> str:
        """Of the pictures that the model was trained on; empty where that is not known."""
        return str(self.model.provenance.get("fingerprint", "")) if self.model else ""


def is_model(what: str | Path) -> bool:
    """Whether this is a run or a model's file, and not a source of pictures."""
    path = Path(what)
    return path.suffix == ".safetensors" or (path / "config.yaml").is_file()


def judged_model(what: str | Path) -> Judged:
    """The model in a run or a file, and the set that it was trained on where the run still has it.

    Raises:
        BadInput: there is none, it is damaged, or a newer impasto wrote it.
    """
    file = model_file(what)
    run = Run.open(Path(what)) if Path(what).is_dir() else None
    config, model = read_config(file), read_model(file)
    return Judged(run, config, model, trained_on=set_of(run) if run else None)


def judged_pictures(what: str | Path, against: str | Path, size: int | None) -> Judged:
    """Pictures that somebody else has drawn, at this size or else the side that both sources have.

    Raises:
        SourceError: there are none.
    """
    shape = DataConfig(size=size or compared_size(what, against), channels=_channels(what, against))
    return Judged(pictures=opened_set(what, shape))


def set_of(run: Run) -> Prepared | None:
    """The pictures of a run, where they are still at hand and the same."""
    told, config = run.facts, run.config
    place = Path(told["prepared"])
    try:
        prepared = Prepared.open(place) if is_prepared(place) else None
    except SourceError:  # half of it was deleted
        return None
    if prepared is None or prepared.fingerprint != told["fingerprint"]:
        return None
    return prepared.viewed(config.data)


def real_set(
    against: str | Path,
    judged: Judged,
    size: int | None,
    classes: tuple[str, ...] = (),
    only: tuple[str, ...] = (),
) -> Prepared:
    """The real pictures, shaped like the generated ones.

    What a model was trained on is selected as it was then; of other sources everything is taken. Either
    way, classes and patterns given here have the last word.

    Raises:
        SourceError: there are none.
        ConfigError: a prepared set is too small or of other channels, or should be selected from.
    """
    if (classes or only) and is_prepared(against):
        raise ConfigError(
            f"{against}: is prepared already, so --classes and --only come too late; name the source that it was "
            "made from"
        )
    if judged.config is not None and is_its_source(against, judged):
        wanted = judged.config.data
    else:
        kept = judged.config.data if judged.config is not None else _drawn(judged).config
        wanted = shaped(kept)
    wanted = replace(wanted, classes=classes or wanted.classes, only=only or wanted.only)
    return opened_set(against, replace(wanted, size=size or wanted.size))


def shaped(kept: DataConfig) -> DataConfig:
    """All pictures of a source, brought to the shape that these were brought to."""
    return DataConfig(
        size=kept.size,
        channels=kept.channels,
        crop=kept.crop,
        crop_pixels=kept.crop_pixels,
        background=kept.background,
    )


def sides_of(prepared: Prepared, *, own: bool) -> Sides:
    """Positions of all pictures and, of the set that a model was trained on, of either side of the split."""
    sides: Sides = {"all": np.arange(len(prepared))}
    if own:
        trained, held_out = prepared.split(prepared.config.split_seed, prepared.config.validation)
        sides["training"] = trained
        if len(held_out):
            sides["held-out"] = held_out
    return sides


def compared_size(what: str | Path, against: str | Path) -> int:
    """The side at which pictures of two sources are compared: what both have, half of them at least."""
    return min(LARGEST, common_side(what), common_side(against))


def _drawn(judged: Judged) -> Prepared:
    assert judged.pictures is not None
    return judged.pictures


def _channels(*sources: str | Path) -> Literal[1, 3]:
    """Those of a prepared set, which cannot be changed any more; colour otherwise, of which grey is a case."""
    sets = [Prepared.open(source) for source in sources if is_prepared(source)]
    return sets[0].config.channels if sets else 3


def is_its_source(against: str | Path, judged: Judged) -> bool:
    """Whether the model was trained on pictures of this source, or on this prepared set."""
    names = {str(judged.model.provenance.get("source", ""))} if judged.model else set()
    if judged.run is not None:
        names |= {str(judged.run.facts["source"]), str(judged.run.facts["prepared"])}
    path = Path(against)
    return str(against) in names or (path.exists() and str(path.resolve()) in names)


def opened_set(source: str | Path, wanted: DataConfig) -> Prepared:
    """The pictures of a source or of a prepared set, as they are wanted.

    Raises:
        SourceError: there are none.
        ConfigError: the set was prepared too small, or with other channels.
    """
    if not is_prepared(source):
        return prepare(source, wanted)
    prepared = Prepared.open(source)
    found = prepared.config
    if found.size < wanted.size or found.channels != wanted.channels:
        raise ConfigError(
            f"{source}: prepared at {found.size} pixels with {found.channels} channels, and {wanted.size} with "
            f"{wanted.channels} are compared; prepare it anew with --size {wanted.size} --channels {wanted.channels}"
        )
    return prepared.viewed(wanted)
