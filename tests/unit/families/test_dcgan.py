from dataclasses import replace

import pytest
import torch

from impasto.errors import ConfigError
from impasto.families import Batch
from impasto.families.dcgan import DCGAN, DCGANConfig
from impasto.seeds import Streams, stream
from impasto.types import Budget, ImageShape, Progress

SHAPE, COUNT = ImageShape(3, 16), 4
PLAIN = DCGANConfig(
    latents=8, width=8, discriminator_norm="none", discriminator_biases=(0, 1, 2), r1_interval=3
)
PENALISED = replace(PLAIN, r1_gamma=5.0)


def stepped(config, step):
    family = DCGAN(config, SHAPE, Streams(0, torch.device("cpu")))
    images = torch.rand(COUNT, 3, 16, 16, generator=stream(0, "test")) * 2 - 1
    batch = Batch(images, torch.zeros(COUNT, 0))
    scalars = family.step(batch, Progress(step * COUNT, Budget(100, "steps"), 64))
    assert not batch.images.requires_grad
    return family.discriminator.network.state_dict(), scalars


@pytest.mark.parametrize(("step", "differs"), [(0, True), (1, False), (2, False), (3, True)])
def test_the_penalty_comes_every_so_many_steps(step, differs):
    (plain, before), (penalised, after) = stepped(PLAIN, step), stepped(PENALISED, step)
    moved = [name for name in plain if not torch.equal(plain[name], penalised[name])]
    assert bool(moved) is differs
    assert before["discriminator_loss"] == after["discriminator_loss"]  # told without the penalty


def test_a_discriminator_without_norm_and_biases_cannot_tell_pictures_from_faded_ones():
    # Why such a discriminator teaches outlines and no colours: fading costs nothing.
    def fading(biases):
        config = replace(PLAIN, discriminator_biases=biases)
        torch.manual_seed(0)
        network = DCGAN.networks(config, SHAPE)["discriminator"]
        for parameter in network.parameters():
            if parameter.ndim == 1:
                torch.nn.init.normal_(parameter)
        images = torch.rand(COUNT, 3, 16, 16) * 2 - 1
        return network(images), network(images * 0.1)

    whole, faded = fading(())
    assert torch.allclose(faded, whole * 0.1, rtol=1e-3, atol=1e-6)
    whole, faded = fading((0, 1, 2))
    assert not torch.allclose(faded, whole * 0.1, rtol=1e-3, atol=1e-6)


def test_a_penalty_through_batch_norm_is_refused():
    with pytest.raises(ConfigError, match=r"family\.r1_gamma: 5\.0 .*discriminator_norm=none"):
        DCGAN.networks(replace(PENALISED, discriminator_norm="middle"), SHAPE)


@pytest.mark.parametrize(("norm", "alike"), [("none", True), ("hidden", False)])
def test_batches_matter_where_there_is_a_norm(norm, alike):
    apart = replace(PLAIN, discriminator_norm=norm)
    (_, one), (_, other) = (
        stepped(c, 1) for c in (apart, replace(apart, discriminator_batches="mixed"))
    )
    told = [
        (float(one[name]), float(other[name])) for name in ("discriminator_loss", "generator_loss")
    ]
    assert all((left == pytest.approx(right, rel=1e-4)) is alike for left, right in told)


def test_a_probe_of_mixed_batches_leaves_no_trace():
    config = replace(PLAIN, discriminator_norm="hidden", discriminator_batches="mixed")
    family = DCGAN(config, SHAPE, Streams(0, torch.device("cpu")))
    batch = Batch(torch.rand(COUNT, 3, 16, 16), torch.zeros(COUNT, 0))
    before = {name: value.clone() for name, value in family.state().items()}
    logits = family.probe(batch, batch, COUNT).held_out_logits
    assert torch.equal(logits, family.probe(batch, batch, COUNT).held_out_logits)
    assert all(torch.equal(before[name], value) for name, value in family.state().items())


def test_pictures_change_with_their_company_where_there_is_a_norm():
    family = DCGAN(PLAIN, SHAPE, Streams(0, torch.device("cpu")))
    batch = Batch(torch.rand(COUNT, 3, 16, 16), torch.zeros(COUNT, 0))
    changes = []
    for company in (2, 16):
        probe = family.probe(batch, batch, company)
        changes.append((probe.fakes[: len(probe.rebatched)] - probe.rebatched).abs().mean().item())
    assert changes[0] > changes[1] > 0
