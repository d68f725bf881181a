import json
import re
import shutil
from pathlib import Path

import numpy as np
import pytest

from impasto.data.config import DataConfig
from impasto.data.prepare import prepare
from impasto.errors import BadInput, ConfigError, ModelError, RunError, WeightsError
from impasto.evaluation.score import METRICS
from impasto.families.gan import GeneratorModel
from impasto.runs.export import read_config, read_model, write_model
from impasto.workflows.comparing import compare
from impasto.workflows.entrants import names_of
from impasto.workflows.evaluating import evaluate
from impasto.workflows.training import train

TINY = ("family.width=8", "family.latents=8", "train.batch=8", "train.grid=4", "train.ticks=5")
QUICK = {"extractor": "random", "pictures": 20}


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    """Runs: a, b (other seed and pace), small (8 pixels), other (other pictures), grey."""
    home = tmp_path_factory.mktemp("runs")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("IMPASTO_CACHE", str(home / "cache"))
        for name, source, seed, settings in (
            ("a", "kittens:40", 0, ()),
            ("b", "kittens:40", 1, ("family.discriminator_pace=2",)),
            ("small", "kittens:40", 0, ("data.size=8",)),
            ("other", "kittens:30", 0, ()),
            ("grey", "kittens:40", 0, ("data.channels=1",)),
        ):
            train(
                source,
                recipe="kittens",
                to=home / name,
                steps=6,
                seed=seed,
                device="cpu",
                settings=("data.size=16", "data.validation=0.3", *TINY, *settings),
            ).finish()
    return home


@pytest.fixture(autouse=True)
def there(home, monkeypatch, tmp_path):
    monkeypatch.setenv("IMPASTO_CACHE", str(home / "cache"))
    monkeypatch.chdir(tmp_path)


@pytest.fixture(scope="module")
def found(home):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("IMPASTO_CACHE", str(home / "cache"))
        return compare(home / "a", home / "b", html=home / "page.html", **QUICK)


def test_all_is_told_in_one_object(found, home):
    plain = json.loads(json.dumps(found.to_plain(), allow_nan=False))
    assert plain.keys() == {"protocol", "runs", "notes", "page"}
    assert plain["page"] == str(home / "page.html")
    assert [run["run"] for run in plain["runs"]] == [str(home / "a"), str(home / "b")]
    for run in plain["runs"]:
        assert run.keys() >= {
            "run", "recipe", "images_seen", "seconds", "scores", "memorization", "best",
        }  # fmt: skip
        assert (run["recipe"], run["images_seen"], run["size"]) == ("kittens", 48, 16)
        assert run["seconds"] > 0
        assert run["memorization"]["n_training"] == 28
        assert set(run["best"]) <= set(run["scores"]) <= set(METRICS)
        for score in run["scores"].values():
            assert score.keys() >= {"value", "standard_error", "better", *plain["protocol"]}


def test_scores_are_those_of_evaluate(found, home, tmp_path):
    scored = evaluate(home / "b", "kittens:40", html=tmp_path / "page.html", **QUICK)
    assert found.runs[1].scores == scored.scores
    assert found.runs[1].memorization.to_plain() == scored.memorization.to_plain()


def test_the_protocol_is_one(found):
    protocols = {score.protocol for run in found.runs for score in run.scores.values()}
    assert protocols == {found.protocol}
    assert (found.protocol.split, found.protocol.real) == ("all", "kittens:40")


def test_the_best_is_nobody_else_and_is_not_behind(found):
    for metric in found.runs[0].scores:
        a, b = (run.standings[metric] for run in found.runs)
        if a.score.value == b.score.value:
            assert not a.best
            assert not b.best
            continue
        best, worse = (a, b) if a.best else (b, a)
        assert best.best
        assert not worse.best
        assert best.behind == 0 < worse.behind
        better = best.score.value < worse.score.value
        assert better == (METRICS[metric][1] == "lower")
    assert found.runs[0].best or found.runs[1].best


