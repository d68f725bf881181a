import io
import re
from dataclasses import replace

import numpy as np
import pytest
from pages import Page, embedded
from PIL import Image

from impasto.data.inspection.facts import (
    SIDES,
    Advice,
    Aspects,
    Balance,
    Inspection,
    Measured,
    Numbers,
    Range,
    Shown,
    Sizes,
    Twins,
)
from impasto.views.health import render_health

HOSTILE = "<script>alert('x')</script>\"&.jpg"


def pictures(*shape, seed=0):
    return np.random.default_rng(seed).integers(0, 256, shape, dtype=np.uint8)


@pytest.fixture(scope="module")
def found():
    side = Range(20, 64.0, 300)
    return Inspection(
        source=f"/home/someone/{HOSTILE.replace('/', '-')}",
        credit="Cats by David Revoy, CC-BY-4.0",
        notices=(f"7 pictures have no row, the first is {HOSTILE}",),
        found=1_003,
        pictures=1_000,
        kept=990,
        prepared=None,
        sizes=Sizes(
            side,
            side,
            ((64, 64, 990), (20, 300, 10)),
            side,
            dict(zip(SIDES, (1, 1, 0.99, 0, 0, 0), strict=True)),
            ((16, 24, 10), (64, 96, 990)),
        ),
        aspects=Aspects(
            0.07, 1.0, 1.0, ((1.0, 990),), 0.99, 0.01, 0.01, 0.0, {"square": 990, "taller": 10}
        ),
        modes={"RGB": 1_000},
        grey=0.0,
        shared=0.2,
        classes={HOSTILE: 700, "other": 290},
        balance=Balance(2.41, 0.29, 1.83),
        attributes={f"fur {HOSTILE}": {"red": 500, HOSTILE: 490}},
        missing={"class": 10},
        numbers={"age": Numbers(1.0, 2.5, 9.0, 3), "weight": Numbers(None, None, None, 1_000)},
        duplicates=(("a.jpg", HOSTILE),),
        near_duplicates=Twins(40, ((HOSTILE, "kept.jpg", 3),)),
        rejected={"dark": 9, "duplicate": 1},
        examples={
            "dark": ((HOSTILE, "brightness 3"), ("b.jpg", "brightness 4")),
            "duplicate": ((HOSTILE, f"of {HOSTILE}"),),
        },
        broken=((HOSTILE, f"damaged: {HOSTILE}"),),
        photographs=True,
        measures={"sharpness": Measured(0.1, 0.25, 0.912345, "how sharp")},
        advice=(
            Advice("crop", f"Take `--crop random` for {HOSTILE}.", "note"),
            Advice("amount", "Few.", "warning"),
        ),
        shown=Shown(
            some=pictures(20, 16, 16, 3),
            mean=pictures(16, 16, 3),
            averaged=990,
            rejects={
                "dark": pictures(2, 16, 16, 3, seed=1),
                "duplicate": pictures(1, 16, 16, 3, seed=2),
            },
            twins=pictures(1, 2, 16, 16, 3, seed=3),
        ),
    )


@pytest.fixture(scope="module")
def page(found):
    return Page(render_health(found))


def words_of(page):
    return " ".join("".join(page.words).split())


def test_every_picture_stands_inside(page):
    shown = embedded(page)
    assert [mime for mime, _ in shown] == ["image/png"] * 2 + ["image/webp"] * 5
    sizes = [Image.open(io.BytesIO(content)).size for _, content in shown]
    assert sizes[1] == (256, 256), "the average is enlarged by whole pixels"
    assert sizes[2:] == [(16, 16)] * 5


def test_thumbnails_show_the_pictures_they_name(found):
    flat = np.full((2, 16, 16, 3), 40, np.uint8)
    flat[1] = 200
    rejects = {**found.shown.rejects, "dark": flat}
    html = render_health(replace(found, shown=replace(found.shown, rejects=rejects)))
    levels = [
        np.asarray(Image.open(io.BytesIO(content)).convert("RGB")).mean()
        for _, content in embedded(Page(html))[2:4]
    ]
    assert levels == pytest.approx([40, 200], abs=4)
    assert html.index(">brightness 3<") < html.index(">brightness 4<")


