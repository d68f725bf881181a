"""Diseases of the step: too large, too small, or no longer a number."""

import math
from collections.abc import Mapping

from impasto.diagnostics.case import Case, Facts
from impasto.diagnostics.finding import Finding

# First steps are long in healthy runs too: a step of Adam is the learning rate over the weights' spread, which
# begins small and grows.
SETTLED = 0.2  # of the budget
SETTLED_STEPS = 700
LONG = 0.015  # a step, as a part of the weights
LONG_AT_FIRST = 0.033  # healthy runs begin with less
_OVERSHOT = "Steps are so large that each throws away what the last one learnt."


def divergence(case: Case) -> Finding | None:
    """Losses run away."""
    told = case.recents(*(name for name in case.now.scalars if name.endswith("_loss")))
    if not max(map(abs, told.values()), default=math.nan) > 60:
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


def rate_too_low(case: Case) -> Finding | None:
    """Weights hardly move."""
    moves = case.moves
    if not max(moves.values(), default=math.nan) < 2e-4:
        return None
    return Finding(
        name="learning rate too low",
        severity="alarm",
        symptom="a step changes the weights of every player by less than a five-thousandth",
        evidence=moves,
        cause="The learning rate is too low for the budget: the networks are still near their random start.",
        remedy="Take larger steps",
        settings=case.facts.settings("speed up"),
        lever="speed up",
    )


def rate_too_high(case: Case) -> Finding | None:
    """Weights are thrown about."""
    moves = case.moves
    if case.now.fraction < SETTLED or not min(moves.values(), default=math.nan) > LONG:
        return None
    began = min(case.looks[0].scalars.get(name, math.nan) for name in moves)
    if case.now.images_seen < SETTLED_STEPS * case.facts.batch and not began > LONG_AT_FIRST:
        return None
    return Finding(
        name="learning rate too high",
        severity="alarm",
        symptom="single steps change the weights of both players by a sixtieth and more",
        evidence=moves,
        cause="At such a rate nothing that was learnt lasts to the next step.",
        remedy="Take smaller steps, and draw from averaged weights",
        settings=case.facts.settings(case.facts.calming),
        lever=case.facts.calming,
    )
