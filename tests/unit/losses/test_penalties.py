import pytest
import torch

from impasto.losses.penalties import r1_penalty


def test_a_plane_is_as_steep_as_its_weights_are_long():
    weight = torch.randn(3, 4, 4)
    images = torch.randn(5, 3, 4, 4, requires_grad=True)
    penalty = r1_penalty((images * weight).sum((1, 2, 3)), images)
    assert penalty.item() == pytest.approx(weight.square().sum().item(), rel=1e-5)


def test_it_is_a_mean_over_the_batch_of_each_pictures_own_slope():
    images = torch.randn(6, 1, 2, 2, requires_grad=True)
    penalty = r1_penalty(images.square().sum((1, 2, 3)), images)
    expected = (2 * images).square().sum((1, 2, 3)).mean()
    assert penalty.item() == pytest.approx(expected.item(), rel=1e-5)


def test_weights_learn_from_it():
    weight = torch.tensor(3.0, requires_grad=True)
    images = torch.ones(2, 1, 1, 1, requires_grad=True)
    (gradient,) = torch.autograd.grad(r1_penalty((weight * images).flatten(), images), weight)
    assert gradient.item() == pytest.approx(6.0)  # of weight squared
