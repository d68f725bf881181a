"""Loss networks whose weights are drawn, large enough for features to reach the last layer."""

from impasto.nn.vgg import VGG, Depth
from impasto.seeds import seeded
from impasto.style.loss_network import KINDS, LossNetwork

NAMES = {16: "vgg16-hed", 19: "vgg-19"}


def drawn_network(depth: Depth = 19) -> LossNetwork:
    """A VGG with drawn weights, up to the first convolution of its last block."""
    kind = KINDS[NAMES[depth]]
    with seeded(0, "network"):
        vgg = VGG(depth, kind.style[-1], padding="replicate")
    for convolution in vgg.features.values():
        convolution.weight.mul_(2.0)
    return LossNetwork(vgg, kind)
