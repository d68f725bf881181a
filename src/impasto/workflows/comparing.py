"""Several models scored by one protocol and shown side by side.

Scores compare only if they were taken alike, so everything that they depend on is the same for all: the
real pictures to the last one, their side of the split, how many pictures are drawn and by which seed, the
size, the extractor. What the models themselves do (averaged weights or last ones) stays as their recipes
say, and is told.

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

import json
import shlex
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

from impasto.config import to_plain
from impasto.data.prepared import Prepared, is_prepared
from impasto.errors import ConfigError, RunError
from impasto.evaluation.evaluation import FEWEST, advice_on
from impasto.evaluation.extractors import find_extractor
from impasto.evaluation.memorization import Memorization
from impasto.evaluation.score import METRICS, Protocol, Score, Split
from impasto.evaluation.sight import Sight
from impasto.evaluation.standing import Standing, standings
from impasto.events import Event, Finished, Tick
from impasto.runs.config import RunConfig
from impasto.runs.directory import Run
from impasto.sheets import encode_png, tile
from impasto.views.comparison import Cell, ComparisonFacts, Entry, Row, render_comparison
from impasto.views.page import named
from impasto.views.sheet import enlarge
from impasto.workflows.evaluating import (
    AMONG,
    PICTURES,
    Assessed,
    ExtractorDevice,
    Report,
    assess,
    available,
    check_numbers,
)
from impasto.workflows.judging import (
    Judged,
    is_its_source,
    judged_model,
    opened_set,
    set_of,
    shaped,
)
from impasto.workflows.paging import writable, write_page

PAGE = "compare.html"
SHOWN = 64  # pictures on the sheet of a model that has no grid
ABSENT = "\N{EN DASH}"  # for a setting that a recipe does not have


@dataclass(frozen=True)
class Compared:
    """One model of a comparison.

    Attributes:
        run: as it was named.
        name: as short as tells it from the others.
        images_seen: of the model.
        seconds: of training up to there; None where the run is not at hand.
        size: at which the model draws, in pixels.
        memorization: None where what it was trained on is not at hand.
    """

    run: str
    name: str
    recipe: str
    images_seen: int
    seconds: float | None
    size: int
    memorization: Memorization | None
    standings: dict[str, Standing]

    @property
    def scores(self) -> dict[str, Score]:
        """The scores by metric."""
        return {metric: standing.score for metric, standing in self.standings.items()}

    @property
    def best(self) -> tuple[str, ...]:
        """The metrics in which nothing is better, and something is worse."""
        return tuple(metric for metric, standing in self.standings.items() if standing.best)

    def to_plain(self) -> dict[str, Any]:
        """All of it as dicts, lists, strings and numbers."""
        return {
            "run": self.run,
            "name": self.name,
            "recipe": self.recipe,
            "images_seen": self.images_seen,
            "seconds": self.seconds,
            "size": self.size,
            "scores": {
                metric: {
                    "value": score.value,
                    "standard_error": score.standard_error,
                    "better": score.better,
                    **asdict(score.protocol),
                }
                for metric, score in self.scores.items()
            },
            "errors_behind": {
                metric: standing.behind if standing.behind < float("inf") else None
                for metric, standing in self.standings.items()
            },
            "memorization": self.memorization.to_plain() if self.memorization else None,
            "best": list(self.best),
        }


@dataclass(frozen=True)
class Comparison:
    """Several models by one protocol.

    Attributes:
        protocol: of all scores; `ema` is None where some models draw by averaged weights and some do not.
        runs: in the order in which they were named.
        notes: what to keep in mind.
        page: where it can be looked at.
    """

    protocol: Protocol
    runs: tuple[Compared, ...]
    notes: tuple[str, ...]
    page: Path | None

    @property
    def terms(self) -> str:
        """The protocol as a sentence."""
        told = self.protocol
        softened = f", all softened to {told.softened} pixels first" if told.softened else ""
        return (
            f"{told.n_generated:,} pictures of each, seed {told.seed}, against {told.n_real:,} real of "
            f"{named(told.real)} ({told.split}, data {told.fingerprint[:12]}) at {told.size} pixels{softened}; "
            f"{told.extractor}, sha256 {told.extractor_sha256[:12]}, {told.resize}"
        )

    def to_plain(self) -> dict[str, Any]:
        """All of it as dicts, lists, strings and numbers."""
        return {
            "protocol": asdict(self.protocol),
            "runs": [compared.to_plain() for compared in self.runs],
            "notes": list(self.notes),
            "page": str(self.page) if self.page else None,
        }


@dataclass(frozen=True)
class _Entrant:
    """A model that is to be compared, and the run that it comes from, if that is at hand."""

    what: str
    name: str
    judged: Judged
    home: Run | None

    @property
    def config(self) -> RunConfig:
        assert self.judged.config is not None
        return self.judged.config

    @property
    def images_seen(self) -> int:
        assert self.judged.model is not None
        return int(self.judged.model.provenance.get("images_seen", 0))

    @property
    def provenance(self) -> dict[str, Any]:
        assert self.judged.model is not None
        return self.judged.model.provenance

    @property
    def held_out(self) -> tuple[str, int, float]:
        """All that decides which pictures were held out."""
        data = self.config.data
        return self.judged.fingerprint, data.split_seed, data.validation


def compare(
    *runs: str | Path,
    against: str | Path | None = None,
    extractor: str = "mobilenet-v2",
    pictures: int = PICTURES,
    among: int = AMONG,
    split: Split | None = None,
    soften: int | None = None,
    seed: int = 0,
    device: ExtractorDevice = "cpu",
    html: str | Path | None = PAGE,
    report: Report | None = None,
) -> Comparison:
    """Two or more models scored by one protocol, with how far each is from the best, in errors.

    Args:
        runs: directories of runs, or files of models.
        against: a source of real pictures, or a prepared set; what the first run was trained on by default.
        extractor: `mobilenet-v2`, `inception-v3`, `random`, or an ONNX file.
        pictures: how many of each model, and how many real ones, at most.
        among: how many of the pictures that a model was trained on are asked whether they were copied.
        split: which of the real pictures; `training` and `held-out` only where all were trained on them.
        soften: side in pixels that all are brought to first, which takes out checkerboards and noise.
        seed: of the samples.
        device: where the extractor runs.
        html: where to put a page with scores, curves, pictures and settings side by side; None for nowhere.
        report: told what is being looked at, and how far.

    Raises:
        BadInput: fewer than two models, one of them is none, their pictures cannot be compared, or the
            real pictures, the extractor or the page cannot be had; the message says why and what to do.
    """
    if len(runs) < 2:
        given = f"{runs[0]}: " if runs else ""
        raise ConfigError(f"{given}a comparison needs two runs or more; name another one")
    check_numbers(pictures=pictures, among=among, soften=soften, seed=seed)
    page = None if html is None else writable(Path(html))
    entrants = _entrants([str(run) for run in runs])
    size = _common_size(entrants)
    sight = Sight(find_extractor(extractor, device=available(device)), soften)
    reals = _reals(against, entrants, size)
    if len(reals) < FEWEST:
        raise ConfigError(
            f"{reals.source}: {len(reals)} pictures are too few for a score; name others with --against"
        )
    split = _common_split(split, entrants, reals)
    assessed = [
        assess(
            entrant.judged,
            reals.path,
            sight,
            what=entrant.what,
            pictures=pictures,
            among=among,
            split=split,
            size=size,
            seed=seed,
            report=partial(_of, entrant.name, report) if report else None,
        )
        for entrant in entrants
    ]
    comparison = _compared(entrants, assessed, sight.extractor.dimensions, page)
    if page is not None:
        write_page(page, render_comparison(_facts(entrants, assessed, comparison)))
    return comparison


def _of(name: str, report: Report, title: str, done: int, total: int) -> None:
    report(f"{name}: {title}", done, total)


# What is compared --------------------------------------------------------------------------------


def _entrants(runs: Sequence[str]) -> list[_Entrant]:
    places = [Path(run).resolve() for run in runs]
    for run, place in zip(runs, places, strict=True):
        if places.count(place) > 1:
            raise ConfigError(f"{run}: named twice; name different runs")
    names = _names(places)
    return [_entrant(run, name) for run, name in zip(runs, names, strict=True)]


def _entrant(run: str, name: str) -> _Entrant:
    judged = judged_model(run)
    home = judged.run
    if home is None and (Path(run).parent / "config.yaml").is_file():
        home = Run.open(Path(run).parent)
        trained_on = set_of(home)
        if trained_on is not None and trained_on.fingerprint == judged.fingerprint:
            judged = replace(judged, trained_on=trained_on)
    return _Entrant(run, name, judged, home)


def _names(places: Sequence[Path]) -> list[str]:
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


def _common_size(entrants: Sequence[_Entrant]) -> int:
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


def _reals(against: str | Path | None, entrants: Sequence[_Entrant], size: int) -> Prepared:
    """The one set that all are scored against, at this size or larger."""
    if against is None:
        return _set_of_first(entrants)
    trained = [entrant for entrant in entrants if is_its_source(against, entrant.judged)]
    alike = len({entrant.judged.fingerprint for entrant in trained}) == 1
    lead = trained[0] if alike else entrants[0]
    wanted = lead.config.data if alike else shaped(lead.config.data)
    return opened_set(against, replace(wanted, size=size) if is_prepared(against) else wanted)


def _set_of_first(entrants: Sequence[_Entrant]) -> Prepared:
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


def _common_split(
    wanted: Split | None, entrants: Sequence[_Entrant], reals: Prepared
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


# What is found ------------------------------------------------------------------------------------


def _compared(
    entrants: Sequence[_Entrant],
    assessed: Sequence[Assessed],
    dimensions: int,
    page: Path | None,
) -> Comparison:
    evaluations = [found.evaluation for found in assessed]
    drawn = {evaluation.protocol.ema for evaluation in evaluations}
    protocol = replace(evaluations[0].protocol, ema=drawn.pop() if len(drawn) == 1 else None)
    for evaluation in evaluations:
        assert replace(evaluation.protocol, ema=protocol.ema) == protocol, "one protocol for all"
    ranked = {
        metric: standings([evaluation.scores[metric] for evaluation in evaluations])
        for metric in evaluations[0].scores
    }
    runs = tuple(
        Compared(
            run=entrant.what,
            name=entrant.name,
            recipe=entrant.config.name,
            images_seen=entrant.images_seen,
            seconds=_seconds(entrant),
            size=entrant.config.shape.size,
            memorization=_memorization(entrant, found),
            standings={metric: ranked[metric][place] for metric in ranked},
        )
        for place, (entrant, found) in enumerate(zip(entrants, assessed, strict=True))
    )
    notes = (
        *_fairness(protocol, runs, assessed),
        *advice_on(protocol, dimensions=dimensions, own=False, among="training"),
    )
    return Comparison(protocol, runs, notes, page)


def _memorization(entrant: _Entrant, found: Assessed) -> Memorization | None:
    """What was found; None where copies were looked for in pictures that it was not trained on."""
    known = found.own or entrant.judged.trained_on is not None
    return found.evaluation.memorization if known else None


def _seconds(entrant: _Entrant) -> float | None:
    told = [
        event.seconds
        for event in _events(entrant)
        if isinstance(event, Tick | Finished) and event.images_seen <= entrant.images_seen
    ]
    return told[-1] if told else None


def _events(entrant: _Entrant) -> list[Event]:
    return list(entrant.home.events()) if entrant.home else []


def _fairness(
    protocol: Protocol, runs: Sequence[Compared], assessed: Sequence[Assessed]
) -> Iterable[str]:
    """What keeps the comparison from being quite fair, in sentences."""
    sizes = {run.size for run in runs}
    if len(sizes) > 1:
        larger = _listed(f"{run.name} ({run.size})" for run in runs if run.size > protocol.size)
        yield (
            f"the models draw at different sizes; all are compared at {protocol.size} pixels, and what {larger} may "
            "gain in detail is not seen"
        )
    own = [run.name for run, found in zip(runs, assessed, strict=True) if found.own]
    others = [run.name for run, found in zip(runs, assessed, strict=True) if not found.own]
    if own and others:
        yield (
            f"these real pictures are those that {_listed(own)} learned from, and {_listed(others)} learned from other "
            "ones, or from these in another form, which favours the former; name pictures that none has seen with "
            "--against"
        )
    elif own and protocol.split == "all":
        yield (
            "the real pictures include those that the models were trained on, so copying them would score well; see "
            "the test for copies"
        )
    ema = {found.evaluation.protocol.ema for found in assessed}
    if len(ema) > 1:
        last = _listed(
            run.name
            for run, found in zip(runs, assessed, strict=True)
            if not found.evaluation.protocol.ema
        )
        yield f"pictures are drawn by averaged weights, but those of {last} by the last ones, as the recipes say"
    for run in runs:
        if run.memorization is not None and run.memorization.caught:
            yield f"training pictures are repeated by {run.name}, so that its good scores mean little"


def _listed(names: Iterable[str]) -> str:
    *most, last = names
    return f"{', '.join(most)} and {last}" if most else last


# What is shown ------------------------------------------------------------------------------------


def _facts(
    entrants: Sequence[_Entrant], assessed: Sequence[Assessed], comparison: Comparison
) -> ComparisonFacts:
    return ComparisonFacts(
        entries=[
            _entry(entrant, found, compared)
            for entrant, found, compared in zip(entrants, assessed, comparison.runs, strict=True)
        ],
        rows=[
            Row(
                *METRICS[metric],
                [
                    Cell(
                        str(run.standings[metric].score.estimate),
                        best=run.standings[metric].best,
                        behind=run.standings[metric].behind,
                        clear=run.standings[metric].clear,
                    )
                    for run in comparison.runs
                ],
            )
            for metric in comparison.runs[0].standings
        ],
        against=(
            f"{comparison.protocol.n_real:,} real pictures of {named(comparison.protocol.real)}"
        ),
        terms=comparison.terms,
        notes=comparison.notes,
        settings=_differences(entrants),
    )


def _entry(entrant: _Entrant, found: Assessed, compared: Compared) -> Entry:
    frames = entrant.judged.run.frames() if entrant.judged.run else []
    return Entry(
        name=compared.name,
        recipe=compared.recipe,
        images_seen=compared.images_seen,
        seconds=compared.seconds,
        size=compared.size,
        source=named(str(entrant.provenance.get("source", ""))),
        credit=str(entrant.provenance.get("credit") or ""),
        copies=str(compared.memorization or "").removeprefix("memorisation: "),
        caught=compared.memorization is not None and compared.memorization.caught,
        events=_events(entrant),
        grid=frames[-1].read_bytes() if frames else _grid(entrant, found),
        grid_images=int(frames[-1].stem) if frames else compared.images_seen,
        resume=f"impasto resume {shlex.quote(entrant.what)}" if entrant.judged.run else "",
        sample=f"impasto sample {shlex.quote(entrant.what)} -n 64 --to grid.png",
    )


def _grid(entrant: _Entrant, found: Assessed) -> bytes:
    """The first of the pictures that were scored, at the size at which they were drawn."""
    assert entrant.judged.model is not None
    seed = found.evaluation.protocol.seed or 0
    return encode_png(tile(enlarge(entrant.judged.model.sample(SHOWN, seed))))


def _differences(entrants: Sequence[_Entrant]) -> list[tuple[str, list[str]]]:
    """The settings in which the models differ, each with the value of every one."""
    flat = [_flat(to_plain(entrant.config)) for entrant in entrants]
    for settings in flat:
        del settings["description"]
        settings["recipe"] = settings.pop("name")
    rows = {name: [settings.get(name, ABSENT) for settings in flat] for name in _ordered(flat)}
    rows["pictures"] = [
        f"{named(str(entrant.provenance.get('source', '')))} ({entrant.judged.fingerprint[:12]})"
        for entrant in entrants
    ]
    return [(name, values) for name, values in rows.items() if len(set(values)) > 1]


def _flat(plain: Mapping[str, Any], path: str = "") -> dict[str, str]:
    found: dict[str, str] = {}
    for name, value in plain.items():
        if isinstance(value, dict):
            found |= _flat(value, f"{path}{name}.")
        else:
            found[path + name] = value if isinstance(value, str) else json.dumps(value)
    return found


def _ordered(flat: Sequence[Mapping[str, str]]) -> list[str]:
    return list(dict.fromkeys(name for settings in flat for name in settings))
