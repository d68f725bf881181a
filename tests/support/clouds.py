"""Features that are made up, and a protocol to score them by."""

import numpy as np

from impasto.evaluation.score import Protocol

PROTOCOL = Protocol(
    n_real=1_234,
    n_generated=987,
    real="cats.zip",
    fingerprint="f00dcafe" * 8,
    split="held-out",
    size=64,
    softened=None,
    extractor="mobilenet-v2",
    extractor_sha256="b03531047ffa" + 52 * "0",
    resize="stretched to 224x224, bicubic, antialiased",
    ema=True,
    seed=7,
)


def cloud(count, dimensions=12, *, seed=0, shift=0.0, rank=None):
    """Points about `shift`, correlated in one way whatever the seed; flat beyond `rank` directions."""
    mix = np.random.default_rng(99).standard_normal((rank or dimensions, dimensions))
    points = np.random.default_rng(seed).standard_normal((count, rank or dimensions))
    return (points @ mix / dimensions**0.5 + shift).astype(np.float32)


def shuffled(points, seed=5):
    return np.random.default_rng(seed).permutation(points)
