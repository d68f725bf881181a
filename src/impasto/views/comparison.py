"""Several models side by side in one HTML page: scores, curves, pictures, and what differs in the settings.

Each model has a colour, which stands beside its name wherever it is named and is that of its curves.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from html import escape

from impasto.evaluation.score import Better
from impasto.evaluation.standing import CLEAR
from impasto.events import Event
from impasto.views.curves import Beside, colours_of, count, draw_beside
from impasto.views.page import (
    caption,
    command,
    duration,
    folded,
    many,
    notices,
    picture,
    render_page,
    section,
    sentence,
)


@dataclass(frozen=True, kw_only=True)
class Entry:
    """One model, as plain values.

    Attributes:
        seconds: of training; None where that is not known.
        size: at which it draws, in pixels.
        source: what it was trained on.
        credit: whose pictures these are; shown under its own.
        copies: what the test for copies found, in words; empty where it could not be made.
        events: of its run; none where that is not at hand.
        grid: its newest pictures, a PNG.
        grid_images: images seen when they were drawn.
        resume: the command that goes on training; empty where there is nothing to go on with.
        sample: the command that draws more pictures.
    """

    name: str
    recipe: str
    images_seen: int
    seconds: float | None
    size: int
    source: str
    credit: str
    copies: str
    caught: bool
    events: Sequence[Event]
    grid: bytes
    grid_images: int
    resume: str
    sample: str


@dataclass(frozen=True)
class Cell:
    """A score, and where it stands: combined errors behind the best, and whether that is clear."""

    score: str
    best: bool
    behind: float
    clear: bool


@dataclass(frozen=True)
class Row:
    """A metric, with the score of each model."""

    title: str
    better: Better
    cells: Sequence[Cell]


@dataclass(frozen=True, kw_only=True)
class ComparisonFacts:
    """All that the page tells, as plain values.

    Attributes:
        against: the real pictures, in words.
        terms: the protocol, as a sentence.
        settings: those that differ, each with the value of every model.
    """

    entries: Sequence[Entry]
    rows: Sequence[Row]
    against: str
    terms: str
    notes: Sequence[str]
    settings: Sequence[tuple[str, Sequence[str]]]


def render_comparison(facts: ComparisonFacts) -> str:
    """The comparison as one HTML page."""
    sections: list[Callable[[ComparisonFacts], str]] = [
        _scores,
        _pictures,
        _curves,
        _copies,
        _settings,
        _go_on,
    ]
    body = _opening(facts) + "".join(tell(facts) for tell in sections)
    return render_page(f"{_title(facts)}: a comparison", body, "scores.css")


def errors_behind(behind: float) -> str:
    """How far behind the best, in words: `2.3 errors behind`."""
    if not math.isfinite(behind):
        return "behind" if behind > 0 else "no number"
    return f"{behind:.1f} errors behind" if behind < 100 else "over 100 errors behind"


# Sections -----------------------------------------------------------------------------------------


def _title(facts: ComparisonFacts) -> str:
    names = [entry.name for entry in facts.entries]
    return " and ".join(names) if len(names) == 2 else f"{len(names)} models"


def _opening(facts: ComparisonFacts) -> str:
    return f"""<header>