def test_pages_of_the_runs_are_left_alone(found, home):
    assert not list(home.glob("*/evaluation.html"))
    assert (home / "page.html").stat().st_size > 10_000


def test_no_page_is_drawn_where_none_is_wanted(home, tmp_path):
    assert compare(home / "a", home / "b", html=None, **QUICK).to_plain()["page"] is None
    assert list(tmp_path.iterdir()) == []


def test_the_page_lies_in_the_current_folder_by_default(home, tmp_path):
    assert compare(home / "a", home / "b", **QUICK).page == Path("compare.html")
    page = (tmp_path / "compare.html").read_text(encoding="utf-8")
    for part in (
        "<h1>a and b</h1>",
        "David Revoy",
        "family.discriminator_pace",
        "train.seed",
        f"impasto resume {home / 'a'}",
        f"impasto sample {home / 'b'} -n 64",
        "Generator loss",
    ):
        assert part in page
    assert "train.batch" not in page, "it is the same in both"


# One protocol ------------------------------------------------------------------------------------


def test_models_of_different_sizes_meet_at_the_smallest(home):
    found = compare(home / "a", home / "small", html=None, **QUICK)
    assert [run.size for run in found.runs] == [16, 8]
    assert found.protocol.size == 8
    assert any("a (16) may gain in detail" in note for note in found.notes)
    turned = compare(home / "small", home / "a", html=None, **QUICK)
    assert turned.protocol.size == 8


def test_a_larger_model_is_seen_as_its_pictures_made_smaller(home):
    """Nothing but the size of a's pictures changes what is found of small."""
    alone = evaluate(home / "small", "kittens:40", html=home / "small.html", **QUICK)
    found = compare(home / "small", home / "a", html=None, **QUICK)
    values = {name: score.value for name, score in alone.scores.items()}
    assert {name: score.value for name, score in found.runs[0].scores.items()} == values


def test_grey_and_colour_are_refused(home):
    with pytest.raises(ConfigError, match=r"grey pictures and .*a coloured ones"):
        compare(home / "a", home / "grey", html=None, **QUICK)


def test_pictures_that_only_one_was_trained_on_favour_it(home):
    found = compare(home / "a", home / "other", html=None, **QUICK)
    assert (found.protocol.split, found.protocol.real) == ("all", "kittens:40")
    assert any("that a learned from, and other learned from other" in note for note in found.notes)
    assert found.runs[1].memorization.n_training == 21, "of its own set"
    with pytest.raises(ConfigError, match=r"--split held-out: .*other was not trained on these"):
        compare(home / "a", home / "other", split="held-out", html=None, **QUICK)


@pytest.mark.parametrize("split", ["training", "all"])
def test_a_side_can_be_asked_for_where_it_is_the_same_for_all(home, split):
    found = compare(home / "a", home / "b", split=split, html=None, **QUICK)
    assert found.protocol.split == split


def test_held_out_pictures_are_the_default_where_there_are_enough(home, monkeypatch):
    monkeypatch.setattr("impasto.workflows.evaluating.ENOUGH_HELD_OUT", 1)
    assert compare(home / "a", home / "b", html=None, **QUICK).protocol.split == "held-out"
    mixed = compare(home / "a", home / "other", html=None, **QUICK)
    assert mixed.protocol.split == "all", "a alone would be scored on its held-out pictures"


def test_other_held_out_pictures_are_no_common_side(home, tmp_path):
    shutil.copytree(home / "a", tmp_path / "split")
    resplit(tmp_path / "split")
    with pytest.raises(ConfigError, match="split was not trained on these real pictures, or holds"):
        compare(home / "a", tmp_path / "split", split="held-out", html=None, **QUICK)
    assert compare(home / "a", tmp_path / "split", html=None, **QUICK).protocol.split == "all"


