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
from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float64, Int64, UInt8, UInt64

PASS = 1 << 21  # strings sorted together; memory is for so many, however many there are
CHUNK = 1 << 18  # strings looked at together where they are only passed through
DENSE = 1 << 12  # so many strings of one key are told apart by other bits first
BLOCK = 1 << 20  # pairs compared together where each is compared with each

# The cost of a key for one string, and of comparing one pair, in seconds; only their ratio matters.
_SORTED, _COMPARED = 1.5e-7, 2e-8
_SAMPLE = 1 << 13
_VARIED = 0.02  # a bit that is the same in all but so many strings is passed over
_ALONE = np.uint64(1 << 40)  # codes from here on are no key's
_KEY_BITS, _PLACE_BITS = 40, 24  # a key and a place in a pass make one number to sort
_CACHED = 1 << 14  # numbers that fit into the processor's cache
_REMEMBERED = 24
_MOST_KEYS = 500  # of one group
_MIX = np.uint64(0x9E3779B97F4A7C15)  # 2^64 over the golden ratio

# "_" is any length: one function handles rows of several
Strings = UInt8[np.ndarray, "_ bytes"]
Rows = Int64[np.ndarray, " _"]
Meeting = Float64[np.ndarray, " _"]
Codes = UInt64[np.ndarray, " _"]
Words = tuple[UInt64[np.ndarray, " _"], ...]  # strings as 64-bit numbers, the first bits first
Pairs = Int64[np.ndarray, "_ 3"]  # row, a later row, how many bits differ
Bits = tuple[int, ...]

FAIR: Meeting = 0.5 ** np.arange(_KEY_BITS + 1)


class Key(NamedTuple):
    """Parts of one group. Each near pair that agrees often enough in the group has one such key."""

    same: tuple[Bits, ...] = ()  # the first parts of the group that agree, as many as must
    other: tuple[Bits, ...] = ()  # the parts among them that do not

    @property
    def size(self) -> int:
        """How many bits agree."""
        return sum(map(len, self.same))


@dataclass(frozen=True)
class Question:
    """Which strings differ in at most `radius` bits."""

    strings: Strings  # may be mapped from disk
    radius: int
    settled: Bool[np.ndarray, " n"] | None = None  # if given, each pair has one settled string
    pass_size: int = PASS


class _Held:
    """Strings held in memory."""

    def __init__(self, question: Question, rows: Rows) -> None:
        self.rows = rows
        self.words = as_words(question.strings[rows])
        self.settled = None if question.settled is None else question.settled[rows]
        self._codes: dict[Bits, Codes] = {}

    def codes(self, key: Key) -> Codes:
        """The bits that agree, of each string, as one number."""
        codes = np.zeros(len(self.rows), np.uint64)
        for part in key.same:
            codes <<= np.uint64(len(part))
            codes |= self.part(part)
        return codes

    def part(self, part: Bits) -> Codes:
        """The part's bits of each string, as one number; the last few are remembered."""
        if part not in self._codes:
            if len(self._codes) >= _REMEMBERED:
                self._codes.clear()
            self._codes[part] = _codes(self.words, part)
        return self._codes[part]


def search(question: Question, rows: Rows) -> Iterator[Pairs]:
    """The near pairs among the rows, in blocks; a pair may come more than once.

    Args:
        question: what is looked for.
        rows: ascending.
    """
    whole = _Held(question, rows) if len(rows) <= question.pass_size else None
    bits, meeting = _seen(question.strings, rows)
    for key in cover(bits, question.radius, len(rows), meeting):
        for held in iter([whole]) if whole else _passes(question, rows, key):
            yield from _meet(question, held, key, len(rows))


def cover(bits: Bits, radius: int, count: int, meeting: Meeting = FAIR) -> list[Key]:
    """Keys, as choices of bits: two strings within the radius agree on all bits of at least one.

    Of all covers of this kind it is the cheapest for `count` strings; for few strings that is one
    empty key, on which all agree.

    Args:
        bits: their numbers, those that tell most first.
        radius: bits.
        count: strings.
        meeting: the share of pairs that agree on as many bits as its index says.
    """
    best = [Key()]
    for groups in range(1, radius + 2):
        dealt = [
            _keys(group, differ, count, meeting) for group, differ in _groups(bits, radius, groups)
        ]
        keys = [key for of_group in dealt for key in of_group]
        if all(dealt) and _cost(keys, count, meeting) < _cost(best, count, meeting):
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


