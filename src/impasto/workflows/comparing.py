"""Several models scored by one protocol.

Scores compare only if they were taken alike, so everything that they depend on is the same for all: the
real pictures to the last one, their side of the split, how many pictures are drawn and by which seed, the
size, the extractor. What the models themselves do (averaged weights or last ones) stays as their recipes
say, and is told.
"""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

from impasto.errors import ConfigError
from impasto.evaluation.evaluation import FEWEST, advice_on
from impasto.evaluation.extractors import find_extractor
from impasto.evaluation.memorization import Memorization
from impasto.evaluation.score import Protocol, Split
from impasto.evaluation.sight import Sight
from impasto.evaluation.standing import standings
from impasto.views.comparison import render_comparison
from impasto.workflows.comparison import Compared, Comparison
from impasto.workflows.entrants import (
    Entrant,
    common_size,
    common_split,
    entrants_of,
    reals_of,
)
from impasto.workflows.evaluating import (
    AMONG,
    PICTURES,
    Assessed,
    ExtractorDevice,
    Report,
    Terms,
    assess,
    available,
    check_numbers,
    silent,
)
from impasto.workflows.paging import writable, write_page
from impasto.workflows.side_by_side import comparison_facts

PAGE = "compare.html"


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
    entrants = entrants_of([str(run) for run in runs])
    size = common_size(entrants)
    sight = Sight(find_extractor(extractor, device=available(device)), soften)
    reals = reals_of(against, entrants, size)
    if len(reals) < FEWEST:
        raise ConfigError(
            f"{reals.source}: {len(reals)} pictures are too few for a score; name others with --against"
        )
    split = common_split(split, entrants, reals)
    terms = Terms(pictures, among, split, size, seed)
    assessed = [
        assess(
            entrant.judged,
            reals.path,
            sight,
            terms,
            what=entrant.what,
            report=partial(_of, entrant.name, report) if report else silent,
        )
        for entrant in entrants
    ]
    comparison = _compared(entrants, assessed, sight.extractor.dimensions, page)
    if page is not None:
        write_page(page, render_comparison(comparison_facts(entrants, assessed, comparison)))
    return comparison


def _of(name: str, report: Report, title: str, done: int, total: int) -> None:
    report(f"{name}: {title}", done, total)


def _compared(
    entrants: Sequence[Entrant],
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
            seconds=entrant.seconds,
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


def _memorization(entrant: Entrant, found: Assessed) -> Memorization | None:
    """What was found; None where copies were looked for in pictures that it was not trained on."""
    known = found.own or entrant.judged.trained_on is not None
    return found.evaluation.memorization if known else None


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
