"""Any manner at once: a network that is shown the manner together with the content, and has learnt no style by heart.

It learns as one that knows styles does, but each content comes with a piece of a painting, and what the network is
told is what an encoder sees of that piece: the means and deviations of pixels, and of features at every block. Now and
then a content comes with itself, for in its own manner it is to stay as it is.

Source: arXiv 1703.06868, 1705.06830. Differs: the losses are those of `style.learning`, with all moments.
"""

from collections.abc import Sequence
from functools import lru_cache, reduce
from typing import Any, Literal, Protocol, runtime_checkable

import torch
from jaxtyping import Float
from pydantic import PositiveInt
from torch import Tensor, nn

from impasto.config import configuration
from impasto.images import Picture
from impasto.losses.style import moments
from impasto.nn.adaptive import AdaptivePainter, Manner, adapted, statistics
from impasto.nn.blocks import placed
from impasto.seeds import seeded, stream
from impasto.style.learning import Attempt, Learner, LessonConfig
from impasto.style.loss_network import LossNetwork
from impasto.style.objective import Aim

SHOWN = 3  # styles in a preview
USUAL = 48  # pieces of paintings that say what is usual
OWN = 0.1  # of contents are to stay as they are
HELD = 64  # pieces whose aims are remembered, seven megabytes each


@runtime_checkable
class Paintings(Protocol):
    """Pieces of paintings, of the contents' size, by their numbers."""

    def __len__(self) -> int:
        """How many there are."""

    def __getitem__(self, number: int, /) -> Picture:
        """The same whenever it is asked."""


@configuration
class AdaptiveConfig(LessonConfig):
    """How a network learns to paint in any manner."""

    name: Literal["adaptive"] = "adaptive"
    codes: PositiveInt = 64  # numbers that it knows a manner by


class AdaptiveNetwork(nn.Module):
    """Contents and styles in, paintings out.

    Args:
        encoder: sees styles, up to the fourth block's first convolution.
        width: channels of the painter beside the picture.
        codes: numbers that it knows a manner by.
    """

    def __init__(self, encoder: LossNetwork, width: int, codes: int) -> None:
        super().__init__()
        self.encoder, self.layers = encoder, judged(encoder)
        seen = [encoder.channels(layer) for layer in self.layers]
        self.painter = AdaptivePainter(width, (3, *seen), codes)

    def manner(self, styles: Float[Tensor, "n 3 h w"]) -> Manner:
        """What tells these styles, in [-1, 1]: the statistics of their pixels, and of what the encoder sees."""
        return tuple(map(statistics, [styles, *self.encoder(styles, self.layers).values()]))

    def paint(self, contents: Float[Tensor, "n 3 h w"], manner: Manner) -> Float[Tensor, "n 3 h w"]:
        """The paintings, in [-1, 1], of contents likewise, sides multiples of 4; the manner of each, or of all."""
        painted: Tensor = self.painter(contents, manner)
        return painted.clamp(-1, 1)

    def forward(
        self, contents: Float[Tensor, "n 3 h w"], styles: Float[Tensor, "n 3 h2 w2"]
    ) -> Float[Tensor, "n 3 h w"]:
        """The contents in the manner of the styles."""
        return self.paint(contents, self.manner(styles))


class AdaptiveLearner(Learner[AdaptiveConfig]):
    """A network that learns to paint in any manner.

    Args:
        config: how.
        teacher: the loss network, at the layers that `teaching` names.
        encoder: sees at the layers of `judged`.
        paintings: to learn from.
        device: where it learns.
    """

    def __init__(
        self,
        config: AdaptiveConfig,
        teacher: LossNetwork,
        encoder: LossNetwork,
        paintings: Paintings,
        device: torch.device,
    ) -> None:
        with seeded(config.seed, "painter"):
            whole = AdaptiveNetwork(encoder, config.width, config.codes)
        self.whole, self.paintings = whole, paintings
        with torch.no_grad():
            usual = [
                whole.manner(paintings[n].to(device))
                for n in some(USUAL, len(paintings), config.seed)
            ]
        placed(whole.painter, device)
        whole.painter.code.fit(together(usual))
        super().__init__(config, whole.painter, teacher, device)
        self._piece = lru_cache(HELD)(self._looked_at)

    def attempt(self, contents: Float[Tensor, "n 3 h w"], images_seen: int) -> Attempt:
        """The contents, each in the manner of a piece drawn for it, or in its own."""
        drawn = stream(self.config.seed, "manners", images_seen)
        numbers = torch.randint(len(self.paintings), (len(contents),), generator=drawn)
        own = torch.rand(len(contents), generator=drawn) < OWN
        told = [
            self._lesson(content[None]) if stays else self._piece(number)
            for content, number, stays in zip(contents, numbers.tolist(), own.tolist(), strict=True)
        ]
        manner = together([manner for manner, _ in told])
        # Pixels have an end, and what is wanted of those beyond it is wanted of that
        painted = self.player.network(contents, manner).clamp(-1, 1)
        return Attempt(painted, adapted(contents, manner[0]), [aims for _, aims in told])

    @torch.no_grad()
    def preview(self, contents: Float[Tensor, "n 3 h w"]) -> Float[Tensor, "m 3 h w"]:
        """A few contents, each in a few styles that it learns from."""
        numbers = some(SHOWN, len(self.paintings), self.config.seed)
        manners = [self._piece(number)[0] for number in numbers]
        shown = contents.repeat_interleave(len(manners), 0)
        painted: Tensor = self.player.best(shown, together(manners * len(contents)))
        return painted.clamp(-1, 1)

    def tensors(self) -> dict[str, Tensor]:
        """What sees and what paints, so that nothing else is needed."""
        held = {f"encoder.{n}": t for n, t in self.whole.encoder.state_dict().items()}
        return held | {f"painter.{n}": t for n, t in super().tensors().items()}

    def facts(self) -> dict[str, Any]:
        """How the encoder wants its pictures."""
        encoder = self.whole.encoder
        return {"encoder": {"mean": list(encoder.mean), "deviation": list(encoder.deviation)}}

    def _looked_at(self, number: int) -> tuple[Manner, dict[int, Aim]]:
        return self._lesson(self.paintings[number].to(self.device))

    @torch.no_grad()
    def _lesson(self, style: Picture) -> tuple[Manner, dict[int, Aim]]:
        """What the network is told of a style, and what is wanted of its painting."""
        seen = self.teacher(style, tuple(self.weights.style))
        aims = self.aims_at({layer: moments(maps) for layer, maps in seen.items()})
        return self.whole.manner(style), aims


def some(count: int, among: int, seed: int) -> list[int]:
    """So many numbers of those below `among`, or all of them."""
    return torch.randperm(among, generator=stream(seed, "some"))[:count].tolist()


def together(manners: Sequence[Manner]) -> Manner:
    """The manners of several pictures, one after the other."""
    return tuple(
        (torch.cat([mean for mean, _ in layer]), torch.cat([wide for _, wide in layer]))
        for layer in zip(*manners, strict=True)
    )


def mixed(manners: Sequence[Manner], shares: Sequence[float]) -> Manner:
    """A manner between others, each with its share, 1 in all."""

    def blended(parts: Sequence[Tensor]) -> Tensor:
        return reduce(torch.add, [n * part for n, part in zip(shares, parts, strict=True)])

    return tuple(
        (blended([mean for mean, _ in layer]), blended([wide for _, wide in layer]))
        for layer in zip(*manners, strict=True)
    )


def judged(network: LossNetwork) -> tuple[int, ...]:
    """The layers that tell a style: the first convolution of each of the first four blocks."""
    return network.kind.style[:4]
