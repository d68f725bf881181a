"""What is under way and can be left at any moment: trainings of families, lessons in style, paintings."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import nullcontext
from pathlib import Path
from typing import Any

from impasto.config import to_yaml
from impasto.errors import RunError
from impasto.events import Event
from impasto.holds import Closing, Hold
from impasto.runs.checkpoint import State, last_state, set_aside
from impasto.runs.directory import Configuration, Run
from impasto.runs.work import Bench, work_on
from impasto.workflows.live import LivePage


class Underway(Iterator[Event], Closing):
    """An iterator over events. Leaving it, in whatever way, saves."""

    def __init__(self, events: Iterator[Event]) -> None:
        self._events = events

    def __next__(self) -> Event:
        return next(self._events)

    def close(self) -> None:
        """Stops here, and saves."""
        self._events.close()  # type: ignore[attr-defined]

    def exhaust(self) -> None:
        """Goes on to the end."""
        for _ in self:
            pass


def kept(
    bench: Bench[Any],
    lock: Hold | None,
    title: str,
    note: Callable[[Event], None] | None,
    write: Callable[[], None],
) -> Iterator[Event]:
    """The events of a work, its run held and its live page drawn meanwhile, and what it left written in the end.

    Args:
        bench: the work.
        lock: the hold on its run; None where it keeps none.
        title: of its live page.
        note: is told every event first.
        write: puts what came about where it belongs; done however this ends.
    """
    with lock or nullcontext():
        events, page = work_on(bench), LivePage(bench.run, title)
        try:
            for event in events:
                if note is not None:
                    note(event)
                page.note(event)
                yield event
        finally:
            events.close()  # type: ignore[attr-defined]
            write()
            page.end()


def usable_state(run: Run, settings: str) -> tuple[State | None, Mapping[Path, str]]:
    """The last state of a run that can be gone on from, and a sentence for each newer one that cannot.

    Raises:
        RunError: no state can be used, or the run's settings have changed since.
    """
    state, damaged = last_state(run.path / "state")
    if state is not None and state.settings != settings:
        raise RunError(
            f"{run.path / 'config.yaml'}: its settings are not those that this run was begun with; restore them, or "
            "start a new run with this file as its --recipe"
        )
    return state, damaged


def take_up(
    run: Run, state: State | None, damaged: Mapping[Path, str], config: Configuration
) -> Hold:
    """The hold on a run that goes on from this state by this configuration; what was told after it is forgotten.

    Raises:
        RunError: somebody else is at it, or its directory cannot be written.
    """
    try:
        lock = run.claim()
        run.write_text("config.yaml", to_yaml(config))
        run.clear_stop()
        set_aside(damaged)
        run.rewind(state.images_seen if state else -1)
    except OSError as error:
        raise RunError(
            f"{run.path}: cannot be written ({error}); its states are intact: make room, or allow it, and say "
            f"`impasto resume {run.path}` again"
        ) from None
    return lock
