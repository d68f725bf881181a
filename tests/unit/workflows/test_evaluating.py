import json
from dataclasses import replace

import numpy as np
import pytest
from drawn import shares
from pages import Page, embedded
from PIL import Image

import impasto
from impasto.data.config import DataConfig
from impasto.data.prepare import prepare
from impasto.errors import BadInput
from impasto.evaluation.score import METRICS
from impasto.workflows import evaluating
from impasto.workflows.evaluating import evaluate
from impasto.workflows.review import Review
from impasto.workflows.training import train

TINY = (
    "data.size=16",
    "data.validation=0.25",
    "family.width=8",
    "family.latents=8",
    "train.batch=8",
    "train.grid=4",
    "train.snapshots=1",
    "train.ticks=1",
)


def patches(count, *, seed=0, side=16):
    """Pictures of four by four patches, of which no two are alike."""
    colours = shares(f"evaluated {seed}", count * 16 * 3).reshape(count, 4, 4, 3) * 127 + 128
    return colours.repeat(side // 4, 1).repeat(side // 4, 2).astype(np.uint8)


def jittered(images, levels=4):
    noise = np.random.default_rng(0).integers(-levels, levels + 1, images.shape)
    return np.clip(images.astype(int) + noise, 0, 255).astype(np.uint8)


def write(folder, images):
    folder.mkdir(parents=True)
    for index, image in enumerate(images):
        Image.fromarray(image.squeeze()).save(folder / f"{index:04d}.png")
    return folder


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    """A folder with pictures in several folders, and runs on some of them."""
    home = tmp_path_factory.mktemp("evaluating")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("IMPASTO_CACHE", str(home / "cache"))
        patch.chdir(home)
        write(home / "reals", patches(320))
        write(home / "honest", patches(120, seed=1))
        write(home / "copies", jittered(patches(320)[:120]))
        write(home / "mixed", np.concatenate([patches(180, seed=2), jittered(patches(320)[:20])]))
        write(home / "few", patches(9, seed=3))
        trained(home / "run", home / "reals")
        yield home


def trained(run, source, *settings):
    for _ in train(
        source, recipe="kittens", steps=2, to=run, device="cpu", settings=(*TINY, *settings)
    ):
        pass
    return run


@pytest.fixture(autouse=True)
def elsewhere(home, monkeypatch):
    monkeypatch.setenv("IMPASTO_CACHE", str(home / "cache"))
    monkeypatch.chdir(home)


def looked(what, against="reals", **options):
    options = {"extractor": "random", "pictures": 100, **options}
    return evaluate(what, against, **options)


# What is compared with what ---------------------------------------------------------------------


def test_a_run_is_scored_against_its_own_pictures(home):
    found = looked("run")
    protocol = found.protocol
    assert set(found.scores) == set(METRICS) - {"inception_score"}
    assert (protocol.n_real, protocol.n_generated) == (100, 100)
    assert (protocol.split, protocol.size, protocol.softened) == ("all", 16, None)
    assert (protocol.ema, protocol.seed) == (True, 0)
    assert protocol.real == str(home / "reals")
    assert protocol.fingerprint == json.loads((home / "run/run.json").read_text())["fingerprint"]
    assert "copying them would score well" in str(found)
    assert found.memorization.among == "training"
    assert found.memorization.n_training == 240
    assert not found.memorization.caught


@pytest.mark.parametrize("against", ["reals", "prepared", "absolute", "cached"])
def test_its_own_pictures_are_known_by_any_name(home, against):
    facts = json.loads((home / "run/run.json").read_text())
    names = {
        "reals": "reals",
        "absolute": home / "reals",
        "prepared": facts["prepared"],
        "cached": facts["source"],
    }
    assert looked("run", names[against], split="held-out").protocol.n_real == 80


def test_a_model_alone_is_scored_as_its_run_is(home):
    alone, run = looked("run/model.safetensors"), looked("run")
    assert alone.scores == run.scores
    assert alone.memorization.n_training == 240


@pytest.mark.parametrize(
    ("split", "reals"), [("held-out", 80), ("training", 100), ("all", 100)], ids=str
)
def test_the_split_says_which_of_its_own_pictures(split, reals):
    found = looked("run", split=split)
    assert (found.protocol.split, found.protocol.n_real) == (split, reals)
    assert ("copying them would score well" in str(found)) is (split != "held-out")


def test_held_out_pictures_are_taken_where_there_are_enough(monkeypatch):
    monkeypatch.setattr(evaluating, "ENOUGH_HELD_OUT", 80)
    assert looked("run").protocol.split == "held-out"
    monkeypatch.setattr(evaluating, "ENOUGH_HELD_OUT", 81)
    assert looked("run").protocol.split == "all"


def test_all_that_is_held_out_is_scored_against_however_few_are_asked_about_copies():
    found = looked("run", split="held-out", among=20)
    assert found.protocol.n_real == 80
    assert found.memorization.n_training == 20


def test_other_pictures_have_no_split(home):
    found = looked("run", "honest")
    assert (found.protocol.split, found.protocol.n_real) == ("all", 100)
    assert found.memorization.n_training == 240, "copies are looked for where they can come from"
    assert found.memorization.among == "training"
    for split in ("held-out", "training"):
        with pytest.raises(BadInput, match=rf"^--split {split}: .* no such side, .* one of: all$"):
            looked("run", "honest", split=split)


def test_a_model_whose_pictures_are_gone_is_told_apart_from_one_that_copies_nothing():
    found = looked("run/model.safetensors", "honest")
    assert found.memorization.among == "real"
    assert "not known here" in str(found)


def test_a_set_without_held_out_pictures_has_no_such_side(tmp_path):
    run = trained(tmp_path / "run", "honest", "data.validation=0")
    assert looked(run, "honest").protocol.split == "all"
    with pytest.raises(BadInput, match=r"one of: all, training$"):
        looked(run, "honest", split="held-out")


def test_a_folder_is_scored_against_a_folder(home):
    found = looked("honest")
    assert (found.protocol.ema, found.protocol.seed, found.protocol.size) == (None, None, 16)
    assert "not drawn by a model" in str(found)
    assert found.scores["kernel_distance_unit"].value < 0.01


def test_a_prepared_set_is_scored_against_a_prepared_set(tmp_path):
    prepare("honest", DataConfig(size=16), tmp_path / "one", workers=1)
    prepare("reals", DataConfig(size=16), tmp_path / "other", workers=1)
    assert (
        looked(tmp_path / "one", tmp_path / "other").scores.keys() == looked("honest").scores.keys()
    )
    values = [
        [score.value for score in looked(*names).scores.values()]
        for names in ((tmp_path / "one", tmp_path / "other"), ("honest", "reals"))
    ]
    assert values[0] == values[1]


def test_what_is_generated_may_be_more_or_less_than_what_is_real():
    found = looked("honest", "mixed", pictures=150)
    assert (found.protocol.n_generated, found.protocol.n_real) == (120, 150)


def test_grey_sets_are_compared_in_grey(tmp_path):
    grey = write(tmp_path / "grey", patches(60).mean(3).astype(np.uint8))
    prepare(grey, DataConfig(size=16, channels=1), tmp_path / "set", workers=1)
    for what, against in ((grey, tmp_path / "set"), (tmp_path / "set", grey), (grey, grey)):
        found = looked(what, against)
        assert found.scores["frechet_distance"].value == pytest.approx(0, abs=1e-3)
    run = trained(tmp_path / "run", grey, "data.channels=1")
    assert looked(run, grey, html=tmp_path / "page.html").protocol.n_real == 60


def test_a_model_of_random_crops_and_classes_knows_its_pictures(tmp_path):
    for name, seed in (("red", 4), ("blue", 5)):
        write(tmp_path / "both" / name, patches(60, seed=seed, side=32))
    run = trained(tmp_path / "run", tmp_path / "both", "data.crop=random", "data.classes=['red']")
    own = looked(run, tmp_path / "both", split="held-out")
    assert own.protocol.n_real == 15
    other = looked(run, tmp_path / "both", classes=("blue",))
    assert other.protocol.fingerprint != own.protocol.fingerprint
    assert (other.protocol.n_real, other.memorization.n_training) == (60, 45)


def test_a_set_that_was_cut_out_otherwise_does_not_cut_the_reals(tmp_path):
    """Of a set of generated pictures only its shape counts, not what was kept of its own source."""
    wanted = DataConfig(size=16, only=("00*",), limit=50)
    prepare("honest", wanted, tmp_path / "drawn", workers=1)
    assert looked(tmp_path / "drawn", "reals", pictures=300).protocol.n_real == 300


def test_pictures_of_two_sizes_are_compared_at_what_both_have(tmp_path):
    write(tmp_path / "large", patches(20, seed=6, side=64))
    assert looked(tmp_path / "large", "reals").protocol.size == 16
    assert looked(tmp_path / "large", "reals", size=8).protocol.size == 8


def test_seeds_and_softening_are_told_and_matter():
    plain, other, soft = looked("run"), looked("run", seed=1), looked("run", soften=8)
    assert other.protocol == replace(plain.protocol, seed=1)
    assert soft.protocol == replace(plain.protocol, softened=8)
    values = {found.scores["frechet_distance"].value for found in (plain, other, soft)}
    assert len(values) == 3
    assert looked("run").scores == plain.scores, "the same again"


def test_the_public_name_is_the_same_thing():
    assert impasto.evaluate is evaluate


# Copies -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(("what", "caught"), [("honest", False), ("copies", True), ("mixed", True)])
def test_copies_are_caught_and_honest_pictures_are_not(what, caught):
    found = looked(what, pictures=200).memorization
    assert found.caught is caught
    assert found.n_training == 320


def test_the_page_shows_the_likeliest_copies_beside_what_they_copy(home, tmp_path):
    found = looked("mixed", pictures=200, html=tmp_path / "page.html").memorization
    copied = [index for index in found.order[:20] if index >= 180]
    assert len(copied) >= 18
    assert found.nearest[copied].tolist() == [index - 180 for index in copied]


# The page ---------------------------------------------------------------------------------------


def test_a_runs_page_lies_in_the_run_and_stands_alone(home):
    (home / "run" / "evaluation.html").unlink(missing_ok=True)
    looked("run")
    html = (home / "run" / "evaluation.html").read_text(encoding="utf-8")
    page = Page(html)
    assert all(load.startswith("data:") for load in page.loads)
    assert "script" not in page.tags
    kinds = [kind for kind, _ in embedded(page)]
    assert kinds.count("image/webp") == 2 * evaluating.PAIRS
    assert kinds.count("image/png") == 1
    words = " ".join(page.words)
    for part in ("kernel distance, unit length", "100 generated (averaged weights, seed 0)", " ± ",
                 "No sign of it", "training picture nearest", "lower is better"):  # fmt: skip
        assert part in words
    assert words.count("distance 0.") == evaluating.PAIRS


def test_a_page_lies_where_it_is_wanted(home, tmp_path):
    (home / "run" / "evaluation.html").unlink(missing_ok=True)
    looked("run", html=tmp_path / "mine.html")
    assert (tmp_path / "mine.html").is_file()
    assert not (home / "run" / "evaluation.html").exists()


def test_a_page_of_pictures_is_drawn_only_where_it_is_wanted(tmp_path, monkeypatch):
    before = set(tmp_path.iterdir())
    looked("honest")
    assert set(tmp_path.iterdir()) == before
    looked("copies", html=tmp_path / "page.html")
    words = " ".join(Page((tmp_path / "page.html").read_text(encoding="utf-8")).words)
    assert "Repeats real pictures" in words
    assert "the real picture nearest" in words


def test_names_on_the_page_are_only_text(tmp_path):
    folder = write(tmp_path / "<b>&amp", patches(12))
    looked(folder, html=tmp_path / "page.html")
    assert "&lt;b&gt;&amp;amp" in (tmp_path / "page.html").read_text(encoding="utf-8")


def test_progress_is_told_by_what_is_looked_at(tmp_path, monkeypatch):
    monkeypatch.setenv("IMPASTO_CACHE", str(tmp_path))
    told = []
    looked("run", "honest", report=lambda of, done, total: told.append((of, done, total)))
    assert told == [
        ("real pictures", 100, 100),
        ("pictures that it was trained on", 256, 320),
        ("pictures that it was trained on", 320, 320),
        ("generated pictures", 100, 100),
    ]
    told.clear()
    looked("run", "honest", report=lambda of, done, total: told.append((of, done, total)))
    assert told == [("generated pictures", 100, 100)], "features of real pictures are kept"


# What cannot be ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("what", "against", "options", "told"),
    [
        ("nothing", "reals", {}, "nothing.*no such"),
        ("run", "nothing", {}, "nothing.*no such"),
        ("gone.safetensors", "reals", {}, "no such run or model"),
        ("few", "reals", {}, "few: 9 pictures are too few for a score; give 10 or more"),
        ("run", "few", {}, "few: 9 pictures are too few"),
        ("run", "reals", {"size": 32}, "--size 32: run draws at 16 pixels; leave --size out"),
        ("honest", "reals", {"size": 3}, "--size 3: must be at least 4"),
        ("run", "reals", {"soften": 17}, "--soften 17: 16 pixels are compared"),
        ("run", "reals", {"pictures": 9}, "--pictures 9: must be at least 10"),
        ("run", "reals", {"among": 0}, "--among 0: must be at least 10"),
        ("run", "reals", {"seed": -1}, "--seed -1: must be at least 0"),
        ("run", "reals", {"extractor": "inceptoin"}, "no such extractor.*inception-v3"),
        ("run", "reals", {"extractor": "gone.onnx"}, "gone.onnx cannot be read"),
        ("run", "reals", {"html": "run"}, "--html run: is a folder"),
        ("run", "reals", {"html": "gone/page.html"}, "lies in gone, which is not there"),
        ("run", "reals", {"classes": ("dogs",)}, "dogs"),
        ("run", "small", {}, "small: prepared at 8 pixels"),
        ("honest", "small", {"only": ("1*",)}, "prepared already, so --classes and --only"),
    ],
)
def test_what_cannot_be_scored_says_why_and_what_to_do(home, what, against, options, told):
    if against == "small" and not (home / "small").exists():
        prepare("honest", DataConfig(size=8), home / "small", workers=1)
    with pytest.raises(BadInput, match=told) as error:
        looked(what, against, **options)
    assert "\n" not in str(error.value)


