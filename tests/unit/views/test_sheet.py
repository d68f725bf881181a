import numpy as np
import pytest

from impasto.views.sheet import beside, enlarge


def pictures(count, side, channels, level):
    return np.full((count, side, side, channels), level, np.uint8)


def test_geometry_is_exact():
    left, right = pictures(16, 64, 3, 10), pictures(16, 64, 3, 200)
    sheet = beside(left, right, ("Real", "Generated"))
    half = 4 * 64 + 5 * 2
    assert sheet.shape == (36 + half, 2 * half + 16, 3)
    below = sheet[36:]
    for place, level in ((0, 10), (half + 16, 200)):
        for row in range(4):
            for column in range(4):
                top, start = 2 + row * 66, place + 2 + column * 66
                assert (below[top : top + 64, start : start + 64] == level).all()
    covered = 16 * 64 * 64 * 3
    assert (below == 10).sum() == (below == 200).sum() == covered
    assert (below == 255).sum() == below.size - 2 * covered


def test_both_captions_are_written():
    sheet = beside(pictures(4, 64, 3, 0), pictures(4, 64, 3, 0), ("Real", "Generated"))
    middle = sheet.shape[1] // 2
    caption = sheet[:36]
    assert caption[:, :middle].min() < 100 < 240 < caption[:, :middle].max()
    assert caption[:, middle:].min() < 100


def test_a_title_wider_than_its_pictures_is_not_cut():
    few = pictures(1, 64, 3, 0)
    sheet = beside(few, few, ("Real", "Generated after a very long time"))
    assert (sheet[:36, -4:] == 255).all()
    assert sheet[:36, -40:].min() < 100


def test_tiny_pictures_are_enlarged_by_a_whole_factor():
    rng = np.random.default_rng(0)
    small = rng.integers(0, 256, (2, 28, 28, 1), dtype=np.uint8)
    large = enlarge(small)
    assert large.shape == (2, 84, 84, 1)
    for row in range(3):
        for column in range(3):
            assert (large[:, row::3, column::3] == small).all()
    assert enlarge(pictures(1, 64, 3, 0)).shape == (1, 64, 64, 3)


@pytest.mark.parametrize(("left", "right", "channels"), [(1, 1, 1), (1, 3, 3), (3, 1, 3)])
def test_grey_and_colour_can_meet(left, right, channels):
    sheet = beside(pictures(4, 32, left, 9), pictures(4, 32, right, 9), ("a", "b"))
    assert sheet.shape[2] == channels
    assert sheet.dtype == np.uint8


def test_halves_of_other_counts_and_sizes_share_a_sheet():
    sheet = beside(pictures(3, 64, 3, 9), pictures(16, 96, 3, 9), ("a", "b"))
    assert sheet.shape == (36 + 4 * 98 + 2, (4 * 66 + 2) + 16 + (4 * 98 + 2), 3)
