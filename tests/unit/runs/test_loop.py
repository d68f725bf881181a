import json
import math

import numpy as np
import pytest
import torch

import impasto
from impasto.errors import Diverged, NotSaved, OutOfMemory, RunError, SourceError
from impasto.events import Finished, Noticed, Sampled, Saved, Started, Tick
from impasto.families.mlp_gan import MLPGAN
from impasto.runs.checkpoint import last_state, same_tensors
from impasto.runs.directory import Run

SMALL = (
    "data.size=8",
    "data.channels=1",
    "family.width=16",
    "family.latents=8",
    "train.batch=4",
    "train.grid=4",
)


def start(to, *settings, steps=8, source="kittens:40", **options):
    return impasto.train(
        source,
        recipe="mnist-mlp",
        to=to,
        steps=steps,
        device="cpu",
        settings=(*SMALL, *settings),
        **options,
    )


def final(run):
    return last_state(run / "state")[0]


def kinds(events):
    return [type(event) for event in events]


def test_events_tell_the_run_from_start_to_finish(tmp_path):
    events = list(start(tmp_path / "run"))
    assert isinstance(events[0], Started)
    assert (events[0].pictures, events[0].held_out) == (36, 4)
    assert events[1] == Sampled(0, "samples/000000000000.png")
    assert kinds(events[-4:]) == [Tick, Sampled, Saved, Finished]
    assert events[-1].reason == "budget"
    assert [event.images_seen for event in events if isinstance(event, Tick)] == list(
        range(4, 36, 4)
    )
    assert list(Run.open(tmp_path / "run").events()) == events


def test_a_tick_holds_what_was_asked_for(tmp_path):
    tick = next(event for event in start(tmp_path / "run") if isinstance(event, Tick))
    assert {
        "generator_loss", "discriminator_loss", "real_score", "fake_score_before", "fake_score_after",
        "held_out_score", "generator_learning_rate", "discriminator_learning_rate",
    } <= tick.scalars.keys()  # fmt: skip
    assert all(math.isfinite(value) for value in tick.scalars.values())
    assert tick.fraction == 1 / 8


def test_without_a_held_out_side_there_is_no_held_out_score(tmp_path):
    tick = next(
        event for event in start(tmp_path / "run", "data.validation=0") if isinstance(event, Tick)
    )
    assert "held_out_score" not in tick.scalars


def test_ticks_and_grids_come_at_even_intervals(tmp_path):
    events = list(start(tmp_path / "run", "train.ticks=4", "train.snapshots=2", steps=40))
    assert [event.images_seen for event in events if isinstance(event, Tick)] == [40, 80, 120, 160]
    assert [event.images_seen for event in events if isinstance(event, Sampled)] == [0, 80, 160]
    assert [path.stem for path in Run.open(tmp_path / "run").frames()] == [
        f"{n:012d}" for n in (0, 80, 160)
    ]


def test_how_often_it_tells_does_not_change_the_weights(tmp_path):
    list(start(tmp_path / "often", "train.ticks=200"))
    list(start(tmp_path / "seldom", "train.ticks=1", "train.snapshots=1", "data.validation=0.1"))
    assert same_tensors(final(tmp_path / "often").tensors, final(tmp_path / "seldom").tensors)


def test_leaving_saves_and_resuming_reaches_the_uninterrupted_weights(tmp_path):
    list(start(tmp_path / "whole", steps=9))
    with start(tmp_path / "left", steps=9) as training:
        for event in training:
            if isinstance(event, Tick) and event.images_seen == 20:
                break
    left = final(tmp_path / "left")
    assert left.images_seen == 20
    assert list(Run.open(tmp_path / "left").events())[-1].reason == "left"
    list(impasto.resume(tmp_path / "left"))
    assert same_tensors(final(tmp_path / "left").tensors, final(tmp_path / "whole").tensors)
    told = [e for e in Run.open(tmp_path / "left").events() if isinstance(e, Tick)]
    assert [tick.images_seen for tick in told] == list(range(4, 40, 4))


def test_a_consumers_error_saves_too(tmp_path):
    def consume():
        with start(tmp_path / "run") as training:
            for event in training:
                if isinstance(event, Tick):
                    raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        consume()
    assert final(tmp_path / "run").images_seen == 4


def test_a_stop_file_ends_politely_and_is_taken_away(tmp_path):
    events = []
    for event in start(tmp_path / "run", steps=1000):
        events.append(event)
        if isinstance(event, Tick) and event.images_seen >= 12:
            (tmp_path / "run" / "STOP").touch()
    assert events[-1].reason == "stop file"
    assert final(tmp_path / "run").images_seen == events[-1].images_seen < 4000
    assert not (tmp_path / "run" / "STOP").exists()


def test_a_run_can_be_given_more(tmp_path):
    list(start(tmp_path / "long", steps=12))
    list(start(tmp_path / "short", steps=8))
    list(impasto.resume(tmp_path / "short", steps=4))
    assert same_tensors(final(tmp_path / "short").tensors, final(tmp_path / "long").tensors)
    events = list(impasto.resume(tmp_path / "short"))
    assert any(isinstance(event, Noticed) and "--minutes" in event.message for event in events)
    assert events[-1].images_seen == 48


def test_minutes_are_a_budget(tmp_path):
    finished = list(start(tmp_path / "run", steps=None, minutes=0.01))[-1]
    assert finished.reason == "budget"
    assert finished.seconds >= 0.6


