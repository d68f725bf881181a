"""Findings: what the signals mean, why it happens, and what to do about it in the run's own settings.

Each disease is one function of a case, which tells it or nothing. Signals are taken as medians over the last
looks, since one look may be chance, and thresholds stand at the top of the disease they belong to, with
the values that healthy runs had: docs/explanation/thresholds.md says on which runs they were set.

A cause hides what follows from it: where the discriminator has won, that all samples look alike is no news.
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal

from impasto.diagnostics.case import Case, Facts
from impasto.types import Lever

Severity = Literal["alarm", "warning", "good"]

WARM_UP = 0.1  # of the budget; before it, players have hardly met
FEW_PICTURES = 200
RARE = 0.05  # of the evenly shared; a class below it will hardly be drawn


@dataclass(frozen=True, kw_only=True)
class Finding:
    """A disease, or that there is none.

    Attributes:
        symptom: what is to be seen.
        evidence: the numbers that tell it, by signal.
        cause: why it happens.
        remedy: what to do, in words.
        settings: the remedy in the run's own settings, as one would type them after --set.
        lever: what a run that heals itself may pull.
    """

    name: str
    severity: Severity
    symptom: str
    evidence: Mapping[str, float]
    cause: str
    remedy: str
    settings: tuple[str, ...] = ()
    lever: Lever | None = None

    def __str__(self) -> str:
        """The finding in a sentence or two."""
        numbers = ", ".join(f"{name} {value:.3g}" for name, value in self.evidence.items())
        told = f" ({numbers})" if numbers else ""
        typed = f": --set {' '.join(self.settings)}" if self.settings else ""
        return f"{self.name}: {self.symptom}{told}. {self.cause} {self.remedy}{typed}"

    def to_plain(self) -> dict[str, Any]:
        """All of it, for JSON."""
        return asdict(self)


_OVERSHOT = "Steps are so large that each throws away what the last one learnt."

Disease = Callable[[Case], Finding | None]


def range_mismatch(case: Case) -> Finding | None:
    """Reals and fakes do not live in the same range, so that the discriminator need not look at pictures."""
    low, high = case.now.scalars["real_lowest"], case.now.scalars["real_highest"]
    if low <= -0.2 and low >= -1.01 and high <= 1.01:
        return None
    return Finding(
        name="range mismatch",
        severity="alarm",
        symptom=f"real pixels lie in [{low:.2f}, {high:.2f}], and the generator draws in [-1, 1]",
        evidence={
            name: case.now.scalars[name]
            for name in ("real_lowest", "real_highest", "fake_lowest", "fake_highest")
        },
        cause="A single pixel tells real from generated, and the generator is taught about ranges instead of pictures.",
        remedy="Bring real pixels to [-1, 1], as impasto.images does; if they really have no darks, raise the "
        "contrast",
    )


def divergence(case: Case) -> Finding | None:
    """Losses run away."""
    told = _recent(case, "generator_loss", "discriminator_loss")
    if not max(map(abs, told.values())) > 60:
        return None
    return Finding(
        name="divergence",
        severity="alarm",
        symptom="losses run away",
        evidence=told,
        cause=_OVERSHOT,
        remedy="Go back to the last good state and take smaller steps",
        settings=case.facts.settings("slow down"),
        lever="slow down",
    )


def broken_down(scalars: Mapping[str, float]) -> bool:
    """Whether training has stopped being made of numbers: most of its steps had to be left out."""
    return scalars.get("skipped_steps", 0.0) >= 0.5 or not all(map(math.isfinite, scalars.values()))


def not_finite(scalars: Mapping[str, float], facts: Facts) -> Finding:
    """What is to be said of a training whose losses or gradients have stopped being numbers."""
    names = ("skipped_steps", "generator_loss", "discriminator_loss")
    return Finding(
        name="divergence",
        severity="alarm",
        symptom="losses or gradients are no longer finite",
        evidence={name: scalars[name] for name in names if name in scalars},
        cause=_OVERSHOT,
        remedy="Go back to the last good state and take smaller steps",
        settings=facts.settings("slow down"),
        lever="slow down",
    )


def slow_loader(case: Case) -> Finding | None:
    """The networks wait for pictures."""
    share = case.recent("loader_wait")
    if not share > 0.3:
        return None
    return Finding(
        name="slow loader",
        severity="warning",
        symptom=f"{share:.0%} of the time training waits for pictures",
        evidence={"loader_wait": share},
        cause="Reading or cropping takes longer than learning.",
        remedy="Put the prepared set on a local disk, prepare it at the size that is trained (data.crop=center leaves "
        "no work to training), or use fewer processes",
    )


def unbalanced(case: Case) -> Finding | None:
    """A class is so rare that it will hardly be drawn."""
    rare = [
        (name, count * len(counts) / max(sum(counts.values()), 1), count)
        for counts in case.facts.classes.values()
        for name, count in counts.items()
        if len(counts) > 1
    ]
    if not rare or min(share for _, share, _ in rare) >= RARE * 4:
        return None
    name, share, count = min(rare, key=lambda each: each[1])
    return Finding(
        name="classes out of balance",
        severity="warning",
        symptom=f"class {name} has {count} pictures, {share:.0%} of an even share",
        evidence={"pictures_of_rarest": float(count), "of_even_share": share},
        cause="A generator draws what it sees often; what is rare is learnt last and dropped first.",
        remedy="Add pictures of it, leave it out (--classes), or train it by itself",
    )


def too_few(case: Case) -> Finding | None:
    """So few pictures that a discriminator soon knows them all."""
    count = case.facts.pictures
    if count >= FEW_PICTURES:
        return None
    return Finding(
        name="too few pictures",
        severity="warning",
        symptom=f"{count} pictures to train on",
        evidence={"pictures": float(count)},
        cause=f"With fewer than {FEW_PICTURES}, both players soon know each of them by heart.",
        remedy="Give more pictures; mirror and crop those there are, and stop early",
        settings=("data.flip=true", "data.crop=random"),
    )


def duplicated(case: Case) -> Finding | None:
    """The same picture many times."""
    share = case.facts.duplicates
    if share < 0.1:
        return None
    return Finding(
        name="duplicates in the data",
        severity="warning",
        symptom=f"{share:.0%} of the pictures have the same content as another one",
        evidence={"duplicates": share},
        cause="What is there many times is learnt by heart.",
        remedy="Leave duplicates out: impasto prepare SOURCE --to DIR does, and near duplicates too",
    )


def rate_too_low(case: Case) -> Finding | None:
    """Weights hardly move."""
    moves = _moves(case)
    if not max(moves.values()) < 2e-4:
        return None
    return Finding(
        name="learning rate too low",
        severity="alarm",
        symptom="a step changes the weights of either player by less than a five-thousandth",
        evidence=moves,
        cause="The learning rate is too low for the budget: the networks are still near their random start.",
        remedy="Take larger steps",
        settings=case.facts.settings("speed up"),
        lever="speed up",
    )


def rate_too_high(case: Case) -> Finding | None:
    """Weights are thrown about."""
    moves = _moves(case)
    if not max(moves.values()) > 0.05:
        return None
    return Finding(
        name="learning rate too high",
        severity="alarm",
        symptom="single steps change the weights of a player by a twentieth and more",
        evidence=moves,
        cause="At such a rate nothing that was learnt lasts to the next step.",
        remedy="Take smaller steps",
        settings=case.facts.settings("slow down"),
        lever="slow down",
    )


def discriminator_wins(case: Case) -> Finding | None:
    """The discriminator is sure of everything, and the generator has nothing to learn from."""
    told = _recent(
        case, "separation", "real_logit", "fake_logit", "generator_loss", "energy_distance"
    )
    sure = min(told["real_logit"], -told["fake_logit"]) > 1.5 and told["generator_loss"] > 3.0
    stuck = told["energy_distance"] > 0.25 and case.trend("energy_distance") > 0.8
    if not (sure and stuck and told["separation"] > 0.97):
        return None
    return Finding(
        name="discriminator wins",
        severity="alarm",
        symptom="the discriminator tells every generated picture from every real one, and is sure of it, while the "
        "generator's loss climbs",
        evidence=told,
        cause="It learns faster than the generator, which gets little to go by from answers that are never in doubt.",
        remedy="Hold the discriminator back",
        settings=case.facts.settings("weaken discriminator"),
        lever="weaken discriminator",
    )


def generator_wins(case: Case) -> Finding | None:
    """The discriminator takes generated pictures for real ones, and has stopped catching up."""
    told = _recent(case, "separation", "fake_accuracy", "energy_distance")
    told |= _moves(case)
    pace = told["discriminator_update_ratio"] / max(told["generator_update_ratio"], 1e-9)
    if not (told["separation"] < 0.4 and told["energy_distance"] > 0.3 and pace < 0.2):
        return None
    return Finding(
        name="generator wins",
        severity="alarm",
        symptom="the discriminator takes generated pictures for real ones although they look nothing like them",
        evidence=told,
        cause="It moves too slowly to follow the generator, which then learns to fool it instead of learning pictures.",
        remedy="Let the discriminator learn faster",
        settings=case.facts.settings("strengthen discriminator"),
        lever="strengthen discriminator",
    )


def collapse(case: Case) -> Finding | None:
    """All samples are one picture."""
    told = _recent(case, "diversity", "contrast_ratio")
    if not (told["diversity"] < 0.01 and told["contrast_ratio"] > 0.1):
        return None
    return Finding(
        name="mode collapse",
        severity="alarm",
        symptom="samples of different latents are the same picture",
        evidence=told,
        cause="The generator has found one picture that passes, and no gradient asks it for others.",
        remedy="Go back to before it, and let the generator take smaller steps against a discriminator that keeps up",
        settings=case.facts.settings("slow generator"),
        lever="slow generator",
    )


def partial_collapse(case: Case) -> Finding | None:
    """Samples are a few pictures, many times."""
    told = _recent(case, "apartness", "kinds", "diversity")
    if not (told["apartness"] < 0.15 and told["diversity"] >= 0.01):
        return None
    return Finding(
        name="partial mode collapse",
        severity="alarm",
        symptom="samples fall into a few clumps of nearly the same picture",
        evidence=told,
        cause="The generator serves few kinds of pictures, which pass, and has dropped the others.",
        remedy="Go back to before it, and let the generator take smaller steps against a discriminator that keeps up; "
        "larger batches help too",
        settings=case.facts.settings("slow generator"),
        lever="slow generator",
    )


def oscillation(case: Case) -> Finding | None:
    """The players chase each other in circles."""
    if case.now.fraction < 0.2:
        return None
    told = _recent(case, "grid_change", "grid_return", "energy_distance")
    if not (told["grid_change"] > 0.6 and told["grid_return"] < 1.1):
        return None
    return Finding(
        name="oscillation",
        severity="alarm",
        symptom="the same latents give other pictures at every look, and then the earlier ones again",
        evidence=told,
        cause="Steps are so large, or carry so much momentum, that both players overshoot.",
        remedy="Let the learning rate fall, and use little momentum (family.betas=[0.5,0.999])",
        settings=case.facts.settings("slow down"),
        lever="slow down",
    )


def overfitting(case: Case) -> Finding | None:
    """The discriminator knows its pictures by heart."""
    told = _recent(case, "recognition", "real_logit", "held_out_logit")
    if not told["recognition"] > 0.8:
        return None
    return Finding(
        name="discriminator overfits",
        severity="alarm",
        symptom="the discriminator tells pictures that it trained on from others of the same kind",
        evidence=told,
        cause="There are too few pictures for it, and it sees them too often, so it judges by memory.",
        remedy="Give more pictures, vary them (data.flip=true, data.crop=random), hold it back, or stop here",
        settings=case.facts.settings("weaken discriminator"),
        lever="weaken discriminator",
    )


def memorisation(case: Case) -> Finding | None:
    """Samples are training pictures."""
    told = _recent(case, "copied", "copied_surely", "energy_distance")
    if not (told["copied_surely"] > 0.5 and told["copied"] > 0.15):
        return None
    return Finding(
        name="memorisation",
        severity="alarm",
        symptom=f"{told['copied']:.0%} of samples lie closer to a training picture than real pictures ever do",
        evidence=told,
        cause="There are so few pictures that repeating them is easier than learning what they have in common.",
        remedy="Give more pictures, vary them (data.flip=true, data.crop=random), take a narrower network, or stop "
        "earlier; impasto evaluate shows the closest pairs",
    )


def batch_leakage(case: Case) -> Finding | None:
    """A picture depends on those that are drawn beside it."""
    told = _recent(case, "batch_leak")
    if not told["batch_leak"] > 0.35:
        return None
    return Finding(
        name="batch-norm leakage",
        severity="alarm",
        symptom="a picture changes when others are drawn beside it, by a third of what two pictures differ and more",
        evidence=told,
        cause=f"Batch norm takes its statistics from {case.facts.batch} pictures, too few for them to be steady, and "
        "what is drawn later, alone, was never trained.",
        remedy="Use larger batches",
        settings=(f"train.batch={max(16, 4 * case.facts.batch)}",),
    )


def checkerboard(case: Case) -> Finding | None:
    """A grid with the period of the generator's strides lies over the samples."""
    if case.now.fraction < 0.3:
        return None
    told = _recent(case, "checkerboard", "energy_distance", "contrast_ratio")
    drawn = told["energy_distance"] < 0.6 and told["contrast_ratio"] > 0.4
    if not (drawn and told["checkerboard"] > 1.5):
        return None
    return Finding(
        name="checkerboard",
        severity="alarm",
        symptom="samples have a grid pattern with the period of the generator's strides, 30 times the data's and more",
        evidence=told,
        cause="A layer that enlarges covers its pixels unevenly where its kernel's size is no multiple of its stride.",
        remedy="Use kernels that are multiples of their stride (such as 4/2/1 for family.generator_head), or train "
        "longer",
    )


