"""The Frechet distance at 2,048 dimensions, from the moments of 10,000 pictures: ours, torchmetrics', and SciPy's way.

Features are made up, with a spectrum that falls off as that of Inception's does. The last is how torch-fidelity and
pytorch-fid take it: the square root of a matrix that is not symmetric. From 2,000 pictures, fewer than there are
dimensions, ours needs no matrix of dimensions by dimensions at all, and its time from features to distance is told.
"""

import time
from collections.abc import Callable

import numpy as np
import torch
from measure import quick, report, take_turns
from scipy.linalg import sqrtm
from torchmetrics.image.fid import _compute_fid

from impasto.evaluation.frechet import (
    Moments,
    distance_of_moments,
    frechet_distance,
    frechet_error,
    moments_of,
)

Distance = Callable[[Moments, Moments], float]
BAR = 2.0  # times as fast as the faster of the others


def main() -> None:
    few = quick()
    dimensions, count, small = (256, 1_000, 200) if few else (2_048, 10_000, 2_000)
    real = features(count, dimensions, seed=1)
    generated = features(count, dimensions, seed=2, stretch=1.1, shift=0.02)
    moments = moments_of(real), moments_of(generated)
    ways: dict[str, Distance] = {
        "impasto": distance_of_moments,
        "torchmetrics": by_torchmetrics,
        "scipy sqrtm": by_roots,
    }
    found = {name: distance(*moments) for name, distance in ways.items()}
    medians = take_turns({n: seconds(d, *moments) for n, d in ways.items()}, 2 if few else 3)
    fewer = real[:small], generated[:small]
    whole = {
        "frechet_distance": seconds(frechet_distance, *fewer),
        "frechet_error": seconds(frechet_error, *fewer),
    }
    figures = {
        "dimensions": dimensions,
        "threads": torch.get_num_threads(),
        "seconds": {name: round(value, 3) for name, value in medians.items()},
        "distance": found,
        "times_as_fast_as_the_faster_of_the_others": round(
            min(medians["torchmetrics"], medians["scipy sqrtm"]) / medians["impasto"], 2
        ),
        "bar": BAR,
        f"seconds_from_features_of_{small:,}_pictures": {
            name: round(value, 3) for name, value in take_turns(whole, 3).items()
        },
    }
    report("frechet-cpu", figures, keep=not few)


def features(
    count: int, dimensions: int, *, seed: int, stretch: float = 1.0, shift: float = 0.0
) -> np.ndarray:
    rng = np.random.default_rng(seed)
    spread = (1 + np.arange(dimensions)) ** -0.8
    turn = np.linalg.qr(np.random.default_rng(0).standard_normal((dimensions, dimensions)))[0]
    points = rng.standard_normal((count, dimensions)) * spread * stretch @ turn
    found: np.ndarray = (points + 0.4 + shift).astype(np.float32)
    return found


def by_torchmetrics(real: Moments, generated: Moments) -> float:
    return float(_compute_fid(real.mean, real.covariance, generated.mean, generated.covariance))


def by_roots(real: Moments, generated: Moments) -> float:
    one, other = real.covariance.numpy(), generated.covariance.numpy()
    gap = (real.mean - generated.mean).square().sum()
    root = sqrtm(one @ other).real
    return float(gap + np.trace(one) + np.trace(other) - 2 * np.trace(root))


def seconds(distance: Callable[..., float], *sides: Moments | np.ndarray) -> Callable[[], float]:
    def run() -> float:
        started = time.perf_counter()
        distance(*sides)
        return time.perf_counter() - started

    return run


if __name__ == "__main__":
    main()
