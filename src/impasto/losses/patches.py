"""Hinge losses over the patches of pictures, and how much they may weigh: pure functions of what was said."""

import torch
from jaxtyping import Float
from torch import Tensor

HEAVIEST = 1e4  # that the adaptive weight goes to


def patch_discriminator_loss(
    real_logits: Float[Tensor, "n h w"], fake_logits: Float[Tensor, "n h w"]
) -> Float[Tensor, ""]:
    """Half of max(0, 1 - real) + max(0, 1 + fake), a mean over patches.

    Source: arXiv 1705.02894, equation 3; halved as in arXiv 2012.09841.
    """
    real, fake = torch.relu(1 - real_logits.float()), torch.relu(1 + fake_logits.float())
    return (real.mean() + fake.mean()) / 2


def patch_generator_loss(fake_logits: Float[Tensor, "n h w"]) -> Float[Tensor, ""]:
    """Minus the mean of what was said of fakes."""
    return -fake_logits.float().mean()


def adaptive_weight(
    reconstruction: Float[Tensor, ""], adversarial: Float[Tensor, ""], last: Tensor
) -> Float[Tensor, ""]:
    """The weight under which both losses pull equally hard at the decoder's last layer.

    Args:
        reconstruction: the loss that the other is weighed against.
        adversarial: the loss that is weighed.
        last: the weights of the decoder's last layer.

    Source: arXiv 2012.09841, equation 7.
    """
    (towards_picture,) = torch.autograd.grad(reconstruction, last, retain_graph=True)
    (towards_belief,) = torch.autograd.grad(adversarial, last, retain_graph=True)
    ratio = towards_picture.norm() / (towards_belief.norm() + 1e-4)
    weight: Tensor = ratio.clamp(0, HEAVIEST).detach()
    return weight
