"""From coarse to fine: sizes, steps, weights; and a painting that comes nearer, and goes on bit for bit."""

from dataclasses import replace

import pytest
import torch
from seeing import drawn_network
from torch.nn.functional import interpolate

from impasto.seeds import stream
from impasto.style.canvas import Canvas, Tiling
from impasto.style.config import PyramidConfig
from impasto.style.loss_network import KINDS
from impasto.style.pyramid import Pyramid, stages, weights
from impasto.style.scene import Part, Scene, Style, blended

SMALL = PyramidConfig(least_size=32, first_steps=6, decline=1.0, seed=3)


@pytest.fixture(scope="module")
def network():
    return drawn_network(16)


def picture(seed, size=(48, 64)):
    coarse = torch.rand(1, 3, 6, 8, generator=stream(seed, "picture")) * 1.8 - 0.9
    return interpolate(coarse, size, mode="bilinear")


def scene(**told):
    return Scene(picture(0), [Part([Style(picture(1, (40, 40)))])], **told)


def test_sizes_grow_to_the_painting_s_own():
    found = stages(300, 400, PyramidConfig(least_size=100, growth=2.0))
    assert [(s.height, s.width) for s in found] == [(75, 100), (150, 200), (300, 400)]
    assert [s.steps for s in found] == [200, 123, 76]
    (one,) = stages(60, 80, PyramidConfig())
    assert (one.height, one.width, one.steps) == (60, 80, 200)


@pytest.mark.parametrize("steps", [1, 2, 7, 100])
def test_steps_in_all_are_shared_out(steps):
    found = stages(300, 400, PyramidConfig(least_size=100, growth=2.0, steps=steps))
    assert sum(s.steps for s in found) == steps
    assert (found[-1].height, found[-1].width) == (300, 400)
    assert all(s.steps for s in found)


def test_weights_say_what_counts():
    kind = KINDS["vgg-19"]
    even = weights(kind, PyramidConfig())
    assert sum(even.style.values()) == pytest.approx(1)
    fine = weights(kind, PyramidConfig(detail=1.0))
    assert list(fine.style.values()) == sorted(fine.style.values(), reverse=True)
    assert weights(kind, PyramidConfig(strength=1.0)).content == {}
    strong, weak = (weights(kind, PyramidConfig(strength=s)).content[21] for s in (0.8, 0.2))
    assert weak == pytest.approx(16 * strong)


@pytest.mark.parametrize("optimizer", ["lbfgs", "adam"])
def test_it_comes_nearer_at_every_size(network, optimizer):
    painter = Pyramid(network, scene(), replace(SMALL, optimizer=optimizer))
    told = []
    while painter.done < painter.steps:
        loss = float(painter.step()["total"])
        told.append((painter.size, loss))
    assert painter.picture.shape == (1, 3, 48, 64)
    assert float(painter.picture.abs().max()) <= 1
    assert painter.spent() == pytest.approx(1)
    for size in {size for size, _ in told}:
        losses = [loss for at, loss in told if at == size]
        assert losses[-1] < losses[0]


def test_it_goes_on_bit_for_bit(network):
    whole, first, second = (Pyramid(network, scene(), SMALL) for _ in range(3))
    while whole.done < whole.steps:
        whole.step()
    while first.done < first.steps - 4:
        first.step()
    second.restore({name: value.clone() for name, value in first.state().items()})
    assert second.size == first.size
    while second.done < second.steps:
        second.step()
    assert torch.equal(second.picture, whole.picture)


def test_tiles_paint_what_the_whole_paints(network):
    paintings = []
    for tiling in (None, Tiling(32, 64)):
        painter = Pyramid(network, scene(), SMALL, tiling=tiling)
        for _ in range(4):
            painter.step()
        paintings.append(painter.picture)
    assert float((paintings[0] - paintings[1]).abs().max()) < 1e-3


def test_what_may_not_be_painted_stays(network):
    paint = torch.zeros(48, 64)
    paint[:, 32:] = 1
    painter = Pyramid(network, scene(paint=paint), SMALL)
    while painter.done < painter.steps:
        painter.step()
    changed = (painter.picture - picture(0)).abs().amax(1)[0]
    assert float(changed[:, :30].max()) == 0
    assert float(changed[:, 34:].mean()) > 0.01


def test_a_start_is_begun_with(network):
    given = Pyramid(network, scene(), SMALL, start=picture(5))
    torch.testing.assert_close(given.picture, interpolate(
        picture(5), given.size, mode="bicubic", antialias=True).clamp(-1, 1))  # fmt: skip
    noise = [
        Pyramid(network, scene(), PyramidConfig(least_size=32, start="noise", seed=s)).picture
        for s in (1, 1, 2)
    ]
    assert torch.equal(noise[0], noise[1])
    assert not torch.equal(noise[0], noise[2])


@pytest.mark.parametrize("optimizer", ["lbfgs", "adam"])
def test_a_step_out_of_all_numbers_is_not_taken(network, optimizer):
    painter = Pyramid(network, scene(), replace(SMALL, optimizer=optimizer))
    painter.step()
    before = painter.painting.clone()
    gradient = painter.objective.gradient

    def broken(shown):
        losses, slope = gradient(shown)
        return losses, slope * float("nan")

    painter.objective.gradient = broken
    painter.step()
    assert torch.equal(painter.painting, before)
    painter.objective.gradient = gradient
    painter.step()
    assert torch.isfinite(painter.picture).all()
    assert not torch.equal(painter.painting, before)


def test_blending_is_of_shares_not_of_sizes(network):
    one, other = picture(1, (32, 32)), picture(2, (64, 96))
    small, large = (Canvas(network, *p.shape[2:]).manner(p, (0,)) for p in (one, other))
    found = blended([(1.0, small), (3.0, large)])[0]
    torch.testing.assert_close(found.mean, (small[0].mean + 3 * large[0].mean) / 4)
    torch.testing.assert_close(found.second, (small[0].second + 3 * large[0].second) / 4)
