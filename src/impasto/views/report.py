"""A run told to a person in one HTML page that stands alone: no network, no fonts, no script.

Pictures stand inside as `data:` addresses, curves as inline SVG. Every word that comes from outside
(names of files above all) is escaped, and the page forbids itself to load or run anything.
"""

import base64
import io
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from html import escape
from importlib.resources import files
from operator import itemgetter

from PIL import Image

from impasto.events import Event, Finished, Noticed, Started, Tick
from impasto.views.curves import count, draw_curves, lasting

LARGEST_PICTURE = 700_000  # bytes; a larger PNG is shown as WebP, which no eye tells from it
LARGEST_FILM = 3_000_000  # bytes; a larger film stays in the run's directory
MOST_NOTICES = 12  # shown; the rest are folded

_POLICY = "default-src 'none'; img-src data:; media-src data:; style-src 'unsafe-inline'"

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
        _curves,
        _notices,
        _data,
        _go_on,
        _settings,
    ]
    style = files("impasto.views").joinpath("report.css").read_text("utf-8")
    return f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="{_POLICY}">
<title>{escape(facts.title)}</title>
<style>
{style}</style>
</head>
<body>
<main>
{_opening(facts)}
{"".join(section(facts) for section in sections)}
<footer>Made with impasto. This page is one file that loads nothing: send it as it is.</footer>
</main>
</body>
</html>
"""


def duration(seconds: float) -> str:
    """A length of time as people say it: 42 seconds, 8 minutes, 3 h 20 min, 2 days 4 h."""
    if seconds < 100:
        return _many(round(seconds), "second")
    minutes = round(seconds / 60)
    if minutes < 100:
        return _many(minutes, "minute")
    hours, minutes = divmod(minutes, 60)
    if hours < 48:
        return f"{hours} h {minutes} min"
    days, hours = divmod(hours, 24)
    return f"{days} days {hours} h"


def _many(number: int, thing: str) -> str:
    return f"{number:,} {thing}" if number == 1 else f"{number:,} {thing}s"


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
{_many(_studied(facts), "picture")} of {escape(facts.source)} for {duration(seconds)}{where}:
{count(images)} images seen.</p>
</header>
{_picture(facts.grid, "The newest generated pictures", _credited(facts))}
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
    rows = "".join(
        f"<div><dt>{escape(name)}</dt><dd>{escape(value)}</dd></div>\n"
        for name, value in tiles.items()
    )
    return f'<dl class="numbers">\n{rows}</dl>'


def _film(facts: ReportFacts) -> str:
    if facts.film is None:
        return ""
    if len(facts.film) > LARGEST_FILM:
        note = "<p>The film is too large for this page; it lies beside it, in the run's folder.</p>"
        return _section("Out of the noise", note)
    about = "The same noise, painted again and again while the network learned."
    address = _address(facts.film, facts.film_mime)
    if facts.film_mime.startswith("video/"):
        player = f'<video controls autoplay loop muted playsinline src="{address}"></video>'
    else:
        player = f'<img alt="A film of the generated pictures" src="{address}">'
    caption = _credited(facts, about)
    return _section("Out of the noise", f'<figure class="picture">{player}\n{caption}</figure>')


def _beside(facts: ReportFacts) -> str:
    about = "Look for what only one side has: colours, poses, sharpness, variety."
    picture = _picture(facts.beside, "Real beside generated pictures", _credited(facts, about))
    return _section("Real beside generated", picture)


def _curves(facts: ReportFacts) -> str:
    cards = [
        f'<figure class="card">{svg.decode()}\n'
        f"<figcaption>{escape(_READINGS.get(name, ''))}</figcaption></figure>\n"
        for name, svg in draw_curves(facts.events).items()
    ]
    about = "<p>Pale lines are what was measured, strong ones their running average.</p>\n"
    body = f'{about}<div class="curves">\n{"".join(cards)}</div>'
    return _section("How training went", body if cards else "")


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
        body += _folded(f"{len(more):,} more", listed)
    return _section("Worth knowing", body)


def _data(facts: ReportFacts) -> str:
    started = _started(facts)
    words = f"{_many(facts.kept, 'picture')} of {escape(facts.source)}"
    if started and started.held_out:
        words += f"; {started.held_out:,} of them were held out and never trained on"
    credit = f" {escape(facts.credit.rstrip('.'))}." if facts.credit else ""
    body = f"<p>{words}.{credit}</p>"
    if facts.rejected:
        body += _folded(f"{_many(facts.rejected, 'file')} left out", _rejects(facts))
    return _section("The pictures", body)


def _rejects(facts: ReportFacts) -> str:
    unlisted = facts.rejected - len(facts.rejects)
    return _table(facts.rejects) + (f"<p>and {unlisted:,} more</p>" if unlisted > 0 else "")


def _go_on(facts: ReportFacts) -> str:
    return _section(
        "Go on",
        f"<p>Train longer:</p>\n{_command(facts.resume)}\n"
        f"<p>Paint more pictures:</p>\n{_command(facts.sample)}",
    )


def _settings(facts: ReportFacts) -> str:
    about = f"<p>{escape(facts.description)}</p>\n" if facts.description else ""
    config = _folded("All settings", f"<pre><code>{escape(facts.config)}</code></pre>")
    environment = ""
    if facts.environment:
        environment = _folded("Where it ran", _table(facts.environment.items()))
    return _section("How it was made", f"{about}{config}{environment}")


# Parts ----------------------------------------------------------------------------------------


def _section(title: str, body: str) -> str:
    """The section, or nothing where there is nothing to tell."""
    return f"<section>\n<h2>{escape(title)}</h2>\n{body}\n</section>\n" if body else ""


def _folded(summary: str, body: str) -> str:
    return f"<details>\n<summary>{escape(summary)}</summary>\n{body}\n</details>\n"


def _command(line: str) -> str:
    return f'<pre class="command"><code>{escape(line)}</code></pre>'


def _table(rows: Iterable[tuple[str, str]]) -> str:
    cells = "".join(
        f"<tr><th>{escape(str(name))}</th><td>{escape(str(value))}</td></tr>\n"
        for name, value in rows
    )
    return f'<div class="table"><table>\n{cells}</table></div>\n'


def _credited(facts: ReportFacts, about: str = "") -> str:
    credit = f"Trained on: {facts.credit.rstrip('.')}." if facts.credit else ""
    words = " ".join(part for part in (about, credit) if part)
    return f"<figcaption>{escape(words)}</figcaption>" if words else ""


def _picture(png: bytes | None, alt: str, caption: str) -> str:
    if png is None:
        return ""
    with Image.open(io.BytesIO(png)) as image:
        small = ' class="pixels"' if image.width < 400 else ""  # whole pixels rather than a blur
        width, height = image.size
    tag = f'<img{small} width="{width}" height="{height}" alt="{escape(alt)}" src="{_shown(png)}">'
    return f'<figure class="picture">{tag}\n{caption}</figure>'


def _shown(png: bytes) -> str:
    if len(png) <= LARGEST_PICTURE:
        return _address(png, "image/png")
    lighter = io.BytesIO()
    with Image.open(io.BytesIO(png)) as image:
        image.convert("RGB").save(lighter, "WEBP", quality=90)
    return _address(lighter.getvalue(), "image/webp")


def _address(content: bytes, mime: str) -> str:
    return f"data:{escape(mime)};base64,{base64.b64encode(content).decode()}"
