"""The network that repaints: any size, and each style its own."""

import torch

from impasto.nn.transfer import StyledNorm, TransferNetwork
from impasto.seeds import seeded, stream


def network(styles=2):
    with seeded(0, "network"):
        made = TransferNetwork(4, styles).requires_grad_(requires_grad=False)
    for name, value in made.named_parameters():
        if name.endswith(("scale", "shift")):
            value.data += torch.randn(value.shape, generator=stream(1, name)) / 4
    return made


def test_a_picture_is_painted_alike_in_any_company():
    made = network()
    pictures = torch.rand(3, 3, 32, 48, generator=stream(0, "pictures")) * 2 - 1
    mix = torch.eye(2)[torch.tensor([0, 1, 0])]
    whole = made(pictures, mix)
    assert whole.shape == pictures.shape
    assert float(whole.abs().max()) <= 1
    torch.testing.assert_close(made(pictures[1:2], mix[1:2]), whole[1:2], atol=1e-5, rtol=1e-4)
    assert not torch.allclose(made(pictures[:1], mix[1:2]), whole[:1], atol=1e-2)


def test_a_norm_gives_each_picture_its_style_s_moments():
    norm = StyledNorm(5, 2).requires_grad_(requires_grad=False)
    norm.scale.data[1], norm.shift.data[1] = 3.0, -2.0
    maps = torch.randn(2, 5, 30, 30, generator=stream(0, "maps")) * 7 + 4
    found = norm(maps, torch.eye(2)).flatten(2)
    torch.testing.assert_close(
        found.mean(2), torch.tensor([[0.0] * 5, [-2.0] * 5]), atol=1e-4, rtol=0
    )
    torch.testing.assert_close(
        found.std(2, correction=0), torch.tensor([[1.0] * 5, [3.0] * 5]), atol=1e-3, rtol=0
    )
    half = norm(maps[:1], torch.tensor([[0.5, 0.5]])).flatten(2)
    torch.testing.assert_close(half.mean(2), torch.full((1, 5), -1.0), atol=1e-4, rtol=0)
