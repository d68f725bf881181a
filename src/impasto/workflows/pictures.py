"""Looking at a source of pictures, and preparing it."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from impasto.config import from_plain
from impasto.data.config import Crop, DataConfig
from impasto.data.inspect import Inspection
from impasto.data.inspect import inspect as _inspect
from impasto.data.prepare import prepare as _prepare
from impasto.data.prepared import Prepared

Report = Callable[[int, int], None]  # done, of how many


def inspect(
    source: str | Path,
    *,
    classes: tuple[str, ...] = (),
    only: tuple[str, ...] = (),
    limit: int | None = None,
    report: Report | None = None,
) -> Inspection:
    """Counts, sizes, classes, broken files and exact duplicates of a source; nothing is written.

    Args:
        source: a folder, a zip or tar, an IDX file or folder, or `kittens[:N]`.
        classes: keep these only.
        only: keep names that match one of these patterns, such as `train/frog/*`.
        limit: keep at most so many, drawn evenly.
        report: told how many pictures are done, of how many.

    Raises:
        SourceError: there is no such source, or nothing in it is selected.
    """
    plain = {"classes": classes, "only": only, "limit": limit}
    return _inspect(source, from_plain(DataConfig, plain, where=str(source)), report=report)


def prepare(
    source: str | Path,
    to: str | Path | None = None,
    *,
    size: int = 64,
    crop: Crop = "center",
    channels: int = 3,
    background: str = "#ffffff",
    classes: tuple[str, ...] = (),
    only: tuple[str, ...] = (),
    limit: int | None = None,
    workers: int | None = None,
    report: Report | None = None,
) -> Prepared:
    """The source's pictures, decoded and resized once, as a memory-mapped set.

    Args:
        source: a folder, a zip or tar, an IDX file or folder, or `kittens[:N]`.
        to: the set's directory; a cache keyed by contents and settings by default.
        size: side in pixels.
        crop: `center`, `squash`, `pad`, or `random` (drawn at training time).
        channels: 3 for sRGB, 1 for grey.
        background: what shows through transparent pixels, as #rrggbb.
        classes: keep these only.
        only: keep names that match one of these patterns, such as `train/frog/*`.
        limit: keep at most so many, drawn evenly.
        workers: processes that decode; one a core by default.
        report: told how many pictures are done, of how many.

    Raises:
        SourceError: there is no such source, none of its pictures can be used, or `to` holds
            something else.
    """
    plain = {
        "size": size,
        "crop": crop,
        "channels": channels,
        "background": background,
        "classes": classes,
        "only": only,
        "limit": limit,
    }
    config = from_plain(DataConfig, plain, where=str(source))
    return _prepare(
        source, config, None if to is None else Path(to), workers=workers, report=report
    )


def adopt(config: DataConfig, prepared: Prepared) -> DataConfig:
    """The configuration with everything that preparation has already decided put in."""
    decided = prepared.config
    return replace(
        config,
        size=decided.size,
        channels=decided.channels,
        crop=decided.crop,
        crop_pixels=decided.crop_pixels,
        background=decided.background,
        classes=decided.classes,
        only=decided.only,
        limit=decided.limit,
    )
