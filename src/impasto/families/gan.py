"""What all generative adversarial networks share: two players, and the model that one of them leaves.

How they play is each family's own file.
"""

import copy
from abc import abstractmethod
from collections.abc import Mapping
from typing import Any, Protocol

import torch
from jaxtyping import Float
from torch import Tensor, nn

from impasto.attributes import Attribute
from impasto.families.base import (
    BLOCK,
    PROBED,
    REBATCHED,
    Batch,
    Family,
    Model,
    Probe,
    Scalars,
)
from impasto.nn.blocks import beside, frozen_statistics, joined, outlined, placed
from impasto.nn.ema import Ema
from impasto.nn.liveness import Liveness
from impasto.nn.player import Player, below
from impasto.seeds import stream
from impasto.types import ImageShape, Lever

# That remedies go to: at least, at once where steps are to grow, at most where they are to shrink, at most.
SLOWEST_RATE, BRISK_RATE, CALM_RATE, QUICKEST_RATE = 1e-5, 1e-4, 4e-4, 1e-3
SLOWEST_PACE, QUICKEST_PACE = 1 / 16, 8.0
AVERAGED_OVER = 10_000  # images after which an old weight counts half


class _Common(Protocol):
    @property
    def latents(self) -> int: ...
    @property
    def ema_half_life(self) -> int: ...


class GeneratorModel(Model):
    """A generator and the latents it turns into pictures: standard normal vectors."""

    def __init__(
        self,
        generator: nn.Module,
        latents: int,
        shape: ImageShape,
        attributes: tuple[Attribute, ...] = (),
    ) -> None:
        self.generator = generator.eval().requires_grad_(requires_grad=False)
        self.latents = latents
        self.shape = shape
        self.attributes = attributes
        self.provenance: dict[str, Any] = {}

    def draw(self, seed: int, block: int, known: Float[Tensor, "64 k"]) -> Float[Tensor, "64 z"]:
        """The latents of pictures 64 * block and following, whatever is known of them."""
        del known
        return torch.randn(BLOCK, self.latents, generator=stream(seed, "sample", block))

    def pictured(
        self, latents: Float[Tensor, "n z"], known: Float[Tensor, "n k"]
    ) -> Float[Tensor, "n c h w"]:
        """The pictures in [-1, 1], with gradients."""
        device = next(self.generator.parameters()).device
        drawn: Tensor = self.generator(joined(latents, known).to(device))
        return drawn

    def state(self) -> dict[str, Tensor]:
        """The weights, by name."""
        return {f"generator/{name}": value for name, value in self.generator.state_dict().items()}


