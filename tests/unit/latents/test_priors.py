"""Priors fitted to codes whose distribution is known."""

import numpy as np
import pytest
import torch

from impasto.evaluation.kernel import kernel_distance
from impasto.latents.priors import flow, mixture
from impasto.nn.priors import Mixture

DIMENSIONS = 4
NOBODY = torch.zeros(2_000, 0)


@pytest.fixture(scope="module")
def truth():
    means = torch.tensor([[3.0, 0, 0, 0], [-3, 0, 0, 0], [0, 4, 0, 0]])
    spreads = torch.diag(torch.tensor([0.2, 0.3, 0.5, 1.0])).expand(3, -1, -1)
    return Mixture.of(torch.tensor([0.5, 0.3, 0.2]), means, spreads)


def draws(prior, seed=0, known=NOBODY):
    drawn = torch.Generator().manual_seed(seed)
    noise = torch.randn(2_000, DIMENSIONS, generator=drawn)
    return prior.draw(noise, torch.rand(2_000, generator=drawn), known)


def distance(codes, others):
    told = kernel_distance(codes.numpy(), others.numpy(), unit=False)
    return told.value, told.error


def test_a_mixture_is_as_likely_as_the_true_one(truth):
    found = mixture(draws(truth), draws(truth, 1))
    strangers = draws(truth, 2)
    assert len(found.shares) >= 3
    assert float(found.log_density(strangers).mean()) == pytest.approx(
        float(truth.log_density(strangers).mean()), abs=0.1
    )


def test_of_one_gaussian_it_makes_one():
    normal = Mixture(DIMENSIONS)
    found = mixture(draws(normal), draws(normal, 1))
    assert len(found.shares) == 1
    mean, covariance = found.moments()
    assert mean.abs().max() < 0.1
    assert (covariance - torch.eye(DIMENSIONS)).abs().max() < 0.1


def test_without_strangers_it_is_one_gaussian_with_the_moments_of_the_codes(truth):
    codes = draws(truth)
    mean, covariance = mixture(codes, codes[:0]).moments()
    assert torch.allclose(mean, codes.double().mean(0), atol=1e-4)
    assert torch.allclose(covariance, codes.double().T.cov(), rtol=0.02, atol=0.02)


def test_moments_of_a_mixture_are_those_of_its_draws(truth):
    mean, covariance = truth.moments()
    codes = torch.cat([draws(truth, seed) for seed in range(20)]).double()
    assert (codes.mean(0) - mean).abs().max() < 0.06
    assert (codes.T.cov() - covariance).abs().max() < 0.25


def test_a_flow_recovers_a_mixture_of_gaussians(truth):
    codes = draws(truth)
    found = flow(codes, torch.zeros(2_000, 0), steps=1_500)
    strangers = draws(truth, 1)
    flowed, error = distance(strangers, draws(found, 2))
    gaussian, _ = distance(strangers, draws(mixture(codes, codes[:0]), 2))
    assert flowed < gaussian / 5
    shares = [float((draws(found, 3)[:, 0] > 1.5).float().mean()), 0.5]
    assert shares[0] == pytest.approx(shares[1], abs=0.08)
    assert error < gaussian


def test_a_flow_that_is_told_something_draws_what_goes_with_it(truth):
    codes = draws(truth)
    right = (codes[:, 0] > 0).float()
    known = torch.stack([right, 1 - right], 1)
    found = flow(codes, known, steps=1_500)
    asked = torch.tensor([[1.0, 0.0]]).expand(2_000, -1)
    assert float((draws(found, 4, asked)[:, 0] > 0).float().mean()) > 0.93


def test_the_same_seed_fits_the_same_flow():
    codes = draws(Mixture(DIMENSIONS))
    one, other = (flow(codes, torch.zeros(2_000, 0), steps=5) for _ in range(2))
    for mine, theirs in zip(one.parameters(), other.parameters(), strict=True):
        assert torch.equal(mine, theirs)
    assert not np.isnan(draws(one).numpy()).any()
