"""Ways among latents."""

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from impasto.latents.paths import linear, spherical, through


@given(st.integers(2, 20), st.integers(0, 1_000))
def test_a_great_circle_takes_equal_angles_and_passes_between_the_lengths(steps, seed):
    drawn = torch.Generator().manual_seed(seed)
    start, end = torch.randn(2, 16, generator=drawn, dtype=torch.float64)
    points = spherical(start, 2 * end, steps)
    assert torch.allclose(points[0], start)
    assert torch.allclose(points[-1], 2 * end)
    lengths = points.norm(dim=1)
    assert torch.allclose(
        lengths,
        torch.linspace(float(start.norm()), 2 * float(end.norm()), steps, dtype=torch.float64),
    )
    units = points / lengths[:, None]
    angles = (units[:-1] * units[1:]).sum(1).clamp(-1, 1).acos()
    assert float(angles.max() - angles.min()) < 1e-6


def test_the_middle_of_a_great_circle_is_as_long_as_its_ends_and_that_of_a_line_is_not():
    start, end = torch.tensor([1.0, 0, 0]), torch.tensor([0, 1.0, 0])
    assert float(spherical(start, end, 3)[1].norm()) == pytest.approx(1)
    assert float(linear(start, end, 3)[1].norm()) == pytest.approx(math.sqrt(0.5))


@pytest.mark.parametrize("factor", [1.0, -1.0, 0.0])
def test_where_there_is_no_single_great_circle_the_way_is_a_line(factor):
    start = torch.tensor([1.0, 2.0])
    assert torch.allclose(spherical(start, factor * start, 5), linear(start, factor * start, 5))


@pytest.mark.parametrize("spherically", [True, False])
def test_every_station_is_passed_once(spherically):
    stations = torch.randn(4, 8, generator=torch.Generator().manual_seed(0))
    points = through(stations, 5, spherically=spherically)
    assert len(points) == 16
    assert torch.allclose(points[::5], stations, atol=1e-6)
