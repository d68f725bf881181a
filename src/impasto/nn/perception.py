"""How alike two pictures look to a network that has learned what pictures show.

The first layers of MobileNetV2, on published weights that stay as they are: each place of each map is
brought to length 1, and the squared differences are averaged. Nothing in it was fitted to people's
judgement, and its numbers compare only with each other.

Source: arXiv 1801.03924, equation 1, without its learned weights.
"""

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.functional import interpolate

from impasto.nn.blocks import outlined, placed
from impasto.nn.mobilenet import MobileNetV2
from impasto.nn.pretrained import require
from impasto.nn.weights import load_published

WEIGHTS = "mobilenet-v2"
LAYERS = (1, 3, 6, 10)  # whose maps are compared: strides 2, 4, 8 and 16
MEAN, DEVIATION = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)  # of the pictures it learned from
LEAST_SIDE = 64  # smaller pictures are enlarged to it: it learned with 224


class Perception(nn.Module):
    """The first layers of a network that is not trained, and what they tell apart.

    Raises:
        WeightsError: the weights are not on this machine; the message says how to get them.
        DamagedFile: the file of weights is not the published one.
    """

    mean: Float[Tensor, "1 3 1 1"]
    deviation: Float[Tensor, "1 3 1 1"]

    def __init__(self, device: torch.device) -> None:
        super().__init__()
        with outlined():
            network = MobileNetV2()
        load_published(network, require(WEIGHTS))
        self.layers = nn.ModuleList(list(network.features)[: LAYERS[-1] + 1])
        self.register_buffer("mean", torch.tensor(MEAN).view(1, 3, 1, 1))
        self.register_buffer("deviation", torch.tensor(DEVIATION).view(1, 3, 1, 1))
        placed(self.eval(), device)

    def forward(self, images: Float[Tensor, "n c h w"]) -> list[Float[Tensor, "n _ _ _"]]:
        """The maps of pictures in [-1, 1], each place at length 1."""
        shown = (images.expand(-1, 3, -1, -1) + 1) / 2
        if shown.shape[-1] < LEAST_SIDE:
            shown = interpolate(shown, (LEAST_SIDE, LEAST_SIDE), mode="bilinear")
        out, maps = (shown - self.mean) / self.deviation, []
        for index, layer in enumerate(self.layers):
            out = layer(out)
            if index in LAYERS:
                maps.append(nn.functional.normalize(out, dim=1, eps=1e-6))
        return maps

    def distance(
        self, images: Float[Tensor, "n c h w"], others: Float[Tensor, "n c h w"]
    ) -> Float[Tensor, " n"]:
        """How differently pictures look, from 0 up; each pair for itself."""
        told = torch.zeros(len(images), device=images.device)
        for mine, theirs in zip(self(images), self(others), strict=True):
            told = told + (mine - theirs).square().sum(1).mean((1, 2))
        return told / len(LAYERS)
