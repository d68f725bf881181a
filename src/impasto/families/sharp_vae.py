"""Sharp variational autoencoder: latents that keep their place, and a loss that minds how pictures look.

Absolute error, a perceptual distance, a faint divergence, and a discriminator that judges patches. The
discriminator's share of the gradient is set at every step to that of the rest, so that no weight has to be
found; it begins when pictures come back tolerably, after a share of the run.

Source: arXiv 2112.10752, appendix G; the adaptive weight is arXiv 2012.09841, equation 7.
"""

from collections.abc import Mapping
from typing import Literal

import torch
from jaxtyping import Float
from pydantic import NonNegativeFloat, NonNegativeInt, PositiveFloat, PositiveInt
from torch import Tensor, nn

from impasto.config import configuration
from impasto.errors import ConfigError
from impasto.families.autoencoding import Autoencoding
from impasto.families.base import Batch, Scalars, Tiny
from impasto.losses.latent import kl_to_standard
from impasto.losses.patches import adaptive_weight, patch_discriminator_loss, patch_generator_loss
from impasto.nn.autoencoding import PatchDiscriminator, SpatialDecoder, SpatialEncoder
from impasto.nn.blocks import placed
from impasto.nn.perception import Perception
from impasto.nn.player import Player, adam, below
from impasto.schedules import Cosine, Schedule
from impasto.seeds import Streams, seeded
from impasto.types import ImageShape, Progress, Share


@configuration
class SharpVAEConfig:
    """A sharp variational autoencoder's shape and how it is trained."""

    name: Literal["sharp_vae"] = "sharp_vae"
    halvings: PositiveInt = 3  # from a picture's side to that of the map of latents
    channels: PositiveInt = 8  # of the map
    width: PositiveInt = 32  # channels beside the picture; doubled towards the latents
    # Of the perceptual distance beside the absolute error; 0 needs no published weights.
    perceptual: NonNegativeFloat = 1.0
    divergence: NonNegativeFloat = 1e-6  # weight of a picture's whole divergence, in nats
    adversarial: NonNegativeFloat = 0.5  # of the adaptive weight; 0 for no discriminator's part
    adversarial_start: Share = 0.3  # of the budget, before which only the rest is gone down
    discriminator_width: PositiveInt = 32
    learning_rate: PositiveFloat = 5e-4
    betas: tuple[float, float] = (0.5, 0.9)  # of Adam
    schedule: Schedule = Cosine(final=0.1)
    ema_half_life: NonNegativeInt = 10_000  # images; 0 takes the last weights instead