def _seen(strings: Strings, rows: Rows) -> tuple[Bits, Meeting]:
    """What a sample tells: the bits that differ, the best first, and how likely it is to agree on some.

    Bits of real hashes are neither fair nor independent. How far apart pairs are says what that costs.
    """
    sample = np.unpackbits(strings[rows[:: max(1, len(rows) // _SAMPLE)]], axis=1)
    if len(sample) < 2:
        return (), FAIR
    uneven = np.abs(sample.mean(axis=0) - 0.5)
    order = np.argsort(uneven, kind="stable")
    order = order[uneven[order] <= 0.5 - _VARIED]
    half = len(sample) // 2
    apart = sample[:half, order] != sample[half : 2 * half, order]
    agree = 1 - apart.mean(axis=1) if len(order) else np.ones(half)
    meeting = (agree[:, None] ** np.arange(_KEY_BITS + 1)).mean(axis=0)
    return tuple(order.tolist()), meeting


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


def _keys(group: Bits, differ: int, count: int, meeting: Meeting) -> list[Key]:
    """The cheapest keys of one group; none where it has too few bits."""
    best: list[Key] = []
    for parts in range(differ + 1, min(differ + 6, len(group) + 1)):
        if math.comb(parts, differ) > _MOST_KEYS:
            break
        dealt = [group[part::parts] for part in range(parts)]
        keys = [
            Key(
                tuple(dealt[number] for number in numbers),
                tuple(dealt[number] for number in range(numbers[-1]) if number not in numbers),
            )
            for numbers in combinations(range(parts), parts - differ)
        ]
        short = max(key.size for key in keys) <= _KEY_BITS
        if short and (not best or _cost(keys, count, meeting) < _cost(best, count, meeting)):
            best = keys
    return best


def _cost(keys: list[Key], count: int, meeting: Meeting) -> float:
    met = float(sum(meeting[key.size] for key in keys))
    return count * _SORTED * len(keys) + count * count / 2 * met * _COMPARED


def _passes(question: Question, rows: Rows, key: Key) -> Iterator[_Held]:
    """All rows, those with the same code together, in parts that fit in memory."""
    count = passes(len(rows), question.pass_size)
    number = np.empty(len(rows), np.uint16)
    for start in range(0, len(rows), CHUNK):
        chunk = slice(start, start + CHUNK)
        number[chunk] = pass_of(_Held(question, rows[chunk]).codes(key), count)
    for one in range(count):
        yield _Held(question, rows[number == one])


def _codes(words: Words, part: Bits) -> Codes:
    codes = np.zeros(len(words[0]), np.uint64)
    for start in range(0, len(codes), _CACHED):
        chunk = slice(start, start + _CACHED)
        for place, bit in enumerate(part):
            shift = np.uint64(8 * (bit % 64 // 8) + 7 - bit % 8)  # as np.packbits lays them
            found = words[bit // 64][chunk] >> shift & np.uint64(1)
            codes[chunk] |= found << np.uint64(place)
    return codes


def _meet(question: Question, held: _Held, key: Key, count: int) -> Iterator[Pairs]:
    """The near pairs among strings with the same code."""
    shift = np.uint64(_PLACE_BITS)
    numbered = held.codes(key) << shift | np.arange(len(held.rows), dtype=np.uint64)
    numbered.sort()
    places = (numbered & np.uint64((1 << _PLACE_BITS) - 1)).astype(np.int64)
    codes = numbered >> shift
    for run in _crowds(codes):
        crowd = np.sort(places[run])
        if len(crowd) < count // 2:
            yield from search(question, held.rows[crowd])
        else:  # other bits tell them apart no better
            yield from _each_with_each(held, crowd, question.radius)
        codes[run] = _ALONE + np.arange(len(crowd), dtype=np.uint64)
    near = (
        _near(held, places[one], places[other], question.radius, key.other)
        for one, other in _in_runs(held, places, codes, question.radius)
    )
    yield from near


def _crowds(codes: Codes) -> list[slice]:
    """Where runs of very many equal codes are."""
    if not (codes[DENSE:] == codes[:-DENSE]).any():
        return []
    starts = np.flatnonzero(np.concatenate([[True], codes[1:] != codes[:-1]]))
    ends = np.append(starts[1:], len(codes))
    long = ends - starts > DENSE
    return [slice(*ends_of) for ends_of in zip(starts[long], ends[long], strict=True)]


def _in_runs(held: _Held, places: Rows, codes: Codes, radius: int) -> Iterator[tuple[Rows, Rows]]:
    """Pairs with equal codes, which stand together, that are within the radius in their first word."""
    word = held.words[0][places]
    settled = None if held.settled is None else held.settled[places]
    first = np.arange(len(codes))
    found: list[tuple[Rows, Rows]] = []
    size = 0
    for step in range(1, len(codes)):
        first = first[: np.searchsorted(first, len(codes) - step)]
        first = first[codes[first] == codes[first + step]]
        if len(first) == 0:
            break
        asked = first
        if settled is not None:
            asked = first[settled[first] != settled[first + step]]
        close = asked[np.bitwise_count(word[asked] ^ word[asked + step]) <= radius]
        found.append((close, close + step))
        size += len(close)
        if size > BLOCK:
            yield _joined(found)
            found, size = [], 0
    if size:
        yield _joined(found)


def _joined(found: list[tuple[Rows, Rows]]) -> tuple[Rows, Rows]:
    one, other = (np.concatenate(side) for side in zip(*found, strict=True))
    return one, other


def _each_with_each(held: _Held, crowd: Rows, radius: int) -> Iterator[Pairs]:
    first = second = crowd
    if held.settled is not None:
        first, second = crowd[held.settled[crowd]], crowd[~held.settled[crowd]]
    if len(second) == 0:
        return
    height = max(1, BLOCK // len(second))
    for start in range(0, len(first), height):
        block = first[start : start + height]
        one, other = (side.ravel() for side in np.meshgrid(block, second, indexing="ij"))
        apart = one < other if held.settled is None else slice(None)
        yield _near(held, one[apart], other[apart], radius)


def _near(
    held: _Held, first: Rows, second: Rows, radius: int, other: tuple[Bits, ...] = ()
) -> Pairs:
    """Those of the pairs of places that are within the radius and agree on no other part, as rows."""
    for part in other:
        codes = held.part(part)
        apart = codes[first] != codes[second]
        first, second = first[apart], second[apart]
    differ = np.zeros(len(first), np.int64)
    for word in held.words:
        differ += np.bitwise_count(word[first] ^ word[second])
        close = differ <= radius
        first, second, differ = first[close], second[close], differ[close]
    rows = held.rows[np.minimum(first, second)], held.rows[np.maximum(first, second)]
    return np.stack([*rows, differ], axis=1)
