"""A run's numbers as curves: small SVG figures that read well on paper, on a phone and in the dark.

A figure gathers the scalars of one kind, told by how their names end (`generator_loss`,
`encoder_learning_rate`), so a family that has other players needs nothing here. Ink that should
follow the page (words, grid) is drawn in `currentColor`; the lines' own colours can be told apart
on white and on black, and by eyes that do not tell red from green.
"""

import io
import math
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from html import escape

import numpy as np
from jaxtyping import Float
from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator, NullFormatter, NullLocator

from impasto.evaluation.score import METRICS
from impasto.events import Event, Scored, Started, Tick

MOST_POINTS = 400  # on a line; more cannot be seen and only weighs

_INK = "#010203"  # stands for `currentColor`, which matplotlib does not know
_COLOURS = ("#1a7fc1", "#d55e00", "#009e73", "#c2649a", "#8a7a00", "#3d93d0")  # after Okabe and Ito
_OWN = {  # a player keeps its colour from figure to figure
    "discriminator": "#1a7fc1",
    "generator": "#d55e00",
    "encoder": "#009e73",
    "real_score": "#1a7fc1",
    "fake_score_before": "#d55e00",
    "fake_score_after": "#d55e00",
    "held_out_score": "#009e73",
}
_DASHED = {"fake_score_before", "held_out_score"}
_WORDS = {
    "real_score": "on real pictures",
    "held_out_score": "on real pictures it never trained on",
    "fake_score_before": "on generated, before its step",
    "fake_score_after": "on generated, after its step",
}
_ALONE = {  # titles of figures of one scalar, where the name would not do
    "real_score": "Discriminator's score of real pictures",
    "held_out_score": "Discriminator's score of unseen real pictures",
    "fake_score_before": "Its score of generated ones, before its step",
    "fake_score_after": "Its score of generated ones, after its step",
}
_STROKES = ("-", "--", ":")  # once the colours are used up

Line = tuple[Float[np.ndarray, " n"], Float[np.ndarray, " n"]]


@dataclass(frozen=True)
class _Kind:
    """Scalars that belong on one figure."""

    key: str
    title: str
    ending: re.Pattern[str]
    logarithmic: bool = False
    share: bool = False  # from 0 to 1, where all values are
    leading: bool = False  # what is looked at first where runs are compared


_NEVER = re.compile(r"(?!)")
_KINDS = (
    _Kind("losses", "Losses", re.compile("_loss$"), leading=True),
    _Kind(
        "scores",
        "What the discriminator says: 1 real, 0 generated",
        re.compile("_score(_|$)"),
        share=True,
        leading=True,
    ),
    _Kind("gradient_norms", "Gradient norms", re.compile("_gradient_norm$"), logarithmic=True),
    _Kind("learning_rates", "Learning rates", re.compile("_learning_rate$")),
    _Kind(
        "update_ratios",
        "Length of a step over the weights'",
        re.compile("_update_ratio$"),
        logarithmic=True,
    ),
    _Kind("logits", "Logits, by kind of picture", re.compile("_logit$")),
    _Kind("accuracies", "The discriminator's accuracy", re.compile("_accuracy$"), share=True),
    _Kind(
        "chances",
        "Chances to tell pictures apart",
        re.compile("^(separation|recognition)$"),
        share=True,
    ),
    _Kind(
        "variety",
        "Variety of samples over that of reals",
        re.compile("^(diversity|apartness|kinds)$"),
    ),
    _Kind(
        "tones",
        "Tones of samples against the data's",
        re.compile("_shift$|^contrast_ratio$|^saturation$"),
    ),
    _Kind("ranges", "Lowest and highest values", re.compile("(?<=_lowest)$|(?<=_highest)$")),
    _Kind("movement", "How much the same latents change", re.compile("^grid_(change|return)$")),
    _Kind("dead_units", "Units that answer alike to everything", re.compile("_dead_units$")),
    _Kind("copies", "Samples that single out a training picture", re.compile("^copied(_surely)?$")),
)
SIGNALS = frozenset(
    {
        "update_ratios",
        "logits",
        "accuracies",
        "chances",
        "variety",
        "tones",
        "ranges",
        "movement",
        "dead_units",
        "copies",
        "energy_distance",
        "checkerboard",
        "batch_leak",
    }
)  # figures of what a look takes; looked at when something ails


