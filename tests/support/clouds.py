"""Features that are made up: points in space, thick in some directions and thin in others."""

import numpy as np


def cloud(count, dimensions=12, *, seed=0, shift=0.0, rank=None):
    """Points about `shift`, correlated in one way whatever the seed; flat beyond `rank` directions."""
    mix = np.random.default_rng(99).standard_normal((rank or dimensions, dimensions))
    points = np.random.default_rng(seed).standard_normal((count, rank or dimensions))
    return (points @ mix / dimensions**0.5 + shift).astype(np.float32)


def shuffled(points, seed=5):
    return np.random.default_rng(seed).permutation(points)
