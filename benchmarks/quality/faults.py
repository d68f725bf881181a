"""Plants each fault in small real runs, counts how often it is named, and how often healing helps; beside healthy runs.

    python benchmarks/quality/faults.py [--set thresholds|proof] [--jobs 2] [--to DIR] [--table] [--keep NAME]

`thresholds` are the runs on which the thresholds in impasto.diagnostics were chosen; `proof` are others,
on other pictures and seeds, and only they are reported. A run that is in DIR already is not run again,
and what was found in all that are there is told at the end, or, with --table, at once.
"""

import argparse
import json
import sys
import time
import traceback
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from plantings import FAULTS, PROOF, SUBJECTS, THRESHOLDS, WELL

sys.path.append(str(Path(__file__).parents[1] / "speed"))

HEALTHY = 20  # runs without a fault in a proof
SEEDS = 6  # of each fault in a proof
FRESH = 20  # the first seed of the proof; on those before it lines were moved
EARLY = 1 / 3  # of a run
SCORED = 500  # pictures on each side when healing is scored
BARS = {"named": 0.95, "alarms in healthy runs": 0, "healing helps": 0.8}


@dataclass(frozen=True)
class Planned:
    """One run."""

    subject: str
    fault: str
    seed: int
    heal: bool = False

    @property
    def name(self) -> str:
        """Of its directory."""
        healed = "-healed" if self.heal else ""
        return f"{self.subject}-{self.fault}-{self.seed}{healed}".replace(" ", "_")

    @property
    def batch(self) -> int:
        """Pictures in a step."""
        who, what = SUBJECTS[self.subject], FAULTS[self.fault]
        return what.batch or min(who.batch, (what.limit or 1000) // 2)

    @property
    def steps(self) -> int:
        """The run's budget."""
        return round(SUBJECTS[self.subject].steps * FAULTS[self.fault].steps)


def train(planned: Planned, to: Path) -> None:
    """One run, in this process."""
    import torch

    import impasto

    torch.set_num_threads(1)
    who, what = SUBJECTS[planned.subject], FAULTS[planned.fault]
    made = what.made is not None
    source = what.made(who, to.parent / f"{to.name}.pictures") if what.made else who.source
    settings = (*who.settings, f"train.batch={planned.batch}", "train.snapshots=12")
    with what.planted():
        training = impasto.train(
            source,
            recipe=who.recipe,
            to=to,
            steps=planned.steps,
            settings=(*settings, *what.settings(who.recipe)),
            only=() if made else who.only,
            classes=() if made else who.classes,
            limit=None if made else what.limit or who.limit,
            seed=planned.seed,
            heal=planned.heal,
        )
        try:
            for _ in training:
                pass
        except impasto.ImpastoError as error:  # a run that diverges and may not heal itself
            print(error)
    if what.curable:
        distance(to, planned.subject)


def plan(
    subjects: tuple[str, ...], seeds: Iterable[int], faults: list[str], *, heal: bool
) -> Iterator[Planned]:
    """What is to be run: each fault with every seed, on one subject after the other.

    A seed after the other, so that what is there at any time is of all faults.
    """
    for seed in seeds:
        for name in faults:
            able = [s for s in subjects if SUBJECTS[s].recipe in FAULTS[name].recipes]
            subject = able[seed % len(able)] if able else None
            if subject is not None:
                yield Planned(subject, name, seed)
                if FAULTS[name].curable and heal:
                    yield Planned(subject, name, seed, heal=True)


def run_all(waiting: list[Planned], to: Path, jobs: int) -> None:
    """Runs what is not there yet, so many at a time."""
    to.mkdir(parents=True, exist_ok=True)
    waiting = [planned for planned in waiting if not (to / f"{planned.name}.log").exists()]
    with get_context("spawn").Pool(jobs, maxtasksperchild=10) as pool:
        done = pool.imap_unordered(partial(logged, to=to), waiting)
        for count, name in enumerate(done, 1):
            print(f"{time.strftime('%H:%M:%S')} {count}/{len(waiting)} {name}", flush=True)


def logged(planned: Planned, to: Path) -> str:
    """One run and what it says, in a file; its name."""
    with (
        (to / f"{planned.name}.log").open("w") as log,
        redirect_stdout(log),
        redirect_stderr(log),
    ):
        try:
            train(planned, to / planned.name)
        except Exception:  # noqa: BLE001 - the others are to go on
            traceback.print_exc()
    return planned.name


@dataclass(frozen=True)
class Told:
    """What the doctor said of a run: each name, and at what part of the run it came first."""

    planned: Planned
    names: dict[str, float]

    @property
    def right(self) -> bool:
        """Whether the fault was named, or nothing where there was none."""
        return not self.names if self.planned.fault == WELL else self.planned.fault in self.names

    @property
    def early(self) -> bool:
        """Whether it was named in time."""
        return self.names.get(self.planned.fault, 1.0) <= EARLY


def told_of(planned: Planned, to: Path) -> Told:
    """What the doctor says of a run that is there."""
    from impasto import doctor

    spells = [s for s in doctor(to / planned.name).spells if s.finding.severity != "good"]
    return Told(
        planned, {s.finding.name: s.first_seen / (planned.steps * planned.batch) for s in spells}
    )


def confusion(told: list[Told]) -> str:
    """What was planted, by line, and in how many runs each name was told."""
    names = [name for name in FAULTS if name != WELL]
    names += sorted({name for each in told for name in each.names} - set(names))
    letters = {name: chr(ord("A") + index) for index, name in enumerate(names)}
    widest = max(map(len, FAULTS)) + 3
    lines = [
        f"{'planted':<{widest}} runs right early  "
        + "  ".join(f"{x:>2}" for x in letters.values())
        + "  none"
    ]
    for fault in FAULTS:
        of_it = [each for each in told if each.planned.fault == fault]
        if not of_it:
            continue
        counts = Counter(name for each in of_it for name in each.names)
        cells = "  ".join(f"{counts[name] or '.':>2}" for name in names)
        soon = sum(each.early for each in of_it) if FAULTS[fault].early and fault != WELL else "."
        label = f"{letters.get(fault, ' ')}  {fault}"
        right, nothing = sum(e.right for e in of_it), sum(not e.names for e in of_it)
        lines.append(
            f"{label:<{widest}} {len(of_it):>4} {right:>5} {soon:>5}  {cells}  {nothing or '.':>4}"
        )
    return "\n".join(lines)


def distance(run: Path, subject: str) -> dict[str, float]:
    """How far a run's pictures are from its subject's; infinite where it left no model worth drawing from."""
    import impasto

    kept = run.parent / f"{run.name}.distance.json"
    if kept.exists():
        found: dict[str, float] = json.loads(kept.read_text())
        return found
    who = SUBJECTS[subject]
    names = ("kernel_distance_unit", "kernel_distance")
    try:
        scores = impasto.evaluate(
            run, who.source, pictures=SCORED, only=who.only, classes=who.classes, html=None
        ).scores
        found = {name: scores[name].estimate.value for name in names}
    except impasto.ImpastoError as error:
        print(f"{run.name}: {error}")
        found = dict.fromkeys(names, float("inf"))
    kept.write_text(json.dumps(found))
    return found


@dataclass(frozen=True)
class Pair:
    """The same run left alone and healed."""

    planned: Planned
    left: dict[str, float]
    healed: dict[str, float]
    well: dict[str, float] | None  # the same run without the fault, where that is comparable

    def harmed(self, name: str = "kernel_distance_unit") -> bool:
        """Whether the fault cost anything, so that there is something to remedy."""
        return self.well is None or self.left[name] > self.well[name]

    def better(self, name: str = "kernel_distance_unit") -> bool:
        """Whether healing ended nearer."""
        return self.healed[name] < self.left[name]


def pairs_of(planned: list[Planned], to: Path) -> Iterator[Pair]:
    """Every pair that is there."""
    for each in planned:
        left, healed = to / Planned(each.subject, each.fault, each.seed).name, to / each.name
        if each.heal and all((run / "events.jsonl").exists() for run in (left, healed)):
            twin, what = to / Planned(each.subject, WELL, each.seed).name, FAULTS[each.fault]
            alike = what.steps == 1 and what.limit is None and (twin / "events.jsonl").exists()
            yield Pair(
                each,
                distance(left, each.subject),
                distance(healed, each.subject),
                distance(twin, each.subject) if alike else None,
            )


def tell(planned: list[Planned], to: Path, keep: str | None) -> None:
    """Prints the tables, and keeps their figures."""
    from measure import report

    there = [each for each in planned if (to / each.name / "run.json").exists()]
    told = [told_of(each, to) for each in there if not each.heal]
    faulty = [each for each in told if each.planned.fault != WELL]
    healthy = [each for each in told if each.planned.fault == WELL]
    showing = [each for each in faulty if FAULTS[each.planned.fault].early]
    print(confusion(told), "\n")
    for each in told:
        if not each.right:
            print(f"missed: {each.planned.name}: {each.names or 'nothing'}")
    pairs = list(pairs_of(there, to))
    harmed = [pair for pair in pairs if pair.harmed()]
    for pair in pairs:
        sign = "better" if pair.better() else "NOT better"
        sign += "" if pair.harmed() else ", but the fault had done no harm"
        numbers = (
            f"{pair.left['kernel_distance_unit']:.4f} -> {pair.healed['kernel_distance_unit']:.4f}"
        )
        print(f"{pair.planned.name}: {numbers} {sign}")
    figures: dict[str, Any] = {
        "planted": len(faulty),
        "named": _share(sum(each.right for each in faulty), len(faulty)),
        "named_in_the_first_third_where_it_shows": _share(
            sum(e.early for e in showing), len(showing)
        ),
        "healthy": len(healthy),
        "healthy_with_a_finding": sum(not each.right for each in healthy),
        "healing_pairs": len(pairs),
        "healing_helps": _share(sum(pair.better() for pair in pairs), len(pairs)),
        "harmed_pairs": len(harmed),
        "healing_helps_where_the_fault_did_harm": _share(
            sum(pair.better() for pair in harmed), len(harmed)
        ),
        "healing_helps_by_the_usual_kernel_distance": _share(
            sum(pair.better("kernel_distance") for pair in pairs), len(pairs)
        ),
        "by_fault": {
            fault: {
                "runs": sum(each.planned.fault == fault for each in told),
                "right": sum(each.right for each in told if each.planned.fault == fault),
                "told": dict(Counter(n for e in told if e.planned.fault == fault for n in e.names)),
                "healing": [pair.better() for pair in pairs if pair.planned.fault == fault],
            }
            for fault in FAULTS
        },
        "bars": BARS,
    }
    report(keep or "faults", figures, keep=keep is not None)


def _share(count: int, of: int) -> float | None:
    return round(count / of, 3) if of else None


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--set", choices=["thresholds", "proof"], default="proof")
    parser.add_argument("--seeds", type=int, nargs="*")
    parser.add_argument("--faults", nargs="*", default=list(FAULTS), choices=list(FAULTS))
    parser.add_argument("--subjects", nargs="*", choices=list(SUBJECTS))
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--to", type=Path, default=Path("runs/faults"))
    parser.add_argument("--table", action="store_true", help="run nothing, tell what is there")
    parser.add_argument(
        "--keep", metavar="NAME", help="of a file of results; the whole proof has its own"
    )
    parser.add_argument("--no-heal", action="store_true", help="no runs that heal themselves")
    given = parser.parse_args()
    proof = given.set == "proof"
    subjects = tuple(given.subjects or (PROOF if proof else THRESHOLDS))
    seeds = given.seeds or (range(FRESH, FRESH + SEEDS) if proof else range(100, 100 + SEEDS // 2))
    planned = list(plan(subjects, seeds, given.faults, heal=not given.no_heal))
    if proof and WELL in given.faults and not given.seeds:
        planned += plan(subjects, range(FRESH + SEEDS, FRESH + HEALTHY), [WELL], heal=False)
    if not given.table:
        run_all(planned, given.to, given.jobs)
    whole = proof and not (given.seeds or given.subjects or given.faults != list(FAULTS))
    tell(planned, given.to, "faults-cpu" if whole else given.keep)


if __name__ == "__main__":
    main()
