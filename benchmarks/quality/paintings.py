"""What a painting costs, and how good it is by then: the published recipe at 400 pixels, and ours at 512.

    python benchmarks/quality/paintings.py [--to DIR] [--steps 2000]

Both are judged as they go by the one yardstick of `impasto.style.judging`. Operations are those of the network
(a multiply-add being two); the published loop as people run it spends 4.6 times as many as the recipe `gatys`, which
does the same mathematics. Runs are kept in DIR and gone on with, so that it may be stopped at any time.
"""

import argparse
import json
import os
import sys
from pathlib import Path
from typing import Any

sys.path.append(str(Path(__file__).parents[1] / "speed"))

import matplotlib as mpl
from matplotlib import pyplot as plt
from measure import SHARED, report

import impasto
from impasto.events import Tick
from impasto.workflows.stylizing import Painting, resume_painting

os.environ.setdefault("IMPASTO_WEIGHTS", str(SHARED / "weights"))
CONTENT, STYLE = (
    SHARED / "data/style" / name for name in ("content_tubingen.jpg", "starry_night.jpg")
)
SIZES = {"gatys": 400, "pyramid": 512}
JUDGED = 24  # times in a painting
WASTE = 4.6  # operations of the published loop over those of the recipe, by stylize.py in speed/
CURVE = Path(__file__).parents[2] / "docs/guide/pictures/style-curve.png"
SPENT = {"teraflops": "operations (10^12)", "seconds": "seconds"}
NAMES = {"gatys": "as published, 400 pixels", "pyramid": "from coarse to fine, 512 pixels"}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--to", type=Path, default=Path("runs/stylize"))
    parser.add_argument("--only", choices=tuple(SIZES))
    parser.add_argument("--steps", type=int, help="of the published recipe; 2,000 by default")
    asked = parser.parse_args()
    asked.to.mkdir(parents=True, exist_ok=True)
    for recipe in SIZES:
        if asked.only in {None, recipe}:
            paint(recipe, asked.to, asked.steps)
    told = {
        name: json.loads(kept.read_text())
        for name in SIZES
        if (kept := asked.to / f"{name}.json").exists()
    }
    if len(told) == len(SIZES):
        draw(told)
        last = {name: rows[-1] for name, rows in told.items()}
        spent = last["gatys"]["teraflops"]
        ratios = {
            "gatys over pyramid": spent / last["pyramid"]["teraflops"],
            "published over pyramid": WASTE * spent / last["pyramid"]["teraflops"],
        }
        report(
            "paintings-cpu",
            {"last": last, "operations": ratios, "curves": told},
            keep=asked.steps is None,
        )


def paint(recipe: str, to: Path, steps: int | None) -> None:
    """Paints on from where it stands, and keeps what is judged of it as it goes."""
    kept, run = to / f"{recipe}.json", to / recipe
    rows: list[dict[str, Any]] = json.loads(kept.read_text()) if kept.exists() else []
    painting = resume_painting(run) if run.exists() else _begun(recipe, to, steps)
    work = painting.painter
    seconds = rows[-1]["seconds"] if rows else 0.0
    with painting:
        for event in painting:
            if isinstance(event, Tick):
                seconds = event.seconds
            spent = work.spent(0.0)
            if not _due(rows, work.done, spent):
                continue
            apart = painting.distances()
            row = {
                "steps": work.done,
                "seconds": seconds,
                "spent": spent,
                "teraflops": spent * work.flops() / 1e12,
                "content": apart.content,
                "style": apart.style,
            }
            rows.append(row)
            kept.write_text(json.dumps(rows, indent=1))
            print(recipe, row, flush=True)


def _due(rows: list[dict[str, Any]], done: int, spent: float) -> bool:
    """Whether to judge it again: after so much more of the work, and at the end."""
    if not rows:
        return True
    further = spent - rows[-1]["spent"]
    return done > rows[-1]["steps"] and (further >= 1 / JUDGED or spent >= 1)


def _begun(recipe: str, to: Path, steps: int | None) -> Painting:
    return impasto.stylize(
        CONTENT,
        [STYLE],
        to=to / f"{recipe}.png",
        recipe=recipe,
        size=SIZES[recipe],
        steps=steps if recipe == "gatys" else None,
        run=to / recipe,
    )


def draw(told: dict[str, list[dict[str, Any]]]) -> None:
    """Both distances against operations, and against time."""
    mpl.use("agg")
    figure, grid = plt.subplots(2, 2, figsize=(9, 6.4), layout="constrained")
    for (key, title), axes in zip(SPENT.items(), grid, strict=True):
        for part, ax in zip(("style", "content"), axes, strict=True):
            for name, rows in told.items():
                shown = [row for row in rows if row[key]]
                ax.plot([r[key] for r in shown], [r[part] for r in shown], label=NAMES[name])
            ax.set(xscale="log", xlabel=title, title=f"distance of {part}", ylim=(0, None))
            ax.grid(alpha=0.3)
    grid[0, 0].legend(frameon=False)
    figure.savefig(CURVE, dpi=110)
    plt.close(figure)


if __name__ == "__main__":
    main()
