"""What a discriminator pays for being steep: pure functions of pictures and what was said of them."""

import torch
from jaxtyping import Float
from torch import Tensor


def r1_penalty(
    real_logits: Float[Tensor, " n"], real_images: Float[Tensor, "n c h w"]
) -> Float[Tensor, ""]:
    """The squared length of the logit's slope at real pictures, a mean over the batch.

    Weigh it by gamma / 2; of lazy regularisation every k steps, by k times as much.

    Args:
        real_logits: computed from `real_images`, each from its own picture only: not through batch norm.
        real_images: with gradients enabled.

    Source: arXiv 1801.04406, equation 9; lazy: arXiv 1912.04958, appendix B.
    """
    (slope,) = torch.autograd.grad(real_logits.float().sum(), real_images, create_graph=True)
    return slope.square().sum((1, 2, 3)).mean()
