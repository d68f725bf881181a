import pytest

from impasto.evaluation import bands as module
from impasto.evaluation.bands import BAND, bands


@pytest.mark.parametrize(
    ("rows", "width"), [(0, 5), (1, 1), (10, 3), (7, BAND), (3, 2 * BAND), (5, 0)]
)
def test_bands_cover_every_row_once_and_in_order(rows, width):
    covered = [row for band in bands(rows, width) for row in range(band.start, band.stop)]
    assert covered == list(range(rows))


def test_no_band_is_larger_than_said_unless_one_row_is(monkeypatch):
    monkeypatch.setattr(module, "BAND", 100)
    assert [(band.start, band.stop) for band in bands(8, 30)] == [(0, 3), (3, 6), (6, 8)]
    assert all(band.stop - band.start == 1 for band in bands(8, 300))


def test_fifty_thousand_against_fifty_thousand_stay_within_64_megabytes():
    largest = max(band.stop - band.start for band in bands(50_000, 50_000))
    assert largest * 50_000 * 8 <= 64 * 2**20