def draw_curves(events: Sequence[Event]) -> dict[str, bytes]:
    """SVG figures by kind: `metric_...` for each score, `losses`, `scores`, `gradient_norms`, `learning_rates`
    and so on, and one for each other scalar that changes, under its own name. A kind that the run does not
    tell is left out.
    """
    lines = series(events)
    figures: dict[str, bytes] = {}
    for name, line in scored(events).items():
        kind = _metric(name)
        if len(line[0]) > 1:
            figures[kind.key] = _draw(kind, {name: line}, _styles([name], kind))
    rest = dict(lines)
    for kind in _KINDS:
        members = {name: line for name, line in lines.items() if kind.ending.search(name)}
        rest = {name: line for name, line in rest.items() if name not in members}
        moving = any(np.ptp(line[1]) > 0 for line in members.values())
        if members and (moving or kind.key not in SIGNALS):
            figures[kind.key] = _draw(kind, members, _styles(members, kind))
    for name, line in rest.items():
        if np.ptp(line[1]) > 0:
            kind = _alone(name)
            figures[name] = _draw(kind, {name: line}, _styles([name], kind))
    return figures


@dataclass(frozen=True)
class Beside:
    """One scalar of several runs on common axes.

    Attributes:
        svg: the figure; which line is whose is told by `colours_of`.
        leading: whether this is looked at first: losses, and scores of any kind.
    """

    svg: bytes
    leading: bool


def draw_beside(runs: Sequence[Sequence[Event]]) -> dict[str, Beside]:
    """A figure for each score and scalar that at least two runs tell and that is not the same throughout.

    Each run keeps its colour and stroke from figure to figure; figures have no legend, for runs are named
    by people, and a page can show names better than a drawing.
    """
    metrics = _beside([scored(events) for events in runs], _metric)
    return metrics | _beside([series(events) for events in runs], _alone)


def _beside(
    told: Sequence[Mapping[str, Line]], kind_of: Callable[[str], _Kind]
) -> dict[str, Beside]:
    styles = colours_of(len(told))
    figures: dict[str, Beside] = {}
    for name in dict.fromkeys(name for lines in told for name in lines):
        lines = {str(place): lines[name] for place, lines in enumerate(told) if name in lines}
        values = np.concatenate([y for _, y in lines.values()])
        if len(lines) < 2 or not np.ptp(values) > 0:
            continue
        kind = kind_of(name)
        own = {place: styles[int(place)] for place in lines}
        figures[kind.key] = Beside(_draw(kind, lines, own, legend=False), kind.leading)
    return figures


