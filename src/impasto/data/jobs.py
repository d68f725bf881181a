"""A source cut into jobs: blocks of candidates small enough to hold, with names and labels."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from impasto.data.config import DataConfig
from impasto.data.items import Item, Source
from impasto.data.work import Block

BLOCK = 64  # pictures
BLOCK_BYTES = 16 * 2**20  # of encoded pictures in a block, so that large ones do not pile up


@dataclass(frozen=True)
class Job:
    """A block, which a worker gets, and the names and labels of its candidates, which stay here."""

    block: Block
    names: tuple[str, ...]
    labels: tuple[tuple[int, ...], ...]

    @property
    def done(self) -> int:
        """How many candidates of the source are done with when this job is."""
        return self.block.first + len(self.names)


def jobs(
    source: Source, config: DataConfig, *, pixels: Path | None, start: int = 0
) -> Iterator[Job]:
    """The jobs of a source from slot `start` on, in order; with `pixels` None only to look."""
    items = source.items(start)
    while taken := _take(items):
        block = Block(start, tuple(item.payload for item in taken), config, pixels)
        yield Job(block, tuple(item.name for item in taken), tuple(item.labels for item in taken))
        start += len(taken)


def _take(items: Iterator[Item]) -> list[Item]:
    taken: list[Item] = []
    size = 0
    for item in islice(items, BLOCK):
        taken.append(item)
        size += len(item.payload) if isinstance(item.payload, bytes) else 0
        if size >= BLOCK_BYTES:
            break
    return taken
