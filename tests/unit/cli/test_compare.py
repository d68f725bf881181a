import io
import json
import shutil

import pytest
from rich.console import Console

from impasto.cli import render
from impasto.cli.main import main
from impasto.evaluation.score import METRICS
from impasto.workflows.training import train

QUICK = ["--extractor", "random", "-n", "20"]


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    home = tmp_path_factory.mktemp("runs")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("IMPASTO_CACHE", str(home / "cache"))
        for seed, name in enumerate(["first", "$second$"]):
            train(
                "kittens:40", recipe="kittens", to=home / name, steps=3, seed=seed, device="cpu",
                settings=(
                    "data.size=16", "family.width=8", "family.latents=8", "train.batch=8", "train.grid=4",
                ),
            ).finish()  # fmt: skip
    return home


@pytest.fixture(autouse=True)
def there(home, monkeypatch):
    monkeypatch.setenv("IMPASTO_CACHE", str(home / "cache"))
    monkeypatch.chdir(home)


def test_a_table_with_a_row_a_metric_and_a_column_a_run(capsys, home):
    main(["compare", "first", "$second$", *QUICK])
    captured = capsys.readouterr()
    assert captured.err == ""
    lines = captured.out.splitlines()
    assert lines[0].split() == ["better", "first", "$second$"]
    column = lines[0].index("first")
    for title, better in METRICS.values():
        if title != METRICS["inception_score"][0]:
            (row,) = (line for line in lines if line.startswith(f"{title} "))
            assert row.split(title)[1].split()[0] == better
            assert row[column - 2 : column] == "  "
            assert row.count("±") == 2
    assert sum(" *" in line for line in lines) >= 3
    assert any("(" in line and ")" in line for line in lines if line.startswith("kernel"))
    assert any(line.startswith("taken by: 20 pictures of each, seed 0") for line in lines)
    assert lines[-1] == "page: compare.html"
    assert (home / "compare.html").is_file()
    assert not any(line != line.rstrip() for line in lines)


def test_a_terminal_shows_how_far_it_is_whatever_runs_are_called(home, monkeypatch):
    shown = io.StringIO()
    monkeypatch.setattr(render, "ERRORS", Console(file=shown, force_terminal=True, width=100))
    shutil.copytree(home / "first", home / "[bold]x[")
    main(["compare", "first", "[bold]x[", *QUICK])
    assert "[bold]x[: generated pictures" in shown.getvalue()


def test_json_ends_in_one_object(capsys, home):
    words = ["--against", "kittens:40", "--seed", "3", "--html", "side.html", "--json"]
    main(["compare", "first", "$second$", *QUICK, *words])
    found = json.loads(capsys.readouterr().out)
    assert found["protocol"]["seed"] == 3
    assert [run["run"] for run in found["runs"]] == ["first", "$second$"]
    assert found["page"] == "side.html"
    assert (home / "side.html").is_file()


@pytest.mark.parametrize(
    ("words", "named"),
    [
        (["first"], ["first", "two runs or more"]),
        ([], ["two runs or more"]),
        (["first", "nowhere"], ["nowhere", "no such run or model"]),
        (["first", "cache"], ["cache", "not a run"]),
        (["first", "$second$", "--html", "cache"], ["--html cache", "is a folder"]),
        (["first", "$second$", "--extractor", "rand"], ["rand", "did you mean random?"]),
    ],
)
def test_bad_input_is_one_line_with_the_way_out(words, named, capsys):
    with pytest.raises(SystemExit) as exit_:
        main(["compare", *words])
    captured = capsys.readouterr()
    assert exit_.value.code == 2
    assert captured.out == ""
    assert captured.err.startswith("impasto: ")
    assert captured.err.count("\n") == 1
    for part in named:
        assert part in captured.err
