"""Learning a manner: a network that repaints pictures at once, taught by the loss network on many contents.

It goes down the same losses as a painting does: content place by place, and manner by the moments of features;
but the moments are asked of every picture of a batch, each with a style drawn for it.
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Annotated, Any, ClassVar, Generic, Literal, NamedTuple, TypeVar

import torch
from annotated_types import Ge, Gt, Le
from jaxtyping import Float
from pydantic import NonNegativeFloat, NonNegativeInt, PositiveFloat, PositiveInt
from torch import Tensor, nn
from torch.nn.functional import one_hot

from impasto.config import configuration
from impasto.images import Picture
from impasto.losses.reconstruction import squared_error
from impasto.losses.style import Moments, content_distance, moments, total_variation
from impasto.nn.blocks import placed
from impasto.nn.ema import Ema
from impasto.nn.player import Player, adam
from impasto.nn.transfer import TransferNetwork
from impasto.schedules import Cosine
from impasto.seeds import seeded, stream
from impasto.style.canvas import Canvas
from impasto.style.config import PyramidConfig
from impasto.style.loss_network import LossNetwork, NetworkName
from impasto.style.objective import AIMS, Aim, Losses, Statistics, Weights
from impasto.style.pyramid import weights
from impasto.style.scene import resized
from impasto.types import Budget, Progress

# Where contents are compared: the third block's third convolution, lower than for a painting, whose gradient has to
# come down through the painting network too. Of candy after 400 steps on cats: content 0.68 and style 0.19, by the one
# yardstick; from the fourth block, 0.68 and 0.22. What is seen there is nearer to the pixels, and so counts less.
OUTLINES, LIGHTER = 14, 0.4


@configuration
class LessonConfig:
    """What any network that paints at once is taught by."""

    size: Annotated[int, Ge(64)] = 128  # pixels of the contents that it learns on
    # Steps count more than pictures in a step: 1,300 pictures one at a time taught more than 1,900 by four.
    batch: PositiveInt = 1
    # Images in which it first learns to give back what it is shown: pixels teach that sooner than features do, and a
    # manner is learnt sooner from there.
    copied: NonNegativeInt = 100
    width: PositiveInt = 16  # channels beside the picture
    strength: Annotated[float, Gt(0), Le(1)] = 0.5  # of the manner against the content
    detail: Annotated[float, Ge(-2), Le(2)] = 0.0  # of fine layers against coarse ones
    statistics: Statistics = "wasserstein"
    smooth: NonNegativeFloat = 2.0  # weight of the total variation, without which grain pays
    learning_rate: PositiveFloat = 2e-3
    ema_half_life: NonNegativeInt = 200  # images
    network: NetworkName = "auto"
    seed: NonNegativeInt = 0
    budget: Budget = Budget(20, "minutes")


@configuration
class LearningConfig(LessonConfig):
    """How a network learns styles."""

    name: Literal["network"] = "network"
    styles: tuple[str, ...]  # their names, in the order of the network's numbers
    scale: Annotated[float, Gt(0), Le(8)] = (
        2.0  # of brush strokes: the style's longest side in the content's
    )


class Attempt(NamedTuple):
    """What a network made of contents, and what it was to be.

    Attributes:
        painted: in [-1, 1].
        copied: what it is to give back while it learns to.
        aims: for each picture, how far moments are from its manner, by layer.
    """

    painted: Float[Tensor, "n 3 h w"]
    copied: Float[Tensor, "n 3 h w"]
    aims: Sequence[Mapping[int, Aim]]


L = TypeVar("L", bound=LessonConfig)


class Learner(ABC, Generic[L]):
    """A network that learns to paint at once.

    Attributes:
        config: how.
        teacher: the loss network, at the layers that `teaching` names.
        player: the part of it that learns.
    """

    BETAS: ClassVar[tuple[float, float]] = (0.9, 0.999)

    def __init__(
        self, config: L, network: nn.Module, teacher: LossNetwork, device: torch.device
    ) -> None:
        self.config, self.teacher, self.device = config, teacher, device
        placed(network, device)
        average = Ema(network, config.ema_half_life) if config.ema_half_life else None
        self.player = Player(network, adam(network, config.learning_rate, self.BETAS), ema=average)
        self.schedule = Cosine(final=0.05)
        self.weights = teaching(teacher, config)
        self.aim = AIMS[config.statistics]

    @abstractmethod
    def attempt(self, contents: Float[Tensor, "n 3 h w"], images_seen: int) -> Attempt:
        """What the network makes now of contents in [-1, 1], each in a manner drawn for it."""

    @abstractmethod
    def preview(self, contents: Float[Tensor, "n 3 h w"]) -> Float[Tensor, "m 3 h w"]:
        """A few contents, each in a few manners, as if it stopped learning now."""

    def tensors(self) -> dict[str, Tensor]:
        """All that it takes to paint, by name."""
        return dict(self.player.best.state_dict())

    def facts(self) -> dict[str, Any]:
        """What has to be known of them besides the configuration."""
        return {}

    def losses(self, contents: Float[Tensor, "n 3 h w"], progress: Progress) -> Losses:
        """Of the contents, in [-1, 1], as the network paints them now: content, style and total."""
        painted, shown, aims = self.attempt(contents, progress.images_seen)
        copying = progress.images_seen < self.config.copied
        with torch.set_grad_enabled(not copying):
            seen = self.teacher(painted, self.weights.layers)
        with torch.no_grad():
            wanted = (
                self.teacher(contents, tuple(self.weights.content)) if self.weights.content else {}
            )
        content, style = contents.new_zeros(()), contents.new_zeros(())
        for layer, weight in self.weights.content.items():
            content = content + weight * content_distance(seen[layer], wanted[layer])
        for layer, weight in self.weights.style.items():
            for index, aim in enumerate(aims):
                style = style + weight * aim[layer](moments(seen[layer][index : index + 1]))
        style = style / len(contents)
        total = content + style + self.weights.smooth * total_variation(painted)
        if copying:
            total = squared_error(painted, shown).mean()
        return {"content": content, "style": style, "total": total}

    def step(self, contents: Float[Tensor, "n 3 h w"], progress: Progress) -> Losses:
        """One step on a batch of contents in [-1, 1]; its losses, from before it."""
        losses = self.losses(contents, progress)
        rate = self.config.learning_rate * self.schedule.factor(progress)
        total = self.player.descend(losses["total"], learning_rate=rate)
        self.player.average(progress.images_seen, len(contents))
        return {name: loss.detach() for name, loss in losses.items()} | {"total": total}

    def state(self) -> dict[str, Tensor]:
        """Everything that the next step depends on."""
        return self.player.state()

    def restore(self, state: Mapping[str, Tensor]) -> None:
        """Becomes the learner whose `state` this was."""
        self.player.restore(state)

    @torch.no_grad()
    def aims_at(self, manner: Mapping[int, Moments]) -> dict[int, Aim]:
        """How far moments are from these, by layer."""
        return {layer: self.aim(wanted) for layer, wanted in manner.items()}


class StyleLearner(Learner[LearningConfig]):
    """A network that learns styles.

    Args:
        config: how.
        teacher: the loss network, at the layers that `teaching` names.
        styles: pictures, as many as the configuration names.
        device: where it learns.
    """

    def __init__(
        self,
        config: LearningConfig,
        teacher: LossNetwork,
        styles: Sequence[Picture],
        device: torch.device,
    ) -> None:
        with seeded(config.seed, "transfer network"):
            network = TransferNetwork(config.width, len(styles))
        super().__init__(config, network, teacher, device)
        self.aims = [self.aims_at(self._manner(style.to(device))) for style in styles]

    def attempt(self, contents: Float[Tensor, "n 3 h w"], images_seen: int) -> Attempt:
        """The contents, each in a style drawn for it."""
        drawn = torch.randint(
            len(self.aims),
            (len(contents),),
            generator=stream(self.config.seed, "styles", images_seen),
        )
        mix = one_hot(drawn, len(self.aims)).float().to(self.device)
        painted = self.player.network(contents, mix)
        return Attempt(painted, contents, [self.aims[kind] for kind in drawn.tolist()])

    @torch.no_grad()
    def preview(self, contents: Float[Tensor, "n 3 h w"]) -> Float[Tensor, "m 3 h w"]:
        """A few contents, each in every style."""
        count = len(self.aims)
        mix = torch.eye(count, device=self.device).repeat(len(contents), 1)
        painted: Tensor = self.player.best(contents.repeat_interleave(count, 0), mix)
        return painted

    def _manner(self, style: Picture) -> dict[int, Moments]:
        """The style's moments, at a size in proportion to the contents."""
        share = min(1.0, self.config.scale * self.config.size / max(style.shape[2:]))
        height, width = (max(16, round(side * share)) for side in style.shape[2:])
        shown = resized(style, height, width)
        return Canvas(self.teacher, height, width).manner(shown, tuple(self.weights.style))


def teaching(network: LossNetwork, config: LessonConfig) -> Weights:
    """What the loss network looks at, and how much each part counts."""
    told = PyramidConfig(strength=config.strength, detail=config.detail, smooth=config.smooth)
    found = weights(network.kind, told)
    kept = LIGHTER * sum(found.content.values())
    return replace(found, content={OUTLINES: kept} if kept else {})
