"""Many paintings: every picture of a folder like every painting of another, or one picture over a setting."""

import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from impasto.config import scalar
from impasto.data.original import WRITABLE, read_original
from impasto.errors import ConfigError, ImpastoError
from impasto.images import to_uint8
from impasto.sheets import write_png
from impasto.style.scene import fitted, resized
from impasto.views.sheet import labelled
from impasto.workflows.manners import pictures_of
from impasto.workflows.reading import made, written
from impasto.workflows.staging import floated, named

THUMBNAIL = 320  # pixels on the longest side, in a sheet over a setting
MOST_VALUES = 12

# Content, styles, to, settings; the facts.
Paint = Callable[[Path, Sequence[str], Path, tuple[str, ...]], dict[str, Any]]


@dataclass
class Exhibition:
    """What came of many pairs.

    Attributes:
        to: the folder.
        pairs: how many there are.
        painted: the facts of each that was painted now.
        there: how many there were before.
        failed: why, by the name of the pair.
        interrupted: whether somebody wanted it to end before all were painted.
    """

    to: Path
    pairs: int
    painted: list[dict[str, Any]] = field(default_factory=list)
    there: int = 0
    failed: dict[str, str] = field(default_factory=dict)
    interrupted: bool = False
    seconds: float = 0.0

    def to_plain(self) -> dict[str, Any]:
        """All of it as strings and numbers."""
        return {
            "to": str(self.to),
            "interrupted": self.interrupted,
            "pairs": self.pairs,
            "painted": len(self.painted),
            "there_before": self.there,
            "failed": self.failed,
            **together(self.painted),
            "seconds": round(self.seconds, 3),
            "paintings": self.painted,
        }


def many(content: Path, styles: Sequence[str]) -> bool:
    """Whether these are folders, and every pair is meant."""
    found = content.is_dir() or any(Path(style).is_dir() for style in styles)
    for style in styles if found else ():
        if named(style).weight != 1:
            raise ConfigError(
                f"{style}: weights mix manners, and of folders every pair is painted by itself; leave the weight out"
            )
    return found


def stylize_many(
    content: Path,
    styles: Sequence[str],
    to: Path,
    paint: Paint,
    *,
    report: Callable[[int, int], None] | None = None,
) -> Exhibition:
    """Every picture like every painting, each into its own file; what is there already is left.

    Args:
        content: a picture, or a folder of pictures.
        styles: pictures or folders of them.
        to: a folder.
        paint: paints one pair.
        report: told how many pairs are done, of how many.

    Raises:
        SourceError: there is no picture.
        ConfigError: `to` is the name of a picture.
    """
    if to.suffix.lower() in WRITABLE and not to.is_dir():
        raise ConfigError(
            f"{to}: a picture's name, and there will be many; name a folder with --to"
        )
    contents, manners = pictures_of(content), list(_manners(styles))
    own, theirs = _names(contents), _names([named(each).path for each in manners])
    pairs = [
        (one, other, f"{name}--{its}.png")
        for one, name in zip(contents, own, strict=True)
        for other, its in zip(manners, theirs, strict=True)
    ]
    found = Exhibition(made(to), len(pairs))
    started = time.monotonic()
    for done, (one, other, name) in enumerate(pairs):
        if report is not None:
            report(done, len(pairs))
        if (to / name).exists():
            found.there += 1
            continue
        draft = to / f".{name}.part.png"
        try:
            told = paint(one, [other], draft, ())
            if told.get("reason", "budget") != "budget":
                found.interrupted = True
                break
            draft.replace(to / name)
            found.painted.append(told | {"to": str(to / name)})
        except ImpastoError as error:
            found.failed[name] = str(error)
        finally:
            draft.unlink(missing_ok=True)
    if report is not None and not found.interrupted:
        report(len(pairs), len(pairs))
    found.seconds = time.monotonic() - started
    return found


def compare_settings(
    content: Path, styles: Sequence[str], to: Path, compared: str, paint: Paint
) -> dict[str, Any]:
    """One picture painted over the values of a setting, on one sheet, with the distances of each.

    Args:
        content: a picture.
        styles: pictures.
        to: the sheet, a .png.
        compared: a setting of the recipe and its values, such as `strength=0.2,0.5,0.8`.
        paint: paints one.

    Raises:
        ConfigError: that is not a setting with values.
    """
    if to.suffix.lower() != ".png":
        raise ConfigError(f"{to}: a sheet is a .png; choose a name that ends so")
    written(to)
    name, equals, values = compared.partition("=")
    chosen = [value for value in values.split(",") if value]
    if not equals or not 1 <= len(chosen) <= MOST_VALUES:
        raise ConfigError(
            f"--compare {compared}: say a setting and up to {MOST_VALUES} values, such as strength=0.2,0.5,0.8"
        )
    path = name if "." in name or name in {"size", "network", "keep_color"} else f"painter.{name}"
    rows: list[dict[str, Any]] = []
    pictures: list[tuple[str, np.ndarray]] = []
    for value in chosen:
        draft = to.with_name(f".{to.stem}-{len(rows)}.png")
        try:
            told = paint(content, styles, draft, (f"{path}={value}",))
            pictures.append((f"{name} {value}", _thumbnail(draft)))
        finally:
            draft.unlink(missing_ok=True)
        rows.append({k: v for k, v in told.items() if k not in {"to", "losses"}})
        rows[-1] = {name: scalar(value), **rows[-1], "value": scalar(value)}
        if told.get("reason", "budget") != "budget":
            break
    write_png(labelled(pictures), written(to))
    return {"to": str(to), "setting": name, **together(rows), "paintings": rows}


def together(paintings: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """What one painting tells, of several: sums of seconds and steps, means of losses, the largest of the rest."""
    losses = {
        name: [told[name] for told in paintings if told.get(name) is not None]
        for name in ("content_loss", "style_loss")
    }
    return {
        "seconds": round(sum(told["seconds"] for told in paintings), 3),
        "steps": sum(told["steps"] for told in paintings),
        **{name: float(np.mean(those)) if those else None for name, those in losses.items()},
        "size": max((told["size"] for told in paintings), key=max, default=None),
        "peak_memory_bytes": max((told["peak_memory_bytes"] for told in paintings), default=None),
    }


def _names(files: Sequence[Path]) -> list[str]:
    """What each file is called in a painting's name: its stem, or where those are alike as much more as it takes."""
    ways: list[Callable[[Path], str]] = [
        lambda file: file.stem,
        lambda file: file.name,
        lambda file: f"{file.absolute().parent.name}-{file.name}",
    ]
    counts = [Counter(way(file) for file in files) for way in ways]
    found = []
    for number, file in enumerate(files):
        only = (way(file) for way, often in zip(ways, counts, strict=True) if often[way(file)] == 1)
        found.append(next(only, f"{number + 1}-{file.name}"))
    return found


def _thumbnail(path: Path) -> np.ndarray:
    picture = floated(read_original(path))
    small = resized(picture, *fitted((picture.shape[2], picture.shape[3]), THUMBNAIL))
    return to_uint8(small)[0].numpy()


def _manners(styles: Sequence[str]) -> Iterator[str]:
    for style in styles:
        yield from map(str, pictures_of(Path(style))) if Path(style).is_dir() else [style]
