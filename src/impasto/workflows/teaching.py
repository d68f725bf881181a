"""Teaching a network styles, so that it repaints pictures at once."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from jaxtyping import UInt8
from torch import Tensor

from impasto.config import from_plain, override, to_plain
from impasto.data.config import DataConfig
from impasto.data.feed import Feed
from impasto.data.original import read_original
from impasto.data.prepare import prepare
from impasto.data.prepared import Prepared, is_prepared
from impasto.errors import ConfigError, NotSaved, RunError, SourceError
from impasto.events import Started
from impasto.holds import Hold
from impasto.images import to_float, to_uint8
from impasto.nn.weights import write_tensors
from impasto.runs.devices import device_name, device_of
from impasto.runs.directory import LESSON, Lessons, Run
from impasto.runs.work import Bench
from impasto.style.adaptive import AdaptiveConfig, AdaptiveLearner, judged
from impasto.style.config import settings_of
from impasto.style.learning import Learner, LearningConfig, StyleLearner, teaching
from impasto.style.loss_network import LossNetwork, network_name
from impasto.types import Budget, Progress
from impasto.version import __version__
from impasto.workflows.manners import Pieces, fingerprint_of, pictures_of
from impasto.workflows.pictures import Report
from impasto.workflows.settings import Device, budget
from impasto.workflows.staging import opened
from impasto.workflows.underway import Underway, kept, take_up, usable_state

FORMAT = 1
SHOWN = 4  # contents in a preview
EVERY = 10  # steps between two ticks


class Lesson:
    """A learner and the contents that it learns on: what `work_on` works on."""

    def __init__(self, learner: Learner[Any], prepared: Prepared, limit: Budget) -> None:
        self.learner, self.limit = learner, limit
        config = learner.config
        positions, _ = prepared.split(prepared.config.split_seed, 0.0)
        self.feed = Feed(prepared, positions, batch=config.batch, seed=config.seed, flip=True)
        self.resolved = limit.resolve(batch=config.batch, epoch=len(positions))
        self.epoch, self.done, self.seconds = len(positions), 0, 0.0
        places = np.linspace(0, len(positions) - 1, SHOWN).astype(int)
        self.contents = torch.from_numpy(prepared.images(positions[places]))

    def spent(self, seconds: float) -> float:
        """The share of the budget that is spent."""
        self.seconds = seconds
        return self._progress().fraction

    def step(self) -> Mapping[str, Tensor]:
        """One step on the next batch."""
        raw = self.feed.at(self.done)
        contents = to_float(raw.images.to(self.learner.device))
        losses = self.learner.step(contents, self._progress())
        self.done += len(contents)
        return losses

    def told(self) -> dict[str, float]:
        """How far the weights move, and how many steps had to be left out."""
        player = self.learner.player
        return {"update_ratio": float(player.update_ratio), "skipped": float(player.skipped)}

    def preview(self) -> UInt8[np.ndarray, "n h w c"]:
        """A few contents, each in a few manners."""
        contents = to_float(self.contents.to(self.learner.device))
        return to_uint8(self.learner.preview(contents)).cpu().numpy()

    def state(self) -> dict[str, Tensor]:
        """All that it takes to go on."""
        return self.learner.state()

    def _progress(self) -> Progress:
        return Progress(self.done, self.resolved, self.epoch, self.seconds)


class StyleTraining(Underway):
    """A network that is learning styles: an iterator over its events. Leaving it, in whatever way, saves.

    Attributes:
        path: the run's directory, with model.safetensors in the end.
        config: how it learns.
    """

    def __init__(self, bench: Bench[Lesson], config: Lessons, run: Run, lock: Hold) -> None:
        self.path, self.config = run.path, config
        self._bench, self._run = bench, run
        super().__init__(kept(bench, lock, run.path.name, None, self._write))

    def finish(self) -> Path:
        """The run's directory, once the budget is spent."""
        self.exhaust()
        return self.path

    def _write(self) -> None:
        lesson, facts = self._bench.work, self._run.facts
        told = {
            "format": FORMAT,
            "kind": LESSON,
            "config": to_plain(self.config),
            **lesson.learner.facts(),
            "provenance": {
                "images_seen": lesson.done,
                "source": facts["source"],
                "styles": facts["styles"],
                "impasto": __version__,
            },
        }
        try:
            write_tensors(self._run.model_path, lesson.learner.tensors(), told)
        except OSError as error:
            raise NotSaved(
                f"{self._run.model_path}: cannot be written ({error}); make room, and say `impasto resume {self.path}`"
            ) from None


@dataclass(frozen=True)
class _Pictures:
    prepared: Prepared
    styles: tuple[Path, ...]


