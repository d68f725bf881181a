"""Deep convolutional GAN: strided convolutions, batch norm, nothing else.

One configuration covers the published variants: the picture's side follows from the kernel next to it
and the number of doublings between; the quirks of each (a wider kernel, a bias here, a norm there) are
fields with their reasons in the recipes.

Source: arXiv 1511.06434.
"""

import math
from collections.abc import Callable
from typing import Any, Literal

import torch
from jaxtyping import Float
from pydantic import NonNegativeFloat, NonNegativeInt, PositiveFloat, PositiveInt
from torch import Tensor, nn

from impasto.attributes import Attribute, width_of
from impasto.config import configuration
from impasto.errors import ConfigError
from impasto.families.base import Batch, Scalars, Tiny
from impasto.families.gan import GAN
from impasto.losses.adversarial import discriminator_loss, generator_loss
from impasto.losses.penalties import r1_penalty
from impasto.nn.blocks import BatchNorm2d, beside, joined, placed
from impasto.nn.ema import Ema
from impasto.nn.player import Player, adam
from impasto.schedules import Constant, Schedule
from impasto.seeds import Streams, seeded
from impasto.types import ImageShape, Lever, Progress, Share

HEAVIEST_PENALTY = 10.0  # that a remedy goes to


@configuration
class Kernel:
    """A convolution's kernel, stride and padding, in pixels."""

    size: PositiveInt
    stride: PositiveInt
    padding: NonNegativeInt


@configuration
class DCGANConfig:
    """A DCGAN's shape and how it is trained."""

    name: Literal["dcgan"] = "dcgan"
    latents: PositiveInt = 100
    width: PositiveInt = 64  # channels beside the picture; doubled towards the latents
    generator_head: Kernel = Kernel(size=4, stride=2, padding=1)  # the layer that draws the picture
    discriminator_stem: Kernel = Kernel(size=4, stride=2, padding=1)  # the layer that reads it
    # none | middle: all but the first and the last layer, as published | hidden: all but the last
    discriminator_norm: Literal["none", "middle", "hidden"] = "middle"
    # whether batch norm sees reals and fakes apart, or both in one batch
    discriminator_batches: Literal["apart", "mixed"] = "apart"
    discriminator_activation: Literal["leaky_relu", "relu"] = "leaky_relu"  # slope 0.2
    generator_biases: tuple[
        NonNegativeInt, ...
    ] = ()  # layers with a bias, counted from the latents
    discriminator_biases: tuple[NonNegativeInt, ...] = ()  # layers with a bias, from the picture
    learning_rate: PositiveFloat = 2e-4
    discriminator_pace: PositiveFloat = 1.0  # its learning rate as a multiple of the generator's
    betas: tuple[Share, Share] = (0.5, 0.999)  # of Adam
    r1_gamma: NonNegativeFloat = 0.0  # weight of the penalty on a steep discriminator; 0 for none
    r1_interval: PositiveInt = 4  # steps from one penalty to the next
    condition: tuple[str, ...] = ()  # names of attributes that both networks are told
    attributes: tuple[Attribute, ...] = ()  # found out from the pictures when a run begins
    schedule: Schedule = Constant()
    ema_half_life: NonNegativeInt = 10_000  # images; 0 draws from the last weights instead


class Generator(nn.Module):
    """Latents to pictures by transposed convolutions: 4 x 4, doubled, and once more by the head."""

    def __init__(self, config: DCGANConfig, shape: ImageShape) -> None:
        super().__init__()
        widths = [
            config.width * 2**level for level in reversed(range(doublings(config, shape) + 1))
        ]
        layers: list[nn.Module] = []
        before = config.latents + width_of(config.attributes)
        for index, width in enumerate(widths):
            kernel = (
                Kernel(size=4, stride=2, padding=1)
                if index
                else Kernel(size=4, stride=1, padding=0)
            )
            bias = index in config.generator_biases
            layers += [_convolution(nn.ConvTranspose2d, before, width, kernel, bias=bias)]
            layers += [BatchNorm2d(width), nn.ReLU(inplace=True)]
            before = width
        bias = len(widths) in config.generator_biases
        head = _convolution(
            nn.ConvTranspose2d, before, shape.channels, config.generator_head, bias=bias
        )
        self.layers = nn.Sequential(*layers, head, nn.Tanh())
        self.apply(initialise)

    def forward(self, latents: Float[Tensor, "n z"]) -> Float[Tensor, "n c h w"]:
        """Pictures in [-1, 1]."""
        out: Tensor = self.layers(latents[:, :, None, None])
        return out


