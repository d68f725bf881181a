import json
import math
import shutil
import weakref

import numpy as np
import pytest
import torch
from PIL import Image
from small import start

import impasto
from impasto.errors import Diverged, NotSaved, OutOfMemory, RunError, SourceError
from impasto.events import Finished, Noticed, Sampled, Saved, Started, Tick
from impasto.families.mlp_gan import MLPGAN
from impasto.runs.checkpoint import last_state, same_tensors
from impasto.runs.directory import Run
from impasto.sheets import tile


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
            batch = type(batch)(batch.images * math.nan, batch.known)
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
    step, left, made = MLPGAN.step, [times], []

    def failing(self, batch, progress):
        assert not [
            tensor for tensor in made if tensor() is not None
        ]  # the failed step left nothing
        if progress.images_seen == 8 and left[0]:
            left[0] -= 1
            activations = torch.zeros(1_000)
            made.append(weakref.ref(activations))
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


def test_nobody_else_can_train_a_run_that_is_being_trained(tmp_path):
    training = start(tmp_path / "run")
    next(training)
    told = (tmp_path / "run" / "events.jsonl").read_text()
    with pytest.raises(RunError, match="is being trained by another process"):
        impasto.resume(tmp_path / "run")
    assert (tmp_path / "run" / "events.jsonl").read_text() == told
    training.close()
    list(impasto.resume(tmp_path / "run"))
    assert final(tmp_path / "run").images_seen == 32


@pytest.mark.parametrize(
    ("was", "now"),
    [
        ("width: 16", "width: 32"),
        ("seed: 0", "seed: 1"),
        ("ema_half_life: 10000", "ema_half_life: 0"),
    ],
)
def test_settings_cannot_change_under_a_run(tmp_path, was, now):
    list(start(tmp_path / "run"))
    config = tmp_path / "run" / "config.yaml"
    text = config.read_text()
    assert was in text
    config.write_text(text.replace(was, now, 1))
    with pytest.raises(RunError, match=r"config\.yaml: its settings are not those"):
        impasto.resume(tmp_path / "run", steps=4)
    config.write_text(text.replace("amount: 8", "amount: 9"))  # a budget may
    list(impasto.resume(tmp_path / "run"))


def test_a_damaged_state_is_set_aside_and_two_good_ones_are_kept(tmp_path):
    list(start(tmp_path / "run"))
    states = sorted((tmp_path / "run" / "state").iterdir())
    content = bytearray(states[-1].read_bytes())
    content[-1] ^= 1
    states[-1].write_bytes(content)
    events = list(impasto.resume(tmp_path / "run"))
    assert any(isinstance(e, Noticed) and "state before it" in e.message for e in events)
    left = sorted(path.name for path in (tmp_path / "run" / "state").iterdir())
    good = [name for name in left if name.endswith(".safetensors")]
    assert len(good) == 2
    assert [name for name in left if name not in good] == [f"{states[-1].name}.damaged"]
    assert not any(
        isinstance(e, Noticed) and "checksum" in e.message for e in impasto.resume(tmp_path / "run")
    )


def test_a_disk_that_cannot_be_written_when_resuming_is_one_sentence(tmp_path, monkeypatch):
    list(start(tmp_path / "run"))

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Run, "write_text", full)
    with pytest.raises(RunError, match=r"No space left on device.*its states are intact"):
        impasto.resume(tmp_path / "run", steps=4)


def test_an_event_that_cannot_be_written_ends_the_run_in_one_sentence(tmp_path, monkeypatch):
    record, left = Run.record, [4]

    def filling(self, event):
        left[0] -= 1
        if left[0] < 0:
            raise OSError(28, "No space left on device")
        record(self, event)

    monkeypatch.setattr(Run, "record", filling)
    with pytest.raises(NotSaved, match=r"could not be saved .*No space left"):
        list(start(tmp_path / "run"))


def test_a_file_draws_what_the_network_in_memory_drew(tmp_path):
    # At a real size, where the order of sums shows in some pixels.
    training = impasto.train(
        "kittens:40",
        recipe="kittens",
        to=tmp_path / "run",
        steps=2,
        device="cpu",
        settings=("family.learning_rate=0.02",),
    )
    list(training)
    grid = Image.open(max((tmp_path / "run" / "samples").iterdir()))
    drawn = impasto.load(tmp_path / "run").sample(64, 0)
    assert np.array_equal(np.asarray(grid), tile(drawn))


def test_a_report_does_not_show_other_pictures_as_the_real_ones(tmp_path):
    made = tmp_path / "set"
    impasto.prepare("kittens:40", to=made, size=8, channels=1)
    list(start(tmp_path / "run", source=made))
    shutil.rmtree(made)
    impasto.report(tmp_path / "run")
    alone = (tmp_path / "run" / "report.html").read_text()
    impasto.prepare("kittens:41", to=made, size=8, channels=1)
    impasto.report(tmp_path / "run")
    assert "Real beside generated" not in alone
    assert (tmp_path / "run" / "report.html").read_text() == alone


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
