"""The loop of whatever paints or learns to paint: steps in, events out, a run's directory kept where one is wanted.

As with a training, whoever iterates may stop at any event; leaving it, for whatever reason, saves.
"""

import math
import threading
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Generic, Protocol, TypeVar, runtime_checkable

import numpy as np
from jaxtyping import UInt8
from torch import Tensor

from impasto.errors import Diverged, NotSaved
from impasto.events import Event, Finished, FinishReason, Sampled, Saved, Started, Tick
from impasto.runs.checkpoint import State, save_state
from impasto.runs.directory import Run
from impasto.runs.pace import polite

SNAPSHOTS = 24  # how often it is drawn
LONGEST_UNSAVED = 120.0  # seconds


@runtime_checkable
class Work(Protocol):
    """What is worked on.

    Attributes:
        done: steps so far, or pictures seen: its clock.
    """

    done: int

    def spent(self, seconds: float) -> float:
        """The share of the work that is done, after so many seconds; 1 at the end."""

    def step(self) -> Mapping[str, Tensor]:
        """One step; its losses, from before it."""

    def told(self) -> dict[str, float]:
        """Other numbers for a tick."""

    def preview(self) -> UInt8[np.ndarray, "n h w c"]:
        """What there is to see of it now, of the same size throughout."""

    def state(self) -> dict[str, Tensor]:
        """All that it takes to go on."""


W = TypeVar("W", bound=Work)


@dataclass(frozen=True)
class Bench(Generic[W]):
    """A work and where it is kept.

    Attributes:
        started: what is told first.
        run: the directory; None for none.
        fingerprint: of the pictures.
        settings: a hash of everything that decides what comes of it.
        every: steps between two ticks.
        seconds: that earlier sittings took.
    """

    work: W
    started: Started
    run: Run | None = None
    fingerprint: str = ""
    settings: str = ""
    every: int = 10
    seconds: float = 0.0

    def tell(self, event: Event) -> Event:
        """The event, recorded."""
        if self.run is not None:
            self.run.record(event)
        return event

    def sample(self) -> Event:
        """Draws the work as it is."""
        event = Sampled(self.work.done, f"samples/{self.work.done:012d}.png")
        if self.run is not None:
            shown = self.work.preview()
            event = self.run.draw(shown, self.work.done, gap=2 if len(shown) > 1 else 0)
        return self.tell(event)

    def save(self, seconds: float) -> Iterator[Event]:
        """Writes all that it takes to go on."""
        if self.run is None:
            return
        done, tensors = self.work.done, self.work.state()
        state = State(done, seconds, self.fingerprint, self.settings, tensors)
        try:
            path = save_state(self.run.path / "state", state)
        except OSError as error:
            raise NotSaved(
                f"{self.run.path}: its state could not be saved ({error}); make room, and say `impasto resume "
                f"{self.run.path}`"
            ) from None
        yield self.tell(Saved(done, f"state/{path.name}"))


def work_on(bench: Bench[W]) -> Iterator[Event]:
    """The events of one sitting, from where the work stands to its end or until it is stopped.

    Raises:
        Diverged: losses are not numbers any more.
        NotSaved: the disk is full.
    """
    work, clock = bench.work, _Clock(bench)
    interrupted = threading.Event()
    sound = finished = False
    stop: FinishReason | None = None
    steps = 0
    with polite(interrupted):
        try:
            yield bench.tell(replace(bench.started, images_seen=work.done))
            yield bench.sample()
            sound = True
            while clock.spent < 1 and stop is None:
                sound = False
                losses = {name: float(loss) for name, loss in work.step().items()}
                steps += 1
                if not all(math.isfinite(loss) for loss in losses.values()):
                    raise Diverged(
                        f"at step {work.done:,} losses are not numbers any more ({losses}); try another optimiser, a "
                        "lower learning rate, or a smaller strength"
                    )
                sound = True
                stop = _reason(bench, interrupted)
                ended = clock.spent >= 1 or stop is not None
                if steps % bench.every == 0 or work.done == 1 or ended:
                    yield bench.tell(clock.tick(losses))
                if clock.crosses() or ended:
                    yield bench.sample()
                if clock.unsaved > LONGEST_UNSAVED or ended:
                    yield from bench.save(clock.seconds)
                    clock.saved()
            finished = True
            yield bench.tell(Finished(work.done, clock.seconds, stop or "budget"))
        finally:
            if sound and not finished:
                for _ in bench.save(clock.seconds):
                    pass
                bench.tell(Finished(work.done, clock.seconds, "left"))


class _Clock(Generic[W]):
    """How long it has been, how long it will be, and when to look and to save again."""

    def __init__(self, bench: Bench[W]) -> None:
        self.work, self.before = bench.work, bench.seconds
        self.started = self.saved_at = self.ticked_at = time.monotonic()
        self.ticked, self.snapshots = bench.work.done, self._passed()

    @property
    def seconds(self) -> float:
        """Of work, over all sittings."""
        return self.before + time.monotonic() - self.started

    @property
    def spent(self) -> float:
        """The share of the work that is done."""
        return self.work.spent(self.seconds)

    @property
    def unsaved(self) -> float:
        """Seconds since the last state."""
        return time.monotonic() - self.saved_at

    def saved(self) -> None:
        """Takes note of a state."""
        self.saved_at = time.monotonic()

    def crosses(self) -> bool:
        """Whether it is time to look at the work again."""
        before, self.snapshots = self.snapshots, self._passed()
        return self.snapshots > before

    def tick(self, losses: dict[str, float]) -> Tick:
        """How far it is."""
        now, spent, done = time.monotonic(), min(1.0, self.spent), self.work.done
        pace = (done - self.ticked) / max(now - self.ticked_at, 1e-9)
        self.ticked, self.ticked_at = done, now
        return Tick(
            images_seen=done,
            fraction=spent,
            seconds=self.seconds,
            images_per_second=pace,
            seconds_left=self.seconds * (1 - spent) / max(spent, 1e-9),
            scalars={**losses, **self.work.told()},
        )

    def _passed(self) -> int:
        return math.floor(self.spent * SNAPSHOTS)


def _reason(bench: Bench[W], interrupted: threading.Event) -> FinishReason | None:
    if interrupted.is_set():
        return "interrupted"
    return "stop file" if bench.run and bench.run.asked_to_stop() else None
