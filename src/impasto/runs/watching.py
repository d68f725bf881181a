"""Watching a run's health: what ails it now, told once when it comes and once when it has gone."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any, get_args

import numpy as np

from impasto.data.prepared import Prepared
from impasto.diagnostics.case import LOOKED, Case, Facts, case_of
from impasto.diagnostics.diagnosis import diagnose
from impasto.diagnostics.finding import Finding
from impasto.events import Diagnosed, Event, Tick
from impasto.families import FAMILIES
from impasto.runs.config import RunConfig
from impasto.types import Lever


def data_facts(prepared: Prepared) -> dict[str, Any]:
    """What a diagnosis wants to know of the pictures: duplicates among them, and how many of each class."""
    everything = np.arange(len(prepared))
    keys = prepared.arrays.keys[prepared.slots(everything)]
    _, sizes = np.unique(keys, return_counts=True)
    labels = prepared.labels(everything)
    classes = {
        attribute: {
            name: int((labels[:, column] == index).sum()) for index, name in enumerate(names)
        }
        for column, (attribute, names) in enumerate(prepared.label_names.items())
    }
    return {"duplicates": float(sizes[sizes > 1].sum() / max(len(keys), 1)), "classes": classes}


def facts_of(config: RunConfig, told: Mapping[str, Any], *, pictures: int, held_out: int) -> Facts:
    """The facts that a run is diagnosed with.

    Args:
        config: its configuration.
        told: what `data_facts` gave.
        pictures: on the training side.
        held_out: on the other one.
    """
    family = FAMILIES[config.family.name]
    reliefs = {lever: family.relief(config.family, lever) for lever in get_args(Lever)}
    return Facts(
        pictures=pictures,
        held_out=held_out,
        duplicates=told.get("duplicates", 0.0),
        classes=told.get("classes", {}),
        batch=config.train.batch,
        reliefs=reliefs,
    )


class Watch:
    """What ails a run, from look to look."""

    def __init__(self, facts: Facts, events: Iterable[Event]) -> None:
        told = list(events)
        self.case: Case = case_of(told, facts)
        self.present: dict[str, Finding] = {}
        for finding in diagnose(self.case):
            self.present[finding.name] = finding

    def after(self, look: Tick) -> Iterator[Diagnosed]:
        """What has come and what has gone with this look."""
        if LOOKED not in look.scalars:  # there were no numbers to look at
            return
        self.case = replace(self.case, looks=[*self.case.looks, look])
        now = {finding.name: finding for finding in diagnose(self.case)}
        for name, finding in now.items():
            if name not in self.present:
                yield diagnosed(finding, look.images_seen, present=True)
        for name, finding in self.present.items():
            if name not in now:
                yield diagnosed(finding, look.images_seen, present=False)
        self.present = now

    @property
    def alarms(self) -> list[Finding]:
        """The findings that are alarms, causes first."""
        return [finding for finding in self.present.values() if finding.severity == "alarm"]

    @property
    def facts(self) -> Facts:
        """What the diagnosis knows beside the looks."""
        return self.case.facts

    @facts.setter
    def facts(self, facts: Facts) -> None:
        self.case = replace(self.case, facts=facts)


def diagnosed(finding: Finding, images_seen: int, *, present: bool) -> Diagnosed:
    """The finding as an event."""
    return Diagnosed(
        images_seen=images_seen,
        present=present,
        name=finding.name,
        severity=finding.severity,
        symptom=finding.symptom,
        evidence=dict(finding.evidence),
        cause=finding.cause,
        remedy=finding.remedy,
        settings=list(finding.settings),
    )
