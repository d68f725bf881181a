"""What a code costs that is to follow a standard normal distribution: pure functions of its parameters."""

from jaxtyping import Float
from torch import Tensor


def kl_to_standard(
    mean: Float[Tensor, "n z"], log_variance: Float[Tensor, "n z"]
) -> Float[Tensor, "n z"]:
    """KL(N(mean, variance) | N(0, 1)) of every latent, in nats.

    Source: arXiv 1312.6114, appendix B.
    """
    mean, log_variance = mean.float(), log_variance.float()
    return 0.5 * (mean.square() + log_variance.exp() - 1 - log_variance)


def with_free_bits(divergences: Float[Tensor, "n z"], free: float) -> Float[Tensor, ""]:
    """The divergence of a code, of which every latent has so many nats free; a batch mean.

    A latent whose divergence is below that, on average over the batch, is not pushed further down.

    Source: arXiv 1606.04934, equation 15.
    """
    return divergences.mean(0).clamp_min(free).sum()
