"""What watching costs: a look into the training and a score, beside the steps that a run makes meanwhile.

The `kittens` recipe and `cats96`, at their own widths, on built-in kittens; steps, looks and scores take turns. Shares
are of the time of a whole run by the recipe's own budget, looked at 50 times as it is unless told otherwise, and of
the time from one score to the next at --evaluate-every 50k (MobileNet-v2, 1,000 pictures).
"""

import os
import tempfile
import time
from pathlib import Path
from typing import Any

from measure import SHARED, quick, report, take_turns

from impasto.data.prepare import prepare
from impasto.recipes import find_recipe
from impasto.runs.devices import launch
from impasto.runs.scoring import Scorer
from impasto.runs.sitting import Sitting

EVERY = 50_000  # images
IMAGES = 320  # trained on in a block
BARS = {"watching": 0.05, "scoring": 0.05}


def main() -> None:
    few = quick()
    os.environ.setdefault("IMPASTO_WEIGHTS", str(SHARED / "weights"))
    figures: dict[str, Any] = {}
    with tempfile.TemporaryDirectory() as place:
        for name in ("kittens",) if few else ("kittens", "cats96"):
            figures[name] = measured(name, Path(place), rounds=1 if few else 5)
    report("watching-cpu", figures | {"bars": BARS}, keep=not few)


def measured(name: str, place: Path, rounds: int) -> dict[str, Any]:
    """Seconds of each, and their shares of a run."""
    config = find_recipe(name)
    prepared = prepare("kittens:2500", config.data, place / name)
    sitting = Sitting(config, prepared, launch(config.train), None, None)
    scorer = Scorer(config, prepared, sitting.processes.device)
    batches = sitting.batches()

    count = IMAGES // config.train.batch

    def steps() -> None:
        for _ in range(count):
            sitting.step(next(batches))

    def look() -> None:
        sitting.health.look()

    def score() -> None:
        scorer(sitting.family.model())

    ways = {"steps": steps, "look": look, "score": score}
    for way in ways.values():
        way()  # what is made at the first call
    seconds = take_turns({way: lambda do=do: timed(do) for way, do in ways.items()}, rounds)  # type: ignore[misc]
    batches.close()  # type: ignore[attr-defined]
    image = seconds["steps"] / count / config.train.batch
    epoch = len(prepared.split(config.data.split_seed, config.data.validation)[0])
    run = config.train.budget.resolve(batch=config.train.batch, epoch=epoch).amount * image
    return {
        "images_per_second": round(1 / image, 1),
        "seconds_a_look": round(seconds["look"], 3),
        "seconds_a_score": round(seconds["score"], 2),
        "share_of_watching": round(config.train.looks * seconds["look"] / run, 4),
        "share_of_scoring": round(seconds["score"] / (EVERY * image), 4),
    }


def timed(do: Any) -> float:
    """Seconds of a call."""
    started = time.perf_counter()
    do()
    return time.perf_counter() - started


if __name__ == "__main__":
    main()
