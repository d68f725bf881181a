"""What `impasto doctor` says, and what a training says of its health in the terminal."""

import json

import pytest
from small import start

from impasto.cli.main import main
from impasto.runs.directory import Run

STILL = "family.learning_rate=1e-8"


@pytest.fixture(scope="module")
def ill(tmp_path_factory):
    run = tmp_path_factory.mktemp("doctor") / "ill"
    start(run, STILL, source="kittens:300", steps=40).finish()
    return run


@pytest.fixture(scope="module")
def young(tmp_path_factory):
    run = tmp_path_factory.mktemp("doctor") / "young"
    start(run, "train.looks=2", source="kittens:300", steps=4).finish()
    return run


def test_a_finding_has_symptom_evidence_cause_and_remedy(ill, capsys):
    main(["doctor", str(ill)])
    told = capsys.readouterr().out
    assert "! learning rate too low, from" in told
    for part in (
        "symptom:",
        "evidence: generator_update_ratio",
        "cause:",
        "remedy:",
        "--set family.learning_rate",
    ):
        assert part in told


def test_json_ends_in_one_object(ill, capsys):
    main(["doctor", str(ill), "--json"])
    found = json.loads(capsys.readouterr().out)
    assert found["run"] == str(ill)
    assert found["well"] is False
    (finding,) = found["findings"]
    assert {
        "name",
        "severity",
        "symptom",
        "evidence",
        "cause",
        "remedy",
        "settings",
    } <= finding.keys()
    assert finding["present"]


def test_health_that_is_well_is_a_finding_too(capsys, tmp_path):
    """Of the same looks, with the steps that a healthy run makes."""
    run = tmp_path / "run"
    start(run, source="kittens:300", steps=40).finish()
    events = (run / "events.jsonl").read_text().splitlines()
    healthy = {
        "separation": 0.6,
        "diversity": 0.9,
        "apartness": 0.9,
        "energy_distance": 0.1,
        "grid_change": 0.2,
        "checkerboard": 0.1,
        "batch_leak": 0.0,
        "copied": 0.0,
        "copied_surely": 0.0,
        "recognition": 0.5,
        "generator_loss": 0.9,
        "discriminator_loss": 1.3,
        "generator_update_ratio": 0.004,
        "discriminator_update_ratio": 0.004,
        "loader_wait": 0.0,
    }
    rewritten = []
    for line in events:
        event = json.loads(line)
        if event["event"] == "tick" and "diversity" in event["scalars"]:
            event["scalars"] |= healthy
        rewritten.append(json.dumps(event))
    (run / "events.jsonl").write_text("\n".join(rewritten) + "\n")
    main(["doctor", str(run), "--json"])
    found = json.loads(capsys.readouterr().out)
    assert found["well"] is True
    assert [(f["name"], f["severity"]) for f in found["findings"]] == [("well", "good")]
    main(["doctor", str(run)])
    assert "+ well, from" in capsys.readouterr().out


def test_of_a_young_run_nothing_is_said(young, capsys):
    main(["doctor", str(young)])
    assert "too early to say" in capsys.readouterr().out
    main(["doctor", str(young), "--json"])
    assert json.loads(capsys.readouterr().out)["findings"] == []


def test_a_training_tells_its_health_in_the_terminal(tmp_path, capsys):
    words = ["train", "kittens:300", "--recipe", "mnist-mlp", "--to", str(tmp_path / "run")]
    sizes = [
        "data.size=8",
        "data.channels=1",
        "family.width=16",
        "family.latents=8",
        "train.batch=4",
    ]
    main([*words, "--steps", "40", "--device", "cpu", "--set", *sizes, "train.grid=4", STILL])
    told = capsys.readouterr().out
    assert "health: learning rate too low: a step changes the weights" in told
    assert "--set family.learning_rate=0.0001" in told
    assert (tmp_path / "run" / "events.jsonl").is_file()
    assert Run.open(tmp_path / "run").config.family.learning_rate == 1e-8


def test_what_is_no_run_is_one_line_with_the_way_out(tmp_path, capsys):
    with pytest.raises(SystemExit) as exit_:
        main(["doctor", str(tmp_path)])
    captured = capsys.readouterr()
    assert exit_.value.code == 2
    assert captured.out == ""
    assert captured.err.startswith("impasto: ")
    assert captured.err.count("\n") == 1
    assert "impasto train" in captured.err