class GAN(Family):
    """A generator and a discriminator, each going down its own loss."""

    config: _Common
    shape: ImageShape
    generator: Player
    discriminator: Player

    @classmethod
    @abstractmethod
    def networks(cls, config: Any, shape: ImageShape) -> dict[str, nn.Module]:
        """The networks by name: `generator` and `discriminator`."""

    @torch.no_grad()
    def probe(self, real: Batch, held_out: Batch, company: int) -> Probe:
        """What both players draw and say now; leaves no trace in them."""
        draw, judge = self.generator.network, self.discriminator.network
        drawn = torch.randn(PROBED, self.config.latents, generator=stream(0, "probe"))
        known = real.known[torch.arange(PROBED, device=real.known.device) % len(real.known)]
        latents = joined(drawn.to(real.images.device), known)
        unseen = len(held_out.images)
        with frozen_statistics(draw), frozen_statistics(judge):
            with Liveness(draw) as drawing:
                fakes = torch.cat([draw(part) for part in torch.split(latents, company)])
            rebatched = self._in_other_company(latents[:REBATCHED], company)
            with Liveness(judge) as judging:
                shown = beside(real.images, real.known), beside(fakes, known)
                real_logits, fake_logits = self.judged(*shown)
            held_out_logits = real_logits[:0]
            if unseen:
                never_seen = beside(held_out.images, held_out.known)
                held_out_logits = self.judged(never_seen, shown[1][:unseen])[0]
        return Probe(
            fakes=fakes,
            rebatched=rebatched,
            kept=fakes if self.generator.ema is None else self.generator.best(latents),
            real_logits=real_logits,
            held_out_logits=held_out_logits,
            fake_logits=fake_logits,
            dead={"generator": drawing.dead, "discriminator": judging.dead},
            strides=strides(draw),
        )

    def judged(
        self, real: Float[Tensor, "n c h w"], fake: Float[Tensor, "m c h w"]
    ) -> tuple[Float[Tensor, " n"], Float[Tensor, " m"]]:
        """The discriminator's logits of both, with what is known beside them, in the batches of training."""
        return self.discriminator.network(real), self.discriminator.network(fake)

    def _in_other_company(
        self, latents: Float[Tensor, "n z"], company: int
    ) -> Float[Tensor, "n c h w"]:
        """Pictures of the latents, each drawn among others than before."""
        order = torch.randperm(len(latents), generator=stream(0, "other company"))
        size = company if company < len(latents) else len(latents) // 2
        shuffled = [self.generator.network(part) for part in torch.split(latents[order], size)]
        return torch.cat(shuffled)[order.argsort()]

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
            "generator_update_ratio": self.generator.update_ratio,
            "discriminator_update_ratio": self.discriminator.update_ratio,
            "skipped_steps": (self.generator.skipped + self.discriminator.skipped) / 2,
        }

    @classmethod
    def relief(cls, config: Any, lever: Lever) -> dict[str, Any]:
        """The fields of a configuration to change, for families with one rate and a discriminator's pace."""
        if lever == "free codes":
            return {}  # that is for autoencoders
        if lever == "average weights":
            return {} if config.ema_half_life else {"ema_half_life": AVERAGED_OVER}
        rate, pace = config.learning_rate, config.discriminator_pace
        match lever:
            case "weaken discriminator":
                wanted = {"discriminator_pace": max(min(pace / 2, 1.0), SLOWEST_PACE)}
                if pace > 1:  # a generator that crawls is half of it: they meet in the middle
                    wanted["learning_rate"] = max(rate, min(rate * pace**0.5, CALM_RATE))
            case "strengthen discriminator":
                wanted = {"discriminator_pace": min(pace * 4, 1.0)}
            case "slow generator":
                wanted = {
                    "learning_rate": max(rate / 2, SLOWEST_RATE),
                    "discriminator_pace": min(pace * 2, QUICKEST_PACE),
                }
            case "slow down":
                wanted = {"learning_rate": max(min(rate / 4, CALM_RATE), SLOWEST_RATE)}
            case "speed up":
                wanted = {"learning_rate": min(max(rate * 4, BRISK_RATE), QUICKEST_RATE)}
        return {name: value for name, value in wanted.items() if value != getattr(config, name)}

    def adapt(self, config: Any) -> None:
        """Goes on by another configuration."""
        if config.ema_half_life and self.generator.ema is None:
            self.generator.ema = Ema(self.generator.network, config.ema_half_life)
        self.config = config

    def model(self) -> GeneratorModel:
        """The averaged generator as it is now, independent of what comes after."""
        network, config = copy.deepcopy(self.generator.best), self.config
        return GeneratorModel(network, config.latents, self.shape, self.attributes(config))

    @classmethod
    def revive(cls, config: Any, shape: ImageShape, weights: Mapping[str, Tensor]) -> Model:
        """The model whose `state` these weights are."""
        with outlined():
            generator = cls.networks(config, shape)["generator"]
        generator.load_state_dict(below(weights, "generator"), assign=True)
        # Laid out as in training: another order of sums would draw a few pixels one level off.
        placed(generator, torch.device("cpu"))
        return GeneratorModel(generator, config.latents, shape, cls.attributes(config))

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


def strides(generator: nn.Module) -> tuple[int, ...]:
    """How often each layer of a generator enlarges what it gets, from the picture inwards."""
    found = [m.stride[0] for m in generator.modules() if isinstance(m, nn.ConvTranspose2d)]
    return tuple(stride for stride in reversed(found) if stride > 1)
