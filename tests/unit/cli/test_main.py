import json

import numpy as np
import pytest
import yaml
from PIL import Image

from impasto.cli.main import main
from impasto.data.prepared import Prepared
from impasto.evaluation.score import METRICS
from impasto.events import from_json
from impasto.recipes import RECIPES, RunConfig, find_recipe
from impasto.runs.export import write_model

TINY = [
    "--set",
    "data.size=16",
    "family.width=8",
    "family.latents=8",
    "train.batch=8",
    "train.grid=4",
]


@pytest.fixture(autouse=True)
def elsewhere(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("IMPASTO_CACHE", str(tmp_path / "cache"))


@pytest.fixture
def run(tmp_path, capsys):
    main(
        [
            "train",
            "kittens:40",
            "--recipe",
            "kittens",
            "--steps",
            "3",
            "--to",
            "run",
            "--device",
            "cpu",
            *TINY,
        ]
    )
    capsys.readouterr()
    return tmp_path / "run"


@pytest.fixture
def said(capsys):
    def said(*words):
        with pytest.raises(SystemExit) as exit_:
            main(list(words))
        captured = capsys.readouterr()
        assert exit_.value.code == 2
        assert captured.out == ""
        assert captured.err.startswith("impasto: ")
        assert captured.err.count("\n") == 1, "one line"
        return captured.err

    return said


def photos(folder, count=6, size=(40, 30)):
    folder.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(0)
    for index in range(count):
        Image.fromarray(rng.integers(0, 256, (*size[::-1], 3), np.uint8)).save(
            folder / f"{index}.png"
        )


def test_recipes_as_json_have_the_promised_keys(capsys):
    main(["recipes", "--json"])
    rows = json.loads(capsys.readouterr().out)
    assert {row["name"] for row in rows} >= {
        "cats96", "anime96-few", "frogs32", "mnist-mlp", "faces64", "lfw64-gan", "kittens",
    }  # fmt: skip
    for row in rows:
        assert row.keys() >= {"name", "family", "size", "channels", "parameters"}
        players = {"generator"} if "generator" in row["parameters"] else {"encoder", "decoder"}
        assert players <= row["parameters"].keys() <= players | {"discriminator"}


def test_recipes_of_painting_are_shown_too(capsys):
    main(["recipes", "show", "gatys"])
    told = yaml.safe_load(capsys.readouterr().out)
    assert (told["size"], told["painter"]["name"]) == (400, "published")
    with pytest.raises(SystemExit):
        main(["train", "kittens:8", "--recipe", "gatys"])
    assert "a recipe of painting" in capsys.readouterr().err


def test_recipes_for_people_name_every_recipe(capsys):
    main(["recipes"])
    out = capsys.readouterr().out
    assert "gatys" in out
    assert all(name in out for name in RECIPES)
    assert "3,578,560" in out


@pytest.mark.parametrize("name", RECIPES)
def test_a_shown_recipe_can_be_passed_back(name, tmp_path, capsys):
    main(["recipes", "show", name])
    (tmp_path / "mine.yaml").write_text(capsys.readouterr().out)
    assert find_recipe("mine.yaml") == RECIPES[name]


def test_train_prints_plain_lines_and_ends_with_the_report(run, capsys, tmp_path):
    main(
        [
            "train",
            "kittens:40",
            "--recipe",
            "kittens",
            "--steps",
            "3",
            "--to",
            "again",
            "--device",
            "cpu",
            *TINY,
        ]
    )
    lines = capsys.readouterr().out.splitlines()
    assert lines[-1] == "report: again/report.html"
    assert (tmp_path / "again" / "report.html").stat().st_size > 10_000
    assert any("pictures/s" in line and "left" in line for line in lines)


def test_train_as_json_is_a_line_an_event(capsys):
    main(
        [
            "train",
            "kittens:40",
            "--recipe",
            "kittens",
            "--steps",
            "2",
            "--to",
            "run",
            "--device",
            "cpu",
            "--json",
            *TINY,
        ]
    )
    *events, last = capsys.readouterr().out.splitlines()
    assert [type(from_json(line)).__name__ for line in events][:2] == ["Started", "Sampled"]
    assert json.loads(last) == {"event": "reported", "run": "run", "report": "run/report.html"}


def test_without_a_recipe_one_is_chosen_and_the_reason_given(capsys, tmp_path):
    photos(tmp_path / "photos", 12, (20, 20))
    main(["train", "photos", "--steps", "1", "--to", "run", "--device", "cpu", "--set", "train.batch=2",
          "family.width=8", "train.grid=1"])  # fmt: skip
    first = capsys.readouterr().out.splitlines()[0]
    assert (
        first
        == "recipe: frogs32 (12 pictures of about 20 pixels: too small for the larger networks)"
    )


def test_sample_writes_a_grid_or_single_pictures(run, tmp_path, capsys):
    main(["sample", "run", "-n", "9", "--seed", "3", "--to", "grid.png"])
    assert capsys.readouterr().out == "9 pictures: grid.png\n"
    with Image.open("grid.png") as grid:
        assert grid.size == (3 * 18 + 2,) * 2
    main(
        [
            "sample",
            str(run / "model.safetensors"),
            "-n",
            "3",
            "--seed",
            "3",
            "--to",
            "singles",
            "--json",
        ]
    )
    assert json.loads(capsys.readouterr().out) == {"pictures": 3, "seed": 3, "to": "singles"}
    singles = sorted((tmp_path / "singles").iterdir())
    assert len(singles) == 3
    with Image.open("grid.png") as grid, Image.open(singles[1]) as second:
        assert np.array_equal(np.asarray(grid)[2:18, 20:36], np.asarray(second))


def test_report_is_drawn_again(run, capsys):
    (run / "report.html").unlink()
    main(["report", "run", "--json"])
    assert json.loads(capsys.readouterr().out) == {"report": "run/report.html"}
    page = (run / "report.html").read_text()
    assert "David Revoy" in page
    assert "impasto resume run" in page


def test_evaluate_prints_scores_with_their_protocol(run, capsys):
    main(["evaluate", "run", "--against", "kittens:40", "--extractor", "random", "-n", "30"])
    out = capsys.readouterr().out
    assert out.startswith("kernel distance, unit length ")
    assert (
        "30 generated (averaged weights, seed 0) against 30 real of kittens:40 (all, data " in out
    )
    assert "at 16 pixels; random, sha256 " in out
    assert "memorisation: " in out
    assert "note: " in out
    assert out.endswith("page: run/evaluation.html\n")
    assert (run / "evaluation.html").is_file()


def test_evaluate_as_json_has_the_promised_keys(run, capsys):
    model = str(run / "model.safetensors")
    main(["evaluate", model, "--against", "kittens:40", "--extractor", "random", "--seed", "3",
          "--split", "training", "--soften", "8", "--json"])  # fmt: skip
    told = json.loads(capsys.readouterr().out)
    assert told.keys() == {"scores", "memorization", "attributes", "advice"}
    assert told["scores"].keys() == METRICS.keys() - {"inception_score"}
    for score in told["scores"].values():
        assert score.keys() == {
            "value", "standard_error", "better", "n_real", "n_generated", "real", "fingerprint",
            "split", "size", "softened", "extractor", "extractor_sha256", "resize", "ema", "seed",
        }  # fmt: skip
        assert np.isfinite([score["value"], score["standard_error"]]).all()
        assert (score["n_real"], score["n_generated"]) == (36, 2_000)
        assert (score["split"], score["size"], score["softened"]) == ("training", 16, 8)
        assert (score["extractor"], score["resize"]) == ("random", "none")
        assert (score["ema"], score["seed"], score["real"]) == (True, 3, "kittens:40")
    assert told["memorization"].keys() >= {"memorized", "closer_share", "singled_out_share"}
    assert all(isinstance(note, str) for note in told["advice"])


def test_evaluate_takes_the_side_that_is_named(run, said):
    words = ["evaluate", "run", "--against", "kittens:40", "--extractor", "random"]
    assert "too few" in said(*words, "--split", "held-out")
    with pytest.raises(SystemExit):
        main([*words, "--split", "held-in"])


def test_resume_goes_on(run, capsys):
    main(["resume", "run", "--steps", "2"])
    assert "40 images" in capsys.readouterr().out


def test_resume_refuses_what_is_for_paintings(run, said):
    assert "--memory: for paintings" in said("resume", "run", "--memory", "2GB")


def test_prepare_counts_and_lists_what_it_left_out(capsys, tmp_path):
    photos(tmp_path / "photos")
    (tmp_path / "photos" / "broken.jpg").write_bytes(b"\xff\xd8\xff no")
    main(["prepare", "photos", "--to", "set", "--size", "16", "--json"])
    facts = json.loads(capsys.readouterr().out)
    assert (facts["found"], facts["kept"]) == (7, 6)
    assert list(facts["rejected"].values()) == [1]
    assert facts["seconds"] > 0
    assert facts["pictures_per_second"] > 0
    main(["prepare", "photos", "--to", "set", "--size", "16"])
    out = capsys.readouterr().out
    assert "6 of 7 pictures" in out
    assert "broken.jpg: " in out


def test_inspect_in_words_and_as_json(capsys, tmp_path):
    photos(tmp_path / "photos" / "cats", 2)
    (tmp_path / "photos" / "cats" / "copy.png").write_bytes(
        (tmp_path / "photos" / "cats" / "0.png").read_bytes()
    )
    (tmp_path / "photos" / "cats" / "bad.png").write_bytes(b"")
    main(["inspect", "photos", "--json"])
    facts = json.loads(capsys.readouterr().out)
    assert facts["pictures"] == 3
    assert facts["classes"] == {"cats": 3}
    assert facts["duplicates"] == [["cats/0.png", "cats/copy.png"]]
    assert facts["broken"][0][0] == "cats/bad.png"
    main(["inspect", "photos"])
    out = capsys.readouterr().out
    assert "cats/0.png = cats/copy.png" in out
    assert "cats/bad.png: " in out
    assert "what to make of them:" in out
    assert "impasto train photos --recipe " in out


def test_a_table_that_lies_elsewhere_labels_the_pictures(capsys, tmp_path):
    photos(tmp_path / "photos", 4)
    rows = ["file,fur,weight", "0.png,red,3.5", "1.png,black,", "9.png,red,1"]
    (tmp_path / "told.csv").write_text("\n".join(rows), encoding="utf-8")
    told = "1 of its 3 rows name files that are not there"
    main(["inspect", "photos", "--labels", "told.csv", "--json"])
    facts = json.loads(capsys.readouterr().out)
    assert facts["attributes"] == {"fur": {"black": 1, "red": 1}}
    assert facts["numbers"]["weight"]["missing"] == 3
    assert any(told in notice for notice in facts["notices"])
    main(["inspect", "photos", "--labels", "told.csv"])
    assert f"note: told.csv: {told}" in capsys.readouterr().out
    main(["prepare", "photos", "--to", "set", "--size", "16", "--labels", "told.csv", "--json"])
    assert any(told in notice for notice in json.loads(capsys.readouterr().out)["notices"])
    assert Prepared.open("set").label_names["fur"] == ("black", "red")


def test_what_is_worth_telling_of_the_pictures_is_an_event_of_the_run(capsys, tmp_path):
    photos(tmp_path / "photos", 12)
    (tmp_path / "photos" / "labels.csv").write_text("file,fur\n0.png,red\n", encoding="utf-8")
    where = ["--to", "run", "--device", "cpu", "--recipe", "kittens", "--steps", "1"]
    main(["train", "photos", *where, *TINY])
    told = "11 of 12 pictures have no row"
    assert told in capsys.readouterr().out
    lines = (tmp_path / "run" / "events.jsonl").read_text(encoding="utf-8").splitlines()
    assert any(told in getattr(from_json(line), "message", "") for line in lines)


def test_inspect_draws_a_page(capsys, tmp_path):
    main(["inspect", "kittens:20", "--html", "kittens.html"])
    assert capsys.readouterr().out.endswith("page: kittens.html\n")
    page = (tmp_path / "kittens.html").read_text()
    assert "David Revoy" in page
    assert "data:image/png;base64," in page
    main(["inspect", "kittens:20", "--html", "again.html", "--json"])
    facts = json.loads(capsys.readouterr().out)
    assert facts["advice"][-1]["topic"] == "recipe"
    assert facts["kept"] == 20
    assert (tmp_path / "again.html").read_text() == page


def test_inspect_looks_at_a_prepared_set(capsys):
    main(["prepare", "kittens:20", "--to", "set", "--size", "32"])
    capsys.readouterr()
    main(["inspect", "set", "--json"])
    facts = json.loads(capsys.readouterr().out)
    assert (facts["source"], facts["prepared"], facts["kept"]) == ("kittens:20", 32, 20)
    assert sum(facts["attributes"]["fur"].values()) == 20


@pytest.mark.parametrize(
    ("words", "named"),
    [
        ("train kitens", ["kitens", "did you mean kittens?"]),
        ("train nowhere", ["nowhere", "no such"]),
        ("train empty", ["empty", "no pictures"]),
        ("train kittens:40 --recipe dcgam", ["dcgam", "cats96"]),
        ("train kittens:40 --recipe cats69", ["did you mean cats96?"]),
        ("train kittens:40 --set train.bacth=2", ["train.bacth", "did you mean batch?"]),
        ("train kittens:40 --set train.batch=0", ["train.batch", "greater than 0"]),
        ("train kittens:40 --set data.size=60", ["data.size: 60", "64"]),
        ("train kittens:8 --recipe kittens", ["fewer than a batch of 16", "--set train.batch="]),
        ("train kittens:40 --steps 3 --minutes 1", ["--minutes and --steps", "one budget"]),
        ("train kittens:40 --steps 0", ["--steps 0", "above zero"]),
        ("train kittens:40 --minutes nan", ["--minutes nan", "above zero"]),
        ("train kittens:40 --to full", ["full", "--to"]),
        ("train kittens:40 --to afile", ["afile", "--to"]),
        ("train kittens:40 --seed -3", ["--seed -3"]),
        ("train kittens:40 --devices 0", ["--devices 0"]),
        ("train kittens:40 --limit 0", ["limit"]),
        ("train classes --limit -5", ["--limit -5", "above zero"]),
        (
            "train kittens:40 --device cpu --set train.precision=bf16",
            ["train.precision: bf16", "32"],
        ),
        ("train kittens:40 --recipe bad.yaml", ["bad.yaml", "famly", "did you mean family?"]),
        ("train kittens:40 --recipe binary.yaml", ["binary.yaml", "YAML"]),
        ("train kittens:x", ["kittens:x"]),
        ("inspect empty", ["empty", "no pictures"]),
        ("inspect classes --classes dgo", ["dgo", "did you mean dog?"]),
        ("inspect classes --only nothing/*", ["nothing/*"]),
        ("inspect kittens:4 --html full", ["--html full", "is a folder"]),
        ("inspect kittens:4 --html gone/page.html", ["--html gone/page.html", "gone"]),
        ("prepare kittens:4 --to full", ["full", "--to"]),
        ("prepare kittens:4 --to set --size 1", ["size", "4"]),
        ("prepare kittens:4 --to set --background red", ["background", "red"]),
        ("sample nowhere", ["nowhere", "no such run or model"]),
        ("sample empty", ["empty", "not a run"]),
        ("sample afile", ["afile", "not a safetensors file"]),
        ("resume empty", ["empty", "not a run"]),
        ("report empty", ["empty", "not a run"]),
        ("evaluate nowhere --against kittens:40", ["nowhere", "no such"]),
        ("evaluate kittens:40 --against nowhere", ["nowhere", "no such"]),
        (
            "evaluate kittens:9 --against kittens:40 --size 16 --extractor random",
            ["kittens:9", "9 pictures"],
        ),
        (
            "evaluate kittens:40 --against kittens:8 --size 16 --extractor random",
            ["8 pictures", "10 or"],
        ),
        ("evaluate kittens:40 --against kittens:40 --extractor vgg", ["vgg", "no such extractor"]),
        (
            "evaluate kittens:40 --against kittens:40 --extractor inception-v3",
            ["sha256", "download"],
        ),
        ("evaluate kittens:40 --against kittens:40 -n 5", ["--pictures 5", "at least 10"]),
        ("evaluate kittens:40 --against kittens:40 --html gone/page.html", ["gone", "not there"]),
        ("evaluate kittens:40 --against kittens:40 --html full", ["--html full", "is a folder"]),
        (
            "evaluate kittens:40 --against kittens:40 --size 16 --extractor random --split held-out",
            ["--split held-out", "use one of: all"],
        ),
        ("evaluate empty/model.safetensors --against kittens:40", ["empty/model", "no such run"]),
        ("evaluate afile --against kittens:40", ["afile"]),
        ("recipes show cats", ["cats", "did you mean cats96?"]),
        ("recipes what", ["impasto recipes show NAME"]),
    ],
)
def test_bad_input_is_one_line_with_the_way_out(words, named, tmp_path, said, monkeypatch):
    monkeypatch.delenv("IMPASTO_WEIGHTS", raising=False)
    (tmp_path / "empty").mkdir()
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "diary.txt").write_text("mine")
    (tmp_path / "afile").write_text("mine")
    (tmp_path / "bad.yaml").write_text("name: a\nfamly: {}")
    (tmp_path / "binary.yaml").write_bytes(b"\xff\xfe\x00")
    for name in ("cat", "dog"):
        photos(tmp_path / "classes" / name, 1)
    message = said(*words.split())
    for part in named:
        assert part in message
    assert (tmp_path / "full" / "diary.txt").read_text() == "mine"
    assert (tmp_path / "afile").read_text() == "mine"
    assert not (tmp_path / "runs").exists(), "nothing was begun"


