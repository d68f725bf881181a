"""Whose colours a painting has: four ways to keep the content's, each before painting, one after it too.

    no         the manner's colours come with it
    luminance  only light and dark are painted; colours are the content's own, place by place
    moments    the style is first given the content's average colour and covariance
    palette    the style is first given the content's whole distribution of colours

Pictures are `1 3 h w` in [-1, 1], in whatever RGB they came in.
"""

from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor

from impasto.images import Picture
from impasto.seeds import stream

KeepColor = Literal["no", "luminance", "moments", "palette"]

LUMA = (0.299, 0.587, 0.114)  # ITU-R BT.601
PASSES = 12  # of one-dimensional matchings along three axes each, until two clouds of colours agree
RIDGE = 1e-6  # added to variances of levels in [-1, 1]: a grey picture has no colours to stretch


def luminance(picture: Picture) -> Float[Tensor, "1 1 h w"]:
    """How light each place is, in [-1, 1]."""
    weights = picture.new_tensor(LUMA).view(1, 3, 1, 1)
    return (picture * weights).sum(1, keepdim=True)


def with_luminance(picture: Picture, light: Float[Tensor, "1 1 h w"]) -> Picture:
    """The picture's colours as light as this; where that leaves [-1, 1], paler rather than shifted in hue."""
    own = luminance(picture)
    chroma, light = picture - own, light.clamp(-1, 1)
    room = torch.where(chroma > 0, 1 - light, 1 + light)
    share = torch.where(chroma.abs() > 0, room / chroma.abs().clamp(min=1e-6), 1).amin(1, True)
    return light + chroma * share.clamp(max=1)


def like_in_light(style: Picture, content: Picture) -> Picture:
    """The style in grey, with the content's average and deviation of light."""
    light, wanted = luminance(style), luminance(content)
    spread = wanted.std() / light.std().clamp(min=RIDGE)
    return ((light - light.mean()) * spread + wanted.mean()).expand(-1, 3, -1, -1)


def with_moments(style: Picture, content: Picture) -> Picture:
    """The style with the content's average colour and covariance, exactly; not clamped.

    Source: arXiv 1606.05897, section 5.1, with symmetric roots.
    """
    own, mean, covariance = _colors(style)
    _, wanted_mean, wanted = _colors(content)
    turn = _power(wanted, 0.5) @ _power(covariance, -0.5)
    return _picture(turn @ (own - mean) + wanted_mean, style)


def with_palette(style: Picture, content: Picture, *, seed: int = 0) -> Picture:
    """The style with the content's distribution of colours: none that the content has not, and as much of each.

    Along three axes at a time, turned at random, the levels of the one are given the order statistics of
    the other, until the clouds agree in all directions.

    Source: Pitie, Kokaram and Dahyot, 2007 (iterative distribution transfer).
    """
    own, wanted = _colors(style)[0], _colors(content)[0]
    for each in range(PASSES):
        drawn = torch.randn(3, 3, generator=stream(seed, "palette", each), dtype=torch.float64)
        axes = torch.linalg.qr(drawn)[0].to(own)
        moved = torch.stack(
            [_matched(one, other) for one, other in zip(axes @ own, axes @ wanted, strict=True)]
        )
        own = axes.T @ moved
    return _picture(own, style)


def recolored(style: Picture, content: Picture, keep: KeepColor) -> Picture:
    """The style as it is painted from, where the content's colours are to be kept in this way; in [-1, 1]."""
    match keep:
        case "no":
            return style
        case "luminance":
            return like_in_light(style, content).clamp(-1, 1)
        case "moments":
            return with_moments(style, content).clamp(-1, 1)
        case "palette":
            return with_palette(style, content).clamp(-1, 1)


def shown(content: Picture, keep: KeepColor) -> Picture:
    """The content as the network sees it."""
    return luminance(content).expand(-1, 3, -1, -1) if keep == "luminance" else content


def finished(painting: Picture, content: Picture, keep: KeepColor) -> Picture:
    """The painting with the content's colours, where they are kept place by place."""
    return with_luminance(content, luminance(painting)) if keep == "luminance" else painting


def _colors(picture: Picture) -> tuple[Tensor, Tensor, Tensor]:
    """The colours as columns, their average and their covariance; 64-bit, for covariances are small."""
    flat = picture[0].flatten(1).double()
    mean = flat.mean(1, keepdim=True)
    centred = flat - mean
    return flat, mean, centred @ centred.T / flat.shape[1]


def _picture(colors: Float[Tensor, "3 places"], like: Picture) -> Picture:
    return colors.view(1, 3, *like.shape[2:]).to(like.dtype)


def _power(matrix: Float[Tensor, "3 3"], exponent: float) -> Float[Tensor, "3 3"]:
    values, vectors = torch.linalg.eigh(matrix)
    power: Tensor = vectors * values.clamp(min=RIDGE).pow(exponent) @ vectors.T
    return power


def _matched(levels: Float[Tensor, "n"], wanted: Float[Tensor, "m"]) -> Float[Tensor, "n"]:
    """The levels with the order statistics of those wanted, in their own order."""
    ordered = wanted.sort().values
    ranks = torch.linspace(0, len(ordered) - 1, len(levels)).to(levels)
    below = ranks.floor().long()
    above = (below + 1).clamp(max=len(ordered) - 1)
    values = torch.lerp(ordered[below], ordered[above], ranks - below)
    out = torch.empty_like(levels)
    out[levels.argsort()] = values
    return out
