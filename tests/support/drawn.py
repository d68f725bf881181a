"""Weights and pictures that are drawn: the same bits on every machine, and in every version of anything."""

import hashlib
import math

import numpy as np
import torch

from impasto.nn.blocks import outlined
from impasto.nn.inception import InceptionV3


def shares(name, count):
    """Numbers in [-1, 1], drawn from a hash of the name. Raw bits of PCG64 never change; draws might."""
    seed = int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], "little")
    raw = np.random.PCG64(seed).random_raw(-(-count // 4)).view(np.uint16)[:count]
    return raw.astype(np.float32) / 32767.5 - 1


def inception_state():
    """A state of Inception v3 under which features of different pictures differ."""
    with outlined():
        shapes = {name: value.shape for name, value in InceptionV3().state_dict().items()}
    return {name: drawn(name, shape) for name, shape in shapes.items()}


def drawn(name, shape):
    if name.endswith("num_batches_tracked"):
        return torch.tensor(0)
    values = torch.from_numpy(shares(name, math.prod(shape))).view(shape)
    match name.rpartition(".")[2]:
        case "weight" if len(shape) > 1:
            return values * math.sqrt(
                2.3 / math.prod(shape[1:])
            )  # keeps the spread of what it sees
        case "running_var":
            return 1.01 + values  # down to 0.01, where it matters what is added to it
        case "weight":
            return 1 + values / 2
        case _:
            return values / 4


def pictures(side, count=2):
    """Patches of 8x8 and noise: neighbours are alike, and edges are sharp."""
    patches = shares(f"patches {side}", count * (side // 8 + 1) ** 2 * 3)
    large = patches.reshape(count, side // 8 + 1, side // 8 + 1, 3).repeat(8, 1).repeat(8, 2)
    noise = shares(f"noise {side}", count * side * side * 3).reshape(count, side, side, 3)
    return ((large[:, :side, :side] + noise / 2) * 85 + 127).astype(np.uint8)


def noise(count, *, side=40, channels=3, seed=0):
    draws = np.random.default_rng(seed)
    return draws.integers(0, 256, (count, side, side, channels), dtype=np.uint8)
