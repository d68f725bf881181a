from io import BytesIO

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageEnhance

from impasto.data.config import DataConfig
from impasto.data.decode import decode
from impasto.data.looks import likeness
from impasto.data.looks.likeness import (
    HASH_BYTES,
    NEAR,
    choose,
    duplicates,
    looks,
    near_pairs,
    thin,
)


def pictures(shared):
    for path in sorted((shared / "data" / "style").glob("*.jpg")):
        with Image.open(path) as image:
            yield image.convert("RGB").resize((300, 300))


def look(image):
    return looks(np.asarray(image.resize((64, 64), Image.Resampling.LANCZOS)))


def differ(one, other):
    return int(np.bitwise_count(one ^ other).sum())


def saved(image, quality):
    buffer = BytesIO()
    image.save(buffer, "JPEG", quality=quality)
    return Image.open(buffer)


@pytest.mark.parametrize(
    "change",
    [
        lambda image: saved(image, 30),
        lambda image: image.resize((150, 150)),
        lambda image: image.crop((3, 3, 297, 297)),
        lambda image: ImageEnhance.Brightness(image).enhance(0.8),
        lambda image: ImageEnhance.Contrast(image).enhance(0.8),
        lambda image: image.convert("L").convert("RGB"),
    ],
)
def test_a_picture_changed_a_little_is_near_and_other_pictures_are_not(shared, change):
    originals = list(pictures(shared))
    for number, original in enumerate(originals):
        distances = [differ(look(change(original)), look(other)) for other in originals]
        assert distances.pop(number) <= NEAR
        assert min(distances) > 2 * NEAR


def test_a_grey_picture_looks_like_itself_in_three_channels(shared):
    grey = np.asarray(next(pictures(shared)).convert("L").resize((64, 64)))[:, :, None]
    assert looks(grey).shape == (HASH_BYTES,)
    assert np.array_equal(looks(grey), looks(grey.repeat(3, axis=2)))


def test_decoded_pictures_of_any_size_have_a_look(shared):
    payload = (shared / "data" / "style" / "candy.jpg").read_bytes()
    looked = [looks(decode(payload, config=DataConfig(size=size))) for size in (4, 64, 128)]
    assert differ(looked[1], looked[2]) <= NEAR


