"""The health of a sitting: looks into it, what they mean, and what is done where a run heals itself."""

from collections.abc import Iterator
from typing import get_args

import numpy as np
from jaxtyping import Int64

from impasto.config import override
from impasto.data.prepared import Prepared
from impasto.diagnostics.case import Facts
from impasto.diagnostics.diseases.rates import not_finite
from impasto.diagnostics.signals import Signals
from impasto.events import Event, Healed, Tick
from impasto.families import Family
from impasto.runs.config import RunConfig
from impasto.runs.devices import Processes
from impasto.runs.directory import Run
from impasto.runs.examining import Examiner
from impasto.runs.healing import Good, Healer, Plan
from impasto.runs.watching import Watch, data_facts, diagnosed, facts_of
from impasto.types import Lever

Split = tuple[Int64[np.ndarray, " n"], Int64[np.ndarray, " m"]]  # trained on, held out


class Health:
    """Watches a family while it learns, and pulls its levers if it may.

    The process that keeps the run diagnoses; all pull the same lever at the same look.

    Attributes:
        config: of the run, as healing has left it.
        changes: all that healing has changed, as one would type it after --set.
    """

    def __init__(
        self,
        config: RunConfig,
        changes: tuple[str, ...],
        family: Family,
        prepared: Prepared,
        split: Split,
        *,
        run: Run | None,
        processes: Processes,
        images_seen: int,
    ) -> None:
        self.config, self.changes = config, changes
        self._family, self._processes = family, processes
        self._prepared, self._split = prepared, split
        self._examiner: Examiner | None = None  # made at the first look
        self._data_facts = data_facts(prepared) if run else {}
        self._watch = Watch(self._facts(), run.events()) if run else None
        self._healer = Healer.of(run.events() if run else ())
        self._good: Good | None = None  # what healing goes back to
        if config.train.heal:
            self._good = Good.of(images_seen, family.state())

    def look(self) -> Signals:
        """The signals of now, by name."""
        if self._examiner is None:
            self._examiner = Examiner(
                self.config, self._prepared, *self._split, self._processes.device
            )
        return self._examiner.look(self._family)

    def after(self, look: Tick) -> Iterator[Event]:
        """What has come and gone with this look, and what the run does about it."""
        plan, best = None, False
        if self._watch is not None:
            yield from self._watch.after(look)
            case, present = self._watch.case, self._watch.present.values()
            best = self._healer.at_its_best(case, present)
            plan = self._healer.after(case, present)
        if self.config.train.heal:
            yield from self._treat(plan, look.images_seen, best=best)

    def broken(self, tick: Tick) -> Iterator[Event]:
        """What is told and done once losses have stopped being numbers; `changes` grow if anything is."""
        plan = None
        if self._watch is not None:
            finding = not_finite(tick.scalars, self._watch.facts)
            yield diagnosed(finding, tick.images_seen, present=True)
            if self._good is not None:
                plan = self._healer.after(self._watch.case, [finding], broken=True)
        if self.config.train.heal:
            yield from self._treat(plan, tick.images_seen, best=False)

    def _treat(self, plan: Plan | None, images_seen: int, *, best: bool) -> Iterator[Event]:
        levers = get_args(Lever)
        wanted = levers.index(plan.lever) if plan else -1
        pulled, back, kept = self._processes.agree(
            [float(wanted), float(bool(plan and plan.back)), float(best)]
        )
        if pulled >= 0:
            settings = self._pull(levers[int(pulled)])
            good = self._good if back else None
            if good is not None:
                self._family.restore(good.tensors)
            self._family.adapt(self.config.family)
            if self._watch is not None and plan is not None:
                self._watch.facts = self._facts()
                since = good.images_seen if good else images_seen
                yield Healed(images_seen, plan.finding.name, plan.lever, list(settings), since)
        elif kept:
            self._good = Good.of(images_seen, self._family.state())

    def _pull(self, lever: Lever) -> tuple[str, ...]:
        changes = self._family.relief(self.config.family, lever)
        settings = tuple(f"family.{name}={value!r}" for name, value in changes.items())
        self.config = override(self.config, settings)
        self.changes = (*self.changes, *settings)
        return settings

    def _facts(self) -> Facts:
        trained, held_out = self._split
        return facts_of(
            self.config, self._data_facts, pictures=len(trained), held_out=len(held_out)
        )
