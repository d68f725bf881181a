import io

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from impasto.data.config import DataConfig
from impasto.data.crop import centered, random_boxes, source_box, stored_side
from impasto.data.decode import Undecodable, decode

CROPS = st.sampled_from(["center", "squash", "pad", "random"])
# Settings, not a DataConfig: making one in a strategy would make beartype draw random numbers.
SETTINGS = st.fixed_dictionaries(
    {
        "size": st.integers(4, 40),
        "channels": st.sampled_from([1, 3]),
        "crop": CROPS,
        "crop_pixels": st.none() | st.integers(1, 60),
    }
)
KINDS = st.sampled_from(["PNG", "JPEG", "WEBP", "BMP", "GIF", "TIFF"])


def encoded(kind: str, width: int, height: int, seed: int) -> bytes:
    pixels = np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, kind)
    return buffer.getvalue()


@settings(deadline=None, max_examples=60)
@given(
    chosen=SETTINGS,
    kind=KINDS,
    width=st.integers(1, 80),
    height=st.integers(1, 80),
    seed=st.integers(0, 9),
)
def test_any_picture_has_the_stored_shape(chosen, kind, width, height, seed):
    config = DataConfig(**chosen)
    pixels = decode(encoded(kind, width, height, seed), config=config)
    side = stored_side(config)
    assert pixels.shape == (side, side, config.channels)
    assert pixels.dtype == np.uint8


def picture_or_reason(content: bytes) -> bool:
    """Whether bytes give a picture of the right shape, or one line that says why not."""
    try:
        pixels = decode(content, config=DataConfig(size=8))
    except Undecodable as problem:
        return len(str(problem).splitlines()) == 1
    return pixels.shape == (8, 8, 3)


@settings(deadline=None, max_examples=150)
@given(kind=KINDS, data=st.data())
def test_damaged_bytes_give_a_picture_or_a_reason(kind, data):
    content = bytearray(encoded(kind, 24, 20, 0))
    for place in data.draw(st.lists(st.integers(0, len(content) - 1), max_size=8)):
        content[place] = data.draw(st.integers(0, 255))
    content = content[: data.draw(st.integers(0, len(content)))]
    assert picture_or_reason(bytes(content))


@given(content=st.binary(max_size=300))
def test_any_bytes_give_a_picture_or_a_reason(content):
    assert picture_or_reason(content)


@given(width=st.integers(1, 5000), height=st.integers(1, 5000), chosen=SETTINGS)
def test_boxes_lie_about_the_centre(width, height, chosen):
    config = DataConfig(**chosen)
    left, top, right, bottom = source_box(width, height, config)
    assert 0 <= left < right <= width
    assert 0 <= top < bottom <= height
    assert abs(left - (width - right)) <= 1
    assert abs(top - (height - bottom)) <= 1
    if config.crop == "center":
        assert right - left == bottom - top
    if config.crop_pixels:
        assert max(right - left, bottom - top) <= config.crop_pixels


@given(
    width=st.integers(50, 900),
    aspect=st.floats(0.91, 1.09),
    seed=st.integers(0, 2**32 - 1),
    side=st.integers(8, 99),
)
def test_random_crops_fit_and_keep_their_promise(width, aspect, seed, side):
    generator = np.random.default_rng(seed)
    wide, high = np.full(20, float(width)), np.full(20, width / aspect)
    boxes = random_boxes(wide, high, generator.random((20, 10, 2)), generator.random((20, 2)), side)
    assert (boxes[:, :2] >= 0).all()
    assert (boxes[:, 2:] <= side).all()
    across = (boxes[:, 2] - boxes[:, 0]) / side * wide
    down = (boxes[:, 3] - boxes[:, 1]) / side * high
    square = np.isclose(across, down)  # the fallback
    area = across * down / (wide * high)
    assert ((area > 0.8999) | square).all()
    assert (area < 1.0001).all()
    assert ((across / down > 0.8999) & (across / down < 1.1001)).all()


@given(width=st.integers(50, 900), height=st.integers(50, 900), side=st.integers(8, 99))
def test_the_centred_box_is_square_in_the_picture(width, height, side):
    left, top, right, bottom = centered((10, 10, 10 + width, 10 + height), side)
    across, down = (right - left) / side * width, (bottom - top) / side * height
    assert np.isclose(across, down)
    assert np.isclose(across, min(width, height))
