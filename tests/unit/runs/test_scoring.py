import json

import pytest
import small
from small import kinds

import impasto
from impasto.errors import ConfigError, WeightsError
from impasto.events import Finished, Noticed, Scored
from impasto.runs.directory import Run
from impasto.runs.scoring import Record

SCORING = ("train.scoring.extractor=random", "train.scoring.pictures=16")


def start(to, *settings, steps=12, every=16, source="kittens:60", **options):
    return small.start(
        to, *SCORING, *settings, steps=steps, source=source, evaluate_every=every, **options
    )


def scored(events):
    return kinds(events, Scored)


def steering(event):
    return event.scores["kernel_distance_unit"]["value"]


def test_scores_come_every_so_many_images_and_at_the_end(tmp_path):
    events = list(start(tmp_path / "run", steps=14))
    assert [event.images_seen for event in scored(events)] == [16, 32, 48, 56]
    assert list(Run.open(tmp_path / "run").events()) == events


def test_a_score_tells_its_protocol(tmp_path):
    first = scored(start(tmp_path / "run"))[0]
    told = first.scores["kernel_distance_unit"]
    assert {"value", "standard_error", "n_real", "n_generated", "split", "resize"} <= told.keys()
    assert (told["n_real"], told["n_generated"], told["extractor"]) == (16, 16, "random")
    assert (told["ema"], told["seed"], told["split"]) == (True, 0, "all")


def test_held_out_pictures_are_scored_against_where_there_are_enough(tmp_path):
    first = scored(start(tmp_path / "run", "data.validation=0.5"))[0]
    assert first.scores["recall"]["split"] == "held-out"


def test_the_best_model_is_kept_beside_the_last(tmp_path):
    events = scored(start(tmp_path / "run", steps=40))
    best = min(events, key=steering)
    assert events[0].best
    assert best is [event for event in events if event.best][-1]
    kept = impasto.load(tmp_path / "run" / "best.safetensors")
    assert kept.provenance["images_seen"] == best.images_seen
    assert impasto.load(tmp_path / "run").provenance["images_seen"] == 160


def test_scoring_does_not_change_the_weights(tmp_path):
    plain = start(tmp_path / "plain", every=None).finish()
    scored_too = start(tmp_path / "scored").finish()
    assert (plain.sample(4) == scored_too.sample(4)).all()


def test_a_run_that_has_stopped_improving_ends(tmp_path, monkeypatch):
    values = iter([3.0, 2.0, 2.5, 2.1, 9.0])
    add = Record.add
    monkeypatch.setattr(Record, "add", lambda record, _: add(record, next(values)))
    events = list(start(tmp_path / "run", steps=100, patience=2))
    assert [event.best for event in scored(events)] == [True, True, False, False]
    assert isinstance(events[-1], Finished)
    assert events[-1].reason == "no longer improving"
    assert events[-1].images_seen == 64
    assert (tmp_path / "run" / "state" / "000000000064.safetensors").exists()


def test_a_resumed_run_knows_its_best(tmp_path):
    list(start(tmp_path / "whole", steps=24))
    list(start(tmp_path / "run", steps=12))
    list(impasto.resume(tmp_path / "run", steps=12))
    whole, halves = (
        [
            (event.images_seen, steering(event))
            for event in scored(Run.open(tmp_path / name).events())
        ]
        for name in ("whole", "run")
    )
    assert halves == whole
    flags = [event.best for event in scored(Run.open(tmp_path / "run").events())]
    assert flags == [
        value == min(v for _, v in whole[: i + 1]) for i, (_, value) in enumerate(whole)
    ]


def test_how_often_to_score_may_change_when_resuming(tmp_path):
    list(start(tmp_path / "run", every=None))
    events = list(impasto.resume(tmp_path / "run", steps=8, evaluate_every="0.016k"))
    assert [event.images_seen for event in scored(events)] == [64, 80]


def test_expensive_scores_are_told_about_once(tmp_path):
    notices = [
        event.message
        for event in start(tmp_path / "run", every=4, steps=6)
        if isinstance(event, Noticed)
    ]
    assert len([notice for notice in notices if "--evaluate-every" in notice]) == 1


@pytest.mark.parametrize(
    ("every", "patience", "words"),
    [
        ("soon", None, "--evaluate-every soon: not a number of images"),
        (0, None, "--evaluate-every 0"),
        ("off", 3, "--patience 3: nothing is scored"),
        (16, -1, "--patience -1: must not be negative"),
    ],
)
def test_bad_wishes_are_told_before_anything_is_begun(tmp_path, every, patience, words):
    with pytest.raises(ConfigError, match=words):
        start(tmp_path / "run", every=every, patience=patience)
    assert not (tmp_path / "run").exists()


def test_missing_weights_are_told_before_anything_is_begun(tmp_path, monkeypatch):
    monkeypatch.setenv("IMPASTO_WEIGHTS", "")
    monkeypatch.setenv("IMPASTO_CACHE", str(tmp_path / "cache"))
    with pytest.raises(WeightsError, match="mobilenet_v2"):
        start(tmp_path / "run", "train.scoring.extractor=mobilenet-v2")
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(
    ("text", "count"), [("50k", 50_000), ("1.5M", 1_500_000), ("12_000", 12_000), (7, 7)]
)
def test_images_are_written_as_people_do(text, count):
    from impasto.workflows.settings import images

    assert images(text, "--evaluate-every") == count


def test_events_of_scores_are_lines_of_json(tmp_path):
    list(start(tmp_path / "run"))
    lines = (tmp_path / "run" / "events.jsonl").read_text().splitlines()
    assert any(json.loads(line)["event"] == "scored" for line in lines)
