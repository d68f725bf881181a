"""The loop: batches in, events out, the run's directory kept on the way.

`train` is a generator and fits on one screen. Whoever iterates it may stop at any event; leaving it,
for whatever reason, saves at the last whole step.
"""

from collections.abc import Iterator

from impasto.events import Event
from impasto.runs.pace import polite
from impasto.runs.sitting import Sitting


def train(sitting: Sitting) -> Iterator[Event]:
    """The events of one sitting, from where its state stands to its budget or until it is stopped.

    Raises:
        Diverged: losses or weights stopped being numbers; the last good state is on disk.
        OutOfMemory: the device does not hold the batch, even after freeing what was cached.
    """
    with polite(sitting.pace.interrupted, first=sitting.processes.first):
        try:
            yield from sitting.open()
            for raw in sitting.batches():
                due = sitting.step(raw)
                if due.tick:
                    yield from sitting.tick(look=due.look)
                if due.sample:
                    yield sitting.sample()
                if due.score:
                    yield from sitting.score()
                stop = due.stop or sitting.exhausted
                if due.save or stop:
                    yield sitting.save()
                if stop:
                    yield from sitting.settle()
                    yield sitting.finish(stop)
                    return
        finally:
            sitting.leave()
