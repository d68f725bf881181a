import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from PIL import Image, ImageDraw, ImageFilter, ImageFont

from impasto.data.config import DataConfig
from impasto.data.decode import decode
from impasto.data.looks.measures import (
    LEAST_CONTRAST,
    LEAST_HIGHLIGHT,
    LEAST_SHARPNESS,
    MOST_FLATNESS,
    MOST_TEXT,
    Measures,
    measure,
    mostly_photographs,
)

WORDS = "the cat sat on a mat and looked at the rain that fell on all the roofs of the town "


@pytest.fixture(scope="module")
def photographs(shared):
    names = ("content_chicago", "content_tubingen", "content_amber")
    pictures = [(shared / "data" / "style" / f"{name}.jpg").read_bytes() for name in names]
    return [decode(picture, config=DataConfig(size=64)) for picture in pictures]


def shrunk(image, size=64):
    return np.asarray(image.convert("RGB").resize((size, size), Image.Resampling.LANCZOS))


def page(*, paper="#ffffff", ink="#202020", points=16):
    image = Image.new("RGB", (500, 500), paper)
    draw, font = ImageDraw.Draw(image), ImageFont.load_default(points)
    for line in range(500 // (points + 4)):
        draw.text(
            (20, 10 + line * (points + 4)), (WORDS * 2)[line : line + 900 // points], ink, font
        )
    return image


def drawing():
    image = Image.new("RGB", (500, 500), "#f0d020")
    draw = ImageDraw.Draw(image)
    draw.ellipse((100, 100, 400, 400), "#2040c0")
    draw.rectangle((180, 220, 320, 420), "#ffffff")
    return image


def blurred(pixels, radius):
    return np.asarray(Image.fromarray(pixels).filter(ImageFilter.GaussianBlur(radius)))


def test_good_photographs_are_beyond_no_limit(photographs):
    for measures in map(measure, photographs):
        assert measures.sharpness > LEAST_SHARPNESS
        assert measures.highlight > LEAST_HIGHLIGHT
        assert measures.contrast > LEAST_CONTRAST
        assert measures.flatness < MOST_FLATNESS
        assert measures.text < MOST_TEXT


def test_each_blur_is_less_sharp_and_a_strong_one_is_blurred(photographs):
    for pixels in photographs:
        falling = [measure(blurred(pixels, radius)).sharpness for radius in (0, 1, 2, 3)]
        assert falling == sorted(falling, reverse=True)
        assert falling[2] < LEAST_SHARPNESS


def test_a_sharp_subject_before_a_blurred_background_is_sharp(photographs):
    pixels = blurred(photographs[1], 4).copy()
    pixels[20:44, 20:44] = photographs[1][20:44, 20:44]
    assert measure(pixels).sharpness > LEAST_SHARPNESS


def test_sharpness_hardly_knows_contrast_and_brightness(photographs):
    for pixels in photographs:
        dim = (pixels * 0.4 + 30).astype(np.uint8)
        assert measure(dim).sharpness == pytest.approx(measure(pixels).sharpness, rel=0.1)


def test_a_dark_picture_is_dark_but_not_one_with_a_lit_subject(photographs):
    dark = (photographs[1] * 0.15).astype(np.uint8)
    assert measure(dark).highlight < LEAST_HIGHLIGHT
    lit = dark.copy()
    lit[30:40, 30:40] = 200
    assert measure(lit).brightness < LEAST_HIGHLIGHT < measure(lit).highlight


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("level", [0, 100, 255])
def test_one_colour_has_no_contrast_and_no_text(channels, level):
    measures = measure(np.full((64, 64, channels), level, np.uint8))
    assert measures.brightness == measures.highlight == pytest.approx(level)
    assert measures.contrast == pytest.approx(0, abs=1e-3)
    assert measures.flatness == 0
    assert measures.text == pytest.approx(0, abs=0.05)


@pytest.mark.parametrize("size", [64, 128])
@pytest.mark.parametrize("points", [12, 20, 28])
def test_pages_are_text_on_light_and_dark_paper(size, points):
    assert measure(shrunk(page(points=points), size)).text > MOST_TEXT
    assert (
        measure(shrunk(page(paper="#101820", ink="#f0f0f0", points=points), size)).text > MOST_TEXT
    )


def test_a_picture_under_as_much_text_is_text(photographs):
    meme = page(points=28)
    meme.paste(Image.fromarray(photographs[1]).resize((500, 250)), (0, 250))
    assert measure(shrunk(meme)).text > MOST_TEXT


def test_drawings_are_flat_and_no_text():
    measures = measure(shrunk(drawing()))
    assert measures.flatness > MOST_FLATNESS
    assert measures.text < MOST_TEXT


def test_a_row_holds_the_numbers_in_the_order_of_their_names(photographs):
    measures = measure(photographs[0])
    row = measures.row()
    assert row.dtype == np.float32
    for name, value in zip(Measures.names(), row, strict=True):
        assert value == np.float32(getattr(measures, name))


def test_a_set_is_photographs_while_drawings_are_the_exception(photographs):
    photograph, drawn = measure(photographs[0]).row(), measure(shrunk(drawing())).row()
    text = measure(shrunk(page())).row()
    few, many = (
        np.stack([photograph] * 8 + [drawn, text]),
        np.stack([photograph] * 2 + [drawn, text]),
    )
    assert mostly_photographs(few)
    assert not mostly_photographs(many)
    assert mostly_photographs(many, np.array([True, True, False, False]))
    wider = np.concatenate([many, np.full((4, 2), np.nan, np.float32)], axis=1)
    assert not mostly_photographs(wider)
    assert mostly_photographs(many[:0])


shapes = st.tuples(st.integers(2, 40), st.integers(2, 40), st.sampled_from([1, 3]))


@given(hnp.arrays(np.uint8, shapes))
def test_any_picture_has_finite_numbers_in_their_ranges(pixels):
    measures = measure(pixels)
    assert all(math.isfinite(value) for value in measures.row())
    assert 0 <= measures.brightness <= 255.01
    assert 0 <= measures.contrast <= measures.highlight + 1e-3 <= 255.1
    assert 0 <= measures.flatness <= 1
    assert measures.sharpness >= 0
