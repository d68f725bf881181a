"""Pairs of bit strings that differ in few bits, found without comparing each with each.

Two strings that differ in at most `radius` bits agree exactly on some part of them. The bits are dealt
into groups, and the groups into parts, in such a way that every near pair must agree on all parts of at
least one *key*: a choice of parts from one group. Sorting by a key brings its agreeing strings together,
and only those are compared. Nothing is missed, whatever the strings are.

    r + 1 = sum of (t_g + 1) over the groups g:  in some group at most t_g bits differ
    a group of p parts where at most t bits differ agrees on p - t parts: C(p, t) keys a group

Source: Norouzi, Punjani, Fleet, "Fast Exact Search in Hamming Space with Multi-Index Hashing"
(arXiv:1307.2982), section 3, for the groups; the keys of several parts are the generalised pigeonhole.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from jaxtyping import Bool, Int64, UInt8, UInt64

PASS = 1 << 21  # strings sorted together; memory is for so many, however many there are
CHUNK = 1 << 18  # strings looked at together where they are only passed through
DENSE = 1 << 12  # so many strings of one key are told apart by other bits first
BLOCK = 1 << 20  # pairs compared together where each is compared with each

# The cost of a key for one string, and of comparing one pair, in seconds; only their ratio matters.
_SORTED, _COMPARED = 1.5e-7, 2e-8
# Bits of real hashes are neither fair nor independent: ten of them tell strings apart like eight.
_WORTH = 0.8
_VARIED = 0.02  # a bit that is the same in all but so many strings is passed over
_KEY_BITS, _PLACE_BITS = 40, 24  # a key and a place in a pass make one number to sort
_CACHED = 1 << 14  # numbers that fit into the processor's cache
_MOST_KEYS = 500  # of one group
_MIX = np.uint64(0x9E3779B97F4A7C15)  # 2^64 over the golden ratio

Strings = UInt8[np.ndarray, "_ _"]
Rows = Int64[np.ndarray, "_"]
Words = tuple[UInt64[np.ndarray, " m"], ...]  # strings as 64-bit numbers, the first bits first
Pairs = Int64[np.ndarray, "_ 3"]  # row, a later row, how many bits differ
Bits = tuple[int, ...]


@dataclass(frozen=True)
class Question:
    """Which strings differ in at most `radius` bits."""

    strings: Strings  # may be mapped from disk
    radius: int
    settled: Bool[np.ndarray, " n"] | None = None  # if given, each pair has one settled string
    pass_size: int = PASS


@dataclass(frozen=True)
class _Part:
    """Strings held in memory."""

    rows: Rows
    words: Words
    settled: Bool[np.ndarray, " m"] | None

    def taken(self, places: Rows) -> "_Part":
        settled = None if self.settled is None else self.settled[places]
        words = tuple(word[places] for word in self.words)
        return _Part(self.rows[places], words, settled)


def search(question: Question, rows: Rows) -> Iterator[Pairs]:
    """The near pairs among the rows, in blocks; a pair may come more than once.

    Args:
        question: what is looked for.
        rows: ascending.
    """
    whole = _load(question, rows) if len(rows) <= question.pass_size else None
    for key in cover(_order_bits(question.strings, rows), question.radius, len(rows)):
        parts = iter([whole]) if whole else _passes(question, rows, key)
        for part in parts:
            yield from _meet(question, part, key, len(rows))


def cover(bits: Bits, radius: int, count: int) -> list[Bits]:
    """Keys, as choices of bits: two strings within the radius agree on all bits of at least one.

    Of all covers of this kind it is the cheapest for `count` strings; for few strings that is one
    empty key, on which all agree.
    """
    best: list[Bits] = [()]
    for groups in range(1, radius + 2):
        dealt = [_keys(group, differ, count) for group, differ in _groups(bits, radius, groups)]
        keys = [key for of_group in dealt for key in of_group]
        if all(dealt) and _cost(keys, count) < _cost(best, count):
            best = keys
    return best


def passes(count: int, pass_size: int) -> int:
    """How many passes so many strings are sorted in, with room for uneven ones."""
    return 1 if count <= pass_size else math.ceil(1.25 * count / pass_size)


def pass_of(codes: UInt64[np.ndarray, " n"], count: int) -> Int64[np.ndarray, " n"]:
    """The pass that each code belongs to; equal codes share one."""
    mixed = (codes ^ (codes >> np.uint64(29))) * _MIX
    number: Int64[np.ndarray, " n"] = ((mixed >> np.uint64(32)) % np.uint64(count)).astype(np.int64)
    return number


def as_words(strings: Strings) -> Words:
    """The strings' bits, 64 to a number, padded with zeros."""
    count, width = strings.shape
    padded = np.zeros((count, -(-width // 8) * 8), np.uint8)
    padded[:, :width] = strings
    return tuple(np.ascontiguousarray(word) for word in padded.view("<u8").T)


def _order_bits(strings: Strings, rows: Rows) -> Bits:
    """The numbers of the bits that differ between strings, judged by a sample; the best first."""
    sample = strings[rows[:: max(1, len(rows) // 4096)]]
    share = np.unpackbits(sample, axis=1).mean(axis=0) if len(sample) else np.zeros(0)
    uneven = np.abs(share - 0.5)
    order = np.argsort(uneven, kind="stable")
    return tuple(order[uneven[order] <= 0.5 - _VARIED].tolist())


def _groups(bits: Bits, radius: int, groups: int) -> Iterator[tuple[Bits, int]]:
    """The groups' bits, and in how many of them a near pair may differ at most."""
    share, more = divmod(radius + 1, groups)
    # Bits are dealt one by one to as many hands as there are chances to differ, so that a group with
    # more chances has more bits, and good bits are spread evenly.
    chances = [share + (group < more) for group in range(groups)]
    hand = 0
    for chance in chances:
        dealt = [bits[first :: radius + 1] for first in range(hand, hand + chance)]
        yield tuple(bit for of_hand in dealt for bit in of_hand), chance - 1
        hand += chance


def _keys(group: Bits, differ: int, count: int) -> list[Bits]:
    """The cheapest keys of one group; none where it has too few bits."""
    best: list[Bits] = []
    for parts in range(differ + 1, min(differ + 6, len(group) + 1)):
        if math.comb(parts, differ) > _MOST_KEYS:
            break
        dealt = [group[part::parts] for part in range(parts)]
        chosen = combinations(dealt, parts - differ)
        keys = [tuple(bit for part in parts_of for bit in part) for parts_of in chosen]
        short = max(map(len, keys)) <= _KEY_BITS
        if short and (not best or _cost(keys, count) < _cost(best, count)):
            best = keys
    return best


def _cost(keys: list[Bits], count: int) -> float:
    met = sum(math.pow(0.5, _WORTH * len(key)) for key in keys)
    return count * _SORTED * len(keys) + count * count / 2 * met * _COMPARED


def _load(question: Question, rows: Rows) -> _Part:
    settled = None if question.settled is None else question.settled[rows]
    return _Part(rows, as_words(question.strings[rows]), settled)


def _passes(question: Question, rows: Rows, key: Bits) -> Iterator[_Part]:
    """All rows, those with the same code together, in parts that fit in memory."""
    count = passes(len(rows), question.pass_size)
    number = np.empty(len(rows), np.uint16)
    for start in range(0, len(rows), CHUNK):
        chunk = slice(start, start + CHUNK)
        words = as_words(question.strings[rows[chunk]])
        number[chunk] = pass_of(_codes(words, key), count)
    for one in range(count):
        yield _load(question, rows[number == one])


def _codes(words: Words, key: Bits) -> UInt64[np.ndarray, " m"]:
    """The key's bits of each string, as one number."""
    codes = np.zeros(len(words[0]), np.uint64)
    for start in range(0, len(codes), _CACHED):
        chunk = slice(start, start + _CACHED)
        for place, bit in enumerate(key):
            shift = np.uint64(8 * (bit % 64 // 8) + 7 - bit % 8)  # as np.packbits lays them
            found = words[bit // 64][chunk] >> shift & np.uint64(1)
            codes[chunk] |= found << np.uint64(place)
    return codes


def _meet(question: Question, part: _Part, key: Bits, count: int) -> Iterator[Pairs]:
    """The near pairs among strings with the same code."""
    shift = np.uint64(_PLACE_BITS)
    numbered = _codes(part.words, key) << shift | np.arange(len(part.rows), dtype=np.uint64)
    numbered.sort()
    places = (numbered & np.uint64((1 << _PLACE_BITS) - 1)).astype(np.int64)
    codes = numbered >> shift
    starts = np.flatnonzero(np.concatenate([[True], codes[1:] != codes[:-1]]))
    lengths = np.diff(np.append(starts, len(codes)))
    crowded = lengths > DENSE
    for start, length in zip(starts[crowded], lengths[crowded], strict=True):
        run = np.sort(places[start : start + length])
        if length < count // 2:
            yield from search(question, part.rows[run])
        else:  # other bits tell them apart no better
            yield from _each_with_each(part.taken(run), question.radius)
    met = np.repeat((lengths > 1) & ~crowded, lengths)
    left = np.repeat(starts + lengths, lengths) - np.arange(len(codes))
    yield from _in_runs(part.taken(places[met]), left[met], question.radius)


def _in_runs(part: _Part, left: Rows, radius: int) -> Iterator[Pairs]:
    """The near pairs within runs; `left` says how many of its run are left from each string on."""
    first = np.arange(len(left))
    for step in range(1, DENSE):
        more = left > step
        first, left = first[more], left[more]
        if len(first) == 0:
            return
        yield _near(part, first, first + step, radius)


def _each_with_each(part: _Part, radius: int) -> Iterator[Pairs]:
    count = len(part.rows)
    if part.settled is None:
        first, second = np.arange(count), np.arange(count)
    else:
        first, second = np.flatnonzero(part.settled), np.flatnonzero(~part.settled)
    if len(second) == 0:
        return
    height = max(1, BLOCK // len(second))
    for start in range(0, len(first), height):
        one, other = (
            side.ravel()
            for side in np.meshgrid(first[start : start + height], second, indexing="ij")
        )
        apart = one < other if part.settled is None else slice(None)
        yield _near(part, one[apart], other[apart], radius)


def _near(part: _Part, first: Rows, second: Rows, radius: int) -> Pairs:
    """Those of the pairs of places that are within the radius, as rows."""
    if part.settled is not None:
        asked = part.settled[first] != part.settled[second]
        first, second = first[asked], second[asked]
    differ = np.zeros(1, np.int64)
    for word in part.words:  # the first leaves next to nothing to compare for the others
        differ = differ + np.bitwise_count(word[first] ^ word[second])
        close = np.flatnonzero(differ <= radius)
        first, second, differ = first[close], second[close], differ[close]
    one, other = part.rows[first], part.rows[second]
    return np.stack([np.minimum(one, other), np.maximum(one, other), differ], axis=1)
