"""The Frechet distance between two sets of features, each taken for a normal distribution.

    d^2 = |m_r - m_g|^2 + tr S_r + tr S_g - 2 tr (S_r^1/2 S_g S_r^1/2)^1/2

Whatever the factors in S_r = A' A and S_g = B' B, the last trace is the sum of the singular values of
A B'. With fewer pictures than features the factors are the centred features themselves, which makes small
sets cheap and keeps all digits, where the root of a singular matrix would lose half of them. Otherwise they are
Cholesky's, and the sum comes from eigenvalues without their vectors: three times as fast as the eigenvalues of a
product of covariances, and nine times as fast as its square root (`benchmarks/speed/frechet.py`).

The distance is biased: it grows as sets shrink. Compare only distances of equal numbers of pictures.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from impasto.evaluation.bands import bands

TINY = 1e-12  # eigenvalues below this share of the largest are rounding

Features = Float[np.ndarray, "n d"]
Others = Float[np.ndarray, "m d"]


@dataclass(frozen=True)
class Moments:
    """Mean and covariance of a set of features: all that the distance knows of it."""

    mean: Float[Tensor, " d"]
    covariance: Float[Tensor, "d d"]


def moments_of(features: Features) -> Moments:
    """Mean and unbiased covariance of at least two pictures' features, in double precision."""
    dimensions = features.shape[1]
    mean = _mean(features)
    covariance = torch.zeros(dimensions, dimensions, dtype=torch.float64)
    for _, rows in _centred(features, mean):
        covariance.addmm_(rows.T, rows)
    return Moments(mean, covariance)


def frechet_distance(real: Features, generated: Others) -> float:
    """The squared Frechet distance, as it is usually reported.

    Source: arXiv 1706.08500, equation 6.
    """
    if min(len(real), len(generated)) > real.shape[1]:
        return distance_of_moments(moments_of(real), moments_of(generated))
    (a, mean_a), (b, mean_b) = _factor(real), _factor(generated)
    overlap = torch.linalg.svdvals(a @ b.T).sum()
    traces = a.square().sum() + b.square().sum()
    return float((mean_a - mean_b).square().sum() + traces - 2 * overlap)


def distance_of_moments(real: Moments, generated: Moments) -> float:
    """The squared Frechet distance between sets of which only the moments are kept."""
    root = _root(real.covariance)
    overlap = torch.linalg.eigvalsh(root @ generated.covariance @ root.T).clamp_min(0).sqrt().sum()
    traces = real.covariance.trace() + generated.covariance.trace()
    return float((real.mean - generated.mean).square().sum() + traces - 2 * overlap)


def frechet_error(real: Features, generated: Others) -> float:
    """The standard error of the distance: how far it scatters with other pictures of equal number.

    To first order the distance is a mean over pictures of what each adds to it, its influence, and the
    error of a mean is known. Influences follow from the derivative of a sum of singular values,
    d |C|_* = <U V', dC> with C = U S V'. The distance's bias is not part of it.
    """
    a, b = _spread(real), _spread(generated)
    cross = a.factor @ b.factor.T
    values, left = torch.linalg.eigh(cross @ cross.T)
    values = values.clamp_min(0).sqrt()
    largest = float(values[-1]) if len(values) else 0.0  # none, where one side is a point
    right = cross.T @ left / values.clamp_min(max(1e-6 * largest, 1e-300))
    variance = 0.0
    for features, own, vectors, other in ((real, a, left, b), (generated, b, right, a)):
        count = len(features)
        influence = torch.empty(count, dtype=torch.float64)
        for band, rows in _centred(features, own.mean):
            placed = vectors[band] if own.base is None else rows @ (own.base @ vectors)
            moved = (placed.square() * values).sum(1)
            influence[band] = count * (rows.square().sum(1) - moved)
            influence[band] += 2 * (count - 1) ** 0.5 * (rows @ (own.mean - other.mean))
        variance += float(influence.var()) / count
    return float(variance**0.5)


@dataclass(frozen=True)
class _Spread:
    """A covariance as F' F, and how the centred features follow from F: as rows base F.

    Attributes:
        base: None where F is the centred features themselves.
    """

    mean: Float[Tensor, " d"]
    factor: Float[Tensor, "k d"]
    base: Float[Tensor, "d k"] | None


def _spread(features: Features) -> _Spread:
    if len(features) <= features.shape[1]:
        rows, mean = _factor(features)
        return _Spread(mean, rows, None)
    moments = moments_of(features)
    values, vectors = torch.linalg.eigh(moments.covariance)
    kept = values > TINY * values[-1].clamp_min(0)
    roots, vectors = values[kept].sqrt(), vectors[:, kept]
    return _Spread(moments.mean, roots[:, None] * vectors.T, vectors / roots)


def _factor(features: Features) -> tuple[Float[Tensor, "k d"], Float[Tensor, " d"]]:
    """F with F' F the covariance, of no more rows than there are features or pictures, and the mean."""
    if len(features) > features.shape[1]:
        moments = moments_of(features)
        return _root(moments.covariance), moments.mean
    mean = _mean(features)
    return torch.cat([rows for _, rows in _centred(features, mean)]), mean


def _mean(features: Features) -> Float[Tensor, " d"]:
    return torch.from_numpy(features.mean(0, dtype=np.float64))


def _centred(
    features: Features, mean: Float[Tensor, " d"]
) -> Iterator[tuple[slice, Float[Tensor, "b d"]]]:
    """Centred features in bands, scaled so that their Gram matrix is the covariance."""
    scale = (len(features) - 1) ** -0.5
    for band in bands(*features.shape):
        wide = torch.from_numpy(np.array(features[band], np.float64))
        yield band, wide.sub_(mean).mul_(scale)


def _root(covariance: Float[Tensor, "d d"]) -> Float[Tensor, "d d"]:
    """R with R' R the covariance."""
    lower, failed = torch.linalg.cholesky_ex(covariance)
    root: Tensor = lower.T
    if bool(failed):  # some feature never varies
        values, vectors = torch.linalg.eigh(covariance)
        root = values.clamp_min(0).sqrt()[:, None] * vectors.T
    return root
