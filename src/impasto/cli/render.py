"""How things look in a terminal: a live line where there is one, plain lines where there is not."""

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.live import Live
from rich.markup import escape
from rich.progress import (
    BarColumn,
    DownloadColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    TaskID,
    TextColumn,
    TimeRemainingColumn,
)
from rich.table import Table
from rich.text import Text

from impasto.data.reasons import Reason
from impasto.events import (
    Diagnosed,
    Event,
    Finished,
    Healed,
    Noticed,
    Sampled,
    Saved,
    Scored,
    Started,
    Tick,
)

if TYPE_CHECKING:  # torch takes seconds to import, and most commands do without
    from impasto.evaluation.memorization import Memorization
    from impasto.evaluation.standing import Standing
    from impasto.workflows.codecs import Rendition
    from impasto.workflows.comparison import Comparison
    from impasto.workflows.compressing import Compressed
    from impasto.workflows.examination import Examination
    from impasto.workflows.oddities import Anomalies
    from impasto.workflows.training import Training

CONSOLE = Console(highlight=False)
ERRORS = Console(stderr=True, highlight=False)
MARKS = {"alarm": "!", "warning": "-", "good": "+"}
MOST_ROWS = 10  # of a list that may be long
NUMBER, BYTES = MofNCompleteColumn(), DownloadColumn()  # how amounts are told beside a bar


class Stages:
    """A progress bar on standard error for each of several things, told how many are done, of how many."""

    def __init__(self, *, quiet: bool, amount: ProgressColumn = NUMBER) -> None:
        self._bar = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            amount,
            TimeRemainingColumn(),
            console=ERRORS,
            transient=True,
            disable=quiet or not ERRORS.is_terminal,
        )
        self._tasks: dict[str, TaskID] = {}

    def __enter__(self) -> "Stages":
        return self

    def __call__(self, title: str, done: int, total: int) -> None:
        """Moves a bar; it appears at the first call, so that work already done shows nothing."""
        if not self._tasks:
            self._bar.start()
        if title not in self._tasks:
            self._tasks[title] = self._bar.add_task(escape(title))
        self._bar.update(self._tasks[title], completed=done, total=total)

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._bar.stop()


def watch(training: "Training") -> Iterator[Event]:
    """The events of a training, each shown as it passes."""
    if training.why:
        CONSOLE.print(f"recipe: {training.config.name} ({training.why})", soft_wrap=True)
    if CONSOLE.is_terminal:
        yield from _live(training)
    else:
        yield from _plain(training)


def _live(training: "Training") -> Iterator[Event]:
    with Live(console=CONSOLE, refresh_per_second=4, transient=False) as live:
        for event in training:
            if isinstance(event, Tick):
                live.update(Text(_tick(event), overflow="ellipsis", no_wrap=True))
            elif line := _line(event):
                live.console.print(line, soft_wrap=True)
            yield event


def _plain(training: "Training") -> Iterator[Event]:
    shown = -1
    for event in training:
        if isinstance(event, Tick):
            # A log is read later: twenty lines tell what two hundred would.
            twentieth = int(event.fraction * 20)
            if twentieth > shown:
                shown = twentieth
                print(_tick(event), flush=True)
        elif line := _line(event):
            print(line, flush=True)
        yield event


def _tick(tick: Tick) -> str:
    losses = "  ".join(
        f"{name.removesuffix('_loss')} {value:.3f}"
        for name, value in tick.scalars.items()
        if name.endswith("_loss")
    )
    scores = ""
    if "real_score" in tick.scalars:
        scores = f"  D(x) {tick.scalars['real_score']:.2f}  D(G(z)) {tick.scalars['fake_score_after']:.2f}"
    return (
        f"{tick.fraction:4.0%}  {tick.images_seen:>9,} images  {tick.images_per_second:,.0f} pictures/s  "
        f"{losses}{scores}  {duration(tick.seconds_left)} left"
    )


def _line(event: Event) -> str:
    line = ""
    match event:
        case Started():
            line = _started(event)
        case Noticed():
            line = f"note: {event.message}"
        case Scored():
            line = _score(event)
        case Diagnosed():
            line = _diagnosis(event)
        case Healed():
            changes = " ".join(event.settings)
            line = f"healed: {event.finding}: {changes}, with the weights of {event.weights_of:,} images"
        case Finished():
            why = "" if event.reason == "budget" else f" ({event.reason})"
            line = f"done{why}: {event.images_seen:,} images in {duration(event.seconds)}"
        case Tick() | Sampled() | Saved():
            pass
    return line


