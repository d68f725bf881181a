import io
import re
from dataclasses import replace

import numpy as np
import pytest
from pages import Page, embedded
from PIL import Image

from impasto.events import Diagnosed, Finished, Healed, Noticed, Scored, Started, Tick
from impasto.sheets import encode_png
from impasto.views.page import duration
from impasto.views.report import LARGEST_FILM, ReportFacts, render_report

HOSTILE = "<script>alert('x')</script>\"&.jpg"


def png(side, seed=0):
    rng = np.random.default_rng(seed)
    return encode_png(rng.integers(0, 256, (side, side, 3), dtype=np.uint8))


def webp(side):
    buffer = io.BytesIO()
    Image.new("RGB", (side, side), "red").save(buffer, "WEBP")
    return buffer.getvalue()


@pytest.fixture(scope="module")
def facts():
    scalars = {"generator_loss": 1.0, "discriminator_loss": 0.5, "real_score": 0.8}
    events = [
        Started(0, "run", "tiny", 90, 10, "1 minutes", "cpu", 1, "32-true", {"generator": 1234}),
        *(Tick(64 * i, 0.5, 2.0 * i, 32.0, 9.0, scalars) for i in range(1, 100)),
        Noticed(640, f"look out {HOSTILE}"),
        Finished(6400, 200.0, "budget"),
    ]
    return ReportFacts(
        title=f"Cats {HOSTILE}",
        recipe="tiny",
        description="A tiny one & more",
        source=HOSTILE,
        credit="Cats by David Revoy, CC-BY-4.0",
        resume=f"impasto resume '{HOSTILE}'",
        sample="impasto sample run -n 64",
        kept=100,
        rejected=3,
        rejects=[(HOSTILE, "not a picture")],
        config=f"data:\n  source: {HOSTILE}\n",
        environment={"torch": "2.6", HOSTILE: "there"},
        parameters={"generator": 1_234_567},
        events=events,
        grid=png(64),
        beside=png(70, seed=1),
        film=webp(80),
    )


@pytest.fixture(scope="module")
def page(facts):
    return Page(render_report(facts))


def test_every_picture_stands_inside_as_it_was(page, facts):
    assert embedded(page) == [
        ("image/png", facts.grid),
        ("image/webp", facts.film),
        ("image/png", facts.beside),
    ]


def test_nothing_is_loaded_from_outside(page, facts):
    assert all(load.startswith(("data:", "#")) for load in page.loads)
    html = render_report(facts)
    assert "@import" not in html
    assert not re.search(r"url\((?!#)", html)
    assert "default-src 'none'" in html


def test_hostile_words_stay_words(page, facts):
    assert "script" not in page.tags
    words = "".join(page.words)
    assert words.count(HOSTILE) >= 7
    assert "<script" not in render_report(facts)


def test_a_newcomer_reads_what_it_is(page):
    words = " ".join("".join(page.words).split())
    assert "90 pictures of" in words  # 10 of the 100 were held out
    assert "for 3 minutes on a CPU: 6.4k images seen" in words
    assert "1.23M" in words
    assert "3 files left out" in words
    assert "and 2 more" in words
    assert "impasto sample run -n 64" in words


def test_the_credit_stands_under_every_picture(facts):
    captions = re.findall(r'class="picture">.*?</figure>', render_report(facts), re.DOTALL)
    assert len(captions) == 3
    assert all("David Revoy, CC-BY-4.0" in caption for caption in captions)


def test_curves_stand_inline_with_their_reading(page):
    assert page.tags.count("svg") == 2
    assert "Healthy:" in "".join(page.words)


def test_what_is_missing_is_left_out(facts):
    bare = replace(
        facts,
        grid=None,
        beside=None,
        film=None,
        events=[],
        rejected=0,
        rejects=[],
        environment={},
        credit="",
        description="",
    )
    page = Page(render_report(bare))
    assert "img" not in page.tags
    assert "svg" not in page.tags
    assert page.words.count("Go on") == 1
    assert not {"Out of the noise", "How training went", "Worth knowing"} & set(page.words)


def test_an_mp4_is_a_video_that_plays_on_a_phone(facts):
    html = render_report(replace(facts, film=b"moving", film_mime="video/mp4"))
    assert '<video controls autoplay loop muted playsinline src="data:video/mp4;base64,' in html
    Page(html)


def test_the_page_stays_small(facts):
    big = replace(facts, grid=png(1100), beside=png(1100), film=bytes(LARGEST_FILM + 1))
    html = render_report(big)
    kinds = [mime for mime, _ in embedded(Page(html))]
    assert kinds == ["image/webp", "image/webp"]
    assert "The film is too large" in html
    assert len(html) < 6_000_000


def test_a_notice_that_repeats_is_told_once_and_many_are_folded(facts):
    events = [Noticed(i, f"notice {i % 20:02}") for i in range(100)]
    page = Page(render_report(replace(facts, events=events, rejected=0)))
    told = [word for word in page.words if word.startswith("notice ")]
    assert told == [f"notice {i:02}" for i in reversed(range(20))]
    assert "8 more" in page.words


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (1, "1 second"),
        (42.4, "42 seconds"),
        (480, "8 minutes"),
        (12_000, "3 h 20 min"),
        (187_200, "2 days 4 h"),
        (359_999, "4 days 4 h"),
    ],
)
def test_times_read_as_people_say_them(seconds, words):
    assert duration(seconds) == words


# Health ---------------------------------------------------------------------------------------


def diagnosed(images, *, present=True, name="discriminator wins"):
    return Diagnosed(
        images, present, name, "alarm", f"it is sure {HOSTILE}", {"separation": 0.99}, "Too fast.",
        "Slow it", ["family.discriminator_pace=0.5"],
    )  # fmt: skip


def health_of(facts, *events):
    looks = [Tick(64 * i, i / 9, 1.0, 1.0, 1.0, {"diversity": 0.1 * i}) for i in range(1, 9)]
    html = render_report(replace(facts, events=[*facts.events, *looks, *events]))
    Page(html)
    return html[html.index("<h2>Health") : html.index("<h2>How training went")]


def test_a_run_that_was_never_looked_into_says_nothing_of_its_health(page):
    assert "Health" not in page.words


def test_a_healthy_run_is_told_so(facts):
    assert "All is well" in health_of(facts)


def test_an_alarm_has_its_evidence_and_its_remedy(facts):
    told = health_of(facts, diagnosed(128))
    assert "All is well" not in told
    assert "discriminator wins" in told
    assert "--set family.discriminator_pace=0.5" in told
    assert "separation 0.99" in told
    assert "<script>" not in told


def test_what_has_gone_is_no_alarm(facts):
    told = health_of(facts, diagnosed(128), diagnosed(640, present=False))
    assert "All is well" in told
    assert "from 128 images on; gone at 640" in told


def test_what_a_run_did_about_it_is_told(facts):
    healed = Healed(256, "divergence", "slow down", ["family.learning_rate=5e-05"], 128)
    told = health_of(facts, healed)
    assert "Healed divergence" in told
    assert "with the weights of 128 images" in told


def test_signals_are_folded_and_scores_are_not(facts):
    scores = [
        Scored(64 * i, {"recall": {"value": i / 9}}, best=True, seconds=1.0) for i in range(1, 9)
    ]
    looks = [Tick(64 * i, i / 9, 1.0, 1.0, 1.0, {"diversity": 0.1 * i}) for i in range(1, 9)]
    html = render_report(replace(facts, events=[*looks, *scores]))
    assert html.index("Recall, as usual; higher is better") < html.index("Signals of its health")
    assert html.index("Signals of its health") < html.index("Variety of samples")
