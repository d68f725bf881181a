"""Plants each fault in small real runs and counts how often it is named, beside healthy runs.

    python benchmarks/quality/faults.py [--set thresholds|proof] [--jobs 2] [--to DIR]

`thresholds` are the runs on which the thresholds in impasto.diagnostics were chosen; `proof` are others,
on other pictures and seeds, and only they are reported. A run that is in DIR already is not run again.
"""

import argparse
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest.mock import patch

SHARED = Path(os.environ.get("IMPASTO_SHARED", "../shared"))
DATA = SHARED / "data"


@dataclass(frozen=True)
class Subject:
    """Pictures, and the small training that they are used for."""

    source: str
    recipe: str
    settings: tuple[str, ...]
    batch: int
    steps: int
    only: tuple[str, ...] = ()
    limit: int | None = None
    classes: tuple[str, ...] = ()


SMALL_DCGAN = (
    "data.size=32",
    "family.width=16",
    "family.generator_biases=[3]",
    "family.discriminator_biases=[0,1,2,3]",
)
SMALL_NORMED = (
    "data.size=32",
    "data.channels=1",
    "data.flip=false",
    "family.width=16",
    "family.latents=32",
    "family.learning_rate=5e-4",
)
SMALL_TRICK = ("family.width=16", "family.latents=32")

SUBJECTS = {
    # thresholds are set on these
    "low digits": Subject(
        str(DATA / "mnist"), "faces64", SMALL_NORMED, 32, 800, limit=4000, classes=tuple("01234")
    ),
    "cats": Subject(str(DATA / "cat-faces-64.zip"), "kittens", SMALL_DCGAN, 16, 1200, limit=2500),
    "anime": Subject(str(DATA / "anime-64.zip"), "frogs32", SMALL_TRICK, 20, 600, limit=2500),
    # and proven on these
    "high digits": Subject(
        str(DATA / "mnist"), "faces64", SMALL_NORMED, 32, 800, limit=4000, classes=tuple("56789")
    ),
    "kittens": Subject("kittens:2500", "kittens", SMALL_DCGAN, 16, 1200),
    "frogs": Subject(
        str(DATA / "cifar10-jpg.tar.gz"), "frogs32", SMALL_TRICK, 20, 600, ("train/frog/*",), 2500
    ),
}
THRESHOLDS = ("low digits", "cats", "anime")
PROOF = ("high digits", "kittens", "frogs")
EVERY = ("faces64", "kittens", "frogs32")


def paced(recipe: str, discriminator: float, generator: float) -> tuple[str, ...]:
    """Each player's learning rate times its own factor."""
    if recipe == "frogs32":
        return (
            f"family.discriminator_learning_rate={8e-4 * discriminator}",
            f"family.generator_learning_rate={4e-4 * generator}",
        )
    return (
        f"family.learning_rate={5e-4 * generator}",
        f"family.discriminator_pace={discriminator / generator}",
    )


def scaled(recipe: str, factor: float) -> tuple[str, ...]:
    """Both learning rates times a factor."""
    return paced(recipe, factor, factor)


def unregularised(recipe: str) -> tuple[str, ...]:
    """Without what holds a discriminator back."""
    held = {
        "kittens": ("family.r1_gamma=0",),
        "frogs32": ("family.dropout=0", "family.label_noise=0"),
    }
    return held.get(recipe, ())


def unclipped(recipe: str) -> tuple[str, ...]:
    """Without a bound on gradients."""
    return ("family.clip_value=1e6",) if recipe == "frogs32" else ()


def heavy(recipe: str) -> tuple[str, ...]:
    """With the momentum that GANs are advised against."""
    return () if recipe == "frogs32" else ("family.betas=[0.9,0.999]",)


@contextmanager
def few_latents(kinds: int) -> Iterator[None]:
    """The generator is given one of so few latents only, so that it can draw so few pictures."""
    import torch

    from impasto.families import dcgan, mlp_gan, trick_gan

    def coarse(latents: torch.Tensor) -> torch.Tensor:
        drawn = torch.randn(kinds, latents.shape[1], generator=torch.Generator().manual_seed(7))
        codes = drawn.to(latents)
        return codes[(latents @ codes.T).argmax(1)] + 0.02 * latents

    def coarsened(forward: Callable[[Any, torch.Tensor], torch.Tensor]) -> Any:
        return lambda self, latents: forward(self, coarse(latents))

    with ExitStack() as stack:
        for module in (dcgan, mlp_gan, trick_gan):
            kind = module.Generator
            stack.enter_context(patch.object(kind, "forward", coarsened(kind.forward)))
        yield


@contextmanager
def unit_reals() -> Iterator[None]:
    """Real pixels in [0, 1], against a generator that draws in [-1, 1]."""
    from impasto.runs import examining, sitting

    def to_unit(images: Any) -> Any:
        return images.permute(0, 3, 1, 2).float() / 255

    with patch.object(sitting, "to_float", to_unit), patch.object(examining, "to_float", to_unit):
        yield


