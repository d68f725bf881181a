"""How unlike one another the pictures of one set are, and how surely they are classified.

Source: inception score: arXiv 1606.03498, equation 1 of its section 4, over all pictures at once, which
does not depend on their order as the mean over ten parts does.
"""

import numpy as np
from jaxtyping import Float

from impasto.evaluation.directions import directions
from impasto.evaluation.estimate import Estimate

Features = Float[np.ndarray, "n d"]
Others = Float[np.ndarray, "m d"]


def diversity(features: Features) -> Estimate:
    """The mean of 1 - cosine over all pairs: 0 when all pictures are the same to the extractor.

    The error is the jackknife's, over pictures.
    """
    unit = directions(features)
    count = len(unit)
    alike = unit @ unit.sum(0) - np.square(unit).sum(1)  # to all others, summed
    value = 1 - alike.sum() / (count * (count - 1))
    without = 1 - (alike.sum() - 2 * alike) / ((count - 1) * (count - 2))
    error = ((count - 1) / count * np.square(without - without.mean()).sum()) ** 0.5
    return Estimate(float(value), float(error))


def relative_diversity(real: Features, generated: Others) -> Estimate:
    """The diversity of generated pictures over that of the reals: 1 is as varied, 0 is collapse."""
    of_real, of_generated = diversity(real), diversity(generated)
    ratio = of_generated.value / of_real.value
    error = (of_generated.error**2 + (ratio * of_real.error) ** 2) ** 0.5 / of_real.value
    return Estimate(ratio, error)


def inception_score(logits: Float[np.ndarray, "n k"]) -> Estimate:
    """exp(mean KL(p(y|x) || p(y))): 1 at least, and at most the number of classes.

    The error is that of the mean, to first order.
    """
    shifted = logits.astype(np.float64) - logits.max(1, keepdims=True)
    log_given = shifted - np.log(np.exp(shifted).sum(1, keepdims=True))
    given = np.exp(log_given)
    log_all = np.log(np.maximum(given.mean(0), 1e-300))
    divergence = (given * (log_given - log_all)).sum(1)
    score = float(np.exp(divergence.mean()))
    return Estimate(score, score * float(divergence.std(ddof=1)) / len(logits) ** 0.5)
