"""Preparing a source of pictures."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from impasto.config import from_plain
from impasto.data.config import Crop, DataConfig, Subject
from impasto.data.prepare import Engine
from impasto.data.prepare import prepare as _prepare
from impasto.data.prepared import Prepared
from impasto.data.rules import STANDARD, Rules, rules_of
from impasto.data.sources.opening import is_made
from impasto.workflows.contact import draw_sheets
from impasto.workflows.extracting import curating_extract

Report = Callable[[int, int], None]  # done, of how many
WHOLE_SIZE, SUBJECT_SIZE = 64, 128  # pixels; what is cut out is trained on at many sizes


def prepare(
    source: str | Path,
    to: str | Path | None = None,
    *,
    size: int | None = None,
    crop: Crop = "center",
    channels: int = 3,
    background: str = "#ffffff",
    classes: tuple[str, ...] = (),
    only: tuple[str, ...] = (),
    limit: int | None = None,
    labels: str | None = None,
    frame_step: int = 30,
    subject: str | Subject = "whole",
    rules: Rules | tuple[str, ...] = (),
    workers: int | None = None,
    engine: Engine = "processes",
    shards: int = 1,
    report: Report | None = None,
) -> Prepared:
    """The source's pictures, decoded, cut and resized once, as a memory-mapped set.

    Args:
        source: a folder, a zip or tar, an IDX file or folder, or `kittens[:N]`.
        to: the set's directory, where contact sheets are drawn too; a cache keyed by contents and
            settings by default.
        size: side in pixels; 64 by default, and 128 for a subject that is cut out.
        crop: `center`, `squash`, `pad`, or `random` (drawn at training time).
        channels: 3 for sRGB, 1 for grey.
        background: what shows through transparent pixels, as #rrggbb.
        classes: keep these only.
        only: keep names that match one of these patterns, such as `train/frog/*`.
        limit: keep at most so many, drawn evenly.
        labels: a table of labels (.csv, .jsonl, .parquet), or `ignore`; one beside the pictures by default.
        frame_step: of a video, every so many frames give a picture.
        subject: what to find and cut out: `cat-face`, `human-face`, a cascade's .xml, an .onnx network.
        rules: what to throw out, as `Rules` or as changes to the usual ones, such as `blurred=off`;
            `off` alone throws nothing out. Sets that were made as such (IDX, built in) have no usual rules.
        workers: processes that decode; one a core by default.
        engine: `processes` on this machine, or `ray`.
        shards: files to spread the pixels over.
        report: told how many pictures are done, of how many.

    Raises:
        SourceError: there is no such source, none of its pictures can be used, or `to` holds
            something else.
        ConfigError: a setting or a rule that there is not.
    """
    wanted = Subject(name=subject) if isinstance(subject, str) else subject
    plain = {
        "size": size or (WHOLE_SIZE if wanted.name == "whole" else SUBJECT_SIZE),
        "crop": crop,
        "channels": channels,
        "background": background,
        "classes": classes,
        "only": only,
        "limit": limit,
        "labels": labels,
        "frame_step": frame_step,
    }
    config = replace(
        from_plain(DataConfig, plain, where=str(source)),
        subject=wanted,
        rules=rules
        if isinstance(rules, Rules)
        else rules_of(rules, Rules() if is_made(source) else STANDARD),
    )
    home = None if to is None else Path(to)
    prepared = _prepare(
        source,
        config,
        home,
        workers=workers,
        engine=engine,
        shards=shards,
        extract=curating_extract() if config.rules.outlier is not None else None,
        report=report,
    )
    if home is not None:
        draw_sheets(prepared)
    return prepared
