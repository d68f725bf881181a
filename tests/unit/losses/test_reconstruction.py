"""What decoding costs, against torch's own distributions."""

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.distributions import Bernoulli, Normal, kl_divergence

from impasto.losses.latent import kl_to_standard, with_free_bits
from impasto.losses.reconstruction import (
    LEAST_LOG_SIGMA,
    cross_entropy,
    gaussian_surprise,
    log_sigma,
    squared_error,
)
from impasto.losses.structure import dissimilarity

SHAPE = (5, 3, 8, 8)


def pictures(seed):
    return torch.rand(SHAPE, generator=torch.Generator().manual_seed(seed)) * 2 - 1


@given(st.integers(0, 1_000), st.floats(-3, 1))
def test_the_surprise_is_minus_the_log_likelihood_of_a_gaussian(seed, sigma):
    decoded, images = pictures(seed), pictures(seed + 1)
    told = gaussian_surprise(squared_error(decoded, images), torch.tensor(sigma), 3 * 8 * 8)
    right = -Normal(decoded.double(), math.exp(sigma)).log_prob(images.double()).sum((1, 2, 3))
    assert told.tolist() == pytest.approx(right.tolist(), rel=1e-4)


def test_no_other_deviation_makes_a_batch_likelier():
    errors = squared_error(pictures(0), pictures(1))
    best = log_sigma(errors.mean())
    told = [gaussian_surprise(errors, best + off, 192).mean() for off in (-0.1, 0.0, 0.1)]
    assert told[1] < min(told[0], told[2])


@pytest.mark.parametrize("error", [0.0, 1e-12, 1e-30])
def test_a_perfect_reconstruction_is_not_worth_anything(error):
    assert float(log_sigma(torch.tensor(error))) == LEAST_LOG_SIGMA


def test_cross_entropy_is_that_of_pixels_as_shares():
    logits, images = pictures(2) * 5, pictures(3)
    told = cross_entropy(logits, images)
    shares = (images + 1) / 2
    right = -(
        shares * Bernoulli(logits=logits).log_prob(torch.ones(SHAPE))
        + (1 - shares) * Bernoulli(logits=logits).log_prob(torch.zeros(SHAPE))
    ).mean((1, 2, 3))
    assert told.tolist() == pytest.approx(right.tolist(), rel=1e-5)


@given(st.integers(0, 1_000))
def test_the_divergence_is_that_of_two_gaussians(seed):
    drawn = torch.Generator().manual_seed(seed)
    mean, log_variance = torch.randn(2, 6, 4, generator=drawn) * 2
    told = kl_to_standard(mean, log_variance)
    right = kl_divergence(Normal(mean, torch.exp(log_variance / 2)), Normal(0.0, 1.0))
    assert torch.allclose(told, right, rtol=1e-4, atol=1e-5)
    assert (told >= -1e-6).all()


def test_free_bits_stop_pushing_down_what_is_below_them():
    divergences = torch.tensor([[0.01, 2.0], [0.03, 4.0]], requires_grad=True)
    told = with_free_bits(divergences, 0.5)
    assert told.item() == pytest.approx(0.5 + 3.0)
    (gradient,) = torch.autograd.grad(told, divergences)
    assert gradient.tolist() == [[0, 0.5], [0, 0.5]]


def test_a_picture_is_not_unlike_itself_and_its_negative_is():
    images = pictures(4)
    assert dissimilarity(images, images).abs().max() < 1e-5
    assert dissimilarity(images, -images).mean() > 0.9


def test_structure_counts_more_than_brightness():
    images = pictures(5) * 0.5
    brighter, scrambled = images + 0.2, images.flip(3)
    assert dissimilarity(images, brighter).mean() < 0.1 < dissimilarity(images, scrambled).mean()
