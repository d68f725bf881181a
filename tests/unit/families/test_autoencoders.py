"""Autoencoders against what is known in closed form."""

import math

import numpy as np
import pytest
import torch

from impasto.families.autoencoder import AutoencoderConfig, PlainAutoencoder
from impasto.families.base import Batch
from impasto.families.vae import VAE, VAEConfig
from impasto.schedules import Cosine
from impasto.seeds import Streams
from impasto.types import Budget, ImageShape, Progress

SIDE, LATENTS, PICTURES = 4, 3, 4_000
SHAPE = ImageShape(1, SIDE)


@pytest.fixture(scope="module")
def cloud():
    """Pictures that are Gaussian, with three directions of their own and noise in all."""
    drawn = torch.Generator().manual_seed(3)
    directions = torch.linalg.qr(torch.randn(SIDE**2, SIDE**2, generator=drawn))[0]
    scales = torch.full((SIDE**2,), 0.1)
    scales[:LATENTS] = torch.tensor([0.8, 0.6, 0.5])
    rows = torch.randn(PICTURES, SIDE**2, generator=drawn) * scales @ directions.T
    return rows - rows.mean(0)


def learnt(family, rows, steps=1_500, batch=500):
    budget = Budget(steps * batch, "images")
    for step in range(steps):
        some = rows[(torch.arange(batch) + step * batch) % len(rows)].view(-1, 1, SIDE, SIDE)
        told = family.step(
            Batch(some, torch.zeros(batch, 0)), Progress(step * batch, budget, PICTURES)
        )
    return told


def test_a_linear_autoencoder_finds_the_space_of_the_principal_components(cloud):
    config = AutoencoderConfig(
        latents=LATENTS, network="linear", learning_rate=1e-2, schedule=Cosine(), ema_half_life=0
    )
    family = PlainAutoencoder(config, SHAPE, Streams(0, torch.device("cpu")))
    told = learnt(family, cloud)
    values, vectors = torch.linalg.eigh(cloud.T.cov())
    principal = vectors[:, -LATENTS:]
    found = torch.linalg.qr(family.network.decoder.layer.weight.detach())[0]
    angles = torch.linalg.svdvals(principal.T @ found).clamp(max=1).acos()
    assert angles.max() < math.radians(1)
    assert float(told["reconstruction_loss"]) == pytest.approx(
        float(values[:-LATENTS].sum() / SIDE**2), rel=0.1
    )


def test_a_linear_variational_one_is_probabilistic_pca(cloud):
    """Its bound is tight: the likelihood of the closed form, with the noise of the closed form.

    Source: Tipping and Bishop, Probabilistic principal component analysis, 1999, equation 8; arXiv 1911.02469.
    """
    config = VAEConfig(
        latents=LATENTS, network="linear", learning_rate=1e-2, schedule=Cosine(), ema_half_life=0
    )
    family = VAE(config, SHAPE, Streams(0, torch.device("cpu")))
    learnt(family, cloud, steps=3_000)
    values = torch.linalg.eigvalsh(cloud.T.cov()).flip(0).double()
    noise = values[LATENTS:].mean()
    dimensions = SIDE**2
    likelihood = -0.5 * (
        dimensions * math.log(2 * math.pi)
        + values[:LATENTS].log().sum()
        + (dimensions - LATENTS) * noise.log()
        + dimensions
    )
    told = [
        family.objective(
            Batch(cloud.view(-1, 1, SIDE, SIDE), torch.zeros(PICTURES, 0)),
            Progress(10**9 + step, Budget(10**9, "images"), PICTURES),
        )[2]
        for step in range(5)
    ]
    bound = -np.mean([float(each["bound_loss"]) for each in told]) * dimensions
    sigma = np.mean([float(each["sigma"]) for each in told])
    assert sigma == pytest.approx(float(noise.sqrt()), rel=0.02)
    assert bound == pytest.approx(float(likelihood), abs=0.1)
    assert bound < float(likelihood) + 0.05