class SharpVAE(Autoencoding):
    """An autoencoder and the discriminator of its patches."""

    config: SharpVAEConfig
    tiny = Tiny(
        SharpVAEConfig(
            halvings=2,
            channels=2,
            width=8,
            perceptual=0,
            discriminator_width=8,
            adversarial_start=0,
        ),
        ImageShape(3, 16),
    )

    @classmethod
    def latents_of(cls, config: SharpVAEConfig, shape: ImageShape) -> int:
        """Numbers in the map."""
        side = shape.size >> config.halvings
        return config.channels * side * side

    @classmethod
    def networks(cls, config: SharpVAEConfig, shape: ImageShape) -> dict[str, nn.Module]:
        """The encoder, the decoder and the discriminator of patches.

        Raises:
            ConfigError: pictures cannot be halved so often.
        """
        if shape.size >> config.halvings < 2:
            raise ConfigError(
                f"family.halvings: {config.halvings}: pictures of {shape.size} pixels cannot be halved so often; "
                "take fewer"
            )
        return {
            "encoder": SpatialEncoder(shape, config.width, config.channels, config.halvings),
            "decoder": SpatialDecoder(shape, config.width, config.channels, config.halvings),
            "discriminator": PatchDiscriminator(shape, config.discriminator_width),
        }

    def __init__(self, config: SharpVAEConfig, shape: ImageShape, streams: Streams) -> None:
        super().__init__(config, shape, streams)
        with seeded(streams.seed, "discriminator"):
            judge = self.networks(config, shape)["discriminator"]
        placed(judge, streams.device)
        self.discriminator = Player(judge, adam(judge, config.learning_rate, config.betas))
        self.perception = Perception(streams.device) if config.perceptual else None

    def step(self, batch: Batch, progress: Progress) -> Scalars:
        """The autoencoder once, then the discriminator once, on one batch."""
        config, seen, count = self.config, progress.images_seen, len(batch.images)
        network, images = self.network, batch.images
        rate = config.learning_rate * config.schedule.factor(progress)
        loss, codes, decoded, told = self._seen(batch, progress)
        begun = config.adversarial > 0 and progress.fraction >= config.adversarial_start
        belief, weight = loss.new_zeros(()), loss.new_zeros(())
        if begun:
            belief = patch_generator_loss(self.discriminator.network(decoded))
            decoder = network.decoder
            assert isinstance(decoder, SpatialDecoder)
            weight = config.adversarial * adaptive_weight(told["seen"], belief, decoder.last.weight)
        self.autoencoder.descend(loss + weight * belief, learning_rate=rate)
        judged = loss.new_zeros(())
        if begun:
            judge = self.discriminator.network
            judged = self.discriminator.descend(
                patch_discriminator_loss(judge(images), judge(decoded.detach())),
                learning_rate=rate,
            )
        self.autoencoder.average(seen, count * self.streams.processes)
        self._remember(codes.detach(), seen)
        return {
            "reconstruction_loss": (decoded.detach() - images).square().mean(),
            "perceptual_loss": told["perceptual"].detach(),
            "generator_loss": belief.detach(),
            "discriminator_loss": judged,
            "adversarial_weight": weight,
            "divergence": told["divergence"].detach(),
            "autoencoder_gradient_norm": self.autoencoder.gradient_norm,
            "autoencoder_update_ratio": self.autoencoder.update_ratio,
            "autoencoder_learning_rate": rate,
            "skipped_steps": (self.autoencoder.skipped + self.discriminator.skipped) / 2,
        }

    def objective(
        self, batch: Batch, progress: Progress
    ) -> tuple[Float[Tensor, ""], Float[Tensor, "n z"], Scalars]:
        """What is gone down beside the discriminator's part."""
        loss, codes, _, told = self._seen(batch, progress)
        return loss, codes, {name: value.detach() for name, value in told.items()}

    def state(self) -> dict[str, Tensor]:
        """Everything that the next step depends on."""
        told = self.discriminator.state()
        return super().state() | {f"discriminator/{path}": value for path, value in told.items()}

    def restore(self, state: Mapping[str, Tensor]) -> None:
        """Becomes the family whose `state` this was."""
        super().restore(state)
        self.discriminator.restore(below(state, "discriminator"))

    def _seen(
        self, batch: Batch, progress: Progress
    ) -> tuple[
        Float[Tensor, ""], Float[Tensor, "n z"], Float[Tensor, "n c h w"], dict[str, Tensor]
    ]:
        """What is gone down without the discriminator, the codes' means, the pictures, and the parts."""
        network, config, images = self.network, self.config, batch.images
        mean, log_variance = network.encode(images, batch.known)
        noise = self.streams.normal("latents", progress.images_seen, tuple(mean.shape))
        decoded = network.decoder(mean + torch.exp(log_variance / 2) * noise, batch.known)
        perceptual = images.new_zeros(())
        if self.perception is not None:
            perceptual = self.perception.distance(decoded, images).mean()
        seen = (decoded - images).abs().mean() + config.perceptual * perceptual
        divergence = kl_to_standard(mean, log_variance).sum(1).mean()
        told = {"seen": seen, "perceptual": perceptual, "divergence": divergence}
        return seen + config.divergence * divergence, mean, decoded, told
