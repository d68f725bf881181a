"""Looking at a source of pictures before anything is made of it."""

import shlex
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from impasto.config import from_plain
from impasto.data.config import DataConfig
from impasto.data.inspection.facts import Advice, Inspection
from impasto.data.inspection.inspect import inspect as _inspect
from impasto.errors import ConfigError
from impasto.views.health import render_health
from impasto.workflows.choosing import choose
from impasto.workflows.paging import writable, write_page

Report = Callable[[int, int], None]  # done, of how many


def inspect(
    source: str | Path,
    *,
    html: str | Path | None = None,
    classes: tuple[str, ...] = (),
    only: tuple[str, ...] = (),
    limit: int | None = None,
    labels: str | None = None,
    frame_step: int = 30,
    report: Report | None = None,
) -> Inspection:
    """What a source holds: counts, sizes, classes, flaws, duplicates, and what to make of them.

    All of it is decoded, measured and judged by the standard rules, in the cache; nothing stays there.

    Args:
        source: a folder, a zip or tar, an IDX file or folder, `kittens[:N]`, or a prepared set.
        html: a file to draw the whole as one page into, with the pictures themselves.
        classes: look at these only.
        only: look at names that match one of these patterns, such as `train/frog/*`.
        limit: look at most at so many, drawn evenly.
        labels: a table of labels (.csv, .jsonl, .parquet), or `ignore`; one beside the pictures by default.
        frame_step: of a video, every so many frames give a picture.
        report: told how many pictures are done, of how many.

    Raises:
        SourceError: there is no such source, or nothing in it is selected.
        ConfigError: the page cannot be written.
    """
    page = None if html is None else writable(Path(html))
    plain = {
        "classes": classes,
        "only": only,
        "limit": limit,
        "labels": labels,
        "frame_step": frame_step,
    }
    selected = from_plain(DataConfig, plain, where=str(source))
    found = _inspect(source, selected, report=report)
    if found.kept:
        found = replace(found, advice=(*found.advice, *_recipe(source, selected)))
    if page is not None:
        write_page(page, render_health(found))
    return found


def _recipe(source: str | Path, selected: DataConfig) -> tuple[Advice, ...]:
    try:
        recipe, why = choose(source, selected)
    except ConfigError as error:  # a prepared set of a size that no recipe has
        return (Advice("recipe", f"No recipe fits as it is. {error}", "note"),)
    line = ["impasto", "train", str(source), "--recipe", recipe.name]
    line += ["--classes", *selected.classes] if selected.classes else []
    line += ["--only", *selected.only] if selected.only else []
    line += ["--limit", str(selected.limit)] if selected.limit else []
    usual = DataConfig()
    for name in ("labels", "frame_step"):
        if (value := getattr(selected, name)) != getattr(usual, name):
            line += ["--set", f"data.{name}={value}"]
    quick = ""
    if recipe.data.size >= 64 and recipe.name != "kittens":
        quick = (
            " On a CPU, `--recipe kittens` is the quick one, for pictures of any kind at 64 pixels."
        )
    return (Advice("recipe", f"`{shlex.join(line)}` ({why}).{quick}", "note"),)
