"""Autoencoder: pictures through a narrow place and back.

With noise added to what it is shown, and not to what it is to give back, it is a denoising one.

Source: Hinton and Salakhutdinov, Reducing the dimensionality of data with neural networks, 2006; denoising: Vincent et
al., Extracting and composing robust features with denoising autoencoders, 2008.
"""

from typing import Any, Literal

from jaxtyping import Float
from pydantic import NonNegativeFloat
from torch import Tensor

from impasto.config import configuration
from impasto.families.autoencoding import Autoencoding, CommonConfig
from impasto.families.base import Batch, Scalars, Tiny
from impasto.losses.reconstruction import cross_entropy, squared_error
from impasto.types import ImageShape, Progress


@configuration
class AutoencoderConfig(CommonConfig):
    """An autoencoder's shape and how it is trained."""

    name: Literal["autoencoder"] = "autoencoder"
    reconstruction: Literal["mse", "bce"] = "mse"  # squared error, or cross-entropy of [0, 1]
    noise: NonNegativeFloat = (
        0.0  # deviation of what is added to pictures in [-1, 1] and is to be taken out
    )


class PlainAutoencoder(Autoencoding):
    """The smallest error of what comes back."""

    config: AutoencoderConfig
    variances = False
    tiny = Tiny(AutoencoderConfig(latents=8, width=8, learning_rate=2e-3), ImageShape(3, 16))

    @classmethod
    def logits(cls, config: Any) -> bool:
        """Cross-entropy is of logits."""
        return bool(config.reconstruction == "bce")

    def objective(
        self, batch: Batch, progress: Progress
    ) -> tuple[Float[Tensor, ""], Float[Tensor, "n z"], Scalars]:
        """The mean error of pictures from codes of pictures, noisy or not."""
        network, images = self.network, batch.images
        codes, _ = network.encode(self._spoilt(images, progress), batch.known)
        decoded = network.decoder(codes, batch.known)
        error = (cross_entropy if self.logits(self.config) else squared_error)(decoded, images)
        loss = error.mean()
        return loss, codes, {"reconstruction_loss": loss.detach()}

    def _spoilt(
        self, images: Float[Tensor, "n c h w"], progress: Progress
    ) -> Float[Tensor, "n c h w"]:
        if not self.config.noise:
            return images
        noise = self.streams.normal("spoiling", progress.images_seen, tuple(images.shape))
        return images + self.config.noise * noise
