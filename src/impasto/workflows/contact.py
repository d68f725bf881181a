"""Contact sheets of a prepared set: what was kept, and what was left out, reason by reason."""

from pathlib import Path

import numpy as np
from jaxtyping import Int64

from impasto.data import layout
from impasto.data.prepared import Prepared
from impasto.data.reasons import KINDS
from impasto.sheets import write_png
from impasto.views.sheet import stacked

KEPT_SHOWN = 100  # pictures
LEFT_OUT_SHOWN = 40  # pictures for each reason
COLUMNS = 10


def draw_sheets(prepared: Prepared) -> list[Path]:
    """Draws sheets/kept.png and sheets/left-out.png in the set's folder; returns what was drawn.

    Pictures are drawn evenly from all, in the order of the source. What was never decoded has no
    picture; it is told with its name and reason in pictures.jsonl.
    """
    folder = prepared.path / "sheets"
    folder.mkdir(exist_ok=True)
    status = prepared.status()
    groups = {"kept": np.flatnonzero(status == layout.KEPT)}
    drawn = [_draw(prepared, groups, KEPT_SHOWN, folder / "kept.png")]
    groups = {
        kind: np.flatnonzero(status == layout.code(kind))
        for kind in KINDS
        if not layout.is_invisible(layout.code(kind))
    }
    groups = {kind: slots for kind, slots in groups.items() if len(slots)}
    (folder / "left-out.png").unlink(missing_ok=True)
    if groups:
        drawn.append(_draw(prepared, groups, LEFT_OUT_SHOWN, folder / "left-out.png"))
    return drawn


def _draw(
    prepared: Prepared, groups: dict[str, Int64[np.ndarray, " n"]], most: int, path: Path
) -> Path:
    rows = {}
    for title, slots in groups.items():
        places = np.linspace(0, len(slots) - 1, min(most, len(slots))).round().astype(np.int64)
        shown = "" if len(slots) <= most else f", {most} of them shown"
        rows[f"{title}: {len(slots):,}{shown}"] = prepared.arrays.pixels[slots[places]]
    write_png(stacked(rows, COLUMNS), path)
    return path
