"""Conditional variational autoencoder: a VAE that is told what it draws.

What is known of a picture (a class, a mark, a number; or nothing) is joined to the latents at the decoder's
input, and if asked for at every layer, and to what the encoder sees. The latents are then free to hold what
is not known, and a picture can be drawn with what one asks for.

Source: Sohn et al., Learning structured output representation using deep conditional generative models, 2015.
"""

from typing import Literal

from jaxtyping import Float
from torch import Tensor, nn

from impasto.attributes import Attribute, width_of
from impasto.config import configuration
from impasto.families.base import Batch, Scalars, Tiny
from impasto.families.vae import VAE, VAEConfig
from impasto.nn.autoencoding import Decoder, Encoder
from impasto.types import ImageShape, Progress, Share


@configuration
class ConditionalVAEConfig(VAEConfig):
    """A conditional variational autoencoder's shape and how it is trained."""

    name: Literal["conditional_vae"] = "conditional_vae"  # type: ignore[assignment]
    condition: tuple[str, ...] = ()  # names of attributes; all that the pictures have by default
    attributes: tuple[Attribute, ...] = ()  # found out from the pictures when a run begins
    at_every_layer: bool = False  # of the decoder, not only at its input
    at_encoder: bool = False
    # Of pictures that are trained on as if nothing were known of them, so that others can be coded too.
    hidden: Share = 0.1


class ConditionalVAE(VAE):
    """The evidence bound of pictures, given what is known of them."""

    config: ConditionalVAEConfig
    conditional = True
    tiny = Tiny(
        ConditionalVAEConfig(
            latents=8, width=8, learning_rate=2e-3, at_every_layer=True, at_encoder=True
        ),
        ImageShape(3, 16),
    )

    def objective(
        self, batch: Batch, progress: Progress
    ) -> tuple[Float[Tensor, ""], Float[Tensor, "n z"], Scalars]:
        """Minus the evidence bound, given what is known and not hidden."""
        shape = (len(batch.images), 1)
        shown = self.streams.uniform("hidden", progress.images_seen, shape) >= self.config.hidden
        return super().objective(Batch(batch.images, batch.known * shown), progress)

    @classmethod
    def networks(cls, config: ConditionalVAEConfig, shape: ImageShape) -> dict[str, nn.Module]:
        """The encoder and the decoder."""
        known = width_of(config.attributes)
        everywhere, seen = known * config.at_every_layer, known * config.at_encoder
        return {
            "encoder": Encoder(shape, config.width, 2 * config.latents, seen),
            "decoder": Decoder(shape, config.width, config.latents + known, everywhere),
        }
