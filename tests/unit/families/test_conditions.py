"""Every GAN draws what it is asked for, once its pictures came with what is known of them."""

from dataclasses import replace

import pytest
import torch

from impasto.attributes import Attribute
from impasto.families import FAMILIES, Batch
from impasto.families.gan import GAN
from impasto.seeds import Streams, stream
from impasto.types import Budget, Progress

TONE = Attribute(name="tone", values=("dark", "light"), shares=(0.5, 0.5))
COUNT = 16


@pytest.fixture(params=[name for name, kind in FAMILIES.items() if issubclass(kind, GAN)])
def family(request):
    kind = FAMILIES[request.param]
    config = replace(kind.tiny.config, condition=("tone",), attributes=(TONE,), ema_half_life=0)
    return kind(config, kind.tiny.shape, Streams(0, torch.device("cpu")))


def batch_of(shape, step):
    """Half of the pictures are dark and half are light, and which is told."""
    tone = torch.arange(COUNT) % 2
    drawn = torch.rand(
        COUNT, shape.channels, shape.size, shape.size, generator=stream(0, "t", step)
    )
    images = 0.4 * drawn - 0.2 + 1.2 * (tone[:, None, None, None] - 0.5)
    return Batch(images, torch.nn.functional.one_hot(tone, 2).float())


def test_a_gan_draws_what_it_is_asked_for(family):
    budget = Budget(100_000, "images")
    apart, step = 0.0, 0
    while apart < 20 and step < 1_000:
        family.step(batch_of(family.shape, step), Progress(step * COUNT, budget, 64))
        step += 1
        if step % 50 == 0:
            dark, light = (family.model().sample(32, seed=1, condition=[t]) for t in TONE.values)
            apart = light.mean() - dark.mean()
    assert apart > 20
    model = family.model()
    again = type(family).revive(family.config, family.shape, model.state())
    assert (again.sample(8, condition=["light"]) == model.sample(8, condition=["light"])).all()
