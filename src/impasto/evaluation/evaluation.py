"""All scores of one set of pictures against another, with what to make of them."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Float

from impasto.errors import SourceError
from impasto.evaluation.estimate import Estimate
from impasto.evaluation.frechet import frechet_distance, frechet_error
from impasto.evaluation.kernel import kernel_distance
from impasto.evaluation.manifold import manifold_scores
from impasto.evaluation.memorization import Among, Memorization
from impasto.evaluation.recognition import Recognition
from impasto.evaluation.score import Protocol, Score
from impasto.evaluation.variety import diversity, inception_score, relative_diversity

FEWEST = 10  # pictures on either side; below this no score means anything
SMALL = 2_000  # pictures on either side below which the Frechet distance is mostly its bias
SAME = 1e-9  # diversity below which all pictures are the same
FIELD = "inception-v3"  # the extractor that published distances were taken with

Features = Float[np.ndarray, "n d"]
Others = Float[np.ndarray, "m d"]


@dataclass(frozen=True)
class Evaluation:
    """Scores that share a protocol, whether the generator memorised, and advice."""

    protocol: Protocol
    scores: dict[str, Score]
    memorization: Memorization | None
    advice: tuple[str, ...]
    recognitions: tuple[Recognition, ...] = ()  # of what was asked for, of a conditional model

    def __str__(self) -> str:
        """A row a score, then the protocol they were all taken by, then the rest."""
        width = max(len(score.title) for score in self.scores.values())
        rows = [
            f"{score.title:<{width}}  {score.estimate}  ({score.better} is better)"
            for score in self.scores.values()
        ]
        told = [f"taken by: {self.protocol}"]
        if self.memorization is not None:
            told.append(str(self.memorization))
        told += map(str, self.recognitions)
        return "\n".join([*rows, *told, *(f"note: {note}" for note in self.advice)])

    def to_plain(self) -> dict[str, Any]:
        """All of it as dicts, lists, strings and numbers; every score with its protocol."""
        return {
            "scores": {name: score.to_plain() for name, score in self.scores.items()},
            "memorization": self.memorization.to_plain() if self.memorization else None,
            "advice": list(self.advice),
            "attributes": {each.name: each.to_plain() for each in self.recognitions},
        }


def scores_of(
    real: Features,
    generated: Others,
    protocol: Protocol,
    *,
    logits: Float[np.ndarray, "m k"] | None = None,
) -> dict[str, Score]:
    """Every score by its name in `METRICS`, the one to steer by first.

    Args:
        real: features of at least `FEWEST` pictures.
        generated: features of at least `FEWEST` pictures.
        protocol: how both were taken.
        logits: of the generated pictures, where the extractor classifies.

    Raises:
        SourceError: features are not finite numbers.
    """
    for side, features in (("real", real), ("generated", generated)):
        if not np.isfinite(features).all():
            raise SourceError(
                f"{protocol.extractor}: features of {side} pictures are not all finite numbers; use another --extractor"
            )
    found = {
        "kernel_distance_unit": kernel_distance(real, generated, unit=True),
        "kernel_distance": kernel_distance(real, generated, unit=False),
        "frechet_distance": Estimate(
            frechet_distance(real, generated), frechet_error(real, generated)
        ),
        **{
            f"{name}_unit": estimate
            for name, estimate in manifold_scores(real, generated, unit=True).items()
        },
        **manifold_scores(real, generated, unit=False),
    }
    if diversity(real).value > SAME:  # else there is nothing to be as varied as
        found["diversity"] = relative_diversity(real, generated)
    if logits is not None:
        found["inception_score"] = inception_score(logits)
    return {name: Score(name, *estimate, protocol) for name, estimate in found.items()}


def advice_on(protocol: Protocol, *, dimensions: int, own: bool, among: Among) -> tuple[str, ...]:
    """What to keep in mind when reading scores of this protocol.

    Args:
        protocol: how they were taken.
        dimensions: of the features.
        own: whether the real pictures are those that the generator was trained on.
        among: what copies were looked for among.
    """
    notes = []
    fewer = min(protocol.n_real, protocol.n_generated)
    if fewer < max(SMALL, dimensions):
        notes.append(
            f"with {fewer:,} pictures the Frechet distance is mostly bias that falls as sets grow; read the kernel "
            "distance, which has none, and compare Frechet distances of equal numbers only"
        )
    if own and protocol.split != "held-out":
        notes.append(
            "the real pictures include those that it was trained on, so copying them would score well; see the "
            "memorisation test, or hold more out (--set data.validation=0.2 when training)"
        )
    if among == "real":
        notes.append(
            "what it was trained on is not known here, so copies were looked for among these real pictures"
        )
    if protocol.extractor != FIELD:
        notes.append(
            f"published distances are taken with {FIELD}; compare these with others of {protocol.extractor} only"
        )
    return tuple(notes)
