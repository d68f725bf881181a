"""The Frechet distance between two sets of features, each taken for a normal distribution.

    d^2 = |m_r - m_g|^2 + tr S_r + tr S_g - 2 tr (S_r^1/2 S_g S_r^1/2)^1/2

Whatever the factors in S_r = A' A and S_g = B' B, the last trace is the sum of the singular values of
A B'. With fewer pictures than features the factors are the centred features themselves, which makes small
sets cheap; otherwise they are Cholesky's, and the sum comes from eigenvalues without their vectors. Both
are several times as fast as the matrix square root in common use, and as exact.

The distance is biased: it grows as sets shrink. Compare only distances of equal numbers of pictures.
"""

from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

Features = Float[np.ndarray, "n d"]
Others = Float[np.ndarray, "m d"]


@dataclass(frozen=True)
class Moments:
    """Mean and covariance of a set of features: all that the distance knows of it."""

    mean: Float[Tensor, " d"]
    covariance: Float[Tensor, "d d"]


def moments_of(features: Features) -> Moments:
    """Mean and unbiased covariance of at least two pictures' features, in double precision."""
    rows, mean = _rows(features)
    return Moments(mean, rows.T @ rows)


def frechet_distance(real: Features, generated: Others) -> float:
    """The squared Frechet distance, as it is usually reported.

    Source: arXiv 1706.08500, equation 6.
    """
    if min(len(real), len(generated)) > real.shape[1]:
        return distance_of_moments(moments_of(real), moments_of(generated))
    (a, mean_a), (b, mean_b) = _rows(real), _rows(generated)
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
    (a, mean_a), (b, mean_b) = _rows(real), _rows(generated)
    (base_a, small_a), (base_b, small_b) = _compressed(a), _compressed(b)
    cross = small_a @ small_b.T
    values, left = torch.linalg.eigh(cross @ cross.T)
    values = values.clamp_min(0).sqrt()
    right = cross.T @ left / values.clamp_min(1e-6 * float(values.max()))
    variance = 0.0
    for rows, base, vectors, shift in (
        (a, base_a, left, mean_a - mean_b),
        (b, base_b, right, mean_b - mean_a),
    ):
        count = len(rows)
        moved = ((base @ vectors).square() * values).sum(1)
        influence = count * (rows.square().sum(1) - moved)
        influence += 2 * (count - 1) ** 0.5 * (rows @ shift)
        variance += float(influence.var()) / count
    return float(variance**0.5)


def _rows(features: Features) -> tuple[Float[Tensor, "n d"], Float[Tensor, " d"]]:
    """Centred features, scaled so that their Gram matrix is the covariance, and the mean."""
    wide = torch.from_numpy(np.array(features, np.float64))
    mean = wide.mean(0)
    return (wide - mean) / (len(wide) - 1) ** 0.5, mean


def _root(covariance: Float[Tensor, "d d"]) -> Float[Tensor, "d d"]:
    """R with R' R the covariance."""
    lower, failed = torch.linalg.cholesky_ex(covariance)
    root: Tensor = lower.T
    if bool(failed):  # some feature never varies
        values, vectors = torch.linalg.eigh(covariance)
        root = values.clamp_min(0).sqrt()[:, None] * vectors.T
    return root


def _compressed(
    rows: Float[Tensor, "n d"],
) -> tuple[Float[Tensor, "n k"], Float[Tensor, "k d"]]:
    """Q and R with rows = Q R, the columns of Q orthonormal, k the smaller of n and d."""
    if len(rows) <= rows.shape[1]:
        return torch.eye(len(rows), dtype=rows.dtype), rows
    base, small = torch.linalg.qr(rows)
    return base, small
