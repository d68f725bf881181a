"""What ails a run, from what it told: for one that goes on as well as for one that has ended."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from impasto.diagnostics.case import Case, Facts, case_of
from impasto.diagnostics.diagnosis import diagnose
from impasto.diagnostics.diseases.rates import broken_down, not_finite
from impasto.diagnostics.finding import Finding
from impasto.events import Event, Started, Tick
from impasto.runs.directory import Run
from impasto.runs.watching import facts_of


@dataclass(frozen=True)
class Spell:
    """A finding, and when it was there.

    Attributes:
        first_seen: images seen when it came first.
        last_seen: images seen when it was last there.
        present: whether it is there now.
    """

    finding: Finding
    first_seen: int
    last_seen: int
    looks: int
    present: bool

    def to_plain(self) -> dict[str, Any]:
        """All of it, for JSON."""
        return {
            **self.finding.to_plain(),
            "first_seen": self.first_seen,
            "last_seen": self.last_seen,
            "looks": self.looks,
            "present": self.present,
        }


@dataclass(frozen=True)
class Examination:
    """What ailed a run, what ails it now first; or that it is well."""

    run: Path
    images_seen: int
    looks: int
    spells: tuple[Spell, ...]

    @property
    def well(self) -> bool:
        """Whether no alarm is there now."""
        return not any(s.present and s.finding.severity == "alarm" for s in self.spells)

    def to_plain(self) -> dict[str, Any]:
        """All of it, for JSON."""
        return {
            "run": str(self.run),
            "images_seen": self.images_seen,
            "looks": self.looks,
            "well": self.well,
            "findings": [spell.to_plain() for spell in self.spells],
        }


def doctor(run: str | Path) -> Examination:
    """What ails a run or ailed it, with symptom, evidence, cause and remedy.

    Args:
        run: its directory; it may be training.

    Raises:
        RunError: there is no such run.
    """
    held = Run.open(Path(run))
    events = list(held.events())
    started = next((event for event in events if isinstance(event, Started)), None)
    facts = facts_of(
        held.config,
        held.facts,
        pictures=started.pictures if started else 0,
        held_out=started.held_out if started else 0,
    )
    case = case_of(events, facts)
    spells = (*_breakdowns(events, facts), *spells_of(case))
    return Examination(held.path, events[-1].images_seen if events else 0, len(case.looks), spells)


def _breakdowns(events: list[Event], facts: Facts) -> tuple[Spell, ...]:
    """That numbers stopped being finite, where they did: no look can tell that."""
    ticks = [event for event in events if isinstance(event, Tick)]
    broken = [tick for tick in ticks if broken_down(tick.scalars)]
    if not broken:
        return ()
    return (
        Spell(
            finding=not_finite(broken[-1].scalars, facts),
            first_seen=broken[0].images_seen,
            last_seen=broken[-1].images_seen,
            looks=len(broken),
            present=broken[-1] is ticks[-1],
        ),
    )


def spells_of(case: Case) -> tuple[Spell, ...]:
    """Every disease there was, those that are there now first, then the longest; or that it is well now."""
    seen: dict[str, list[tuple[int, Finding]]] = {}
    for count in range(1, len(case.looks) + 1):
        for finding in diagnose(case.until(count)):
            seen.setdefault(finding.name, []).append((count, finding))
    spells = [
        Spell(
            finding=told[-1][1],
            first_seen=case.looks[told[0][0] - 1].images_seen,
            last_seen=case.looks[told[-1][0] - 1].images_seen,
            looks=len(told),
            present=told[-1][0] == len(case.looks),
        )
        for told in seen.values()
    ]
    told = [spell for spell in spells if spell.present or spell.finding.severity != "good"]
    return tuple(sorted(told, key=lambda spell: (not spell.present, -spell.looks)))