def colours_of(count: int) -> list[tuple[str, str]]:
    """Colour and stroke (`-`, `--` or `:`) of each of so many runs in the figures of `draw_beside`."""
    return [
        (_COLOURS[place % len(_COLOURS)], _STROKES[place // len(_COLOURS) % len(_STROKES)])
        for place in range(count)
    ]


def _metric(name: str) -> _Kind:
    """What a figure of a score is like; its key tells it from a signal of the same name."""
    words, better = METRICS.get(name, (name.replace("_", " "), ""))
    title = f"{words[0].upper()}{words[1:]}" + (f"; {better} is better" if better else "")
    return _Kind(f"metric_{name}", title, _NEVER, leading=True)


def _alone(name: str) -> _Kind:
    """What a figure of this scalar alone is like."""
    title = _ALONE.get(name) or name.replace("_", " ").capitalize()
    alike = next((kind for kind in _KINDS if kind.ending.search(name)), None)
    return replace(alike, key=name, title=title) if alike else _Kind(name, title, _NEVER)


def lasting(events: Iterable[Event]) -> list[Tick]:
    """The ticks that still count, in order of images seen.

    A run that was killed goes on from its last saved state and lives through some images twice; the
    later telling is the true one.
    """
    ticks: list[Tick] = []
    for event in events:
        if not isinstance(event, Started | Tick):
            continue
        reached = event.images_seen if isinstance(event, Started) else event.images_seen - 1
        while ticks and ticks[-1].images_seen > reached:
            ticks.pop()
        if isinstance(event, Tick):
            ticks.append(event)
    return ticks


def series(events: Iterable[Event]) -> dict[str, Line]:
    """Every scalar over images seen, thinned to what can be seen; without values not finite."""
    points: dict[str, list[tuple[float, float]]] = {}
    for tick in lasting(events):
        for name, value in tick.scalars.items():
            if math.isfinite(value):
                points.setdefault(name, []).append((float(tick.images_seen), float(value)))
    return {name: thin(*np.array(pairs).T) for name, pairs in points.items()}


def scored(events: Iterable[Event]) -> dict[str, Line]:
    """Every score that was taken during training, over images seen, under the name of its metric."""
    points: dict[str, dict[int, float]] = {}
    for event in events:
        for name, told in event.scores.items() if isinstance(event, Scored) else ():
            if math.isfinite(told["value"]):
                points.setdefault(name, {})[event.images_seen] = float(told["value"])
    return {
        name: thin(*np.array(sorted(values.items()), float).T) for name, values in points.items()
    }


def thin(
    x: Float[np.ndarray, " n"], y: Float[np.ndarray, " n"], most: int = MOST_POINTS
) -> tuple[Float[np.ndarray, " m"], Float[np.ndarray, " m"]]:
    """At most `most` points, each the average of its neighbours in a bin of even count."""
    bins = min(most, len(x))
    means = [np.array([part.mean() for part in np.array_split(values, bins)]) for values in (x, y)]
    return means[0], means[1]


def count(images: float) -> str:
    """A number of images as short as people say it: 950, 12k, 1.5M."""
    for size, letter in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if round(images) >= size:
            return f"{images / size:.3g}{letter}"
    return f"{images:.0f}"


def _level(value: float) -> str:
    """A value beside the axis: 0.25, 1500, 2e-4."""
    if value and abs(value) < 1e-3:
        digits, power = f"{value:.3e}".split("e")
        return f"{float(digits):g}e{int(power)}"
    return f"{value:.6g}"


def _label(name: str, kind: _Kind) -> str:
    return _WORDS.get(name) or (kind.ending.sub("", name) or name).replace("_", " ")


def _styles(names: Iterable[str], kind: _Kind) -> dict[str, tuple[str, str]]:
    """Colour and stroke of each line."""
    own = {name: _OWN.get(name) or _OWN.get(kind.ending.sub("", name)) for name in names}
    spare = [colour for colour in _COLOURS if colour not in own.values()] or list(_COLOURS)
    unnamed = [name for name, colour in own.items() if colour is None]
    taken = {name: spare[index % len(spare)] for index, name in enumerate(unnamed)}
    return {
        name: (colour or taken[name], "--" if name in _DASHED else "-")
        for name, colour in own.items()
    }


def _draw(
    kind: _Kind,
    lines: Mapping[str, Line],
    styles: Mapping[str, tuple[str, str]],
    *,
    legend: bool = True,
) -> bytes:
    # Words are left to the page's own font. The salt makes names inside the file differ from figure
    # to figure, so that one page can hold them all, and stay the same from drawing to drawing.
    with rc_context({"svg.fonttype": "none", "svg.hashsalt": kind.key}):
        columns = 2 if all(len(_label(name, kind)) <= 20 for name in lines) else 1
        named = math.ceil(len(lines) / columns) if legend else 0
        head = 0.42 + 0.2 * named  # inches, as all sizes here
        height = head + 2.55
        figure = Figure(figsize=(5, height), facecolor="none")
        axes = figure.add_axes((0.125, 0.5 / height, 0.835, 2.0 / height), facecolor="none")
        for name, (colour, stroke) in styles.items():
            _stroke(axes, lines[name], colour, stroke, _label(name, kind))
        _dress(axes, kind, lines)
        _write(figure, kind.title, 1 - 0.08 / height)
        if legend:
            _name(figure, 1 - 0.32 / height, columns)
        drawn = io.StringIO()
        figure.savefig(drawn, format="svg", transparent=True)
    return _plain(drawn.getvalue(), kind.title).encode()


def _write(figure: Figure, title: str, y: float) -> None:
    figure.text(0.012, y, title, size=12, weight="bold", color=_INK, va="top")


def _name(figure: Figure, y: float, columns: int) -> None:
    figure.legend(
        loc="upper left",
        bbox_to_anchor=(0.012, y),
        borderpad=0,
        borderaxespad=0,
        ncols=columns,
        frameon=False,
        fontsize=11,
        labelcolor=_INK,
        handlelength=1.6,
        columnspacing=1.4,
        labelspacing=0.25,
    )


def _stroke(axes: Axes, line: Line, colour: str, stroke: str, label: str) -> None:
    """Draws a line; a long, restless one as a pale trace under its running average."""
    x, y = line
    restless = np.abs(np.diff(y)).sum() > 3 * np.ptp(y)
    if len(x) < 60 or not restless:
        axes.plot(x, y, stroke, color=colour, linewidth=1.9, label=label)
        return
    axes.plot(x, y, "-", color=colour, linewidth=0.8, alpha=0.3)
    axes.plot(x, _running(y), stroke, color=colour, linewidth=1.9, label=label)


def _running(values: Float[np.ndarray, " n"]) -> Float[np.ndarray, " n"]:
    """The average over a twentieth of the line around each point, less at its ends."""
    window = np.ones(len(values) // 40 * 2 + 1)
    return np.convolve(values, window, "same") / np.convolve(np.ones_like(values), window, "same")


def _dress(axes: Axes, kind: _Kind, lines: Mapping[str, Line]) -> None:
    values = np.concatenate([y for _, y in lines.values()])
    last = max(float(x[-1]) for x, _ in lines.values())
    axes.set_xlim(0, last)
    axes.xaxis.set_major_locator(MaxNLocator(5))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda images, _: count(images)))
    axes.set_xlabel("images seen", size=11, color=_INK)
    if kind.logarithmic and values.min() > 0:
        axes.set_yscale("log")
        axes.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5), numticks=8))
        axes.yaxis.set_minor_locator(NullLocator())
        axes.yaxis.set_minor_formatter(NullFormatter())
    elif kind.share and values.min() >= 0 and values.max() <= 1:
        axes.set_ylim(-0.02, 1.02)
        axes.yaxis.set_major_locator(MaxNLocator(5))
    else:
        _bound(axes, values)
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: _level(value)))
    axes.grid(visible=True, color=_INK, alpha=0.14, linewidth=0.8)
    axes.tick_params(length=0, labelsize=11, labelcolor=_INK)
    for spine in axes.spines.values():
        spine.set_visible(False)


