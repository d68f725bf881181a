import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageFilter

from impasto.data.likeness import HASH_BYTES, NEAR, duplicates, looks, near_pairs, thin


def hashes(seed: int, count: int, *, clusters: int = 5, flips: int = 20) -> np.ndarray:
    """Bit strings around a few centres, so that many are near one another and some are equal."""
    generator = np.random.default_rng(seed)
    centres = generator.integers(0, 2, (clusters, 8 * HASH_BYTES), dtype=np.uint8)
    bits = centres[generator.integers(0, clusters, count)]
    for row in bits:
        row[generator.integers(0, bits.shape[1], generator.integers(0, flips))] ^= 1
    return np.packbits(bits, axis=1)


def distances(strings: np.ndarray) -> np.ndarray:
    return np.bitwise_count(strings[:, None] ^ strings[None]).sum(axis=2)


@pytest.mark.parametrize("pass_size", [16, 1 << 21])
@pytest.mark.parametrize("radius", [0, 3, 16])
def test_near_pairs_are_those_that_comparing_each_with_each_finds(radius, pass_size):
    strings = hashes(radius, 120)
    apart = distances(strings)
    found = near_pairs(strings, radius, pass_size=pass_size)
    first_of = [int(np.flatnonzero(apart[row] == 0)[0]) for row in range(len(strings))]
    wanted = {
        (one, other, int(apart[one, other]))
        for one in range(len(strings))
        for other in range(one + 1, len(strings))
        if apart[one, other] <= radius
        # Of equal ones only the first takes part; the others are paired with it alone.
        and (first_of[other] == one or (first_of[one] == one and first_of[other] == other))
    }
    assert {tuple(pair) for pair in found.tolist()} == wanted


@given(seed=st.integers(0, 10_000), count=st.integers(0, 60))
def test_what_is_left_is_apart_and_what_is_left_out_has_a_kept_twin(seed, count):
    strings = hashes(seed, count)
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


def test_duplicates_are_paired_with_the_first():
    keys = np.array([5, 7, 5, 9, 7, 5], np.uint64)
    assert duplicates(keys).tolist() == [[2, 0], [4, 1], [5, 0]]
    among = np.array([False, True, True, True, True, True])
    assert duplicates(keys, among).tolist() == [[4, 1], [5, 2]]
    assert duplicates(keys[:0]).tolist() == []


def scene(seed: int) -> Image.Image:
    noise = np.random.default_rng(seed).integers(0, 256, (8, 8, 3), dtype=np.uint8)
    return Image.fromarray(noise).resize((64, 64), Image.Resampling.BICUBIC)


def apart(one: Image.Image, other: Image.Image) -> int:
    pair = [looks(np.asarray(image.resize((64, 64)))) for image in (one, other)]
    return int(np.bitwise_count(pair[0] ^ pair[1]).sum())


@pytest.mark.parametrize("seed", range(8))
def test_the_same_scene_looks_alike_and_another_does_not(seed):
    picture = scene(seed)
    assert apart(picture, picture.filter(ImageFilter.GaussianBlur(0.7))) <= NEAR
    assert apart(picture, picture.point(lambda level: level * 0.8)) <= NEAR
    assert apart(picture, picture.resize((32, 32))) <= NEAR
    assert apart(picture, scene(seed + 100)) > 2 * NEAR
