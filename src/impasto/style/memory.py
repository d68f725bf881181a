"""How a painting fits into memory: estimated before the first step, and kept to by tiles and a shorter memory.

The figures for each pixel were measured (benchmarks/speed/stylize.py), and are a little larger than what was
found.
"""

import resource
import sys
from dataclasses import dataclass, replace
from pathlib import Path

import psutil
import torch

from impasto.errors import ConfigError
from impasto.style.canvas import Tiling
from impasto.style.config import PyramidConfig, StyleConfig
from impasto.style.loss_network import LossNetwork
from impasto.style.tiles import STRIDE

PROGRAM = 600e6  # bytes: Python, torch, the network, files as they were read
LOOKED_AT = 3_300  # bytes for each pixel that the network looks at and takes gradients through
WEIGHED = 500  # the same, for each region: features that are weighed by where it is are copies
PICTURE = 12  # bytes for each pixel of one picture of 32-bit numbers
PICTURES = 10  # of the painting's size that are held at once, beside what an optimiser keeps
CONTENT = 40  # bytes for each pixel, of content features
FREE_SHARE = 0.7  # of the free memory that is used unless told otherwise
USUAL_SIDE = 512  # pixels of a tile that counts, where there is room
LEAST_SIDE = 64
CPU = torch.device("cpu")
PAIRS = (10, 5, 3, 1)  # that L-BFGS keeps, where there is room


@dataclass(frozen=True)
class Plan:
    """How a painting fits.

    Attributes:
        tiling: how it is cut; None for in one piece.
        pairs: that L-BFGS keeps.
        total: bytes that it will take, at most.
    """

    tiling: Tiling | None
    pairs: int
    total: int

    def applied(self, config: StyleConfig) -> StyleConfig:
        """The recipe, with no more pairs than there is room for."""
        if not isinstance(config.painter, PyramidConfig):
            return config
        pairs = min(config.painter.memory, self.pairs)
        return replace(config, painter=replace(config.painter, memory=pairs))


def plan_memory(
    network: LossNetwork,
    height: int,
    width: int,
    config: StyleConfig,
    memory: float | None,
    *,
    regions: int = 0,
) -> Plan:
    """How a painting of this size fits.

    Args:
        network: what looks.
        height: of the painting in the end, in pixels.
        width: of the painting in the end, in pixels.
        config: the recipe.
        memory: bytes that may be used in all; most of what is free by default.
        regions: parts with a manner of their own, unless the whole painting is the only one.

    Raises:
        ConfigError: it does not fit, even in the smallest tiles.
    """
    pyramid = config.painter if isinstance(config.painter, PyramidConfig) else None
    limit = memory or free_memory() * FREE_SHARE
    margin = -(-network.reach(max(network.layers)) // STRIDE) * STRIDE
    pixels = height * width
    looked_at = LOOKED_AT + WEIGHED * regions
    lbfgs = pyramid is not None and pyramid.optimizer == "lbfgs"
    plans = []
    for pairs in [p for p in PAIRS if lbfgs and p <= pyramid.memory] or [1]:  # type: ignore[union-attr]
        held = PROGRAM + pixels * (PICTURE * (PICTURES + 2 * pairs) + CONTENT)
        whole = held + looked_at * pixels
        if whole <= limit:
            return Plan(None, pairs, round(whole))
        if pyramid is None:
            continue
        outer = int(((limit - held) / looked_at) ** 0.5) if limit > held else 0
        side = min(USUAL_SIDE, (outer - 2 * margin) // STRIDE * STRIDE)
        if side >= LEAST_SIDE:
            tiling = Tiling(side, margin)
            plans.append(Plan(tiling, pairs, round(held + looked_at * tiling.pixels)))
    if not plans:
        needed = PROGRAM + pixels * (PICTURE * (PICTURES + 2) + CONTENT)
        needed += looked_at * ((LEAST_SIDE + 2 * margin) ** 2 if pyramid else pixels)
        raise ConfigError(
            f"a painting of {width} x {height} takes {needed / 1e9:.1f} GB at least, and there are {limit / 1e9:.1f}; "
            "paint it smaller with --size, or allow more with --memory"
        )
    roomy = [plan for plan in plans if plan.tiling and plan.tiling.side >= USUAL_SIDE // 2]
    return (roomy or plans[-1:])[0]


def free_memory() -> float:
    """Bytes that this machine has left."""
    return float(psutil.virtual_memory().available)


def check_pixels(height: int, width: int, memory: float | None) -> None:
    """Whether pictures of this size can be held at all, before the first of them is made.

    Raises:
        ConfigError: they cannot.
    """
    needed = PROGRAM + height * width * PICTURE * PICTURES
    limit = memory or free_memory() * FREE_SHARE
    if needed > limit:
        raise ConfigError(
            f"a painting of {width} x {height} takes {needed / 1e9:.1f} GB at least, and there are {limit / 1e9:.1f}; "
            "paint it smaller with --size, or allow more with --memory"
        )


def peak_memory(device: torch.device = CPU) -> int:
    """Bytes that this process has taken so far at most; on a CUDA device, those of the device."""
    if device.type == "cuda":
        return int(torch.cuda.max_memory_allocated(device))
    told = Path("/proc/self/status")
    if told.is_file():  # what the kernel says below may be of the process that began this one
        for line in told.read_text(encoding="ascii").splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1024
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024
