"""A convolutional GAN with the bag of tricks that was advised before normalisation took over.

Dropout in the discriminator, noise on its labels, reals and fakes in one batch, gradients clipped by
value, kernels divisible by their stride.

Source: the convolutional GAN for CIFAR-10 frogs widely taught with Keras; its layers, rates and
Keras's own defaults (Glorot uniform weights, RMSprop with rho 0.9 and epsilon 1e-7).
"""

from typing import Annotated, Any, Literal

import torch
from jaxtyping import Float
from pydantic import Field, NonNegativeFloat, NonNegativeInt, PositiveFloat, PositiveInt
from torch import Tensor, nn
from torch.optim import RMSprop

from impasto.attributes import Attribute, width_of
from impasto.config import configuration
from impasto.errors import ConfigError
from impasto.families.base import Batch, Scalars, Tiny
from impasto.families.gan import BRISK_RATE, CALM_RATE, GAN, QUICKEST_RATE, SLOWEST_RATE
from impasto.losses.adversarial import generator_loss, soft_label_loss
from impasto.nn.blocks import beside, joined, placed
from impasto.nn.ema import Ema
from impasto.nn.player import Player
from impasto.schedules import InverseTime, Schedule
from impasto.seeds import Streams, seeded
from impasto.types import ImageShape, Lever, Progress

SLOPE = 0.3  # of the leaky ReLUs
MOST_DROPOUT = 0.7  # that a remedy goes to


@configuration
class TrickGANConfig:
    """The tricks, and how much of each."""

    name: Literal["trick_gan"] = "trick_gan"
    latents: PositiveInt = 32
    width: PositiveInt = 128  # channels of the discriminator, and of the generator's first layer
    dropout: Annotated[float, Field(ge=0, lt=1)] = 0.4  # share of the discriminator's last features
    label_noise: NonNegativeFloat = 0.05  # width of the uniform noise on labels
    discriminator_learning_rate: PositiveFloat = 8e-4
    generator_learning_rate: PositiveFloat = 4e-4
    clip_value: PositiveFloat = 1.0  # bound on every component of a gradient
    condition: tuple[str, ...] = ()  # names of attributes that both networks are told
    attributes: tuple[Attribute, ...] = ()  # found out from the pictures when a run begins
    schedule: Schedule = InverseTime(decay=1e-8, batch=20)
    ema_half_life: NonNegativeInt = 10_000  # images; 0 draws from the last weights instead


class Generator(nn.Module):
    """Latents to pictures: a dense layer at half the side, one doubling, large kernels around it."""

    def __init__(self, config: TrickGANConfig, shape: ImageShape) -> None:
        super().__init__()
        width, half = config.width, shape.size // 2
        inputs = config.latents + width_of(config.attributes)
        self.dense = nn.Linear(inputs, width * half * half)
        self.grid = (width, half, half)
        self.layers = nn.Sequential(
            nn.LeakyReLU(SLOPE),
            nn.Conv2d(width, 2 * width, 5, padding=2),
            nn.LeakyReLU(SLOPE, inplace=True),
            nn.ConvTranspose2d(2 * width, 2 * width, 4, stride=2, padding=1),
            nn.LeakyReLU(SLOPE, inplace=True),
            nn.Conv2d(2 * width, 2 * width, 5, padding=2),
            nn.LeakyReLU(SLOPE, inplace=True),
            nn.Conv2d(2 * width, 2 * width, 5, padding=2),
            nn.LeakyReLU(SLOPE, inplace=True),
            nn.Conv2d(2 * width, shape.channels, 7, padding=3),
            nn.Tanh(),
        )
        self.apply(initialise)

    def forward(self, latents: Float[Tensor, "n z"]) -> Float[Tensor, "n c h w"]:
        """Pictures in [-1, 1]."""
        out: Tensor = self.layers(self.dense(latents).view(-1, *self.grid))
        return out


class Discriminator(nn.Module):
    """Pictures to one logit each; positive means real."""

    def __init__(self, config: TrickGANConfig, shape: ImageShape) -> None:
        super().__init__()
        width, inputs = config.width, shape.channels + width_of(config.attributes)
        layers: list[nn.Module] = [nn.Conv2d(inputs, width, 3), nn.LeakyReLU(SLOPE)]
        for _ in range(3):
            layers += [nn.Conv2d(width, width, 4, stride=2), nn.LeakyReLU(SLOPE)]
        self.layers = nn.Sequential(*layers, nn.Flatten())
        self.dense = nn.Linear(width * last_side(shape.size) ** 2, 1)
        self.apply(initialise)

    def forward(
        self, images: Float[Tensor, "n c h w"], keep: Float[Tensor, "n f"] | None = None
    ) -> Float[Tensor, " n"]:
        """Logits.

        Args:
            images: pictures in [-1, 1], with what is known beside them.
            keep: what features are multiplied by, 0 for those that are dropped; 1 by default.
        """
        features = self.layers(images)
        if keep is not None:
            features = features * keep
        out: Tensor = self.dense(features)
        return out.flatten()


def initialise(module: nn.Module) -> None:
    """Draws a layer's weights as Keras does: Glorot uniform, biases zero."""
    if isinstance(module, nn.Conv2d | nn.ConvTranspose2d | nn.Linear):
        nn.init.xavier_uniform_(module.weight)
        if module.bias is not None:
            nn.init.zeros_(module.bias)


def last_side(side: int) -> int:
    """The side of the discriminator's last feature map."""
    side -= 2
    for _ in range(3):
        side = (side - 4) // 2 + 1
    if side < 1:
        raise ConfigError(
            "data.size: trick_gan needs pictures of at least 24 pixels; use 32, or another family"
        )
    return side


