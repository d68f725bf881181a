"""Losses of style against closed forms, plain sums, and finite differences."""

import pytest
import torch

from impasto.losses.style import (
    Wasserstein,
    content_distance,
    gram_distance,
    moments,
    published_content,
    published_gram,
    published_style,
    total_variation,
    wasserstein,
)
from impasto.seeds import stream
from impasto.style.objective import Kept

SOME = torch.rand(4, 5, generator=stream(3, "some"), dtype=torch.float64)


def maps(seed=0, channels=4, size=(6, 7)):
    return torch.randn(
        1, channels, *size, generator=stream(seed, "maps"), dtype=torch.float64
    ).relu()


def gaussian(mean, covariance):
    """Features whose moments are exactly these."""
    drawn = torch.randn(len(mean), 400, generator=stream(0, "gaussian"), dtype=torch.float64)
    drawn -= drawn.mean(1, keepdim=True)
    drawn = torch.linalg.cholesky(drawn @ drawn.T / 400).inverse() @ drawn
    return (torch.linalg.cholesky(covariance) @ drawn + mean[:, None]).view(1, -1, 20, 20)


def test_moments_are_plain_sums_and_add_up():
    seen = maps()
    flat = seen[0].flatten(1)
    found = moments(seen)
    torch.testing.assert_close(found.mean, flat.mean(1))
    torch.testing.assert_close(found.second, flat @ flat.T / flat.shape[1])
    torch.testing.assert_close(found.covariance, flat.cov(correction=0))
    parts = moments(seen[..., :3]).and_of(moments(seen[..., 3:]))
    for one, other in zip(parts, found, strict=True):
        torch.testing.assert_close(one, other)


def test_a_region_s_moments_are_those_of_its_places():
    seen, where = maps(), torch.zeros(6, 7).double()
    where[2:5, 1:4] = 1
    for one, other in zip(moments(seen, where), moments(seen[..., 2:5, 1:4]), strict=True):
        torch.testing.assert_close(one, other)


def test_a_picture_is_at_no_distance_from_itself():
    own = moments(maps())
    assert float(gram_distance(own, own)) == 0
    assert float(wasserstein(own, own)) == pytest.approx(0, abs=1e-5)
    assert float(content_distance(maps(), maps())) == 0
    assert float(published_content(maps(), maps())) == 0
    assert float(published_style(maps(), published_gram(maps()))) == 0


def test_neither_size_nor_scale_of_features_matters():
    one, other = maps(0), maps(1)
    twice = [each.repeat(1, 1, 2, 2) for each in (one, other)]
    for distance in (gram_distance, wasserstein):
        plain = float(distance(moments(one), moments(other)))
        assert float(distance(*map(moments, twice))) == pytest.approx(plain, rel=1e-4)
        assert float(distance(moments(one * 30), moments(other * 30))) == pytest.approx(
            plain, rel=1e-4
        )
    assert float(content_distance(one * 30, other * 30)) == pytest.approx(
        float(content_distance(one, other)), rel=1e-6
    )


def test_wasserstein_of_known_gaussians():
    wide, narrow = torch.diag(torch.tensor([4.0, 1.0])).double(), torch.eye(2).double()
    here, there = torch.tensor([1.0, 0.0]).double(), torch.tensor([0.0, 2.0]).double()
    found = wasserstein(moments(gaussian(here, wide)), moments(gaussian(there, narrow)), ridge=0.0)
    # |m - t|^2 = 5, tr(S) = 5, tr(T) = 2, tr((S T)^1/2) = 2 + 1; over E|x|^2 = 2 + 4 of the target
    assert float(found) == pytest.approx((5 + 5 + 2 - 2 * 3) / 6, rel=1e-4)


def test_gram_distance_of_known_gaussians():
    one = moments(gaussian(torch.zeros(2).double(), torch.diag(torch.tensor([4.0, 1.0]).double())))
    other = moments(gaussian(torch.zeros(2).double(), torch.eye(2).double()))
    assert float(gram_distance(one, other)) == pytest.approx(9 / 2, rel=1e-4)
    black = moments(torch.zeros(1, 2, 5, 5))
    assert float(gram_distance(black, other)) == pytest.approx(1)


def test_content_counts_where_it_should():
    seen, wanted, where = maps(0), maps(1), torch.zeros(6, 7)
    where[0] = 1
    found = content_distance(seen, wanted, where.double())
    torch.testing.assert_close(found, content_distance(seen[..., :1, :], wanted[..., :1, :]))


def test_published_losses_are_those_of_the_plain_loop():
    seen, wanted = maps(0), maps(1)
    gram, other = (torch.einsum("ihw,jhw->ij", m[0], m[0]) for m in (seen, wanted))
    torch.testing.assert_close(
        published_style(seen, published_gram(wanted)),
        ((gram - other) ** 2).mean() / (4 * 6 * 7),
    )
    torch.testing.assert_close(published_content(seen, wanted), ((seen - wanted) ** 2).mean())


def test_total_variation_is_that_of_neighbours():
    ramp = torch.arange(5.0).expand(1, 3, 4, 5)
    assert float(total_variation(ramp)) == 1
    assert float(total_variation(torch.full((1, 3, 4, 5), 7.0))) == 0
    assert float(total_variation(torch.zeros(1, 3, 1, 1))) == 0


@pytest.mark.parametrize(
    "loss",
    [
        lambda own: gram_distance(moments(own), moments(maps(1, 3, (4, 5)))),
        lambda own: wasserstein(moments(own), moments(maps(1, 3, (4, 5)))),
        lambda own: Wasserstein(moments(maps(1, 3, (4, 5))), ridge=1e-2)(moments(own)),
        lambda own: wasserstein(moments(own, SOME), moments(maps(1, 3, (4, 5)))),
        lambda own: content_distance(own, maps(1, 3, (4, 5))),
        lambda own: content_distance(own, maps(1, 3, (4, 5)), SOME),
        lambda own: Kept(maps(1, 3, (4, 5)), SOME, 20.0).loss(own),
        lambda own: published_style(own, published_gram(maps(1, 3, (4, 5)))),
        lambda own: published_content(own, maps(1, 3, (4, 5))),
        total_variation,
    ],
    ids=[
        "gram",
        "wasserstein",
        "wasserstein with a ridge",
        "wasserstein of a region",
        "content",
        "content of a region",
        "what is kept",
        "published style",
        "published content",
        "variation",
    ],
)
def test_gradients_are_those_of_finite_differences(loss):
    own = torch.rand(1, 3, 4, 5, generator=stream(2, "own"), dtype=torch.float64)
    assert torch.autograd.gradcheck(loss, own.requires_grad_())