def train_style(
    styles: Sequence[str | Path],
    content: str | Path,
    *,
    to: str | Path,
    minutes: float | None = None,
    images: int | None = None,
    steps: int | None = None,
    arbitrary: bool = False,
    settings: tuple[str, ...] = (),
    device: Device = "auto",
    limit: int | None = None,
    report: Report | None = None,
) -> StyleTraining:
    """A network learning to paint in these styles, or in any, under way.

    Args:
        styles: pictures; the network holds all of them. To learn any manner, examples of paintings, or folders.
        content: a source of pictures to learn on; of any kind.
        to: the run's directory, which `stylize` then takes as a network.
        minutes: to learn (at most one of the three); 20 by default.
        images: to learn on.
        steps: to learn for.
        arbitrary: to paint in the manner of whatever it will be shown, instead of learning these styles by heart.
        settings: fields of `LearningConfig`, or of `AdaptiveConfig` for any manner, such as `strength=0.7`.
        device: where to learn.
        limit: contents to use, at most.
        report: told how many contents are prepared, of how many.

    Raises:
        BadInput: a style or the source is not what it should be, or weights are missing.
    """
    files = tuple(Path(style) for style in styles)
    if arbitrary:
        files = tuple(path for style in files for path in pictures_of(style))
        for path in files:  # now, not in the midst of learning
            read_original(path)
    config = _configured(files, settings, arbitrary=arbitrary)
    config = replace(config, budget=budget(minutes, images, None, steps) or config.budget)
    painted = fingerprint_of(files)
    pictures = _Pictures(_contents(content, config, limit, report), files)
    place = torch.device(device_of(device))
    lesson = _lesson(config, pictures, place)
    facts = {
        "format": 1,
        "kind": LESSON,
        "source": str(content),
        "prepared": str(pictures.prepared.path.resolve()),
        "fingerprint": pictures.prepared.fingerprint,
        "painted": painted,
        "styles": [str(path.resolve()) for path in files],
        "credit": pictures.prepared.credit,
        "environment": {"impasto": __version__, "torch": torch.__version__},
    }
    run = Run.create(Path(to), config, facts)
    return StyleTraining(_bench(lesson, config, run, place), config, run, run.claim())


def resume_lesson(
    run: str | Path,
    *,
    minutes: float | None = None,
    images: int | None = None,
    steps: int | None = None,
    device: Device | None = None,
) -> StyleTraining:
    """A network that goes on learning from its last saved state.

    Raises:
        BadInput: pictures or settings changed, somebody else is training it, or no state of it can be used.
    """
    held = Run.open(Path(run))
    facts, config = held.facts, held.lesson
    prepared = Prepared.open(Path(facts["prepared"]))
    if prepared.fingerprint != facts["fingerprint"]:
        raise RunError(
            f"{held.path}: the contents are not those that it was learning on; restore them"
        )
    styles = tuple(Path(path) for path in facts["styles"])
    if fingerprint_of(styles) != facts.get("painted"):
        raise RunError(
            f"{held.path}: the paintings are not those that it was learning from; restore them"
        )
    state, damaged = usable_state(held, settings_of(config))
    config = replace(config, budget=budget(minutes, images, None, steps) or config.budget)
    place = torch.device(device_of(device or "auto"))
    lesson = _lesson(config, _Pictures(prepared, styles), place)
    lock = take_up(held, state, damaged, config)
    seconds = 0.0
    if state is not None:
        lesson.learner.restore(state.tensors)
        lesson.done, seconds = state.images_seen, state.seconds
    return StyleTraining(_bench(lesson, config, held, place, seconds), config, held, lock)


def _configured(styles: tuple[Path, ...], settings: tuple[str, ...], *, arbitrary: bool) -> Lessons:
    if not styles:
        raise ConfigError("no style: name at least one picture to learn from")
    if arbitrary:
        if any(setting.startswith("scale=") for setting in settings):
            raise ConfigError(
                "--scale: any manner is painted at any scale; say it to `impasto stylize`"
            )
        config: Lessons = override(AdaptiveConfig(), settings)
    else:
        for path in styles:
            if path.is_dir():
                raise ConfigError(
                    f"{path}: is a folder; name paintings one by one, or learn any manner with --arbitrary"
                )
        names = tuple(path.stem for path in styles)
        if len(set(names)) < len(names):
            raise ConfigError(f"styles: {', '.join(names)}: two have one name; rename a file")
        config = override(from_plain(LearningConfig, {"styles": names}, where="styles"), settings)
    return replace(config, network=network_name(config.network))


def _contents(
    content: str | Path, config: Lessons, limit: int | None, report: Report | None
) -> Prepared:
    path = Path(content)
    if is_prepared(path):
        found = Prepared.open(path)
        if found.config.channels != 3:
            raise SourceError(
                f"{path}: is grey; contents are in colour, prepare them with --channels 3"
            )
    else:
        data = DataConfig(size=config.size, crop="center", limit=limit, validation=0.0)
        found = prepare(content, data, report=report)
    if len(found) < config.batch:
        raise SourceError(
            f"{content}: {len(found)} pictures are fewer than a batch of {config.batch}; give more, or --set "
            f"batch={max(1, len(found))}"
        )
    return found


def _lesson(config: Lessons, pictures: _Pictures, place: torch.device) -> Lesson:
    learner: Learner[Any]
    see = partial(LossNetwork.published, config.network, padding="replicate", device=place)
    probe = see((0,))
    teacher = see(teaching(probe, config).layers)
    if isinstance(config, AdaptiveConfig):
        pieces = Pieces(pictures.styles, pictures.prepared.config.size, config.seed)
        learner = AdaptiveLearner(config, teacher, see(judged(probe)), pieces, place)
    else:
        learner = StyleLearner(config, teacher, [opened(p) for p in pictures.styles], place)
    return Lesson(learner, pictures.prepared, config.budget)


def _bench(
    lesson: Lesson, config: Lessons, run: Run, place: torch.device, seconds: float = 0.0
) -> Bench[Lesson]:
    network = lesson.learner.player.network
    started = Started(
        images_seen=lesson.done,
        run=str(run.path),
        recipe=config.name,
        pictures=lesson.epoch,
        held_out=0,
        budget=str(config.budget),
        device=device_name(place),
        processes=1,
        precision="32-bit",
        parameters={"network": sum(p.numel() for p in network.parameters())},
    )
    facts: dict[str, Any] = run.facts
    return Bench(lesson, started, run, facts["fingerprint"], settings_of(config), EVERY, seconds)