def _started(event: Started) -> str:
    networks = ", ".join(f"{name} {count:,}" for name, count in event.parameters.items())
    devices = f"{event.processes} x {event.device}" if event.processes > 1 else event.device
    again = f", from {event.images_seen:,} images on" if event.images_seen else ""
    return (
        f"{event.recipe}: {event.pictures:,} pictures (+ {event.held_out:,} held out), {networks} "
        f"parameters, {event.budget} on {devices}, {event.precision}{again}\nrun: {event.run}"
    )


def _score(event: Scored) -> str:
    steering = event.scores["kernel_distance_unit"]
    best = ", the best so far" if event.best else ""
    return (
        f"score: kernel distance {steering['value']:.3f} ± {steering['standard_error']:.3f}{best} "
        f"at {event.images_seen:,} images"
    )


def _diagnosis(event: Diagnosed) -> str:
    if event.severity == "good":
        return f"health: {event.name}, {event.symptom}" if event.present else ""
    if not event.present:
        return f"health: {event.name} has gone"
    settings = f"  --set {' '.join(event.settings)}" if event.settings else ""
    return f"health: {event.name}: {event.symptom}\n  {event.cause}\n  {event.remedy}.{settings}"


def examination(found: "Examination") -> str:
    """What a doctor says of a run."""
    lines = [f"{found.run}: {found.looks} looks in {found.images_seen:,} images"]
    if not found.spells:
        lines.append(
            "- too early to say: a training is judged once it has been looked at a few times"
        )
    for spell in found.spells:
        finding = spell.finding
        when = f"from {spell.first_seen:,} images on"
        if not spell.present:
            when = f"from {spell.first_seen:,} to {spell.last_seen:,} images; gone"
        lines.append(f"{MARKS[finding.severity]} {finding.name}, {when}")
        evidence = ", ".join(f"{name} {value:.3g}" for name, value in finding.evidence.items())
        settings = f": --set {' '.join(finding.settings)}" if finding.settings else ""
        lines += [
            f"    symptom:  {finding.symptom}",
            f"    evidence: {evidence}",
            f"    cause:    {finding.cause}",
            f"    remedy:   {finding.remedy}{settings}",
        ]
    return "\n".join(lines)


def farewell(run: Path, report: Path, *, finished: bool) -> None:
    """Says where everything is and how to go on."""
    print(f"draw:   impasto sample {run} -n 64 --to grid.png")
    print(f"resume: impasto resume {run}{' --minutes 10' if finished else ''}")
    print(f"report: {report}", flush=True)