def resplit(run):
    config = run / "config.yaml"
    config.write_text(config.read_text("utf-8").replace("split_seed: 0", "split_seed: 7"), "utf-8")
    model = run / "model.safetensors"
    config, weights = read_config(model), read_model(model)
    data = DataConfig(**{**vars(config.data), "split_seed": 7})
    write_model(weights, type(config)(**{**vars(config), "data": data}), model)


@pytest.mark.parametrize("of", ["kittens:40", "kittens:30", "kittens:20"])
def test_a_source_that_is_named_is_the_one_for_all(home, of):
    found = compare(home / "a", home / "other", against=of, html=None, **QUICK)
    assert found.protocol.real == of
    assert len({score.protocol for run in found.runs for score in run.scores.values()}) == 1


def test_a_source_of_which_the_runs_took_different_parts_is_taken_whole(home, tmp_path):
    train(
        "kittens:40", recipe="kittens", to=tmp_path / "part", steps=1, device="cpu", limit=20,
        settings=("data.size=16", *TINY),
    ).finish()  # fmt: skip
    by_default = compare(tmp_path / "part", home / "a", html=None, extractor="random")
    assert by_default.protocol.n_real == 20
    named = compare(
        tmp_path / "part", home / "a", against="kittens:40", html=None, extractor="random"
    )
    assert named.protocol.n_real == 40


def test_a_prepared_set_is_seen_at_the_size_compared(home, tmp_path):
    prepare("kittens:40", DataConfig(size=32), tmp_path / "set", workers=1)
    found = compare(home / "a", home / "small", against=tmp_path / "set", html=None, **QUICK)
    assert found.protocol.size == 8
    prepare("kittens:40", DataConfig(size=8), tmp_path / "tiny", workers=1)
    assert compare(home / "a", home / "small", against=tmp_path / "tiny", html=None, **QUICK)
    with pytest.raises(ConfigError, match="prepared at 8 pixels"):
        compare(home / "a", home / "b", against=tmp_path / "tiny", html=None, **QUICK)


# Files of models ---------------------------------------------------------------------------------


def test_a_file_in_a_run_is_known_by_its_run(home):
    shutil.copy(home / "b" / "model.safetensors", home / "b" / "best.safetensors")
    found = compare(home / "a", home / "b" / "best.safetensors", html=None, **QUICK)
    assert [run.name for run in found.runs] == ["a", "best"]
    assert found.runs[1].seconds > 0
    assert found.runs[1].memorization.n_training == 28


def test_a_file_by_itself_can_be_compared(home, tmp_path):
    shutil.copy(home / "b" / "model.safetensors", tmp_path / "mine.safetensors")
    found = compare(home / "other", tmp_path / "mine.safetensors", **QUICK)
    alone = found.to_plain()["runs"][1]
    assert (alone["name"], alone["seconds"], alone["images_seen"]) == ("mine", None, 48)
    assert alone["memorization"] is None, "nobody knows what it was trained on"
    page = (tmp_path / "compare.html").read_text(encoding="utf-8")
    assert "nobody can tell" in page
    assert "impasto resume mine" not in page
    with pytest.raises(ConfigError, match="name real pictures with --against"):
        compare(tmp_path / "mine.safetensors", home / "a", html=None, **QUICK)


@pytest.mark.parametrize(
    ("places", "names"),
    [
        (("x/a", "x/b"), ["a", "b"]),
        (("x/a", "y/a"), ["x/a", "y/a"]),
        (("x/a", "x/b/model.safetensors"), ["a", "b"]),
        (("x/a", "x/a/best.safetensors"), ["a", "best"]),
        (("x/a/best.safetensors", "x/b/best.safetensors"), ["a/best", "b/best"]),
        (("x/a", "x/a/model.safetensors"), ["a", "model.safetensors"]),
    ],
)
def test_names_are_as_short_as_tells_them_apart(places, names):
    assert names_of([Path(place).absolute() for place in places]) == names


# Fairness ----------------------------------------------------------------------------------------