class TrickGAN(GAN):
    """The same game with its labels, batches and gradients doctored."""

    config: TrickGANConfig
    tiny = Tiny(TrickGANConfig(latents=8, width=8), ImageShape(3, 24))

    @classmethod
    def networks(cls, config: TrickGANConfig, shape: ImageShape) -> dict[str, nn.Module]:
        """The two networks, freshly initialised.

        Raises:
            ConfigError: the side is odd, or too small for the discriminator.
        """
        if shape.size % 2:
            raise ConfigError(f"data.size: trick_gan makes even sides only, not {shape.size}")
        return {
            "generator": Generator(config, shape),
            "discriminator": Discriminator(config, shape),
        }

    def __init__(self, config: TrickGANConfig, shape: ImageShape, streams: Streams) -> None:
        self.config, self.shape, self.streams = config, shape, streams
        with seeded(streams.seed, "weights"):
            networks = self.networks(config, shape)
        generator, discriminator = (placed(n, streams.device) for n in networks.values())
        ema = Ema(generator, config.ema_half_life) if config.ema_half_life else None
        self.generator = Player(
            generator,
            rmsprop(generator, config.generator_learning_rate),
            ema=ema,
            clip_value=config.clip_value,
        )
        self.discriminator = Player(
            discriminator,
            rmsprop(discriminator, config.discriminator_learning_rate),
            clip_value=config.clip_value,
        )

    @classmethod
    def relief(cls, config: TrickGANConfig, lever: Lever) -> dict[str, Any]:
        """The fields to change; this family names both rates, and has dropout."""
        judge, draw = config.discriminator_learning_rate, config.generator_learning_rate
        match lever:
            case "weaken discriminator":
                if judge > 2 * draw:  # a crawling generator is half of it: they meet in the middle
                    draw = max(draw, min((draw * judge) ** 0.5, CALM_RATE))
                wanted = {
                    "generator_learning_rate": draw,
                    "discriminator_learning_rate": max(min(judge / 2, draw), SLOWEST_RATE),
                    "dropout": round(min(config.dropout + 0.1, MOST_DROPOUT), 3),
                }
            case "strengthen discriminator":
                wanted = {"discriminator_learning_rate": min(judge * 4, QUICKEST_RATE)}
            case "slow generator":
                wanted = {"generator_learning_rate": max(draw / 2, SLOWEST_RATE)}
            case "slow down":
                wanted = {
                    "discriminator_learning_rate": max(min(judge / 4, CALM_RATE), SLOWEST_RATE),
                    "generator_learning_rate": max(min(draw / 4, CALM_RATE), SLOWEST_RATE),
                }
            case "speed up":
                wanted = {
                    "discriminator_learning_rate": _quicker(judge),
                    "generator_learning_rate": _quicker(draw),
                }
            case _:
                return super().relief(config, lever)
        return {name: value for name, value in wanted.items() if value != getattr(config, name)}

    def step(self, batch: Batch, progress: Progress) -> Scalars:
        """The discriminator on reals and fakes mixed, then the generator on fresh fakes."""
        config, generator, discriminator = self.config, self.generator, self.discriminator
        factor = config.schedule.factor(progress)
        d_rate = config.discriminator_learning_rate * factor
        g_rate = config.generator_learning_rate * factor
        count, seen = len(batch.images), progress.images_seen

        known, shape = batch.known, (count, config.latents)
        with torch.no_grad():
            fake = generator.network(joined(self.streams.normal("latents", seen, shape), known))
        mixed = torch.cat([beside(batch.images, known), beside(fake, known)])
        logits = discriminator.network(mixed, self._keep(seen, "real", "fake", count=count))
        real_logits, before = logits.chunk(2)
        targets = torch.cat([torch.ones_like(real_logits), torch.zeros_like(before)])
        # Noise pushes a label away from real, as where real is 0 and noise is added to it.
        targets = targets - config.label_noise * self._label_noise(seen, count)
        d_loss = discriminator.descend(soft_label_loss(logits, targets), learning_rate=d_rate)

        latents = joined(self.streams.normal("generator latents", seen, shape), known)
        fake = beside(generator.network(latents), known)
        after = discriminator.network(fake, self._keep(seen, "generator", count=count))
        g_loss = generator.descend(generator_loss(after), learning_rate=g_rate)
        generator.average(seen, count * self.streams.processes)

        return self.told(
            losses=(g_loss, d_loss),
            logits=(real_logits, before, after),
            learning_rates=(g_rate, d_rate),
        )

    def _keep(self, seen: int, *parts: str, count: int) -> Float[Tensor, "n f"]:
        features = last_side(self.shape.size) ** 2 * self.config.width
        dropout = self.config.dropout
        kept = [
            self.streams.uniform(f"dropout {part}", seen, (count, features)) >= dropout
            for part in parts
        ]
        return torch.cat(kept) / (1 - dropout)

    def _label_noise(self, seen: int, count: int) -> Float[Tensor, " n"]:
        return torch.cat(
            [
                self.streams.uniform(f"label noise {part}", seen, (count,))
                for part in ("real", "fake")
            ]
        )


def rmsprop(network: nn.Module, learning_rate: float) -> RMSprop:
    """RMSprop with Keras's defaults."""
    return RMSprop(network.parameters(), learning_rate, alpha=0.9, eps=1e-7, foreach=True)


def _quicker(rate: float) -> float:
    return min(max(rate * 4, BRISK_RATE), QUICKEST_RATE)
