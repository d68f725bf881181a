"""Healing: what a run that heals itself does about its findings, within bounds.

A remedy is a lever that the family says how to pull, in its own settings. Before it is pulled the finding
must have lasted, and the last remedy must have had time to work; each lever is pulled a few times at most.
Where weights have been spoilt they are set back to those of the last look at which all was well. The clock
is not: images seen are images seen, and the budget stays what it was.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from torch import Tensor

from impasto.diagnostics.finding import Finding
from impasto.events import Event, Healed
from impasto.types import Lever

LASTED = 2  # looks that a finding must have been there
PATIENCE = 5  # looks that a remedy is given to work
MOST = 4  # times that a lever is pulled in a run
SPOILT = {  # findings whose weights are not worth going on from
    "divergence",
    "learning rate too high",
    "mode collapse",
    "partial mode collapse",
    "discriminator wins",
}


@dataclass(frozen=True)
class Plan:
    """What is to be done now."""

    finding: Finding
    lever: Lever
    back: bool  # to the weights of the last good look


@dataclass(frozen=True)
class Good:
    """The weights of a look at which all was well."""

    images_seen: int
    tensors: Mapping[str, Tensor]

    @classmethod
    def of(cls, images_seen: int, state: Mapping[str, Tensor]) -> "Good":
        """A copy, independent of what comes after."""
        return cls(images_seen, {name: value.detach().clone() for name, value in state.items()})


@dataclass
class Healer:
    """Decides, look by look, in the process that diagnoses."""

    pulled: Counter[str] = field(default_factory=Counter)
    lasted: Counter[str] = field(default_factory=Counter)
    waiting: int = 0  # looks until a remedy has had its time

    @classmethod
    def of(cls, events: Iterable[Event]) -> "Healer":
        """The healer of a run that has told these."""
        return cls(Counter(event.lever for event in events if isinstance(event, Healed)))

    def after(self, present: Iterable[Finding]) -> Plan | None:
        """What is to be done after a look, if anything.

        Args:
            present: findings, causes first.
        """
        alarms = [finding for finding in present if finding.severity == "alarm"]
        self.lasted = Counter({f.name: self.lasted[f.name] + 1 for f in alarms})
        self.waiting = max(0, self.waiting - 1)
        for finding in alarms:
            urgent = finding.name == "divergence"
            ripe = urgent or (self.lasted[finding.name] >= LASTED and not self.waiting)
            lever = finding.lever
            if ripe and lever is not None and finding.settings and self.pulled[lever] < MOST:
                self.pulled[lever] += 1
                self.waiting, self.lasted = PATIENCE, Counter()
                return Plan(finding, lever, finding.name in SPOILT)
        return None
