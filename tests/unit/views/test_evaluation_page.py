import re
from dataclasses import replace

import numpy as np
import pytest
from pages import Page

from impasto.views.evaluation import EvaluationFacts, render_evaluation

HOSTILE = "<script>alert('x')</script>\"&"


@pytest.fixture(scope="module")
def facts():
    images = np.random.default_rng(0).integers(0, 256, (9, 16, 16, 3), dtype=np.uint8)
    return EvaluationFacts(
        what=HOSTILE,
        against=f"90 real ones of {HOSTILE}",
        credit="Cats by David Revoy, CC-BY-4.0",
        scores=[("kernel distance", "0.25 ± 0.01", "lower"), ("recall", "0.5 ± 0.1", "higher")],
        protocol=f"9 generated against 90 real of {HOSTILE}",
        advice=["with 9 pictures all is bias"],
        verdict="memorisation: no sign of it; of 9 samples none",
        caught=False,
        among="training",
        threshold=0.2,
        generated=images,
        copies=images[:4],
        originals=images[4:8],
        distances=[0.1, 0.3, 0.4, 0.5],
    )


def words_of(html):
    return " ".join(" ".join(Page(html).words).split())


def test_scores_stand_with_their_errors_and_how_they_were_taken(facts):
    words = words_of(render_evaluation(facts))
    for part in (
        "kernel distance lower is better 0.25 ± 0.01",
        "recall higher is better 0.5 ± 0.1",
        f"Taken by: {facts.protocol}.",
        f"How its pictures compare with {facts.against}.",
        "With 9 pictures all is bias.",
        "No sign of it; of 9 samples none.",
        "one in a hundred comes closer than 0.200",
    ):
        assert part in words


def test_each_pair_says_how_close_it_is(facts):
    html = render_evaluation(facts)
    assert len(re.findall("<b>distance", html)) == 4
    assert html.count("closer than reals") - html.count("no closer than reals") == 1
    assert Page(html).tags.count("img") == 2 * 4 + 1


def test_copies_are_marked(facts):
    plain = words_of(render_evaluation(facts))
    told = replace(
        facts, caught=True, advice=[], verdict="memorisation: repeats its training pictures"
    )
    html = render_evaluation(told)
    assert '<ul class="notices"><li>Repeats its training pictures.</li></ul>' in html
    assert "Repeats" not in plain


def test_nothing_is_loaded_and_hostile_words_stay_words(facts):
    html = render_evaluation(facts)
    assert "<script" not in html
    assert all(load.startswith("data:") for load in Page(html).loads)
    assert html.count("David Revoy") == 2
