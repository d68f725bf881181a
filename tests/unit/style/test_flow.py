"""What moves is followed, and what comes into view is known to."""

import numpy as np
import torch
from PIL import Image

from impasto.images import to_float
from impasto.style.flow import flicker, motion


def scene():
    coarse = np.random.default_rng(0).integers(0, 255, (12, 16, 3)).astype(np.uint8)
    whole = np.asarray(Image.fromarray(coarse).resize((160, 96), Image.Resampling.BICUBIC))
    return to_float(torch.tensor(whole)[None])


def test_a_moving_scene_is_followed():
    whole = scene()
    before, now = whole[..., 6:126], whole[..., 10:130]  # everything moves four pixels to the left
    found = motion(before, now)
    inner = found.back[16:-16, 16:-16]
    assert abs(float(np.median(inner[..., 0])) - 4) < 0.3
    assert abs(float(np.median(inner[..., 1]))) < 0.3
    assert float(found.known[16:-16, 16:-16].mean()) > 0.9
    moved = found.moved(before)
    still = (before - now).abs().mean()
    assert float((moved - now).abs()[..., 16:-16, 16:-16].mean()) < 0.2 * float(still)
    assert flicker(before, now, found) < 0.1


def test_what_comes_into_view_is_not_known():
    whole = scene()
    before, now = whole[..., :120], whole[..., 12:132]
    known = motion(before, now).known
    assert float(known[:, -10:].mean()) < 0.3
    assert float(known[16:-16, 20:-30].mean()) > 0.85


def test_numbers_of_places_move_along():
    whole = scene()
    found = motion(whole[..., 6:126], whole[..., 18:138])  # twelve pixels to the left
    where = torch.zeros(96, 120)
    where[:, :60] = 1
    moved = found.places(where)
    assert moved[:, 8:40].mean() > 0.95
    assert moved[:, 56:100].mean() < 0.05
    assert 0 <= moved.min() <= moved.max() <= 1


def test_a_still_scene_stays():
    whole = scene()
    found = motion(whole, whole)
    assert float(np.abs(found.back).max()) < 0.05
    assert float(found.known.mean()) > 0.99
    assert float((found.moved(whole) - whole).abs().max()) < 0.05
    assert flicker(whole, whole, found) < 0.01
    noisy = whole + 0.2 * torch.randn(whole.shape, generator=torch.Generator().manual_seed(0))
    assert abs(flicker(whole, noisy.clamp(-1, 1), found) - 0.2) < 0.05
