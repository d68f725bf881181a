"""What a diagnosis knows: some facts about the data and the settings, and the looks so far."""

import math
import statistics
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from impasto.events import Event, Started, Tick
from impasto.types import Lever

RECENT = 4  # looks; one by itself may be chance
TREND = 6  # looks over which a signal is asked whether it falls
LOOKED = "diversity"  # a signal that every look tells


@dataclass(frozen=True)
class Facts:
    """What does not change during a run.

    Attributes:
        pictures: trained on.
        held_out: not trained on.
        duplicates: share of the pictures whose content another one has too.
        classes: how many pictures each class of each attribute has.
        batch: pictures in a step.
        reliefs: what each lever changes in the run's own settings, by field of its family.
    """

    pictures: int
    held_out: int = 0
    duplicates: float = 0.0
    classes: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    batch: int = 64
    reliefs: Mapping[Lever, Mapping[str, Any]] = field(default_factory=dict)

    @property
    def calming(self) -> Lever:
        """What is done first about steps that are too large.

        Averaged weights draw what the steps have in common, at no cost of speed.
        """
        return "average weights" if self.settings("average weights") else "slow down"

    def settings(self, lever: Lever) -> tuple[str, ...]:
        """What a lever changes, as one would type it after --set."""
        changes = self.reliefs.get(lever, {})
        return tuple(f"family.{name}={_short(value)}" for name, value in changes.items())


@dataclass(frozen=True)
class Case:
    """A training up to some moment."""

    facts: Facts
    looks: Sequence[Tick]  # those that tell signals, oldest first

    @property
    def now(self) -> Tick:
        """The last look."""
        return self.looks[-1]

    def until(self, count: int) -> "Case":
        """The case as it was after so many looks."""
        return replace(self, looks=self.looks[:count])

    def recent(self, name: str, count: int = RECENT) -> float:
        """The median of a signal over the last looks; nan where it is not told or too few looks are there."""
        values = [tick.scalars.get(name, math.nan) for tick in self.looks[-count:]]
        if len(values) < count or not all(map(math.isfinite, values)):
            return math.nan
        return statistics.median(values)

    def recents(self, *names: str) -> dict[str, float]:
        """Some signals over the last looks."""
        return {name: self.recent(name) for name in names}

    @property
    def moves(self) -> dict[str, float]:
        """How far a step moves the weights of each player, as a part of them."""
        return self.recents(*(name for name in self.now.scalars if name.endswith("_update_ratio")))

    def trend(self, name: str, over: int = TREND) -> float:
        """A signal now over what it was so many looks ago, both as medians; nan where too few looks are there."""
        before = self.until(max(0, len(self.looks) - over)).recent(name)
        return self.recent(name) / before if before else math.nan

    def values(self, name: str) -> list[float]:
        """A signal at every look that tells it."""
        return [tick.scalars[name] for tick in self.looks if name in tick.scalars]


def case_of(events: Iterable[Event], facts: Facts) -> Case:
    """The case that a run's events tell; what was trained twice counts once."""
    looks: list[Tick] = []
    for event in events:
        if isinstance(event, Started):
            looks = [look for look in looks if look.images_seen <= event.images_seen]
        elif isinstance(event, Tick) and LOOKED in event.scalars:
            looks.append(event)
    return Case(facts, looks)


def _short(value: Any) -> str:
    return f"{value:.6g}" if isinstance(value, float) else str(value)
