"""Features given another picture's statistics, and the way back to pixels."""

import pytest
import torch

from impasto.nn.adaptive import Mirror, Whitening, adapted, statistics
from impasto.nn.vgg import VGG


def test_adapted_features_have_the_statistics_that_are_wanted():
    drawn = torch.Generator().manual_seed(0)
    maps, style = (torch.rand(2, 5, 7, 9, generator=drawn) * k for k in (1, 4))
    wanted = statistics(style)
    for one, other in zip(statistics(adapted(maps, wanted)), wanted, strict=True):
        assert torch.allclose(one, other, atol=1e-3)


def test_features_adapted_to_their_own_statistics_stay():
    maps = torch.rand(1, 4, 6, 6, generator=torch.Generator().manual_seed(1))
    assert torch.allclose(adapted(maps, statistics(maps)), maps, atol=1e-5)


def test_flat_features_stay_finite():
    maps = torch.ones(1, 3, 4, 4)
    wanted = statistics(torch.rand(1, 3, 4, 4, generator=torch.Generator().manual_seed(2)))
    assert torch.isfinite(adapted(maps, wanted)).all()


def test_a_mirror_gives_back_the_size_of_the_picture():
    encoder = VGG(16, 17)
    picture = torch.rand(1, 3, 48, 80)
    seen = [picture, *encoder(picture, (0, 5, 10, 17)).values()]
    assert torch.equal(Mirror(encoder, 0.125)(seen), picture)  # that it begins with


@pytest.mark.parametrize("layer", range(4))
def test_a_mirror_is_shown_every_block(layer):
    mirror, drawn = Mirror(VGG(16, 10), 0.125), torch.Generator().manual_seed(4)
    torch.nn.init.ones_(mirror.convolutions[-1].weight)
    seen = [
        torch.rand(1, channels, side, side, generator=drawn)
        for channels, side in ((3, 32), (64, 32), (128, 16), (256, 8))
    ]
    before = mirror(seen)
    seen[layer] = seen[layer] + 1
    assert (mirror(seen) - before).abs().max() > 1e-3


def test_features_are_whitened_where_they_vary_and_left_small_where_they_hardly_do():
    whitening, drawn = Whitening(128), torch.Generator().manual_seed(3)
    mixed = torch.randn(128, 128, generator=drawn)
    scales = torch.tensor([30.0] * 4 + [1.0] * 123 + [0.0])  # one channel of those mixed is dead
    maps = torch.einsum("kc,c,nchw->nkhw", mixed, scales, torch.randn(8, 128, 9, 9, generator=drawn)) + 5  # fmt: skip
    whitening.fit(maps)
    found = whitening(maps).transpose(0, 1).flatten(1).cov()
    variances = found.diagonal()
    assert variances.max() < 1.01
    assert variances[-4:].min() > 0.99
    assert (found - variances.diag()).abs().max() < 0.01
