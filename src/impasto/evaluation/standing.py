"""Where scores of one metric stand beside the best of them, in errors.

Two scores have errors of their own, and their difference has that of both together: the root of the sum
of their squares, as if the two were independent. Scores against the same real pictures share part of their
errors, so that a difference is rather surer than it is called here.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from impasto.evaluation.score import Score

CLEAR = 2.0  # combined errors; a smaller difference may well be chance


@dataclass(frozen=True)
class Standing:
    """A score beside the best of its metric.

    Attributes:
        best: whether nothing is better, and something is worse.
        behind: how many combined errors it is from the best; infinite where neither has any, and nan where
            the score is not a number.
    """

    score: Score
    best: bool
    behind: float

    @property
    def clear(self) -> bool:
        """Whether it is behind by more than chance would have it."""
        return self.behind >= CLEAR


def standings(scores: Sequence[Score]) -> list[Standing]:
    """Where each score stands; of scores that are all the same, none is the best.

    Args:
        scores: of one metric, by one protocol.
    """
    finite = [score for score in scores if math.isfinite(score.value)]
    if not finite:
        return [Standing(score, best=False, behind=math.nan) for score in scores]
    pick = min if finite[0].better == "lower" else max
    best = pick(finite, key=lambda score: score.value)
    differ = any(score.value != best.value for score in scores)
    return [
        Standing(score, best=differ and score.value == best.value, behind=_behind(score, best))
        for score in scores
    ]


def _behind(score: Score, best: Score) -> float:
    if not math.isfinite(score.value):
        return math.nan
    difference = abs(score.value - best.value)
    combined = math.hypot(score.standard_error, best.standard_error)
    if difference == 0:
        return 0.0
    return difference / combined if combined > 0 else math.inf
