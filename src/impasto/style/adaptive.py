"""Any manner at once: a network that is shown the manner together with the content, and has learnt no style by heart.

The features of a content take on the means and deviations of a style's, and a decoder that has learnt to paint turns
them into a picture. What it learns by: the picture is to be seen with the deepest features that were wanted, and with
the style's means and deviations at every layer.

Source: arXiv 1703.06868; 1805.03857, section 4.2, for the layers besides the deepest.
Differs: pixels are a layer too, for a network that was taught edges hardly tells colours; losses are shares of what is
wanted, so their weights hold for any network.
"""

from collections.abc import Callable
from typing import Annotated, Any, Literal

import torch
from annotated_types import Gt, Le
from jaxtyping import Float
from pydantic import NonNegativeFloat, PositiveInt
from torch import Tensor, nn

from impasto.config import configuration
from impasto.losses.style import content_distance, statistics_distance, total_variation
from impasto.nn.adaptive import Mirror, adapted, statistics
from impasto.seeds import seeded
from impasto.style.learning import Learner, LessonConfig
from impasto.style.loss_network import LossNetwork
from impasto.style.objective import Losses
from impasto.types import Progress

SHOWN = 3  # styles in a preview
WHITENED = 16  # styles whose features say how these vary

# Means and deviations of pixels, and by layer, the finest first
Manner = tuple[tuple[Float[Tensor, "n _ 1 1"], Float[Tensor, "n _ 1 1"]], ...]
Draw = Callable[[int, int], Tensor]  # so many styles, for the batch that begins at this image


@configuration
class AdaptiveConfig(LessonConfig):
    """How a network learns to paint in any manner."""

    name: Literal["adaptive"] = "adaptive"
    width: Annotated[float, Gt(0), Le(1)] = 0.5  # of the decoder's layers in the encoder's
    style_weight: NonNegativeFloat = 4.0  # beside the content's 1
    learning_rate: Annotated[float, Gt(0)] = 5e-4
    batch: PositiveInt = 2


class AdaptiveNetwork(nn.Module):
    """Contents and styles in, paintings out.

    Args:
        encoder: sees, up to the fourth block's first convolution.
        width: of the decoder, in the encoder's.
    """

    def __init__(self, encoder: LossNetwork, width: float) -> None:
        super().__init__()
        self.encoder, self.decoder = encoder, Mirror(encoder.network, width)
        self.layers = judged(encoder)

    def manner(self, styles: Float[Tensor, "n 3 h w"]) -> Manner:
        """What features should be like for these styles, in [-1, 1], sides multiples of 8."""
        return tuple(map(statistics, self.seen(styles)))

    def seen(self, pictures: Float[Tensor, "n 3 h w"]) -> list[Float[Tensor, "n _ _ _"]]:
        """The pictures, and what the encoder sees of them by layer."""
        return [pictures, *self.encoder(pictures, self.layers).values()]

    def paint(
        self, contents: Float[Tensor, "n 3 h w"], manner: Manner, strength: float = 1.0
    ) -> Float[Tensor, "n 3 h w"]:
        """The paintings, in [-1, 1].

        Args:
            contents: in [-1, 1], sides multiples of 8.
            manner: the features' means and deviations.
            strength: 0 for the content as it is, 1 for all of the manner.
        """
        painted: Tensor = self.decoder(self.wanted(contents, manner, strength))
        return painted.clamp(-1, 1)

    def wanted(
        self, contents: Float[Tensor, "n 3 h w"], manner: Manner, strength: float = 1.0
    ) -> list[Float[Tensor, "n _ _ _"]]:
        """The features that the paintings should have, by layer."""
        return [
            torch.lerp(maps, adapted(maps, wanted), strength)
            for maps, wanted in zip(self.seen(contents), manner, strict=True)
        ]

    def forward(
        self, contents: Float[Tensor, "n 3 h w"], styles: Float[Tensor, "n 3 h2 w2"]
    ) -> Float[Tensor, "n 3 h w"]:
        """The contents in the manner of the styles."""
        return self.paint(contents, self.manner(styles))


class AdaptiveLearner(Learner[AdaptiveConfig]):
    """A decoder that learns to paint.

    Args:
        config: how.
        encoder: sees at the layers of `judged`.
        draw: gives styles of the contents' size.
        device: where it learns.
    """

    def __init__(
        self, config: AdaptiveConfig, encoder: LossNetwork, draw: Draw, device: torch.device
    ) -> None:
        with seeded(config.seed, "decoder"):
            whole = AdaptiveNetwork(encoder, config.width)
        with torch.no_grad():
            whole.decoder.whiten([maps.cpu() for maps in whole.seen(draw(0, WHITENED).to(device))])
        super().__init__(config, whole.decoder, device)
        self.whole, self.draw = whole, draw

    def losses(self, contents: Float[Tensor, "n 3 h w"], progress: Progress) -> Losses:
        """Of the contents, each with a style drawn for it."""
        styles = self.draw(progress.images_seen, len(contents)).to(self.device)
        with torch.no_grad():
            manner = self.whole.manner(styles)
            target = self.whole.wanted(contents, manner)
        painted = self.player.network(target)
        seen = self.whole.seen(painted)
        content = content_distance(seen[-1], target[-1])
        style = torch.stack(
            [
                statistics_distance(statistics(maps), wanted)
                for maps, wanted in zip(seen, manner, strict=True)
            ]
        ).mean()
        beyond = (painted.abs() - 1).clamp(min=0).square().mean()  # pixels have an end
        smooth = self.config.smooth * total_variation(painted)
        total = content + self.config.style_weight * style + smooth + beyond
        return {"content": content, "style": style, "total": total}

    @torch.no_grad()
    def preview(self, contents: Float[Tensor, "n 3 h w"]) -> Float[Tensor, "m 3 h w"]:
        """A few contents, each in a few styles that it learns from."""
        styles = self.draw(0, SHOWN).to(self.device)
        count = len(contents)
        manner = tuple(
            (mean.repeat(count, 1, 1, 1), deviation.repeat(count, 1, 1, 1))
            for mean, deviation in self.whole.manner(styles)
        )
        shown = contents.repeat_interleave(len(styles), 0)
        painted: Tensor = self.player.best(self.whole.wanted(shown, manner))
        return painted.clamp(-1, 1)

    def tensors(self) -> dict[str, Tensor]:
        """What sees and what paints, so that nothing else is needed."""
        held = {f"encoder.{n}": t for n, t in self.whole.encoder.state_dict().items()}
        return held | {f"decoder.{n}": t for n, t in self.player.best.state_dict().items()}

    def facts(self) -> dict[str, Any]:
        """How the encoder wants its pictures."""
        encoder = self.whole.encoder
        return {"encoder": {"mean": list(encoder.mean), "deviation": list(encoder.deviation)}}


def judged(network: LossNetwork) -> tuple[int, ...]:
    """The layers that a style is compared at: the first convolution of each of the first four blocks."""
    return network.kind.style[:4]
