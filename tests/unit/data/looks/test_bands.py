import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from impasto.data.looks import bands
from impasto.data.looks.bands import Question, cover, search


def differing(strings):
    return np.bitwise_count(strings[:, None] ^ strings[None]).sum(axis=2, dtype=np.int64)


def near(strings, radius):
    first, second = np.nonzero(np.triu(differing(strings) <= radius, 1))
    bits = differing(strings)[first, second]
    return set(zip(first.tolist(), second.tolist(), bits.tolist(), strict=True))


def found(question, rows):
    return {tuple(pair) for block in search(question, rows) for pair in block.tolist()}


def clustered(seed, count, width, *, centers, flips):
    rng = np.random.default_rng(seed)
    center = rng.integers(0, 256, (centers, width), dtype=np.uint8)[rng.integers(0, centers, count)]
    return center ^ np.packbits(rng.random((count, 8 * width)) < flips, axis=1)


@pytest.mark.parametrize("pass_size", [1 << 21, 150])
@pytest.mark.parametrize(
    ("width", "radius", "centers", "flips"),
    [
        (8, 16, 4000, 0.5),
        (8, 10, 40, 0.04),
        (18, 16, 60, 0.04),
        (2, 2, 300, 0.5),
        (18, 0, 500, 0.0),
    ],
)
def test_the_pairs_are_those_of_comparing_each_with_each(width, radius, centers, flips, pass_size):
    strings = clustered(0, 1200, width, centers=centers, flips=flips)
    assert near(strings, radius)
    question = Question(strings, radius, pass_size=pass_size)
    assert found(question, np.arange(1200)) == near(strings, radius)


@pytest.mark.parametrize("dense", [8, 60])
def test_crowded_keys_are_told_apart_by_other_bits(monkeypatch, dense):
    monkeypatch.setattr(bands, "DENSE", dense)
    monkeypatch.setattr(bands, "BLOCK", 1000)
    monkeypatch.setattr(bands, "_COMPARED", 1e-5)  # so that even few strings are worth keys
    strings = clustered(1, 900, 8, centers=6, flips=0.08)
    strings[:, :4] = strings[0, :4]
    assert found(Question(strings, 4), np.arange(900)) == near(strings, 4)


def test_only_the_rows_asked_for_are_looked_at():
    strings = clustered(2, 600, 8, centers=30, flips=0.03)
    rows = np.arange(0, 600, 3)
    expected = {pair for pair in near(strings, 6) if pair[0] % 3 == pair[1] % 3 == 0}
    assert found(Question(strings, 6), rows) == expected


@pytest.mark.parametrize("pass_size", [1 << 21, 150])
def test_with_settled_strings_each_pair_has_one_of_them(pass_size):
    strings = clustered(3, 900, 8, centers=30, flips=0.03)
    settled = np.arange(900) % 5 == 0
    question = Question(strings, 6, settled, pass_size)
    expected = {pair for pair in near(strings, 6) if settled[pair[0]] != settled[pair[1]]}
    assert found(question, np.arange(900)) == expected


@given(
    bits=st.integers(1, 150), radius=st.integers(0, 20), count=st.integers(2, 10**8), data=st.data()
)
def test_whatever_bits_differ_some_key_has_none_of_them(bits, radius, count, data):
    keys = cover(tuple(range(bits)), radius, count)
    flipped = data.draw(st.sets(st.integers(0, bits - 1), max_size=radius))
    assert any(not flipped.intersection(*[part]) for key in keys for part in [sum(key.same, ())])


def test_a_cover_for_a_million_has_keys_that_tell_strings_apart():
    keys = cover(tuple(range(144)), 16, 10**6)
    assert min(key.size for key in keys) >= 14
    assert cover(tuple(range(144)), 16, 10) == [bands.Key()]


def test_strings_that_never_differ_are_all_near():
    strings = np.full((40, 8), 7, np.uint8)
    assert len(found(Question(strings, 3), np.arange(40))) == 40 * 39 // 2


@pytest.mark.parametrize("count", [0, 1])
def test_of_one_string_there_are_no_pairs(count):
    assert found(Question(np.zeros((count, 8), np.uint8), 3), np.arange(count)) == set()
