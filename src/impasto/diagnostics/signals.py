"""Signals: what is measured at each look into a training, as pure functions of pictures and logits.

A signal is a number with a name and a healthy range; what its leaving that range means is told in
`diseases`. Pictures are looked at small (`SMALL` pixels on a side), where composition and colour are,
and noise is not; only the checkerboard is looked for at full size. No pretrained network is asked, so
signals cost little and are there on every machine.
"""

import math
from dataclasses import dataclass
from functools import cached_property

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn.functional import adaptive_avg_pool2d

SMALL = 16  # pixels; a picture's side when pictures are compared as wholes
EDGE = 0.99  # of the range; beyond it an output counts as saturated

Images = Float[Tensor, "n c h w"]
Others = Float[Tensor, "m c h w"]
Signals = dict[str, float]


@dataclass(frozen=True)
class RealLook:
    """What the real pictures are like, measured once.

    Attributes:
        images: as the discriminator gets them.
    """

    images: Images

    @cached_property
    def small(self) -> Float[Tensor, "n d"]:
        """The pictures as they are compared."""
        return small(self.images)

    @cached_property
    def colors(self) -> tuple[Float[Tensor, " c"], Float[Tensor, " c"]]:
        """Mean and deviation of each channel."""
        return _colors(self.images)

    @cached_property
    def range(self) -> tuple[float, float, float]:
        """The lowest and the highest value, and the share at the edge."""
        return _range(self.images)

    @cached_property
    def spectrum(self) -> Float[Tensor, "h w"]:
        """The mean energy at each frequency."""
        return _spectrum(self.images)

    @cached_property
    def spread(self) -> float:
        """The mean distance between two of them."""
        return _mean_distance(self.small)


def small(images: Images) -> Float[Tensor, "n d"]:
    """The pictures as vectors of at most 16 x 16 pixels."""
    side = min(SMALL, images.shape[2])
    return adaptive_avg_pool2d(images.float(), side).flatten(1)


def judgement(
    real: Float[Tensor, " r"], held_out: Float[Tensor, " v"], fake: Float[Tensor, " f"]
) -> Signals:
    """What the discriminator says of the three kinds of pictures.

    `separation` is the chance that a real picture gets a higher logit than a fake one (1: it tells them
    apart without fail; 0.5: it guesses), and `recognition` that a trained picture gets a higher one than a
    held-out one (0.5: it does not know its pictures by heart). Unlike differences of logits, neither
    depends on their scale.
    """
    told = {
        "real_logit": float(real.mean()),
        "fake_logit": float(fake.mean()),
        "real_accuracy": float((real > 0).float().mean()),
        "fake_accuracy": float((fake < 0).float().mean()),
        "separation": _chance_higher(real, fake),
    }
    if len(held_out):
        told |= {
            "held_out_logit": float(held_out.mean()),
            "held_out_score": float(held_out.sigmoid().mean()),
            "held_out_accuracy": float((held_out > 0).float().mean()),
            "recognition": _chance_higher(real, held_out),
        }
    return told


def variety(fakes: Images, real: RealLook) -> Signals:
    """How unlike one another samples are, beside how unlike one another reals are; 1 is alike for all three.

    `diversity` is the ratio of mean distances: near 0, all samples are one picture. `apartness` is the
    ratio of how far the nearest other picture is, as a part of that mean distance: near 0, samples are a
    few pictures, many times. `kinds` is the ratio of effective numbers of different pictures (the
    exponential of the entropy of the eigenvalues of their similarities), which both make fall.

    Source: `kinds` is the Vendi score, arXiv 2210.02410, with a Gaussian kernel as wide as half the mean
    distance of reals.
    """
    drawn, reals = small(fakes), real.small[: len(fakes)]
    return {
        "diversity": _mean_distance(drawn) / max(real.spread, 1e-6),
        "apartness": _apartness(drawn) / max(_apartness(reals), 1e-6),
        "kinds": _effective(drawn, real.spread) / _effective(reals, real.spread),
    }


def likeness(fakes: Images, real: RealLook) -> Signals:
    """How the samples' brightness, colours and contrast differ from the data's, and how far both sets lie apart.

    `energy_distance` is 2 E|x - y| - E|x - x'| - E|y - y'| over E|x - x'| for reals x and samples y: 0 when
    they are alike, and at most about 2. The others are differences of means and ratios of deviations.
    """
    x, y = real.small, small(fakes)
    energy = 2 * float(torch.cdist(x, y).mean()) - real.spread - _mean_distance(y)
    (real_means, real_deviations), (means, deviations) = real.colors, _colors(fakes)
    return {
        "energy_distance": energy / max(real.spread, 1e-6),
        "brightness_shift": float(means.mean() - real_means.mean()),
        "color_shift": float((means - real_means).abs().max()),
        "contrast_ratio": float(deviations.mean() / real_deviations.mean().clamp_min(1e-6)),
    }


