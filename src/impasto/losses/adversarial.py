"""Adversarial losses, on logits: pure functions of what the discriminator said."""

from jaxtyping import Float
from torch import Tensor
from torch.nn.functional import binary_cross_entropy_with_logits, softplus


def discriminator_loss(
    real_logits: Float[Tensor, " n"], fake_logits: Float[Tensor, " m"]
) -> Float[Tensor, ""]:
    """-log sigmoid(real) - log(1 - sigmoid(fake)), each a mean over its batch.

    Source: arXiv 1406.2661, equation 1.
    """
    return softplus(-real_logits.float()).mean() + softplus(fake_logits.float()).mean()


def generator_loss(fake_logits: Float[Tensor, " n"]) -> Float[Tensor, ""]:
    """-log sigmoid(fake), a mean over the batch: the non-saturating form.

    Source: arXiv 1406.2661, section 3, last paragraph.
    """
    return softplus(-fake_logits.float()).mean()


def soft_label_loss(logits: Float[Tensor, " n"], targets: Float[Tensor, " n"]) -> Float[Tensor, ""]:
    """Binary cross-entropy against targets that may lie a little outside 0 and 1, a batch mean."""
    return binary_cross_entropy_with_logits(logits.float(), targets)
