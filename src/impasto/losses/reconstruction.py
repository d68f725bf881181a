"""What it costs to decode a picture as another one: pure functions of both."""

import math

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn.functional import binary_cross_entropy_with_logits

LEAST_LOG_SIGMA = (
    -6.0
)  # of pixels in [-1, 1]; below it, a perfect reconstruction would be worth anything


def squared_error(
    decoded: Float[Tensor, "n c h w"], images: Float[Tensor, "n c h w"]
) -> Float[Tensor, " n"]:
    """The mean squared difference of each picture's values."""
    return (decoded.float() - images.float()).square().mean((1, 2, 3))


def cross_entropy(
    logits: Float[Tensor, "n c h w"], images: Float[Tensor, "n c h w"]
) -> Float[Tensor, " n"]:
    """The mean binary cross-entropy of each picture's values, brought from [-1, 1] to [0, 1]; nats."""
    told = binary_cross_entropy_with_logits(
        logits.float(), (images.float() + 1) / 2, reduction="none"
    )
    return told.mean((1, 2, 3))


def log_sigma(mean_squared_error: Float[Tensor, ""]) -> Float[Tensor, ""]:
    """The log of the deviation under which reconstructions with this error are likeliest, floored.

    Source: arXiv 2006.13202, section 3.2.
    """
    return (mean_squared_error.clamp_min(1e-20).log() / 2).clamp_min(LEAST_LOG_SIGMA)


def gaussian_surprise(
    squared_errors: Float[Tensor, " n"], log_sigma: Float[Tensor, ""], values: int
) -> Float[Tensor, " n"]:
    """Minus the log-likelihood of each picture under a Gaussian around what was decoded; nats.

    Args:
        squared_errors: means over a picture's values.
        log_sigma: the log of the Gaussian's deviation, the same for every value.
        values: numbers in a picture.
    """
    scaled = squared_errors * torch.exp(-2 * log_sigma)
    return values * (0.5 * scaled + log_sigma + 0.5 * math.log(2 * math.pi))