<p class="kicker">Side by side</p>
<h1>{escape(_title(facts))}</h1>
<p class="lead">Scored by one protocol, against {escape(facts.against)}.</p>
</header>
"""


def _scores(facts: ComparisonFacts) -> str:
    entries = facts.entries
    about = (
        f"<p>Each score with its standard error. How far a model is behind the best is told in errors of both "
        f"together: below {CLEAR:g} it may well be chance, and says nothing. An error tells how well this one "
        "model is known; another training of the same recipe may land further off.</p>\n"
    )
    told = [
        ("recipe", [entry.recipe for entry in entries]),
        ("trained on", [entry.source for entry in entries]),
        ("images seen", [count(entry.images_seen) for entry in entries]),
        ("training time", [_time(entry.seconds) for entry in entries]),
        ("pixels", [str(entry.size) for entry in entries]),
    ]
    rows = "".join(_plain_row(name, values) for name, values in told)
    rows += "".join(_score_row(row) for row in facts.rows)
    taken = caption(f"Taken by: {facts.terms}.")
    return section("Scores", about + _table(facts, rows, "scores", taken) + notices(facts.notes))


def _pictures(facts: ComparisonFacts) -> str:
    figures = "".join(
        picture(
            entry.grid,
            f"Generated pictures of {entry.name}",
            f"<figcaption>{_name(facts, place)}: after {count(entry.grid_images)} images. "
            f"{escape(_credit(entry))}</figcaption>",
        )
        for place, entry in enumerate(facts.entries)
    )
    return section("What they draw", f'<div class="beside">{figures}</div>')


def _curves(facts: ComparisonFacts) -> str:
    figures = draw_beside([entry.events for entry in facts.entries])
    if not figures:
        return ""
    places = [place for place, entry in enumerate(facts.entries) if entry.events]
    legend = f'<p class="legend">{"".join(_name(facts, place) for place in places)}</p>'
    about = "<p>Pale lines are what was measured, strong ones their running average.</p>\n"
    leading = {name: found for name, found in figures.items() if found.leading}
    others = {name: found for name, found in figures.items() if not found.leading}
    body = about + _cards(leading, legend)
    if others:
        body += folded(many(len(others), "more curve"), _cards(others, legend))
    return section("How training went", body)


def _cards(figures: dict[str, Beside], legend: str) -> str:
    cards = "".join(
        f'<figure class="card">{figure.svg.decode()}\n{legend}</figure>\n'
        for figure in figures.values()
    )
    return f'<div class="curves">\n{cards}</div>\n'


def _copies(facts: ComparisonFacts) -> str:
    caught = ' class="caught"'
    items = "".join(
        f"<li{caught if entry.caught else ''}>{_name(facts, place)}"
        f"<small>{escape(sentence(entry.copies or _UNKNOWN))}</small></li>\n"
        for place, entry in enumerate(facts.entries)
    )
    return section("Are they copying?", f'<ul class="told">\n{items}</ul>')


_UNKNOWN = "what it was trained on is not at hand, so nobody can tell"


def _settings(facts: ComparisonFacts) -> str:
    if not facts.settings:
        return section("What differs in their settings", "<p>Nothing.</p>")
    rows = "".join(_plain_row(name, values) for name, values in facts.settings)
    return section("What differs in their settings", _table(facts, rows, "settings"))


def _go_on(facts: ComparisonFacts) -> str:
    parts = []
    for place, entry in enumerate(facts.entries):
        lines = "".join(command(line) for line in (entry.resume, entry.sample) if line)
        parts.append(f"<p>{_name(facts, place)}: train longer, draw more.</p>\n{lines}\n")
    return section("Go on", "".join(parts))


# Parts --------------------------------------------------------------------------------------------


def _table(facts: ComparisonFacts, rows: str, kind: str, below: str = "") -> str:
    head = "".join(f"<th>{_name(facts, place)}</th>" for place in range(len(facts.entries)))
    return (
        f'<figure class="wide"><div><table class="{kind}">\n<thead><tr><td></td>{head}</tr></thead>\n'
        f"<tbody>\n{rows}</tbody></table></div>{below}</figure>\n"
    )


def _plain_row(name: str, values: Sequence[str]) -> str:
    cells = "".join(f"<td>{escape(value)}</td>" for value in values)
    return f"<tr><th>{escape(name)}</th>{cells}</tr>\n"


def _score_row(row: Row) -> str:
    cells = "".join(_cell(cell) for cell in row.cells)
    return f"<tr><th>{escape(row.title)}<small>{escape(row.better)} is better</small></th>{cells}</tr>\n"


def _cell(cell: Cell) -> str:
    if cell.best:
        return f'<td class="best">{escape(cell.score)}<small>best</small></td>'
    if cell.behind == 0:
        return f"<td>{escape(cell.score)}<small>the same</small></td>"
    kind = ' class="behind"' if cell.clear else ""
    return f"<td{kind}>{escape(cell.score)}<small>{escape(errors_behind(cell.behind))}</small></td>"


def _name(facts: ComparisonFacts, place: int) -> str:
    """A model's name with its colour."""
    colour, stroke = colours_of(len(facts.entries))[place]
    style = {"-": "solid", "--": "dashed", ":": "dotted"}[stroke]
    return (
        f'<span class="name"><i style="border-top: 3px {style} {colour}"></i>'
        f"{escape(facts.entries[place].name)}</span>"
    )


def _credit(entry: Entry) -> str:
    return f"Trained on: {entry.credit.rstrip('.')}." if entry.credit else ""


def _time(seconds: float | None) -> str:
    return "not known" if seconds is None else duration(seconds)
