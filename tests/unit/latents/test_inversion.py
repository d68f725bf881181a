"""Inversion of a generator that is known."""

import torch

from impasto.latents.inversion import invert

LATENTS, SIDE = 6, 16


def generator():
    drawn = torch.Generator().manual_seed(0)
    weights = torch.randn(LATENTS, SIDE * SIDE, generator=drawn) / LATENTS

    def draw(latents):
        return torch.tanh(latents @ weights).view(-1, 1, SIDE, SIDE)

    return draw


def test_the_latents_of_a_picture_that_was_drawn_are_found_again():
    draw = generator()
    hidden = torch.randn(1, LATENTS, generator=torch.Generator().manual_seed(5))
    starts = torch.randn(64, LATENTS, generator=torch.Generator().manual_seed(6))
    *_, found = invert(draw, draw(hidden)[0], starts)
    nearest = (draw(starts) - draw(hidden)).square().mean((1, 2, 3)).min()
    assert found.error < 1e-3 < float(nearest)
    assert (found.latents - hidden[0]).abs().max() < 0.2


def test_what_is_told_only_gets_better_and_begins_no_worse_than_the_best_start():
    draw = generator()
    picture = draw(torch.ones(1, LATENTS))[0]
    starts = torch.randn(32, LATENTS, generator=torch.Generator().manual_seed(1))
    errors = [found.error for found in invert(draw, picture, starts, steps=40)]
    assert errors == sorted(errors, reverse=True)
    assert len(errors) == 41
    assert errors[0] <= float((draw(starts) - picture).square().mean((1, 2, 3)).min()) + 1e-6
