"""Tiles together are the whole picture, to the last digits that 32 bits have."""

import pytest
import torch
from seeing import drawn_network

from impasto.seeds import stream
from impasto.style.canvas import Canvas, Tiling
from impasto.style.objective import Objective, Region, Weights
from impasto.style.tiles import STRIDE, grid

LAYERS = (0, 5, 10, 19, 28)
WEIGHTS = Weights(dict.fromkeys(LAYERS, 0.2), {21: 0.3}, smooth=0.5)


@pytest.fixture(scope="module")
def network():
    return drawn_network()


def picture(seed, size):
    return torch.rand(1, 3, *size, generator=stream(seed, "picture")) * 2 - 1


def test_a_grid_covers_every_pixel_once():
    for height, width, shift in [(100, 130, (0, 0)), (97, 64, (16, 48)), (70, 200, (48, 16))]:
        covered = torch.zeros(height, width)
        for tile in grid(height, width, side=64, margin=16, shift=shift):
            covered[tile.top : tile.bottom, tile.left : tile.right] += 1
            top, left, bottom, _ = tile.outer
            assert top <= tile.top < tile.bottom <= bottom
            assert top % STRIDE == left % STRIDE == tile.top % STRIDE == 0
            assert bottom - top >= STRIDE
        assert (covered == 1).all()


@pytest.mark.parametrize("statistics", ["gram", "wasserstein"])
@pytest.mark.parametrize("shift", [(0, 0), (16, 48)])
def test_tiles_are_the_whole(network, shift, statistics):
    size = (101, 128)  # the last rows do not fill a place
    content, painting, style = picture(0, size), picture(1, size), picture(2, (120, 90))
    where = torch.linspace(0, 1, size[1]).expand(size)
    found = []
    for tiling in (None, Tiling(64, 80)):
        manner = Canvas(network, 120, 90, tiling).manner(style, LAYERS)
        regions = [Region(manner, where, 0.6), Region(manner, None, 0.4)]
        objective = Objective(
            Canvas(network, *size, tiling), content, regions, WEIGHTS, statistics=statistics
        )
        found.append(objective.gradient(painting, shift))
        told = objective.losses(painting)
        for name, loss in found[-1][0].items():
            torch.testing.assert_close(told[name], loss, rtol=1e-4, atol=1e-5)
    (whole, gradient), (parts, by_parts) = found
    for name, loss in whole.items():
        torch.testing.assert_close(parts[name], loss, rtol=1e-4, atol=1e-5)
    near = 1e-5 if statistics == "gram" else 1e-3
    assert float((by_parts - gradient).norm() / gradient.norm()) < near


def test_a_margin_that_is_too_narrow_shows(network):
    content, painting = picture(0, (128, 128)), picture(1, (128, 128))
    manner = Canvas(network, 128, 128).manner(picture(2, (128, 128)), LAYERS)
    gradients = [
        Objective(Canvas(network, 128, 128, tiling), content, [Region(manner)], WEIGHTS).gradient(
            painting
        )[1]
        for tiling in (None, Tiling(64, 16))
    ]
    assert float((gradients[1] - gradients[0]).norm() / gradients[0].norm()) > 1e-3


@pytest.mark.parametrize("statistics", ["gram", "wasserstein"])
def test_the_manner_of_a_picture_against_itself_is_nothing(network, statistics):
    own = picture(0, (64, 80))
    canvas = Canvas(network, 64, 80)
    regions = [Region(canvas.manner(own, LAYERS))]
    told = Objective(canvas, own, regions, WEIGHTS, statistics=statistics).losses(own)
    assert all(abs(float(loss)) < 1e-4 for loss in told.values())


def test_the_gradient_is_that_of_finite_differences(network):
    content, painting = picture(0, (32, 48)), picture(1, (32, 48)) * 0.9
    canvas = Canvas(network, 32, 48)
    manner = canvas.manner(picture(2, (32, 48)), LAYERS)
    objective = Objective(canvas, content, [Region(manner)], Weights(WEIGHTS.style, {21: 0.3}))
    _, gradient = objective.gradient(painting)
    way = gradient / gradient.norm()
    up, down = (float(objective.losses(painting + s * way)["total"]) for s in (0.02, -0.02))
    assert (up - down) / 0.04 == pytest.approx(float(gradient.norm()), rel=0.02)
