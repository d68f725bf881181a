"""The models that are to be compared, and what they are compared on.

Real pictures. By default the set that the first run was trained on, as that run selected it. A source that
is named is taken as those runs selected it that were trained on it, if they all selected alike, else whole.

Which of them. Held-out pictures, or training ones, mean something only if all the models were trained on
this very set and hold the same pictures out of it; then the rule is that of `evaluate`. Otherwise all of
the set is used for all, even where one of the models could be scored on its own held-out pictures.

Sizes. Models that draw at different sizes are compared at the smallest one, and the pictures of the others
are made smaller by the filter that makes real pictures of a prepared set smaller. Enlarging would score a
small model on a blur that it cannot help, and each at its own size would be two different questions. So
what a larger model gains in detail is not seen, and that is told. Grey and coloured pictures have no real
set in common and are refused.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from impasto.data.prepared import Prepared, is_prepared
from impasto.errors import ConfigError, RunError
from impasto.evaluation.score import Split
from impasto.events import Event, Finished, Tick
from impasto.runs.config import RunConfig
from impasto.runs.directory import Run
from impasto.workflows.judging import (
    Judged,
    is_its_source,
    judged_model,
    opened_set,
    set_of,
    shaped,
)


@dataclass(frozen=True)
class Entrant:
    """A model that is to be compared, and the run that it comes from, if that is at hand."""

    what: str
    name: str
    judged: Judged
    home: Run | None

    @property
    def config(self) -> RunConfig:
        """What the model was trained with."""
        assert self.judged.config is not None
        return self.judged.config

    @property
    def images_seen(self) -> int:
        """By the model."""
        assert self.judged.model is not None
        return int(self.judged.model.provenance.get("images_seen", 0))

    @property
    def provenance(self) -> dict[str, Any]:
        """What the model says of where it comes from."""
        assert self.judged.model is not None
        return self.judged.model.provenance

    @property
    def held_out(self) -> tuple[str, int, float]:
        """All that decides which pictures were held out."""
        data = self.config.data
        return self.judged.fingerprint, data.split_seed, data.validation

    @property
    def events(self) -> list[Event]:
        """What its run told, if that is at hand."""
        return list(self.home.events()) if self.home else []

    @property
    def seconds(self) -> float | None:
        """Of training up to this model; None where the run is not at hand."""
        told = [
            event.seconds
            for event in self.events
            if isinstance(event, Tick | Finished) and event.images_seen <= self.images_seen
        ]
        return told[-1] if told else None


def entrants_of(runs: Sequence[str]) -> list[Entrant]:
    """The models of these runs and files, each once."""
    places = [Path(run).resolve() for run in runs]
    for run, place in zip(runs, places, strict=True):
        if places.count(place) > 1:
            raise ConfigError(f"{run}: named twice; name different runs")
    names = names_of(places)
    return [_entrant(run, name) for run, name in zip(runs, names, strict=True)]


def _entrant(run: str, name: str) -> Entrant:
    judged = judged_model(run)
    home = judged.run
    if home is None and (Path(run).parent / "config.yaml").is_file():
        home = Run.open(Path(run).parent)
        trained_on = set_of(home)
        if trained_on is not None and trained_on.fingerprint == judged.fingerprint:
            judged = replace(judged, trained_on=trained_on)
    return Entrant(run, name, judged, home)


def names_of(places: Sequence[Path]) -> list[str]:
    """The ends of paths, as short as tells them apart; of a run's own model, that of the run."""
    ends = [
        (place.parent if place.name == "model.safetensors" else place.with_suffix("")).parts
        if place.suffix == ".safetensors"
        else place.parts
        for place in places
    ]
    if len(set(ends)) < len(ends):  # a run, and its own model's file
        ends = [place.parts for place in places]
    longest = max(len(end) for end in ends)
    for length in range(1, longest + 1):
        names = ["/".join(end[-length:]) for end in ends]
        if len(set(names)) == len(names):
            break
    return names


def common_size(entrants: Sequence[Entrant]) -> int:
    """The side at which all are compared, in pixels."""
    first = entrants[0]
    tones = {1: "grey", 3: "coloured"}
    for other in entrants[1:]:
        mine, theirs = first.config.shape.channels, other.config.shape.channels
        if mine != theirs:
            raise ConfigError(
                f"{other.what}: draws {tones[theirs]} pictures and {first.what} {tones[mine]} ones, for which no "
                "real pictures are alike; compare grey with grey and coloured with coloured"
            )
    return min(entrant.config.shape.size for entrant in entrants)


def reals_of(against: str | Path | None, entrants: Sequence[Entrant], size: int) -> Prepared:
    """The one set that all are scored against, at this size or larger."""
    if against is None:
        return _set_of_first(entrants)
    trained = [entrant for entrant in entrants if is_its_source(against, entrant.judged)]
    alike = len({entrant.judged.fingerprint for entrant in trained}) == 1
    lead = trained[0] if alike else entrants[0]
    wanted = lead.config.data if alike else shaped(lead.config.data)
    return opened_set(against, replace(wanted, size=size) if is_prepared(against) else wanted)


def _set_of_first(entrants: Sequence[Entrant]) -> Prepared:
    first = entrants[0]
    if first.home is None:
        raise ConfigError(
            f"{first.what}: a model's file does not say where its pictures are; name real pictures with --against"
        )
    found = set_of(first.home)
    if found is None:
        source = first.home.facts["source"]
        raise RunError(
            f"{first.what}: the pictures that it was trained on are no longer prepared; name them, or other real "
            f"ones, with --against, such as --against {source}"
        )
    return found


def common_split(
    wanted: Split | None, entrants: Sequence[Entrant], reals: Prepared
) -> Split | None:
    """The side for all: what is asked for, or what `evaluate` makes of None if that is the same for all."""
    odd = [e for e in entrants if e.judged.fingerprint != reals.fingerprint]
    odd += [e for e in entrants if e.held_out != entrants[0].held_out and e not in odd]
    if not odd:
        return wanted
    if wanted not in {None, "all"}:
        raise ConfigError(
            f"--split {wanted}: {odd[0].what} was not trained on these real pictures, or holds others of them out, "
            "so that no side of theirs is the same for all; leave --split out"
        )
    return "all"
