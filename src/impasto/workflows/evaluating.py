"""Scoring what a model draws, or any pictures, against real ones."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Literal

import numpy as np
import torch
from jaxtyping import Float, Int64, UInt8

from impasto.data.crop import resample
from impasto.data.prepared import Prepared
from impasto.data.spread import evenly
from impasto.errors import ConfigError, SourceError
from impasto.evaluation.evaluation import FEWEST, Evaluation, advice_on, scores_of
from impasto.evaluation.extractors import Classifier, find_extractor
from impasto.evaluation.memorization import CopyTest
from impasto.evaluation.recognition import Recognition, recognition
from impasto.evaluation.score import Protocol, Split
from impasto.evaluation.sight import Sight
from impasto.families.base import BLOCK
from impasto.views.evaluation import EvaluationFacts, render_evaluation
from impasto.views.page import named
from impasto.workflows.judging import (
    Judged,
    Sides,
    is_model,
    judged_model,
    judged_pictures,
    real_set,
    sides_of,
)
from impasto.workflows.paging import writable, write_page

PICTURES = 2_000  # on each side, at most
AMONG = 10_000  # pictures of a model's own set that are asked whether they were copied, at most
ENOUGH_HELD_OUT = 1_000  # pictures; with fewer, all of a model's own set are scored against
SHOWN = 36  # samples on the page
PAIRS = 24  # likeliest copies on the page
PAGE = "evaluation.html"  # within a run

Report = Callable[[str, int, int], None]  # what is looked at, how many are done, of how many
ExtractorDevice = Literal["cpu", "cuda", "mps"]


@dataclass(frozen=True)
class Terms:
    """What is asked for, as for `evaluate`; a model's pictures are brought to `size` as those of a set are."""

    pictures: int = PICTURES
    among: int = AMONG
    split: Split | None = None
    size: int | None = None
    seed: int = 0
    classes: tuple[str, ...] = ()
    only: tuple[str, ...] = ()


@dataclass(frozen=True)
class Generated:
    """Generated pictures and their features."""

    images: UInt8[np.ndarray, "n h w c"]
    features: Float[np.ndarray, "n d"]


@dataclass(frozen=True)
class Seen:
    """Some pictures of a set, and their features.

    Attributes:
        positions: of those seen, ascending.
        features: a row for each.
    """

    prepared: Prepared
    positions: Int64[np.ndarray, " n"]
    features: Float[np.ndarray, "n d"]

    def of(self, positions: Int64[np.ndarray, " _"]) -> Float[np.ndarray, "_ d"]:
        """The features of some of those seen."""
        found: np.ndarray = self.features[np.searchsorted(self.positions, positions)]
        return found


@dataclass(frozen=True)
class Assessed:
    """Scores, and the pictures that they are of.

    Attributes:
        generated: the pictures that were scored.
        searched: the set that copies were looked for in.
        trained: positions in it that may have been copied.
        own: whether the real pictures are those that the model was trained on.
    """

    evaluation: Evaluation
    generated: Generated
    searched: Prepared
    trained: Int64[np.ndarray, " n"]
    own: bool


def evaluate(
    what: str | Path,
    against: str | Path,
    *,
    extractor: str = "mobilenet-v2",
    pictures: int = PICTURES,
    among: int = AMONG,
    split: Split | None = None,
    size: int | None = None,
    soften: int | None = None,
    seed: int = 0,
    classes: tuple[str, ...] = (),
    only: tuple[str, ...] = (),
    device: ExtractorDevice = "cpu",
    html: str | Path | None = None,
    report: Report | None = None,
) -> Evaluation:
    """All scores of a model, or of some pictures, against real ones, each with its error and protocol.

    Args:
        what: a run's directory, a model.safetensors, or a source of pictures.
        against: a source of real pictures, or a prepared set.
        extractor: `mobilenet-v2`, `inception-v3`, `random`, or an ONNX file.
        pictures: how many on each side, at most.
        among: how many pictures of the set that it was trained on are asked whether they were copied.
        split: which of the real pictures: `all`, or, of a model's own set, `training` or `held-out`;
            held-out ones by default where there are enough.
        size: side in pixels at which pictures are compared; a model's own, or what both sources have.
        soften: side in pixels that both are brought to first, which takes out checkerboards and noise.
        seed: of the samples.
        classes: keep these real pictures only.
        only: keep real pictures whose names match one of these patterns.
        device: where the extractor runs.
        html: where to put a page of scores and of the likeliest copies; `evaluation.html` within a run,
            and nowhere otherwise, by default.
        report: told what is being looked at, and how far.

    Raises:
        BadInput: model, source, extractor or numbers cannot be used; the message says why and what to do.
    """
    check_numbers(pictures=pictures, among=among, soften=soften, size=size, seed=seed)
    judged = _judged(what, against, size)
    page = page_of(what, html)
    if page is not None:
        writable(page)
    sight = Sight(find_extractor(extractor, device=available(device)), soften)
    terms = Terms(pictures, among, split, size, seed, classes, only)
    assessed = assess(judged, against, sight, terms, what=what, report=report or silent)
    if page is not None:
        write_page(page, _drawn(str(what), assessed))
    return assessed.evaluation


