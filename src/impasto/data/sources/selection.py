"""Which of the listed names are taken, and the labels of each.

Patterns come first, then classes, then the limit, which is drawn evenly from what is left. However
many names there are, only a block of them is in memory at a time.
"""

import fnmatch
import hashlib
import json
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

import numpy as np
from jaxtyping import Int64

from impasto.data.config import DataConfig
from impasto.data.sources.classes import CLASS, Labelled, class_column
from impasto.data.sources.items import Item, Payload
from impasto.data.sources.listing import BLOCK, Block, Listing, Places, Spool, at, blocks
from impasto.errors import SourceError, nearest

_DRAWN_AT_ONCE = 2**20  # candidates; among more, a limit is drawn in parts


@dataclass(frozen=True)
class Entry:
    """One selected name, what stands beside it in the listing, and its labels."""

    name: str
    beside: tuple[int, ...]
    labels: tuple[int, ...]
    numbers: tuple[float, ...]

    def item(self, payload: Payload) -> Item:
        """The item that this is, with what to decode."""
        return Item(self.name, self.labels, payload, self.numbers)


@dataclass(frozen=True)
class Selection:
    """Positions in a listing, ascending, and the labels of what lies there."""

    listing: Listing
    positions: Places
    label_names: dict[str, tuple[str, ...]]
    number_names: tuple[str, ...] = ()
    notices: tuple[str, ...] = ()
    classes: Int64[np.ndarray, " n"] | None = None  # a class for each position; None without any
    rows: Int64[np.ndarray, " n"] | None = None  # a row of the table for each position
    table: Labelled | None = None

    def __len__(self) -> int:
        return len(self.positions)

    def entries(self, start: int = 0) -> Iterator[Entry]:
        """What is selected, from place `start` on."""
        for places in blocks(len(self), start):
            names, *facts = self._block(places)
            yield from map(Entry, names, *(map(tuple, rows.tolist()) for rows in facts))

    def update(self, digest: "hashlib._Hash") -> None:
        """Feeds names, what stands beside them, labels and numbers to a hash."""
        told = json.dumps([self.label_names, self.number_names])
        digest.update(told.encode())
        for places in blocks(len(self)):
            names, *facts = self._block(places)
            digest.update("\0".join(names).encode("utf-8", "surrogatepass"))
            for rows in facts:
                digest.update(np.ascontiguousarray(rows).tobytes())

    def _block(self, places: Block) -> tuple[list[str], np.ndarray, np.ndarray, np.ndarray]:
        """Names, numbers beside them, labels, and numbers of the table."""
        positions = at(self.positions, places)
        labels = np.empty((len(places), 0), np.int32)
        numbers = np.empty((len(places), 0))
        if self.classes is not None:
            labels = self.classes[places, None].astype(np.int32)
        if self.table is not None and self.rows is not None:
            rows = self.rows[places]
            others = [place for place, name in enumerate(self.table.label_names) if name != CLASS]
            labels = np.column_stack([labels, self.table.labels(rows)[:, others]])
            numbers = self.table.numbers(rows)
        names, beside = self.listing.names(positions), self.listing.beside(positions)
        return names, beside, labels, numbers


def select(
    listing: Listing,
    config: DataConfig,
    *,
    where: str,
    table: Labelled | None = None,
    known_as: Callable[[str], str] = str,
    folders_tell: bool = True,
) -> Selection:
    """What `only`, `classes` and `limit` leave of the names, with what is known of each.

    Args:
        listing: the names.
        config: the patterns, the classes and the limit.
        where: the source, for messages.
        table: labels of the pictures.
        known_as: the part of a name whose folders are classes, and that a table names.
        folders_tell: whether folders are classes.

    Raises:
        SourceError: no names, a pattern that matches nothing, a class that is not there, or a
        table that does not belong to the pictures.
    """
    if not len(listing):
        raise SourceError(f"{where} holds no pictures; give a folder or archive that does")
    taken = matching(listing, config.only, where=where)
    kinds = class_column(listing, taken, table, known_as, folders_tell=folders_tell)
    if kinds is None and table is None:
        _narrowed((), config.classes, where)
        return Selection(listing, _drawn(taken, config), {})
    found = Spool(np.int64, 3)  # position, class, row of the table
    for places in blocks(len(taken)):
        positions = at(taken, places)
        names = [known_as(name) for name in listing.names(positions)]
        rows = np.full(len(names), -1) if table is None else table.rows(names, positions)
        classes = np.full(len(names), -1) if kinds is None else kinds.codes(names, rows)
        found.append(np.column_stack([positions, classes, rows]))
    if table is not None:
        table.finish(like=known_as(listing[0]), whole=not config.only)
    names_of, order = ((), np.array([-1])) if kinds is None else kinds.finish()
    kept, new = _narrowed(names_of, config.classes, where)
    chosen = _drawn(_renumbered(found.map(), new[order], only_known=bool(config.classes)), config)
    return _selection(listing, chosen, kept, table)


