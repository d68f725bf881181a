import json
from dataclasses import asdict, fields, replace

import pytest
from clouds import PROTOCOL, cloud

from impasto.evaluation.evaluation import Evaluation, scores_of
from impasto.evaluation.memorization import CopyTest
from impasto.evaluation.score import METRICS, Protocol, Score

SCORE = Score("kernel_distance_unit", 0.2513, 0.0123, PROTOCOL)
TOLD = (
    "1,234 real of cats.zip (held-out, data f00dcafef00d)",
    "987 generated (averaged weights, seed 7)",
    "at 64 pixels",
    "mobilenet-v2, sha256 b03531047ffa, stretched to 224x224",
)


@pytest.mark.parametrize("say", [str, repr, format, "{}".format, "{!r}".format, "{!s}".format])
def test_however_a_score_is_printed_it_tells_how_it_was_taken(say):
    said = say(SCORE)
    assert said.startswith("kernel distance, unit length 0.251 ± 0.012 (lower is better; ")
    for part in TOLD:
        assert part in said


def test_a_score_is_printed_in_f_strings_and_lists_alike():
    assert f"{SCORE}" == f"{SCORE!r}" == str([SCORE])[1:-1]


@pytest.mark.parametrize("form", [".2f", "g", ">10"])
def test_a_score_is_not_formatted_as_a_mere_number(form):
    with pytest.raises(TypeError):
        format(SCORE, form)


def test_a_score_is_not_made_without_its_protocol():
    with pytest.raises(TypeError):
        Score("kernel_distance", 0.25, 0.01)
    given = {field.name: getattr(PROTOCOL, field.name) for field in fields(Protocol)}
    for name in given:
        with pytest.raises(TypeError):
            Protocol(**{key: value for key, value in given.items() if key != name})


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"ema": False}, "(last weights, seed 7)"),
        ({"ema": None, "seed": None}, "987 generated (not drawn by a model) against"),
        ({"softened": 32}, "at 64 pixels, both softened to 32 pixels first"),
        ({"split": "all"}, "(all, data"),
    ],
)
def test_what_differs_is_told(change, told):
    assert told in str(replace(PROTOCOL, **change))


def test_every_metric_says_which_way_is_better():
    assert {Score(name, 0, 0, PROTOCOL).better for name in METRICS} == {"lower", "higher"}
    assert len({Score(name, 0, 0, PROTOCOL).title for name in METRICS}) == len(METRICS)


# All of them ------------------------------------------------------------------------------------


@pytest.fixture
def evaluation():
    real, generated = cloud(40, seed=1, shift=0.5), cloud(30, seed=2, shift=0.5)
    copies = CopyTest(real, real[:0])(generated)
    return Evaluation(PROTOCOL, scores_of(real, generated, PROTOCOL), copies, ("Mind the gap.",))


@pytest.mark.parametrize("say", [str, repr, format])
def test_however_an_evaluation_is_printed_it_tells_how_it_was_taken(evaluation, say):
    said = say(evaluation)
    for part in TOLD:
        assert part in said
    assert "Mind the gap." in said


def test_an_evaluation_is_a_row_a_score(evaluation):
    rows = str(evaluation).splitlines()
    assert len(rows) == len(evaluation.scores) + 3
    assert rows[0].startswith("kernel distance, unit length  ")
    assert rows[-3].startswith("taken by: 987 generated")
    assert rows[-2].startswith("memorisation: ")
    assert rows[-1] == "note: Mind the gap."


def test_plain_scores_carry_their_protocol_each(evaluation):
    plain = json.loads(json.dumps(evaluation.to_plain(), allow_nan=False))
    assert plain.keys() == {"scores", "memorization", "attributes", "advice"}
    for name, told in plain["scores"].items():
        score = evaluation.scores[name]
        assert told == {
            "value": score.value,
            "standard_error": score.standard_error,
            "better": METRICS[name][1],
            **asdict(PROTOCOL),
        }
    assert plain["memorization"]["memorized"] is False
    assert plain["advice"] == ["Mind the gap."]
