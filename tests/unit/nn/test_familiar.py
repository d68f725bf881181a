"""What is familiar, and how much of something else is not."""

import numpy as np
import pytest
import torch

from impasto.nn.familiar import Familiar


def features(count, seed, dimensions=40):
    """Within a plane of three directions, and a little noise."""
    drawn = np.random.default_rng(seed)
    plane = np.random.default_rng(0).normal(size=(3, dimensions))
    rows = drawn.normal(size=(count, 3)) @ plane + 0.01 * drawn.normal(size=(count, dimensions))
    return torch.from_numpy(rows + 5)


def test_normal_features_are_familiar_and_others_are_not():
    found = Familiar.of(features(200, 1))
    strange = features(50, 2) + 3 * torch.eye(40, dtype=torch.float64)[7]
    assert float(found.residual(features(50, 3)).max()) < float(found.residual(strange).min()) / 5


def test_the_length_of_features_does_not_matter():
    found, some = Familiar.of(features(100, 1)), features(10, 2)
    torch.testing.assert_close(found.residual(some), found.residual(9 * some))


@pytest.mark.parametrize(("count", "directions"), [(1, 0), (3, 0), (20, 5), (2_000, 40), (400, 40)])
def test_so_many_directions_as_pictures_can_tell(count, directions):
    found = Familiar.of(features(count, 1, 80))
    assert found.directions.shape == (directions, 80)
    assert torch.isfinite(found.residual(features(4, 2, 80))).all()


def test_it_comes_back_from_its_state():
    found = Familiar.of(features(100, 1))
    again = Familiar(40, len(found.directions))
    again.load_state_dict(found.state_dict())
    torch.testing.assert_close(again.residual(features(5, 2)), found.residual(features(5, 2)))
