"""What a run tells while it goes on: a closed union of facts, each a line of JSON.

The loop yields them, the run's directory keeps them in `events.jsonl`, and everything that watches a
run (terminal, report, page) is a `for` loop over them.
"""

import json
from dataclasses import asdict, dataclass, fields
from typing import Any, Literal

FinishReason = Literal["budget", "no longer improving", "stop file", "interrupted", "left"]


@dataclass(frozen=True)
class Started:
    """A sitting begins: what trains, on what, with what."""

    images_seen: int  # above 0 when resumed
    run: str
    recipe: str
    pictures: int
    held_out: int
    budget: str
    device: str
    processes: int
    precision: str
    parameters: dict[str, int]  # by network


@dataclass(frozen=True)
class Tick:
    """Averages since the last tick."""

    images_seen: int
    fraction: float  # of the budget
    seconds: float  # of training, over all sittings
    images_per_second: float
    seconds_left: float
    scalars: dict[str, float]


@dataclass(frozen=True)
class Sampled:
    """The fixed-noise grid was drawn."""

    images_seen: int
    path: str  # relative to the run


@dataclass(frozen=True)
class Saved:
    """The whole state is on disk; a resumed run goes on from here."""

    images_seen: int
    path: str  # relative to the run


@dataclass(frozen=True)
class Scored:
    """The model of now was scored."""

    images_seen: int
    scores: dict[str, dict[str, Any]]  # by metric: value, standard error, and the protocol
    best: bool  # by the score that steers; its model was kept
    seconds: float  # that it took


@dataclass(frozen=True)
class Diagnosed:
    """Something ails the run, or has stopped to; or nothing does."""

    images_seen: int
    present: bool  # false: it has gone
    name: str
    severity: str  # alarm, warning or good
    symptom: str
    evidence: dict[str, float]  # signals, by name
    cause: str
    remedy: str
    settings: list[str]  # the remedy, as one would type it after --set


@dataclass(frozen=True)
class Healed:
    """A remedy was applied by the run itself."""

    images_seen: int
    finding: str
    lever: str
    settings: list[str]  # what changed, as one would type it after --set
    weights_of: int  # images seen when the weights that it goes on from were made


@dataclass(frozen=True)
class Noticed:
    """Something a person should know."""

    images_seen: int
    message: str


@dataclass(frozen=True)
class Finished:
    """A sitting ends, at a step's boundary and saved."""

    images_seen: int
    seconds: float
    reason: FinishReason


Event = Started | Tick | Sampled | Scored | Saved | Diagnosed | Healed | Noticed | Finished

_KINDS: dict[str, type[Event]] = {
    kind.__name__.lower(): kind
    for kind in (Started, Tick, Sampled, Scored, Saved, Diagnosed, Healed, Noticed, Finished)
}


def to_json(event: Event) -> str:
    """One line of JSON; `event` names the kind."""
    return json.dumps({"event": type(event).__name__.lower(), **asdict(event)})


def from_json(line: str) -> Event:
    """The event that `to_json` wrote.

    Raises:
        ValueError: the line is not such an event.
    """
    facts: Any = json.loads(line)
    kind = _KINDS.get(facts.pop("event", "")) if isinstance(facts, dict) else None
    if kind is None or facts.keys() != {field.name for field in fields(kind)}:
        raise ValueError(f"not an event: {line[:80]!r}")
    return kind(**facts)
