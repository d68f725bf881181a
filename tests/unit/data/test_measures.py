import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFilter, ImageFont

from impasto.data.measures import (
    LEAST_CONTRAST,
    LEAST_HIGHLIGHT,
    LEAST_SHARPNESS,
    MEASURES,
    MOST_FLATNESS,
    MOST_TEXT,
    Measures,
    measure,
    mostly_photographs,
)


def scene(seed: int = 0) -> Image.Image:
    """Soft shades with a few hard edges and some grain, as in a photograph."""
    generator = np.random.default_rng(seed)
    shades = Image.fromarray(generator.integers(0, 256, (5, 5, 3), dtype=np.uint8))
    image = shades.resize((64, 64), Image.Resampling.BICUBIC)
    draw = ImageDraw.Draw(image)
    for _ in range(4):
        left, top = generator.integers(0, 44, 2).tolist()
        shade = tuple(generator.integers(0, 256, 3).tolist())
        draw.ellipse((left, top, left + 18, top + 14), fill=shade)
    grain = generator.normal(0, 6, (64, 64, 3))
    return Image.fromarray((np.asarray(image) + grain).clip(0, 255).astype(np.uint8))


def of(image: Image.Image) -> Measures:
    pixels = np.asarray(image)
    return measure(pixels if pixels.ndim == 3 else pixels[:, :, None])


def page() -> Image.Image:
    image = Image.new("RGB", (128, 128), "white")
    draw = ImageDraw.Draw(image)
    for line in range(14):
        draw.text((2, 9 * line), "never odd or even, a word", "black", ImageFont.load_default(9))
    return image


@pytest.mark.parametrize("seed", range(6))
def test_a_scene_passes_and_its_blurred_or_dark_version_does_not(seed):
    good = of(scene(seed))
    assert good.sharpness > LEAST_SHARPNESS
    assert good.highlight > LEAST_HIGHLIGHT
    assert good.contrast > LEAST_CONTRAST
    assert good.flatness < MOST_FLATNESS
    assert good.text < MOST_TEXT
    blurred = of(scene(seed).filter(ImageFilter.GaussianBlur(3)))
    assert blurred.sharpness < LEAST_SHARPNESS < good.sharpness
    assert of(scene(seed).point(lambda level: level // 6)).highlight < LEAST_HIGHLIGHT


def test_one_colour_a_page_and_a_drawing_are_told():
    assert of(Image.new("RGB", (64, 64), "#336699")).contrast == 0
    assert of(page()).text > MOST_TEXT
    drawing = Image.new("RGB", (64, 64), "white")
    ImageDraw.Draw(drawing).rectangle((10, 20, 50, 40), fill="red", outline="black")
    assert of(drawing).flatness > MOST_FLATNESS


def test_brightness_is_the_mean():
    assert of(Image.new("L", (9, 7), 77)).brightness == 77
    assert of(Image.new("RGB", (9, 7), (255, 0, 0))).brightness == pytest.approx(76, abs=1)


@pytest.mark.parametrize("size", [(2, 2), (3, 40), (17, 5), (33, 64)])
@pytest.mark.parametrize("mode", ["L", "RGB"])
def test_any_size_has_finite_measures(size, mode):
    row = of(scene().convert(mode).resize(size)).row()
    assert row.dtype == np.float32
    assert np.isfinite(row).all()
    assert len(row) == len(MEASURES) - 3


def test_drawings_are_flaws_only_among_photographs():
    photograph, drawing = of(scene()).row(), of(page()).row()
    assert mostly_photographs(np.array([photograph] * 9 + [drawing]))
    assert not mostly_photographs(np.array([photograph] * 5 + [drawing] * 5))
    among = np.array([True] * 5 + [False] * 5)
    assert mostly_photographs(np.array([photograph] * 5 + [drawing] * 5), among)
