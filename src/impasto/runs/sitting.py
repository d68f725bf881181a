"""One sitting at a run: a family, its batches and its directory, for as long as somebody trains them.

The loop says when; here is what: a step, a tick, a grid, a save, an end.
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import torch

from impasto.config import override
from impasto.data.feed import Feed, RawBatch
from impasto.data.prepared import Prepared
from impasto.diagnostics.diseases.rates import broken_down
from impasto.errors import Diverged, NotSaved, OutOfMemory
from impasto.events import (
    Event,
    Finished,
    FinishReason,
    Noticed,
    Sampled,
    Saved,
    Scored,
    Started,
    Tick,
)
from impasto.families import FAMILIES, Batch, Model, Scalars
from impasto.images import to_float
from impasto.runs.checkpoint import State, save_state
from impasto.runs.config import RunConfig, settings_of
from impasto.runs.devices import Processes, device_name, free_cached, out_of_memory
from impasto.runs.directory import Run
from impasto.runs.export import write_model
from impasto.runs.health import Health
from impasto.runs.pace import Due, Pace
from impasto.runs.scoring import STEERED_BY, Record, Scorer
from impasto.runs.settling import settle
from impasto.runs.totals import Totals
from impasto.seeds import Streams
from impasto.types import Progress
from impasto.version import __version__


class Sitting:
    """A family, its batches and its run, for as long as somebody trains them."""

    def __init__(
        self,
        config: RunConfig,
        prepared: Prepared,
        processes: Processes,
        run: Run | None,
        state: State | None,
    ) -> None:
        changes = state.changes if state else ()
        self._settings = settings_of(config)  # as asked for; what healing changes is kept beside it
        config = override(config, changes)
        self.prepared, self.processes, self.run = prepared, processes, run
        self._split = prepared.split(config.data.split_seed, config.data.validation)
        trained, _ = self._split
        self.streams = Streams(config.train.seed, processes.device, processes.rank, processes.count)
        self.feed = Feed(
            prepared,
            trained,
            batch=config.train.batch,
            seed=config.train.seed,
            flip=config.data.flip,
            attributes=FAMILIES[config.family.name].attributes(config.family),
            rank=processes.rank,
            processes=processes.count,
        )
        self.family = FAMILIES[config.family.name](config.family, config.shape, self.streams)
        budget = config.train.budget.resolve(batch=config.train.batch, epoch=len(trained))
        self.progress = Progress(0, budget, len(trained))
        if state is not None:
            self.family.restore(state.tensors)
            self.progress = replace(
                self.progress, images_seen=state.images_seen, seconds=state.seconds
            )
        self.pace = Pace(config.train, self.progress, processes, run)
        self._sound = True  # at a step's boundary, with finite numbers
        self._saved = self.progress.images_seen if state else -1
        self._finished = False
        self._totals = Totals()
        self.health = Health(
            config,
            changes,
            self.family,
            prepared,
            self._split,
            run=run,
            processes=processes,
            images_seen=self.progress.images_seen,
        )
        self._scorer: Scorer | None = None  # made at the first score
        self._record = Record.of(run.events() if run else ())
        self.exhausted: FinishReason | None = None  # set once scores have stopped improving

    @property
    def config(self) -> RunConfig:
        """Of the run, as healing has left it."""
        return self.health.config

    def open(self) -> Iterator[Event]:
        """What is told before the first step."""
        train = self.config.train
        networks = FAMILIES[self.config.family.name].networks(self.config.family, self.config.shape)
        yield self._tell(
            Started(
                images_seen=self.progress.images_seen,
                run=str(self.run.path) if self.run else "",
                recipe=self.config.name,
                pictures=self.progress.epoch,
                held_out=len(self._split[1]),
                budget=str(train.budget),
                device=device_name(self.processes.device),
                processes=self.processes.count,
                precision=self.processes.precision,
                parameters={
                    n: sum(p.numel() for p in net.parameters()) for n, net in networks.items()
                },
            )
        )
        if self.progress.images_seen == 0:
            yield self.sample()
        if self.progress.fraction >= 1:
            yield self._tell(
                Noticed(
                    self.progress.images_seen,
                    "the budget is spent already; give more, such as --minutes 10",
                )
            )
            yield self.save()
            yield from self.settle()
            yield self.finish("budget")

    def batches(self) -> Iterator[RawBatch]:
        """Batches from here on; how long each was waited for is told in the ticks."""
        if self._finished:
            return
        stream = self.feed.stream(self.progress.images_seen)
        try:
            while True:
                started = time.monotonic()
                raw = next(stream)
                self._totals.waited += time.monotonic() - started
                yield raw
        finally:
            stream.close()  # type: ignore[attr-defined]

    def step(self, raw: RawBatch) -> Due:
        """Trains on one batch and says what is due after it."""
        self._sound = False
        self._totals.add(self._attempt(raw))
        self._sound = True
        self.progress, due = self.pace.after(self.progress, self.config.train.batch)
        return due

    def tick(self, *, look: bool) -> Iterator[Event]:
        """The averages since the last tick, and a notice if steps had to be left out.

        Args:
            look: whether the signals of the training's health are taken too.

        Raises:
            Diverged: most of those steps had to be left out, and the run does not heal itself, or can do no more.
        """
        seconds = self.progress.seconds
        images = self._totals.steps * self.config.train.batch
        scalars = self._totals.read(self.processes)
        elapsed = self._totals.elapsed
        if look:
            with self.processes.autocast(), self._memory_told():
                scalars |= self.health.look()
        self._totals = Totals()
        fraction = self.progress.fraction
        tick = Tick(
            images_seen=self.progress.images_seen,
            fraction=fraction,
            seconds=seconds,
            images_per_second=images / elapsed,
            seconds_left=seconds * (1 - fraction) / fraction,
            scalars=scalars,
        )
        yield self._tell(tick)
        if look:
            yield from map(self._tell, self.health.after(tick))
        skipped = scalars.get("skipped_steps", 0.0)
        if skipped > 0:
            yield self._tell(
                Noticed(
                    self.progress.images_seen,
                    f"{skipped:.0%} of the gradients since the last tick were not finite; those steps were left out",
                )
            )
        if broken_down(scalars):
            changes = self.health.changes
            yield from map(self._tell, self.health.broken(tick))
            if self.health.changes == changes:
                raise self._diverged()

    def sample(self) -> Sampled:
        """Draws the fixed-noise grid."""
        name = f"samples/{self.progress.images_seen:012d}.png"
        event = Sampled(self.progress.images_seen, name)
        if self.run is not None:
            with self.processes.autocast(), self._memory_told():
                images = self.family.model().sample(self.config.train.grid, self.config.train.seed)
            with self._disk_told():
                event = self.run.draw(images, self.progress.images_seen)
        self._tell(event)
        return event

    def score(self) -> Iterator[Event]:
        """The model of now, scored; the best one is kept beside the last."""
        exhausted = False
        if self.run is not None:
            yield from self._score(self.run)
            exhausted = self._record.exhausted(self.config.train.scoring.patience)
        if self.processes.agree([float(exhausted)])[0]:
            self.exhausted = "no longer improving"

    def save(self) -> Saved:
        """Writes state and model.

        Raises:
            Diverged: the weights are not finite; the states before are as they were.
            NotSaved: the disk is full or cannot be written; the states before are as they were.
        """
        started, seen = time.monotonic(), self.progress.images_seen
        self._sound = False  # should this fail, leaving must not try again
        if self.run is not None:
            self._write(self.run)
        self._sound = True
        self._saved = seen
        self.pace.saved(started)
        event = Saved(seen, f"state/{seen:012d}.safetensors")
        self._tell(event)
        return event

    def settle(self) -> Iterator[Event]:
        """What the models on disk are given once their networks will not change any more, and says so."""
        if self.run is not None and self.family.settles:
            told = "fitting what new pictures are drawn from, which takes up to a minute"
            yield self._tell(Noticed(self.progress.images_seen, told))
            files = (self.run.model_path, self.run.best_path)
            for settlement in settle(files, self.config, self.prepared):
                yield self._tell(Noticed(self.progress.images_seen, str(settlement)))

    def finish(self, reason: FinishReason) -> Finished:
        """Ends the sitting; everything is saved."""
        self._finished = True
        if self.run is not None:
            self.run.clear_stop()
        event = Finished(self.progress.images_seen, self.progress.seconds, reason)
        self._tell(event)
        return event

    def leave(self) -> None:
        """Saves what a consumer that left early, or an error elsewhere, would otherwise lose."""
        if self._finished or not self._sound:
            return
        if self._saved != self.progress.images_seen:
            self.save()
        self.finish("left")

    def _tell(self, event: Event) -> Event:
        if self.run is not None:
            with self._disk_told():
                self.run.record(event)
        return event

    def _attempt(self, raw: RawBatch) -> Scalars:
        """A step, tried once more with less kept in the cache if the device's memory ran out.

        A player that had stepped before memory ran out steps twice on this batch. Several processes do not
        try again: the others are in the middle of an exchange.
        """
        if self.processes.count > 1:
            with self._memory_told():
                return self._family_step(self._batch(raw))
        try:
            return self._family_step(self._batch(raw))
        except RuntimeError as error:
            if not out_of_memory(error):
                raise
        # Only here, past the handler, is nothing left that holds what the failed step had made.
        free_cached(self.processes.device)
        with self._memory_told():
            return self._family_step(self._batch(raw))

    @contextmanager
    def _memory_told(self) -> Iterator[None]:
        try:
            yield
        except RuntimeError as error:
            if not out_of_memory(error):
                raise
            raise self._too_large() from error

    @contextmanager
    def _disk_told(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise self._not_saved(error) from None

    def _batch(self, raw: RawBatch) -> Batch:
        images, known = raw.images, raw.known
        if self.processes.device.type == "cuda":
            images, known = images.pin_memory(), known.pin_memory()
        device = self.processes.device
        return Batch(
            to_float(images.to(device, non_blocking=True)), known.to(device, non_blocking=True)
        )

    def _family_step(self, batch: Batch) -> Scalars:
        with self.processes.autocast():
            return self.family.step(batch, self.progress)

    def _write(self, run: Run) -> None:
        seen, seconds = self.progress.images_seen, self.progress.seconds
        model = self._model()
        state = State(
            seen,
            seconds,
            self.prepared.fingerprint,
            self._settings,
            self.family.state(),
            self.health.changes,
        )
        with self._disk_told():
            save_state(run.path / "state", state)
            write_model(model, self.config, run.model_path)

    def _score(self, run: Run) -> Iterator[Event]:
        if self._scorer is None:
            self._scorer = Scorer(self.config, self.prepared, self.processes.device)
        started, seen = time.monotonic(), self.progress.images_seen
        model = self._model()
        with self._memory_told():
            scores = self._scorer(model)
        told = {name: score.to_plain() for name, score in scores.items()}
        took = time.monotonic() - started
        event = Scored(seen, told, self._record.add(scores[STEERED_BY].value), took)
        if event.best:
            with self._disk_told():
                write_model(model, self.config, run.best_path)
        yield self._tell(event)
        if notice := self._record.notice(took, self.progress.seconds):
            yield self._tell(Noticed(seen, notice))

    def _model(self) -> Model:
        model = self.family.model()
        model.provenance = self._provenance()
        return model

    def _not_saved(self, error: OSError) -> NotSaved:
        path = self.run.path if self.run else ""
        return NotSaved(
            f"{path}: what was done up to {self.progress.images_seen:,} images could not be saved ({error}); "
            f"{self._kept()}; make room and go on with `impasto resume {path}`"
        )

    def _kept(self) -> str:
        return (
            f"the state at {self._saved:,} images is intact"
            if self._saved >= 0
            else "nothing was saved yet"
        )

    def _provenance(self) -> dict[str, Any]:
        return {
            "impasto": __version__,
            "torch": torch.__version__,
            "source": self.prepared.source,
            "credit": self.prepared.credit,
            "fingerprint": self.prepared.fingerprint,
            "pictures": self.progress.epoch,
            "images_seen": self.progress.images_seen,
        }

    def _too_large(self) -> OutOfMemory:
        batch = self.config.train.batch
        smaller = max(
            self.processes.count, batch // 2 // self.processes.count * self.processes.count
        )
        return OutOfMemory(
            f"{device_name(self.processes.device)}: its memory does not hold a step of {batch} images; "
            f"try --set train.batch={smaller}, or a smaller family.width or data.size"
        )

    def _diverged(self) -> Diverged:
        self._sound = False
        return Diverged(
            f"at {self.progress.images_seen:,} images losses or gradients are no longer finite; {self._kept()}; "
            "start a new run with a lower learning rate (--set family.learning_rate=1e-4)"
        )