class Discriminator(nn.Module):
    """Pictures to one logit each; positive means real."""

    def __init__(self, config: DCGANConfig, shape: ImageShape) -> None:
        super().__init__()
        widths = [config.width * 2**level for level in range(doublings(config, shape) + 1)]
        layers: list[nn.Module] = []
        before = shape.channels + width_of(config.attributes)
        for index, width in enumerate(widths):
            kernel = Kernel(size=4, stride=2, padding=1) if index else config.discriminator_stem
            bias = index in config.discriminator_biases
            layers += [_convolution(nn.Conv2d, before, width, kernel, bias=bias)]
            if config.discriminator_norm == "hidden" or (
                config.discriminator_norm == "middle" and index
            ):
                layers += [BatchNorm2d(width)]
            layers += [_activation(config)]
            before = width
        last = Kernel(size=4, stride=1, padding=0)
        bias = len(widths) in config.discriminator_biases
        self.layers = nn.Sequential(*layers, _convolution(nn.Conv2d, before, 1, last, bias=bias))
        self.apply(initialise)

    def forward(self, images: Float[Tensor, "n c h w"]) -> Float[Tensor, " n"]:
        """Logits."""
        out: Tensor = self.layers(images)
        return out.flatten()


def initialise(module: nn.Module) -> None:
    """Draws a layer's weights: convolutions N(0, 0.02), scales N(1, 0.02), shifts 0.

    Source: arXiv 1511.06434, section 4.
    """
    if isinstance(module, nn.Conv2d | nn.ConvTranspose2d):
        nn.init.normal_(module.weight, 0.0, 0.02)
        if module.bias is not None:
            nn.init.zeros_(module.bias)
    elif isinstance(module, nn.BatchNorm2d):
        nn.init.normal_(module.weight, 1.0, 0.02)
        nn.init.zeros_(module.bias)


def doublings(config: DCGANConfig, shape: ImageShape) -> int:
    """How often 4 x 4 is doubled before the head brings it to the picture's side.

    Raises:
        ConfigError: no number of doublings gives this side.
    """
    head, stem = config.generator_head, config.discriminator_stem
    levels = range(12)
    sides = [_enlarged(4 * 2**level, head) for level in levels]
    if shape.size not in sides:
        raise ConfigError(
            f"data.size: {shape.size} pixels cannot be made by generator_head "
            f"{head.size}/{head.stride}/{head.padding}; it makes {', '.join(map(str, sides[:7]))}, ..."
        )
    level = sides.index(shape.size)
    if _reduced(shape.size, stem) != 4 * 2**level:
        raise ConfigError(
            f"family.discriminator_stem: {stem.size}/{stem.stride}/{stem.padding} turns {shape.size} "
            f"pixels into {_reduced(shape.size, stem)}, but {4 * 2**level} are needed; use "
            f"{head.size}/{head.stride}/{head.padding}, the generator's own"
        )
    return level


def _enlarged(side: int, kernel: Kernel) -> int:
    return (side - 1) * kernel.stride - 2 * kernel.padding + kernel.size


def _reduced(side: int, kernel: Kernel) -> int:
    return math.floor((side + 2 * kernel.padding - kernel.size) / kernel.stride) + 1


