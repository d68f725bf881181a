"""How painting looks in a terminal."""

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import TYPE_CHECKING, Any

from rich.live import Live
from rich.table import Table
from rich.text import Text

from impasto.cli.render import CONSOLE, MOST_ROWS, as_text, duration
from impasto.events import Event, Finished, Noticed, Started, Tick

if TYPE_CHECKING:  # torch takes seconds to import
    from impasto.workflows.exhibiting import Exhibition
    from impasto.workflows.filming import Filmed

APART = ("content", "style", "together")
DISTANCES = ("content_distance", "style_distance", "distances_together")


def painted(painting: Iterable[Event]) -> Iterator[Event]:
    """The events of a painting, each shown as it passes."""
    if not CONSOLE.is_terminal:
        for event in painting:
            if line := _stroke(event):
                print(line, flush=True)
            yield event
        return
    with Live(console=CONSOLE, refresh_per_second=4) as live:
        for event in painting:
            line = _stroke(event)
            if isinstance(event, Tick):
                live.update(Text(line, overflow="ellipsis", no_wrap=True))
            elif line:
                live.console.print(line, soft_wrap=True)
            yield event


def compared(told: dict[str, Any]) -> str:
    """The distances of paintings over a setting, as a table of text."""
    table = Table(box=None, pad_edge=False)
    for title in (told["setting"], "content", "style", "together", "seconds"):
        table.add_column(title, justify="right")
    for row in told["paintings"]:
        numbers = (f"{row[name]:.3f}" for name in DISTANCES)
        table.add_row(str(row["value"]), *numbers, f"{row['seconds']:.0f}")
    return f"{as_text(table)}\nsheet: {told['to']}"


def exhibited(found: "Exhibition") -> str:
    """What came of many pairs, in words."""
    before = f", {found.there:,} were there before" if found.there else ""
    if found.interrupted:
        before += ", then interrupted"
    lines = [
        f"{len(found.painted):,} of {found.pairs:,} painted in {duration(found.seconds)}{before}: {found.to}"
    ]
    lines += [f"  {name}: {why}" for name, why in islice(found.failed.items(), MOST_ROWS)]
    if (more := len(found.failed) - MOST_ROWS) > 0:
        lines.append(f"  and {more:,} more")
    return "\n".join(lines)


def repainted(told: dict[str, Any]) -> str:
    """What a network painted at once, in words."""
    return f"painting: {told['to']} in {told['seconds']:.2f} s"


def hung(facts: dict[str, Any]) -> str:
    """What came of a painting, in words."""
    distances = ", ".join(
        f"{name} {facts[key]:.3f}" for name, key in zip(APART, DISTANCES, strict=True)
    )
    shapes = facts.get("features", {}).items()
    return "".join(f"layer {n}: features {'x'.join(map(str, shape))}\n" for n, shape in shapes) + (
        f"distances: {distances} (0 is the thing itself, about 1 something else)\n"
        f"memory: {facts['peak_memory_bytes'] / 1e9:.2f} GB at most\n"
        f"painting: {facts['to']}"
    )


def filmed(found: "Filmed") -> str:
    """What came of a video, in words."""
    width, height = found.size
    return (
        f"{found.frames:,} frames of {width}x{height} in {duration(found.seconds)}, flicker {found.flicker:.3f} (the "
        f"video's own {found.source_flicker:.3f}), {'with' if found.sound else 'without'} sound: {found.to}"
    )


def _stroke(event: Event) -> str:
    match event:
        case Started():
            networks = ", ".join(f"{name} {count:,}" for name, count in event.parameters.items())
            from_where = f", from {event.images_seen:,} on" if event.images_seen else ""
            return (
                f"{event.recipe}: {event.pictures:,} pictures, {networks} parameters, {event.budget} on "
                f"{event.device}{from_where}"
            )
        case Tick():
            told = event.scalars
            size = f"  {told['width']:.0f}x{told['height']:.0f}" if "width" in told else ""
            return (
                f"{event.fraction:4.0%}  {event.images_seen:>7,}{size}  content {told['content']:.4f}  style "
                f"{told['style']:.4f}  {duration(event.seconds_left)} left"
            )
        case Noticed():
            return f"note: {event.message}"
        case Finished():
            why = "" if event.reason == "budget" else f" ({event.reason})"
            return f"done{why}: {event.images_seen:,} in {duration(event.seconds)}"
        case _:
            return ""
