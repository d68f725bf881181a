"""The fully connected GAN of 2014: three dense layers a side.

Source: arXiv 1406.2661; sizes and rates as in the widely followed walk-through on digits.
"""

from typing import Literal

from jaxtyping import Float
from pydantic import NonNegativeInt, PositiveFloat, PositiveInt
from torch import Tensor, nn

from impasto.attributes import Attribute, width_of
from impasto.config import configuration
from impasto.families.base import Batch, Scalars, Tiny
from impasto.families.gan import GAN
from impasto.losses.adversarial import discriminator_loss, generator_loss
from impasto.nn.blocks import beside, joined
from impasto.nn.ema import Ema
from impasto.nn.player import Player, adam
from impasto.schedules import Constant, Schedule
from impasto.seeds import Streams, seeded
from impasto.types import ImageShape, Progress, Share


@configuration
class MLPGANConfig:
    """A fully connected GAN's shape and how it is trained."""

    name: Literal["mlp_gan"] = "mlp_gan"
    latents: PositiveInt = 64
    width: PositiveInt = 256  # of both hidden layers, in both players
    learning_rate: PositiveFloat = 2e-4
    discriminator_pace: PositiveFloat = 1.0  # its learning rate as a multiple of the generator's
    betas: tuple[Share, Share] = (0.9, 0.999)  # of Adam
    condition: tuple[str, ...] = ()  # names of attributes that both networks are told
    attributes: tuple[Attribute, ...] = ()  # found out from the pictures when a run begins
    schedule: Schedule = Constant()
    ema_half_life: NonNegativeInt = 10_000  # images; 0 draws from the last weights instead


class Generator(nn.Module):
    """Latents to pictures through two hidden layers."""

    def __init__(self, config: MLPGANConfig, shape: ImageShape) -> None:
        super().__init__()
        self.shape = shape
        self.layers = nn.Sequential(
            nn.Linear(config.latents + width_of(config.attributes), config.width),
            nn.ReLU(inplace=True),
            nn.Linear(config.width, config.width),
            nn.ReLU(inplace=True),
            nn.Linear(config.width, shape.channels * shape.size**2),
            nn.Sigmoid(),
        )

    def forward(self, latents: Float[Tensor, "n z"]) -> Float[Tensor, "n c h w"]:
        """Pictures in [-1, 1]; the published output, in [0, 1], is stretched to it."""
        unit: Tensor = self.layers(latents)
        return (2 * unit - 1).view(-1, self.shape.channels, self.shape.size, self.shape.size)


class Discriminator(nn.Module):
    """Pictures to one logit each; positive means real."""

    def __init__(self, config: MLPGANConfig, shape: ImageShape) -> None:
        super().__init__()
        self.channels = shape.channels
        inputs = shape.channels * shape.size**2 + width_of(config.attributes)
        self.layers = nn.Sequential(
            nn.Linear(inputs, config.width),
            nn.LeakyReLU(0.2, inplace=True),
            nn.Linear(config.width, config.width),
            nn.LeakyReLU(0.2, inplace=True),
            nn.Linear(config.width, 1),
        )

    def forward(self, images: Float[Tensor, "n c h w"]) -> Float[Tensor, " n"]:
        """Logits; the published network reads pixels in [0, 1], and so does this one inside.

        What is known stands beside the pictures as constant channels, and is read once.
        """
        pixels, known = images[:, : self.channels], images[:, self.channels :, 0, 0]
        out: Tensor = self.layers(joined((pixels.flatten(1) + 1) / 2, known))
        return out.flatten()


class MLPGAN(GAN):
    """The game of arXiv 1406.2661 between two dense networks.

    Differs: the generator's step uses the fake batch of the discriminator's step, as published for
    the digits.
    """

    config: MLPGANConfig
    tiny = Tiny(
        MLPGANConfig(latents=8, width=32, learning_rate=1e-3, betas=(0.5, 0.9)), ImageShape(1, 8)
    )

    @classmethod
    def networks(cls, config: MLPGANConfig, shape: ImageShape) -> dict[str, nn.Module]:
        """The two networks, freshly initialised."""
        return {
            "generator": Generator(config, shape),
            "discriminator": Discriminator(config, shape),
        }

    def __init__(self, config: MLPGANConfig, shape: ImageShape, streams: Streams) -> None:
        self.config, self.shape, self.streams = config, shape, streams
        with seeded(streams.seed, "weights"):
            networks = self.networks(config, shape)
        generator, discriminator = (n.to(streams.device) for n in networks.values())
        ema = Ema(generator, config.ema_half_life) if config.ema_half_life else None
        self.generator = Player(
            generator, adam(generator, config.learning_rate, config.betas), ema=ema
        )
        self.discriminator = Player(
            discriminator, adam(discriminator, config.learning_rate, config.betas)
        )

    def step(self, batch: Batch, progress: Progress) -> Scalars:
        """Both players once, on one batch of reals and one of fakes."""
        config, generator, discriminator = self.config, self.generator, self.discriminator
        g_rate = config.learning_rate * config.schedule.factor(progress)
        d_rate = g_rate * config.discriminator_pace
        count, seen = len(batch.images), progress.images_seen

        known = batch.known
        latents = self.streams.normal("latents", seen, (count, config.latents))
        fake = beside(generator.network(joined(latents, known)), known)
        real_logits = discriminator.network(beside(batch.images, known))
        before = discriminator.network(fake.detach())
        d_loss = discriminator.descend(
            discriminator_loss(real_logits, before), learning_rate=d_rate
        )

        after = discriminator.network(fake)
        g_loss = generator.descend(generator_loss(after), learning_rate=g_rate)
        generator.average(seen, count * self.streams.processes)

        return self.told(
            losses=(g_loss, d_loss),
            logits=(real_logits, before, after),
            learning_rates=(g_rate, d_rate),
        )