def some(seed, count, *, centers, width=18, flips=0.03):
    rng = np.random.default_rng(seed)
    center = rng.integers(0, 256, (centers, width), dtype=np.uint8)[rng.integers(0, centers, count)]
    hashes = center ^ np.packbits(rng.random((count, 8 * width)) < flips, axis=1)
    again, first = rng.integers(0, count, (2, count // 10))
    hashes[again] = hashes[first]
    return hashes


def compared(hashes):
    return np.bitwise_count(hashes[:, None] ^ hashes[None]).sum(axis=2, dtype=np.int64)


@pytest.mark.parametrize("pass_size", [1 << 21, 100])
def test_near_pairs_are_those_of_comparing_each_with_each(pass_size):
    hashes = some(0, 800, centers=100)
    distance = compared(hashes)
    first = (distance == 0).argmax(axis=1)
    alone = first == np.arange(800)
    near = np.triu((distance <= NEAR) & alone[:, None] & alone[None], 1)
    expected = [(a, b, distance[a, b]) for a, b in np.argwhere(near).tolist()]
    expected += [(first[b], b, 0) for b in np.flatnonzero(~alone).tolist()]
    pairs = near_pairs(hashes, pass_size=pass_size)
    assert pairs.tolist() == [list(pair) for pair in sorted(expected)]


def test_near_pairs_are_among_the_rows_asked_for():
    hashes, among = some(1, 500, centers=40), np.arange(500) % 2 == 1
    pairs = near_pairs(hashes, among=among)
    rows = np.flatnonzero(among)
    inner = near_pairs(hashes[rows])
    assert len(pairs)
    assert np.array_equal(pairs, np.column_stack([rows[inner[:, :2]], inner[:, 2]]))


def test_hashes_may_be_mapped_from_disk(tmp_path):
    hashes = some(2, 300, centers=40)
    np.save(tmp_path / "hashes.npy", hashes)
    mapped = np.load(tmp_path / "hashes.npy", mmap_mode="r")
    assert np.array_equal(near_pairs(mapped, pass_size=50), near_pairs(hashes))


def test_a_million_equal_hashes_are_no_quadratic_matter():
    hashes = np.zeros((1_000_000, HASH_BYTES), np.uint8)
    pairs = near_pairs(hashes)
    assert len(pairs) == 999_999
    assert not pairs[:, [0, 2]].any()


def greedy(hashes, order, radius):
    distance, kept, left_out = compared(hashes), [], {}
    for row in order.tolist():
        near = [
            (distance[row, twin], kept.index(twin))
            for twin in kept
            if distance[row, twin] <= radius
        ]
        if near:
            bits, place = min(near)
            left_out[row] = kept[place], int(bits)
        else:
            kept.append(row)
    return left_out


@pytest.mark.parametrize("seed", range(5))
def test_the_best_are_kept_and_the_nearest_of_them_is_named(seed):
    hashes = some(seed, 250, centers=40, flips=0.05)
    order = np.random.default_rng(seed).permutation(250)
    chosen = choose(near_pairs(hashes), order)
    distinct = np.unique(hashes, axis=0, return_index=True)[1]
    expected = greedy(hashes, order, NEAR)
    assert {row for row, _, _ in chosen.tolist()} == set(expected)
    assert chosen.tolist() == sorted(chosen.tolist())
    for row, twin, bits in chosen.tolist():
        assert twin not in expected
        assert bits == differ(hashes[row], hashes[twin]) <= NEAR
        if row in distinct and compared(hashes)[row].tolist().count(0) == 1:
            assert (twin, bits) == expected[row]


def test_a_chain_keeps_every_other_one():
    pairs = np.array([[0, 1, 5], [1, 2, 5], [2, 3, 5]])
    assert choose(pairs, np.array([0, 1, 2, 3])).tolist() == [[1, 0, 5], [3, 2, 5]]
    assert choose(pairs, np.array([1, 3, 0, 2])).tolist() == [[0, 1, 5], [2, 1, 5]]


def test_equal_ones_are_left_out_with_the_best_of_them():
    pairs = np.array([[0, 1, 0], [0, 2, 0], [0, 3, 4]])
    assert choose(pairs, np.array([3, 2, 1, 0])).tolist() == [[0, 3, 4], [1, 3, 4], [2, 3, 4]]
    assert choose(pairs, np.array([1, 3, 2, 0])).tolist() == [[0, 1, 0], [2, 1, 0], [3, 1, 4]]


def test_without_pairs_nothing_is_left_out():
    nothing = np.zeros((0, 3), np.int64)
    assert choose(nothing, np.array([2, 0, 1])).shape == (0, 3)
    assert choose(nothing, np.zeros(0, np.int64)).shape == (0, 3)
    assert thin(np.zeros((0, HASH_BYTES), np.uint8), np.zeros(0, np.int64)).shape == (0, 3)


@pytest.mark.parametrize("most", [30, 1 << 22])
def test_thinning_by_halves_leaves_out_the_same(monkeypatch, most):
    hashes = some(7, 700, centers=12)
    order = np.random.default_rng(7).permutation(700)[:600]
    among = np.isin(np.arange(700), order)
    expected = choose(near_pairs(hashes, among=among), order)
    monkeypatch.setattr(likeness, "MOST_PAIRS", most)
    thinned = thin(hashes, order)
    assert np.array_equal(thinned[:, 0], expected[:, 0])
    assert not np.isin(thinned[:, 1], thinned[:, 0]).any()
    for row, twin, bits in thinned.tolist():
        assert bits == differ(hashes[row], hashes[twin]) <= NEAR


@given(st.lists(st.integers(0, 20)), st.sampled_from([1, 3, 1 << 21]))
def test_duplicates_name_their_first_occurrence(values, pass_size):
    expected = [[n, values.index(value)] for n, value in enumerate(values) if value in values[:n]]
    keys = np.array(values, np.uint64) << np.uint64(59)
    assert duplicates(np.array(values, np.uint64), pass_size=pass_size).tolist() == expected
    assert len(keys) == 0 or len(duplicates(keys, pass_size=pass_size)) >= len(expected)


def test_duplicates_are_among_the_entries_asked_for():
    keys = np.array([5, 5, 6, 5, 6], np.uint64)
    assert duplicates(keys).tolist() == [[1, 0], [3, 0], [4, 2]]
    among = np.array([False, True, True, True, False])
    assert duplicates(keys, among).tolist() == [[3, 1]]


def crowded(seed: int, count: int, *, clusters: int = 5, flips: int = 20) -> np.ndarray:
    """Bit strings around a few centres, so that many are near one another and some are equal."""
    generator = np.random.default_rng(seed)
    centres = generator.integers(0, 2, (clusters, 8 * HASH_BYTES), dtype=np.uint8)
    bits = centres[generator.integers(0, clusters, count)]
    for row in bits:
        row[generator.integers(0, bits.shape[1], generator.integers(0, flips))] ^= 1
    return np.packbits(bits, axis=1)


def distances(strings: np.ndarray) -> np.ndarray:
    return np.bitwise_count(strings[:, None] ^ strings[None]).sum(axis=2)


@given(seed=st.integers(0, 10_000), count=st.integers(0, 60))
def test_what_is_left_is_apart_and_what_is_left_out_has_a_kept_twin(seed, count):
    strings = crowded(seed, count)
    order = np.random.default_rng(seed).permutation(count)
    told = thin(strings, order, NEAR)
    out = {row: (twin, bits) for row, twin, bits in told.tolist()}
    apart, rank = distances(strings), np.argsort(order)
    kept = [row for row in range(count) if row not in out]
    assert all(apart[a, b] > NEAR for a in kept for b in kept if a < b)
    for row, (twin, bits) in out.items():
        assert twin not in out
        assert apart[row, twin] == bits <= NEAR
        assert rank[twin] < rank[row]