def duration(seconds: float) -> str:
    """A time as a person would say it."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours} h {minutes:02d} min"
    return f"{minutes} min {rest:02d} s" if minutes else f"{rest} s"


def recipe_table(rows: list[dict[str, Any]], paintings: Iterable[str]) -> str:
    """The recipes as a table of text, and the names of those of painting."""
    table = Table(box=None, pad_edge=False)
    for title in ("name", "family", "pixels", "parameters"):
        table.add_column(title)
    for row in rows:
        counts = ", ".join(f"{name} {count:,}" for name, count in row["parameters"].items())
        pixels = f"{row['size']}x{row['size']}x{row['channels']}"
        table.add_row(row["name"], row["family"], pixels, counts)
    return (
        f"{as_text(table)}\n\nof painting, for `impasto stylize`: {', '.join(paintings)}\n\n"
        "impasto recipes show NAME prints one, with what is special about it."
    )


def preparation(facts: dict[str, Any], rejects: Iterator[tuple[str, Reason]]) -> str:
    """What preparation did, in words."""
    rate = f"{facts['pictures_per_second']:,.0f} a second"
    took = duration(facts["seconds"])
    to = Path(facts["to"])
    lines = [f"{facts['kept']:,} of {facts['found']:,} pictures prepared in {took} ({rate}): {to}"]
    counts = facts["rejected"]
    if counts:
        lines.append("left out: " + ", ".join(f"{kind} {n:,}" for kind, n in counts.items()))
        lines += [f"  {name}: {reason}" for name, reason in islice(rejects, MOST_ROWS)]
    if (more := sum(counts.values()) - MOST_ROWS) > 0:
        lines.append(f"  and {more:,} more, all listed in {to / 'pictures.jsonl'}")
    lines += [f"note: {notice}" for notice in facts["notices"]]
    lines.append(f"look:   {to / 'sheets'}")
    lines.append(f"review: impasto review {to}")
    return "\n".join(lines)


def comparison(found: "Comparison") -> str:
    """Scores side by side: a row a metric, a column a model."""
    runs = found.runs
    table = Table(box=None, pad_edge=False)
    for title in ("", "better", *(run.name for run in runs)):
        table.add_column(Text(title), no_wrap=True)
    table.add_row("recipe", "", *(Text(run.recipe) for run in runs))
    table.add_row("images seen", "", *(f"{run.images_seen:,}" for run in runs))
    told = (run.seconds for run in runs)
    table.add_row("trained for", "", *("-" if s is None else duration(s) for s in told))
    for metric, first in runs[0].standings.items():
        cells = (_standing(run.standings[metric]) for run in runs)
        table.add_row(first.score.title, first.score.better, *cells)
    table.add_row("copies its training pictures", "", *(_copying(run.memorization) for run in runs))
    lines = [
        # A terminal breaks long lines by itself, and a file need not.
        *(line.rstrip() for line in as_text(table, 1_000).splitlines()),
        "",
        "* best; in brackets how far behind the best, in errors of both together: below 2 it may be chance",
        f"taken by: {found.terms}",
        *(f"note: {note}" for note in found.notes),
    ]
    return "\n".join([*lines, f"page: {found.page}"] if found.page else lines)


def _standing(standing: "Standing") -> str:
    score = str(standing.score.estimate)
    if standing.best:
        return f"{score} *"
    return score if standing.behind == 0 else f"{score} ({standing.behind:.1f})"


def _copying(found: "Memorization | None") -> str:
    return "not known" if found is None else "yes" if found.caught else "no sign of it"


def weights_listing(rows: list[dict[str, Any]]) -> str:
    """The published weights, each with all that is known of it."""
    lines = []
    for row in rows:
        where = {"here": row["path"], "missing": "not on this machine", "damaged": row["problem"]}
        lines += [
            f"{row['name']}: {row['purpose']}",
            f"  file     {row['file']}, {row['bytes'] / 1e6:.0f} MB",
            f"  licence  {row['licence']}",
            f"  sha256   {row['sha256']}",
            f"  origin   {row['url']}",
            f"  where    {where[row['state']]}",
            "",
        ]
    return "\n".join([*lines, "impasto weights NAME downloads and checks them."])


def anomalies(found: "Anomalies", most: int = 20) -> str:
    """What is odd, the oddest first."""
    odd = [each for each in found.pictures if each.odd]
    above = (
        f"above {found.threshold:.3g}, as {found.rate:.1%} of {found.normals} held-out normal ones"
    )
    lines = [
        f"{len(odd):,} of {len(found.pictures):,} pictures are odd: their score is {above}",
        *(f"{each.score:8.2f}  {each.name}" for each in odd[:most]),
    ]
    if len(odd) > most:
        lines.append(f"and {len(odd) - most:,} more; --json lists all")
    lines.append(
        f"AUROC against the held-out normal pictures, were all of these odd: {found.told_apart:.3f}"
    )
    if (ranking := found.ranking) is not None:
        lines.append(
            f"by their classes: AUROC {ranking.auroc:.3f}, average precision {ranking.average_precision:.3f}; "
            f"{ranking.found:.1%} of the odd ones found, {ranking.false_alarms:.1%} false alarms"
        )
    return "\n".join([*lines, f"heat maps: {found.heat}"] if found.heat else lines)


def compression(found: "Sequence[Compressed]") -> str:
    """Bytes and likeness, beside what others make in no more bytes, what they need to be as true, and their least."""
    table = Table(box=None, pad_edge=False)
    for title in ("", "bytes", "PSNR dB", "SSIM", "bytes, as true", "smallest"):
        table.add_column(title, justify="left" if not title else "right")
    table.add_row("impasto", *_rendition([each.own for each in found]))
    for name in found[0].others:
        made = [each.others[name] for each in found]
        within = [rival.within for rival in made if rival.within is not None]
        cells = _rendition(within) if len(within) == len(made) else ("cannot be so small", "", "")
        as_true = [rival.as_true for rival in made if rival.as_true is not None]
        even = f"{sum(as_true) / len(made):,.0f}" if len(as_true) == len(made) else "never"
        least = sum(rival.smallest for rival in made) / len(made)
        table.add_row(name, *cells, even, f"{least:,.0f}")
    many = f"{len(found):,} pictures, and means over them" if len(found) > 1 else "picture"
    return "\n".join([as_text(table), many])


def _rendition(made: "Sequence[Rendition]") -> tuple[str, str, str]:
    sizes, psnrs, ssims = zip(*((m.bytes, m.psnr, m.ssim) for m in made), strict=True)
    count = len(made)
    return f"{sum(sizes) / count:,.0f}", f"{sum(psnrs) / count:.2f}", f"{sum(ssims) / count:.3f}"


def reviewed(kept: int, rejected: int, by_hand: int) -> str:
    """Where a review stands, in a line."""
    return f"{kept:,} pictures kept, {rejected:,} rejected; {by_hand:,} decided by hand"


def as_text(table: Table, width: int = 120) -> str:
    """A table as a terminal of this width shows it."""
    console = Console(width=width, highlight=False)
    with console.capture() as capture:
        console.print(table)
    return capture.get().rstrip()
