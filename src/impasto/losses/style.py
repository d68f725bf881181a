"""How far a painting is from a manner: comparisons of the statistics of what a network sees.

Where something is in a picture is its content: features are compared place by place. What a picture is made
with is its manner: the mean and the second moments of features over all places, wherever these are. Moments
are kept as sums, so that those of regions and of tiles add up to those of the whole.

Nothing here depends on the size of a picture or on the scale of a network's features, except `published_*`,
which are as first written.
"""

from collections.abc import Callable
from typing import NamedTuple, TypeVar

import torch
from jaxtyping import Float
from torch import Tensor

D = TypeVar("D")

TINY = 1e-12
SURE = 1e-6  # of the largest entry, by which eigenvalues are parted where they cannot be found otherwise
# Of the average variance, added to all: flat features have no square root to differentiate, and what 32 bits leave of
# the slope of nearly flat ones is noise, which is seen as grain.
RIDGE = 1e-2


class Moments(NamedTuple):
    """Sums over the places of a picture: of the features, of their products, and of the places' weights."""

    features: Float[Tensor, "c"]
    products: Float[Tensor, "c c"]
    places: Float[Tensor, ""]

    @property
    def mean(self) -> Float[Tensor, "c"]:
        """The average of the features."""
        return self.features / self.places.clamp(min=TINY)

    @property
    def second(self) -> Float[Tensor, "c c"]:
        """The Gram matrix over the number of places: the features' second moments around zero."""
        return self.products / self.places.clamp(min=TINY)

    @property
    def covariance(self) -> Float[Tensor, "c c"]:
        """The second moments around the mean."""
        return self.second - torch.outer(self.mean, self.mean)

    def and_of(self, other: "Moments") -> "Moments":
        """Those of two parts of a picture together."""
        return Moments(*(one + two for one, two in zip(self, other, strict=True)))

    def times(self, weight: float) -> "Moments":
        """The same moments of `weight` as many places."""
        return Moments(*(one * weight for one in self))


def moments(maps: Float[Tensor, "1 c h w"], weights: Float[Tensor, "h w"] | None = None) -> Moments:
    """The moments of a picture's features, or of a region's, where `weights` is above zero."""
    flat = _wide(maps.flatten(2)[0])
    if weights is None:
        places = flat.new_tensor(float(flat.shape[1]))
        return Moments(flat.sum(1), flat @ flat.T, places)
    weighed = flat * weights.flatten()
    return Moments(weighed.sum(1), weighed @ flat.T, weights.sum())


def gram_distance(own: Moments, target: Moments) -> Float[Tensor, ""]:
    """Squared difference of the second moments over the target's square: 0 for equal ones, 1 for a black picture.

    Source: arXiv 1508.06576, equations 4 and 5, without their sizes.
    """
    wanted = target.second
    return (own.second - wanted).square().sum() / wanted.square().sum().clamp(min=TINY)


def wasserstein(own: Moments, target: Moments, *, ridge: float = 0.0) -> Float[Tensor, ""]:
    """Squared 2-Wasserstein distance of Gaussians with these moments, over the target's second moment.

    With S and T the covariances, m and t the means: |m - t|^2 + tr(S + T - 2 (T^1/2 S T^1/2)^1/2).

    Args:
        own: of the painting.
        target: of the manner.
        ridge: share of T's average variance that is added to every variance of both; without one, the distance
            itself, in 64 bits.

    Source: Olkin and Pukelsheim, 1982 (the distance).
    """
    wide = (Moments(*(each.double() for each in moments)) for moments in (target, own))
    return Wasserstein(next(wide), ridge)(next(wide)).to(own.features.dtype)


class Wasserstein:
    """The distance to one manner, whose root is taken once for all looks."""

    def __init__(self, target: Moments, ridge: float = RIDGE) -> None:
        covariance = target.covariance
        self.mean = target.mean
        self.added = ridge * covariance.diagonal().mean().clamp(min=TINY) * _one(covariance)
        self.covariance = covariance + self.added
        self.root = _root(self.covariance)
        self.scale = target.second.diagonal().sum().clamp(min=TINY)

    def __call__(self, own: Moments) -> Float[Tensor, ""]:
        """How far these moments are from it."""
        covariance = own.covariance + self.added
        crossed = _sure(torch.linalg.eigvalsh, self.root @ covariance @ self.root)
        spread = covariance.diagonal().sum() + self.covariance.diagonal().sum()
        spread = spread - 2 * crossed.clamp(min=TINY).sqrt().sum()
        shift = (own.mean - self.mean).square().sum()
        apart: Tensor = shift + spread.clamp(min=0)
        return apart / self.scale


def content_distance(
    maps: Float[Tensor, "n c h w"],
    wanted: Float[Tensor, "n c h w"],
    weights: Float[Tensor, "h w"] | None = None,
) -> Float[Tensor, ""]:
    """Squared difference of features, place by place, over the square of those wanted."""
    apart = _wide(maps - wanted).square().sum(1)
    scale = _wide(wanted).square().sum(1)
    if weights is not None:
        apart, scale = apart * weights, scale * weights
    return apart.sum() / scale.sum().clamp(min=TINY)


def total_variation(
    pictures: Float[Tensor, "n 3 h w"],
) -> Float[Tensor, ""]:
    """Average squared difference of neighbouring pixels, along rows and along columns."""
    across = (pictures[..., 1:] - pictures[..., :-1]).square()
    down = (pictures[..., 1:, :] - pictures[..., :-1, :]).square()
    return sum((d.mean() for d in (across, down) if d.numel()), pictures.new_zeros(()))


def published_gram(maps: Float[Tensor, "1 c h w"]) -> Float[Tensor, "c c"]:
    """Sums of the features' products over all places."""
    flat = maps.flatten(2)[0]
    return flat @ flat.T


def published_style(
    maps: Float[Tensor, "1 c h w"], wanted: Float[Tensor, "c c"]
) -> Float[Tensor, ""]:
    """Mean squared difference of Gram matrices over the number of the features.

    Source: arXiv 1508.06576, equation 4, as the plain loop of 2016 scales it.
    """
    return (published_gram(maps) - wanted).square().mean() / maps[0].numel()


def published_content(
    maps: Float[Tensor, "1 c h w"], wanted: Float[Tensor, "1 c h w"]
) -> Float[Tensor, ""]:
    """Mean squared difference of features.

    Source: arXiv 1508.06576, equation 1, as the plain loop of 2016 scales it.
    """
    return (maps - wanted).square().mean()


def _wide(maps: Tensor) -> Tensor:
    """At least 32 bits: sums over many places want them."""
    return maps.to(torch.promote_types(maps.dtype, torch.float32))


def _one(like: Float[Tensor, "c c"]) -> Float[Tensor, "c c"]:
    return torch.eye(len(like), dtype=like.dtype, device=like.device)


def _sure(decompose: Callable[[Tensor], D], matrix: Float[Tensor, "c c"]) -> D:
    """A decomposition; of flat pictures, whose matrices are rounding errors, that of one which is a little apart."""
    try:
        return decompose(matrix)
    except RuntimeError:  # torch's LinAlgError, which it does not name in public
        apart = SURE * matrix.detach().abs().max().clamp(min=TINY)
        return decompose(matrix + apart * torch.diag(torch.linspace(1, 2, len(matrix)).to(matrix)))


def _root(matrix: Float[Tensor, "c c"]) -> Float[Tensor, "c c"]:
    values, vectors = _sure(torch.linalg.eigh, matrix)
    root: Tensor = vectors * values.clamp(min=0).sqrt() @ vectors.T
    return root
