import math
import os
import sys
from pathlib import Path

import av
import numpy as np
import pytest

from impasto.data.config import DataConfig
from impasto.data.sources.items import Unreadable
from impasto.data.sources.opening import open_source
from impasto.errors import SourceError

EVERY = DataConfig(frame_step=10)
CODECS = {".mp4": "mpeg4", ".mkv": "mpeg4", ".avi": "mpeg4", ".mov": "mpeg4", ".mpg": "mpeg2video"}


def film(path: Path, frames: int, *, wide: int = 64, high: int = 48, front: bool = False) -> Path:
    """Frames that get brighter, 4 levels each, with a red left half and a dark right one."""
    path.parent.mkdir(parents=True, exist_ok=True)
    options = {"movflags": "faststart"} if front else {}
    with av.open(str(path), "w", options=options) as container:
        stream = container.add_stream(CODECS[path.suffix], rate=25)
        stream.width, stream.height, stream.pix_fmt = wide, high, "yuv420p"
        for number in range(frames):
            pixels = np.full((high, wide, 3), 4 * (number % 60), np.uint8)
            pixels[:, : wide // 2, 0] = 255
            for packet in stream.encode(av.VideoFrame.from_ndarray(pixels, format="rgb24")):
                container.mux(packet)
        for packet in stream.encode():
            container.mux(packet)
    return path


def levels(source) -> list[int]:
    return [int(item.payload[:, -16:, 2].mean().round()) for item in source.items()]


@pytest.mark.parametrize("ending", CODECS)
def test_every_so_many_frames_of_a_video(tmp_path, ending):
    source = open_source(film(tmp_path / f"clip{ending}", 47), EVERY)
    assert len(source) == 5
    items = list(source.items())
    assert [item.name for item in items] == [f"clip{ending}/{i:06d}" for i in range(0, 47, 10)]
    assert all(item.payload.shape == (48, 64, 3) for item in items)
    assert items[0].payload[:, :16, 0].mean() > 200
    assert np.allclose(levels(source), [0, 40, 80, 120, 160], atol=8)
    assert source.encoded
    assert source.label_names == {}


def test_the_default_step_and_starting_anywhere(tmp_path):
    path = film(tmp_path / "clip.mp4", 61)
    assert [item.name[-6:] for item in open_source(path, DataConfig()).items()] == [
        "000000",
        "000030",
        "000060",
    ]
    source = open_source(path, EVERY)
    whole = list(source.items())
    for start in (1, 4, 7):
        rest = list(source.items(start))
        assert [item.name for item in rest] == [item.name for item in whole[start:]]
        for item, same in zip(rest, whole[start:], strict=True):
            assert np.array_equal(item.payload, same.payload)


def test_a_folder_of_videos_its_classes_and_labels(tmp_path):
    for name in ("cat/a.mp4", "dog/b.mkv"):
        film(tmp_path / "clips" / name, 12)
    root = tmp_path / "clips"
    (root / "labels.csv").write_text("file,tone\na.mp4,warm\nb.mkv,cold\n")
    source = open_source(root, EVERY)
    assert source.label_names == {"class": ("cat", "dog"), "tone": ("cold", "warm")}
    assert [(item.name, item.labels) for item in source.items()] == [
        ("cat/a.mp4/000000", (0, 1)),
        ("cat/a.mp4/000010", (0, 1)),
        ("dog/b.mkv/000000", (1, 0)),
        ("dog/b.mkv/000010", (1, 0)),
    ]
    assert len(open_source(root, DataConfig(frame_step=10, classes=("dog",), limit=1))) == 1


def test_videos_beside_pictures_are_refused(tmp_path, folder):
    root = folder("a.png", "b.jpg")
    film(root / "clip.mp4", 3)
    found = {item.name: item.payload for item in open_source(root, EVERY).items()}
    assert found["clip.mp4"] == Unreadable("a video; give the file itself, or a folder of videos")
    assert found["a.png"] == root / "a.png"


def turn(path: Path, degrees: int) -> None:
    """Writes into the header of an MP4 file how it is to be turned, clockwise."""
    content = bytearray(path.read_bytes())
    matrix = content.index(b"tkhd") + 4 + 40  # the version 0 of the header of a track
    cosine, sine = round(math.cos(math.radians(degrees))), round(math.sin(math.radians(degrees)))
    for place, number in zip((0, 4, 12, 16), (cosine, sine, -sine, cosine), strict=True):
        start = matrix + place
        content[start : start + 4] = (number * 0x10000).to_bytes(4, "big", signed=True)
    path.write_bytes(content)


def test_a_camera_s_turn_is_heeded(tmp_path):
    path = film(tmp_path / "clip.mp4", 2)
    turn(path, 90)  # clockwise: what was left is up
    (item,) = open_source(path, EVERY).items()
    assert item.payload.shape == (64, 48, 3)
    assert item.payload[:20, :, 0].mean() > 200 > 60 > item.payload[-20:, :, 0].mean()
    turn(path, 180)
    (item,) = open_source(path, EVERY).items()
    assert item.payload[:, -20:, 0].mean() > 200 > 60 > item.payload[:, :20, 0].mean()


def test_a_video_cut_short_gives_what_comes_before(tmp_path):
    path = film(tmp_path / "clip.mp4", 100, front=True)
    content = path.read_bytes()
    path.write_bytes(content[: -len(content) // 3])
    source = open_source(path, EVERY)
    assert len(source) == 10
    payloads = [item.payload for item in source.items()]
    whole = [payload for payload in payloads if not isinstance(payload, Unreadable)]
    assert 3 <= len(whole) < 10
    for payload in payloads[len(whole) :]:
        assert isinstance(payload, Unreadable)
        assert "after" in payload.reason
    assert np.allclose(levels_of(whole), [40 * i % 240 for i in range(len(whole))], atol=8)


def levels_of(frames: list[np.ndarray]) -> list[float]:
    return [float(frame[:, -16:, 2].mean()) for frame in frames]


@pytest.mark.parametrize("content", [b"", b"no video at all, only words " * 100])
def test_a_file_that_is_no_video_is_an_error_alone_and_told_among_others(tmp_path, content):
    film(tmp_path / "clips" / "good.mp4", 3)
    bad = tmp_path / "clips" / "bad.mp4"
    bad.write_bytes(content)
    with pytest.raises(SourceError, match=r"bad.mp4 is not a whole video"):
        open_source(bad, EVERY)
    first, second = open_source(tmp_path / "clips", EVERY).items()
    assert first.name == "bad.mp4/"
    assert isinstance(first.payload, Unreadable)
    assert isinstance(second.payload, np.ndarray)


def test_a_signature_follows_the_file_and_the_step(tmp_path):
    path = film(tmp_path / "clip.mp4", 30)
    before = open_source(path, EVERY).signature()
    assert open_source(path, EVERY).signature() == before
    assert open_source(path, DataConfig(frame_step=5)).signature() != before
    os.utime(path, ns=(1, 1))
    assert open_source(path, EVERY).signature() != before


def test_without_the_package_it_is_named(tmp_path, monkeypatch):
    path = film(tmp_path / "clip.mp4", 1)
    monkeypatch.setitem(sys.modules, "av", None)
    with pytest.raises(SourceError, match=r"pip install 'impasto\[video\]'"):
        open_source(path, EVERY)