def test_a_damaged_state_falls_back_to_the_one_before(tmp_path):
    list(start(tmp_path / "whole"))
    training = start(tmp_path / "run")
    saved = [event for event in training if isinstance(event, Saved)]
    assert len(list((tmp_path / "run" / "state").iterdir())) == 2
    newest = tmp_path / "run" / saved[-1].path
    raw = bytearray(newest.read_bytes())
    raw[-1] ^= 255
    newest.write_bytes(raw)
    events = list(impasto.resume(tmp_path / "run"))
    assert any(isinstance(event, Noticed) and "checksum" in event.message for event in events)
    assert same_tensors(final(tmp_path / "run").tensors, final(tmp_path / "whole").tensors)


def test_with_every_state_damaged_the_way_out_is_named(tmp_path):
    list(start(tmp_path / "run"))
    for path in (tmp_path / "run" / "state").iterdir():
        path.write_bytes(b"no")
    with pytest.raises(RunError, match=r"no usable state .* start a new run"):
        impasto.resume(tmp_path / "run")


def test_a_full_disk_costs_nothing_that_was_saved(tmp_path, monkeypatch):
    from impasto.runs import sitting

    calls = []
    save = sitting.save_state

    def full_at_the_third(folder, state):
        calls.append(state.images_seen)
        if len(calls) == 3:
            raise OSError(28, "No space left on device")
        return save(folder, state)

    monkeypatch.setattr(sitting, "save_state", full_at_the_third)
    with pytest.raises(NotSaved, match=r"No space left.*is intact.*impasto resume"):
        list(start(tmp_path / "run", steps=400))
    monkeypatch.undo()
    assert final(tmp_path / "run").images_seen == calls[1]
    list(impasto.resume(tmp_path / "run"))
    assert final(tmp_path / "run").images_seen == 1600


def poisoned(monkeypatch, after):
    step = MLPGAN.step

    def nan_later(self, batch, progress):
        if progress.images_seen >= after:
            batch = type(batch)(batch.images * math.nan, batch.labels)
        return step(self, batch, progress)

    monkeypatch.setattr(MLPGAN, "step", nan_later)


def test_nan_stops_the_run_and_keeps_the_last_good_state(tmp_path, monkeypatch):
    poisoned(monkeypatch, after=40)
    events = []
    with pytest.raises(
        Diverged, match=r"no longer finite; the state at \d+ images is intact; .*learning"
    ):
        events.extend(event for event in start(tmp_path / "run", steps=100))
    state = final(tmp_path / "run")
    assert 0 < state.images_seen <= 40
    assert all(
        value.isfinite().all() for value in state.tensors.values() if value.is_floating_point()
    )


def out_of_memory(monkeypatch, times):
    step, left = MLPGAN.step, [times]

    def failing(self, batch, progress):
        if progress.images_seen == 8 and left[0]:
            left[0] -= 1
            raise torch.OutOfMemoryError("CUDA out of memory")
        return step(self, batch, progress)

    monkeypatch.setattr(MLPGAN, "step", failing)


def test_out_of_memory_is_tried_once_more(tmp_path, monkeypatch):
    list(start(tmp_path / "whole"))
    out_of_memory(monkeypatch, times=1)
    list(start(tmp_path / "run"))
    assert same_tensors(final(tmp_path / "run").tensors, final(tmp_path / "whole").tensors)


def test_out_of_memory_twice_names_a_batch_that_may_fit(tmp_path, monkeypatch):
    out_of_memory(monkeypatch, times=2)
    with pytest.raises(OutOfMemory, match=r"a step of 4 images; try --set train\.batch=2"):
        list(start(tmp_path / "run"))


def test_changed_pictures_are_not_trained_on(tmp_path, monkeypatch):
    folder = tmp_path / "pictures"
    folder.mkdir()
    from PIL import Image

    for index in range(12):
        Image.new("L", (8, 8), index * 20).save(folder / f"{index}.png")
    list(start(tmp_path / "run", source=folder))
    facts = json.loads((tmp_path / "run" / "run.json").read_text())
    Image.new("L", (8, 8), 255).save(folder / "0.png")
    import shutil

    shutil.rmtree(facts["prepared"])
    with pytest.raises(RunError, match="not those that this run was trained on"):
        impasto.resume(tmp_path / "run", steps=4)


def test_fewer_pictures_than_a_batch(tmp_path):
    with pytest.raises(
        SourceError, match=r"36 pictures to train on .*fewer than a batch of 100.*train\.batch="
    ):
        start(tmp_path / "run", "train.batch=100")
    assert not (tmp_path / "run").exists()


def test_an_existing_run_is_never_written_over(tmp_path):
    list(start(tmp_path / "run"))
    before = (tmp_path / "run" / "events.jsonl").read_bytes()
    with pytest.raises(RunError, match="this run exists already; go on with `impasto resume"):
        start(tmp_path / "run")
    with pytest.raises(RunError, match="holds a run with other settings"):
        start(tmp_path / "run", "train.seed=5")
    assert (tmp_path / "run" / "events.jsonl").read_bytes() == before
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "diary.txt").touch()
    with pytest.raises(RunError, match="holds other files"):
        start(tmp_path / "other")


def test_the_model_carries_its_provenance_and_draws(tmp_path):
    model = start(tmp_path / "run").finish()
    assert model.provenance["images_seen"] == 32
    assert "David Revoy" in model.provenance["credit"]
    pictures = impasto.load(tmp_path / "run").sample(5, seed=2)
    assert pictures.shape == (5, 8, 8, 1)
    assert np.array_equal(pictures, model.sample(5, seed=2))


def test_deterministic_algorithms_are_used(tmp_path):
    seen = []
    for _ in start(tmp_path / "run"):
        seen.append(torch.are_deterministic_algorithms_enabled())
    assert all(seen)
