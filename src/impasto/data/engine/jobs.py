"""A source cut into jobs: blocks of candidates small enough to hold, with names and labels."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice

from impasto.data.config import DataConfig
from impasto.data.engine.work import Block
from impasto.data.layout import first_of
from impasto.data.sources.items import Item, Payload, Source

BLOCK = 64  # pictures
BLOCK_BYTES = 16 * 2**20  # of pictures handed over in a block, so that large ones do not pile up


@dataclass(frozen=True)
class Job:
    """A block, which a worker gets, and what stays here: where it begins, its names and labels."""

    first: int  # place in the source
    block: Block
    names: tuple[str, ...]
    labels: tuple[tuple[int, ...], ...]
    numbers: tuple[tuple[float, ...], ...]

    @property
    def done(self) -> int:
        """How many candidates of the source are done with when this job is."""
        return self.first + len(self.names)

    @property
    def size(self) -> int:
        """Bytes of pictures that are handed over in it."""
        return sum(_size(payload) for payload in self.block.payloads)


def jobs(source: Source, config: DataConfig, *, start: int = 0, shards: int = 1) -> Iterator[Job]:
    """The jobs of a source from candidate `start` on, in order; none lies in two shards."""
    items = source.items(start)
    total = len(source)
    while start < total:
        end = first_of(start * shards // total + 1, shards, total)
        taken = _take(items, min(BLOCK, end - start))
        if not taken:
            return
        yield Job(
            start,
            Block(tuple(item.payload for item in taken), config),
            tuple(item.name for item in taken),
            tuple(item.labels for item in taken),
            tuple(item.numbers for item in taken),
        )
        start += len(taken)


def _take(items: Iterator[Item], most: int) -> list[Item]:
    taken: list[Item] = []
    size = 0
    for item in islice(items, most):
        taken.append(item)
        size += _size(item.payload)
        if size >= BLOCK_BYTES:
            break
    return taken


def _size(payload: Payload) -> int:
    if isinstance(payload, bytes):
        return len(payload)
    return int(getattr(payload, "nbytes", 0))
