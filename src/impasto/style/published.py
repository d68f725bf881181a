"""Neural style transfer as first published, without its waste: the same mathematics in a quarter of the work.

The picture starts as the content and is moved by Adam, with a content loss over five layers of VGG and a
style loss over their Gram matrices. The style is brought to the content's size beforehand.

Source: arXiv 1508.06576; the plain loop of 2016 for its settings.
Differs: what is wanted is computed once, nothing is computed behind the last layer, the network's weights get no
gradients, and pixels are clamped at every step.
"""

from collections.abc import Mapping

import numpy as np
import torch
from jaxtyping import Float, UInt8
from torch import Tensor

from impasto.losses.style import published_content, published_gram, published_style
from impasto.style.config import PublishedConfig
from impasto.style.loss_network import IMAGENET, LossNetwork
from impasto.style.objective import Losses
from impasto.style.scene import preview


class PublishedLoop:
    """A painting under way by the published loop.

    Args:
        network: sees at the published layers.
        content: in [-1, 1].
        style: in [-1, 1], of the content's size.
        config: its settings.
    """

    def __init__(
        self,
        network: LossNetwork,
        content: Float[Tensor, "1 3 h w"],
        style: Float[Tensor, "1 3 h w"],
        config: PublishedConfig,
    ) -> None:
        self.network, self.config = network, config
        self.layers = network.kind.published
        with torch.no_grad():
            self.wanted = network(content, self.layers)
            self.grams = {n: published_gram(f) for n, f in network(style, self.layers).items()}
        # The learning rate is meant for normalised pixels, so these are what is moved.
        deviation = content.new_tensor(IMAGENET[1]).view(1, 3, 1, 1)
        self.scale = 2 * deviation
        self.moved = (content / self.scale).requires_grad_()
        self.bound = 1 / self.scale
        self.adam = torch.optim.Adam([self.moved], config.learning_rate, config.betas)
        self.steps, self.done = config.steps, 0

    @property
    def picture(self) -> Float[Tensor, "1 3 h w"]:
        """The painting now, in [-1, 1]."""
        return self.moved.detach() * self.scale

    def shapes(self) -> dict[int, tuple[int, ...]]:
        """The features' shapes, by layer."""
        return {number: tuple(maps.shape[1:]) for number, maps in self.wanted.items()}

    @property
    def size(self) -> tuple[int, int]:
        """Height and width that are being worked on."""
        return self.moved.shape[2], self.moved.shape[3]

    @property
    def final(self) -> tuple[int, int]:
        """The same."""
        return self.size

    def spent(self, seconds: float = 0.0) -> float:
        """The share of its operations that is done; how long it took does not matter."""
        del seconds
        return self.done / self.steps

    def flops(self) -> float:
        """Operations of the network over all steps, targets aside."""
        return self.steps * self.network.flops(self.layers[-1], *self.size)

    def told(self) -> dict[str, float]:
        """The size that is being worked on."""
        height, width = self.size
        return {"height": float(height), "width": float(width)}

    def preview(self) -> UInt8[np.ndarray, "1 h w 3"]:
        """The painting now, as large as it will be, or as a screen shows."""
        return preview(self.picture, *self.final)

    def state(self) -> dict[str, Tensor]:
        """All that it takes to go on."""
        held = {"moved": self.moved.detach(), "done": torch.tensor(self.done)}
        told: Mapping[str, Tensor] = self.adam.state.get(self.moved, {})
        return held | {f"adam/{name}": value for name, value in told.items()}

    def restore(self, state: Mapping[str, Tensor]) -> None:
        """Goes on where another one was."""
        self.done = int(state["done"])
        with torch.no_grad():
            self.moved.copy_(state["moved"])
        kept = {n.removeprefix("adam/"): v for n, v in state.items() if n.startswith("adam/")}
        if kept:
            self.adam.state[self.moved] = dict(kept)

    def step(self) -> Losses:
        """One step; its losses, from before it."""
        seen = self.network(self.moved * self.scale, self.layers)
        content = style = self.moved.new_zeros(())
        for number, maps in seen.items():
            content = content + published_content(maps, self.wanted[number])
            style = style + published_style(maps, self.grams[number])
        total = content + self.config.style_weight * style
        (self.moved.grad,) = torch.autograd.grad(total, [self.moved])
        self.adam.step()
        with torch.no_grad():
            self.moved.clamp_(-self.bound, self.bound)
        self.done += 1
        return {"content": content.detach(), "style": style.detach(), "total": total.detach()}
