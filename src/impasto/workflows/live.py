"""The live page of a run that paints or learns to: live.html in its directory, rewritten whenever it is drawn."""

from impasto.errors import NotSaved
from impasto.events import Event, Sampled, Tick
from impasto.runs.directory import Run
from impasto.views.live import render_live
from impasto.views.page import duration

PAGE = "live.html"


class LivePage:
    """Follows the events of a run.

    Args:
        run: whose directory it lies in; None for no page.
        title: in words.
    """

    def __init__(self, run: Run | None, title: str) -> None:
        self.run, self.title = run, title
        self._tick: Tick | None = None
        self._sample: Sampled | None = None

    def note(self, event: Event) -> None:
        """Takes note of an event, and draws the page where there is something new to see.

        Raises:
            NotSaved: the disk is full.
        """
        if self.run is None:
            return
        if isinstance(event, Tick):
            self._tick = event
        elif isinstance(event, Sampled):
            self._sample = event
        if isinstance(event, Sampled):
            self._draw(ended=False)

    def end(self) -> None:
        """Draws the page that no longer looks for more: nobody is at it now."""
        if self.run is not None:
            self._draw(ended=True)

    def _draw(self, *, ended: bool) -> None:
        assert self.run is not None
        try:
            self.run.write_text(PAGE, self._drawn(ended=ended))
        except OSError as error:
            raise NotSaved(
                f"{self.run.path / PAGE}: cannot be written ({error}); make room"
            ) from None

    def _drawn(self, *, ended: bool) -> str:
        assert self.run is not None
        file = self.run.path / self._sample.path if self._sample else None
        png = file.read_bytes() if file is not None and file.is_file() else None
        return render_live(self.title, png, self._told(ended=ended), ended=ended)

    def _told(self, *, ended: bool) -> dict[str, str]:
        tick = self._tick
        if tick is None:
            return {}
        told = {"done": f"{tick.fraction:.0%}", "taken": duration(tick.seconds)}
        if not ended:
            told["left"] = duration(tick.seconds_left)
        told |= {name: f"{tick.scalars[name]:.4f}" for name in ("content", "style")}
        if "width" in tick.scalars:
            told["pixels"] = f"{tick.scalars['width']:.0f} x {tick.scalars['height']:.0f}"
        return told
