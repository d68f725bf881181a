"""Draws the pictures of docs/guide/diagnosis.md from the runs that faults.py has left.

python benchmarks/quality/illustrate.py [--runs DIR] [--to docs/guide/pictures/diseases]
"""

import argparse
import io
from pathlib import Path

import matplotlib as mpl
import numpy as np
from faults import FRESH, HEALTHY, Planned
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from PIL import Image
from plantings import FAULTS, WELL

from impasto.diagnostics.case import LOOKED
from impasto.events import Event, Tick
from impasto.runs.directory import Run

ACROSS = 5  # pictures on a side of what is shown of a grid
CREDIT = "kittens: David Revoy, CC-BY-4.0"
SHOWN = {  # subject and signals of each
    "discriminator wins": ("dcgan kittens", "energy_distance", "generator_loss"),
    "generator wins": ("high digits", "separation", "energy_distance"),
    "mode collapse": ("dcgan kittens", "diversity", "energy_distance"),
    "partial mode collapse": ("dcgan kittens", "apartness", "kinds"),
    "oscillation": ("high digits", "grid_change", "grid_return"),
    "divergence": ("dcgan kittens", "generator_loss", "energy_distance"),
    "discriminator overfits": ("high digits", "recognition", "held_out_logit"),
    "memorisation": ("dcgan kittens", "copied", "energy_distance"),
    "batch-norm leakage": ("dcgan kittens", "batch_leak", "energy_distance"),
    "checkerboard": ("dcgan kittens", "checkerboard", "energy_distance"),
    "range mismatch": ("high digits", "brightness_shift", "energy_distance"),
    "learning rate too high": ("high digits", "generator_update_ratio", "energy_distance"),
    "learning rate too low": ("dcgan kittens", "generator_update_ratio", "energy_distance"),
    "too few pictures": ("high digits", "recognition", "held_out_logit"),
    "slow loader": ("dcgan kittens", "loader_wait", "energy_distance"),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=Path, default=Path("runs/faults"))
    parser.add_argument("--to", type=Path, default=Path("docs/guide/pictures/diseases"))
    given = parser.parse_args()
    mpl.use("agg")
    given.to.mkdir(parents=True, exist_ok=True)
    for fault, (subject, *signals) in SHOWN.items():
        sick, well = (first(given.runs, subject, name) for name in (fault, WELL))
        name = fault.replace(" ", "-")
        illustrate(sick, well, fault, signals, given.to / f"{name}.png")
        print(given.to / f"{name}.png")


def first(runs: Path, subject: str, fault: str) -> Run:
    """The run of the lowest seed."""
    found = (runs / Planned(subject, fault, seed).name for seed in range(FRESH + HEALTHY))
    return Run.open(next(run for run in found if (run / "run.json").exists()))


def illustrate(sick: Run, well: Run, fault: str, signals: list[str], to: Path) -> None:
    """What each run draws at its end, and the curves that tell them apart."""
    steps = FAULTS[fault].steps
    figure, axes = plt.subplots(
        1, 4, figsize=(11, 2.7), width_ratios=(1, 1, 1.15, 1.15), layout="constrained"
    )
    for axis, run, title in zip(axes, (sick, well), (fault, "a healthy run"), strict=False):
        axis.imshow(cut_out(run), cmap="gray", interpolation="nearest")
        axis.set_title(title, fontsize=10)
        axis.axis("off")
    for axis, signal in zip(axes[2:], signals, strict=True):
        curve(axis, list(sick.events()), signal, "#d55e00", fault)
        curve(axis, list(well.events()), signal, "#1a7fc1", "healthy", stretch=1 / steps)
        axis.set_title(signal, fontsize=10)
        axis.tick_params(labelsize=7)
        axis.grid(alpha=0.3)
        axis.set_xlabel("part of the run", fontsize=7)
    axes[2].legend(fontsize=7)
    if "kittens" in sick.facts["source"]:
        figure.text(0.005, 0.01, CREDIT, fontsize=6, color="#777777")
    drawn = io.BytesIO()
    figure.savefig(drawn, dpi=100)
    plt.close(figure)
    Image.open(drawn).convert("RGB").quantize(128).save(to, optimize=True)


def cut_out(run: Run) -> np.ndarray:
    """A corner of the last grid."""
    grid = np.array(Image.open(run.frames()[-1]))
    side = run.config.data.size + 2
    return grid[: ACROSS * side + 2, : ACROSS * side + 2]


def curve(
    axis: Axes, events: list[Event], signal: str, color: str, label: str, stretch: float = 1.0
) -> None:
    """A signal over the run, each look a point."""
    looks = [e for e in events if isinstance(e, Tick) and LOOKED in e.scalars]
    told = [
        (e.fraction * min(stretch, 1.0), e.scalars[signal]) for e in looks if signal in e.scalars
    ]
    if told:
        places, values = np.array(told).T
        axis.plot(places, values, color=color, label=label, linewidth=1.4)
        if signal.endswith(("_loss", "_ratio")) and values.max() > 30 * max(values.min(), 1e-9):
            axis.set_yscale("symlog" if values.min() < 0 else "log")


if __name__ == "__main__":
    main()
