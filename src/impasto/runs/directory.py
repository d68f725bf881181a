"""A run's directory: the interface between the process that trains and everything that watches.

    RUN/config.yaml         the configuration, as `impasto recipes show` prints one
    RUN/run.json            source, data fingerprint, environment
    RUN/events.jsonl        one event a line
    RUN/samples/*.png       the fixed-noise grid, named by images seen
    RUN/state/*.safetensors the last two states, whole or absent
    RUN/model.safetensors   the averaged weights, configuration and provenance
    RUN/best.safetensors    the model that scored best, where the run is scored
    RUN/report.html         drawn from all of the above
    RUN/live.html           of paintings and of what learns to paint: how it is now, to watch in a browser
    RUN/STOP                put there by anyone, ends the run politely
    RUN/lock                held by the process that trains

One object writes it, in one process.
"""

import json
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from jaxtyping import UInt8

from impasto.config import from_yaml, to_yaml
from impasto.errors import RunError
from impasto.events import Event, Sampled, from_json, to_json
from impasto.holds import Hold
from impasto.runs.config import RunConfig
from impasto.sheets import tile, write_png
from impasto.style.adaptive import AdaptiveConfig
from impasto.style.config import StyleConfig
from impasto.style.learning import LearningConfig

FORMAT = 1
PAINTING, LESSON = (
    "painting",
    "style",
)  # kinds of runs, in their facts, that are no trainings of families

C = TypeVar("C")
Lessons = LearningConfig | AdaptiveConfig
Configuration = RunConfig | StyleConfig | Lessons


@dataclass(frozen=True)
class Run:
    """A run's directory and its only writer."""

    path: Path

    @classmethod
    def create(cls, path: Path, config: Configuration, facts: dict[str, Any]) -> "Run":
        """A new run, of a training or of a painting, in an empty or new directory.

        Raises:
            RunError: the directory holds a run already, or something else.
        """
        if path.exists() and not path.is_dir():
            raise RunError(f"{path}: is a file; name a directory with --to (--run of a painting)")
        if (path / "config.yaml").exists():
            raise _taken(path, config)
        if path.exists() and any(path.iterdir()):
            raise RunError(f"{path}: holds other files; choose a new or empty directory with --to")
        try:
            (path / "samples").mkdir(parents=True)
            (path / "state").mkdir()
            run = cls(path)
            run.write_text("run.json", json.dumps({"format": FORMAT, **facts}, indent=2))
            run.write_text("config.yaml", to_yaml(config))
        except OSError as error:
            raise RunError(f"{path}: cannot be written: {error.strerror}") from None
        return run

    @classmethod
    def open(cls, path: Path) -> "Run":
        """An existing run.

        Raises:
            RunError: there is none, or a newer impasto wrote it.
        """
        if not (path / "config.yaml").is_file():
            raise RunError(
                f"{path}: not a run; a run's directory holds config.yaml, as `impasto train` makes it"
            )
        run = cls(path)
        if run.facts.get("format", 0) > FORMAT:
            raise RunError(
                f"{path}: written by a newer impasto; upgrade with `pip install --upgrade impasto`"
            )
        return run

    @property
    def kind(self) -> str:
        """`training`, `painting`, or `style` where a network learns one."""
        kind: str = self.facts.get("kind", "training")
        return kind

    @property
    def config(self) -> RunConfig:
        """The configuration of a training.

        Raises:
            RunError: it is another kind of run.
        """
        if self.kind != "training":
            raise RunError(
                f"{self.path}: the run of a {self.kind}, not of a training; go on with `impasto resume {self.path}`"
            )
        return self._config(RunConfig)

    @property
    def style(self) -> StyleConfig:
        """The configuration of a painting."""
        return self._config(StyleConfig)

    @property
    def lesson(self) -> Lessons:
        """The configuration of a network that learns styles, or any manner."""
        if "name: adaptive" in self._text().splitlines():
            return self._config(AdaptiveConfig)
        return self._config(LearningConfig)

    def _config(self, kind: type[C]) -> C:
        return from_yaml(kind, self._text(), where=str(self.path / "config.yaml"))

    def _text(self) -> str:
        return (self.path / "config.yaml").read_text(encoding="utf-8")

    @property
    def facts(self) -> dict[str, Any]:
        """Source, data fingerprint and environment."""
        path = self.path / "run.json"
        try:
            facts = json.loads(path.read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise RunError(
                f"{path}: cannot be read ({error}); restore it, or start a new run"
            ) from None
        if not isinstance(facts, dict):
            raise RunError(f"{path}: holds no facts; restore it, or start a new run")
        return facts

    @property
    def model_path(self) -> Path:
        """Where the model is."""
        return self.path / "model.safetensors"

    @property
    def best_path(self) -> Path:
        """Where the model that scored best is."""
        return self.path / "best.safetensors"

    def write_text(self, name: str, text: str) -> Path:
        """Writes a file of the run whole or not at all."""
        path = self.path / name
        draft = path.with_name(f".{path.name}.part")
        with draft.open("w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        os.replace(draft, path)
        return path

    def claim(self) -> Hold:
        """A hold on the run, for as long as it is kept: nobody else trains it.

        Raises:
            RunError: another process is training it.
            OSError: the directory cannot be written.
        """
        hold = Hold(self.path / "lock")
        if not hold.mine:
            raise RunError(
                f"{self.path}: is being trained by another process; wait for it, or end it with "
                f"`touch {self.path / 'STOP'}`"
            )
        return hold

    def record(self, event: Event) -> None:
        """Appends an event to the run's own telling."""
        with (self.path / "events.jsonl").open("a", encoding="utf-8") as file:
            file.write(to_json(event) + "\n")

    def events(self) -> Iterator[Event]:
        """What the run has told so far; a last line torn by a crash is left out."""
        path = self.path / "events.jsonl"
        if not path.exists():
            return
        with path.open(encoding="utf-8") as file:
            for line in file:
                if line.endswith("\n"):
                    yield from_json(line)

    def rewind(self, images_seen: int) -> None:
        """Forgets what was told after a state that training goes back to; it will be told again."""
        kept = [event for event in self.events() if event.images_seen <= images_seen]
        self.write_text("events.jsonl", "".join(to_json(event) + "\n" for event in kept))
        for path in self.frames():
            if int(path.stem) > images_seen:
                path.unlink()

    def draw(
        self, images: UInt8[np.ndarray, "n h w c"], images_seen: int, *, gap: int = 2
    ) -> Sampled:
        """Keeps the pictures as one grid."""
        name = f"samples/{images_seen:012d}.png"
        write_png(tile(images, gap=gap), self.path / name)
        return Sampled(images_seen, name)

    def frames(self) -> list[Path]:
        """The grids drawn so far, oldest first."""
        found = (self.path / "samples").glob("*.png")
        return sorted(path for path in found if re.fullmatch(r"\d+", path.stem))

    def asked_to_stop(self) -> bool:
        """Whether somebody put a file named STOP into the directory."""
        return (self.path / "STOP").exists()

    def clear_stop(self) -> None:
        """Takes the request to stop back, once it has been heard."""
        (self.path / "STOP").unlink(missing_ok=True)


def _taken(path: Path, config: Configuration) -> RunError:
    text = (path / "config.yaml").read_text(encoding="utf-8")
    if text == to_yaml(config):
        return RunError(f"{path}: this run exists already; go on with `impasto resume {path}`")
    return RunError(
        f"{path}: holds a run with other settings; choose another directory with --to, or go on with "
        f"that one: `impasto resume {path}`"
    )