def test_missing_weights_are_named_with_the_way_to_get_them(monkeypatch, tmp_path):
    monkeypatch.setenv("IMPASTO_WEIGHTS", str(tmp_path))
    for extractor in ("inception-v3", "mobilenet-v2"):
        with pytest.raises(BadInput, match=r"download it .* or let IMPASTO_WEIGHTS name"):
            looked("run", extractor=extractor)


def test_a_device_that_is_not_there_is_named(monkeypatch):
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    with pytest.raises(BadInput, match="--device cuda: is not available here; use one of: cpu"):
        looked("run", device="cuda")


def test_a_disk_that_is_full_leaves_no_half_page(home, tmp_path, monkeypatch):
    def full(*_, **__):
        raise OSError(28, "No space left on device")

    looked("honest")  # sets and features are in the cache; what is left to write is the page
    monkeypatch.setattr("os.replace", full)
    with pytest.raises(BadInput, match=r"--html .*cannot be written \(No space left on device\)"):
        looked("honest", html=tmp_path / "page.html")
    assert not (tmp_path / "page.html").exists()


def test_a_run_that_has_saved_no_model_yet_says_so(home, tmp_path):
    run = tmp_path / "run"
    run.mkdir()
    for name in ("config.yaml", "run.json"):
        (run / name).write_bytes((home / "run" / name).read_bytes())
    with pytest.raises(BadInput, match="no model was saved yet"):
        looked(run)


def test_a_run_whose_pictures_were_deleted_is_scored_all_the_same(home, tmp_path):
    run = tmp_path / "run"
    run.mkdir()
    for name in ("config.yaml", "model.safetensors"):
        (run / name).write_bytes((home / "run" / name).read_bytes())
    facts = json.loads((home / "run/run.json").read_text())
    (run / "run.json").write_text(json.dumps({**facts, "prepared": str(tmp_path / "gone")}))
    assert looked(run, "honest").memorization.among == "real"
    assert looked(run, "reals").memorization.among == "training"


def test_decisions_of_a_review_make_another_set_of_it(home, tmp_path):
    prepare("reals", DataConfig(size=16), tmp_path / "set", workers=1)
    run = trained(tmp_path / "run", tmp_path / "set")
    assert looked(run, tmp_path / "set", split="held-out").protocol.n_real == 80
    with Review.open(tmp_path / "set") as review:
        review.turn([3], keep=False)
    found = looked(run, tmp_path / "set")
    assert (found.protocol.split, found.memorization.among) == ("all", "real")
