"""Named random streams: every draw is a pure function of (seed, name, counter).

There is no hidden generator to save and restore. A resumed run draws what the uninterrupted one would
have drawn because it asks for the same names at the same count of images seen; N processes draw what
one would have drawn because each draws for the whole batch and keeps its own slice.
"""

import hashlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import torch
from torch import Tensor


def seed_of(seed: int, name: str, counter: int = 0) -> int:
    """A 63-bit seed for one named stream: the head of SHA-256 over `seed/name/counter`."""
    digest = hashlib.sha256(f"{seed}/{name}/{counter}".encode()).digest()
    return int.from_bytes(digest[:8], "big") >> 1


def stream(seed: int, name: str, counter: int = 0) -> torch.Generator:
    """A fresh CPU generator for one named stream."""
    return torch.Generator().manual_seed(seed_of(seed, name, counter))


@dataclass(frozen=True)
class Streams:
    """Draws for the whole batch, of which this process keeps its own slice, on its device.

    Drawn on the CPU, so that every device sees the same numbers, and sent from pinned memory, so that
    nothing waits for the device.
    """

    seed: int
    device: torch.device
    rank: int = 0
    processes: int = 1

    def normal(self, name: str, counter: int, shape: tuple[int, ...]) -> Tensor:
        """Standard normal numbers of this process's `shape`; the first dimension is the batch."""
        return self._slice(torch.randn, name, counter, shape)

    def uniform(self, name: str, counter: int, shape: tuple[int, ...]) -> Tensor:
        """Uniform numbers in [0, 1) of this process's `shape`; the first dimension is the batch."""
        return self._slice(torch.rand, name, counter, shape)

    def _slice(
        self, draw: Callable[..., Tensor], name: str, counter: int, shape: tuple[int, ...]
    ) -> Tensor:
        local, *rest = shape
        whole = draw(local * self.processes, *rest, generator=stream(self.seed, name, counter))
        own = whole[self.rank * local : (self.rank + 1) * local]
        if self.device.type == "cuda":
            own = own.pin_memory()
        return own.to(self.device, non_blocking=True)


@contextmanager
def seeded(seed: int, name: str) -> Iterator[None]:
    """Lets what draws from torch's own CPU generator, such as a layer's initialisation, repeat."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed_of(seed, name))
        yield
