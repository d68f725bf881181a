"""Yardsticks of paintings."""

import pytest
import torch
from seeing import drawn_network

from impasto.seeds import stream
from impasto.style.judging import distances, seams
from impasto.style.tiles import grid


@pytest.fixture(scope="module")
def network():
    return drawn_network()


def picture(seed, size=(48, 64)):
    return torch.rand(1, 3, *size, generator=stream(seed, "picture")) * 2 - 1


def test_a_picture_is_itself_and_not_another(network):
    content, style = picture(0), picture(1)
    same = distances(network, content, content, [(content, 1.0)])
    assert same.content == 0
    assert same.style == pytest.approx(0, abs=1e-3)
    assert same.together == pytest.approx(1, abs=1e-3)
    other = distances(network, content, style, [(style * 0.2, 1.0)])
    assert other.content > 0.01
    assert other.style > 0.01
    assert other.together == pytest.approx((1 + other.content) * (1 + other.style))


def test_seams_are_seen_where_they_are():
    tiles = list(grid(96, 128, side=32, margin=16))
    smooth = picture(2, (96, 128))
    assert seams(smooth, tiles) == pytest.approx(1, abs=0.1)
    patched = smooth * 0.1
    for number, tile in enumerate(tiles):
        patched[..., tile.top : tile.bottom, tile.left : tile.right] += 0.3 * (number % 2)
    assert seams(patched, tiles) > 3
