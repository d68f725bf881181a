"""The kernel distance between two sets of features: squared maximum mean discrepancy, unbiased.

The kernel is the usual cubic one, k(f, g) = (f . g / d + 1)^3. On features as they are, this is the kernel
inception distance, for comparison with others. On features of unit length (stretched to length sqrt(d), so
that f . g / d is a cosine) it is the distance that impasto steers by: features of early samples are small,
and the usual distance then sees little but the reals' own term, so that it hardly moves where small
budgets live.

All pairs are used instead of random subsets: there is no noise from the choice, and the standard error
follows from leaving out each picture in turn, at no extra cost. Unlike the Frechet distance it has no bias
by number, so distances of sets of different sizes may be compared.

Source: arXiv 1801.01401, section 4 and appendix C; the unbiased estimator is arXiv 0805.2368, lemma 6.
"""

import numpy as np
from jaxtyping import Float

from impasto.evaluation.bands import bands
from impasto.evaluation.directions import directions
from impasto.evaluation.estimate import Estimate

Features = Float[np.ndarray, "n d"]
Others = Float[np.ndarray, "m d"]


def kernel_distance(real: Features, generated: Others, *, unit: bool) -> Estimate:
    """The distance and its standard error, by the jackknife over pictures of both sides.

    Args:
        real: features of at least three pictures.
        generated: features of at least three pictures.
        unit: whether features are brought to one length first.
    """
    x, y = (
        directions(part) * part.shape[1] ** 0.5 if unit else part.astype(np.float64)
        for part in (real, generated)
    )
    within_x, within_y = _within(x), _within(y)
    across_x, across_y = _across(x, y)
    n, m = len(x), len(y)
    total = across_x.sum()
    value = within_x.sum() / (n * (n - 1)) + within_y.sum() / (m * (m - 1)) - 2 * total / (n * m)
    variance = 0.0
    for size, other, within, across in ((n, m, within_x, across_x), (m, n, within_y, across_y)):
        # The distance without each picture of this side; what does not change is left out.
        without = (within.sum() - 2 * within) / ((size - 1) * (size - 2))
        without -= 2 * (total - across) / ((size - 1) * other)
        variance += (size - 1) / size * float(np.square(without - without.mean()).sum())
    return Estimate(float(value), variance**0.5)


def _kernel(x: Features, y: Others) -> Float[np.ndarray, "n m"]:
    dots = x @ y.T
    dots /= x.shape[1]
    dots += 1
    cubes: np.ndarray = dots * dots
    cubes *= dots
    return cubes


def _within(x: Features) -> Float[np.ndarray, " n"]:
    """For each picture, the kernel's sum over all others of its set."""
    sums = np.concatenate([_kernel(x[rows], x).sum(1) for rows in bands(len(x), len(x))])
    own: np.ndarray = (np.square(x).sum(1) / x.shape[1] + 1) ** 3
    others: np.ndarray = sums - own
    return others


def _across(x: Features, y: Others) -> tuple[Float[np.ndarray, " n"], Float[np.ndarray, " m"]]:
    """For each picture, the kernel's sum over the other set."""
    over_y, over_x = [], np.zeros(len(y))
    for rows in bands(len(x), len(y)):
        part = _kernel(x[rows], y)
        over_y.append(part.sum(1))
        over_x += part.sum(0)
    return np.concatenate(over_y), over_x