def assess(
    judged: Judged,
    against: str | Path,
    sight: Sight,
    terms: Terms,
    *,
    what: str | Path,
    report: Report,
) -> Assessed:
    """What `evaluate` finds, with the pictures that it was found in; nothing is drawn or written.

    Args:
        judged: what is scored.
        against: a source of real pictures, or a prepared set.
        sight: how they are seen.
        terms: what is asked for.
        what: the name of what is scored, for errors.
        report: told what is being looked at, and how far.

    Raises:
        BadInput: source or split cannot be used, or there are too few pictures.
    """
    prepared = real_set(against, judged, terms.size, terms.classes, terms.only)
    own = judged.fingerprint == prepared.fingerprint
    if own and judged.config is not None:
        # Divided into sides as it was then, whatever its place is called now.
        prepared = prepared.viewed(replace(judged.config.data, size=prepared.config.size))
    sides = sides_of(prepared, own=own)
    used = _split(terms.split, sides, own=own)
    scored = evenly(sides[used], terms.pictures)
    _enough(what, against, judged, len(scored))
    _softer(sight, prepared.config.size)
    asked = _asked(sides, terms)
    known = None if own else judged.trained_on
    if known is None:
        seen = apart = _see(prepared, (scored, *asked), sight, partial(report, "real pictures"))
    else:
        asked = _asked(sides_of(known, own=True), terms)
        seen = _see(prepared, (scored,), sight, partial(report, "real pictures"))
        apart = _see(known, asked, sight, partial(report, "pictures that it was trained on"))
    generated = _generated(
        judged, sight, terms, prepared.config.size, partial(report, "generated pictures")
    )
    protocol = Protocol(
        n_real=len(scored),
        n_generated=len(generated.features),
        real=prepared.source,
        fingerprint=prepared.fingerprint,
        split=used,
        size=prepared.config.size,
        softened=sight.softened,
        extractor=sight.extractor.name,
        extractor_sha256=sight.extractor.digest,
        resize=sight.extractor.resize,
        ema=judged.averaged,
        seed=terms.seed if judged.model else None,
    )
    trained, held_out = asked
    test = CopyTest(
        apart.of(trained), apart.of(held_out), among="training" if own or known else "real"
    )
    evaluation = Evaluation(
        protocol,
        scores_of(seen.of(scored), generated.features, protocol, logits=_logits(sight, generated)),
        test(generated.features),
        advice_on(protocol, dimensions=sight.extractor.dimensions, own=own, among=test.among),
        _recognitions(judged, apart, trained, generated, terms.seed),
    )
    return Assessed(evaluation, generated, apart.prepared, trained, own)


def page_of(what: str | Path, html: str | Path | None) -> Path | None:
    """Where the page of scores goes: where it is wanted, else into the run, if it is one."""
    if html is not None:
        return Path(html)
    return Path(what) / PAGE if is_model(what) and Path(what).is_dir() else None


def check_numbers(**numbers: int | None) -> None:
    """Minds the numbers of `evaluate`, by name.

    Raises:
        ConfigError: one is too small.
    """
    for name, number in numbers.items():
        least = 0 if name == "seed" else FEWEST if name in {"pictures", "among"} else 4
        if number is not None and number < least:
            raise ConfigError(f"--{name} {number}: must be at least {least}")


def available(device: ExtractorDevice) -> ExtractorDevice:
    """The device, which is there.

    Raises:
        ConfigError: it is not.
    """
    there = {
        "cpu": True,
        "cuda": torch.cuda.is_available(),
        "mps": torch.backends.mps.is_available(),
    }
    if not there[device]:
        usable = ", ".join(name for name, found in there.items() if found)
        raise ConfigError(f"--device {device}: is not available here; use one of: {usable}")
    return device


def _judged(what: str | Path, against: str | Path, size: int | None) -> Judged:
    if not is_model(what):
        return judged_pictures(what, against, size)
    judged = judged_model(what)
    assert judged.config is not None
    if size is not None and size != judged.config.data.size:
        raise ConfigError(
            f"--size {size}: {what} draws at {judged.config.data.size} pixels; leave --size out"
        )
    return judged


def _split(wanted: Split | None, sides: Sides, *, own: bool) -> Split:
    if wanted is None:
        held_out = sides.get("held-out", ())
        return "held-out" if own and len(held_out) >= ENOUGH_HELD_OUT else "all"
    if wanted not in sides:
        raise ConfigError(
            f"--split {wanted}: the real pictures have no such side, which only the set that a model was trained on "
            f"has; use one of: {', '.join(sides)}"
        )
    return wanted


