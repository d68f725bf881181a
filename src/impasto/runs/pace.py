"""When to tell, to draw, to save and to stop: read off the share of the budget that is spent."""

import math
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from types import FrameType

from impasto.events import FinishReason
from impasto.runs.config import TrainConfig
from impasto.runs.devices import Processes
from impasto.runs.directory import Run
from impasto.types import Progress

LONGEST_UNSAVED = 300.0  # seconds; a long run does not wait for its next snapshot to be safe
SAVING_SHARE = 0.05  # of the time; large states are saved more seldom
_REASONS: tuple[FinishReason | None, ...] = (None, "budget", "stop file", "interrupted")


@dataclass(frozen=True)
class Due:
    """What is to be done after a step."""

    tick: bool
    look: bool  # into the training's health; told in the tick
    sample: bool
    score: bool
    save: bool
    stop: FinishReason | None


_NOTHING = Due(tick=False, look=False, sample=False, score=False, save=False, stop=None)


class Pace:
    """Decides in the first process, after every step, for all of them."""

    def __init__(
        self, train: TrainConfig, progress: Progress, processes: Processes, run: Run | None
    ) -> None:
        self._train, self._processes, self._run = train, processes, run
        self._clock = time.monotonic() - progress.seconds
        self._ticks = self._passed(progress, train.ticks)
        self._looks = self._passed(progress, train.looks)
        self._snapshots = self._passed(progress, train.snapshots)
        self._scores = self._scored(progress)
        self._saved_at, self._save_took = time.monotonic(), 0.0
        self.interrupted = threading.Event()

    def after(self, progress: Progress, images: int) -> tuple[Progress, Due]:
        """The progress after a step of `images`, and what is due there."""
        seconds = time.monotonic() - self._clock
        moved = replace(progress, images_seen=progress.images_seen + images, seconds=seconds)
        due = self._decide(moved) if self._processes.first else _NOTHING
        seconds, *flags, reason = self._processes.agree(
            [
                moved.seconds,
                due.tick,
                due.look,
                due.sample,
                due.score,
                due.save,
                _REASONS.index(due.stop),
            ]
        )
        tick, look, sample, score, save = (bool(flag) for flag in flags)
        stop = _REASONS[int(reason)]
        return replace(moved, seconds=seconds), Due(tick, look, sample, score, save, stop)

    def saved(self, started: float) -> None:
        """Takes note that saving began at `started` (monotonic seconds) and has just ended."""
        self._saved_at = time.monotonic()
        self._save_took = self._saved_at - started

    def _decide(self, progress: Progress) -> Due:
        stop = self._reason(progress)
        tick = self._crosses("_ticks", self._train.ticks, progress)
        snapshot = self._crosses("_snapshots", self._train.snapshots, progress)
        unsaved = time.monotonic() - self._saved_at
        affordable = unsaved * SAVING_SHARE >= self._save_took
        save = (snapshot and affordable) or unsaved > LONGEST_UNSAVED
        ended = stop is not None
        told = tick or snapshot or ended
        look = told and self._crosses("_looks", self._train.looks, progress)
        score = self._scored(progress) > self._scores or stop == "budget"
        self._scores = self._scored(progress)
        score = score and self._train.scoring.every > 0
        return Due(told, look, snapshot or ended, score, save or ended, stop)

    def _scored(self, progress: Progress) -> int:
        """How many scores are behind."""
        every = self._train.scoring.every
        return progress.images_seen // every if every else 0

    def _reason(self, progress: Progress) -> FinishReason | None:
        if progress.fraction >= 1:
            return "budget"
        if self.interrupted.is_set():
            return "interrupted"
        return "stop file" if self._run and self._run.asked_to_stop() else None

    def _crosses(self, counter: str, parts: int, progress: Progress) -> bool:
        passed = self._passed(progress, parts)
        crossed = passed > getattr(self, counter)
        setattr(self, counter, passed)
        return bool(crossed)

    @staticmethod
    def _passed(progress: Progress, parts: int) -> int:
        return math.floor(progress.fraction * parts)


@contextmanager
def polite(interrupted: threading.Event, *, first: bool = True) -> Iterator[None]:
    """Turns the first Ctrl-C or SIGTERM into a stop at the next step's end; a second one is as usual.

    A terminal sends Ctrl-C to all processes at once; only the first process answers for them.
    """
    if threading.current_thread() is not threading.main_thread():
        yield  # signals cannot be caught here; a STOP file still works
        return
    signals = (signal.SIGINT, signal.SIGTERM)
    before = {number: signal.getsignal(number) for number in signals}

    def ask(number: int, frame: FrameType | None) -> None:
        del frame
        interrupted.set()
        signal.signal(number, before[signal.Signals(number)])

    for number in signals:
        signal.signal(number, ask if first else signal.SIG_IGN)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
