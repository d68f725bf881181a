"""The bitstream: what goes in comes out, and nothing that was changed does."""

import math
import struct

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from impasto.errors import ConfigError, DamagedFile

pytest.importorskip("constriction", reason="the compress extra is not installed")

from impasto.latents.bitstream import LARGEST, Basis, Coded, model_of, pack, tiles_of, unpack

SIDE, LATENTS = 16, 6
MODEL = bytes(range(8))


def basis_of(seed=0):
    drawn = np.random.default_rng(seed)
    root = drawn.normal(size=(LATENTS, LATENTS)) * np.logspace(0, -3, LATENTS)
    covariance = root @ root.T
    axes = np.linalg.eigh(covariance).eigenvectors.T[::-1]
    return Basis.of(drawn.normal(size=LATENTS), covariance, np.ascontiguousarray(axes))


def coded(width=40, height=20, step=0.1, seed=0, scale=1.0):
    tiles = math.prod(tiles_of(width, height, SIDE))
    basis = basis_of()
    drawn = np.random.default_rng(seed)
    codes = basis.mean + scale * drawn.normal(size=(tiles, LATENTS)) * basis.deviations @ basis.axes
    return Coded(basis.quantised(codes, step), width, height, step, MODEL), basis, codes


@given(
    st.integers(1, 90),
    st.integers(1, 90),
    st.floats(0.001, 10, allow_subnormal=False),
    st.integers(0, 99),
    st.sampled_from([0.01, 1.0, 30.0]),
)
def test_what_goes_in_comes_out(width, height, step, seed, scale):
    told, basis, _ = coded(width, height, step, seed, scale)
    again = unpack(pack(told, basis), basis, SIDE, where="x")
    assert (again.codes == told.codes).all()
    assert (again.width, again.height, again.model) == (width, height, MODEL)
    assert again.step == np.float32(step)


@pytest.mark.parametrize("step", [0.01, 0.3])
def test_codes_come_back_to_within_half_a_step(step):
    told, basis, codes = coded(step=step)
    back = basis.restored(told.codes, told.step)
    along = (back - codes) @ basis.axes.T
    assert np.abs(along).max() <= basis.deviations[0] * step * 0.5 + 1e-4


def test_the_length_is_nearly_what_the_codes_hold():
    told, basis, _ = coded(width=800, height=800, step=0.05)
    bits = 0.0
    deviations = np.maximum(basis.in_steps(told.step), 0.05)
    for value, deviation in zip(told.codes.T, deviations, strict=True):
        low, high = (value - 0.5) / deviation, (value + 0.5) / deviation
        mass = [
            0.5 * (math.erf(b / math.sqrt(2)) - math.erf(a / math.sqrt(2)))
            for a, b in zip(low, high, strict=True)
        ]
        bits -= np.log2(np.maximum(mass, 1e-300)).sum()
    size = len(pack(told, basis))
    assert bits / 8 < size < 1.02 * bits / 8 + 40


def test_axes_along_which_codes_hardly_vary_cost_nothing():
    told, basis, _ = coded(width=800, height=800, step=2.0)
    assert (told.codes[:, 3:] == 0).all()
    few = Coded(told.codes * 0, told.width, told.height, told.step, MODEL)
    assert len(pack(few, basis)) < len(pack(told, basis))


@given(st.data())
def test_a_file_in_which_a_bit_was_changed_is_refused(data):
    told, basis, _ = coded()
    content = bytearray(pack(told, basis))
    place = data.draw(st.integers(0, len(content) - 1))
    content[place] ^= 1 << data.draw(st.integers(0, 7))
    with pytest.raises((DamagedFile, ConfigError)):
        unpack(bytes(content), basis, SIDE, where="x.imp")


@given(st.data())
def test_a_file_that_was_cut_short_is_refused(data):
    told, basis, _ = coded()
    content = pack(told, basis)
    with pytest.raises(DamagedFile):
        unpack(content[: data.draw(st.integers(0, len(content) - 1))], basis, SIDE, where="x.imp")


@given(st.binary(max_size=200))
def test_anything_else_is_refused(content):
    with pytest.raises((DamagedFile, ConfigError)):
        model_of(b"IMPZ" + content, where="x.imp")


def test_a_file_from_the_future_says_so():
    told, basis, _ = coded()
    content = bytearray(pack(told, basis))
    content[4] = 9
    with pytest.raises(ConfigError, match="version 9"):
        unpack(bytes(content), basis, SIDE, where="x.imp")


def test_a_well_made_file_of_absurd_size_is_refused():
    import zlib

    told, basis, _ = coded()
    body = bytearray(pack(told, basis)[:-4])
    struct.pack_into("<H", body, 13, LARGEST + 1)
    content = bytes(body) + struct.pack("<I", zlib.crc32(bytes(body)))
    with pytest.raises(DamagedFile):
        unpack(content, basis, SIDE, where="x.imp")


def test_the_model_is_told_without_the_model():
    told, basis, _ = coded()
    assert model_of(pack(told, basis), where="x.imp") == MODEL
