"""What is in a source of pictures, and what to make of it, found out by preparing it for a moment.

All pictures are decoded, measured and judged by the standard rules, as `prepare` does, into a folder
that is taken away again. A set that is prepared already is looked at as it is.
"""

import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path

import numpy as np

from impasto.data.config import DataConfig
from impasto.data.inspection import census as counting
from impasto.data.inspection.advice import advise, best_side
from impasto.data.inspection.census import Census
from impasto.data.inspection.facts import Inspection, Measured, Twins
from impasto.data.inspection.showing import colour_and_framing, examples_of, show, twins_of
from impasto.data.layout import KEPT, code
from impasto.data.looks.measures import MEASURES, mostly_photographs
from impasto.data.prepare import prepare
from impasto.data.prepared import Prepared, is_prepared
from impasto.data.rules import STANDARD, Rules
from impasto.data.sources.opening import is_made
from impasto.errors import SourceError
from impasto.holds import Hold
from impasto.places import cache_home

SIDE = 64  # pixels; at which pictures are looked at
_PREFIX, _HELD = "inspect-", "held"
_LEFT = 3_600  # seconds after which a folder that nobody holds is taken away

_MEANINGS = {
    "sharpness": "how steep the strongest edges are; low means blurred or enlarged",
    "brightness": "how light pictures are",
    "highlight": "level of the lightest parts; low means too dark to see",
    "contrast": "levels between the darkest and the lightest parts; near 0 means one flat colour",
    "text": "likeness to text; high means words, charts or screenshots",
    "flatness": "even areas with hard edges; high means drawings and logos",
    "scale": "source pixels for one at {side} pixels; below 1 it is enlarged",
    "aspect": "long side over short side",
    "score": "how sure the detector was of the subject",
}


def inspect(
    source: str | Path,
    config: DataConfig,
    *,
    workers: int | None = None,
    report: Callable[[int, int], None] | None = None,
) -> Inspection:
    """Counts, sizes, classes, flaws and duplicates of a source, some of its pictures, and advice.

    Args:
        source: what `prepare` takes, or a prepared set.
        config: the selection is heeded; other settings do not matter.
        workers: processes that decode; one for each processor by default.
        report: called with the pictures done and their total, after each block.

    Raises:
        SourceError: the source cannot be used, or there is no room to look at it. Broken pictures
            are listed, never raised.
    """
    if is_prepared(source):
        if (config.classes, config.only, config.limit, config.labels) != ((), (), None, None):
            raise SourceError(
                f"{source}: prepared already, so nothing can be selected from it; inspect its source with "
                "--classes, --only, --limit or --labels instead"
            )
        return look(Prepared.open(source), side=None)
    looking = DataConfig(
        size=SIDE,
        rules=Rules()
        if is_made(source)
        else replace(STANDARD, too_small=None),  # judged below, when a size can be told
        classes=config.classes,
        only=config.only,
        limit=config.limit,
        split_seed=config.split_seed,
        labels=config.labels,
        frame_step=config.frame_step,
    )
    with _folder() as folder:
        home = folder / "set"
        prepared = prepare(source, looking, home, workers=workers, least=0, report=report)
        return look(prepared, side=SIDE)


def look(prepared: Prepared, *, side: int | None) -> Inspection:
    """What is told of a prepared set.

    Args:
        prepared: the set.
        side: at which it was prepared only to be looked at; None for a set to train on, of which
            neither the size nor what is kept is open any more.
    """
    census = counting.take_census(prepared)
    sizes = counting.sizes_of(census)
    limit = STANDARD.too_small
    if side is not None and limit is not None and sizes is not None:
        _judge_size(census, limit * (best_side(sizes.reached) or SIDE))
    classes, missing = counting.labels_of(prepared, census)
    examples = examples_of(census.status)
    twins = twins_of(prepared, census)
    copies = counting.copies_of(prepared, census)
    shown_slots = [*examples.values(), twins[:, :2].reshape(-1), *copies]
    names = counting.name_slots(prepared, np.concatenate(shown_slots).tolist())
    seen = colour_and_framing(prepared, census)
    by_class = classes.pop("class", {})
    found = Inspection(
        source=prepared.source,
        credit=prepared.credit,
        notices=prepared.notices,
        found=prepared.found,
        pictures=int(census.seen.sum()),
        kept=int((census.status == KEPT).sum()),
        prepared=None if side is not None else prepared.side,
        sizes=sizes,
        aspects=counting.aspects_of(census),
        modes=census.modes,
        grey=seen[0] if seen else None,
        shared=seen[1] if seen else None,
        classes=by_class,
        balance=counting.balance_of(by_class),
        attributes=classes,
        missing=missing,
        numbers=counting.numbers_of(prepared, census),
        duplicates=tuple(tuple(names[slot][0] for slot in group.tolist()) for group in copies),
        near_duplicates=Twins(
            int((census.status == code("near duplicate")).sum()),
            tuple((names[a][0], names[b][0], bits) for a, b, bits in twins.tolist()),
        ),
        rejected=counting.counts_of(census.status),
        examples={
            kind: tuple(_told(names[slot], kind, census, slot) for slot in slots.tolist())
            for kind, slots in examples.items()
        },
        broken=census.broken,
        photographs=bool(mostly_photographs(prepared.arrays.measures)) if sizes else None,
        measures=_measures(prepared, census),
        shown=show(prepared, census, examples, twins),
    )
    return replace(found, advice=advise(found))


def _judge_size(census: Census, least: float) -> None:
    """Leaves out, in the census alone, what `prepare` would at the size that suits most pictures."""
    short = np.minimum(census.widths, census.heights)
    census.status[(census.status == KEPT) & (short < least)] = code("too small")


def _told(name: tuple[str, str], kind: str, census: Census, slot: int) -> tuple[str, str]:
    if kind == "too small" and not name[1]:
        return name[0], f"{census.widths[slot]}x{census.heights[slot]} pixels"
    return name


def _measures(prepared: Prepared, census: Census) -> dict[str, Measured]:
    slots = np.flatnonzero(census.seen)
    told = {}
    for column, name in enumerate(MEASURES):
        values = prepared.arrays.measures[slots, column]
        values = values[np.isfinite(values)]
        if len(values):
            low, median, high = (float(f"{q:.4g}") for q in np.percentile(values, (5, 50, 95)))
            told[name] = Measured(
                low, median, high, _MEANINGS.get(name, "").format(side=prepared.side)
            )
    return told


@contextmanager
def _folder() -> Iterator[Path]:
    """A new folder for a moment, in the cache: what is put there may not fit into memory."""
    home = cache_home()
    try:
        home.mkdir(parents=True, exist_ok=True)
        _sweep(home)
        made = tempfile.TemporaryDirectory(prefix=_PREFIX, dir=home, ignore_cleanup_errors=True)
    except OSError as error:
        raise SourceError(
            f"{home} cannot be written ({error.strerror}), and pictures are looked at there; set IMPASTO_CACHE to "
            "another folder"
        ) from None
    with made as name, Hold(Path(name) / _HELD):
        yield Path(name)


def _sweep(home: Path) -> None:
    """Takes away what inspections left that were killed."""
    for folder in home.glob(f"{_PREFIX}*"):
        with suppress(OSError):
            # A new one is not held yet for the moment between its making and its hold.
            old = time.time() - folder.stat().st_mtime > _LEFT
            with Hold(folder / _HELD) as hold:
                left = old and hold.mine
            if left:
                shutil.rmtree(folder, ignore_errors=True)
