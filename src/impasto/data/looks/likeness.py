"""Pictures that are the same, or look the same: found among millions in bounded memory.

A picture's look is the signs of the lowest frequencies of its cosine transform, 12 across and 12 down.
Saving it again, at another size, a little lighter or with a small mark on it, changes few of these 144
bits; a different picture differs in about 72. What looks alike is thinned greedily: the best picture is
kept, whatever is near a kept one is not.
"""

from collections.abc import Callable, Iterator
from dataclasses import replace

import imagehash
import numpy as np
from jaxtyping import Bool, Int64, UInt8, UInt64
from PIL import Image

from impasto.data.looks.bands import (
    CHUNK,
    PASS,
    Pairs,
    Question,
    Rows,
    Strings,
    as_words,
    pass_of,
    passes,
    search,
)

SIDE = 12  # frequencies across and down
HASH_BYTES = SIDE * SIDE // 8
# Bits. At 64 pixels, pictures saved again as JPEGs of quality 30 to 90, at half the size, 20% lighter
# or darker, or in grey are all within 16; those cropped by 2% on each side mostly, by 3% rarely. Of
# 40,000 different photographs, aligned faces among them, none was within 16 of another.
NEAR = 16
# Pairs held at once; a set with more of them is thinned half by half.
MOST_PAIRS = 1 << 22

_ODD = np.uint64(0xD6E8FEB86659FD93)  # spreads each bit of a hash over all of its fold

Mask = Bool[np.ndarray, " _"]


def looks(pixels: UInt8[np.ndarray, "h w c"]) -> UInt8[np.ndarray, " bytes"]:
    """The picture's perceptual hash, in `HASH_BYTES` bytes."""
    grey = pixels.shape[2] == 1
    image = Image.fromarray(pixels[:, :, 0] if grey else pixels)
    return np.packbits(imagehash.phash(image, hash_size=SIDE).hash.ravel())


def duplicates(
    keys: UInt64[np.ndarray, " n"], among: Mask | None = None, *, pass_size: int = PASS
) -> Int64[np.ndarray, "p 2"]:
    """Each entry that occurred before, and where it occurred first; ascending.

    Args:
        keys: may be mapped from disk.
        among: the entries to look at; all if None.
        pass_size: entries sorted together.
    """
    return _repeats(lambda rows: keys[rows], _rows(len(keys), among), pass_size)


def near_pairs(
    hashes: Strings, radius: int = NEAR, among: Mask | None = None, *, pass_size: int = PASS
) -> Pairs:
    """All pairs that differ in at most `radius` bits: row, later row, bits; ascending.

    Of equal hashes only the first takes part in other pairs; the later ones are paired with it alone.

    Args:
        hashes: may be mapped from disk; at most 2^28.
        radius: bits, at most 255.
        among: the rows to look at; all if None.
        pass_size: hashes sorted together, which bounds the memory beside the pairs themselves.
    """
    rows = _rows(len(hashes), among)
    same = _same(hashes, rows, pass_size)
    question = Question(hashes, radius, pass_size=pass_size)
    near = _gathered(search(question, np.setdiff1d(rows, same[:, 1], assume_unique=True)))
    assert near is not None
    return _unpacked(np.sort(_packed(np.concatenate([same, near]))))


def choose(pairs: Pairs, order: Rows) -> Pairs:
    """The rows left out, each with the kept row it is near to, and the bits between them; ascending.

    From the best row on, each is kept unless it is near a kept one; of several the nearest is named.

    Args:
        pairs: as from `near_pairs`.
        order: all rows that occur in pairs, and any others; the best first.
    """
    size = int(max(order.max(initial=-1), pairs[:, :2].max(initial=-1))) + 1
    rank = _ranks(order, size)
    leader = _leaders(pairs[pairs[:, 2] == 0], rank)
    apart = pairs[pairs[:, 2] > 0]
    return _told(_chosen(apart, leader, rank), leader, np.unique(pairs[:, :2]))


def thin(hashes: Strings, order: Rows, radius: int = NEAR, *, pass_size: int = PASS) -> Pairs:
    """What `choose` leaves out by all near pairs among `order`, without holding very many of them.

    In a film of one scene each picture is near every other. There the better half is thinned first,
    the other half is cleared of what is near a kept one, and then thinned in turn.

    Args:
        hashes: may be mapped from disk.
        order: the rows to look at, the best first.
        radius: bits.
        pass_size: hashes sorted together.
    """
    rank = _ranks(order, len(hashes))
    leader = _leaders(_same(hashes, np.sort(order), pass_size), rank)
    question = Question(hashes, radius, pass_size=pass_size)
    return _told(_thinned(question, order[leader[order] == order], rank), leader, order)


def _thinned(question: Question, order: Rows, rank: Rows) -> dict[int, tuple[int, int]]:
    """Each row of `order` that is left out, with its twin and the bits between them."""
    pairs = _gathered(search(question, np.sort(order)), most=MOST_PAIRS)
    if pairs is not None:
        return _chosen(pairs, np.arange(len(rank)), rank)
    half = len(order) // 2
    twins = _thinned(question, order[:half], rank)
    kept = np.array([row for row in order[:half].tolist() if row not in twins], np.int64)
    near = _near_kept(question, kept, order[half:], rank)
    rest = np.array([row for row in order[half:].tolist() if row not in near], np.int64)
    return twins | near | _thinned(question, rest, rank)


def _near_kept(
    question: Question, kept: Rows, rest: Rows, rank: Rows
) -> dict[int, tuple[int, int]]:
    settled = np.zeros(len(rank), bool)
    settled[kept] = True
    asked = replace(question, settled=settled)
    near: dict[int, tuple[int, int]] = {}
    for block in search(asked, np.sort(np.concatenate([kept, rest]))):
        for one, other, bits in block.tolist():
            row, twin = (other, one) if settled[one] else (one, other)
            if row not in near or (bits, rank[twin]) < (near[row][1], rank[near[row][0]]):
                near[row] = twin, bits
    return near