def test_last_weights_beside_averaged_ones_are_told(home, tmp_path):
    train(
        "kittens:40", recipe="kittens", to=tmp_path / "last", steps=1, device="cpu",
        settings=("data.size=16", "family.ema_half_life=0", *TINY),
    ).finish()  # fmt: skip
    found = compare(home / "a", tmp_path / "last", html=None, **QUICK)
    assert found.protocol.ema is None
    assert [run.scores["recall"].protocol.ema for run in found.runs] == [True, False]
    assert any("those of last by the last ones" in note for note in found.notes)


def test_a_model_that_copies_is_told(home, tmp_path, monkeypatch):
    real = prepare("kittens:40", DataConfig(size=16))
    monkeypatch.setattr(GeneratorModel, "sample", lambda self, n, seed=0: real.images(np.arange(n)))
    found = compare(home / "a", home / "b", html=None, extractor="random", pictures=40)
    assert found.runs[0].memorization.caught
    assert any("repeated by a, so that" in note for note in found.notes)
    assert found.runs[0].best == found.runs[1].best == (), "all are the same"


# Errors ------------------------------------------------------------------------------------------


def test_errors_are_one_line_and_come_before_the_work(home, tmp_path, monkeypatch):
    monkeypatch.delenv("IMPASTO_WEIGHTS", raising=False)
    shutil.copytree(home / "a", tmp_path / "fresh")
    (tmp_path / "fresh" / "model.safetensors").unlink()
    (tmp_path / "folder").mkdir()
    a, b = home / "a", home / "b"
    for runs, options, kind, told in (
        ((), {}, ConfigError, "needs two runs"),
        ((a,), {}, ConfigError, f"{a}: a comparison needs two runs"),
        ((a, a), {}, ConfigError, "named twice"),
        ((a, "nowhere"), {}, ModelError, "nowhere: there is no such run or model"),
        ((a, "folder"), {}, RunError, "folder: not a run"),
        ((a, "fresh"), {}, RunError, "fresh: no model was saved yet; .*impasto resume fresh"),
        ((a, b), {"extractor": "mobilenet-v2"}, WeightsError, "impasto weights mobilenet-v2"),
        ((a, b), {"extractor": "mobilenet"}, ConfigError, "did you mean mobilenet-v2"),
        ((a, b), {"pictures": 3}, ConfigError, "--pictures 3"),
        ((a, b), {"seed": -1}, ConfigError, "--seed -1"),
        ((a, b), {"html": "folder"}, ConfigError, "--html folder: is a folder"),
        ((a, b), {"html": "gone/page.html"}, ConfigError, "--html gone/page.html"),
        ((a, b), {"against": "nothing"}, BadInput, "nothing"),
        ((a, b), {"against": "kittens:5"}, BadInput, "kittens:5: 5 pictures are too few"),
    ):
        with pytest.raises(kind, match=told) as caught:
            compare(*runs, **{**QUICK, **options})
        assert "\n" not in str(caught.value)
    assert not (tmp_path / "compare.html").exists()


def test_pictures_that_are_gone_are_asked_for(home, tmp_path):
    shutil.copytree(home / "a", tmp_path / "moved")
    facts = tmp_path / "moved" / "run.json"
    told = json.loads(facts.read_text("utf-8"))
    facts.write_text(json.dumps({**told, "prepared": str(tmp_path / "gone")}), "utf-8")
    with pytest.raises(RunError, match=re.escape("--against kittens:40")):
        compare(tmp_path / "moved", home / "b", html=None, **QUICK)
    found = compare(tmp_path / "moved", home / "b", against="kittens:40", html=None, **QUICK)
    assert found.protocol.split == "all"


def test_it_tells_how_far_it_is(home):
    told = []
    compare(
        home / "a", home / "b", html=None, extractor="random", pictures=21,
        report=lambda what, done, total: told.append((what, done, total)),
    )  # fmt: skip
    assert ("a: generated pictures", 21, 21) in told
    assert ("b: generated pictures", 21, 21) in told