def test_large_pictures_are_shown_small(found):
    large = Shown(
        some=pictures(2, 300, 300, 3),
        mean=pictures(300, 300, 3),
        averaged=2,
        rejects={"dark": pictures(2, 300, 300, 3)},
        twins=pictures(1, 2, 300, 300, 3),
    )
    html = render_health(replace(found, shown=large))
    sizes = [Image.open(io.BytesIO(content)).size for _, content in embedded(Page(html))]
    assert sizes[2:] == [(128, 128)] * 4


def test_nothing_is_loaded_from_outside(page, found):
    assert all(load.startswith("data:") for load in page.loads)
    html = render_health(found)
    assert "@import" not in html
    assert not re.search(r"url\((?!#)", html)
    assert "default-src 'none'" in html


def test_hostile_words_stay_words(page, found):
    assert "script" not in page.tags
    assert "".join(page.words).count(HOSTILE) >= 9
    assert "<script" not in render_health(found)


def test_a_newcomer_reads_what_is_there(page):
    words = words_of(page)
    assert "1,000 of 1,003 files can be decoded, and the standard rules keep 990" in words
    assert "64x64 (990)" in words
    assert "As varied as 1.83 classes" in words
    assert "2.41 times" in words
    assert "10 pictures without a class" in words
    assert "1 to 9, median 2.5; 3 missing" in words
    assert "40 pictures left out for looking like one that is kept" in words
    assert "3 bits of 144 differ" in words
    assert "how sharp" in words
    assert "0.912" in words
    assert "1 file that cannot be decoded" in words


def test_the_folders_above_the_source_are_nobodys_business(found):
    train = Advice("recipe", f"`impasto train {found.source} --recipe kittens`", "note")
    html = render_health(replace(found, advice=(train,)))
    assert "someone" not in html
    assert "--recipe kittens" in html


def test_what_is_typed_is_code(found):
    assert "<code>--crop random</code>" in render_health(found)


def test_the_credit_stands_under_all_pictures(found):
    html = render_health(found)
    assert html.count("Pictures: Cats by David Revoy, CC-BY-4.0.") == 4
    assert "David Revoy" not in render_health(replace(found, credit=None))


def test_bars_are_as_long_as_their_numbers(found):
    html = render_health(replace(found, classes={"a": 400, "b": 100, "c": 0}))
    assert re.findall(r"<th>[abc]</th><td>(.*?)</td>", html) == [
        '<i style="width:100%"></i>',
        '<i style="width:25%"></i>',
        "",
    ]


def test_very_many_classes_are_folded(found):
    many = {f"class {number}": number for number in range(100)}
    page = Page(render_health(replace(found, classes=many)))
    assert "60 more" in page.words
    assert page.words.index("class 99") < page.words.index("60 more") < page.words.index("class 0")


def test_what_is_missing_is_left_out(found):
    bare = replace(
        found,
        pictures=0,
        kept=0,
        sizes=None,
        aspects=None,
        classes={},
        attributes={},
        numbers={},
        duplicates=(),
        near_duplicates=Twins(0, ()),
        rejected={},
        examples={},
        measures={},
        advice=(),
        shown=replace(found.shown, some=found.shown.some[:0], mean=None, rejects={}, twins=found.shown.twins[:0]),
    )  # fmt: skip
    page = Page(render_health(bare))
    assert "img" not in page.tags
    titles = {"Sizes and shapes", "Classes", "Labels", "Left out", "Near duplicates", "Measures"}
    assert not titles & set(page.words)
    assert "Broken" in page.words
    Page(render_health(replace(bare, shown=None, broken=())))


def test_a_prepared_set_is_told_as_one(found):
    html = render_health(replace(found, prepared=96))
    assert "the rules it was prepared with keep" in html
    assert "<dt>pixels, prepared</dt><dd>96</dd>" in html


def test_grey_pictures_are_shown(found):
    grey = Shown(
        pictures(3, 8, 8, 1), pictures(8, 8, 1), 3, {"dark": pictures(2, 8, 8, 1)}, pictures(1, 2, 8, 8, 1)
    )  # fmt: skip
    assert len(embedded(Page(render_health(replace(found, shown=grey))))) == 6


def test_long_lists_end_somewhere(found):
    many = tuple((f"{number}.jpg", "damaged") for number in range(3_000))
    html = render_health(replace(found, broken=many))
    assert "and 2,000 more; --json lists them all" in html
    assert html.count(".jpg</th>") < 1_100
