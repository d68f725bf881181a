"""Colours are kept as promised: exactly, where that is promised."""

import pytest
import torch

from impasto.seeds import stream
from impasto.style.color import (
    finished,
    like_in_light,
    luminance,
    recolored,
    shown,
    with_luminance,
    with_moments,
    with_palette,
)

MIXED = torch.tensor([[0.6, 0.3, 0.1], [0.2, 0.7, 0.1], [0.3, 0.1, 0.6]])  # channels go together


def picture(seed, size=(20, 30), *, low=-0.6, high=0.5):
    drawn = torch.rand(1, 3, *size, generator=stream(seed, "picture"), dtype=torch.float64)
    turned = torch.einsum("ij,njhw->nihw", MIXED.double(), drawn)
    return turned * (high - low) + low


def facts(colors):
    flat = colors[0].flatten(1)
    return flat.mean(1), flat.cov(correction=0)


def test_moments_are_reproduced_exactly():
    style, content = picture(0), picture(1, (11, 17), low=-1, high=1)
    for one, other in zip(facts(with_moments(style, content)), facts(content), strict=True):
        torch.testing.assert_close(one, other, rtol=1e-9, atol=1e-9)


def test_grey_pictures_have_moments_too():
    grey = torch.zeros(1, 3, 4, 4).double() + torch.linspace(-1, 1, 16).view(1, 1, 4, 4)
    found = with_moments(grey, picture(1))
    assert torch.isfinite(found).all()
    torch.testing.assert_close(facts(found)[0], facts(picture(1))[0])


def test_a_palette_is_the_content_s():
    style, content = picture(0), picture(1)
    content[..., :15] = torch.tensor([0.9, -0.8, -0.8]).view(1, 3, 1, 1)  # half of it is red
    found = with_palette(style, content)
    red = (found - torch.tensor([0.9, -0.8, -0.8]).view(1, 3, 1, 1)).norm(dim=1) < 0.3
    assert float(red.double().mean()) == pytest.approx(0.5, abs=0.06)
    for one, other in zip(facts(found), facts(content), strict=True):
        torch.testing.assert_close(one, other, rtol=0.05, atol=0.02)
    assert torch.equal(found, with_palette(style, content))


def test_only_light_is_painted_where_luminance_is_kept():
    style, content, painting = picture(0), picture(1), picture(2)
    grey = shown(content, "luminance")
    assert torch.equal(grey[:, 0], grey[:, 1])
    told = like_in_light(style, content)
    assert float(told.std()) == pytest.approx(float(luminance(content).std()), rel=0.05)
    found = finished(painting, content, "luminance")
    torch.testing.assert_close(luminance(found), luminance(painting), atol=1e-6, rtol=0)
    assert found.abs().max() <= 1 + 1e-9


def test_colours_that_do_not_fit_go_pale_and_keep_their_hue():
    red = torch.tensor([1.0, -1.0, -1.0]).view(1, 3, 1, 1).double()
    found = with_luminance(red, torch.full((1, 1, 1, 1), 0.8).double())[0, :, 0, 0]
    assert float(found.max()) == pytest.approx(1)
    assert float(found[1]) == pytest.approx(float(found[2]))
    assert float(luminance(found.view(1, 3, 1, 1))) == pytest.approx(0.8)


def test_no_means_no():
    style, content = picture(0), picture(1)
    assert recolored(style, content, "no") is style
    assert shown(content, "moments") is content
    assert finished(style, content, "palette") is style


@pytest.mark.parametrize("keep", ["luminance", "moments", "palette"])
def test_a_recoloured_style_is_a_picture(keep):
    found = recolored(picture(0), picture(1, low=-1, high=1), keep)
    assert found.shape == (1, 3, 20, 30)
    assert found.abs().max() <= 1
