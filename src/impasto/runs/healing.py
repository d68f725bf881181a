"""Healing: what a run that heals itself does about its findings, within bounds.

A remedy is a lever that the family says how to pull, in its own settings. Before it is pulled the finding
must have lasted, and the last remedy must have had time to work; each lever is pulled a few times at most.
A remedy that costs speed waits while the run still comes nearer to its data: a swing that gets somewhere
is calmed where it gets nowhere. Where weights have been spoilt, they are set back to the best so far, or to
the start where nothing much had been learnt. The clock is not: images seen are images seen, and the budget
stays what it was.
"""

import math
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from torch import Tensor

from impasto.diagnostics.case import RECENT, Case
from impasto.diagnostics.diagnosis import WARM_UP
from impasto.diagnostics.finding import Finding
from impasto.events import Event, Healed
from impasto.types import Lever

LASTED = 2  # looks that a finding must have been there
PATIENCE = 5  # looks that a remedy is given to work; twice that from the start
MOST = 4  # times that a lever is pulled in a run
COSTLY: set[Lever] = {"slow down"}  # whatever ails the run, it also learns more slowly
OVER = 12  # looks over which a run is asked whether it gets anywhere: a quarter of it, as they are by default
COMES_NEARER = 0.9  # a trend of the distance to the data below which it does
WORSE = 1.25  # times the best distance: what is learnt since is not worth keeping
DISTANCE = "kept_distance"
SPOILT = {  # findings whose weights may not be worth going on from
    "learning rate too high",
    "divergence",
    "mode collapse",
    "partial mode collapse",
    "discriminator wins",
}
WORTH = 0.3  # a distance to the data from which on hardly anything has been learnt that is worth keeping
YOUNG = 0.4  # of a run, until when it may go back to the start


@dataclass(frozen=True)
class Plan:
    """What is to be done now."""

    finding: Finding
    lever: Lever
    back: bool  # to the best weights so far; to the start, where there are none worth keeping


@dataclass(frozen=True)
class Good:
    """The best weights so far."""

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
    best: float = math.inf  # the least distance to the data so far

    @classmethod
    def of(cls, events: Iterable[Event]) -> "Healer":
        """The healer of a run that has told these."""
        return cls(Counter(event.lever for event in events if isinstance(event, Healed)))

    def at_its_best(self, case: Case, present: Iterable[Finding]) -> bool:
        """Whether the weights of this look are those to go back to from here on."""
        distance = case.recent(DISTANCE)
        if case.now.fraction < WARM_UP:
            return False
        if math.isnan(distance):
            return not any(finding.severity == "alarm" for finding in present)
        nearer = distance < min(self.best, WORTH)
        self.best = distance if nearer else self.best
        return nearer

    def after(self, case: Case, present: Iterable[Finding], *, broken: bool = False) -> Plan | None:
        """What is to be done after a look, if anything.

        Args:
            case: what is known of the run, up to this look.
            present: findings, causes first.
            broken: whether losses have stopped being numbers, so that nothing can wait.
        """
        alarms = [finding for finding in present if finding.severity == "alarm"]
        self.lasted = Counter({f.name: self.lasted[f.name] + 1 for f in alarms})
        self.waiting = max(0, self.waiting - 1)
        for finding in alarms:
            lever = finding.lever
            if lever is None or not finding.settings or self.pulled[lever] >= MOST:
                continue
            if broken or self._ripe(finding.name, lever, case):
                spoilt = lever != "average weights" and self._spoilt(finding.name, case)
                back = broken or spoilt
                self.pulled[lever] += 1
                self.waiting = PATIENCE * (2 if back and self.best >= WORTH else 1)
                self.lasted = Counter()
                return Plan(finding, lever, back)
        return None

    def _ripe(self, name: str, lever: Lever, case: Case) -> bool:
        if name == "divergence":  # waits only for looks that the last remedy is seen in
            return self.waiting <= PATIENCE - RECENT
        stuck = case.recent(DISTANCE) > WORTH and case.trend(DISTANCE, OVER) > COMES_NEARER
        return self.lasted[name] >= LASTED and not self.waiting and (stuck or lever not in COSTLY)

    def _spoilt(self, name: str, case: Case) -> bool:
        somewhere = self.best < WORTH or case.now.fraction < YOUNG
        worse = not case.recent(DISTANCE) < WORSE * min(self.best, WORTH)
        falling = case.trend(DISTANCE, OVER) < COMES_NEARER
        return name in SPOILT and somewhere and worse and not falling