def _bound(axes: Axes, values: Float[np.ndarray, " n"]) -> None:
    """Keeps a few early spikes from pressing the rest flat; says how high they went."""
    axes.yaxis.set_major_locator(MaxNLocator(5))
    low, usual, high = float(values.min()), float(np.quantile(values, 0.98)), float(values.max())
    top = high if high <= 2.5 * usual or usual <= 0 else 1.4 * usual
    margin = 0.05 * (top - low) or abs(top) * 0.1 or 0.1
    axes.set_ylim(0 if 0 <= low <= top / 2 else low - margin, top + margin)
    if top < high:
        note = axes.text(0.995, 0.985, f"highest: {high:.3g}", transform=axes.transAxes)
        note.set(size=10, color=_INK, ha="right", va="top")


def _plain(svg: str, title: str) -> str:
    """The drawing fit for a page: fluid width, the page's ink and font, nothing spare."""
    svg = svg[svg.index("<svg") :]
    svg = re.sub(r"\s*<(metadata|style).*?</\1>", "", svg, flags=re.DOTALL)
    named = set(re.findall(r"#([\w.-]+)", svg))
    svg = re.sub(r' id="([\w.-]+)"', lambda found: found[0] if found[1] in named else "", svg)
    svg = re.sub(r' d="[^"]*"', lambda path: re.sub(r"(\.\d\d?)\d*", r"\1", path[0]), svg)
    svg = re.sub(r"\s*\n\s*", " ", svg).replace("> <", "><")
    svg = re.sub(r"font-family: [^;\"]*", "font-family: system-ui, sans-serif", svg)
    svg = re.sub(r"font: ([^;\"]*?px) [^;\"]*", r"font: \1 system-ui, sans-serif", svg)
    svg = svg.replace(_INK, "currentColor")
    style = "max-width: 100%; height: auto; stroke-linejoin: round"
    head = f'<svg role="img" aria-label="{escape(title)}" style="{style}" '
    return svg.replace("<svg ", head, 1)
