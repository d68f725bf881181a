"""Whether pictures show what was asked for: judged by a classifier that learnt from real pictures.

The classifier is a linear one over an extractor's features. It is wrong at times itself, so its accuracy on
real pictures that it did not learn from stands beside that on generated ones, and is about as high as a
generator can come.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Float, Int
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import StandardScaler

from impasto.evaluation.estimate import Estimate

FEWEST = 40  # labelled real pictures, and generated ones, below which nothing is told
HELD_OUT = 5  # one real picture in so many judges the classifier
PULL = 0.01  # of the classifier's weights to zero, as the inverse of scikit-learn's C


@dataclass(frozen=True)
class Recognition:
    """How often generated pictures show the value that was asked for.

    Attributes:
        name: of the attribute.
        accuracy: over generated pictures, with its standard error.
        on_real: the classifier's accuracy on real pictures that it did not learn from.
        by_chance: the share of the commonest value among those asked for.
        pictures: generated ones that were asked for a value.
    """

    name: str
    accuracy: Estimate
    on_real: Estimate
    by_chance: float
    pictures: int

    def __str__(self) -> str:
        return (
            f"{self.name} as asked for: {self.accuracy} of {self.pictures:,} pictures, by a classifier that is right "
            f"on {self.on_real} of real ones; the commonest value alone would be {self.by_chance:.2f}"
        )

    def to_plain(self) -> dict[str, Any]:
        """As JSON tells it."""
        return {
            "accuracy": self.accuracy.value,
            "accuracy_error": self.accuracy.error,
            "classifier_accuracy": self.on_real.value,
            "classifier_accuracy_error": self.on_real.error,
            "by_chance": self.by_chance,
            "pictures": self.pictures,
        }


def recognition(
    name: str,
    real: tuple[Float[np.ndarray, "n d"], Int[np.ndarray, " n"]],
    generated: tuple[Float[np.ndarray, "m d"], Int[np.ndarray, " m"]],
) -> Recognition | None:
    """How often generated pictures show what was asked for; None where too little is known to tell.

    Args:
        name: of the attribute.
        real: features and values of real pictures; -1 where a value is unknown.
        generated: features of generated pictures and the values asked for; -1 where none was.
    """
    (features, values), (seen, asked) = (
        (rows[labels >= 0], labels[labels >= 0]) for rows, labels in (real, generated)
    )
    if min(len(values), len(asked)) < FEWEST or len(np.unique(values)) < 2:
        return None
    judging = np.arange(len(values)) % HELD_OUT == HELD_OUT - 1
    if len(np.unique(values[~judging])) < 2:
        return None
    scaler = StandardScaler().fit(features[~judging])
    classifier = LogisticRegression(C=PULL, max_iter=300)
    classifier.fit(scaler.transform(features[~judging]), values[~judging])
    right = classifier.predict(scaler.transform(features[judging])) == values[judging]
    shown = classifier.predict(scaler.transform(seen)) == asked
    commonest = np.unique(asked, return_counts=True)[1].max() / len(asked)
    return Recognition(name, _share(shown), _share(right), float(commonest), len(asked))


def _share(right: np.ndarray) -> Estimate:
    share = float(right.mean())
    return Estimate(share, float(np.sqrt(share * (1 - share) / len(right))))
