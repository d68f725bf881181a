"""The loop of a painting: steps in, events out, and a run's directory kept where one is wanted.

As with a training, whoever iterates may stop at any event; leaving it, for whatever reason, saves. The clock
counts steps: each looks at one picture.
"""

import hashlib
import json
import math
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass

from impasto.config import to_plain
from impasto.errors import Diverged, NotSaved
from impasto.events import Event, Finished, FinishReason, Sampled, Saved, Started, Tick
from impasto.images import to_uint8
from impasto.runs.checkpoint import State, save_state
from impasto.runs.directory import Run
from impasto.runs.pace import polite
from impasto.stylize.config import StyleConfig
from impasto.stylize.painter import Painter
from impasto.stylize.scene import resized

SNAPSHOTS = 24
LARGEST_PREVIEW = 800  # pixels on the longest side
LONGEST_UNSAVED = 120.0  # seconds


@dataclass(frozen=True)
class Easel:
    """A painting and where it is kept.

    Attributes:
        painter: what paints.
        config: the recipe.
        device: what it paints on, in words.
        parameters: of the loss network.
        styles: how many there are.
        run: the directory; None for none.
        fingerprint: of the pictures.
        every: steps between two ticks.
        seconds: that earlier sittings took.
    """

    painter: Painter
    config: StyleConfig
    device: str
    parameters: dict[str, int]
    styles: int
    run: Run | None = None
    fingerprint: str = ""
    every: int = 10
    seconds: float = 0.0

    def begin(self) -> Event:
        """What is told first."""
        return self.tell(
            Started(
                images_seen=self.painter.done,
                run=str(self.run.path) if self.run else "",
                recipe=self.config.name,
                pictures=1 + self.styles,
                held_out=0,
                budget=f"{self.painter.steps:,} steps",
                device=self.device,
                processes=1,
                precision="32-bit",
                parameters=self.parameters,
            )
        )

    def sample(self) -> Sampled:
        """Draws the painting as it is, at one size throughout so that a film can be made of it."""
        done = self.painter.done
        event = Sampled(done, f"samples/{done:012d}.png")
        if self.run is not None:
            height, width = self.painter.final
            share = min(1.0, LARGEST_PREVIEW / max(height, width))
            shown = resized(self.painter.picture, round(height * share), round(width * share))
            event = self.run.draw(to_uint8(shown).cpu().numpy(), done, gap=0)
        self.tell(event)
        return event

    def save(self, seconds: float) -> Iterator[Event]:
        """Writes all that it takes to go on."""
        if self.run is None:
            return
        done = self.painter.done
        state = State(
            done, seconds, self.fingerprint, settings_of(self.config), self.painter.state()
        )
        try:
            path = save_state(self.run.path / "state", state)
        except OSError as error:
            raise NotSaved(
                f"{self.run.path}: the painting could not be saved ({error}); make room, and say `impasto resume "
                f"{self.run.path}`"
            ) from None
        yield self.tell(Saved(done, f"state/{path.name}"))

    def tell(self, event: Event) -> Event:
        """The event, recorded."""
        if self.run is not None:
            self.run.record(event)
        return event


def paint(easel: Easel) -> Iterator[Event]:
    """The events of one sitting, from where the painter stands to its last step or until it is stopped.

    Raises:
        Diverged: losses are not numbers any more.
        NotSaved: the disk is full.
    """
    painter, clock = easel.painter, _Clock(easel)
    interrupted = threading.Event()
    sound = finished = False
    stop: FinishReason | None = None
    with polite(interrupted):
        try:
            yield easel.begin()
            yield easel.sample()
            sound = True
            while painter.done < painter.steps:
                sound = False
                losses = {name: float(loss) for name, loss in painter.step().items()}
                sound = all(math.isfinite(loss) for loss in losses.values())
                if not sound:
                    raise Diverged(
                        f"the painting's losses are not numbers any more at step {painter.done:,} ({losses}); try "
                        "another --optimizer, or a smaller --strength"
                    )
                stop = _reason(easel, interrupted)
                ended = painter.done == painter.steps or stop is not None
                if painter.done % easel.every == 0 or painter.done == 1 or ended:
                    yield easel.tell(clock.tick(losses))
                if clock.crosses() or ended:
                    yield easel.sample()
                if clock.unsaved > LONGEST_UNSAVED or ended:
                    yield from easel.save(clock.seconds)
                    clock.saved()
                if stop is not None:
                    break
            finished = True
            yield easel.tell(Finished(painter.done, clock.seconds, stop or "budget"))
        finally:
            if sound and not finished:
                for _ in easel.save(clock.seconds):
                    pass
                easel.tell(Finished(painter.done, clock.seconds, "left"))


class _Clock:
    """How long it has been, how long it will be, and when to look and to save again."""

    def __init__(self, easel: Easel) -> None:
        self.painter, self.before = easel.painter, easel.seconds
        self.started = self.saved_at = self.ticked_at = time.monotonic()
        self.ticked, self.snapshots = easel.painter.done, self._passed()

    @property
    def seconds(self) -> float:
        """Of painting, over all sittings."""
        return self.before + time.monotonic() - self.started

    @property
    def unsaved(self) -> float:
        """Seconds since the last state."""
        return time.monotonic() - self.saved_at

    def saved(self) -> None:
        """Takes note of a state."""
        self.saved_at = time.monotonic()

    def crosses(self) -> bool:
        """Whether it is time to look at the painting again."""
        before, self.snapshots = self.snapshots, self._passed()
        return self.snapshots > before

    def tick(self, losses: dict[str, float]) -> Tick:
        """How far it is; the time left counts what steps cost at the sizes that are still to come."""
        now, painter = time.monotonic(), self.painter
        pace = (painter.done - self.ticked) / max(now - self.ticked_at, 1e-9)
        self.ticked, self.ticked_at = painter.done, now
        spent = painter.spent()
        height, width = painter.size
        return Tick(
            images_seen=painter.done,
            fraction=spent,
            seconds=self.seconds,
            images_per_second=pace,
            seconds_left=self.seconds * (1 - spent) / max(spent, 1e-9),
            scalars={**losses, "height": float(height), "width": float(width)},
        )

    def _passed(self) -> int:
        return math.floor(self.painter.spent() * SNAPSHOTS)


def _reason(easel: Easel, interrupted: threading.Event) -> FinishReason | None:
    if interrupted.is_set():
        return "interrupted"
    return "stop file" if easel.run and easel.run.asked_to_stop() else None


def settings_of(config: StyleConfig) -> str:
    """A hash of everything that decides what is painted."""
    plain = {k: v for k, v in to_plain(config).items() if k not in {"name", "description"}}
    return hashlib.sha256(json.dumps(plain, sort_keys=True).encode()).hexdigest()
