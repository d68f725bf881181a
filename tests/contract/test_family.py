"""What every family must do, whatever it is. A new family is tested here by being in FAMILIES."""

import pytest
import torch

from impasto.config import from_yaml, to_yaml
from impasto.families import FAMILIES, Batch
from impasto.runs.config import RunConfig
from impasto.seeds import Streams, stream
from impasto.types import Budget, Progress

CPU = torch.device("cpu")
COUNT = 8


@pytest.fixture(params=FAMILIES)
def kind(request):
    return FAMILIES[request.param]


def build(kind, seed=0):
    return kind(kind.tiny.config, kind.tiny.shape, Streams(seed, CPU))


def pictures(kind, step, count=COUNT):
    shape = kind.tiny.shape
    drawn = torch.rand(
        count, shape.channels, shape.size, shape.size, generator=stream(0, "test", step)
    )
    return Batch(drawn * 2 - 1, torch.zeros(count, 0))


def trained(family, steps, batches=pictures):
    for step in steps:
        progress = Progress(step * COUNT, Budget(10_000, "images"), 64)
        family.step(batches(type(family), step), progress)
    return family


def copied(state):
    # As a file would hold it: in plain layout, whatever the layout in memory was.
    return {
        name: value.clone(memory_format=torch.contiguous_format) for name, value in state.items()
    }


def same(left, right):
    return left.keys() == right.keys() and all(
        torch.equal(left[name], right[name]) for name in left
    )


def test_it_is_built_from_yaml(kind):
    config = RunConfig(name="tiny", family=kind.tiny.config)
    again = from_yaml(RunConfig, to_yaml(config), where="tiny")
    assert again == config
    assert FAMILIES[again.family.name] is kind


def test_every_tensor_moves(kind):
    family = build(kind)
    before = copied(family.state())
    trained(family, range(4))
    after = family.state()
    still = [name for name in before if torch.equal(before[name], after[name])]
    assert not still


def test_the_same_seed_gives_the_same_weights_and_another_seed_others(kind):
    once, again, other = (trained(build(kind, seed), range(3)).state() for seed in (0, 0, 1))
    assert same(once, again)
    assert not same(once, other)


def test_resuming_equals_going_on(kind):
    whole = trained(build(kind), range(6)).state()
    half = copied(trained(build(kind), range(3)).state())
    second = build(kind, seed=0)
    second.restore(half)
    assert same(trained(second, range(3, 6)).state(), whole)


def test_a_step_tells_finite_scalars(kind):
    family = build(kind)
    scalars = family.step(pictures(kind, 0), Progress(0, Budget(100, "images"), 64))
    assert scalars
    assert all(torch.isfinite(torch.as_tensor(value)) for value in scalars.values())
    assert any(name.endswith("_loss") for name in scalars)


def test_a_probe_leaves_no_trace_and_repeats(kind):
    family = trained(build(kind), range(2))
    before = copied(family.state())
    seen, unseen = pictures(kind, 98, 12), pictures(kind, 99, 5)
    probe = family.probe(seen, unseen, COUNT)
    assert same(before, family.state())
    judged = (len(probe.real_logits), len(probe.held_out_logits), len(probe.fake_logits))
    assert judged in {
        (12, 5, len(probe.fakes)),
        (0, 0, 0),
    }  # by whom? not every family has one who judges
    assert len(probe.fakes) >= len(probe.rebatched) > 0
    for told in (probe.fakes, probe.real_logits, probe.held_out_logits, probe.fake_logits):
        assert told.isfinite().all()
    assert torch.equal(family.probe(seen, unseen, COUNT).fakes, probe.fakes)


def test_a_probe_needs_no_held_out_pictures(kind):
    probe = build(kind).probe(pictures(kind, 0), pictures(kind, 0, 0), COUNT)
    assert len(probe.held_out_logits) == 0


def test_probing_does_not_change_what_training_comes_to(kind):
    plain, probed = trained(build(kind), range(3)), build(kind)
    for step in range(3):
        trained(probed, [step])
        probed.probe(pictures(kind, 98), pictures(kind, 99), COUNT)
    assert same(plain.state(), probed.state())


def test_the_model_does_not_change_with_later_training(kind):
    family = trained(build(kind), range(2))
    model = family.model()
    before = model.sample(4, seed=1)
    trained(family, range(2, 6))
    assert (model.sample(4, seed=1) == before).all()
    assert (family.model().sample(4, seed=1) != before).any()


def test_samples_are_pictures_and_follow_their_seed(kind):
    model = build(kind).model()
    shape = kind.tiny.shape
    many = model.sample(70, seed=1)
    assert many.shape == (70, shape.size, shape.size, shape.channels)
    assert many.dtype == "uint8"
    assert (model.sample(10, seed=1) == many[:10]).all()
    assert (model.sample(10, seed=2) != many[:10]).any()


def test_a_revived_model_draws_the_same(kind):
    model = trained(build(kind), range(2)).model()
    again = kind.revive(kind.tiny.config, kind.tiny.shape, model.state())
    assert (again.sample(8, seed=3) == model.sample(8, seed=3)).all()


def test_it_overfits_eight_pictures(kind):
    """Trained on eight pictures only, its samples come close to one of them."""
    shape = kind.tiny.shape
    eight = torch.full((COUNT, shape.channels, shape.size, shape.size), -0.8)
    for index in range(COUNT):
        eight[index, :, :, index * shape.size // COUNT :][..., : shape.size // COUNT + 1] = 0.8

    def always(*_):
        return Batch(eight.clone(), torch.zeros(COUNT, 0))

    def distance(family):
        drawn = torch.from_numpy(family.model().sample(64, seed=0)).permute(0, 3, 1, 2) / 127.5 - 1
        return (drawn[:, None] - eight[None]).abs().mean((2, 3, 4)).min(1).values.mean().item()

    family = build(kind)
    untrained = distance(family)
    trained(family, range(400), always)
    assert distance(family) < untrained / 2
