import io
import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from impasto.data.config import DataConfig, Subject
from impasto.data.decode import develop
from impasto.data.subjects.detectors import detector_of, digest_of
from impasto.data.subjects.parts import Sighting, parts_of
from impasto.errors import SourceError

CLIP, PAD = Subject(name="cat-face"), Subject(name="cat-face", border="pad")
sides = st.integers(1, 400)


def seen(left, top, side, score=1.0):
    return Sighting(left, top, side, side, score)


@given(
    width=sides,
    height=sides,
    left=st.floats(0, 0.95),
    top=st.floats(0, 0.95),
    side=st.floats(0.02, 1),
    grow=st.floats(0.2, 4),
)
def test_a_clipped_part_is_square_and_within_the_picture(width, height, left, top, side, grow):
    box = seen(left * width, top * height, max(1.0, side * min(width, height)))
    ((found,),) = [parts_of([box], width, height, replace(CLIP, grow=grow))]
    assert found.size[0] == found.size[1] >= 1
    assert 0 <= found.box[0] < found.box[2] <= width
    assert 0 <= found.box[1] < found.box[3] <= height
    assert found.size[0] <= math.ceil(box.width * grow)


def test_growth_is_about_the_centre():
    (part,) = parts_of([seen(40, 60, 20)], 200, 200, CLIP)
    assert part.box == (30, 50, 70, 90)
    (part,) = parts_of([seen(41, 60, 21)], 200, 200, replace(CLIP, grow=1.0))
    assert part.box == (41, 60, 62, 81)
    (tall,) = parts_of([Sighting(40, 40, 20, 40, 1.0)], 200, 200, replace(CLIP, grow=1.0))
    assert tall.box == (30, 40, 70, 80)


def test_at_the_border_a_part_is_clipped_or_padded():
    corner = seen(0, 0, 40)
    (clipped,) = parts_of([corner], 200, 200, CLIP)
    assert clipped.box == (0, 0, 60, 60)
    (padded,) = parts_of([corner], 200, 200, PAD)
    assert padded.box == (-20, -20, 60, 60)
    (edge,) = parts_of([seen(0, 80, 40)], 200, 200, CLIP)
    assert edge.box == (0, 70, 60, 130)  # a square as near to the centre of the face as there is


def test_best_or_every():
    boxes = [seen(0, 0, 20, 1.0), seen(100, 100, 20, 3.0), seen(50, 50, 20, 2.0)]
    (best,) = parts_of(boxes, 200, 200, CLIP)
    assert best.score == 3.0
    every = parts_of(boxes, 200, 200, replace(CLIP, boxes="every"))
    assert [part.score for part in every] == [3.0, 2.0, 1.0]
    assert parts_of([], 200, 200, CLIP) == []


class Corner:
    """A detector that sees something in the right lower quarter."""

    side, channels, missing = 50, 3, "corner"

    def __init__(self, *, blind: bool = False) -> None:
        self.views: list[tuple[int, ...]] = []
        self._blind = blind

    def find(self, view: np.ndarray) -> list[Sighting]:
        self.views.append(view.shape)
        high, wide = view.shape[:2]
        return [] if self._blind else [Sighting(wide / 2, high / 2, wide / 4, high / 4, 5.0)]


@pytest.fixture
def corner(monkeypatch):
    def use(detector):
        monkeypatch.setattr("impasto.data.decode.detector_of", lambda _: detector)
        return detector

    return use


def quarters(width, height, kind="PNG", exif=None):
    """Red but for a green right lower quarter."""
    image = Image.new("RGB", (width, height), "#ff0000")
    image.paste("#00ff00", (width // 2, height // 2, width, height))
    buffer = io.BytesIO()
    image.save(buffer, kind, **({"exif": exif} if exif else {}))
    return buffer.getvalue()


@pytest.mark.parametrize("kind", ["PNG", "JPEG"])
@pytest.mark.parametrize("side", [40, 100, 800])
def test_what_was_seen_small_is_cut_out_large(corner, kind, side):
    detector = corner(Corner())
    config = DataConfig(size=16, subject=Subject(name="cat-face", grow=1.0))
    found = develop(quarters(side, side, kind), config)
    (cut,) = found.cuts
    assert detector.views == [(min(side, 50), min(side, 50), 3)]
    assert cut.box == (side // 2, side // 2, side * 3 // 4, side * 3 // 4)
    assert cut.pixels.shape == (16, 16, 3)
    assert cut.pixels[4:, 4:].mean((0, 1)) == pytest.approx([0, 255, 0], abs=6)
    assert (cut.score, found.missing, found.width) == (5.0, "", side)


def test_a_turned_picture_is_seen_upright(corner):
    corner(Corner())
    exif = Image.Exif()
    exif[0x0112] = 3  # upside down: what is stored left above is seen right below
    content = quarters(100, 80, "PNG", exif)
    found = develop(content, DataConfig(size=8, subject=Subject(name="cat-face", grow=1.0)))
    assert found.cuts[0].pixels.mean((0, 1)) == pytest.approx([255, 0, 0], abs=3)


def test_padding_shows_the_background(corner):
    corner(Corner())
    wide = Subject(name="cat-face", grow=4.0, border="pad")
    found = develop(quarters(80, 80), DataConfig(size=16, background="#0000ff", subject=wide))
    (cut,) = found.cuts
    assert cut.box == (10, 10, 90, 90)
    assert cut.pixels[:, 15].mean(0) == pytest.approx([0, 0, 255], abs=3)
    assert cut.pixels[0, 0].tolist() == [255, 0, 0]


def test_where_nothing_is_seen_the_whole_is_shown(corner):
    corner(Corner(blind=True))
    found = develop(quarters(60, 40), DataConfig(size=16, subject=CLIP))
    assert found.missing == "corner"
    assert found.cuts[0].box == (10, 0, 50, 40)


def test_subjects_that_there_are_not(tmp_path):
    assert detector_of(Subject()) is None
    with pytest.raises(
        SourceError, match=r"--subject catface: no such subject; did you mean cat-face\?"
    ):
        detector_of(Subject(name="catface"))
    with pytest.raises(SourceError, match=r"no such file; give a cascade \(.xml\) or a network"):
        detector_of(Subject(name="nowhere.onnx"))
    (tmp_path / "text.xml").write_text("<no/>")
    with pytest.raises(SourceError, match=r"text.xml: not a cascade that OpenCV reads"):
        detector_of(Subject(name=str(tmp_path / "text.xml")))
    (tmp_path / "text.onnx").write_text("no network")
    with pytest.raises(SourceError, match=r"text.onnx: not a network that ONNX Runtime reads"):
        detector_of(Subject(name=str(tmp_path / "text.onnx")))


def test_a_detector_is_told_by_its_file(tmp_path):
    assert digest_of(CLIP) == "cat-face"
    one, other = tmp_path / "one.xml", tmp_path / "other.xml"
    one.write_text("a")
    other.write_text("a")
    assert digest_of(Subject(name=str(one))) == digest_of(Subject(name=str(other)))
    other.write_text("b")
    assert digest_of(Subject(name=str(one))) != digest_of(Subject(name=str(other)))