def _chosen(apart: Pairs, leader: Rows, rank: Rows) -> dict[int, tuple[int, int]]:
    """Each leader that is left out, with its twin and the bits between them."""
    one, other = leader[apart[:, 0]], leader[apart[:, 1]]
    better = rank[one] < rank[other]
    worse, twins, bits = np.where(better, other, one), np.where(better, one, other), apart[:, 2]
    # Each row comes after all better ones, so that these are decided; its nearest neighbour comes first.
    turn = np.lexsort((rank[twins], bits, rank[worse]))
    chosen: dict[int, tuple[int, int]] = {}
    for row, twin, differ in zip(
        worse[turn].tolist(), twins[turn].tolist(), bits[turn].tolist(), strict=True
    ):
        if row not in chosen and twin not in chosen:
            chosen[row] = twin, differ
    return chosen


def _told(twins: dict[int, tuple[int, int]], leader: Rows, rows: Rows) -> Pairs:
    """The rows left out: leaders with their twins, and whatever equals a leader."""
    told = [
        (row, *twins.get(first, (first, 0)))
        for row, first in zip(rows.tolist(), leader[rows].tolist(), strict=True)
        if row != first or row in twins
    ]
    return np.array(sorted(told), np.int64).reshape(-1, 3)


def _ranks(order: Rows, size: int) -> Rows:
    rank = np.full(size, len(order), np.int64)
    rank[order] = np.arange(len(order))
    return rank


def _leaders(same: Pairs, rank: Rows) -> Rows:
    """For each row the best of those that equal it."""
    first = np.arange(len(rank))
    np.minimum.at(first, same[:, 1], same[:, 0])
    rows = np.unique(same[:, :2])
    rows = rows[np.argsort(rank[rows], kind="stable")]
    labels, best = np.unique(first[rows], return_index=True)
    leader = np.arange(len(rank))
    leader[labels] = rows[best]
    led: Rows = leader[first]
    return led


def _same(hashes: Strings, rows: Rows, pass_size: int) -> Pairs:
    """Each later row that equals an earlier one: the first such row, the later one, 0."""
    repeated = _repeats(lambda some: _folded(hashes[some]), rows, pass_size)
    equal = np.zeros(len(repeated), bool)
    for start in range(0, len(repeated), CHUNK):
        again, first = repeated[start : start + CHUNK].T
        equal[start : start + CHUNK] = (hashes[again] == hashes[first]).all(axis=1)
    # What only folds alike is told apart here; it still meets as a near pair, if it is one.
    again, first = repeated[equal].T
    return np.stack([first, again, np.zeros(len(again), np.int64)], axis=1)


def _folded(hashes: Strings) -> UInt64[np.ndarray, " n"]:
    folded = np.zeros(len(hashes), np.uint64)
    for word in as_words(hashes):
        folded = (folded ^ word) * _ODD
        folded ^= folded >> np.uint64(32)
    return folded


def _repeats(
    codes_of: Callable[[Rows], UInt64[np.ndarray, " m"]], rows: Rows, pass_size: int
) -> Int64[np.ndarray, "p 2"]:
    """Each row whose code an earlier row has, and the first such row; ascending."""
    count = passes(len(rows), pass_size)
    found = [np.zeros((0, 2), np.int64)]
    number = np.zeros(len(rows), np.uint16)
    for start in range(0, len(rows) if count > 1 else 0, CHUNK):
        chunk = slice(start, start + CHUNK)
        number[chunk] = pass_of(codes_of(rows[chunk]), count)
    for one in range(count):
        members = rows[number == one]
        if not len(members):
            continue
        codes = codes_of(members)
        turn = np.argsort(codes, kind="stable")
        members, codes = members[turn], codes[turn]
        starts = np.concatenate([[True], codes[1:] != codes[:-1]])
        first = members[starts][np.cumsum(starts) - 1]
        found.append(np.stack([members, first], axis=1)[~starts])
    again = np.concatenate(found)
    return again[np.argsort(again[:, 0])]


def _gathered(blocks: Iterator[Pairs], most: int | None = None) -> Pairs | None:
    """All pairs of the blocks, once each and ascending; None as soon as there are more than `most`."""
    gathered = [np.zeros(0, np.uint64)]
    held, limit = 0, MOST_PAIRS
    for block in blocks:
        gathered.append(_packed(block))
        held += len(block)
        if held > limit:
            gathered = [np.unique(np.concatenate(gathered))]
            held = len(gathered[0])
            limit = 2 * max(held, MOST_PAIRS)
            if most is not None and held > most:
                return None
    return _unpacked(np.unique(np.concatenate(gathered)))


def _packed(pairs: Pairs) -> UInt64[np.ndarray, " p"]:
    """Pairs as single numbers in the same order: sorted ten times as fast, held in a third."""
    one, other, bits = pairs.T
    packed: UInt64[np.ndarray, " p"] = (one << 36 | other << 8 | bits).view(np.uint64)
    return packed


def _unpacked(packed: UInt64[np.ndarray, " p"]) -> Pairs:
    fields = (36, (1 << 28) - 1), (8, (1 << 28) - 1), (0, 255)
    columns = [packed >> np.uint64(shift) & np.uint64(mask) for shift, mask in fields]
    return np.stack(columns, axis=1).astype(np.int64)


def _rows(count: int, among: Mask | None) -> Rows:
    return np.arange(count) if among is None else np.flatnonzero(among)
