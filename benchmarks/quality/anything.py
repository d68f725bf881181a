"""A network that paints in any manner: two photographs in four, one of which it has never seen, with distances.

    python benchmarks/quality/anything.py [--to DIR] [--minutes 60]

What is in DIR already is not learnt again. It learns from six paintings, on photographs of cats; beside each painting's
distances stand those of the photograph itself.
"""

import argparse
import os
import sys
from pathlib import Path
from typing import Any

sys.path.append(str(Path(__file__).parents[1] / "speed"))

from measure import SHARED, report

os.environ.setdefault("IMPASTO_WEIGHTS", str(SHARED / "weights"))

from exhibition import small

from impasto.runs.directory import Run
from impasto.style.judging import distances, onlooker
from impasto.style.loss_network import network_name
from impasto.views.sheet import labelled
from impasto.workflows.learnt import load_styles
from impasto.workflows.repainting import repaint
from impasto.workflows.results import write_picture
from impasto.workflows.staging import opened
from impasto.workflows.teaching import train_style

CONTENTS = ("tubingen", "chicago")
LEARNT = ("composition_vii", "mosaic", "starry_night", "the_scream", "udnie", "wave_crop")
SHOWN = ("wave_crop", "mosaic", "the_scream", "candy")
SIZE = 512
SHEET = Path(__file__).parents[2] / "docs/guide/pictures/any-manner.jpg"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--to", type=Path, default=Path("runs/anything"))
    parser.add_argument("--minutes", type=float, default=60)
    asked = parser.parse_args()
    network = asked.to / "network"
    if not (network / "model.safetensors").exists():
        train_style(
            [painting(name) for name in LEARNT],
            str(SHARED / "data/cats-raw.zip"),
            to=network,
            minutes=asked.minutes,
            arbitrary=True,
        ).finish()
    learnt = load_styles(network)
    told = {
        f"{content} like {style}": paint(content, style, learnt, asked.to)
        for content in CONTENTS
        for style in SHOWN
    }
    places = [asked.to / f"{content}-{style}.png" for content in CONTENTS for style in SHOWN]
    names = [style if style in LEARNT else f"{style}, never seen" for style in SHOWN]
    shown = [(name, small(painting(style))) for name, style in zip(names, SHOWN, strict=True)]
    write_picture(labelled([*shown, *(("", small(place)) for place in places)], columns=4), SHEET)
    facts = {
        "pictures": learnt.provenance["images_seen"],
        "budget": str(Run.open(network).lesson.budget),
    }
    report("anything-cpu", {**facts, **told}, keep=True)


def painting(name: str) -> Path:
    """The file of one of the paintings at hand."""
    return SHARED / f"data/style/{name}.jpg"


def paint(content: str, style: str, learnt: Any, to: Path) -> dict[str, Any]:
    """Seconds and distances of a painting, and the distances of the photograph that it is of."""
    photograph, manner = painting(f"content_{content}"), painting(style)
    facts = repaint(
        photograph, learnt, to=to / f"{content}-{style}.png", styles=[str(manner)], size=SIZE, judged=True
    )  # fmt: skip
    shown = opened(photograph)
    own = distances(onlooker(network_name("auto")), shown, shown, [(opened(manner), 1.0)])
    kept = {name: facts[name] for name in ("seconds", "content_distance", "style_distance")}
    return {**kept, "style_distance_of_the_photograph": round(own.style, 5)}


if __name__ == "__main__":
    main()
