import math
import re
from dataclasses import replace

import numpy as np
import pytest
from pages import Page, embedded

from impasto.events import Scored, Tick
from impasto.sheets import encode_png
from impasto.views.comparison import (
    Cell,
    ComparisonFacts,
    Entry,
    Row,
    errors_behind,
    render_comparison,
)
from impasto.views.curves import colours_of

HOSTILE = "<script>alert('x')</script>\"&$a$_"


def png(side, seed=0):
    rng = np.random.default_rng(seed)
    return encode_png(rng.integers(0, 256, (side, side, 3), dtype=np.uint8))


def ticks(**scalars):
    return [
        Tick(64 * i, 0.5, 2.0 * i, 32.0, 9.0, {name: v / i for name, v in scalars.items()})
        for i in range(1, 30)
    ]


def entry(name, seed, **changed):
    told = Entry(
        name=name,
        recipe="kittens",
        images_seen=12_300,
        seconds=480.0,
        size=64,
        source="cats.zip",
        credit="Cats by David Revoy, CC-BY-4.0",
        copies="no sign of it; of 100 samples none",
        caught=False,
        events=ticks(generator_loss=1.0 + seed, real_score=0.9, loader_wait=0.1),
        grid=png(64, seed),
        grid_images=12_000,
        resume=f"impasto resume runs/{name}",
        sample=f"impasto sample runs/{name} -n 64",
    )
    return replace(told, **changed)


def cell(score, behind=0.0, *, best=False):
    return Cell(score, best=best, behind=behind, clear=behind >= 2)


@pytest.fixture
def facts():
    return ComparisonFacts(
        entries=[entry(HOSTILE, 0), entry("b", 1, caught=True, copies="repeats them")],
        rows=[
            Row("kernel distance", "lower", [cell("0.25 ± 0.01", best=True), cell("0.40 ± 0.02", 6.7)]),
            Row("recall", "higher", [cell("0.5 ± 0.1", 1.2), cell("0.6 ± 0.1", best=True)]),
            Row("precision", "higher", [cell("0 ± 0"), cell("0 ± 0")]),
        ],
        against=f"100 real pictures of {HOSTILE}",
        terms="100 pictures of each, seed 0",
        notes=["with few pictures all is bias"],
        settings=[("train.seed", ["0", "1"]), ("family.name", [HOSTILE, "trick_gan"])],
    )  # fmt: skip


@pytest.fixture
def page(facts):
    return Page(render_comparison(facts))


def words_of(page):
    return " ".join("".join(page.words).split())


def test_nothing_is_loaded_from_outside_and_hostile_words_stay_words(page, facts):
    assert all(load.startswith(("data:", "#")) for load in page.loads)
    html = render_comparison(facts)
    assert "<script" not in html
    assert "@import" not in html
    assert not re.search(r"url\((?!#)", html)
    assert "default-src 'none'" in html
    assert "".join(page.words).count(HOSTILE) > 8


def test_the_table_says_who_is_best_and_how_far_the_others_are(page):
    words = words_of(page)
    assert "kernel distance lower is better" in " ".join(page.words).replace("\n", " ")
    assert "0.25 ± 0.01best" in words
    assert "0.40 ± 0.026.7 errors behind" in words
    assert "0.5 ± 0.11.2 errors behind" in words
    assert words.count("0 ± 0the same") == 2
    assert "With few pictures all is bias." in words
    assert "12.3k" in words
    assert "8 minutes" in words


def test_only_a_clear_difference_is_pale(facts):
    html = render_comparison(facts)
    assert re.findall(r'<td class="behind">([^<]*)', html) == ["0.40 ± 0.02"]
    assert re.findall(r'<td class="best">([^<]*)', html) == ["0.25 ± 0.01", "0.6 ± 0.1"]


def test_grids_stand_side_by_side_as_they_were_each_with_its_credit(page, facts):
    assert embedded(page) == [("image/png", entry.grid) for entry in facts.entries]
    captions = re.findall(r"Generated pictures of.*?</figure>", render_comparison(facts), re.DOTALL)
    assert len(captions) == 2
    assert all("David Revoy, CC-BY-4.0" in caption for caption in captions)


def test_each_run_has_one_colour_everywhere(facts):
    html = render_comparison(facts)
    for colour, _ in colours_of(2):
        assert html.count(f"border-top: 3px solid {colour}") > 5
        assert html.count(f"stroke: {colour}") == 3


def test_curves_are_those_that_runs_share(page, facts):
    assert page.tags.count("svg") == 3
    words = words_of(page)
    assert "Generator loss" in words
    assert "1 more curve " in words
    html = render_comparison(facts)
    assert html.index("Generator loss") < html.index("<details>") < html.index("Loader wait")
    alone = replace(facts, entries=[facts.entries[0], entry("b", 1, events=[])])
    assert "How training went" not in render_comparison(alone)


def test_scores_taken_while_training_come_first(facts):
    scored = [
        Scored(100 * i, {"kernel_distance": {"value": 1 / i}}, best=True, seconds=1.0)
        for i in range(1, 5)
    ]
    entries = [replace(told, events=[*told.events, *scored]) for told in facts.entries]
    html = render_comparison(replace(facts, entries=entries))
    assert html.index("Kernel distance, as usual; lower is better") < html.index("Generator loss")


def test_a_model_without_a_run_has_less_to_tell(facts):
    bare = entry("c", 2, events=[], seconds=None, copies="", resume="", credit="")
    html = render_comparison(replace(facts, entries=[*facts.entries, bare]))
    words = words_of(Page(html))
    assert "3 models" in words
    assert "not known" in words
    assert "nobody can tell" in words
    assert "impasto resume runs/c" not in words
    assert "impasto sample runs/c" in words


def test_settings_that_are_all_alike_are_told_so(facts):
    words = words_of(Page(render_comparison(replace(facts, settings=[]))))
    assert "What differs in their settings Nothing." in words.replace(
        "settingsNothing", "settings Nothing"
    )


@pytest.mark.parametrize(
    ("behind", "words"),
    [
        (2.345, "2.3 errors behind"),
        (250.0, "over 100 errors behind"),
        (math.inf, "behind"),
        (math.nan, "no number"),
    ],
)
def test_distances_to_the_best_are_words(behind, words):
    assert errors_behind(behind) == words
