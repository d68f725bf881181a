"""What all generative adversarial networks share: two players, and the model that one of them leaves.

How they play is each family's own file.
"""

import copy
from abc import abstractmethod
from collections.abc import Mapping
from typing import Any, Protocol

import numpy as np
import torch
from jaxtyping import Float, UInt8
from torch import Tensor, nn

from impasto.families.base import Batch, Family, Model, Scalars
from impasto.images import to_uint8
from impasto.nn.blocks import frozen_statistics, outlined, placed
from impasto.nn.player import Player, below
from impasto.seeds import stream
from impasto.types import ImageShape

BLOCK = 64  # latents drawn together; part of what a seed means, so never to be changed


class _HasLatents(Protocol):
    @property
    def latents(self) -> int: ...


class GeneratorModel(Model):
    """A generator and the latents it turns into pictures.

    Attributes:
        latents: dimensions of its input, a standard normal vector.
    """

    def __init__(self, generator: nn.Module, latents: int, shape: ImageShape) -> None:
        self.generator = generator.eval().requires_grad_(requires_grad=False)
        self.latents = latents
        self.shape = shape
        self.provenance: dict[str, Any] = {}

    def sample(self, n: int, seed: int = 0) -> UInt8[np.ndarray, "n h w c"]:
        """`n` pictures; picture i of a seed is the same whatever `n` is."""
        blocks = [self.render(self.draw(seed, block)) for block in range(-(-n // BLOCK))]
        empty = np.empty((0, self.shape.size, self.shape.size, self.shape.channels), np.uint8)
        return np.concatenate([empty, *blocks])[:n]

    def draw(self, seed: int, block: int) -> Float[Tensor, "64 z"]:
        """The latents of pictures 64 * block and following."""
        return torch.randn(BLOCK, self.latents, generator=stream(seed, "sample", block))

    @torch.inference_mode()
    def render(self, latents: Float[Tensor, "n z"]) -> UInt8[np.ndarray, "n h w c"]:
        """The pictures that these latents stand for."""
        device = next(self.generator.parameters()).device
        return to_uint8(self.generator(latents.to(device))).cpu().numpy()

    def state(self) -> dict[str, Tensor]:
        """The weights, by name."""
        return {f"generator/{name}": value for name, value in self.generator.state_dict().items()}


class GAN(Family):
    """A generator and a discriminator, each going down its own loss."""

    config: _HasLatents
    shape: ImageShape
    generator: Player
    discriminator: Player

    @classmethod
    @abstractmethod
    def networks(cls, config: Any, shape: ImageShape) -> dict[str, nn.Module]:
        """The networks by name: `generator` and `discriminator`."""

    @torch.no_grad()
    def held_out(self, batch: Batch) -> Scalars:
        """D(x) on pictures that nobody learns from; leaves no trace in the networks."""
        with frozen_statistics(self.discriminator.network):
            logits = self.discriminator.network(batch.images)
        return {"held_out_score": logits.float().sigmoid().mean()}

    def told(
        self,
        *,
        losses: tuple[Tensor, Tensor],
        logits: tuple[Tensor, Tensor, Tensor],
        learning_rates: tuple[float, float],
    ) -> Scalars:
        """What a step tells.

        Args:
            losses: of the generator and the discriminator.
            logits: on reals, on fakes before the discriminator's step, on fakes after it.
            learning_rates: of the generator and the discriminator.
        """
        real, before, after = (said.detach().float().sigmoid().mean() for said in logits)
        return {
            "generator_loss": losses[0],
            "discriminator_loss": losses[1],
            "real_score": real,
            "fake_score_before": before,
            "fake_score_after": after,
            "generator_gradient_norm": self.generator.gradient_norm,
            "discriminator_gradient_norm": self.discriminator.gradient_norm,
            "generator_learning_rate": learning_rates[0],
            "discriminator_learning_rate": learning_rates[1],
            "skipped_steps": (self.generator.skipped + self.discriminator.skipped) / 2,
        }

    def model(self) -> GeneratorModel:
        """The averaged generator as it is now, independent of what comes after."""
        return GeneratorModel(copy.deepcopy(self.generator.best), self.config.latents, self.shape)

    @classmethod
    def revive(cls, config: Any, shape: ImageShape, weights: Mapping[str, Tensor]) -> Model:
        """The model whose `state` these weights are."""
        with outlined():
            generator = cls.networks(config, shape)["generator"]
        generator.load_state_dict(below(weights, "generator"), assign=True)
        # Laid out as in training: another order of sums would draw a few pixels one level off.
        return GeneratorModel(placed(generator, torch.device("cpu")), config.latents, shape)

    def state(self) -> dict[str, Tensor]:
        """Everything that the next step depends on, as named tensors."""
        players = {"generator": self.generator, "discriminator": self.discriminator}
        return {
            f"{name}/{path}": value
            for name, player in players.items()
            for path, value in player.state().items()
        }

    def restore(self, state: Mapping[str, Tensor]) -> None:
        """Becomes the family whose `state` this was."""
        self.generator.restore(below(state, "generator"))
        self.discriminator.restore(below(state, "discriminator"))