def _enough(what: str | Path, against: str | Path, judged: Judged, reals: int) -> None:
    counts = {against: reals}
    if judged.pictures is not None:
        counts[what] = len(judged.pictures)
    for name, count in counts.items():
        if count < FEWEST:
            raise SourceError(
                f"{name}: {count} pictures are too few for a score; give {FEWEST} or more"
            )


def _softer(sight: Sight, size: int) -> None:
    if sight.softened is not None and sight.softened > size:
        raise ConfigError(
            f"--soften {sight.softened}: {size} pixels are compared; name fewer than those"
        )


def _asked(sides: Sides, terms: Terms) -> tuple[Int64[np.ndarray, " n"], Int64[np.ndarray, " m"]]:
    """Pictures that may have been copied, and pictures that cannot have been."""
    trained = sides.get("training", sides["all"])
    held_out = sides.get("held-out", trained[:0])
    return evenly(trained, terms.among), evenly(held_out, terms.pictures)


def _see(
    prepared: Prepared,
    positions: tuple[Int64[np.ndarray, " _"], ...],
    sight: Sight,
    report: Callable[[int, int], None],
) -> Seen:
    chosen = np.unique(np.concatenate(positions))
    return Seen(prepared, chosen, sight.of_prepared(prepared, chosen, report))


def _generated(
    judged: Judged, sight: Sight, terms: Terms, size: int, report: Callable[[int, int], None]
) -> Generated:
    if judged.pictures is not None:
        chosen = evenly(np.arange(len(judged.pictures)), terms.pictures)
        features = sight.of_prepared(judged.pictures, chosen, report)
        return Generated(judged.pictures.images(chosen), features)
    assert judged.model is not None
    images = _brought(judged.model.sample(terms.pictures, terms.seed), size)
    return Generated(images, sight.features(images, report))


def _recognitions(
    judged: Judged,
    seen: Seen,
    trained: Int64[np.ndarray, " n"],
    generated: Generated,
    seed: int,
) -> tuple[Recognition, ...]:
    """How often a conditional model draws what it is asked for, of each category that real pictures have."""
    model = judged.model
    if model is None or not model.attributes:
        return ()
    count = len(generated.features)
    known = torch.cat([model.known(seed, block) for block in range(-(-count // BLOCK))])[:count]
    found, start = [], 0
    labels = seen.prepared.labels(trained)
    for attribute in model.attributes:
        told = known[:, start : start + attribute.width].numpy()
        start += attribute.width
        own = seen.prepared.label_names.get(attribute.name, ())
        if not attribute.values or tuple(own) != attribute.values:
            continue
        asked = np.where(told.any(1), told.argmax(1), -1)
        column = labels[:, list(seen.prepared.label_names).index(attribute.name)]
        found.append(
            recognition(attribute.name, (seen.of(trained), column), (generated.features, asked))
        )
    return tuple(each for each in found if each is not None)


def _brought(images: UInt8[np.ndarray, "n h w c"], size: int) -> UInt8[np.ndarray, "n s s c"]:
    """The pictures at this size, by the filter that a prepared set is seen smaller with."""
    side = images.shape[1]
    if side == size:
        return images
    whole = 0.0, 0.0, float(side), float(side)
    return np.stack([resample(image, whole, size) for image in images])


def _logits(sight: Sight, generated: Generated) -> Float[np.ndarray, "n k"] | None:
    extractor = sight.extractor
    return extractor.logits(generated.features) if isinstance(extractor, Classifier) else None


def _drawn(what: str, assessed: Assessed) -> str:
    evaluation, generated, prepared = assessed.evaluation, assessed.generated, assessed.searched
    found = evaluation.memorization
    assert found is not None
    shown = found.order[:PAIRS]
    protocol = replace(evaluation.protocol, real=named(evaluation.protocol.real))
    facts = EvaluationFacts(
        what=Path(what).name or what,
        against=f"{protocol.n_real:,} real ones of {protocol.real}",
        credit=prepared.credit or "",
        scores=[(s.title, str(s.estimate), s.better) for s in evaluation.scores.values()],
        protocol=str(protocol),
        advice=evaluation.advice,
        verdict=str(found),
        caught=found.caught,
        among=found.among,
        threshold=found.distance.threshold,
        generated=generated.images[:SHOWN],
        copies=generated.images[shown],
        originals=prepared.images(assessed.trained[found.nearest[shown]]),
        distances=[float(far) for far in found.distances[shown]],
    )
    return render_evaluation(facts)


def silent(of: str, done: int, total: int) -> None:
    """Tells nobody."""
    del of, done, total
