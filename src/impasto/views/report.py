"""A run told to a person in one HTML page that stands alone, its curves as inline SVG."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from html import escape
from operator import itemgetter

from impasto.events import Diagnosed, Event, Finished, Healed, Noticed, Started, Tick
from impasto.views.curves import SIGNALS, count, draw_curves, lasting
from impasto.views.page import (
    address,
    caption,
    command,
    duration,
    folded,
    many,
    numbers,
    picture,
    render_page,
    section,
    table,
)

LARGEST_FILM = 3_000_000  # bytes; a larger film stays in the run's directory
MOST_NOTICES = 12  # shown; the rest are folded

_READINGS = {
    "losses": "The players pull against each other, so neither loss has to fall. Healthy: both "
    "settle and stay in sight of each other. A discriminator near 0 while the generator climbs has "
    "won too early.",
    "scores": "How sure the discriminator is that a picture is real. Healthy: real ones stay above "
    "generated ones, and neither is stuck at 1 or 0. If unseen real pictures sink far below the "
    "trained ones, it is learning them by heart.",
    "gradient_norms": "How hard each player is pushed at a step. Healthy: a steady band. Sudden "
    "climbs come before trouble; a fall to almost nothing means that a player stopped learning.",
    "learning_rates": "How large a step each player may take, as the settings planned it.",
}


@dataclass(frozen=True, kw_only=True)
class ReportFacts:
    """All that a report tells, as plain values.

    Attributes:
        source: what the pictures are, as in "trained on 2,000 pictures of SOURCE".
        credit: whose pictures they are; shown under every picture.
        resume: the command that goes on training.
        sample: the command that draws more pictures.
        rejects: the first rejected files, each with its reason.
        config: the settings as YAML.
        parameters: of each network.
        grid: the newest grid, a PNG.
        beside: real beside generated, a PNG.
        film: the grids in time, of type `film_mime`.
    """

    title: str
    recipe: str
    source: str
    resume: str
    sample: str
    events: Sequence[Event]
    config: str
    kept: int
    rejected: int = 0
    rejects: Sequence[tuple[str, str]] = ()
    description: str = ""
    credit: str = ""
    environment: Mapping[str, str] = field(default_factory=dict)
    parameters: Mapping[str, int] = field(default_factory=dict)
    grid: bytes | None = None
    beside: bytes | None = None
    film: bytes | None = None
    film_mime: str = "image/webp"


def render_report(facts: ReportFacts) -> str:
    """The report as one HTML page."""
    sections: list[Callable[[ReportFacts], str]] = [
        _film,
        _beside,
        _health,
        _curves,
        _notices,
        _data,
        _go_on,
        _settings,
    ]
    body = _opening(facts) + "".join(tell(facts) for tell in sections)
    return render_page(facts.title, body)


# What the events say, taken together ----------------------------------------------------------


def _started(facts: ReportFacts) -> Started | None:
    return next((event for event in reversed(facts.events) if isinstance(event, Started)), None)


def _reached(facts: ReportFacts) -> tuple[int, float]:
    """Images seen and seconds trained, over all sittings."""
    told = [event for event in facts.events if isinstance(event, Tick | Finished)]
    return (told[-1].images_seen, told[-1].seconds) if told else (0, 0.0)


def _studied(facts: ReportFacts) -> int:
    """Pictures that were trained on: those kept and not held out."""
    started = _started(facts)
    return facts.kept - (started.held_out if started else 0)


# Sections -------------------------------------------------------------------------------------


def _opening(facts: ReportFacts) -> str:
    images, seconds = _reached(facts)
    started = _started(facts)
    where = f" on {escape(_machine(started.device))}" if started else ""
    return f"""<header>
