"""Variational autoencoder with a calibrated decoder: no weight between reconstruction and divergence to tune.

The decoder tells a mean; its deviation is, at every step, the one under which the batch is likeliest. The
evidence bound then has both terms in nats, and neither needs a factor.

Source: arXiv 1312.6114; the calibrated decoder: arXiv 2006.13202.
"""

from typing import Any, Literal

import torch
from jaxtyping import Float
from pydantic import NonNegativeFloat
from torch import Tensor

from impasto.config import configuration
from impasto.families.autoencoding import Autoencoding, CommonConfig
from impasto.families.base import Batch, Scalars, Tiny
from impasto.families.coder import Autoencoder
from impasto.losses.latent import kl_to_standard, with_free_bits
from impasto.losses.reconstruction import gaussian_surprise, log_sigma, squared_error
from impasto.nn.collectives import global_sum
from impasto.types import ImageShape, Lever, Progress, Share

LEAST_FREED, MOST_FREED = 0.05, 0.4  # nats of a latent that a remedy makes free
# Variance of a latent's mean over pictures above which it is in use; source: arXiv 1509.00519, appendix C.
ACTIVE = 0.01


@configuration
class VAEConfig(CommonConfig):
    """A variational autoencoder's shape and how it is trained."""

    name: Literal["vae"] = "vae"
    # Share of the budget over which the divergence comes to its full weight, against posterior collapse.
    warm_up: Share = 0.1
    free_nats: NonNegativeFloat = 0.0  # of each latent, below which its divergence costs nothing


class VAE(Autoencoding):
    """The evidence bound of pictures."""

    config: VAEConfig
    tiny = Tiny(VAEConfig(latents=8, width=8, learning_rate=2e-3), ImageShape(3, 16))

    def objective(
        self, batch: Batch, progress: Progress
    ) -> tuple[Float[Tensor, ""], Float[Tensor, "n z"], Scalars]:
        """Minus the evidence bound by value of a picture, in nats."""
        network, images, known = self.network, batch.images, batch.known
        mean, log_variance = network.encode(images, known)
        noise = self.streams.normal("latents", progress.images_seen, tuple(mean.shape))
        decoded = network.decoder(mean + torch.exp(log_variance / 2) * noise, known)

        errors, values = squared_error(decoded, images), images[0].numel()
        calibrated = log_sigma(_everywhere(errors.detach().mean(), self.streams.processes))
        surprise = gaussian_surprise(errors, calibrated, values).mean()
        divergences = kl_to_standard(mean, log_variance)
        divergence = with_free_bits(divergences, self.config.free_nats)
        loss = (surprise + self.weight(progress) * divergence) / values
        return (
            loss,
            mean,
            {
                "reconstruction_loss": errors.detach().mean(),
                "bound_loss": ((surprise + divergences.sum(1).mean()) / values).detach(),
                "divergence": divergences.detach().sum(1).mean(),
                "sigma": calibrated.exp(),
            },
        )

    @classmethod
    def relief(cls, config: VAEConfig, lever: Lever) -> dict[str, Any]:
        """The learning rate, and how much divergence is free."""
        if lever == "free codes":
            freed = min(max(2 * config.free_nats, LEAST_FREED), MOST_FREED)
            return {} if freed == config.free_nats else {"free_nats": freed}
        return super().relief(config, lever)

    def weight(self, progress: Progress) -> float:
        """Of the divergence: up to 1 over the warm-up.

        Source: arXiv 1511.06349, section 3.1.
        """
        return min(1.0, progress.fraction / self.config.warm_up) if self.config.warm_up else 1.0

    def _told(self, network: Autoencoder, real: Batch, held_out: Batch) -> dict[str, float]:
        """Beside how well pictures come back: how many latents are in use, and how far codes are from the prior."""
        mean, log_variance = network.encode(real.images, real.known)
        spread = mean.var(0)
        whole = spread + log_variance.exp().mean(0)  # of codes drawn from the posteriors
        active = spread > ACTIVE
        told = {
            "active_latents": float(active.float().mean()),
            "divergence_a_latent": float(kl_to_standard(mean, log_variance).mean()),
        }
        if active.any():
            told["prior_mismatch"] = float(
                (whole[active].log().abs() + mean.mean(0)[active].square()).mean()
            )
        return super()._told(network, real, held_out) | told


def _everywhere(value: Float[Tensor, ""], processes: int) -> Float[Tensor, ""]:
    """The mean over all processes."""
    return global_sum(value.clone()) / processes if processes > 1 else value
