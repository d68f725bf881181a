"""Three photographs in the manner of three paintings by the default recipe, on one sheet with their times.

    python benchmarks/quality/exhibition.py [--to DIR] [--size 320]

What is in DIR already is not painted again, so that it may be stopped at any time.
"""

import argparse
import json
import os
import sys
from pathlib import Path
from typing import Any

sys.path.append(str(Path(__file__).parents[1] / "speed"))

import numpy as np
from measure import SHARED, report
from PIL import Image

import impasto
from impasto.views.sheet import labelled
from impasto.workflows.results import write_picture

os.environ.setdefault("IMPASTO_WEIGHTS", str(SHARED / "weights"))
CONTENTS = ("tubingen", "chicago", "amber")
STYLES = ("starry_night", "wave_crop", "candy")
SHEET = Path(__file__).parents[2] / "docs/guide/pictures/paintings.jpg"
HEIGHT = 240  # pixels of each on the sheet
KEPT = ("seconds", "teraflops", "content_distance", "style_distance", "peak_memory_bytes", "size")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--to", type=Path, default=Path("runs/exhibition"))
    parser.add_argument("--size", type=int, default=320)
    asked = parser.parse_args()
    asked.to.mkdir(parents=True, exist_ok=True)
    told = {
        f"{content} like {style}": paint(content, style, asked.to, asked.size)
        for content in CONTENTS
        for style in STYLES
    }
    shown = [(f"{n}, {f['seconds']:.0f} s", small(Path(f["to"]))) for n, f in told.items()]
    write_picture(labelled(shown), SHEET)
    facts = {name: {key: each[key] for key in KEPT} for name, each in told.items()}
    report("exhibition-cpu", facts, keep=True)


def paint(content: str, style: str, to: Path, size: int) -> dict[str, Any]:
    """The facts of one painting, made now or before."""
    kept = to / f"{content}-{style}.json"
    if not kept.exists():
        photograph, painting = (
            SHARED / f"data/style/{name}.jpg" for name in (f"content_{content}", style)
        )
        facts = impasto.stylize(
            photograph, [painting], to=kept.with_suffix(".png"), size=size
        ).finish()
        kept.write_text(json.dumps(facts))
        print(f"{content} like {style}: {facts['seconds']:.0f} s", flush=True)
    return dict(json.loads(kept.read_text()))


def small(path: Path) -> np.ndarray:
    """A painting at the sheet's height."""
    with Image.open(path) as whole:
        width = round(whole.width * HEIGHT / whole.height)
        return np.asarray(whole.convert("RGB").resize((width, HEIGHT), Image.Resampling.LANCZOS))


if __name__ == "__main__":
    main()
