"""The page of a comparison: scores, curves, pictures and settings of all models side by side."""

import json
import shlex
from collections.abc import Mapping, Sequence
from typing import Any

from impasto.config import to_plain
from impasto.evaluation.score import METRICS
from impasto.sheets import encode_png, tile
from impasto.views.comparison import Cell, ComparisonFacts, Entry, Row
from impasto.views.page import named
from impasto.views.sheet import enlarge
from impasto.workflows.comparison import Compared, Comparison
from impasto.workflows.entrants import Entrant
from impasto.workflows.evaluating import Assessed

SHOWN = 64  # pictures on the sheet of a model that has no grid
ABSENT = "\N{EN DASH}"  # for a setting that a recipe does not have


def comparison_facts(
    entrants: Sequence[Entrant], assessed: Sequence[Assessed], comparison: Comparison
) -> ComparisonFacts:
    """All that the page shows."""
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


def _entry(entrant: Entrant, found: Assessed, compared: Compared) -> Entry:
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
        events=entrant.events,
        grid=frames[-1].read_bytes() if frames else _grid(entrant, found),
        grid_images=int(frames[-1].stem) if frames else compared.images_seen,
        resume=f"impasto resume {shlex.quote(entrant.what)}" if entrant.judged.run else "",
        sample=f"impasto sample {shlex.quote(entrant.what)} -n 64 --to grid.png",
    )


def _grid(entrant: Entrant, found: Assessed) -> bytes:
    """The first of the pictures that were scored, at the size at which they were drawn."""
    assert entrant.judged.model is not None
    seed = found.evaluation.protocol.seed or 0
    return encode_png(tile(enlarge(entrant.judged.model.sample(SHOWN, seed))))


def _differences(entrants: Sequence[Entrant]) -> list[tuple[str, list[str]]]:
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