def ranges(fakes: Images, real: RealLook) -> Signals:
    """The darkest and brightest values that either side has, and the shares at the very edge."""
    (low, high, edge), (fake_low, fake_high, fake_edge) = real.range, _range(fakes)
    return {
        "real_lowest": low,
        "real_highest": high,
        "fake_lowest": fake_low,
        "fake_highest": fake_high,
        "saturation": fake_edge - edge,
    }


def checkerboard(fakes: Images, real: RealLook, strides: tuple[int, ...]) -> Signals:
    """How much more samples have of the frequencies of the generator's strides than reals have.

    A layer that enlarges by s leaves, where its kernel covers the picture unevenly, a pattern of period s
    times all the enlargements after it. Energy at these frequencies is taken over that of their
    neighbours, in samples over in reals, as a logarithm to base 10; the largest of all periods is told.

    Source: the artefact is described in Odena et al., Deconvolution and checkerboard artifacts, 2016.
    """
    if not strides:
        return {}
    side = fakes.shape[2]
    drawn, reals = _spectrum(fakes), real.spectrum
    worst, period = -math.inf, 1
    for stride in strides:
        period *= stride
        if side % period or side // period < 4:
            continue
        worst = max(worst, _peak(drawn, period) - _peak(reals, period))
    return {"checkerboard": worst} if worst > -math.inf else {}


def company(fakes: Images, rebatched: Others) -> Signals:
    """How much a picture changes with those that are drawn beside it, over how much two pictures differ.

    Args:
        fakes: samples.
        rebatched: the first of them, drawn in other company.
    """
    changed = (fakes[: len(rebatched)] - rebatched).float().flatten(1).norm(dim=1).mean()
    apart = _mean_distance(fakes.float().flatten(1))
    return {"batch_leak": float(changed) / max(apart, 1e-6)}


def movement(fakes: Images, before: list[Images], real: RealLook) -> Signals:
    """How much pictures of the same latents changed since the last looks, over how much two reals differ.

    `grid_change` is since the last look. `grid_return` is the least change to the second, third or fourth
    last one over that to the last: below 1, the generator goes back to where it was.

    Args:
        fakes: now.
        before: at the last looks, the last one first.
        real: the real pictures.
    """
    if not before:
        return {}
    now = small(fakes)
    changes = [float((now - small(then)).norm(dim=1).mean()) for then in before]
    told = {"grid_change": changes[0] / max(real.spread, 1e-6)}
    if len(changes) > 1:
        told["grid_return"] = min(changes[1:]) / max(changes[0], 1e-6)
    return told


def _colors(images: Images) -> tuple[Float[Tensor, " c"], Float[Tensor, " c"]]:
    by_channel = images.float().transpose(0, 1).flatten(1)
    return by_channel.mean(1), by_channel.std(1)


def _range(images: Images) -> tuple[float, float, float]:
    low, high = images.float().aminmax()
    return float(low), float(high), float((images.abs() > EDGE).float().mean())


def _chance_higher(these: Float[Tensor, " n"], those: Float[Tensor, " m"]) -> float:
    """The chance that one of these is above one of those; ties count half."""
    difference = these.float()[:, None] - those.float()
    return float((difference.sign().mean() + 1) / 2)


def _mean_distance(rows: Float[Tensor, "n d"]) -> float:
    count = len(rows)
    return float(torch.cdist(rows, rows).sum()) / max(count * (count - 1), 1)


def _apartness(rows: Float[Tensor, "n d"]) -> float:
    """The median distance to the nearest other row, as a part of the mean distance."""
    nearest = torch.cdist(rows, rows).fill_diagonal_(math.inf).amin(1)
    return float(nearest.median()) / max(_mean_distance(rows), 1e-6)


def _effective(rows: Float[Tensor, "n d"], width: float) -> float:
    """The exponential of the entropy of the eigenvalues of the similarities."""
    similar = torch.exp(-torch.cdist(rows, rows).square() / (2 * max(width / 2, 1e-6) ** 2))
    values = torch.linalg.eigvalsh(similar.double().cpu() / len(rows)).clamp_min(1e-12)
    return float(torch.exp(-(values * values.log()).sum()))


def _spectrum(images: Images) -> Float[Tensor, "h w"]:
    """The mean energy at each frequency, over pictures and channels, each without its mean."""
    grey = images.float().mean(1)
    waves = torch.fft.fft2(grey - grey.mean((1, 2), keepdim=True))
    energy: Tensor = waves.abs().square().mean(0)
    return energy


def _peak(spectrum: Float[Tensor, "h w"], period: int) -> float:
    """Energy at the harmonics of a period over that of their neighbours, as a logarithm."""
    side = spectrum.shape[0]
    step = side // period
    at = torch.zeros_like(spectrum, dtype=torch.bool)
    at[::step, ::step] = True
    at[0, 0] = False
    near = torch.zeros_like(at)
    for down in (-1, 0, 1):
        for right in (-1, 0, 1):
            near |= at.roll((down, right), (0, 1))
    near &= ~at
    near[0, :2] = near[:2, 0] = False
    near[0, 0] = False
    ratio = spectrum[at].mean() / spectrum[near].mean().clamp_min(1e-12)
    return float(ratio.clamp_min(1e-6).log10())
