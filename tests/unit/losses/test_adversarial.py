import math

import pytest
import torch
from torch.nn.functional import binary_cross_entropy_with_logits as bce

from impasto.losses.adversarial import discriminator_loss, generator_loss, soft_label_loss


def logits(*values):
    return torch.tensor(values, dtype=torch.float32)


def test_losses_are_binary_cross_entropy():
    real, fake = logits(0.3, -2.0, 5.0), logits(1.0, -0.5, 0.0)
    expected = bce(real, torch.ones(3)) + bce(fake, torch.zeros(3))
    assert discriminator_loss(real, fake).item() == pytest.approx(expected.item())
    assert generator_loss(fake).item() == pytest.approx(bce(fake, torch.ones(3)).item())


def test_an_undecided_discriminator_costs_two_log_two():
    assert discriminator_loss(logits(0), logits(0)).item() == pytest.approx(2 * math.log(2))


def test_a_certain_discriminator_still_teaches():
    # The saturating form, log(1 - sigmoid), would have a gradient of nearly zero here.
    fake = logits(-50.0).requires_grad_()
    loss = generator_loss(fake)
    (gradient,) = torch.autograd.grad(loss, fake)
    assert loss.item() == pytest.approx(50)
    assert gradient.item() == pytest.approx(-1)


def test_extreme_logits_stay_finite():
    assert torch.isfinite(discriminator_loss(logits(-1e4), logits(1e4)))


def test_soft_labels_may_lie_outside_zero_and_one():
    value = soft_label_loss(logits(2.0), logits(-0.05))
    assert value.item() == pytest.approx(math.log1p(math.exp(2.0)) + 0.05 * 2.0)


def test_gradients_agree_with_finite_differences():
    real = torch.randn(4, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    half = lambda x: torch.nn.functional.softplus(-x).mean()  # noqa: E731
    assert torch.autograd.gradcheck(half, real.requires_grad_())
    (ours,) = torch.autograd.grad(generator_loss(real.float()), real)
    (theirs,) = torch.autograd.grad(half(real), real)
    assert torch.allclose(ours.double(), theirs, atol=1e-6)