@contextmanager
def slow_loader() -> Iterator[None]:
    """Each batch takes longer to make than a step takes."""
    from impasto.data.feed import Feed

    at = Feed.at

    def slow(self: Feed, images_seen: int) -> Any:
        time.sleep(0.15)
        return at(self, images_seen)

    with patch.object(Feed, "at", slow):
        yield


@dataclass(frozen=True)
class Fault:
    """How a fault is planted, given the subject's recipe."""

    settings: Callable[[str], tuple[str, ...]] = lambda _: ()
    planted: Callable[[], Any] = nullcontext
    limit: int | None = None
    steps: float = 1.0  # of the subject's own
    recipes: tuple[str, ...] = EVERY


_FOURS = "{size: 4, stride: 4, padding: 0}"

FAULTS = {
    "well": Fault(),
    "discriminator wins": Fault(lambda r: (*paced(r, 4, 0.1), *unregularised(r))),
    "generator wins": Fault(lambda r: paced(r, 0.01, 1)),
    "mode collapse": Fault(planted=lambda: few_latents(1)),
    "partial mode collapse": Fault(planted=lambda: few_latents(4)),
    "oscillation": Fault(lambda r: (*paced(r, 1.5, 6), *heavy(r), *unregularised(r))),
    "divergence": Fault(lambda r: (*scaled(r, 1000), *unclipped(r))),
    "discriminator overfits": Fault(
        lambda r: ("data.validation=0.3", "data.flip=false", *unregularised(r)),
        limit=150,
        steps=2.0,
    ),
    "memorisation": Fault(lambda _: ("data.flip=false", "data.validation=0"), limit=8, steps=2.5),
    "batch-norm leakage": Fault(
        lambda _: ("train.batch=2",), steps=2.0, recipes=("kittens", "faces64")
    ),
    "checkerboard": Fault(
        lambda _: (
            f"family.generator_head={_FOURS}",
            f"family.discriminator_stem={_FOURS}",
            "family.generator_biases=[]",
            "family.discriminator_biases=[]",
        ),
        recipes=("kittens", "faces64"),
    ),
    "range mismatch": Fault(planted=unit_reals),
    "too few pictures": Fault(limit=60),
    "learning rate too high": Fault(lambda r: scaled(r, 150)),
    "learning rate too low": Fault(lambda r: scaled(r, 1 / 300)),
    "slow loader": Fault(planted=slow_loader, steps=0.3),
}


def train(subject: str, fault: str, seed: int, to: Path) -> None:
    """One run, in this process."""
    import torch

    import impasto

    torch.set_num_threads(1)
    who, what = SUBJECTS[subject], FAULTS[fault]
    batch = min(who.batch, (what.limit or 1000) // 2)
    settings = (*who.settings, f"train.batch={batch}", "train.snapshots=12")
    with what.planted():
        training = impasto.train(
            who.source,
            recipe=who.recipe,
            to=to,
            steps=round(who.steps * what.steps),
            settings=(*settings, *what.settings(who.recipe)),
            only=who.only,
            classes=who.classes,
            limit=what.limit or who.limit,
            seed=seed,
        )
        for _ in training:
            pass


def plan(
    subjects: tuple[str, ...], seeds: list[int], faults: list[str]
) -> Iterator[tuple[str, str, int]]:
    """What is to be run."""
    for seed in seeds:
        for fault in faults:
            for subject in subjects:
                if SUBJECTS[subject].recipe in FAULTS[fault].recipes:
                    yield subject, fault, seed


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--set", choices=["thresholds", "proof"], default="proof")
    parser.add_argument("--seeds", type=int, nargs="*")
    parser.add_argument("--faults", nargs="*", default=list(FAULTS))
    parser.add_argument("--subjects", nargs="*")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--to", type=Path, default=Path("runs/faults"))
    parser.add_argument("--one", nargs=3, metavar=("SUBJECT", "FAULT", "SEED"))
    given = parser.parse_args()
    if given.one:
        subject, fault, seed = given.one
        train(subject, fault, int(seed), given.to)
        return
    subjects = tuple(given.subjects or (THRESHOLDS if given.set == "thresholds" else PROOF))
    seeds = given.seeds or ([100, 101] if given.set == "thresholds" else list(range(5)))
    waiting = list(plan(subjects, seeds, given.faults))
    running: list[subprocess.Popen[bytes]] = []
    given.to.mkdir(parents=True, exist_ok=True)
    while waiting or running:
        running = [process for process in running if process.poll() is None]
        while waiting and len(running) < given.jobs:
            subject, fault, seed = waiting.pop(0)
            to = given.to / f"{subject}-{fault}-{seed}".replace(" ", "_")
            if (to / "events.jsonl").exists():
                continue
            print(f"{time.strftime('%H:%M:%S')} {to.name} ({len(waiting)} left)", flush=True)
            words = [sys.executable, __file__, "--to", str(to), "--one", subject, fault, str(seed)]
            with (given.to / f"{to.name}.log").open("wb") as log:
                running.append(subprocess.Popen(words, stdout=log, stderr=log))
        time.sleep(0.5)


if __name__ == "__main__":
    main()
