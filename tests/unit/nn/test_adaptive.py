"""Features given another picture's statistics, and a painter that is told of a manner by them."""

import torch

from impasto.nn.adaptive import AdaptivePainter, StyleCode, adapted, statistics

CHANNELS = (3, 8, 16)


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


def manners(seed, count=6):
    drawn = torch.Generator().manual_seed(seed)
    return tuple(statistics(torch.randn(count, c, 8, 8, generator=drawn) * 2 + 1) for c in CHANNELS)


def only(manner, number):
    return tuple((mean[number : number + 1], wide[number : number + 1]) for mean, wide in manner)


def test_a_manner_is_told_by_what_is_unusual_of_it():
    code, told = StyleCode(CHANNELS, 5), manners(3)
    code.fit(told)
    usual = tuple((m.mean(0, keepdim=True), d.log().mean(0, keepdim=True).exp()) for m, d in told)
    nothing = code.second(torch.relu(code.first.bias))
    assert torch.allclose(code(usual)[0, 1:], nothing, atol=1e-5)
    assert torch.equal(code(told)[:, 0], torch.ones(6))
    assert (code(told)[1:, 1:] - code(told)[:1, 1:]).abs().min() > 0


def test_a_manner_however_far_off_counts_as_one_at_the_edge():
    code, told = StyleCode(CHANNELS, 5), manners(3)
    code.fit(told)
    far, further = (tuple((m + k, d) for m, d in only(told, 0)) for k in (1e3, 1e6))
    assert torch.equal(code(far), code(further))


def test_layers_count_alike():
    code, drawn = StyleCode((4, 400), 5), torch.Generator().manual_seed(4)
    told = tuple(statistics(torch.randn(64, c, 8, 8, generator=drawn)) for c in (4, 400))
    code.fit(told)
    seen = []
    code.first.register_forward_pre_hook(lambda _, given: seen.append(given[0]))
    code(told)
    lengths = [part.square().sum(1).mean() for part in (seen[0][:, :8], seen[0][:, 8:])]
    assert torch.allclose(lengths[0], lengths[1], rtol=0.05)


def test_a_painting_has_the_colours_that_it_is_told_and_strokes_by_the_manner():
    torch.manual_seed(5)
    painter, told = AdaptivePainter(4, CHANNELS, 5), manners(6, 2)
    painter.code.fit(told)
    picture = torch.rand(1, 3, 32, 48) * 2 - 1
    one, other = (painter(picture, only(told, n)) for n in range(2))
    for found, wanted in zip(statistics(one), only(told, 0)[0], strict=True):
        assert torch.allclose(found, wanted, atol=1e-3)
    assert (adapted(other, statistics(one)) - one).abs().mean() > 1e-2


def test_each_picture_of_a_batch_has_its_own_manner():
    torch.manual_seed(7)
    painter, told = AdaptivePainter(4, CHANNELS, 5), manners(8, 2)
    pictures = torch.rand(2, 3, 32, 32) * 2 - 1
    whole = painter(pictures, told)
    for n in range(2):
        assert torch.allclose(
            whole[n : n + 1], painter(pictures[n : n + 1], only(told, n)), atol=1e-4
        )