def _convolution(
    kind: Callable[..., nn.Module], before: int, after: int, kernel: Kernel, *, bias: bool
) -> nn.Module:
    return kind(before, after, kernel.size, kernel.stride, kernel.padding, bias=bias)


def _activation(config: DCGANConfig) -> nn.Module:
    if config.discriminator_activation == "relu":
        return nn.ReLU(inplace=True)
    return nn.LeakyReLU(0.2, inplace=True)


class DCGAN(GAN):
    """The game of arXiv 1406.2661 between two convolutional networks, with a penalty if asked for.

    Differs: the generator's step uses the fake batch of the discriminator's step, as the widely
    followed tutorials do; it saves one pass through the generator.
    """

    config: DCGANConfig
    tiny = Tiny(
        DCGANConfig(latents=8, width=8, learning_rate=2e-3, discriminator_pace=0.25),
        ImageShape(3, 16),
    )

    @classmethod
    def networks(cls, config: DCGANConfig, shape: ImageShape) -> dict[str, nn.Module]:
        """The two networks, freshly initialised.

        Raises:
            ConfigError: no such networks make this side, or the penalty cannot look through their norm.
        """
        if config.r1_gamma and config.discriminator_norm != "none":
            raise ConfigError(
                f"family.r1_gamma: {config.r1_gamma} needs a discriminator that sees each picture by itself, and batch "
                "norm mixes them; add family.discriminator_norm=none, or set family.r1_gamma=0"
            )
        return {
            "generator": Generator(config, shape),
            "discriminator": Discriminator(config, shape),
        }

    @classmethod
    def relief(cls, config: DCGANConfig, lever: Lever) -> dict[str, Any]:
        """The fields to change; a discriminator without norm is also held back by a penalty."""
        changes = super().relief(config, lever)
        if lever == "weaken discriminator" and config.discriminator_norm == "none":
            changes["r1_gamma"] = min(max(2 * config.r1_gamma, 0.2), HEAVIEST_PENALTY)
        return changes

    def __init__(self, config: DCGANConfig, shape: ImageShape, streams: Streams) -> None:
        self.config, self.shape, self.streams = config, shape, streams
        with seeded(streams.seed, "weights"):
            networks = self.networks(config, shape)
        generator, discriminator = (placed(n, streams.device) for n in networks.values())
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

        penalised = config.r1_gamma > 0 and self._steps(progress, count) % config.r1_interval == 0

        known = batch.known
        latents = self.streams.normal("latents", seen, (count, config.latents))
        fake = beside(generator.network(joined(latents, known)), known)
        pictures = batch.images.detach().requires_grad_(penalised)
        real = beside(pictures, known)
        real_logits, before = self.judged(real, fake.detach())
        d_loss = discriminator_loss(real_logits, before)
        steep = r1_penalty(real_logits, pictures) if penalised else 0.0
        discriminator.descend(
            d_loss + config.r1_gamma / 2 * config.r1_interval * steep, learning_rate=d_rate
        )

        alone = config.discriminator_batches == "apart"
        after = discriminator.network(fake) if alone else self.judged(real.detach(), fake)[1]
        g_loss = generator.descend(generator_loss(after), learning_rate=g_rate)
        generator.average(seen, count * self.streams.processes)

        return self.told(
            losses=(g_loss, d_loss.detach()),
            logits=(real_logits, before, after),
            learning_rates=(g_rate, d_rate),
        )

    def judged(
        self, real: Float[Tensor, "n c h w"], fake: Float[Tensor, "m c h w"]
    ) -> tuple[Float[Tensor, " n"], Float[Tensor, " m"]]:
        """The discriminator's logits of both, in the batches that it is trained on."""
        network = self.discriminator.network
        if self.config.discriminator_batches == "apart":
            return network(real), network(fake)
        said: Tensor = network(torch.cat([real, fake]))
        return said[: len(real)], said[len(real) :]

    def _steps(self, progress: Progress, count: int) -> int:
        return progress.images_seen // (count * self.streams.processes)