def matching(names: Listing | Sequence[str], patterns: Iterable[str], *, where: str) -> Places:
    """The places of the names that match any of the patterns; all of them when there is no pattern.

    Raises:
        SourceError: nothing matches.
    """
    patterns = tuple(patterns)
    if not patterns:
        return range(len(names))
    matches = re.compile("|".join(fnmatch.translate(pattern) for pattern in patterns)).match
    found = Spool(np.int64, 1)
    places = (place for place, name in enumerate(names) if matches(name))
    while block := list(islice(places, BLOCK)):
        found.append(np.array(block))
    if not len(found):
        asked = " ".join(repr(pattern) for pattern in patterns)
        raise SourceError(
            f"{where}: no picture matches --only {asked}; names look like {names[0]!r}"
        )
    return found.map()[:, 0]


def draw(count: int, limit: int, seed: int) -> Iterator[Block]:
    """So many of fewer than 10^9 places, ascending, drawn evenly; the same for the same seed."""
    head = hashlib.sha256(f"{seed}/limit".encode()).digest()[:8]
    generator = np.random.Generator(np.random.PCG64(int.from_bytes(head, "big")))
    for first in range(0, count, _DRAWN_AT_ONCE):
        here = min(_DRAWN_AT_ONCE, count - first)
        later = count - first - here
        share = limit if later == 0 else int(generator.hypergeometric(here, later, limit))
        limit -= share
        yield first + np.sort(generator.choice(here, share, replace=False).astype(np.int64))


def _drawn(rows: Places, config: DataConfig) -> Places:
    """What the limit leaves of some rows."""
    if config.limit is None or config.limit >= len(rows):
        return rows
    taken = np.asarray(rows[:0])
    spool = Spool(np.int64, 1 if taken.ndim == 1 else taken.shape[1])
    for places in draw(len(rows), config.limit, config.split_seed):
        spool.append(at(rows, places))
    chosen = spool.map()
    return chosen[:, 0] if taken.ndim == 1 else chosen


def _narrowed(
    names: tuple[str, ...], asked: tuple[str, ...], where: str
) -> tuple[tuple[str, ...], Block]:
    """The classes asked for, and the new number of each class; the last stands for -1."""
    for name in asked:
        if name not in names:
            hint = nearest(name, names) if names else "its pictures have no classes"
            raise SourceError(f"{where}: no class {name!r}: {hint}")
    kept = tuple(name for name in names if not asked or name in asked)
    new = np.full(len(names) + 1, -1)
    for place, name in enumerate(kept):
        new[names.index(name) if asked else place] = place
    return kept, new


def _renumbered(found: np.ndarray, new: Block, *, only_known: bool) -> np.ndarray:
    spool = Spool(np.int64, 3)
    for places in blocks(len(found)):
        rows = found[places]  # a copy
        rows[:, 1] = new[rows[:, 1]]
        spool.append(rows[rows[:, 1] >= 0] if only_known else rows)
    return spool.map()


def _selection(
    listing: Listing, chosen: Places, classes: tuple[str, ...], table: Labelled | None
) -> Selection:
    assert not isinstance(chosen, range)
    columns = {CLASS: classes} if classes else {}
    column = chosen[:, 1] if classes else None
    if table is None:
        return Selection(listing, chosen[:, 0], columns, classes=column)
    columns |= {name: of for name, of in table.label_names.items() if name != CLASS}
    return Selection(
        listing,
        chosen[:, 0],
        columns,
        table.number_names,
        table.notices,
        classes=column,
        rows=chosen[:, 2],
        table=table,
    )