<p class="kicker">{escape(facts.recipe)}</p>
<h1>{escape(facts.title)}</h1>
<p class="lead">None of these pictures is real. A network painted them from noise, after training on
{many(_studied(facts), "picture")} of {escape(facts.source)} for {duration(seconds)}{where}:
{count(images)} images seen.</p>
</header>
{picture(facts.grid, "The newest generated pictures", _credited(facts))}
{_numbers(facts)}
"""


def _machine(device: str) -> str:
    return "a CPU" if device.upper() == "CPU" else device


def _numbers(facts: ReportFacts) -> str:
    images, seconds = _reached(facts)
    tiles = {"images seen": count(images), "training time": duration(seconds)}
    if studied := _studied(facts):
        tiles["times through the set"] = f"{images / studied:.3g}"
    if speeds := [tick.images_per_second for tick in lasting(facts.events)]:
        tiles["images per second"] = f"{sorted(speeds)[len(speeds) // 2]:,.3g}"
    tiles |= {
        f"parameters, {name.replace('_', ' ')}": count(number)
        for name, number in facts.parameters.items()
    }
    return numbers(tiles)


def _film(facts: ReportFacts) -> str:
    if facts.film is None:
        return ""
    if len(facts.film) > LARGEST_FILM:
        note = "<p>The film is too large for this page; it lies beside it, in the run's folder.</p>"
        return section("Out of the noise", note)
    about = "The same noise, painted again and again while the network learned."
    film = address(facts.film, facts.film_mime)
    if facts.film_mime.startswith("video/"):
        player = f'<video controls autoplay loop muted playsinline src="{film}"></video>'
    else:
        player = f'<img alt="A film of the generated pictures" src="{film}">'
    caption = _credited(facts, about)
    return section("Out of the noise", f'<figure class="picture">{player}\n{caption}</figure>')


def _beside(facts: ReportFacts) -> str:
    about = "Look for what only one side has: colours, poses, sharpness, variety."
    sheet = picture(facts.beside, "Real beside generated pictures", _credited(facts, about))
    return section("Real beside generated", sheet)


def _health(facts: ReportFacts) -> str:
    """What ailed the run, and what it did about it; nothing for a run that was never looked into."""
    looks = [tick for tick in lasting(facts.events) if "diversity" in tick.scalars]
    if not looks:
        return ""
    first: dict[str, Diagnosed] = {}
    last: dict[str, Diagnosed] = {}
    for event in facts.events:
        if isinstance(event, Diagnosed) and event.severity != "good":
            first.setdefault(event.name, event)
            last[event.name] = event
    told = [_finding(event, last[name]) for name, event in first.items()]
    healed = [_remedy(event) for event in facts.events if isinstance(event, Healed)]
    ill = any(event.present and event.severity == "alarm" for event in last.values())
    verdict = "" if ill else f"<p>All is well at the last of {many(len(looks), 'look')}.</p>\n"
    rows = "".join([*told, *healed])
    listed = f'<ul class="notices">\n{rows}</ul>' if rows else ""
    return section("Health", verdict + listed)


def _finding(event: Diagnosed, last: Diagnosed) -> str:
    numbers = ", ".join(f"{n.replace('_', ' ')} {v:.3g}" for n, v in event.evidence.items())
    settings = f": <code>--set {escape(' '.join(event.settings))}</code>" if event.settings else ""
    until = "" if last.present else f"; gone at {count(last.images_seen)}"
    when = f"from {count(event.images_seen)} images on{until}; {escape(numbers)}"
    return (
        f"<li><b>{escape(event.name)}</b>: {escape(event.symptom)}. {escape(event.cause)} "
        f"{escape(event.remedy)}{settings}.<small>{when}</small></li>\n"
    )


def _remedy(event: Healed) -> str:
    settings = escape(" ".join(event.settings))
    return (
        f"<li>Healed {escape(event.finding)}: <code>{settings}</code>, with the weights of "
        f"{count(event.weights_of)} images<small>at {count(event.images_seen)} images</small></li>\n"
    )


def _curves(facts: ReportFacts) -> str:
    cards = {
        name: f'<figure class="card">{svg.decode()}\n'
        f"<figcaption>{escape(_READINGS.get(name, ''))}</figcaption></figure>\n"
        for name, svg in draw_curves(facts.events).items()
    }
    if not cards:
        return ""
    about = "<p>Pale lines are what was measured, strong ones their running average.</p>\n"
    first = "".join(card for name, card in cards.items() if name not in SIGNALS)
    signals = "".join(card for name, card in cards.items() if name in SIGNALS)
    body = f'{about}<div class="curves">\n{first}</div>'
    if signals:
        body += folded("Signals of its health", f'<div class="curves">\n{signals}</div>')
    return section("How training went", body)


def _notices(facts: ReportFacts) -> str:
    told: dict[str, int] = {}  # a message that comes again is told once, where it came last
    for event in facts.events:
        if isinstance(event, Noticed):
            told[event.message] = event.images_seen
    items = [
        f"<li>{escape(message)}<small>at {count(images)} images</small></li>\n"
        for message, images in sorted(told.items(), key=itemgetter(1), reverse=True)
    ]
    shown, more = items[:MOST_NOTICES], items[MOST_NOTICES:]
    body = f'<ul class="notices">\n{"".join(shown)}</ul>' if shown else ""
    if more:
        listed = f'<ul class="notices">\n{"".join(more)}</ul>'
        body += folded(f"{len(more):,} more", listed)
    return section("Worth knowing", body)


def _data(facts: ReportFacts) -> str:
    started = _started(facts)
    words = f"{many(facts.kept, 'picture')} of {escape(facts.source)}"
    if started and started.held_out:
        words += f"; {started.held_out:,} of them were held out and never trained on"
    credit = f" {escape(facts.credit.rstrip('.'))}." if facts.credit else ""
    body = f"<p>{words}.{credit}</p>"
    if facts.rejected:
        body += folded(f"{many(facts.rejected, 'file')} left out", _rejects(facts))
    return section("The pictures", body)


def _rejects(facts: ReportFacts) -> str:
    unlisted = facts.rejected - len(facts.rejects)
    return table(facts.rejects) + (f"<p>and {unlisted:,} more</p>" if unlisted > 0 else "")


def _go_on(facts: ReportFacts) -> str:
    return section(
        "Go on",
        f"<p>Train longer:</p>\n{command(facts.resume)}\n"
        f"<p>Paint more pictures:</p>\n{command(facts.sample)}",
    )


def _settings(facts: ReportFacts) -> str:
    about = f"<p>{escape(facts.description)}</p>\n" if facts.description else ""
    config = folded("All settings", f"<pre><code>{escape(facts.config)}</code></pre>")
    environment = ""
    if facts.environment:
        environment = folded("Where it ran", table(facts.environment.items()))
    return section("How it was made", f"{about}{config}{environment}")


def _credited(facts: ReportFacts, about: str = "") -> str:
    credit = f"Trained on: {facts.credit.rstrip('.')}." if facts.credit else ""
    return caption(about, credit)
