"""How much of each set lies where the other one is, told apart: fidelity and variety.

A set's manifold is the union of balls about its pictures, each reaching to the picture's k-th nearest
neighbour within the set.

    precision  share of generated pictures on the reals' manifold: are they like real ones?
    recall     share of reals on the generated pictures' manifold: is everything there?
    density    how many reals' balls hold a generated picture, over k: precision that one outlier
               among the reals cannot inflate; may exceed 1
    coverage   share of reals whose ball holds a generated picture: recall that does not rest on the
               generated pictures' own outliers

On features as they are, these are the scores as others take them. But a real picture that is unlike the others
has a wide ball, and features of grey or unfinished pictures are small and lie close together, so that one
such ball may hold them all: an untrained generator has had a precision of 1. Features of unit length are
told apart by what they show, and there it has 0.

Errors are those of a mean over pictures, the manifold taken as given.

Source: precision and recall: arXiv 1904.06991, k = 3. Density and coverage: arXiv 2002.09797, k = 5.
"""

from collections.abc import Iterator

import numpy as np
from jaxtyping import Float

from impasto.evaluation.bands import bands
from impasto.evaluation.directions import directions
from impasto.evaluation.estimate import Estimate

NEIGHBOURS_PRECISION = 3
NEIGHBOURS_DENSITY = 5

Features = Float[np.ndarray, "n d"]
Others = Float[np.ndarray, "m d"]
Distances = Float[np.ndarray, "n m"]


def manifold_scores(real: Features, generated: Others, *, unit: bool) -> dict[str, Estimate]:
    """`precision`, `recall`, `density` and `coverage`, in one pass over all pairs.

    Args:
        real: features of more than five pictures.
        generated: features of more than five pictures.
        unit: whether features are brought to one length first.
    """
    x, y = (directions(part) if unit else part.astype(np.float64) for part in (real, generated))
    ks = NEIGHBOURS_PRECISION, NEIGHBOURS_DENSITY
    (radius_x, wider_x), (radius_y, _) = (_radii(part, ks) for part in (x, y))
    on_real = np.zeros(len(y), bool)
    balls = np.zeros(len(y), np.int64)  # of reals, that hold the generated picture
    on_generated, covered = [], []
    for rows, distances in _distances(x, y):
        on_real |= (distances <= radius_x[rows, None]).any(0)
        inside = distances < wider_x[rows, None]
        balls += inside.sum(0)
        covered.append(inside.any(1))
        on_generated.append((distances <= radius_y).any(1))
    return {
        "precision": _share(on_real),
        "recall": _share(np.concatenate(on_generated)),
        "density": _mean(balls / NEIGHBOURS_DENSITY),
        "coverage": _share(np.concatenate(covered)),
    }


def _radii(features: Features, ks: tuple[int, ...]) -> list[Float[np.ndarray, " n"]]:
    """For each k and picture, the distance to its k-th nearest neighbour, itself not counted."""
    ranked = np.concatenate(
        [np.partition(part, ks, axis=1)[:, list(ks)] for _, part in _distances(features, features)]
    )
    return list(ranked.T)


def _distances(x: Features, y: Others) -> Iterator[tuple[slice, Distances]]:
    """The matrix of Euclidean distances in bands of rows."""
    lengths = np.square(y).sum(1)
    for rows in bands(len(x), len(y)):
        squares = x[rows] @ y.T
        squares *= -2
        squares += lengths
        squares += np.square(x[rows]).sum(1)[:, None]
        if x is y:  # rounding must not push a picture away from itself
            np.fill_diagonal(squares[:, rows], 0.0)
        np.maximum(squares, 0.0, out=squares)
        yield rows, np.sqrt(squares, out=squares)


def _share(flags: np.ndarray) -> Estimate:
    share = float(flags.mean())
    return Estimate(share, (share * (1 - share) / len(flags)) ** 0.5)


def _mean(values: Float[np.ndarray, " n"]) -> Estimate:
    return Estimate(float(values.mean()), float(values.std(ddof=1)) / len(values) ** 0.5)
