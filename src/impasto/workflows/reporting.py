"""A run's report: its curves, its film, real beside generated, and one page with all of it."""

from itertools import islice
from pathlib import Path
from typing import Literal

import numpy as np

from impasto.config import to_yaml
from impasto.data.prepared import Prepared
from impasto.errors import RunError
from impasto.recipes import parameters
from impasto.runs.config import RunConfig
from impasto.runs.directory import Run
from impasto.runs.export import read_model
from impasto.sheets import encode_png, write_png
from impasto.views.curves import draw_curves
from impasto.views.film import MIME, make_film
from impasto.views.page import named
from impasto.views.report import ReportFacts, render_report
from impasto.views.sheet import beside
from impasto.workflows.judging import set_of

SHOWN = 16  # pictures on each side of real beside generated
REJECTS = 200  # named on the page
FilmFormat = Literal["webp", "gif", "mp4"]
FILM_BYTES = 2_500_000  # what a page can carry


def report(run: str | Path, *, film: FilmFormat = "webp") -> Path:
    """Draws everything there is to see of a run into its directory.

    Args:
        run: the run's directory.
        film: the format of the grids in time; mp4 needs the extra `impasto[video]`.

    Returns:
        Where the page is: one file that needs no network. Beside it lie the film, `beside.png` and
        `curves/*.svg`.

    Raises:
        RunError: there is no such run, or its directory cannot be written.
    """
    held = Run.open(Path(run))
    try:
        return _draw(held, film)
    except OSError as error:
        raise RunError(
            f"{held.path}: the report cannot be written: {error}; make room and say `impasto report`"
        ) from None


def _draw(run: Run, film_format: FilmFormat) -> Path:
    config, told, events = run.config, run.facts, list(run.events())
    prepared = set_of(run)
    frames = run.frames()
    film = _film(run, frames, film_format)
    sheet = _beside(run, config, prepared)
    _curves(run, draw_curves(events))
    facts = ReportFacts(
        title=config.name,
        recipe=config.name,
        description=config.description,
        source=named(told["source"]),
        credit=told.get("credit") or "",
        resume=f"impasto resume {run.path}",
        sample=f"impasto sample {run.path} -n 64 --to grid.png",
        events=events,
        config=to_yaml(config),
        kept=told["kept"],
        rejected=told["rejected"],
        rejects=_rejects(prepared),
        environment={
            name: " ".join(named(word) for word in str(value).split(" "))
            for name, value in told["environment"].items()
        },
        parameters=parameters(config),
        grid=frames[-1].read_bytes() if frames else None,
        beside=sheet,
        film=film.read_bytes() if film else None,
        film_mime=MIME[f".{film_format}"],
    )
    return run.write_text("report.html", render_report(facts))


def _rejects(prepared: Prepared | None) -> list[tuple[str, str]]:
    if prepared is None:
        return []
    return [(name, str(reason)) for name, reason in islice(prepared.rejects(), REJECTS)]


def _film(run: Run, frames: list[Path], film_format: FilmFormat) -> Path | None:
    if len(frames) < 2:
        return None
    path = run.path / f"film.{film_format}"
    make_film(frames, path, most_bytes=FILM_BYTES)
    return path


def _beside(run: Run, config: RunConfig, prepared: Prepared | None) -> bytes | None:
    if prepared is None or not run.model_path.exists():
        return None
    real = prepared.images(
        np.linspace(0, len(prepared) - 1, min(SHOWN, len(prepared))).astype(np.int64)
    )
    fake = read_model(run.model_path).sample(SHOWN, config.train.seed)
    sheet = beside(real, fake, ("real", "generated"))
    write_png(sheet, run.path / "beside.png")
    return encode_png(sheet)


def _curves(run: Run, curves: dict[str, bytes]) -> None:
    (run.path / "curves").mkdir(exist_ok=True)
    for name, drawing in curves.items():
        run.write_text(f"curves/{name}.svg", drawing.decode())