DISEASES: tuple[Disease, ...] = (
    range_mismatch,
    divergence,
    slow_loader,
    rate_too_low,
    rate_too_high,
    discriminator_wins,
    generator_wins,
    collapse,
    partial_collapse,
    oscillation,
    memorisation,
    overfitting,
    batch_leakage,
    checkerboard,
    too_few,
    unbalanced,
    duplicated,
)
# What a cause explains is not told beside it.
_CHAOS = frozenset(
    {
        "discriminator wins",
        "generator wins",
        "mode collapse",
        "partial mode collapse",
        "oscillation",
        "checkerboard",
    }
)
EXPLAINS: Mapping[str, frozenset[str]] = {
    "range mismatch": _CHAOS,
    "divergence": _CHAOS | {"learning rate too high"},
    "learning rate too high": _CHAOS,
    "learning rate too low": _CHAOS,
    "discriminator wins": _CHAOS - {"discriminator wins", "generator wins", "mode collapse"},
    "generator wins": _CHAOS - {"discriminator wins", "generator wins"},
    "mode collapse": _CHAOS - {"mode collapse", "generator wins"},
    "memorisation": frozenset({"partial mode collapse", "discriminator overfits"}),
}


def diagnose(case: Case) -> list[Finding]:
    """What ails a training now, causes first; empty when nothing does, or it is too early to say."""
    if not case.looks or case.now.fraction < WARM_UP:
        return []
    found = [finding for disease in DISEASES if (finding := disease(case))]
    explained = frozenset[str]().union(*(EXPLAINS.get(finding.name, ()) for finding in found))
    return [finding for finding in found if finding.name not in explained]


def _recent(case: Case, *names: str) -> dict[str, float]:
    return {name: case.recent(name) for name in names}


def _moves(case: Case) -> dict[str, float]:
    return _recent(case, "generator_update_ratio", "discriminator_update_ratio")
