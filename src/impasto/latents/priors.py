"""Priors fitted to the codes of pictures: a Gaussian mixture in a moment, a rectified flow in half a minute."""

import numpy as np
import torch
from jaxtyping import Float
from sklearn.mixture import GaussianMixture
from torch import Tensor

from impasto.nn.ema import Ema
from impasto.nn.player import adam
from impasto.nn.priors import Flow, Mixture
from impasto.schedules import Cosine
from impasto.seeds import seeded, stream
from impasto.types import Budget, Progress

COMPONENTS = (1, 2, 4, 8, 16, 32)  # tried in this order, for as long as strangers become likelier
EACH = 4  # codes for every dimension that a component must have
RIDGE = 1e-3  # of the mean variance, added to that of each number
STEPS, BATCH, RATE = 2_000, 128, 1e-3  # of a flow
KEPT = 20_000  # codes whose influence on a flow's averaged weights has halved


def mixture(
    codes: Float[Tensor, "n z"], strangers: Float[Tensor, "m z"], *, seed: int = 0
) -> Mixture:
    """The mixture of Gaussians under which codes that it was not fitted to are likeliest.

    Args:
        codes: of pictures that were trained on.
        strangers: of pictures that were not; perhaps none, and then it is one Gaussian.
        seed: of where the components start.
    """
    rows = codes.double().numpy()
    ridge = max(float(rows.var(0).mean()), 1e-6) * RIDGE
    best, likeliest = None, -np.inf
    for count in COMPONENTS:
        if count > 1 and (len(rows) < count * EACH * rows.shape[1] or not len(strangers)):
            break
        found = _fitted(rows, count, ridge, seed)
        likelihood = float(found.log_density(strangers).mean()) if len(strangers) else 0.0
        if best is not None and likelihood <= likeliest:
            break
        best, likeliest = found, likelihood
    assert best is not None
    return best


def _fitted(rows: Float[np.ndarray, "n z"], count: int, ridge: float, seed: int) -> Mixture:
    if count == 1:
        centered = rows - rows.mean(0)
        shares, means = np.ones(1), rows.mean(0)[None]
        covariances = (centered.T @ centered / len(rows))[None] + ridge * np.eye(rows.shape[1])
    else:
        # Its own parameter `reg_covar` is this ridge; ends that it calls early are good enough for a prior.
        found = GaussianMixture(
            count,
            reg_covar=ridge,
            tol=1e-2,
            max_iter=60,
            random_state=seed,
            init_params="k-means++",
        )
        found.fit(rows)
        shares, means, covariances = found.weights_, found.means_, found.covariances_
    told = (torch.from_numpy(np.asarray(part, np.float64)) for part in (shares, means, covariances))
    return Mixture.of(*told)


def flow(
    codes: Float[Tensor, "n z"],
    known: Float[Tensor, "n k"],
    *,
    seed: int = 0,
    steps: int = STEPS,
) -> Flow:
    """A rectified flow that carries noise to codes like these, given what is known of the pictures.

    Args:
        codes: of pictures that were trained on.
        known: of the same; it is told in nine cases of ten, so that it may be missing.
        seed: of weights, noise and order.
        steps: of training.

    Source: arXiv 2209.03003, algorithm 1.
    """
    with seeded(seed, "flow"):
        network = Flow(codes.shape[1], known.shape[1])
    network.center.copy_(codes.mean(0))
    network.scale.copy_(codes.std(0).clamp_min(1e-6))
    optimizer, ema = adam(network, RATE, (0.9, 0.99)), Ema(network, KEPT)
    parameters, budget = list(network.parameters()), Budget(steps * BATCH, "images")
    for step in range(steps):
        drawn = stream(seed, "flow", step)
        some = torch.randint(len(codes), (BATCH,), generator=drawn)
        noise = torch.randn(BATCH, codes.shape[1], generator=drawn)
        time = torch.rand(BATCH, generator=drawn)
        told = known[some] * (torch.rand(BATCH, 1, generator=drawn) < 0.9)
        loss = network.loss(codes[some], told, noise, time)
        gradients = torch.autograd.grad(loss, parameters)
        for parameter, gradient in zip(parameters, gradients, strict=True):
            parameter.grad = gradient
        rate = RATE * Cosine(final=0.02).factor(Progress(step * BATCH, budget, len(codes)))
        for group in optimizer.param_groups:
            group["lr"] = rate
        optimizer.step()
        ema.update(network, step * BATCH, BATCH)
    averaged = ema.network
    assert isinstance(averaged, Flow)
    return averaged
