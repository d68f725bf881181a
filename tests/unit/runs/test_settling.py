"""What draws new pictures once training has ended."""

from functools import partial

import pytest
import torch
from small import KITTENS

import impasto
from impasto.data.prepared import Prepared
from impasto.evaluation.extractors import find_extractor
from impasto.evaluation.sight import Sight
from impasto.latents.priors import flow
from impasto.nn.priors import Flow
from impasto.runs import settling
from impasto.runs.directory import Run


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    def train(recipe):
        path = tmp_path_factory.mktemp("settling") / recipe
        settings = (
            "data.size=16",
            "train.looks=0",
            "family.width=8",
            "family.latents=8",
            "train.batch=8",
        )
        impasto.train(
            KITTENS, recipe=recipe, to=path, steps=2, device="cpu", settings=settings
        ).finish()
        return Run.open(path)

    return {recipe: train(recipe) for recipe in ("lfw64-vae", "kittens-cvae")}


@pytest.mark.parametrize("nearer", ["density", "flow"])
@pytest.mark.parametrize("recipe", ["lfw64-vae", "kittens-cvae"])
def test_the_nearer_prior_draws_and_a_flow_where_something_is_asked_for(
    trained, recipe, nearer, monkeypatch
):
    run = trained[recipe]
    model, prepared = impasto.load(run.path), Prepared.open(run.facts["prepared"])
    distances = iter([(0.1, 0.01), (0.2, 0.01)] if nearer == "density" else [(0.2, 0), (0.1, 0)])
    monkeypatch.setattr(settling, "_distance", lambda *_: next(distances))
    monkeypatch.setattr(settling, "flow", partial(flow, steps=2))
    monkeypatch.setattr(settling, "ENOUGH", 20)
    monkeypatch.setattr(settling, "FEWEST", 4)
    found = settling.settled(model, run.config, prepared, Sight(find_extractor("random")))
    flows = recipe == "kittens-cvae" or nearer == "flow"
    assert (found.prior == "rectified flow") == flows
    assert (model.flow is not None) == flows


def test_guidance_goes_beyond_what_is_known():
    field = Flow(2, known=1)
    torch.nn.init.normal_(field.last.weight, generator=torch.Generator().manual_seed(0))
    noise, chance = torch.randn(50, 2, generator=torch.Generator().manual_seed(1)), torch.zeros(50)
    asked, nothing = torch.ones(50, 1), torch.zeros(50, 1)
    plain = Flow(2)  # without anything to be asked for, there is nothing to go beyond
    assert torch.equal(plain.draw(noise, chance, torch.zeros(50, 0)), noise)
    place, time = noise, torch.zeros(50)
    one, other = field(place, time, asked), field(place, time, nothing)
    torch.testing.assert_close(field._guided(place, time, asked), other + 2 * (one - other))
    torch.testing.assert_close(field._guided(place, time, nothing), other)