def test_a_run_of_other_settings_is_left_alone(run, said):
    before = (run / "config.yaml").read_bytes()
    message = said(
        "train", "kittens:40", "--recipe", "kittens", "--steps", "9", "--to", "run", *TINY
    )
    assert "other settings" in message
    assert "impasto resume run" in message
    assert (run / "config.yaml").read_bytes() == before


def test_a_tampered_model_is_found_out(run, said):
    path = run / "model.safetensors"
    raw = bytearray(path.read_bytes())
    raw[-9] ^= 4
    path.write_bytes(raw)
    assert "checksum" in said("sample", "run")


def test_a_model_of_a_newer_version_says_what_to_do(run, said, monkeypatch):
    import impasto

    model = impasto.load(run)
    monkeypatch.setattr("impasto.runs.export.FORMAT", 99)
    write_model(
        model, RunConfig(name="x", family=RECIPES["kittens"].family), run / "model.safetensors"
    )
    monkeypatch.undo()
    assert "newer impasto" in said("sample", str(run / "model.safetensors"))


def test_a_state_is_not_a_model(run, said):
    state = next((run / "state").iterdir())
    assert "not a model" in said("sample", str(state))


def test_an_edited_configuration_is_named(run, said):
    path = run / "config.yaml"
    path.write_text(path.read_text().replace("batch: 8", "batch: eight"))
    assert "train.batch" in said("resume", "run")


def test_version(capsys):
    from impasto.version import __version__

    main(["--version"])
    assert capsys.readouterr().out.strip() == __version__
